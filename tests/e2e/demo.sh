#!/bin/bash
# kansoku demo against kansoku with the configuration that ./run starts with: twelve devices attack,
# all are looked at and identified, and all come again.
# Exit status 0: so it was, 1: the last lines say what was not, 77: no store engine here.
set -u
cd "$(dirname "$0")/../.." || exit 1
# With root in a network of its own, so that nothing on this machine's ports is in the way.
if [ "$(id -u)" = 0 ] && [ -z "${DEMO_INSIDE:-}" ]; then
	exec env DEMO_INSIDE=1 unshare -n sh -c 'ip link set lo up && exec "$0"' "$PWD/tests/e2e/demo.sh"
fi
build/kansoku doctor | grep -q '^MISS *store engine' && { echo "demo.sh: no store engine here"; exit 77; }
work=$(mktemp -d)
chmod 711 "$work"
sed "s|state: var|state: $work/state|" etc/loopback.yaml > "$work/kansoku.yaml"
build/kansoku run --config "$work/kansoku.yaml" > "$work/log" 2>&1 &
kansoku=$!
trap 'kill $kansoku; wait $kansoku; rm -rf "$work"' EXIT
for _ in $(seq 150); do
	[ -e "$work/state/run/ready" ] && break
	kill -0 $kansoku || { tail -n 20 "$work/log"; exit 1; }
	sleep 0.2
done
build/kansoku demo --config "$work/kansoku.yaml" --seconds 120 --json > "$work/demo.json"
tail -n 30 "$work/demo.json"
tail -n 1 "$work/demo.json" |
	grep -q '"attacked":12,"looked":12,"identified":12,"returned":12' || { tail -n 20 "$work/log"; exit 1; }
