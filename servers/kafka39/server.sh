# Apache Kafka 3.9, the last line with ZooKeeper. Its ZooKeeper is an instance of its own in the folder zookeeper/ of it.
. "$here/java.sh"
version=3.9.2
protocol=kafka
ports=(port)
fixed_ports=("${KAFKA39_PORT:-29092}")
memory=${KAFKA_MEMORY:-256}
flush_messages=${KAFKA_FLUSH_MESSAGES:-1}
beneath=zookeeper
# Killed and started again within the old session, the broker finds its own old entry and ends.
again_if='node already exists'

recipe() { cat "$here/kafka39/pom.xml" "$here/kafka39/jars.sha256"; }
install_server() { install_jars; }

configure() {
  local zookeeper_port
  zookeeper_port=$(sed -n 's/^port=//p' "$dir/zookeeper/instance")
  render server.properties flush_messages zookeeper_port
  printf '%s\n' "${settings[@]}" >>"$dir/conf/server.properties"
}

command_line() {
  command=(
    "$(java17)" -Xms"${memory}m" -Xmx"${memory}m" @"$here/kafka/jvm.args" -cp "$installed/lib/*"
    kafka.Kafka "$dir/conf/server.properties"
  )
}

url() { echo "kafka://127.0.0.1:$port"; }

answered() {
  local topic
  for topic in ${KAFKA_TOPICS-}; do "$here/kafka/topic.py" "$port" "$topic"; done
}
