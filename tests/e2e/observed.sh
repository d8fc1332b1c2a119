#!/bin/bash
# What partners observed of hosts and traffic: read as others' programs read it, and in the store byte for byte, once.
. "$(dirname "$0")/lib.sh"
for tool in jq python3; do
	command -v $tool >/dev/null || skip "needs $tool"
done
trap 'stop_kansoku; rm -rf "$WORK"' EXIT
mkdir -p "$WORK/in" "$WORK/drop"
python3 tests/e2e/observed_world.py "$WORK/in" || fail "the partners' files could not be made"
dry() { "$KANSOKU" import "$@" --dry --json 2>"$WORK/complaints"; }
same() { diff "$WORK/ours" "$WORK/theirs" >"$WORK/diff" || fail "$1 is read differently: $(head -5 "$WORK/diff")"; }

# Shodan's lines against jq; the line that is none is told by its number.
dry shodan "$WORK/in/shodan.json.gz" | jq -r '[.value, .time, .banner // "", ."record.version", ."record.country", .id] | @json' >"$WORK/ours"
zcat "$WORK/in/shodan.json.gz" | head -n 8 | jq -r '["\(.ip_str):\(.port)", .timestamp + "Z", .data, (.version|tostring), .location.country_code, ._shodan.id] | @json' >"$WORK/theirs"
[ "$(wc -l <"$WORK/theirs")" = 8 ] || fail "jq read nothing"
same "Shodan"
grep -q 'shodan.json.gz:9: ' "$WORK/complaints" || fail "complaint: $(cat "$WORK/complaints")"

# A capture against tshark: SYNs of each source to each port.
if command -v tshark >/dev/null; then
	dry pcap "$WORK/in/attack.pcap" | jq -r 'select(.proto == "tcp" and ."flow.answer" == 0) | "\(.value) \(.dport // 0) \(."flow.packets")"' | sort >"$WORK/ours"
	tshark -r "$WORK/in/attack.pcap" -Y 'tcp.flags.syn == 1 && tcp.flags.ack == 0' -T fields -e ip.src -e tcp.dstport 2>/dev/null |
		sort | uniq -c | awk '{print $2, $3, $1}' | sort >"$WORK/theirs"
	[ -s "$WORK/theirs" ] || fail "tshark read nothing"
	same "the capture"
fi

# NICT's own packing, and FlowTuple as Apache's library writes it.
[ "$(dry nicter "$WORK/in/nicter.csv.bz2" | jq -s length)" = 50 ] || fail "NICTER: $(cat "$WORK/complaints")"
for file in "$WORK"/in/flow-*.avro; do
	[ -e "$file" ] || continue
	dry flowtuple "$file" | jq -s -c '[length, (map(."flow.packets")|add), (map(select(."record.country" == "JP"))|length), (map(."flow.ttl.max")|min)]' >"$WORK/ours"
	echo '[3000,4501500,1500,111]' >"$WORK/theirs"
	same "$(basename "$file"): $(cat "$WORK/complaints"): FlowTuple"
done

# Into the store, by hand and by schedule.
printf 'When;Who;Port;Login\n2015/6/2 19:04:05;203.0.113.200;23;"root'"'"'; --"\n' >"$WORK/drop/partner.csv"
loopback_config <<EOT
operator: {name: test, contact: abuse@example.org}
exchange:
  sources:
    - {name: partner, format: csv, path: $WORK/drop, every: 1s, tlp: amber, map: "time=When,src=Who,dport=Port,login.user=Login,kind:=login.tried,zone:=+09:00"}
EOT
start_kansoku
"$KANSOKU" import shodan "$WORK/in/shodan.json.gz" --source shodan --config "$CONFIG" --json 2>/dev/null >"$WORK/first" || fail "$(cat "$WORK/first")"
"$KANSOKU" import shodan "$WORK/in/shodan.json.gz" --source shodan --config "$CONFIG" --json 2>/dev/null >"$WORK/second"
[ "$(jq -c '[.records, .bad]' "$WORK/first")" = '[8,1]' ] && [ "$(jq -c '[.records, .repeated]' "$WORK/second")" = '[0,8]' ] ||
	fail "imported twice: $(cat "$WORK/first" "$WORK/second")"
value() { echo "value[indexOf(field, '$1')]"; }
for _ in $(seq 60); do
	stored=$(query "SELECT count() FROM events WHERE kind = 'record.imported'" 2>/dev/null | tail -1)
	[ "${stored:-0}" = 9 ] && break
	sleep 0.3
done
[ "${stored:-0}" = 9 ] || fail "$stored records are in the store, 9 would be right"
query "SELECT hex($(value banner)) FROM events WHERE $(value record.source) = 'shodan' ORDER BY toUInt16(dport)" | grep -v '^hex' >"$WORK/ours"
zcat "$WORK/in/shodan.json.gz" | head -n 8 | python3 -c 'import json, sys
for line in sys.stdin: print(json.loads(line)["data"].encode().hex().upper())' >"$WORK/theirs"
same "a banner in the store"
row=$(query "SELECT $(value record.kind), dport, $(value record.tlp), hex(login_user), $(value record.time) FROM events
	WHERE $(value record.source) = 'partner'" | tail -1 | tr '\t' ' ')
[ "$row" = "login.tried 23 AMBER $(printf "root'; --" | od -An -tx1 | tr -d ' \n' | tr a-f A-F) 2015-06-02T10:04:05.000000Z" ] || fail "the table's row: $row"
echo "partners' scans, captures and tables came in as others read them, once, byte for byte"
