#!/bin/bash
# `telescope read`: every output on real captures, read back by other programs, the counts those of
# capinfos and tcpdump; every tool's capture; every way in, and every way in which it can go wrong;
# malformed frames; payloads that are new become a signature; a million sources in bounded memory.
. "$(dirname "$0")/lib.sh"
for tool in capinfos tcpdump tshark jq gzip zstd avrocat; do
	[ -n "$(command -v $tool)" ] || skip "$tool is missing"
done
for PYTHON in python3 /usr/bin/python3 none; do $PYTHON -c 'import scapy' 2>/dev/null && break; done
[ $PYTHON != none ] || skip "scapy is missing"
for AVRO in python3 /usr/bin/python3 none; do $AVRO -c 'import avro' 2>/dev/null && break; done
GENERATE=build/plain/program/bench/telescope/generate
make -s $GENERATE >/dev/null 2>&1 || fail "$GENERATE cannot be built"
CAPTURES=tests/captures/telescope
PACKETS=40000
MANY=1000000 ROOM=64 # sources, MiB
[[ $KANSOKU == *undefined* ]] && MANY=500000
$GENERATE $PACKETS 4000 600 >"$WORK/dark.pcap" || fail "no capture could be made"
telescope() { timeout 120 "$KANSOKU" telescope read "$@"; }
field() { jq -r "$2" <<<"$1"; }
last() { telescope "$@" --json --summary-only 2>"$WORK/errors" || fail "telescope read $*: $(cat "$WORK/errors")"; }

# The sums, and what the lines above them add up to.
cat >"$WORK/check.py" <<'EOP'
import collections, json, sys
accounts, sources, findings, new, lines = [], [], [], [], open(sys.argv[1], encoding="utf-8").read().split("\n")
assert lines.pop() == "", "the last line has no end"
lines = [json.loads(line) for line in lines]
summary = lines.pop()
assert summary["summary"] is True and not any("summary" in line for line in lines)
for line in lines:
    {"account": accounts, "source": sources, "finding": findings, "new_payload": new}[line["type"]].append(line)
def total(things, what): return sum(thing[what] for thing in things)
frames = summary["frames"]
assert summary["packets"] == frames["all"] == frames["taken"] + frames["not_ip"] + frames["malformed"] + frames["elsewhere"]
assert total(accounts, "packets") == frames["taken"], (total(accounts, "packets"), frames)
assert total(accounts, "bytes") == summary["ip_bytes"]
assert len(accounts) == summary["accounts"] == sum(summary["ends"].values())
assert len(findings) == sum(summary["findings"].values())
assert total(sources, "packets") == frames["taken"]
per_tool, per_class, of_tool, of_class = (collections.Counter() for _ in range(4))
for a in accounts:
    per_class[a["class"]] += a["packets"]
    if "tool" in a:
        per_tool[a["tool"]] += a["packets"]
for s in sources:
    for c in s["classes"]: of_class[c] += 1
    for t in s["tools"]: of_tool[t] += 1
    assert 0 <= s["confidence"] <= 100 and s["verdict"] and s["reasons"], s
if not summary["estimated"]:
    assert len(sources) == summary["sources"] == len({s["address"] for s in sources})
for name, sums, packets, owners in (("tools", summary["tools"], per_tool, of_tool), ("classes", summary["classes"], per_class, of_class)):
    for which, sum_of in sums.items():
        assert sum_of["packets"] == packets[which], (name, which, sum_of, packets[which])
        assert sum_of["sources"] == owners[which] or name == "tools" and not sum_of["packets"], (name, which, sum_of, owners[which])
assert sum(c["packets"] for c in summary["classes"].values()) == frames["taken"]
assert sum(t["packets"] for t in summary["tools"].values()) + summary["no_tool"]["packets"] == frames["taken"]
assert len(new) == summary["new_payloads"]["groups"] and total(new, "payloads") <= summary["new_payloads"]["payloads"]
for a in accounts:
    assert a["first"] <= a["last"] and 1 <= a["destinations"] <= a["packets"] and a["ttl_min"] <= a["ttl_max"] <= a["ttl_initial"], a
    assert a["exact"] == (a["destinations"] <= 16)
print(summary["packets"], summary["bytes"], frames["tcp"], frames["udp"], frames["icmp"] + frames["icmp6"])
EOP
agrees() { # file: JSON adds up and is what capinfos counts; $counted, "packets bytes tcp udp icmp"
	local expected
	telescope "$1" --json >"$WORK/json" || fail "$1: status $?"
	counted=$(python3 "$WORK/check.py" "$WORK/json" 2>&1) || fail "$1: $counted"
	expected="$(capinfos -cdMTr "$1" 2>/dev/null | cut -f2,3 | tr '\t' ' ')"
	[ "${counted% * * *}" = "$expected" ] || fail "$1: packets and bytes are $counted, where capinfos says $expected"
}
agrees "$WORK/dark.pcap"
protocols=$(for p in 6 17; do tcpdump -nr "$WORK/dark.pcap" "ip proto $p or ip6 proto $p" 2>/dev/null | wc -l; done; tcpdump -nr "$WORK/dark.pcap" icmp or icmp6 2>/dev/null | wc -l)
[ "$(cut -d' ' -f3- <<<"$counted")" = "$(echo $protocols)" ] || fail "TCP, UDP, ICMP: $counted, tcpdump says $protocols"
said=$(last "$WORK/dark.pcap")
[ "$(jq -c 'del(.new_payloads)' <<<"$said")" = "$(tail -1 "$WORK/json" | jq -c 'del(.new_payloads)')" ] || fail "the sums alone are others: $said"

# Each tool by its capture; what an operating system sent, and connect(), is none.
recognised=0
for f in $CAPTURES/*.pcap; do
	agrees "$f"
	name=$(basename "$f" .pcap)
	case $name in
	nmap_sT | nmap_sU | payloads | system_*) expected= ;;
	*) expected=${name%%_*} ;;
	esac
	got=$(tail -1 "$WORK/json" | jq -r '.tools | keys | join(" ")')
	[ "$got" = "$expected" ] || fail "$f: tools are \"$got\", not \"$expected\""
	recognised=$((recognised + 1))
done

# Summary: the same figures, readable, no line too long; blocks only where the locale has them.
LC_ALL=C.UTF-8 telescope "$WORK/dark.pcap" >"$WORK/text" || fail "no summary"
grep -q "^1 file, 40,000 packets" "$WORK/text" || fail "$(head -1 "$WORK/text")"
for title in Frames 'Kinds of traffic' Tools 'Ports asked for' 'Payloads that are known' Sources 'Attack or survey'; do
	grep -q "^$title " "$WORK/text" || fail "the summary has no table \"$title\""
done
grep -q '█' "$WORK/text" || fail "no sparkline"
[ "$(wc -L <"$WORK/text")" -le 100 ] || fail "a line of the summary is $(wc -L <"$WORK/text") wide"
grep -q ' $' "$WORK/text" && fail "spaces at the end of a line"
[ "$(awk '$1 == "mirai" {print $2; exit}' "$WORK/text" | tr -d ,)" = "$(field "$said" .tools.mirai.packets)" ] || fail "Mirai's packets differ"
flood=$(awk '/^Floods/ {getline; print $1, $2}' "$WORK/text" | tr -d ,)
[ "$flood" = "10.1.2.3 $(field "$said" .classes.spoofed.packets)" ] || fail "the flood in the summary is \"$flood\": $(jq -c .classes <<<"$said")"
scanner=$(awk '/^Scans/ {getline; print $1, $2}' "$WORK/text" | tr -d ,)
[ "$(tcpdump -nr "$WORK/dark.pcap" src "${scanner% *}" 2>/dev/null | wc -l)" = "${scanner#* }" ] || fail "the scanner in the summary: $scanner"
LC_ALL=C telescope "$WORK/dark.pcap" --top 1000 | grep -q 'and 1[0-9]\{10\}' && fail "a table has more rows than there can be"
LC_ALL=C telescope "$WORK/dark.pcap" --top 3 >"$WORK/ascii" || fail "no ASCII summary"
LC_ALL=C grep -q '[^ -~]' "$WORK/ascii" && fail "the C locale gets more than ASCII"

# CSV as Python reads it: the accounts of JSON, cell by cell.
telescope "$WORK/dark.pcap" --json >"$WORK/json"
telescope "$WORK/dark.pcap" --csv >"$WORK/csv" || fail "no CSV"
python3 - "$WORK" <<'EOP' || fail "CSV and JSON differ"
import csv, json, sys
work = sys.argv[1]
accounts = [a for a in map(json.loads, open(work + "/json")) if a.get("type") == "account"]
rows = list(csv.DictReader(open(work + "/csv", newline="")))
assert len(rows) == len(accounts)
payloads = 0
for row, a in zip(rows, accounts):
    assert None not in row and None not in row.values(), row
    for name in ("source", "first", "last", "packets", "bytes", "destinations", "proto", "ttl_min", "ttl_max",
                 "ttl_initial", "hops", "class", "end"):
        assert row[name] == str(a[name]), (name, row, a)
    for name in ("destination", "port", "icmp_type", "icmp_code", "tool", "p0f", "ja4t", "payload_name"):
        assert row[name] == str(a.get(name, "")), (name, row, a)
    assert row["flags"] == a.get("flags_text", "") and row["answer"] == str(int(a["answer"]))
    if row["payload"]:
        payloads += 1
        raw = bytes.fromhex(row["payload"])
        assert a["payload"] in (raw.decode("utf-8", "replace"), raw.decode("latin-1")), (row, a)
assert payloads > 100
EOP

# FlowTuple 3: the fields that corsaro's readers know, whoever reads it; each packet of IPv4 in it.
telescope "$WORK/dark.pcap" --flowtuple "$WORK/tuples.avro" --quiet >"$WORK/out" 2>"$WORK/errors" || fail "$(cat "$WORK/errors")"
[ -s "$WORK/out" ] && fail "--quiet says $(head -1 "$WORK/out")"
grep -q 'packets of IPv6 are not in it' "$WORK/errors" || fail "no word on IPv6: $(cat "$WORK/errors")"
avrocat "$WORK/tuples.avro" >"$WORK/tuples" || fail "avrocat cannot read it"
names='["time","src_ip","dst_ip","src_port","dst_port","protocol","ttl","tcp_flags","ip_len","tcp_synlen","tcp_synwinlen","packet_cnt","is_spoofed","is_masscan","maxmind_continent","maxmind_country","netacq_continent","netacq_country","prefix2asn"]'
[ "$(head -1 "$WORK/tuples" | jq -c keys_unsorted)" = "$names" ] || fail "FlowTuple has $(head -1 "$WORK/tuples" | jq -c keys_unsorted)"
[ "$(jq -s 'map(.packet_cnt) | add' "$WORK/tuples")" = "$(field "$said" .frames.v4)" ] || fail "FlowTuple's packets are not those of IPv4"
theirs=$(tshark -n -r "$WORK/dark.pcap" -Y ip -T fields -e ip.src -e ip.dst -e ip.len 2>/dev/null | sort -u | wc -l)
ours=$(jq -r '"\(.src_ip) \(.dst_ip) \(.ip_len)"' "$WORK/tuples" | sort -u | wc -l)
[ "$theirs" = "$ours" ] || fail "$ours sources, destinations and lengths; tshark has $theirs"
masscan=$(telescope $CAPTURES/masscan_1.3.2.pcap --flowtuple "$WORK/masscan.avro" --quiet && avrocat "$WORK/masscan.avro" | jq -s 'map(.is_masscan) | unique | tostring' -r)
[ "$masscan" = '[1]' ] || fail "is_masscan of masscan's packets: $masscan"
if [ $AVRO != none ]; then
	$AVRO - "$WORK/tuples.avro" "$WORK/tuples" <<-'EOP' || fail "Python's avro reads something else"
	import json, sys
	from avro.datafile import DataFileReader
	from avro.io import DatumReader
	with DataFileReader(open(sys.argv[1], "rb"), DatumReader()) as reader:
	    schema = json.loads(reader.meta["avro.schema"])
	    assert (schema["namespace"], schema["name"]) == ("org.caida.corsaro", "flowtuple"), schema
	    types = {f["name"]: f["type"]["type"] for f in schema["fields"]}
	    assert types["time"] == types["src_ip"] == types["packet_cnt"] == "long" and types["ttl"] == "int", types
	    theirs = list(reader)
	assert theirs == [json.loads(line) for line in open(sys.argv[2])]
	EOP
else
	echo "python3-avro is missing: FlowTuple was read by libavro only"
fi

# A slice is what tcpdump would have taken, to the byte.
source=$(jq -rs '[.[] | select(.type == "source")] | max_by(.packets).address' "$WORK/json")
telescope "$WORK/dark.pcap" --quiet --slice "$source" --write "$WORK/slice.pcap" || fail "no slice"
tcpdump -nr "$WORK/dark.pcap" -w "$WORK/theirs.pcap" src "$source" 2>/dev/null
frames() { tshark -n -r "$1" -T fields -e frame.time_epoch -e frame.len -e ip.src -e ip.id 2>/dev/null; }
[ "$(frames "$WORK/slice.pcap" | wc -l)" -gt 20 ] && cmp -s <(frames "$WORK/slice.pcap") <(frames "$WORK/theirs.pcap") || fail "the slice differs from tcpdump's"
[ "$(capinfos -cdMTr "$WORK/slice.pcap" | cut -f2,3)" = "$(capinfos -cdMTr "$WORK/theirs.pcap" | cut -f2,3)" ] || fail "capinfos sees another slice"
telescope "$WORK/dark.pcap" --quiet --slice 192.0.2.99 --write "$WORK/none.pcap" && [ "$(capinfos -cTMr "$WORK/none.pcap" 2>/dev/null | cut -f2)" = 0 ] || fail "a source that never came"

# Ways in.  Several files are as one.
gzip -k "$WORK/dark.pcap" && zstd -q "$WORK/dark.pcap" || fail "packing"
without() { jq -c "del(.memory)" <<<"$1"; }
for f in dark.pcap.gz dark.pcap.zst; do
	[ "$(without "$(last "$WORK/$f")")" = "$(without "$said")" ] || fail "$f is read otherwise"
done
for f in dark.pcap dark.pcap.gz dark.pcap.zst; do
	got=$(cat "$WORK/$f" | timeout 60 "$KANSOKU" telescope read - --json --summary-only) || fail "$f from standard input"
	[ "$(without "$got")" = "$(without "$said")" ] || fail "$f from standard input is read otherwise"
done
got=$(last $CAPTURES/zmap_2.1.1.pcap "$WORK/dark.pcap.gz" $CAPTURES/mirai.pcap)
[ "$(field "$got" '"\(.files) \(.packets)"')" = "3 $((PACKETS + 24 + 20))" ] || fail "three files: $got"

# What is wrong: one sentence, the status, and everything that could be read is told.
wrong() { # status, words, arguments...
	local want=$1 words=$2 got
	shift 2
	telescope "$@" >"$WORK/out" 2>"$WORK/errors"
	got=$?
	[ $got = "$want" ] || fail "$*: status $got, expected $want: $(cat "$WORK/errors")"
	grep -qF -- "$words" "$WORK/errors" || fail "$*: no \"$words\" in: $(cat "$WORK/errors")"
	[ "$(grep -c '^kansoku: ' "$WORK/errors")" = 1 ] || fail "$*: not one sentence: $(cat "$WORK/errors")"
}
told() { [ "$(jq -r "\"\(.packets) \(.torn) \(.broken)\"" "$WORK/out")" = "$1" ] || fail "$2: $(cat "$WORK/out")"; }
: >"$WORK/empty.pcap"
head -c 5000 /dev/urandom >"$WORK/garbage.pcap"
printf 'GIF8' | cat - "$WORK/garbage.pcap" >"$WORK/no.pcap"
size=$(stat -c %s "$WORK/dark.pcap")
head -c $((size - 7)) "$WORK/dark.pcap" >"$WORK/torn.pcap"
head -c 60000 "$WORK/dark.pcap.gz" >"$WORK/torn.pcap.gz"
(cat "$WORK/dark.pcap"; head -c 64 /dev/zero | tr '\0' '\377') >"$WORK/lie.pcap"
wrong 1 "$WORK/absent.pcap: No such file or directory" "$WORK/dark.pcap" "$WORK/absent.pcap"
[ -s "$WORK/out" ] && fail "it began to read although a file is not there"
wrong 1 "$WORK: is a directory, name the captures in it" "$WORK"
wrong 1 "$WORK/empty.pcap: " "$WORK/empty.pcap" --json --summary-only
told "0 0 1" "an empty file"
wrong 1 "$WORK/no.pcap: " "$WORK/no.pcap" "$WORK/dark.pcap" --json --summary-only
told "$PACKETS 0 1" "a file of garbage before a good one"
wrong 0 "$WORK/torn.pcap: ends within a frame, read up to there" "$WORK/torn.pcap" --json --summary-only
told "$((PACKETS - 1)) 1 0" "a torn file"
wrong 0 "$WORK/torn.pcap.gz: ends within a frame" "$WORK/torn.pcap.gz" --json --summary-only
[ "$(jq .packets "$WORK/out")" -gt 1000 ] || fail "a torn gzip file: $(cat "$WORK/out")"
wrong 1 "$WORK/lie.pcap: at byte $size: a frame of 4294967295 bytes" "$WORK/lie.pcap" --json --summary-only
told "$PACKETS 0 1" "a lie"
wrong 1 "$WORK/none/x.avro: No such file or directory" "$WORK/dark.pcap" --flowtuple "$WORK/none/x.avro"
wrong 1 "$WORK/none/x.pcap: cannot be written: No such file or directory" "$WORK/dark.pcap" --slice "$source" --write "$WORK/none/x.pcap"
wrong 2 '--csv and --json both write on standard output' "$WORK/dark.pcap" --json --csv
wrong 2 '--write goes with --slice, which is not given' "$WORK/dark.pcap" --write "$WORK/x.pcap"
wrong 2 '--slice: "nobody" is not an address' "$WORK/dark.pcap" --slice nobody --write "$WORK/x.pcap"
wrong 2 '--prefix: "10.0.0.0/99" is not a prefix' "$WORK/dark.pcap" --prefix 10.0.0.0/99
wrong 2 '--memory: "16M" is not right' "$WORK/dark.pcap" --memory 16M
wrong 2 '--top: "0" is not a number from 1 to 1024' "$WORK/dark.pcap" --top 0
wrong 2 'standard input (-) is named twice' - -
printf 'payloads:\n- {name: Big, proto: udp}\n' >"$WORK/bad.yaml"
wrong 1 "$WORK/bad.yaml:2: name: \"Big\" is not of small letters" "$WORK/dark.pcap" --signatures "$WORK/bad.yaml"
if [ -w /dev/full ]; then
	for how in --json --csv --text; do
		timeout 60 "$KANSOKU" telescope read "$WORK/dark.pcap" $how >/dev/full 2>"$WORK/errors"
		[ $? = 1 ] && grep -q 'standard output: No space left on device' "$WORK/errors" || fail "$how to a full disk: $(cat "$WORK/errors")"
	done
	wrong 1 '/dev/full: No space left on device' "$WORK/dark.pcap" --quiet --slice "$source" --write /dev/full
	wrong 1 '/dev/full: No space left on device' "$WORK/dark.pcap" --quiet --flowtuple /dev/full
fi
# A reader that has seen enough: not a word, and files beside it are whole.
for how in --json --csv; do
	timeout 60 "$KANSOKU" telescope read "$WORK/dark.pcap" "$WORK/dark.pcap.gz" $how 2>"$WORK/errors" | head -1 >"$WORK/out"
	status=${PIPESTATUS[0]}
	[ "$status" -le 1 ] && [ ! -s "$WORK/errors" ] && [ -s "$WORK/out" ] || fail "$how | head -1: status $status, $(cat "$WORK/errors")"
done

# Prefixes: the others are counted, and nothing else.
theirs=$(tcpdump -nr "$WORK/dark.pcap" 'dst net 10.0.0.0/10 or dst net 10.64.0.0/16' 2>/dev/null | wc -l)
got=$(last "$WORK/dark.pcap" --prefix 10.0.0.0/10 --prefix 10.64.0.0/16)
[ "$(field "$got" '"\(.frames.taken) \(.packets - .frames.taken == .frames.elsewhere) \(.packets)"')" = "$theirs true $PACKETS" ] || fail "prefixes: $got, tcpdump counts $theirs"
printf 'telescope: {prefixes: [{prefix: 10.0.0.0/10}, {prefix: 10.64.0.0/16}]}\n' >"$WORK/prefixes.yaml"
[ "$(without "$(last "$WORK/dark.pcap" --config "$WORK/prefixes.yaml")")" = "$(without "$got")" ] || fail "the prefixes of a configuration"

# Time-out and interval cut accounts; time that goes backwards loses nothing.
telescope "$WORK/dark.pcap" --timeout 10s --interval 60s --json >"$WORK/json" && python3 "$WORK/check.py" "$WORK/json" >/dev/null || fail "with short times"
[ "$(tail -1 "$WORK/json" | jq '.ends.quiet > 100 and .ends.interval > 0')" = true ] || fail "nothing was cut: $(tail -1 "$WORK/json")"
tac_pcap='import struct, sys
raw = open(sys.argv[1], "rb").read(); at = 24; frames = []
while at < len(raw):
    n = struct.unpack_from("<I", raw, at + 8)[0]; frames.append(raw[at:at + 16 + n]); at += 16 + n
open(sys.argv[2], "wb").write(raw[:24] + b"".join(reversed(frames)))'
python3 -c "$tac_pcap" "$WORK/dark.pcap" "$WORK/back.pcap"
agrees "$WORK/back.pcap"
telescope "$WORK/back.pcap" --timeout 10s --json >"$WORK/json" && python3 "$WORK/check.py" "$WORK/json" >/dev/null || fail "time goes backwards"

# Made-up tools and every malformed frame: each counted once.
for kind in known malformed; do
	$PYTHON tests/e2e/dark_traffic.py "$WORK/$kind.pcap" 02:00:00:00:00:02 $kind >/dev/null || fail "$kind frames cannot be made"
	agrees "$WORK/$kind.pcap"
	telescope "$WORK/$kind.pcap" >"$WORK/text" && telescope "$WORK/$kind.pcap" --csv >"$WORK/csv" || fail "$kind frames: another output"
	telescope "$WORK/$kind.pcap" --quiet --flowtuple "$WORK/x.avro" 2>/dev/null && avrocat "$WORK/x.avro" >/dev/null || fail "$kind frames as FlowTuple"
done

# What the signatures know of is not new, also where they look beyond the sample that is kept.
got=$(telescope $CAPTURES/payloads.pcap --json | jq -r 'select(.type == "new_payload") | "\(.proto) \(.ports[0])"' | sort | paste -sd,)
[ "$got" = "tcp 40001,tcp 9999,udp 40001,udp 9" ] || fail "new among known payloads: $got"

# A payload that is new is shown; the suggestion, put in a file, knows it and all of its kind.
$PYTHON - "$WORK/new.pcap" <<'EOP' || fail "no new payloads"
import random, sys
from scapy.all import IP, TCP, UDP, Ether, Raw, wrpcap
random.seed(5)
packets = []
for i in range(60):
    ip = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src="203.0.113.%d" % (1 + i), dst="198.18.0.%d" % (1 + i % 20), ttl=50)
    packets.append(ip / UDP(sport=4000 + i, dport=40404) / Raw(b"\xfe\x27QZ" + random.randbytes(4) + b"\x00\x01'get|all'" + b"\0" * 12))
    packets.append(ip / TCP(sport=4000 + i, dport=40405, flags="PA") / Raw(b"HOLLA %d friend\r\nkey=" % random.randrange(1000, 9999) + b"z" * random.randrange(6)))
    packets.append(ip / UDP(sport=4000 + i, dport=1024 + i) / Raw(random.randbytes(40)))
wrpcap(sys.argv[1], packets)
EOP
agrees "$WORK/new.pcap"
jq -r 'select(.type == "new_payload" and .sources > 50) | .signature' "$WORK/json" >"$WORK/suggested"
[ "$(wc -l <"$WORK/suggested")" = 2 ] || fail "not two groups: $(grep new_payload "$WORK/json" | head -3)"
telescope "$WORK/new.pcap" >"$WORK/text"
grep -q '^Payloads that are new' "$WORK/text" && grep -q 'tcp 40405 .*HOLLA ' "$WORK/text" || fail "the summary does not show them"
(echo payloads:; awk '{sub("unnamed", "new." NR); print}' "$WORK/suggested") >"$WORK/new.yaml"
telescope "$WORK/new.pcap" --json --signatures "$WORK/new.yaml" >"$WORK/json" || fail "the suggestion is no signature: $(cat "$WORK/new.yaml")"
[ "$(jq -r 'select(.payload_name != null and (.payload_name | startswith("new."))) | .port' "$WORK/json" | sort | uniq -c | awk '{print $1, $2}' | paste -sd,)" = "60 40404,60 40405" ] ||
	fail "the suggestion does not know its own: $(cat "$WORK/new.yaml")"
jq -e 'select(.type == "new_payload" and .sources > 5)' "$WORK/json" >/dev/null && fail "known payloads are still new"

# The same in the alerts of another sensor, where a known payload is told apart as well.
$PYTHON - >"$WORK/eve.json" <<'EOP'
import base64, json
for i in range(30):
    for port, payload in ((5555, b"CNXM\0\0\0\1" + bytes([i, 7, i]) + b"host::x"), (123, b"\x17\0\3\x2a" + b"\0" * 4)):
        print(json.dumps({"timestamp": "2026-11-20T10:00:%02d.000000+0000" % i, "event_type": "alert", "src_ip": "203.0.113.%d" % i,
                          "src_port": 4, "dest_ip": "198.51.100.7", "dest_port": port, "proto": "UDP",
                          "payload": base64.b64encode(payload).decode(),
                          "alert": {"signature_id": 5, "signature": "test", "category": "Misc", "severity": 2}}))
EOP
timeout 60 "$KANSOKU" sensors read eve "$WORK/eve.json" --json >"$WORK/json" || fail "sensors read"
got=$(jq -r 'select(.type == "new_payload") | "\(.sources) of \(.ports): \(.pattern)"' "$WORK/json")
[ "$got" = '30 of [5555]: CNXM|00*3 01 ?? 07 ??|host::x' ] || fail "new payloads of alerts: $got"
timeout 60 "$KANSOKU" sensors read eve "$WORK/eve.json" | grep -q 'udp 5555, from 30 sources: CNXM|' || fail "sensors read does not show a new payload"

# Sources that are seen once, a million of them, where there is room for a part of them: all are counted.
# Tables grow by pieces, so that a piece more than the bound may be seen before it is given back.
$GENERATE $MANY $MANY 600 >"$WORK/million.pcap" || fail "no capture of a million sources"
got=$(last "$WORK/million.pcap" --memory ${ROOM}M)
[ "$(telescope "$WORK/million.pcap" --memory ${ROOM}M --csv | awk -F, 'NR > 1 {n += $4} END {print n, NR - 1}')" = "$MANY $(field "$got" .accounts)" ] ||
	fail "records of $MANY packets do not add up"
[ "$(field "$got" '.ends.early > '$((MANY / 10))' and .memory <= '$(((ROOM + 4) << 20))' and .estimated and .sources > '$((MANY * 85 / 100))' and .sources < '$((MANY * 115 / 100))'')" = true ] ||
	fail "$MANY sources in $ROOM MiB: $got"
telescope "$WORK/million.pcap" --memory ${ROOM}M | grep -q 'accounts were ended early, since memory was short' || fail "the summary does not say so"
echo "telescope_read: $recognised captures of tools, all outputs read back, $PACKETS packets as capinfos and tcpdump count; $MANY sources in $ROOM MiB, $(field "$got" .ends.early) accounts ended early"
