#!/usr/bin/env bash
# render.sh: draws every *.puml of this folder as SVG beside it. Each SVG names the sum of what it was drawn from.
# render.sh --check: draws them elsewhere, and fails if one cannot be drawn or the one beside it is not current.
# PlantUML comes from Maven Central, pinned, into target/report.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$(dirname "$here")")
version=1.2026.6
sum=e620ae095a2ba0134d3c33fd5ae34ff01e785f3df1796c0898802b8761a033a8
jar=$root/target/report/plantuml-$version.jar

need() { command -v "$1" >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$2"; }; }

if ! sha256sum --quiet --status -c <<<"$sum  $jar" 2>/dev/null; then
  need java openjdk-17-jre-headless
  need mvn maven
  mkdir -p "$(dirname "$jar")"
  mvn -B -q -f "$here/pom.xml" -Dplantuml="$version" -DoutputDirectory="$(dirname "$jar")" \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies >&2
  sha256sum --quiet -c <<<"$sum  $jar" >&2 || { echo "$jar is not the PlantUML that is pinned in docs/diagrams/render.sh" >&2; exit 1; }
fi
need java openjdk-17-jre-headless
# Java asks fontconfig for the width of texts.
fc-list 2>/dev/null | grep DejaVuSans.ttf >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends fontconfig fonts-dejavu-core; }

# from NAME: the sum of what NAME.svg is drawn from.
from() { { echo "$version"; cat "$here/style.iuml" "$here/$1.puml"; } | sha256sum | cut -d' ' -f1; }
# texts FILE: what can be read in a picture; where it stands depends on the machine's fonts.
texts() { grep -o '<text[^>]*>[^<]*' "$1" | sed 's/^[^>]*>//' | sort; }

drawn=$(mktemp -d)
trap 'rm -rf "$drawn"' EXIT
java -Djava.awt.headless=true -jar "$jar" -tsvg -nometadata -charset UTF-8 -failfast2 -o "$drawn" "$here"/*.puml >&2
wrong=0
for source in "$here"/*.puml; do
  name=$(basename "$source" .puml)
  svg=$here/$name.svg
  if [ "${1:-}" != --check ]; then
    { cat "$drawn/$name.svg"; echo "<!-- docs/diagrams/render.sh drew this from $(from "$name") -->"; } >"$svg"
  elif ! grep -qsF "drew this from $(from "$name") " "$svg" || ! cmp -s <(texts "$svg") <(texts "$drawn/$name.svg"); then
    echo "docs/diagrams/$name.svg is not drawn from what $name.puml says now; \`make report-files\` draws it" >&2
    wrong=1
  fi
done
for svg in "$here"/*.svg; do
  [ -e "${svg%.svg}.puml" ] || { echo "$svg has no .puml" >&2; wrong=1; }
done
exit $wrong
