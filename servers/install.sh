#!/usr/bin/env bash
# install.sh NAME…: installs servers of pinned versions under target/servers; those that are there stay.
# What a machine lacks for it (Java 17, Maven, curl) comes from apt.
. "$(dirname "${BASH_SOURCE[0]}")/instance.sh"

apt_install() {
  say "$name: apt-get install $*"
  local as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$@" >&2
}

install_one() (
  load "$1"
  [ -z "$part_of" ] || load "$part_of"
  began=$EPOCHREALTIME
  mkdir -p "$installed"
  exec 9>"$installed/.lock"
  flock 9
  if ! cmp -s "$installed/.recipe" <(recipe); then
    say "$name $version is being installed"
    install_server
    recipe >"$installed/.recipe"
    say "$name $version installed in $(seconds_since "$began")"
  fi
)

(($#)) || die "usage: install.sh NAME…, of: ${known[*]}"
for each in "$@"; do install_one "$each"; done
