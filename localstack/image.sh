#!/usr/bin/env bash
# image.sh: sees to it that the engine at DOCKER_HOST has LocalStack's image, and the one in which functions run.
# Prints LOCALSTACK_IMAGE=… and RUNTIME_IMAGE=… for `eval`; both may be set:
#   LOCALSTACK_IMAGE  by default the last official image that asks for no account; on an engine of our own, which may reach no
#                     registry of images, one that is made here of Debian's and PyPI's packages
#   RUNTIME_IMAGE     by default Debian's, for programs that were built on Debian or like it
# The image that is made here is one for both: Debian with Python, LocalStack in /opt, and init.py in place of the program by
# which LocalStack starts functions, which it would download.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$here")
home=${LOCALSTACK_HOME:-$root/target/localstack}
official=localstack/localstack:4.14.0
debian=debian:trixie-slim
# Debian's release and its Python, for which the packages are chosen.
suite=trixie python=3.13
machine=$(uname -m)
# What LocalStack calls this processor, and what it wants in the place of its own init.
case $machine in x86_64) processor=x86_64 ;; aarch64) processor=arm64 ;; *) processor=$machine ;; esac
init=usr/lib/localstack/lambda-runtime/v0.1.41-pre/$processor/var/rapid/init

say() { echo "$*" >&2; }
die() { say "$@"; exit 1; }

has() { docker image inspect "$1" >/dev/null 2>&1; }

pulled() {
  has "$1" || docker pull --quiet "$1" >&2 || die "the image $1 is neither here nor to be had: docker pull says why; $2 names another"
}

# Debian with Python, as files. debootstrap's own mirror, or the one that DEBIAN_MIRROR names.
base() {
  [ ! -e "$home/debian/.made" ] || return 0
  command -v debootstrap >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends debootstrap; } >/dev/null 2>&1
  rm -rf "$home/debian"
  mkdir -p "$home/debian"
  debootstrap --variant=minbase --include=ca-certificates,python3 "$suite" "$home/debian" ${DEBIAN_MIRROR-} >"$home/debootstrap.log" 2>&1 ||
    { tail -n 5 "$home/debootstrap.log" >&2; die "Debian cannot be laid out: $home/debootstrap.log"; }
  rm -rf "$home"/debian/var/cache/apt/* "$home"/debian/var/lib/apt/lists/* "$home"/debian/usr/share/{doc,man,locale}
  touch "$home/debian/.made"
}

# LocalStack's packages, chosen for Debian's Python whatever this machine's is.
packages() {
  cmp -s "$here/requirements.txt" "$home/packages/.requirements" && return
  rm -rf "$home/packages"
  "$root/target/aws/bin/uv" pip install --quiet --target "$home/packages" --python "$root/target/aws/bin/python" \
    --python-version "$python" --python-platform "$machine-manylinux_2_28" --no-deps --requirement "$here/requirements.txt" >&2 ||
    die "LocalStack's packages cannot be installed from PyPI"
  cp "$here/requirements.txt" "$home/packages/.requirements"
}

make_image() {
  local recipe
  recipe=$(cat "$here"/{requirements.txt,init.py,image.sh} | sha256sum | head -c 12)
  image=clickstream-localstack:$recipe
  has "$image" && return
  say "making the image $image …"
  mkdir -p "$home"
  # Side by side: one waits for the network, the other for the processor.
  base &
  local laid=$!
  packages
  wait "$laid" || exit 1
  local files=$home/image
  rm -rf "$files"
  cp -al "$home/debian" "$files"
  cp -al "$home/packages" "$files/opt/localstack"
  mkdir -p "$files/${init%/*}" "$files/var/lib/localstack"
  install -m 755 "$here/init.py" "$files/$init"
  tar -c -C "$files" --exclude=__pycache__ . | docker import --message "$recipe" \
    --change 'ENV PYTHONPATH=/opt/localstack PYTHONDONTWRITEBYTECODE=1 GATEWAY_LISTEN=0.0.0.0:4566 LOCALSTACK_IN_DOCKER=1' \
    --change 'EXPOSE 4566' --change 'CMD ["python3", "-m", "localstack.runtime.main"]' - "$image" >/dev/null
  rm -rf "$files"
}

if [ -n "${LOCALSTACK_IMAGE-}" ] || [ -z "${OWN_ENGINE-}" ]; then
  image=${LOCALSTACK_IMAGE:-$official} runtime=${RUNTIME_IMAGE:-$debian}
  pulled "$image" LOCALSTACK_IMAGE
else
  make_image
  runtime=${RUNTIME_IMAGE:-$image}
fi
[ "$runtime" = "$image" ] || pulled "$runtime" RUNTIME_IMAGE
echo "export LOCALSTACK_IMAGE=$image RUNTIME_IMAGE=$runtime"
