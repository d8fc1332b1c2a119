#!/bin/bash
# Decoys of others in their default configuration are told as decoys, not as what they play; ordinary
# servers are not.  INetSim stands for those that can be installed; the facts of the others stand in
# fingerprints/decoys.yaml and its unit test.
. "$(dirname "$0")/lib.sh"
need_root
for tool in inetsim python3 jq; do [ -n "$(command -v $tool)" ] || skip "$tool is missing"; done
FAKE=127.0.21.1 REAL=127.0.21.2
HTTP=$((BASE_PORT + 3)) SMTP=$((BASE_PORT + 4))

loopback_config <<-EOT
operator: {contact: abuse@example.org}
active:
  scope: [{prefix: 127.0.21.0/24, special: allow}]
  hold_out: 0
  network_looks: 0
  delay: 0s
prober:
  pause: 1ms
  idle: 1s
  port_map: {80: $HTTP, 25: $SMTP}
EOT
mkdir -p "$WORK/inetsim/log" "$WORK/inetsim/report" && chmod -R 777 "$WORK/inetsim"
cat >"$WORK/inetsim.conf" <<-EOT
start_service http
start_service smtp
service_bind_address $FAKE
http_bind_port $HTTP
smtp_bind_port $SMTP
EOT
inetsim --config="$WORK/inetsim.conf" --data-dir=/var/lib/inetsim --log-dir="$WORK/inetsim/log" \
	--report-dir="$WORK/inetsim/report" --pidfile="$WORK/inetsim/pid" >"$WORK/inetsim/said" 2>&1 &
SERVERS="$!"
(cd /usr/share/doc/base-files && exec python3 -m http.server --bind $REAL $HTTP) >/dev/null 2>&1 &
SERVERS="$SERVERS $!"
ready() { timeout 1 bash -c "exec 3<>/dev/tcp/$1/$2" 2>/dev/null; }
for _ in $(seq 100); do ready $FAKE $HTTP && ready $FAKE $SMTP && ready $REAL $HTTP && break; sleep 0.1; done
ready $FAKE $SMTP || skip "inetsim does not start here: $(tail -3 "$WORK/inetsim/said")"

start_kansoku
for host in $FAKE $REAL; do
	timeout 60 "$KANSOKU" probe $host --ports 25,80 --config "$CONFIG" --json >"$WORK/$host" || fail "no look: $(cat "$WORK/$host")"
done
identified() { jq -c 'select(.kind == "host.identified")' "$WORK/$1"; }
[ "$(identified $FAKE | jq -r '."device.class"')" = Decoy ] || fail "INetSim is not told: $(cat "$WORK/$FAKE")"
[ "$(identified $FAKE | jq -r '."honeypot.name"')" = inetsim ] || fail "it has no name: $(identified $FAKE)"
[ "$(identified $FAKE | jq '."honeypot.score"')" -ge 95 ] || fail "too unsure: $(identified $FAKE)"
identified $FAKE | jq -r '."honeypot.reasons"' | grep -q 'says its name' || fail "no reason: $(identified $FAKE)"
identified $REAL | grep -q '"honeypot.score"' && fail "a file server is told as a decoy: $(identified $REAL)"
stop_kansoku
echo "others' decoys: INetSim as installed is told with its name; a file server is not"
