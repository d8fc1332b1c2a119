#!/bin/bash
# A host that changes its address keeps its certificate and is one machine; two that answer at one port
# are two, and disputed; a certificate that many addresses show at once is nobody's.
. "$(dirname "$0")/lib.sh"
for tool in openssl python3 jq; do [ -n "$(command -v $tool)" ] || skip "$tool is missing"; done

loopback_config <<-EOT
operator: {contact: abuse@example.org}
active:
  scope: [{prefix: 127.0.0.0/8, special: allow}]
  hold_out: 0
  network_looks: 0
  round: 1ms
  delay: 0s
prober:
  pause: 1ms
  idle: 300ms
  probes: {443: tls, 444: tls}
  port_map: {443: $((BASE_PORT + 3)), 444: $((BASE_PORT + 4))}
EOT

certificate() { # NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$1" \
		-keyout "$WORK/$1.key" -out "$WORK/$1.pem" 2>/dev/null
}
serve() { # NAME ADDRESS PORT: until `leave`
	openssl s_server -quiet -cert "$WORK/$1.pem" -key "$WORK/$1.key" -accept "$2:$3" </dev/null >/dev/null 2>&1 &
	SERVERS="${SERVERS:-} $!"
	for _ in $(seq 50); do timeout 1 bash -c "exec 3<>/dev/tcp/$2/$3" 2>/dev/null && return; sleep 0.1; done
	fail "no server of TLS at $2:$3"
}
leave() { for pid in $SERVERS; do kill $pid 2>/dev/null; done; wait $SERVERS 2>/dev/null; SERVERS=; }
look() { timeout 60 "$KANSOKU" probe "$1" --ports "$2" --config "$CONFIG" --json >"$WORK/look" 2>&1 ||
	fail "no look at $1: $(cat "$WORK/look")"; }

for name in mover one two default; do certificate $name; done
start_kansoku

serve mover 127.0.10.1 $((BASE_PORT + 3)); look 127.0.10.1 443; leave
serve mover 127.0.10.2 $((BASE_PORT + 3)); look 127.0.10.2 443; leave
serve one 127.0.10.3 $((BASE_PORT + 3)); look 127.0.10.3 443; leave
serve two 127.0.10.3 $((BASE_PORT + 3)); look 127.0.10.3 443; leave
for host in 1 2 3 4 5; do
	serve default 127.0.11.$host $((BASE_PORT + 3)); look 127.0.11.$host 443
done
leave

digest() { openssl x509 -in "$WORK/$1.pem" -outform der | sha256sum | cut -d' ' -f1; }
for _ in $(seq 60); do
	seen=$(query "SELECT count() FROM events WHERE kind = 'host.answered' AND has(field, 'tls.sha256')" 2>/dev/null)
	[ "$seen" = 9 ] && break
	sleep 0.25
done
[ "$seen" = 9 ] || fail "$seen of 9 certificates are stored"

"$KANSOKU" machines --config "$CONFIG" --json >"$WORK/machines" || fail "kansoku machines failed"
row() { jq -c "select(.key == \"$(digest "$1")\")" "$2"; }
[ "$(row mover "$WORK/machines" | jq '.addresses')" = 2 ] || fail "the mover is not one machine: $(cat "$WORK/machines")"
[ "$(row mover "$WORK/machines" | jq -r '.address')" = 127.0.10.2 ] || fail "the mover was not last at its second address"
[ "$(row one "$WORK/machines" | jq '.addresses')" = 1 ] || fail "a machine of one address is not told"
for name in one two; do
	[ "$(row $name "$WORK/machines" | jq '.disputed')" = true ] || fail "two behind one port are no dispute"
done
[ "$(row mover "$WORK/machines" | jq '.disputed')" = false ] || fail "the mover is disputed"
[ -z "$(row default "$WORK/machines")" ] || fail "a certificate of five addresses at once counts as a machine"
"$KANSOKU" machines --shared-keys --config "$CONFIG" --json >"$WORK/shared" || fail "--shared-keys failed"
[ "$(row default "$WORK/shared" | jq '.at_once')" = 5 ] || fail "the shared certificate is not told: $(cat "$WORK/shared")"
"$KANSOKU" machines --churn --config "$CONFIG" >"$WORK/churn" || fail "--churn failed"
grep -q '^all: .* spells' "$WORK/churn" || fail "no churn: $(cat "$WORK/churn")"
stop_kansoku
echo "a machine that moved is one, a shared certificate is none"
