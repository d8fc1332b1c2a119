#!/bin/bash
# kansoku scan beside zmap and masscan, in the same namespaces, over the same veth pair.
#   bench/scan.sh [ROUNDS] [PACKETS]     as root; 3 rounds, 2,000,000 packets into silence by default
# First a /16 in which every address answers (an XDP program on the other side): what share each tool
# finds, and how fast it sent, from its first packet to its last, all as fast as they can.  Then PACKETS into
# silence: packets for each second of CPU of the tool's own process, system time included.  The tools
# take turns, so that what else the machine does meets all of them; medians of the rounds are compared.
# They run at a high priority, lest a busy machine be measured instead.  The kernel's resets are suppressed
# for all of them, for zmap and masscan by a table made here.
cd "$(dirname "$0")/.." || exit 2
[ "$(id -u)" = 0 ] || { echo "needs root for network namespaces"; exit 77; }
for tool in zmap masscan clang nft python3 jq; do
	[ -n "$(command -v $tool)" ] || { echo "$tool is missing"; exit 77; }
done
ROUNDS=${1:-3} PACKETS=${2:-2000000}
make -s build/kansoku || exit 1
WORK=$(mktemp -d /tmp/kansoku-bench.XXXXXX)
IN=kansoku-bench-in-$$ OUT=kansoku-bench-out-$$
cleanup() {
	ip netns del $IN 2>/dev/null
	ip netns del $OUT 2>/dev/null
	rm -rf "$WORK"
}
trap cleanup EXIT
clang -O2 -target bpf "-I/usr/include/$(uname -m)-linux-gnu" -c bench/answer.bpf.c -o "$WORK/answer.o" || exit 1
ip netns add $IN && ip netns add $OUT || exit 77
ip link add name wire netns $IN type veth peer name wire netns $OUT || exit 77
for ns in $IN $OUT; do ip netns exec $ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip -n $ns link set wire up; ip -n $ns link set lo up; done
ip -n $IN addr add 198.51.100.9/24 dev wire
ip -n $OUT addr add 198.51.100.2/24 dev wire
ip -n $IN route add default via 198.51.100.2
ROUTER=$(ip -n $OUT -j link show wire | jq -r '.[0].address')
ip -n $IN neigh replace 198.51.100.2 lladdr "$ROUTER" nud permanent dev wire
ip netns exec $IN nft -f - <<'EOT'
table inet bench { chain in { type filter hook prerouting priority raw; tcp dport 61000-65535 drop; }; }
EOT
cat >"$WORK/kansoku.yaml" <<EOT
run: {state: $WORK/state}
operator: {contact: abuse@example.org}
active:
  scope: [{prefix: 11.0.0.0/8}]
  addresses: [198.51.100.9]
  rate: 0
  surveys:
    - {name: bench, prefixes: [11.0.0.0/8], until: 2130-01-01, purpose: a bench, approved_by: us, reference: here,
       ports: [80], rate: 100000000, packets: 100000000}
EOT
echo 11.7.0.0/16 >"$WORK/slash16"

# Runs one tool and prints: TOOL FOUND PROBES/S PACKETS CPU PACKETS/CPU, packets as the interface counts them.
cat >"$WORK/measure.py" <<'EOP'
import re, resource, subprocess, sys, time
def packets():
    return int(open("/sys/class/net/wire/statistics/tx_packets").read())
name, out, probes, *words = sys.argv[1:]
before = last = packets()
first_time = last_time = None
tool = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=open(out + ".err", "wb"))
while tool.poll() is None:
    n, now = packets(), time.monotonic()
    if n > last:
        first_time = first_time or now
        last_time, last = now, n
    if name == "masscan" and last_time and now - last_time > 2:
        tool.kill()  # it goes on waiting for ever; what it found it has said
    time.sleep(0.004)
use = resource.getrusage(resource.RUSAGE_CHILDREN)
sent = packets() - before
if name == "masscan":
    found = max(int(n) for n in re.findall(rb"found=(\d+)", open(out + ".err", "rb").read()))
else:
    found = sum(line.startswith(b"11.") for line in open(out, "rb"))
cpu = use.ru_utime + use.ru_stime
# masscan's own resets are packets, too, but no probes.
print(name, found, int(min(sent, int(probes)) / max(last_time - first_time, 0.004)), sent, "%.3f" % cpu, int(sent / cpu))
EOP
run() { # NAME TARGET-WORDS... of three kinds, see below
	local name=$1 kind=$2 out="$WORK/out.$1" probes=65536
	[ "$kind" = all ] || probes=$PACKETS
	rm -f "$out"
	case $name in
	kansoku) words=(build/kansoku scan --config "$WORK/kansoku.yaml" --survey bench --ports 80 --network-rate 0 --cooldown 1 --no-progress --output "$out" --output-fields saddr) ;;
	zmap) words=(zmap -q -i wire -G "$ROUTER" -S 198.51.100.9 -s 61000-65535 -p 80 -b /dev/null -c 1 -r 0 -o "$out" -f saddr) ;;
	masscan) words=(masscan -e wire --adapter-ip 198.51.100.9 --adapter-port 61440-65535 --router-mac "${ROUTER//:/-}" -p 80 --rate 10000000 --wait 1 -oL "$out") ;;
	esac
	case $name-$kind in
	kansoku-all) words+=(--targets "$WORK/slash16") ;;
	kansoku-none) words+=(--packets "$PACKETS") ;;
	*-all) words+=(11.7.0.0/16) ;;
	zmap-none) words+=(-n "$PACKETS" 11.0.0.0/8) ;;
	masscan-none) words+=("11.0.0.0-$(python3 -c "import ipaddress;print(ipaddress.ip_address(int(ipaddress.ip_address('11.0.0.0'))+$PACKETS-1))")") ;;
	esac
	ip netns exec $IN timeout 60 nice -n -15 python3 "$WORK/measure.py" "$name" "$out" "$probes" "${words[@]}" || { tail -c 400 "$out.err" >&2; exit 1; }
}
for kind in all none; do
	section=xdp; [ $kind = none ] && section=silence
	ip -n $OUT link set dev wire xdpgeneric off
	ip -n $OUT link set dev wire xdpgeneric obj "$WORK/answer.o" sec $section || exit 1
	for _ in $(seq "$ROUNDS"); do
		for name in kansoku zmap masscan; do run $name $kind; done
	done >"$WORK/$kind"
	cat "$WORK/$kind"
done
python3 - "$WORK" "$ROUNDS" <<'EOP'
import statistics, sys
work = sys.argv[1]
def rows(kind):
    by = {}
    for line in open(work + "/" + kind):
        name, *rest = line.split()
        by.setdefault(name, []).append([float(x) for x in rest])
    return by
print("\nall-answering /16:      found %      probes/s   probes per CPU-second")
answering = rows("all")
for name, r in answering.items():
    print(f"  {name:10} {100 * min(x[0] for x in r) / 65536:8.2f} (least) {statistics.median(x[1] for x in r):12,.0f} {statistics.median(65536 / x[3] for x in r):12,.0f}")
print("silence:                packets/s   packets per CPU-second")
silent = {name: statistics.median(x[4] for x in r) for name, r in rows("none").items()}
for name, r in rows("none").items():
    print(f"  {name:10} {statistics.median(x[1] for x in r):22,.0f} {silent[name]:12,.0f}")
for name in ("zmap", "masscan"):
    print(f"kansoku / {name}: {silent['kansoku'] / silent[name]:.2f} times the packets per CPU-second into silence")
EOP
