# Apache ZooKeeper 3.8.4, from the jars of kafka39.
. "$here/java.sh"
part_of=kafka39
version=3.8.4
protocol=zookeeper
ports=(port)
fixed_ports=("${ZOOKEEPER_PORT:-12181}")
memory=${ZOOKEEPER_MEMORY:-64}

configure() {
  render zoo.cfg
  printf '%s\n' "${settings[@]}" >>"$dir/conf/zoo.cfg"
}

command_line() {
  command=(
    "$(java17)" -Xms"${memory}m" -Xmx"${memory}m" @"$here/kafka/jvm.args" -cp "$installed/lib/*"
    org.apache.zookeeper.server.quorum.QuorumPeerMain "$dir/conf/zoo.cfg"
  )
}

url() { echo "zookeeper://127.0.0.1:$port"; }
answered() { :; }
