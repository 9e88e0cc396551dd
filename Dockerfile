# The image of a release, from its tarball (npm run dist makes the same without Docker: dist/release/*-oci.tar):
#
#   docker build --build-arg VERSION=0.1.0 --tag kbtop:0.1.0 --file Dockerfile dist/release
#
# The tarball brings everything, so there is nothing below it: no shell, no libc, no package to be patched.
FROM scratch
ARG VERSION
ARG ARCH=x64
ADD kbtop-${VERSION}-linux-${ARCH}.tar.gz /opt/
ENV PATH=/opt/kbtop-${VERSION}-linux-${ARCH}/bin LANG=C.UTF-8 HOME=/root
# These make their directories: for the audit of faults, for sockets, and for what is saved from the screen.
WORKDIR /var/log
WORKDIR /run
WORKDIR /tmp
WORKDIR /
LABEL org.opencontainers.image.title=kbtop org.opencontainers.image.version=${VERSION}
ENTRYPOINT ["kbtop"]
