#!/bin/sh
# Compile every bpf/**/*.bpf.c to OUTDIR/**/*.bpf.o, one core each. Prints nothing but what is wrong.
# Usage: bpf/build.sh [--arch x64|arm64] OUTDIR [NAME...]   for which machine, default this one;
#                                        NAME: below bpf/ without .bpf.c, e.g. selftest/counter; default all.
# Environment: CLANG, LLVM_STRIP, KBTOP_BPF_CFLAGS.
set -eu

fail() { echo "bpf/build.sh: $*" >&2; exit 1; }

# Distributions install clang under its bare name, its version, or both.
find_tool() {
    for name in "$1" "$1-21" "$1-20" "$1-19" "$1-18" "$1-17" "$1-16" "$1-15" "$1-14"; do
        if command -v "$name" >/dev/null 2>&1; then echo "$name"; return; fi
    done
    return 1
}

usage="usage: bpf/build.sh [--arch x64|arm64] OUTDIR [NAME...]"
machine=$(uname -m)
if [ "${1:-}" = --arch ]; then
    [ $# -ge 2 ] || fail "$usage"
    case $2 in
        x64) machine=x86_64 ;;
        arm64) machine=aarch64 ;;
        *) fail "$usage" ;;
    esac
    shift 2
fi
[ $# -ge 1 ] || fail "$usage"
mkdir -p "$1" || fail "cannot create $1"
out=$(cd "$1" && pwd)
shift
source=$(cd "$(dirname "$0")" && pwd)

CLANG=${CLANG:-$(find_tool clang)} || fail "clang is not installed (Debian, Ubuntu: apt-get install clang llvm)"
LLVM_STRIP=${LLVM_STRIP:-$(find_tool llvm-strip)} || fail "llvm-strip is not installed (Debian, Ubuntu: apt-get install llvm)"
[ -e /usr/include/bpf/bpf_helpers.h ] || fail "bpf/bpf_helpers.h is not installed (Debian, Ubuntu: apt-get install libbpf-dev)"

case $machine in
    x86_64) arch=x86 ;;
    aarch64) arch=arm64 ;;
    *) fail "kbtop supports x86_64 and aarch64, not $machine" ;;
esac
# <asm/types.h> lives in the multiarch directory on Debian; clang does not search it for the bpf target. It is the same for
# every machine, and the only one of its kind that is used.
multiarch=/usr/include/$(uname -m)-linux-gnu
export CLANG LLVM_STRIP KBTOP_BPF_OUT="$out"
export KBTOP_BPF_FLAGS="-O2 -g -target bpf -mcpu=v3 -D__TARGET_ARCH_$arch -Wall -Wextra -Wno-unused-parameter -Werror -I bpf -fdebug-compilation-dir=. -idirafter $multiarch ${KBTOP_BPF_CFLAGS:-}"

# From one directory, by relative names: where the checkout lies must not stand in the objects.
cd "$source/.."
if [ $# -gt 0 ]; then
    printf '%s\n' "$@"
else
    (cd "$source" && find . -name '*.bpf.c' | sed 's|^\./||; s|\.bpf\.c$||' | sort)
fi | xargs -r -P "$(nproc)" -I NAME sh -c '
    name=$1
    object=$KBTOP_BPF_OUT/$name.bpf.o
    mkdir -p "$(dirname "$object")"
    # Renamed when whole: somebody may be opening the old one right now.
    temporary=$object.$$
    trap "rm -f \"$temporary\"" EXIT
    $CLANG $KBTOP_BPF_FLAGS -c "bpf/$name.bpf.c" -o "$temporary" || exit 1
    $LLVM_STRIP -g "$temporary" || exit 1
    mv -f "$temporary" "$object"
' sh NAME >&2 || fail "a BPF program does not compile, see above"
