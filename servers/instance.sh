# Sourced by the scripts beside it: where an instance of a server lives, and which process is its own.
#
# An instance is a folder:
#   instance     what it is and its ports, chosen at the first start and kept
#   conf/        configuration, written anew at every start
#   data/        what the server stores
#   log          what it says
#   pid          its process, from the start on
#   server.env   facts for clients; there only while the server is known to have answered
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$here")
# Installed servers and the data of `make servers`.
home=${SERVERS_HOME:-$root/target/servers}
# Seconds that a start may take, and a clean stop before the process is killed.
START_SECONDS=${START_SECONDS:-180}
STOP_SECONDS=${STOP_SECONDS:-60}
# In the order of a clean stop: who uses another comes first.
known=(minio kafka39 zookeeper kafka cassandra)

say() { echo "$*" >&2; }
die() { say "$@"; exit 1; }

# load NAME: the facts and functions of a server.
load() {
  name=$1
  [ -e "$here/$name/server.sh" ] || die "no server is called '$name'; there are: ${known[*]}"
  beneath='' again_if='' part_of=''
  . "$here/$name/server.sh"
  installed=$home/$name-$version
  if [ -n "$part_of" ]; then installed=$(load "$part_of"; echo "$installed"); fi
}

# belongs PID: true if this process lives and is the instance's, which every command line says by naming $dir/conf/.
# After a restart of the machine a pid file may name a stranger.
belongs() { grep -qszF -- "$dir/conf/" "/proc/$1/cmdline"; }

# Sets pid to the instance's process, if it runs.
running() {
  pid=
  if [ -s "$dir/pid" ] && read -r pid <"$dir/pid" && belongs "$pid"; then return; fi
  pid=
  return 1
}

# render FILE: a template into conf/; @NAMES@ stand for variables of the same name in small letters.
render() {
  local text variable
  text=$(<"$here/$name/$1")
  for variable in dir memory "${ports[@]}" "${@:2}"; do
    text=${text//"@${variable^^}@"/"${!variable}"}
  done
  printf '%s\n' "$text" >"$dir/conf/$1"
}

seconds_since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", b - a }'; }
