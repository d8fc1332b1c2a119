#!/bin/bash
# What it costs to read a capture of dark traffic: beside our own ceiling and other programs.
#   bench/telescope.sh [--packets N] [--sources N] [--seconds N] [--slice N] [--keep FILE]
# One capture, made by rule (bench/telescope/generate.c), in the page cache; one program after the
# other; millions of packets per core-second of user and system time.  The size of which figures
# are published is --packets 20000000 --sources 1000000.  Ten minutes of traffic are within the
# time-out, so that every account is still there at the end and memory is that of all of them.
# tshark gets a slice, as it is slow.
cd "$(dirname "$0")/.." || exit 2
PACKETS=1000000 SOURCES= SECONDS_OF_TRAFFIC=600 SLICE=200000 FILE=
while [ $# -gt 1 ]; do
	case $1 in
	--packets) PACKETS=$2 ;;
	--sources) SOURCES=$2 ;;
	--seconds) SECONDS_OF_TRAFFIC=$2 ;;
	--slice) SLICE=$2 ;;
	--keep) FILE=$2 ;;
	*) break ;;
	esac
	shift 2
done
[ $# = 0 ] || { sed -n '3s/^# *//p' "$0"; exit 2; }
SOURCES=${SOURCES:-$((PACKETS / 20))}
WORK=$(mktemp -d /tmp/kansoku-bench.XXXXXX)
trap 'rm -rf "$WORK"' EXIT
FILE=${FILE:-$WORK/dark.pcap}
TOOLS=build/plain/program/bench/telescope
make -s build/kansoku $TOOLS/generate $TOOLS/walk || exit 1
[ -s "$FILE" ] || $TOOLS/generate "$PACKETS" "$SOURCES" "$SECONDS_OF_TRAFFIC" >"$FILE" || exit 1
cat "$FILE" >/dev/null
echo "$PACKETS packets of $SOURCES sources in $SECONDS_OF_TRAFFIC s, $(($(stat -c %s "$FILE") / 1000000)) MB"

# name, packets, command...: a row; the program's standard output is in $WORK/out.
OURS=
row() {
	local name=$1 packets=$2
	shift 2
	if [ -z "$(command -v "$1")" ]; then
		printf '%-34s is not installed\n' "$name"
		return
	fi
	python3 - "$WORK" "$packets" "$@" <<-'EOT'
	import resource, subprocess, sys
	work, packets, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
	with open(work + "/out", "wb") as out, open(work + "/errors", "wb") as errors:
	    try:
	        status = subprocess.run(command, stdout=out, stderr=errors, stdin=subprocess.DEVNULL, timeout=600).returncode
	    except subprocess.TimeoutExpired:
	        status = "time-out"
	u = resource.getrusage(resource.RUSAGE_CHILDREN)
	with open(work + "/row", "w") as row:
	    row.write("%s %.6f %d" % (status, packets / 1e6 / max(u.ru_utime + u.ru_stime, 1e-3), u.ru_maxrss))
	EOT
	read -r status rate rss <"$WORK/row"
	if [ "$status" != 0 ]; then
		printf '%-34s failed (%s): %s\n' "$name" "$status" "$(tail -1 "$WORK/errors" | cut -c1-80)"
		return 1
	fi
	[ -n "$OURS" ] || [[ $name != kansoku* ]] || OURS=$rate
	awk -v name="$name" -v rate="$rate" -v rss="$rss" -v ours="$OURS" 'BEGIN {
		printf "%-34s %8.2f Mpps per core  %8.1f MB", name, rate, rss / 1024
		print ours ? sprintf("  ours is %6.2f times that", ours / rate) : ""}'
}

if row "kansoku telescope read" "$PACKETS" build/kansoku telescope read "$FILE" --json --summary-only; then
	tail -1 "$WORK/out" | jq -r '"    \(.packets) packets, \(.sources) sources, \(.accounts) accounts, " +
		"\(.memory) bytes of tables: \((.memory / .accounts * 10 | round) / 10) bytes per account"'
else
	failed=1
fi
# Both in one program, which times each by itself.
$TOOLS/walk "$FILE" >"$WORK/walk" || exit 1
jq -r '"our ceiling: \(.bench)                \(.mpps) Mpps per core"' "$WORK/walk"
row "tcpdump -w /dev/null" "$PACKETS" tcpdump -r "$FILE" -w /dev/null
row "capinfos" "$PACKETS" capinfos "$FILE"
mkdir "$WORK/nfpcapd"
row "nfpcapd" "$PACKETS" nfpcapd -r "$FILE" -w "$WORK/nfpcapd"
# In the foreground, to a port where nobody listens, without its control socket, on which it waits.
row "softflowd (8,192 flows, evicting)" "$PACKETS" softflowd -d -n 127.0.0.1:9 -r "$FILE" -p "$WORK/pid" -c none
[ "$SLICE" -lt "$PACKETS" ] || SLICE=$PACKETS
if [ -n "$(command -v editcap)" ]; then
	editcap -r "$FILE" "$WORK/slice.pcap" 1-$SLICE
	row "tshark -z conv,ip ($SLICE packets)" $SLICE tshark -n -r "$WORK/slice.pcap" -q -z conv,ip
fi
exit ${failed:+1}
