# Apache Cassandra 5, one node.
. "$here/java.sh"
version=5.0.8
protocol=cassandra
ports=(port storage_port jmx_port)
fixed_ports=("${CASSANDRA_PORT:=19042}" $((CASSANDRA_PORT + 1)) $((CASSANDRA_PORT + 2)))
# MB of heap; the process takes some 350 MB more.
memory=${CASSANDRA_MEMORY:-512}
# group | batch | periodic; only the first two have a write on disk before they acknowledge it.
commitlog_sync=${CASSANDRA_COMMITLOG_SYNC:-group}

recipe() { cat "$here/cassandra/pom.xml" "$here/cassandra/jars.sha256"; }
install_server() { install_jars; }

configure() {
  local sync_setting setting
  case $commitlog_sync in
    group) sync_setting='commitlog_sync_group_window: 2ms' ;;
    batch) sync_setting='# acknowledged after an fsync of its own' ;;
    periodic) sync_setting='commitlog_sync_period: 10000ms' ;;
    *) die "CASSANDRA_COMMITLOG_SYNC=$commitlog_sync is wrong: group, batch or periodic" ;;
  esac
  render cassandra.yaml commitlog_sync sync_setting
  for setting in "${settings[@]}"; do
    sed -i "/^${setting%%=*}:/d" "$dir/conf/cassandra.yaml"
    echo "${setting%%=*}: ${setting#*=}" >>"$dir/conf/cassandra.yaml"
  done
  mkdir -p "$dir/conf/triggers"
}

command_line() {
  local jamm
  jamm=$(echo "$installed"/lib/jamm-*.jar)
  command=(
    "$(java17)" @"$here/cassandra/jvm17.args" -cp "$installed/lib/*"
    -Xms"${memory}m" -Xmx"${memory}m" -XX:MaxDirectMemorySize=128m -javaagent:"$jamm"
    -Djava.library.path=/nonexistent
    -Dcassandra.config="file://$dir/conf/cassandra.yaml" -Dcassandra.storagedir="$dir/data"
    -Dcassandra.triggers_dir="$dir/conf/triggers" -Dcassandra.jmx.local.port="$jmx_port"
    -Dlogback.configurationFile="$here/cassandra/logback.xml"
    org.apache.cassandra.service.CassandraDaemon
  )
}

url() { echo "scylla://127.0.0.1:$port"; }
answered() { :; }
