#!/usr/bin/env bash
# install.sh DIR: Prometheus, Alertmanager, node_exporter and their tools of Debian into DIR, without installing them.
# Pinned to what Debian 12 has; where a mirror has dropped that build (point releases do), its present one is taken.
set -euo pipefail
mkdir -p "$1"
cd "$1"
for pinned in prometheus=2.42.0+ds-5+deb12u1 prometheus-alertmanager=0.25.0-1+b4 prometheus-node-exporter=1.5.0-1+b6; do
  name=${pinned%%=*}
  ls "${name}"_*.deb >/dev/null 2>&1 && continue
  apt-get -qq download "$pinned" 2>/dev/null || { apt-get -qq update && apt-get -qq download "$pinned"; } 2>/dev/null || {
    echo "Debian has $pinned no more: taking its present $name" >&2
    apt-get -qq download "$name"
  }
done
for package in *.deb; do dpkg -x "$package" .; done
# Alertmanager reads its templates below /usr/share; here it shall read them in its working folder. Both paths have 34 characters.
sed -i 's#/usr/share/prometheus/alertmanager#/proc/self/cwd/./././././././././.#g' usr/bin/prometheus-alertmanager
usr/bin/promtool --version | head -n 1
