#!/bin/bash
# Command servers of own samples are checked on the wire: four connections at most, what the sample said
# only after it was approved, no answer to what they command; innocent servers are not taken for them.
. "$(dirname "$0")/lib.sh"
two_networks
for tool in nginx sshd ngircd nft; do [ -n "$(command -v $tool)" ] || skip "$tool is missing"; done
SEED=${KANSOKU_SEED:-build/plain/program/tests/e2e/servers_seed}
make -s "$SEED" || fail "the seed does not build"
THERE="ip netns exec $OUTSIDE"
hex() { printf "$1" | od -An -v -tx1 | tr -d ' \n'; }

# Real servers that anybody runs.
cat >"$WORK/nginx.conf" <<-EOT
	pid $WORK/nginx.pid;
	error_log $WORK/nginx.err;
	events {}
	http { access_log off; server { listen 203.0.113.23:80; location / { return 200 "hello\n"; } } }
EOT
$THERE /usr/sbin/nginx -c "$WORK/nginx.conf" -g 'daemon off;' 2>"$WORK/nginx.said" &
SERVERS="$!"
ssh-keygen -q -t ed25519 -N '' -f "$WORK/hostkey"
mkdir -p /run/sshd
$THERE /usr/sbin/sshd -D -e -f /dev/null -o ListenAddress=203.0.113.24 -o HostKey="$WORK/hostkey" -o PidFile=none 2>/dev/null &
SERVERS="$SERVERS $!"
cat >"$WORK/ngircd.conf" <<-EOT
	[Global]
	Name = irc.example.net
	Info = test
	Listen = 203.0.113.26
	PidFile = $WORK/ngircd.pid
	[Options]
	DNS = no
	Ident = no
	PAM = no
EOT
$THERE ngircd -n -f "$WORK/ngircd.conf" >/dev/null 2>&1 &
SERVERS="$SERVERS $!"
$THERE python3 tests/e2e/servers_world.py "$WORK/world" 2>"$WORK/world.err" &
SERVERS="$SERVERS $!"
# One that answers everything does so at every port; one answers nothing at all.
$THERE nft -f - <<-EOT || fail "nft does not take its rules"
	table ip world {
		chain everywhere { type nat hook prerouting priority -100; ip daddr 203.0.113.25 tcp dport 1-65535 dnat to 203.0.113.25:6667; }
		chain silent { type filter hook input priority 0; ip daddr 203.0.113.28 drop; }
	}
EOT
for _ in $(seq 50); do grep -qs ready "$WORK/world" && break; sleep 0.1; done

loopback_config <<-EOT
	operator: {contact: abuse@example.org}
	passive: {listen: [{address: 192.0.2.1}]}
	active: {scope: [{prefix: 203.0.113.0/24, special: allow}], addresses: [198.51.100.9], hold_out: 0, delay: 0s, network_looks: 0, hellos: harmless}
	prober: {pause: 100ms, idle: 600ms, connect_timeout: 500ms}
	rules:
	  - {name: servers, on: indicator.found, when: {indicator.role: command}, do: check}
EOT
ip -n $INSIDE addr add 192.0.2.1/32 dev lo
sed -i '/^	passive/d;/^passive/d' "$CONFIG"
IRC=$(hex 'NICK [LNX]x86_84312\r\nUSER root 0 * :84312\r\n')
mkdir -p "$STATE/control"
"$SEED" "$STATE/control" \
	203.0.113.21 6667 ircbot "$IRC" \
	203.0.113.22 23 mirai "$(hex '\000\000\000\001\007telnet1')" \
	203.0.113.23 80 loader "$(hex 'GET /gate?id=8f3a2b1c9d HTTP/1.1\r\nHost: 203.0.113.23\r\n\r\n')" \
	203.0.113.24 22 odd "$(hex 'HELO bot 12345\n')" \
	203.0.113.25 6667 ircbot "$(hex 'HELLO 1.2.3.4\n')" \
	203.0.113.26 6667 ircbot "$IRC" \
	203.0.113.27 6667 ircbot "$(hex 'HELLO 1\n')" \
	203.0.113.28 6667 ircbot "$(hex 'HELLO 1\n')" \
	203.0.113.29 7777 odd "$(hex 'HELLO 1\n')" \
	203.0.113.30 7777 odd "$(hex 'HELLO 1\n')" \
	203.0.113.31 80 odd "$(hex 'POST / HTTP/1.1\r\nAuthorization: Basic eDp5\r\n\r\n')" || fail "the seed failed"
mkdir -p "$WORK/prints/servers"
cat >"$WORK/prints/servers/own.yaml" <<-'EOT'
	servers:
	  - {name: quakbot, family: ircbot, hello: 'NICK ', starts: ':c2 001 ', contains: [':!* SCAN'], examples: [':c2 001 a :in\r\n:c2 332 a #q :!* SCAN 22']}
EOT
sed -i "s|^prober: {|prober: {fingerprints: [$WORK/prints], |" "$CONFIG"
capture_begin
start_kansoku
state_of() { "$KANSOKU" servers --config "$CONFIG" --json | jq -r "select(.address == \"$1\") | .state"; }
wait_for() { # ADDRESS STATE
	for _ in $(seq 100); do [ "$(state_of "$1")" = "$2" ] && return; sleep 0.1; done
	fail "$1 is $(state_of "$1"), not $2"
}
wait_for 203.0.113.21 open
wait_for 203.0.113.22 open
wait_for 203.0.113.26 open
for _ in $(seq 100); do ! grep -q "irc enlisted\|mirai enlisted" "$WORK/world" || fail "enlisted before anybody approved"; [ "$(state_of 203.0.113.30)" = unknown ] || break; sleep 0.1; done
wait_for 203.0.113.23 service
wait_for 203.0.113.24 service
wait_for 203.0.113.25 everything
wait_for 203.0.113.27 closed
wait_for 203.0.113.28 filtered

# The operator reads what would be said, and approves three of them; the digest of something else is refused.
"$KANSOKU" approve --config "$CONFIG" --json >"$WORK/waiting" || fail "approve does not list"
[ "$(wc -l <"$WORK/waiting")" = 3 ] || fail "three hellos should wait: $(cat "$WORK/waiting")"
id_of() { jq -r "select(.target == \"$1\") | .id" "$WORK/waiting"; }
sha_of() { jq -r "select(.target == \"$1\") | .sha256" "$WORK/waiting"; }
jq -r 'select(.target == "203.0.113.21") | .text' "$WORK/waiting" | grep -q "$(hex 'NICK [XXX]x00_00000\r\nUSER xxxx 0 * :00000\r\n')" ||
	fail "the names of the machine were not replaced: $(jq -r .text "$WORK/waiting")"
"$KANSOKU" approve --config "$CONFIG" "$(id_of 203.0.113.21)" --yes 000000 >/dev/null 2>&1 && fail "a wrong digest was taken"
for a in 203.0.113.21 203.0.113.22 203.0.113.26; do
	"$KANSOKU" approve --config "$CONFIG" "$(id_of $a)" --yes "$(sha_of $a)" --by tester >"$WORK/said" 2>&1 || fail "approve: $(cat "$WORK/said")"
done
grep -q '00000000  4e 49 43 4b\|4e 49 43 4b' "$WORK/said" || fail "the bytes were not shown"
wait_for 203.0.113.21 live
wait_for 203.0.113.22 live
wait_for 203.0.113.26 service
sleep 0.5
capture_end

grep -q "irc enlisted" "$WORK/world" && grep -q "mirai enlisted" "$WORK/world" || fail "the approved hellos did not come"
grep -q "obeyed b'.\+'" "$WORK/world" && fail "an order was answered: $(cat "$WORK/world")"
# Positive control and bounds: from the wire, not from what we say of ourselves.
for n in 21 22 23 24 25 26 27 28 29 30 31; do
	a=203.0.113.$n
	ports=$(packets "ip.dst == $a && tcp.flags.syn == 1 && tcp.flags.ack == 0" tcp.srcport | sort -u | wc -l)
	[ "$ports" -ge 1 ] && [ "$ports" -le 4 ] || fail "$a got $ports connections"
	bytes=$(packets "ip.src == $a" tcp.len | paste -sd+ | bc)
	[ "${bytes:-0}" -le $((4 * 4096)) ] || fail "$a could send $bytes bytes"
done
packets 'ip.dst == 203.0.113.21 && tcp.len > 0' tcp.payload | sort >"$WORK/told"
[ "$(wc -l <"$WORK/told")" = 2 ] && grep -qx "$(hex 'NICK [XXX]x00_00000\r\nUSER xxxx 0 * :00000\r\n')" "$WORK/told" ||
	fail "203.0.113.21 got other than the hello and as many neutral bytes: $(cat "$WORK/told")"
[ "$(awk '{print length}' "$WORK/told" | sort -u | wc -l)" = 1 ] || fail "the neutral bytes are of another length"
# Whoever asked something of us after we spoke got nothing: per connection at most one segment with bytes.
packets 'ip.src == 198.51.100.9 && tcp.len > 0' tcp.stream | sort | uniq -d | grep -q . && fail "a connection said two things"
packets 'ip.dst == 203.0.113.31 && tcp.len > 0' | grep -q . && fail "a credential was said"
"$KANSOKU" query --config "$CONFIG" --format tsv "SELECT count() FROM events WHERE kind = 'indicator.found'" >"$WORK/found" || fail "query"
[ "$(cat "$WORK/found")" = 2 ] || fail "two servers should be indicators: $(cat "$WORK/found")"
"$KANSOKU" report servers --config "$CONFIG" --json >"$WORK/report" || fail "report servers"
jq -e '.parts.servers | map(select(.address == "203.0.113.21" and .state == "live" and (.port | tonumber) == 6667)) | length == 1' "$WORK/report" >/dev/null ||
	fail "the report does not know the live server: $(jq -c .parts.servers "$WORK/report")"
jq -e '.parts.history | map(select(.address == "203.0.113.22")) | length == 2' "$WORK/report" >/dev/null || fail "the report has no history"
# Out of the same traffic a fingerprint is learned that the innocent do not match.
tshark -n -r "$WORK/wire.pcap" -Y 'ip.addr == 203.0.113.21' -w "$WORK/bad.pcap" 2>/dev/null
tshark -n -r "$WORK/wire.pcap" -Y 'ip.addr == 203.0.113.23 || ip.addr == 203.0.113.26' -w "$WORK/good.pcap" 2>/dev/null
mkdir -p "$WORK/learned/servers"
"$PROGRAM" servers learn --malicious "$WORK/bad.pcap" --benign "$WORK/good.pcap" --family ircbot --name learned \
	>"$WORK/learned/servers/learned.yaml" 2>"$WORK/said" || fail "nothing was learned: $(cat "$WORK/said")"
grep -q "starts: ':c2 " "$WORK/learned/servers/learned.yaml" || fail "what was learned: $(cat "$WORK/learned/servers/learned.yaml")"
"$PROGRAM" servers verify "$WORK/learned/servers" >"$WORK/said" 2>&1 || fail "what was learned does not hold: $(cat "$WORK/said")"
"$PROGRAM" servers learn --malicious "$WORK/good.pcap" --benign "$WORK/good.pcap" --family ircbot >"$WORK/said" 2>&1 &&
	fail "what is benign became a fingerprint: $(cat "$WORK/said")"
echo "ok"
