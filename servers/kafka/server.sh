# Apache Kafka 4 in KRaft mode: broker and controller in one process. No ZooKeeper.
. "$here/java.sh"
version=4.4.0
protocol=kafka
ports=(port controller_port)
fixed_ports=("${KAFKA_PORT:=19092}" $((KAFKA_PORT + 1)))
# MB of heap; the process takes some 30 MB less to 30 MB more.
memory=${KAFKA_MEMORY:-256}
# fsync after so many messages of a partition: 1 makes "acknowledged" mean "on disk".
flush_messages=${KAFKA_FLUSH_MESSAGES:-1}

recipe() { cat "$here/kafka/pom.xml" "$here/kafka/jars.sha256"; }
install_server() { install_jars; }

java_kafka() { "$(java17)" -Xmx64m -XX:TieredStopAtLevel=1 @"$here/kafka/jvm.args" -cp "$installed/lib/*" "$@"; }

configure() {
  render server.properties flush_messages
  printf '%s\n' "${settings[@]}" >>"$dir/conf/server.properties"
  [ -e "$dir/formatted" ] || format
}

format() {
  local said
  # Nothing can have been logged yet: what is there is left of a formatting that was cut short.
  rm -rf "$dir/data"
  said=$(java_kafka kafka.tools.StorageTool format --standalone -t "$(cluster_id)" -c "$dir/conf/server.properties" 2>&1) ||
    die "kafka: $dir/data cannot be formatted: $(grep -v '^\s*at ' <<<"$said" | tail -n 5)"
  touch "$dir/formatted"
}

# 16 random bytes in Kafka's way of writing a UUID; it must not begin with a dash.
cluster_id() { python3 -c 'import base64, os; print("C" + base64.urlsafe_b64encode(os.urandom(16)).decode()[1:22])'; }

command_line() {
  command=(
    "$(java17)" -Xms"${memory}m" -Xmx"${memory}m" @"$here/kafka/jvm.args" -cp "$installed/lib/*"
    kafka.Kafka "$dir/conf/server.properties"
  )
}

url() { echo "kafka://127.0.0.1:$port"; }

# Topics that `make servers` makes. A private instance starts without any.
answered() {
  local topics=${KAFKA_TOPICS-} topic
  [ -n "$private" ] || topics=${KAFKA_TOPICS-notifications}
  for topic in $topics; do "$here/kafka/topic.py" "$port" "$topic"; done
}
