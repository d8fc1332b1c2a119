#!/bin/bash
# Tables of networks of others: countries, ASes and names, looked up at once, by rules too, as independent readers read them.
. "$(dirname "$0")/lib.sh"
for tool in curl jq python3; do
	command -v $tool >/dev/null || skip "needs $tool"
done

# An MMDB by the specification, with nested and flat records, IPv4 in ::/96.
python3 - "$WORK/made.mmdb" <<'EOT'
import ipaddress, sys
def text(s): b = s.encode(); return (bytes([2 << 5 | len(b)]) if len(b) < 29 else bytes([2 << 5 | 29, len(b) - 29])) + b
def u32(n): b = n.to_bytes(4, "big").lstrip(b"\0"); return bytes([6 << 5 | len(b)]) + b
def u16(n): b = n.to_bytes(2, "big").lstrip(b"\0"); return bytes([5 << 5 | len(b)]) + b
def u64(n): b = n.to_bytes(8, "big").lstrip(b"\0"); return bytes([0 << 5 | len(b), 9 - 7]) + b
def array(*v): return bytes([0 << 5 | len(v), 11 - 7]) + b"".join(v)
def table(**kv): return bytes([7 << 5 | len(kv)]) + b"".join(text(k) + v for k, v in kv.items())
data, offsets, nodes = b"", {}, [[None, None]]
def add(prefix, record):
    global data
    net = ipaddress.ip_network(prefix)
    if net.version == 4:
        net = ipaddress.ip_network(f"::{net.network_address}/{96 + net.prefixlen}")
    if record not in offsets:
        offsets[record] = len(data); data += record
    node, bits = 0, int(net.network_address)
    for depth in range(net.prefixlen):
        bit = bits >> (127 - depth) & 1
        if depth + 1 == net.prefixlen:
            nodes[node][bit] = ("data", offsets[record])
        else:
            if nodes[node][bit] is None:
                nodes.append([None, None]); nodes[node][bit] = len(nodes) - 1
            node = nodes[node][bit]
add("192.0.2.0/24", table(country=table(iso_code=text("JP"))))
add("198.51.100.0/25", table(country=text("de"), asn=text("AS64500"), as_name=text("Flat")))
add("203.0.113.7/32", table(autonomous_system_number=u32(64501), autonomous_system_organization=text("Nested")))
add("2001:db8:1::/48", table(country=table(iso_code=text("BR"))))
n = len(nodes)
def value(v): return n if v is None else n + 16 + v[1] if isinstance(v, tuple) else v
tree = b"".join(value(l).to_bytes(4, "big") + value(r).to_bytes(4, "big") for l, r in nodes)
meta = table(node_count=u32(n), record_size=u16(32), ip_version=u16(6), database_type=text("Made"), languages=array(),
             binary_format_major_version=u16(2), binary_format_minor_version=u16(0), build_epoch=u64(1700000000), description=table())
open(sys.argv[1], "wb").write(tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + meta)
EOT
head -c 300 "$WORK/made.mmdb" >"$WORK/cut.mmdb"
"$KANSOKU" import mmdb "$WORK/made.mmdb" --dry >"$WORK/dry" || fail "the MMDB was not read: $(cat "$WORK/dry")"
[ "$(grep -c ^network "$WORK/dry")" = 4 ] || fail "not four networks: $(cat "$WORK/dry")"
"$KANSOKU" import mmdb "$WORK/cut.mmdb" --dry 2>&1 | grep -q 'no MMDB' || fail "a damaged MMDB was taken"

printf '192.0.2.0\t24\t64510\n127.0.0.0\t8\t64511\n127.0.9.0\t24\t64512\n2001:db8::\t32\t64513_64514\n' >"$WORK/pfx2as.txt"
printf '# format:org_id|changed|org_name|country|source\nX|1|Example KK|JP|X\n# format:aut|changed|aut_name|org_id|opaque_id|source\n64511|1|LOOP|X||X\n' >"$WORK/as2org.txt"
printf 'apnic|JP|ipv4|127.0.0.0|16777216|20110811|assigned\n' | gzip >"$WORK/delegated.gz"
loopback_config <<EOT
operator: {name: test, contact: abuse@example.org}
passive:
  decoys: [{prefix: 127.0.0.1, personas: [camera]}]
  services: {telnet: {ports: [$TELNET_PORT]}}
active: {scope: [{prefix: 127.0.9.0/24, special: allow}], delay: 0s, hold_out: 0}
prober: {pause: 1ms}
rules:
  - {name: from there, on: session.opened, when: {src.country: JP, src.as: 64512}, do: probe, ports: [2323], delay: 0s}
EOT
start_kansoku
"$KANSOKU" import --config "$CONFIG" mmdb "$WORK/made.mmdb" | grep -q '4 networks' || fail "the MMDB was not imported"
for format in pfx2as as2org; do
	"$KANSOKU" import --config "$CONFIG" $format "$WORK/$format.txt" >/dev/null || fail "$format was not imported"
done
"$KANSOKU" import --config "$CONFIG" delegated "$WORK/delegated.gz" >/dev/null || fail "delegations were not imported"
# As often as one likes: the same table takes the place of the one before.
"$KANSOKU" import --config "$CONFIG" pfx2as "$WORK/pfx2as.txt" >/dev/null || fail "pfx2as was not imported again"
says() { "$KANSOKU" lookup --config "$CONFIG" "$1" --json 2>/dev/null | jq -c --sort-keys . ; }
for _ in $(seq 100); do
	[ "$(says 127.0.9.9)" = '{"address":"127.0.9.9","as":64512,"country":"JP"}' ] && break
	sleep 0.1
done
[ "$(says 127.0.9.9)" = '{"address":"127.0.9.9","as":64512,"country":"JP"}' ] || fail "127.0.9.9: $(says 127.0.9.9)"
[ "$(says 127.0.0.1)" = '{"address":"127.0.0.1","as":64511,"as_name":"LOOP, Example KK","country":"JP"}' ] || fail "127.0.0.1: $(says 127.0.0.1)"
[ "$(says 203.0.113.7)" = '{"address":"203.0.113.7","as":64501,"name":"Nested"}' ] || fail "203.0.113.7: $(says 203.0.113.7)"
[ "$(says 2001:db8:1::5)" = '{"address":"2001:db8:1::5","as":64513,"country":"BR"}' ] || fail "2001:db8:1::5: $(says 2001:db8:1::5)"
! "$KANSOKU" lookup --config "$CONFIG" nonsense 2>/dev/null || fail "nonsense is an address"
if python3 -c 'import maxminddb' 2>/dev/null; then
	python3 - "$WORK/made.mmdb" >"$WORK/peer" <<-'EOT'
	import maxminddb, sys
	r = maxminddb.open_database(sys.argv[1])
	for a in "192.0.2.200", "198.51.100.1", "198.51.100.200", "203.0.113.7", "203.0.113.8", "2001:db8:1::5", "2001:db8:2::5":
	    v = r.get(a) or {}
	    c = v.get("country")
	    print(a, (c["iso_code"] if isinstance(c, dict) else c or "").upper())
	EOT
	while read -r address country; do
		[ "$(says "$address" | jq -r '.country // ""')" = "$country" ] || fail "$address is in $country for another reader: $(says "$address")"
	done <"$WORK/peer"
fi
if [ -r /usr/share/tor/geoip ]; then
	"$KANSOKU" import --config "$CONFIG" geoip /usr/share/tor/geoip /usr/share/tor/geoip6 | tee "$WORK/geoip" | grep -q ' [1-9][0-9]*[0-9]\{4\} networks' ||
		fail "Tor's table: $(cat "$WORK/geoip")"
fi
[ "$(curl -s "http://127.0.0.1:$WEB_PORT/api/v1/hosts/127.0.0.1/place" | jq -r '"\(.country) \(.as) \(.as_name)"')" = "JP 64511 LOOP, Example KK" ] ||
	fail "the API: $(curl -s "http://127.0.0.1:$WEB_PORT/api/v1/hosts/127.0.0.1/place")"
# A rule knows where its source is.
for _ in $(seq 40); do
	python3 - "$TELNET_PORT" <<-'EOT'
	import socket, sys
	s = socket.socket(); s.bind(("127.0.9.9", 0)); s.settimeout(2); s.connect(("127.0.0.1", int(sys.argv[1])))
	try: s.recv(10)
	except OSError: pass
	EOT
	sleep 0.3
	[ "$(query "SELECT count() FROM log WHERE kind = 'decision.made' AND rule = 'from there'")" = 0 ] || break
done
[ "$(query "SELECT count() FROM log WHERE kind = 'decision.made' AND rule = 'from there'")" != 0 ] || fail "no rule knew where its source is"
echo "networks: four tables and one map, looked up, compared, and known to rules"
