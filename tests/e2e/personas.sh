#!/bin/bash
# Every shipped device on an address of its own: it has the ports of its file and no others, and
# nmap takes none of them for a honeypot.
#   tests/e2e/personas.sh      needs root
. "$(dirname "$0")/lib.sh"
need_root
for client in ip nmap python3; do command -v $client >/dev/null || skip "$client is missing"; done
inside=kansoku-in-$$ outside=kansoku-out-$$
tidy_up() { ip netns del $inside 2>/dev/null; ip netns del $outside 2>/dev/null; cleanup; }
trap tidy_up EXIT
ip netns add $inside && ip netns add $outside || skip "network namespaces cannot be made here"
ip link add name decoys netns $inside type veth peer name world netns $outside || skip "veth cannot be made here"
for ns in $inside $outside; do ip -n $ns link set lo up; done
ip -n $inside addr add 198.51.100.1/24 dev decoys
ip -n $inside link set decoys up
ip -n $outside addr add 198.51.100.2/24 dev world
ip -n $outside link set world up
ip -n $outside route add 192.0.2.0/24 via 198.51.100.1

# Addresses, names and TCP ports of all devices that name their services; then the configuration.
python3 - "$WORK" <<-'EOT' || fail "the personas cannot be read"
	import glob, re, subprocess, sys
	work, union, lines = sys.argv[1], {}, []
	udp_only = {re.search(r'(\w+)\.c$', path)[1] for path in glob.glob("passive/services/*.c")
	            if re.search(r'\.transports\s*=\s*TRANSPORT_UDP\s*,', open(path).read())}
	for n, path in enumerate(sorted(glob.glob("etc/personas/*.yaml")), 1):
	    text = open(path).read()
	    block = re.search(r'^services:\n((?:  .*\n)+)', text, re.M)
	    if not block:
	        continue
	    tcp = set()
	    for name, rest in re.findall(r'^  (\w+):(.*(?:\n    .*)*)', block[1], re.M):
	        for key, ports in re.findall(r'\b(ports|secure_ports): \[([\d, ]*)\]', rest):
	            numbers = [int(p) for p in re.findall(r'\d+', ports)]
	            union.setdefault(name, {}).setdefault(key, set()).update(numbers)
	            if name not in udp_only:
	                tcp.update(numbers)
	    lines.append((n, re.search(r'^name: (\w+)', text, re.M)[1], tcp))
	with open(work + "/kansoku.yaml", "w") as f:
	    f.write(f"run: {{state: {work}/state}}\npassive:\n  workers: 1\n  decoys:\n")
	    for n, name, _ in lines:
	        f.write(f"    - {{prefix: 192.0.2.{n}/32, personas: [{name}]}}\n")
	    f.write("  services:\n")
	    for name, keys in sorted(union.items()):
	        f.write(f"    {name}: {{ports: {sorted(keys.get('ports', []))}")
	        if "secure_ports" in keys:
	            f.write(f", secure_ports: {sorted(keys['secure_ports'])}")
	        f.write("}\n")
	everything = sorted(set().union(*(tcp for _, _, tcp in lines)))
	open(work + "/ports", "w").write(",".join(map(str, everything)))
	with open(work + "/devices", "w") as f:
	    for n, name, tcp in lines:
	        f.write(f"192.0.2.{n} {name} {','.join(map(str, sorted(tcp)))}\n")
EOT
ip netns exec $inside "$KANSOKU" run --config "$CONFIG" --only passive,journal,control >>"$LOG" 2>&1 &
KANSOKU_PID=$!
for _ in $(seq 300); do
	[ -e "$STATE/run/ready" ] && break
	kill -0 $KANSOKU_PID 2>/dev/null || fail "kansoku ended at its start"
	sleep 0.1
done
[ -e "$STATE/run/ready" ] || fail "kansoku was not ready within 30 s"

# A port of another device is reset once the handshake is whole.
ip netns exec $outside timeout 100 python3 - "$WORK/devices" "$WORK/ports" >"$WORK/differ" <<-'EOT'
	import concurrent.futures, socket, sys
	def is_open(address, port):
	    try:
	        with socket.create_connection((address, port), 5) as s:
	            s.settimeout(0.5)
	            try:
	                s.recv(1)
	            except TimeoutError:
	                pass
	            return True
	    except OSError:
	        return False
	ports = [int(p) for p in open(sys.argv[2]).read().split(",")]
	with concurrent.futures.ThreadPoolExecutor(8) as pool:
	    for address, name, wanted in (line.rstrip("\n").split(" ") for line in open(sys.argv[1])):
	        states = pool.map(lambda port: is_open(address, port), ports)
	        found = ",".join(str(port) for port, open_ in zip(ports, states) if open_)
	        if found != wanted:
	            print(f"{name} at {address} has the ports {found}, its file says {wanted}")
EOT
[ -s "$WORK/differ" ] && fail "$(cat "$WORK/differ")"
# To a scanner that only asks, too, they are closed: nothing was accepted to be reset.
grep -q 'are reset at the others, not closed' "$LOG" && skip "the kernel takes no program for sockets here"
while read -r address name wanted; do
	found=$(ip netns exec $outside timeout 60 nmap -n -Pn -sS -p "$(<"$WORK/ports")" -oG - "$address" |
		grep -o '[0-9]*/open' | cut -d/ -f1 | sort -n | paste -sd,)
	[ "$found" = "$wanted" ] || fail "a SYN scan finds $found open at $name, its file says $wanted"
done <"$WORK/devices"
echo "$(wc -l <"$WORK/devices") devices, $(tr ',' '\n' <"$WORK/ports" | wc -l) ports each"
