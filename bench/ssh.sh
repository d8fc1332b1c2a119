#!/bin/bash
# What an SSH decoy costs: log-in and one command, beside the cryptography that it cannot do without.
#   bench/ssh.sh [SECONDS]
# The figure is of a kansoku of its own on loopback, with the journal that takes its events.
cd "$(dirname "$0")/.." || exit 2
LOAD=build/plain/program/bench/ssh
make -s $LOAD build/kansoku || exit 1
WORK=$(mktemp -d /tmp/kansoku-bench.XXXXXX)
chmod 755 "$WORK"
PORT=${PORT:-$((20000 + $$ % 10000))}
trap 'kill -TERM $PARENT 2>/dev/null; wait $PARENT; rm -rf "$WORK"' EXIT
mkdir "$WORK/personas"
printf 'name: bare\nsummary: offers all that is configured\ncredentials: [[root, root]]\n' >"$WORK/personas/bare.yaml"
cat >"$WORK/kansoku.yaml" <<EOT
run: {state: $WORK/state}
passive:
  workers: 1
  personas_dir: $WORK/personas
  decoys: [{prefix: 127.0.0.0/8, personas: [bare]}]
  services: {ssh: {ports: [$PORT]}}
  limits: {source_sessions: 0, source_rate: 0, source_bytes: 0, network_sessions: 0, network_rate: 0,
           network_bytes: 0}
EOT
build/kansoku run --config "$WORK/kansoku.yaml" --only passive,journal >"$WORK/log" 2>&1 &
PARENT=$!
for _ in $(seq 100); do [ -e "$WORK/state/run/ready" ] && break; sleep 0.1; done
PID=$(pgrep -P $PARENT -f 'process passive$') || { cat "$WORK/log"; exit 1; }
$LOAD "$PORT" "$PID" "${1:-5}"
