#!/bin/bash
# Peers that are slow, silent, half gone, endless or too many, at every service at once: memory and
# time stay bounded, every session ends, what is refused is told, and others are served meanwhile.
. "$(dirname "$0")/lib.sh"
for tool in python3 jq curl; do
	command -v $tool >/dev/null || skip "$tool is missing"
done
DECOY=127.22.7.1
# Of a worker: what it begins with, sessions, recordings and files at their limits, and events on
# their way, of which there are 64 MiB before it reads nothing more, in a buffer that
# doubles and is copied then.
RSS_MAX_KIB=$(((64 + 32 + 16 + 16 + 4 * 64) << 10))
FIRST_PORT=$BASE_PORT
"$KANSOKU" describe services --json >"$WORK/services" || fail "services are not described"
mapfile -t names < <(jq -r '.services[].name' "$WORK/services" | grep -vx any)
[ ${#names[@]} -gt 40 ] || fail "only ${#names[@]} services are known"
ports= port=$FIRST_PORT web=()
for name in "${names[@]}"; do
	ports+="$name: {ports: [$port]}, "
	[[ " docker elasticsearch http kubernetes winrm " = *" $name "* ]] && web+=($port)
	port=$((port + 1))
done
mkdir "$WORK/personas"
cat >"$WORK/personas/all.yaml" <<-EOT
	name: all
	hostname: station
	arch: x86
	machine: x86_64
	kernel: 5.10.0-28-amd64
	services: {${ports%, }}
EOT
cat >"$CONFIG" <<-EOT
	run: {state: $STATE}
	store: {linger: 100ms}
	passive:
	  decoys: [{prefix: $DECOY}]
	  personas_dir: $WORK/personas
	  services: {${ports%, }}
	  workers: 1
	  limits: {memory: 32M, idle: 2s, session: 6s, stalled: 2s, source_sessions: 60, source_bytes: 256K, sessions: 900,
	    udp_sessions: 300, network_sessions: 0, network_rate: 0, network_bytes: 0, source_rate: 0}
	  recording: {bytes: 16M}
	  files: {waiting_bytes: 16M}
EOT
start_kansoku --only journal,store,passive
timeout 90 python3 tests/e2e/bad_peers.py $DECOY "$FIRST_PORT" ${#names[@]} "$(role_pid passive)" $RSS_MAX_KIB "${web[@]}" || fail "a peer got more than it may"
count() { query "SELECT count() FROM events WHERE $1" | tail -1; }
for _ in $(seq 50); do
	opened=$(count "kind = 'session.opened'") closed=$(count "kind = 'session.closed'")
	[ "$opened" = "$closed" ] && [ "$opened" -gt 500 ] && break
	sleep 0.3
done
[ "$opened" = "$closed" ] || fail "$opened sessions began, $closed ended"
for reason in idle limit; do
	[ "$(count "kind = 'session.closed' AND value[indexOf(field, 'close.reason')] = '$reason'")" -gt 10 ] || fail "no session ended for $reason"
done
for reason in source-sessions sessions; do
	for _ in $(seq 30); do
		told=$(count "kind = 'sensor.changed' AND state = 'refusing' AND value[indexOf(field, 'detail')] LIKE '%$reason %'")
		[ "$told" -gt 0 ] && break
		sleep 0.3
	done
	[ "$told" -gt 0 ] || fail "nobody is told of what was refused for $reason"
done
echo "bad peers: $opened sessions of ${#names[@]} services, all ended"
