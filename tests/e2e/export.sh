#!/bin/bash
# What was observed goes out in the formats of others: as its recipient may see it, audited, again the same, and read
# by readers that are not ours.
. "$(dirname "$0")/lib.sh"
for tool in jq curl sha256sum python3; do
	command -v $tool >/dev/null || skip "needs $tool"
done
mkdir -m 777 "$WORK/scheduled"
loopback_config <<EOT
store: {linger: 100ms}
operator: {name: Example Observatory, contact: abuse@example.org}
passive:
  decoys: [{prefix: 127.21.7.1, personas: [camera]}]
  services: {http: {ports: [$HTTP_PORT]}}
  workers: 1
exchange:
  collections: [{name: named, title: What others named, kinds: [record.imported], tlp: green}]
  policies:
    - {name: hidden, fields: {src: crypto-pan}}
    - {name: open, fields: {src: pass}}
  exports:
    - {name: named, collection: named, format: csv, policy: open, tlp: green, every: 10s, path: $WORK/scheduled}
    - {name: drop, collection: named, format: blocklist, policy: open, tlp: green, every: 10s, last: 1h, path: $WORK/scheduled}
EOT
trap 'stop_kansoku; rm -rf "$WORK"' EXIT
export_as() { "$KANSOKU" export "$@" --config "$CONFIG" 2>"$WORK/said"; }
refused() { # what is said, then the command
	local said=$1
	shift
	export_as "$@" >"$WORK/out" && fail "kansoku export $* was done"
	grep -q -- "$said" "$WORK/said" || fail "kansoku export $* says: $(cat "$WORK/said")"
	[ ! -s "$WORK/out" ] || fail "kansoku export $* was refused and said $(head -c 200 "$WORK/out")"
}
refused 'not running' jsonl --collection attacks
start_kansoku

url=http://127.21.7.1:$HTTP_PORT
for n in 7 8; do
	curl -s -m 20 --interface 127.55.0.$n -o /dev/null -A "=cmd|' /C calc'!A0" "$url/at-127.21.7.1"
	curl -s -m 20 --interface 127.55.0.$n -o /dev/null -d "loginuse=admin&loginpas=never-shown" "$url/login.cgi"
done
cat >"$WORK/cowrie.json" <<'EOT'
{"eventid":"cowrie.login.failed","username":"root","password":"x","timestamp":"2015-06-01T10:00:00.000000Z","src_ip":"203.0.113.9","session":"0a0a0a0a0a0a","sensor":"a"}
{"eventid":"cowrie.login.failed","username":"root","password":"x","timestamp":"2015-06-01T10:00:01.000000Z","src_ip":"203.0.113.10","session":"0a0a0a0a0a0b","sensor":"a"}
EOT
"$KANSOKU" import cowrie "$WORK/cowrie.json" --source partner --tlp green --config "$CONFIG" >/dev/null || fail "the partner's log was not taken"
printf 'http://203.0.113.77/red.sh\n' >"$WORK/red"
"$KANSOKU" import urls "$WORK/red" --source secret --tlp red --config "$CONFIG" >/dev/null || fail "the list was not taken"
stored() { query "SELECT countIf(kind = 'login.tried') >= 2 AND countIf(kind = 'session.closed') >= 4 AND countIf(kind = 'record.imported') >= 3 FROM log"; }
for _ in $(seq 100); do
	[ "$(stored)" = 1 ] && break
	sleep 0.2
done
[ "$(stored)" = 1 ] || fail "the attacks did not reach the store"
sleep 1
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)

# JSON lines: what the store has and the policy lets through; never what is ours, never what is private.
export_as jsonl --collection attacks --output "$WORK/all.jsonl" --to "$now" || fail "no export: $(cat "$WORK/said")"
jq -se '(map(.kind) | unique | index("login.tried") != null) and all(.[]; has("dst") | not) and any(.[]; .src == "127.55.0.7")' \
	"$WORK/all.jsonl" >/dev/null || fail "the lines: $(head -3 "$WORK/all.jsonl")"
! grep -qE 'never-shown|127\.21\.7\.1' "$WORK/all.jsonl" || fail "it tells: $(grep -oE '.{60}(never-shown|127\.21\.7\.1)' "$WORK/all.jsonl" | head -3)"
[ "$(stat -c %a "$WORK/all.jsonl")" = 600 ] && [ ! -e "$WORK/all.jsonl.part" ] || fail "the file is not as it should be"
export_as jsonl --collection attacks --policy hidden --to "$now" >"$WORK/hidden.jsonl" || fail "$(cat "$WORK/said")"
! grep -q '127\.55\.0\.' "$WORK/hidden.jsonl" || fail "crypto-pan shows $(grep -o '127\.55\.0\..' "$WORK/hidden.jsonl" | head -1)"
[ "$(wc -l <"$WORK/hidden.jsonl")" = "$(wc -l <"$WORK/all.jsonl")" ] || fail "a policy hides events"
export_as csv --collection attacks --to "$now" --count 3 >"$WORK/three.csv" && [ "$(wc -l <"$WORK/three.csv")" = 4 ] || fail "--count 3: $(cat "$WORK/said")"
export_as sheet --collection attacks --to "$now" >"$WORK/sheet.csv" || fail "$(cat "$WORK/said")"
python3 - "$WORK/sheet.csv" "$WORK/all.jsonl" <<'EOT' || fail "the sheet is not what the lines say"
import csv, json, sys
rows = list(csv.DictReader(open(sys.argv[1], encoding="utf-8-sig", newline="")))
lines = [json.loads(l) for l in open(sys.argv[2])]
assert len(rows) == len(lines) and [r["src"] for r in rows] == [l.get("src", "") for l in lines]
agents = {r["request.agent"] for r in rows if r["request.agent"]}
assert agents and all(a[0] not in "=+-@" for a in agents if "calc" in a), agents
EOT
export_as cowrie --collection attacks --to "$now" >"$WORK/out.cowrie" || fail "$(cat "$WORK/said")"
jq -se '(map(.eventid) | unique) as $k | ($k | index("cowrie.session.connect")) and ($k | index("cowrie.login.failed") or index("cowrie.login.success"))
	and all(.[]; .session | test("^[0-9a-f]{12}$")) and all(.[]; has("password") | not)' "$WORK/out.cowrie" >/dev/null || fail "as Cowrie: $(head -3 "$WORK/out.cowrie")"
"$KANSOKU" import cowrie "$WORK/out.cowrie" --dry --json | grep -q '"value":"127.55.0.7' || fail "our own reader of Cowrie's log does not read it"

# Markings hold, and lists to block by are of true addresses only.
export_as jsonl --collection named --tlp green >"$WORK/named" || fail "$(cat "$WORK/said")"
! grep -q 'red.sh' "$WORK/named" && grep -q '203.0.113.9' "$WORK/named" || fail "markings: $(cat "$WORK/named")"
grep -q '2 are marked above' "$WORK/said" || fail "nothing is said of what was withheld: $(cat "$WORK/said")"
refused 'bystanders' blocklist --collection named --policy hidden
export_as blocklist --collection named --policy open --tlp green >"$WORK/list" || fail "$(cat "$WORK/said")"
[ "$(grep -v '^#' "$WORK/list" | paste -sd' ')" = "203.0.113.9 203.0.113.10" ] && grep -q 'Example Observatory' "$WORK/list" || fail "the list: $(cat "$WORK/list")"
if command -v nft >/dev/null && [ "$(id -u)" = 0 ]; then
	export_as nftables --collection named --policy open --tlp green >"$WORK/nft" && nft -c -f "$WORK/nft" || fail "nft refuses $(cat "$WORK/nft")"
fi
if command -v named-checkzone >/dev/null; then
	export_as rpz --collection named --policy open --tlp green >"$WORK/zone" && named-checkzone -q rpz.example "$WORK/zone" || fail "named refuses $(cat "$WORK/zone")"
fi

# Every format writes every kind of collection, also where it has nothing to say.
for format in $("$KANSOKU" describe outputs --json | jq -r '.outputs[].name'); do
	export_as "$format" --collection attackers --policy open --output "$WORK/any" || fail "$format: $(cat "$WORK/said")"
done
for collection in $("$KANSOKU" describe collections --json | jq -r '.collections[].name'); do
	export_as jsonl --collection "$collection" --output "$WORK/any" || fail "$collection: $(cat "$WORK/said")"
done

# An organisation gets what its grant says, whatever is asked for.
refused 'has no grant' jsonl --collection attacks --org csirt
"$KANSOKU" org add csirt --config "$CONFIG" >/dev/null && "$KANSOKU" grant set csirt attacks --tlp amber --policy hidden --config "$CONFIG" >/dev/null || fail "no grant"
refused 'names "hidden"' jsonl --collection attacks --org csirt --policy open
refused 'ends at AMBER' jsonl --collection attacks --org csirt --tlp red
export_as jsonl --collection attacks --org csirt --to "$now" >"$WORK/csirt" || fail "$(cat "$WORK/said")"
! grep -q '127\.55\.0\.' "$WORK/csirt" && [ -s "$WORK/csirt" ] && ! cmp -s "$WORK/csirt" "$WORK/hidden.jsonl" || fail "its own key does not hide"
refused 'no format' nothing --collection attacks
refused 'no collection' jsonl --collection nothing
refused 'is no time' jsonl --collection attacks --from yesterday
refused 'not before' jsonl --collection attacks --from 2015-01-02 --to 2015-01-01

# The audit has each of them with its digest, and makes them again.
"$KANSOKU" audit exchange --json --config "$CONFIG" >"$WORK/audit" 2>/dev/null || fail "no audit"
line=$(jq -r 'select(.action == "export" and .organisation == "csirt") | .n' "$WORK/audit" | head -1)
[ "$(jq -r "select(.n == $line) | .sha256" "$WORK/audit")" = "$(sha256sum <"$WORK/csirt" | cut -d' ' -f1)" ] || fail "the audit's digest is of something else"
"$KANSOKU" grant remove csirt attacks --config "$CONFIG" >/dev/null
export_as --again "$line" --output "$WORK/again" && cmp -s "$WORK/again" "$WORK/csirt" || fail "not the same again: $(cat "$WORK/said")"
refused 'is no export' --again "$(jq -r 'select(.action == "org.add") | .n' "$WORK/audit")"
refused 'has no line' --again 9999

# Snapshots: the same bytes whenever they are made.
for round in one two; do
	folder=$(export_as parquet csv stix --collection attacks --collection named --tlp green --to "$now" --snapshot "$WORK/$round") || fail "$(cat "$WORK/said")"
	(cd "$folder" && sha256sum -c --quiet SHA256SUMS) || fail "the digests of $folder"
done
diff -r "$WORK/one" "$WORK/two" || fail "two snapshots differ"
[ "$(jq '.files | length' "$folder/manifest.json")" = 6 ] || fail "the manifest: $(cat "$folder/manifest.json")"
refused 'was made before' parquet csv stix --collection attacks --collection named --tlp green --to "$now" --snapshot "$WORK/two"
refused 'needs --to' csv --collection attacks --snapshot "$WORK/three"

# By schedule: a file for each period, with its digest, and one that is replaced.
for _ in $(seq 150); do
	grep -qsl 203.0.113.9 "$WORK"/scheduled/named.*.csv && grep -qs '^203.0.113.10$' "$WORK/scheduled/drop.txt" && break
	sleep 0.1
done
grep -ql 203.0.113.9 "$WORK"/scheduled/named.*.csv && grep -q '^203.0.113.10$' "$WORK/scheduled/drop.txt" ||
	fail "scheduled: $(ls -l "$WORK/scheduled")"
(cd "$WORK/scheduled" && sha256sum -c --quiet SHA256SUMS) || fail "the digests of what was scheduled"

# Readers that are not ours: Parquet by chDB, and without a running kansoku from the lines alone.
export_as parquet --read "$WORK/all.jsonl" --output "$WORK/all.parquet" || fail "$(cat "$WORK/said")"
stop_kansoku || fail "kansoku did not end well"
! ls -A "$WORK/scheduled" | grep -q '^\.' || fail "parts are left: $(ls -A "$WORK/scheduled")"
python3 - "$WORK/all.parquet" "$WORK/all.jsonl" <<'EOT'
import ctypes, glob, json, sys
found = glob.glob("node_modules/@chdb/lib-*/libchdb.so")
if not found:
    print("no chDB here: Parquet is not read back"); sys.exit()
lib = ctypes.CDLL(found[0])
lib.chdb_connect.restype = ctypes.POINTER(ctypes.c_void_p)
for name in ("chdb_query", "chdb_result_buffer"):
    getattr(lib, name).restype = ctypes.c_void_p
lib.chdb_query.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]
lib.chdb_result_buffer.argtypes = lib.chdb_result_error.argtypes = lib.chdb_result_length.argtypes = [ctypes.c_void_p]
lib.chdb_result_length.restype, lib.chdb_result_error.restype = ctypes.c_size_t, ctypes.c_char_p
at = lib.chdb_connect(1, (ctypes.c_char_p * 1)(b"clickhouse"))[0]
r = lib.chdb_query(at, f"SELECT kind, src, sport, id, formatDateTime(time, '%Y-%m-%dT%H:%i:%S.%fZ') FROM file('{sys.argv[1]}')".encode(), b"JSONCompactEachRow")
error = lib.chdb_result_error(r)
assert not error, error
rows = [json.loads(l) for l in ctypes.string_at(lib.chdb_result_buffer(r), lib.chdb_result_length(r)).decode().splitlines()]
lines = [json.loads(l) for l in open(sys.argv[2])]
for row, line in zip(rows, lines):
    assert [row[0], row[1], row[3], row[4]] == [line.get(k) for k in ("kind", "src", "id", "time")], (row, line)
    assert row[2] is None or int(row[2]) == line["sport"], (row, line)
assert len(rows) == len(lines) > 5, (len(rows), len(lines))
EOT
[ $? = 0 ] || fail "chDB reads something else from Parquet"
cat >"$WORK/flows.jsonl" <<'EOT'
{"kind":"flow.counted","time":"2015-06-01T00:01:40Z","src":"203.0.113.9","dst":"192.0.2.1","proto":"tcp","dport":23,"flow.first":"2015-06-01T00:00:59Z","flow.packets":3,"flow.bytes":120,"flow.flags":2,"flow.ttl.max":48,"flow.class":"spoofed"}
EOT
export_as flowtuple --read "$WORK/flows.jsonl" --output "$WORK/flows.avro" || fail "$(cat "$WORK/said")"
if command -v avrocat >/dev/null; then
	avrocat "$WORK/flows.avro" | jq -e '.src_ip == 3405803785 and .dst_port == 23 and .packet_cnt == 3 and .is_spoofed == 1 and .time == 1433116800' >/dev/null ||
		fail "avrocat reads $(avrocat "$WORK/flows.avro")"
fi
if command -v tshark >/dev/null; then
	export_as pcapng --read "$WORK/flows.jsonl" --output "$WORK/flows.pcapng" || fail "$(cat "$WORK/said")"
	tshark -r "$WORK/flows.pcapng" -o tcp.check_checksum:TRUE -T fields -e ip.src -e ip.ttl -e tcp.dstport -e tcp.flags.syn -e tcp.checksum.status \
		-e frame.comment 2>/dev/null | grep -q '^203.0.113.9	48	23	\(1\|True\)	\(1\|Good\)	stands for 3 packets over 41 s' ||
		fail "tshark reads $(tshark -r "$WORK/flows.pcapng" -V 2>&1 | head -60)"
fi
# What we write in the formats that we also read comes back.
for format in nicter flowtuple predict stix csv; do
	export_as $format --read "$WORK/flows.jsonl" --output "$WORK/back.$format" || fail "$(cat "$WORK/said")"
	"$KANSOKU" import $format "$WORK/back.$format" --dry --json >"$WORK/back" 2>&1 && [ "$(grep -c '"type"' "$WORK/back")" -ge 1 ] ||
		fail "what we write as $format does not come back: $(cat "$WORK/back")"
done
export_as predict --read "$WORK/flows.jsonl" >"$WORK/described" || fail "$(cat "$WORK/said")"
jq -e '.id and .title and .provider and .start and .end and .category and .restriction and .keywords and .events == 1 and .packets == 3' \
	"$WORK/described" >/dev/null || fail "the description: $(cat "$WORK/described")"
cat >"$WORK/names.jsonl" <<'EOT'
{"kind":"record.imported","indicator.type":"name","indicator.value":"bad-name.example","dns.type":"A","dns.data":"203.0.113.9","record.first":"2015-06-01T00:00:00Z"}
EOT
export_as cof --read "$WORK/names.jsonl" >"$WORK/cof" || fail "$(cat "$WORK/said")"
"$KANSOKU" import cof "$WORK/cof" --dry | grep -q 'bad-name.example' || fail "our own reader does not read it: $(cat "$WORK/cof")"
echo "exports are read by others, hidden as their policies say, audited and made again"
