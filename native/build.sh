#!/bin/sh
# Compile and link the addon into OUT.node, with libbpf, libelf and zlib inside. Prints nothing but what is wrong.
# Usage: native/build.sh OUT.node
# Environment: CXX, CC, KBTOP_CXXFLAGS (e.g. "-O0 -g"), KBTOP_LDFLAGS.
set -eu

fail() { echo "native/build.sh: $*" >&2; exit 1; }

[ $# -eq 1 ] || fail "usage: native/build.sh OUT.node"
out=$1
source=$(cd "$(dirname "$0")" && pwd)
modules=$(dirname "$source")/node_modules
CXX=${CXX:-g++}
CC=${CC:-gcc}
command -v "$CXX" >/dev/null 2>&1 || fail "$CXX is not installed (Debian, Ubuntu: apt-get install g++)"
for header in bpf/libbpf.h:libbpf-dev libelf.h:libelf-dev zlib.h:zlib1g-dev; do
    echo "#include <${header%%:*}>" | "$CC" -E -x c - >/dev/null 2>&1 ||
        fail "${header%%:*} is not installed (Debian, Ubuntu: apt-get install ${header##*:})"
done
for package in node-addon-api node-api-headers; do
    [ -e "$modules/$package/package.json" ] || fail "node_modules/$package is missing: run npm ci"
done

mkdir -p "$(dirname "$out")"
work=$(mktemp -d)
trap 'rm -rf "$work" "$out.$$"' EXIT
trap 'exit 130' INT TERM

# Exceptions that cannot reach JavaScript any more (a worker that is being terminated) must not abort the process.
defines="-DNAPI_VERSION=8 -DNAPI_CPP_EXCEPTIONS -DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS -DNODE_GYP_MODULE_NAME=kbtop -DBUILDING_NODE_EXTENSION"
export CXX CC KBTOP_WORK="$work"
export KBTOP_FLAGS="-O2 -fPIC -fvisibility=hidden -Wall -Wextra -Werror ${KBTOP_CXXFLAGS:-}"
export KBTOP_CXX="-std=c++20 -D_GNU_SOURCE $defines -isystem $modules/node-api-headers/include -isystem $modules/node-addon-api"
printf '%s\n' "$source"/*.cc "$source"/*.c | xargs -P "$(nproc)" -I FILE sh -c '
    object=$KBTOP_WORK/$(basename "$1").o
    case $1 in
        *.cc) $CXX $KBTOP_FLAGS $KBTOP_CXX -c "$1" -o "$object" ;;
        *) $CC $KBTOP_FLAGS -c "$1" -o "$object" ;;
    esac || exit 1
' sh FILE >&2 || fail "the addon does not compile, see above"

# libelf from 0.189 on may compress sections with zstd.
zstd=
libelf=$("$CC" -print-file-name=libelf.a)
if nm "$libelf" 2>/dev/null | grep -q ' U ZSTD_'; then zstd=-l:libzstd.a; fi

# nodelete: a worker that ends unloads its addons, maybe while a load still runs on a pool thread.
"$CXX" -shared -o "$out.$$" "$work"/*.o \
    -Wl,--wrap=stderr -Wl,--exclude-libs,ALL -Wl,-Bsymbolic -Wl,-z,nodelete -Wl,-z,relro -Wl,-z,now \
    -l:libbpf.a -l:libelf.a -l:libz.a $zstd ${KBTOP_LDFLAGS:--s} >&2 || fail "the addon does not link, see above"
mv -f "$out.$$" "$out"
