#!/bin/bash
# What the dialogues of each service cost a decoy: how many a core-second, bytes a session.
#   bench/dialogues.sh [SERVICE...]
# Every service runs in a kansoku of its own on loopback, as some shipped device that has it, with
# the journal that takes its events.  VERBOSE=1 shows each of its exchanges.  Real servers that are
# installed meet the same dialogues beside it.
cd "$(dirname "$0")/.." || exit 2
LOAD=build/plain/program/bench/dialogues
make -s $LOAD build/kansoku || exit 1
WORK=$(mktemp -d /tmp/kansoku-bench.XXXXXX)
chmod 755 "$WORK"
PORT=${PORT:-$((20000 + $$ % 10000))}
PARENT=
stop() {
	[ -n "$PARENT" ] || return
	kill -TERM "$PARENT" && wait "$PARENT"
	PARENT=
	rm -rf "$WORK/state"
}
trap 'stop; rm -rf "$WORK"' EXIT

# A shipped device has it; else one that is nothing more than that service.
personas_of() { # SERVICE
	if grep -qE "^  $1:" etc/personas/*.yaml; then
		echo etc/personas
		return
	fi
	mkdir -p "$WORK/personas"
	printf 'name: bare\nhostname: bare\narch: x86\nmachine: x86_64\nkernel: 5.10.0-28-amd64\nservices: {%s: {ports: [1]}}\n' "$1" \
		>"$WORK/personas/bare.yaml"
	echo "$WORK/personas"
}

start() { # SERVICE IDLE
	cat >"$WORK/kansoku.yaml" <<-EOT
	run: {state: $WORK/state}
	passive:
	  workers: 1
	  personas_dir: $(personas_of "$1")
	  decoys: [{prefix: 127.0.0.0/8}]
	  services: {$1: {ports: [$PORT]}}
	  reflection: {sources: 400000}
	  limits: {source_sessions: 0, source_rate: 0, source_bytes: 0, sessions: 20000, network_sessions: 0,
	           network_rate: 0, network_bytes: 0, handshakes: 0, udp_sessions: 20000, idle: $2}
	EOT
	build/kansoku run --config "$WORK/kansoku.yaml" --only passive,journal >"$WORK/log" 2>&1 &
	PARENT=$!
	for _ in $(seq 100); do
		[ -e "$WORK/state/run/ready" ] && break
		sleep 0.1
	done
	PID=$(pgrep -P $PARENT -f 'process passive$')
	[ -n "$PID" ] || { cat "$WORK/log"; exit 1; }
}

# A real server of that service at $((PORT + 1)): its command line into peer=, or nothing.
peer_of() { # SERVICE
	local port=$((PORT + 1))
	peer=()
	case $1 in
	redis) peer=(redis-server --port $port --bind 127.0.0.1 --save '' --protected-mode no --logfile /dev/null) ;;
	memcached) peer=(memcached -u nobody -t 1 -p $port -l 127.0.0.1 -U 0) ;;
	mqtt)
		printf 'listener %s 127.0.0.1\nallow_anonymous true\n' $port >"$WORK/mosquitto"
		peer=(mosquitto -c "$WORK/mosquitto")
		;;
	http)
		cat >"$WORK/nginx" <<-EOT
		daemon off; master_process off; pid $WORK/nginx.pid; error_log /dev/null;
		events {worker_connections 4096;}
		http {access_log $WORK/access; server {listen 127.0.0.1:$port; root /usr/share/nginx/html;}}
		EOT
		peer=(nginx -c "$WORK/nginx")
		;;
	esac
	[ ${#peer[@]} = 0 ] || command -v "${peer[0]}" >/dev/null || peer=()
}

meet_peer() { # SERVICE: beside $ours dialogues a core-second of kansoku
	peer_of "$1"
	[ ${#peer[@]} = 0 ] && return
	"${peer[@]}" >/dev/null 2>&1 &
	local pid=$!
	sleep 1
	timeout 120 $LOAD rate "$1" tcp $((PORT + 1)) $pid >"$WORK/peer"
	kill $pid && wait $pid 2>/dev/null
	sed -n 's/.*"per_core_s":\([0-9]*\).*/\1/p' "$WORK/peer" |
		awk -v ours="$ours" -v name="${peer[0]}" '{printf "%14s %s: %d, kansoku %.2f of it\n", "beside", name, $1, ours / $1}'
}

failed=
while read -r service transports; do
	[ $# = 0 ] || [[ " $* " = *" $service "* ]] || continue
	if [[ $transports = *tcp* ]]; then
		start "$service" 1h
		$LOAD rate "$service" tcp "$PORT" "$PID" >"$WORK/ours" || failed=1
		stop
		grep -v '^{' "$WORK/ours"
		ours=$(sed -n 's/.*"per_core_s":\([0-9]*\).*/\1/p' "$WORK/ours")
		meet_peer "$service"
		start "$service" 1h
		$LOAD memory "$service" "$PORT" "$PID" 2000 || failed=1
		stop
	fi
	if [[ $transports = *udp* ]]; then
		start "$service" 300ms
		$LOAD rate "$service" udp "$PORT" "$PID" || failed=1
		stop
	fi
done < <($LOAD list | sort) | grep --line-buffered -v '^{'
exit ${failed:+1}
