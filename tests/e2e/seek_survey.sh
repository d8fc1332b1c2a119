#!/bin/bash
# An approved survey finds the hosts that a seek describes, and says which survey found them; the scan and its looks
# send these hosts what they send to the others.
BASE_PORT=15760 SERVERS=
. "$(dirname "$0")/lib.sh"
two_networks
command -v nft >/dev/null || skip "nft is missing"
# Every sixteenth address has the odd banner.
ip netns exec $OUTSIDE python3 -c '
import socket, threading
def serve(c):
    host = c.getsockname()[0].replace("::ffff:", "")
    odd = int(host.split(".")[3]) % 16 == 5
    c.sendall(b"\r\n#! l0ader 2 login: " if odd else b"\r\nHi3520 login: ")
    while asked := c.recv(4096): print(host, asked.hex(), flush=True)
    c.close()
s = socket.create_server(("::", 23), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()' >>"$WORK/asked" & SERVERS="$SERVERS $!"
mkdir "$WORK/seeks"
cat >"$WORK/seeks/own.yaml" <<'EOT'
- name: loader-of-march
  label: "infected: a device that runs the loader of March"
  learned: [own looks at 14 hosts]
  when: {probe: telnet, banner: {contains: "#! l0ader"}}
  evidence: [banner]
  examples: [{probe: telnet, banner: "#! l0ader 2 login: "}]
  not: [{probe: telnet, banner: "login: "}]
EOT
chmod -R a+rX "$WORK/seeks"; chmod a+rx "$WORK"
loopback_config <<EOT
store: {linger: 50ms}
operator: {contact: abuse@example.org}
passive: {workers: 1, decoys: [{prefix: 192.0.2.0/25, personas: [dvr]}], services: {telnet: {ports: [23]}}}
active:
  scope: [{prefix: 11.7.0.0/16}]
  addresses: [198.51.100.9]
  hold_out: 0
  network_looks: 0
  rate: 0
  delay: {min: 0s, max: 0s}
  surveys:
    - {name: march, prefixes: [11.7.1.0/26], rate: 1000, packets: 64, look: true, purpose: how many are still infected,
       approved_by: us, reference: here, until: 2130-01-01, ports: ['23']}
prober: {pause: 0s, idle: 1s}
exposure: {seeks: [$WORK/seeks]}
EOT
start_kansoku
"$KANSOKU" scan --config "$CONFIG" --no-progress --cooldown 0.4 --network-rate 0 --survey march --tell >"$WORK/hits" 2>"$WORK/said" ||
	fail "the survey: $(cat "$WORK/said")"
[ "$(tail -1 "$WORK/said" | jq .hits)" = 64 ] || fail "the survey: $(cat "$WORK/said")"
looked() { query "SELECT uniqExact(src) FROM log WHERE kind = 'host.answered' AND probe = 'telnet' AND state = 'open'" 2>/dev/null; }
for _ in $(seq 100); do [ "$(looked)" = 64 ] && break; sleep 0.1; done
[ "$(looked)" = 64 ] || fail "$(looked) of 64 hosts were looked at: $(query "SELECT kind, reason, count() FROM events GROUP BY 1, 2")"
sleep 1
"$KANSOKU" seek found --config "$CONFIG" --json | jq -r '.host + " " + .seek' | sort -V >"$WORK/found"
[ "$(cat "$WORK/found")" = "$(printf '11.7.1.%s loader-of-march\n' 5 21 37 53)" ] || fail "found: $(cat "$WORK/found")"
# As docs/surveys.md asks it.
query "SELECT d.value[indexOf(d.field, 'survey')] AS survey, m.rule AS seek, uniqExact(m.src) AS hosts FROM log AS m
	INNER JOIN log AS d ON m.root = d.id WHERE m.kind = 'host.matched' GROUP BY survey, seek" >"$WORK/surveys"
[ "$(cat "$WORK/surveys")" = "march	loader-of-march	4" ] || fail "by survey: $(cat "$WORK/surveys")"
[ "$(cut -d' ' -f2 "$WORK/asked" | sort -u | wc -l)" -le 1 ] || fail "hosts were asked different things: $(sort -u -k2 "$WORK/asked" | head)"
stop_kansoku || fail "kansoku did not end cleanly"
echo "seek: a survey of 64 hosts found the 4 that a seek describes, by its name"
