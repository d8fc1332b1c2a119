#!/bin/bash
# The live telescope at what a veth pair carries, and what a record costs on its way to the journal.
#   bench/telescope_live.sh [PACKETS]     as root; 2,000,000 SYNs a run by default
# Each line: what was sent and how fast, frames that the workers took, frames that the kernel
# dropped, CPU time of the workers, packets and records for each second of it.
cd "$(dirname "$0")/.." || exit 2
[ "$(id -u)" = 0 ] || { echo "needs root for network namespaces"; exit 77; }
PACKETS=${1:-2000000}
FLOOD=build/plain/program/bench/flood
make -s $FLOOD build/kansoku || exit 1
WORK=$(mktemp -d /tmp/kansoku-bench.XXXXXX)
chmod 755 "$WORK"
IN=kansoku-bench-in-$$ OUT=kansoku-bench-out-$$
PARENT=
cleanup() {
	[ -n "$PARENT" ] && kill -TERM "$PARENT" 2>/dev/null && wait "$PARENT"
	ip netns del $IN 2>/dev/null
	ip netns del $OUT 2>/dev/null
	rm -rf "$WORK"
}
trap cleanup EXIT
ip netns add $IN && ip netns add $OUT || exit 77
ip link add name wire netns $IN type veth peer name wire netns $OUT || exit 77
for ns in $IN $OUT; do ip netns exec $ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip -n $ns link set wire up; done
ROUTER=$(ip -n $IN -j link show wire | jq -r '.[0].address')
HZ=$(getconf CLK_TCK)

try() { # WORKERS SOURCES
	local pids cpu=0 line frames=0 dropped=0 records=0 sent stat began stopped
	cat >"$WORK/kansoku.yaml" <<-EOT
	run: {state: $WORK/state}
	telescope:
	  {interface: wire, workers: $1, prefixes: [{prefix: 198.18.0.0/24}]}
	EOT
	ip netns exec $IN build/kansoku run --config "$WORK/kansoku.yaml" --only telescope,control,journal >"$WORK/log" 2>&1 &
	PARENT=$!
	for _ in $(seq 100); do [ -e "$WORK/state/run/ready" ] && break; sleep 0.1; done
	pids=$(pgrep -P $PARENT -f 'process telescope$')
	[ -n "$pids" ] || { cat "$WORK/log"; exit 1; }
	sent=$(ip netns exec $OUT $FLOOD wire "$ROUTER" "$PACKETS" "$2") || exit 1
	sleep 1
	for p in $pids; do
		read -r -a stat </proc/"$p"/stat
		cpu=$((cpu + stat[13] + stat[14]))
	done
	began=$(date +%s%N)
	kill -TERM $PARENT && wait $PARENT
	stopped=$(($(date +%s%N) - began))
	PARENT=
	while read -r line; do
		[[ "$line" =~ telescope:\ ([0-9]+)\ frames.*\ ([0-9]+)\ dropped\;\ ([0-9]+)\ records ]] || continue
		frames=$((frames + BASH_REMATCH[1])) dropped=$((dropped + BASH_REMATCH[2])) records=$((records + BASH_REMATCH[3]))
	done <"$WORK/log"
	set -- "$1" "$2" $sent
	awk -v w="$1" -v s="$2" -v n="$3" -v pps="$5" -v f="$frames" -v d="$dropped" -v c="$cpu" -v hz="$HZ" -v r="$records" -v t="$stopped" 'BEGIN {
		printf "%d worker(s), %d sources: %d packets at %.2f M/s; taken %d, dropped %d (%.3f %%), missing %d; CPU %.2f s, %.1f M packets a CPU second; ended in %.1f s with %d records (%.0f a second)\n",
			w, s, n, pps / 1e6, f, d, 100 * d / n, n - f - d, c / hz, c ? f / (c / hz) / 1e6 : 0, t / 1e9, r, r / (t / 1e9) }'
	rm -rf "$WORK/state"
}
try 1 10000
try 2 10000
try 1 500000
