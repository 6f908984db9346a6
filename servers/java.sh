# Sourced by the servers that run on Java: a Java 17, and jars from Maven Central.

# Cassandra 5.0 starts on Java 11 and 17 alone (later ones have no SecurityManager); Kafka takes 17 and later.
java17() {
  local candidate
  for candidate in ${JAVA17_HOME:+"$JAVA17_HOME"} ${JAVA_HOME:+"$JAVA_HOME"} /usr/lib/jvm/java-17-openjdk-* /usr/lib/jvm/*17*; do
    if [ -x "$candidate/bin/java" ] && grep -qs '^JAVA_VERSION="17' "$candidate/release"; then
      echo "$candidate/bin/java"
      return
    fi
  done
  return 1
}

# Copies what pom.xml names, and all that this needs, into $installed/lib, and compares it with jars.sha256.
# To change a version: edit pom.xml and version=, empty jars.sha256, install, and put the sums of lib/ there.
install_jars() {
  local said
  java17 >/dev/null || apt_install openjdk-17-jre-headless
  java17 >/dev/null || die "$name needs Java 17: install it, or set JAVA17_HOME to where it is"
  command -v mvn >/dev/null || apt_install maven
  rm -rf "${installed:?}/lib"
  said=$(JAVA_HOME=$(dirname "$(dirname "$(java17)")") mvn -B -q -C -f "$here/$name/pom.xml" -Dmaven.repo.local="$home/m2" \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DoutputDirectory="$installed/lib" -DincludeScope=runtime 2>&1) || die "$name: Maven cannot fetch the jars: $said"
  if [ -s "$here/$name/jars.sha256" ]; then
    (cd "$installed/lib" && sha256sum --quiet --strict -c "$here/$name/jars.sha256") ||
      die "$name: what Maven fetched is not what $here/$name/jars.sha256 says"
  fi
}
