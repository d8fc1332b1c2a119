#!/bin/bash
# What a telnet decoy costs: sessions per core-second, memory of idle sessions, a burst.
#   bench/telnet.sh [--hold]      --hold: also 100,000 sessions over six workers
# Every figure is of a kansoku of its own on loopback, with the journal that takes its events.
# Peers run beside where they are installed: BusyBox telnetd with a shell of its own.
cd "$(dirname "$0")/.." || exit 2
LOAD=build/plain/program/bench/telnet
make -s $LOAD build/kansoku || exit 1
WORK=$(mktemp -d /tmp/kansoku-bench.XXXXXX)
chmod 755 "$WORK"
PORT=${PORT:-$((20000 + $$ % 10000))}
PARENT=
PEER=
cleanup() { stop; [ -n "$PEER" ] && kill "$PEER" 2>/dev/null; rm -rf "$WORK"; }
trap cleanup EXIT

start() { # WORKERS
	cat >"$WORK/kansoku.yaml" <<-EOT
	run: {state: $WORK/state}
	passive:
	  workers: $1
	  decoys: [{prefix: 127.0.0.0/8, personas: [camera]}]
	  services: {telnet: {ports: [$PORT]}}
	  limits: {source_sessions: 0, source_rate: 0, source_bytes: 0, sessions: 20000,
	           network_sessions: 0, network_rate: 0, network_bytes: 0, idle: 1h}
	EOT
	build/kansoku run --config "$WORK/kansoku.yaml" --only passive,journal >"$WORK/log" 2>&1 &
	PARENT=$!
	for _ in $(seq 100); do
		[ -e "$WORK/state/run/ready" ] && break
		sleep 0.1
	done
	PIDS=$(pgrep -P $PARENT -f 'process passive$' | paste -sd,)
	[ -n "$PIDS" ] || { cat "$WORK/log"; exit 1; }
}

stop() {
	[ -n "$PARENT" ] || return
	kill -TERM "$PARENT" && wait "$PARENT"
	PARENT=
	rm -rf "$WORK/state"
}

bench() { $LOAD "$1" "$PORT" "$PIDS" "${@:2}" || failed=1; }

failed=
echo "login, three commands, exit (target: 5,000; measured elsewhere: Cowrie 97 per core-second)"
start 1; bench sessions 5 128; stop
echo "idle after login (target: 4,096 bytes; Cowrie: 78 KiB)"
start 1; bench idle 15000; stop
echo "idle after writing a file (target: 16,384 bytes; Cowrie: 6.4 MB)"
start 1; bench idle 5000 'cd /tmp; /bin/busybox cp /bin/echo .x; >.x; echo -ne "\x7f\x45\x4c\x46" > .y; cat .y'; stop
echo "burst of 4,096 connects (Cowrie lost 59 of 200)"
start 1; bench burst 4096; stop

if [ "$1" = --hold ]; then
	echo "100,000 sessions over six workers"
	start 6
	holders=()
	export HOLD_S=20
	for i in 1 2 3 4 5 6; do
		$LOAD idle "$PORT" "$PIDS" 16667 >"$WORK/hold$i" &
		holders+=($!)
	done
	for h in "${holders[@]}"; do wait "$h" || failed=1; done
	cat "$WORK"/hold? | sed -n 's/.*"held":\([0-9]*\).*/\1/p' |
		awk '{n += $1} END {print n " of 100002 sessions were held at once"; exit n != 100002}' || failed=1
	stop
fi

if busybox --list 2>/dev/null | grep -qx telnetd && [ "$(id -u)" = 0 ]; then
	echo "peer: BusyBox telnetd, which forks a shell for each session (no login, same commands)"
	cat >"$WORK/shell" <<-'EOT'
	#!/bin/busybox sh
	printf 'x login: '; read -r a; printf 'Password: '; read -r a
	while printf '# ' && read -r a; do case $a in exit*) exit;; cat*) cat /proc/version;; *) echo "$a";; esac; done
	EOT
	chmod 755 "$WORK/shell"
	busybox telnetd -F -p $((PORT + 1)) -l "$WORK/shell" &
	PEER=$!
	sleep 0.5
	# Its sessions are processes of their own: the time of those that ended is the parent's.
	timeout 20 $LOAD sessions $((PORT + 1)) "$PEER" 3 16 | head -1 |
		sed 's/.*/peer: & (only the parent; its shells come on top)/'
fi
exit ${failed:+1}
