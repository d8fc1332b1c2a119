#!/bin/bash
# A thousand mixed hosts, identified by kansoku and, a part of them, by nmap -sV at the same ports.
#   bench/hosts.sh [HOSTS] [NMAP_HOSTS]      needs root: a network of its own
# The hosts are kansoku's decoys of all kinds on addresses of 127.30.0.0/22; their CPU time is
# spent on the same cores in both cases.
cd "$(dirname "$0")/.." || exit 2
HOSTS=${1:-1000} SAMPLE=${2:-64}
PORTS="21 22 23 80 102 443 445 502 554 3389 5060 8080"
if [ -z "$KANSOKU_BENCH_INSIDE" ]; then
	make -s build/plain/program/bench/hosts build/kansoku || exit 1
	KANSOKU_BENCH_INSIDE=1 exec unshare -n tools/with_loopback "$0" "$@"
fi
WORK=$(mktemp -d /tmp/kansoku-bench.XXXXXX)
chmod 755 "$WORK"
trap 'kill -TERM $PARENT 2>/dev/null; wait $PARENT; rm -rf "$WORK"' EXIT
python3 - "$WORK" $PORTS <<-'EOT'
	import glob, re, sys
	work, wanted, services, names = sys.argv[1], set(map(int, sys.argv[2:])), {}, []
	for path in sorted(glob.glob("etc/personas/*.yaml")):
	    text = open(path).read()
	    names.append(re.search(r'^name: (\w+)', text, re.M)[1])
	    block = re.search(r'^services:\n((?:  .*\n)+)', text, re.M)
	    for name, rest in re.findall(r'^  (\w+):(.*(?:\n    .*)*)', block[1] if block else "", re.M):
	        for key, ports in re.findall(r'\b(ports|secure_ports): \[([\d, ]*)\]', rest):
	            mine = {int(p) for p in re.findall(r'\d+', ports)} & wanted
	            if mine:
	                services.setdefault(name, {}).setdefault(key, set()).update(mine)
	with open(work + "/kansoku.yaml", "w") as f:
	    f.write(f"run: {{state: {work}/state}}\npassive:\n  workers: 1\n")
	    f.write(f"  decoys: [{{prefix: 127.30.0.0/22, personas: [{', '.join(names)}]}}]\n  services:\n")
	    for name, keys in sorted(services.items()):
	        lists = ", ".join(f"{k}: {sorted(v)}" for k, v in sorted(keys.items()))
	        f.write(f"    {name}: {{{lists}}}\n")
	    f.write("  limits: {source_sessions: 0, source_rate: 0, source_bytes: 0, network_sessions: 0,\n"
	            "           network_rate: 0, network_bytes: 0}\n")
EOT
build/kansoku run --config "$WORK/kansoku.yaml" --only passive,journal >"$WORK/log" 2>&1 &
PARENT=$!
for _ in $(seq 300); do [ -e "$WORK/state/run/ready" ] && break; sleep 0.1; done
[ -e "$WORK/state/run/ready" ] || { cat "$WORK/log"; exit 1; }
build/plain/program/bench/hosts 127.30.0.1 "$HOSTS" $PORTS >"$WORK/ours" || exit 1
tail -1 "$WORK/ours"
cut -f2 "$WORK/ours" | sed '$d' | sort | uniq -c | sort -rn | head -20
ours=$(tail -1 "$WORK/ours" | sed 's/.*"hosts_per_s":\([0-9.]*\).*/\1/')
list=$(seq "$SAMPLE" | awk '{printf "127.30.%d.%d ", $1 / 256, $1 % 256}')
began=$(date +%s.%N)
timeout 1500 nmap -n -Pn -sV -T4 -p "$(echo $PORTS | tr ' ' ,)" $list -oG "$WORK/nmap" >/dev/null
echo "$began $(date +%s.%N) $SAMPLE $ours" | awk '{s = $2 - $1; printf "nmap -sV: %d hosts in %.1f s, %.2f hosts/s; kansoku %.1f hosts/s: %.0f times\n", $3, s, $3 / s, $4, $4 * s / $3}'
