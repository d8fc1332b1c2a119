#!/bin/bash
# Indicators and intelligence of others: what we read of files that Python wrote is what Python put into them; hostile
# strings arrive in the store byte for byte; a second import doubles nothing, and what changed comes in anew.
. "$(dirname "$0")/lib.sh"
for tool in jq python3; do
	command -v $tool >/dev/null || skip "needs $tool"
done
trap 'stop_kansoku; rm -rf "$WORK"' EXIT

# Files with their truth beside them: "TYPE VALUE" a line, sorted.
python3 - "$WORK" <<'EOT'
import csv, io, json, random, sys, uuid
work, draw = sys.argv[1], random.Random(7)
def address(): return "198.51.%d.%d" % (draw.randrange(256), draw.randrange(256))
def keep(name, content, truth):
    open("%s/%s" % (work, name), "w", newline="").write(content)
    open("%s/%s.truth" % (work, name), "w").write("".join(sorted(set(t + "\n" for t in truth))))
def stamp(i): return "2024-07-05T%02d:%02d:%02d" % (i // 3600 % 24, i // 60 % 60, i % 60)

objects, truth = [], []
for i in range(2000):
    kind = i % 4
    value = [address(), "n%d.example.net" % i, "http://n%d.example.org/a'b\\c" % i, "%064x" % draw.getrandbits(256)][kind]
    path = ["ipv4-addr:value", "domain-name:value", "url:value", "file:hashes.'SHA-256'"][kind]
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    objects.append({"type": "indicator", "spec_version": "2.1", "id": "indicator--" + str(uuid.UUID(int=draw.getrandbits(128), version=4)),
        "created": "2024-07-01T00:00:00.000Z", "modified": stamp(i) + ".000Z", "pattern_type": "stix", "valid_from": stamp(i) + "Z",
        "pattern": "[%s = '%s']" % (path, quoted), "object_marking_refs": ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]})
    truth.append("%s %s" % (["address", "domain", "url", "hash"][kind], value))
keep("stix", json.dumps({"type": "bundle", "id": "bundle--" + str(uuid.uuid4()), "objects": objects}, indent=1), truth)
objects[1]["modified"] = "2024-08-01T00:00:00.000Z"
keep("stix.changed", json.dumps({"type": "bundle", "id": "bundle--" + str(uuid.uuid4()), "objects": objects}), truth)

attributes, truth = [], []
for i in range(1000):
    value = address()
    port = draw.randrange(1, 65536)
    attributes.append({"uuid": str(uuid.UUID(int=draw.getrandbits(128), version=4)), "type": "ip-dst|port", "category": "Network activity",
        "value": "%s|%d" % (value, port), "to_ids": True, "timestamp": str(1720170000 + i)})
    truth.append("endpoint %s:%d" % (value, port))
keep("misp", json.dumps({"Event": {"uuid": str(uuid.uuid4()), "info": "x", "Tag": [{"name": "tlp:green"}], "Attribute": attributes}}), truth)

out, truth = io.StringIO(), []
out.write("# abuse.ch\r\n# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\r\n")
writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
for i in range(1000):
    url = 'http://%s/%d?q="a,b",%s' % (address(), i, "é" if i % 7 == 0 else "")
    writer.writerow([i, "2024-07-05 10:12:06", url, "online", "", "malware_download", "elf,mips", "https://urlhaus.example/%d/" % i, "r"])
    truth.append("url " + url)
keep("urlhaus", out.getvalue(), truth)

lines, truth = [], []
for i in range(1000):
    source = address()
    lines.append({"eventid": "cowrie.login.failed", "username": "root'; DROP TABLE events; --\n\n\u0001é", "password": "x\u0000y", "src_ip": source,
        "session": "%08x" % i, "timestamp": stamp(i) + ".%06dZ" % i})
    truth.append("address " + source)
keep("cowrie", "".join(json.dumps(l, ensure_ascii=i % 2 == 0) + "\n" for i, l in enumerate(lines)), truth)

lines, truth = [], []
for i in range(1000):
    source, type = address(), ["alert", "flow", "stats", "http"][i % 4]
    lines.append(json.dumps({"timestamp": stamp(i) + ".000000+0200", "event_type": type, "src_ip": source, "src_port": 40000, "dest_ip": "192.0.2.1",
        "dest_port": 23, "proto": "TCP", "alert": {"signature": "x \"y\"", "signature_id": i}, "padding": [[{}], {"a": [1, 2]}]}))
    if type != "stats": truth.append("address " + source)
keep("eve", "\n".join(lines) + "\n", truth)

lines, truth = ["#separator \\x09", "#path\tconn", "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tconn_state"], []
for i in range(1000):
    source = address()
    lines.append("1720170000.%06d\tC%d\t%s\t40000\t192.0.2.1\t23\ttcp\tS0" % (i, i, source))
    truth.append("address " + source)
keep("zeek", "\n".join(lines) + "\n", truth)

lines, truth = [], []
for i in range(1000):
    source = address()
    lines.append(json.dumps({"classification.type": ["c2-server", "infected-system"][i % 2], "source.ip": source, "source.port": 1 + i, "raw": "eA=="}))
    truth.append("endpoint %s:%d" % (source, 1 + i) if i % 2 == 0 else "address " + source)
keep("intelmq", "\n".join(lines) + "\n", truth)

# A feed of MISP as it lies in a folder.
import hashlib, os
os.mkdir(work + "/feed")
events = [str(uuid.UUID(int=draw.getrandbits(128), version=4)) for _ in range(3)]
for n, event in enumerate(events):
    json.dump({"Event": {"uuid": event, "info": "event %d" % n, "Orgc": {"name": "CERT"}, "Attribute": [{"uuid": str(uuid.uuid4()), "type": "domain",
        "value": "feed%d-%d.example.net" % (n, k), "to_ids": True, "timestamp": "1720170000"} for k in range(50)]}}, open("%s/feed/%s.json" % (work, event), "w"))
json.dump({event: {"info": "x", "Orgc": {"name": "CERT"}, "timestamp": "1720170000"} for event in events}, open(work + "/feed/manifest.json", "w"))
open(work + "/feed/hashes.csv", "w").write("".join("%s,%s\n" % (hashlib.md5(e.encode()).hexdigest(), e) for e in events))

lines, truth = ['{"cond":"begin"}'], []
for i in range(1000):
    lines.append(json.dumps({"obj": {"rrname": "H%d.Example.com." % i, "rrtype": "A", "rdata": [address()], "count": i + 1, "time_first": 1, "time_last": 1720170000 + i}}))
    truth.append("name h%d.example.com" % i)
keep("cof", "\n".join(lines) + "\n", truth)
EOT

dry() { # format, file
	"$KANSOKU" import "$1" "$WORK/$2" --dry --json >"$WORK/dry" 2>"$WORK/complaints" || true
	jq -r 'select(.type) | "\(.type) \(.value)"' "$WORK/dry" | LC_ALL=C sort -u >"$WORK/ours"
	LC_ALL=C sort -u "$WORK/$2.truth" | diff - "$WORK/ours" >"$WORK/difference" || fail "$2 is read differently: $(head -4 "$WORK/difference")"
}
for name in stix misp urlhaus cowrie eve zeek intelmq cof; do
	dry $name $name
done
grep -q 'the answer is not whole: it was cut' "$WORK/complaints" || fail "a cut answer passed for a whole one: $(cat "$WORK/complaints")"

loopback_config <<EOT
exchange: {sources: [{name: feed, format: misp, path: $WORK/feed, every: 1s, tlp: green}]}
EOT
start_kansoku
take() { "$KANSOKU" import "$1" "$WORK/$2" --source partner --tlp amber --config "$CONFIG" --json >"$WORK/told" || fail "$2: $(cat "$WORK/told")"; }
take stix stix
[ "$(jq .records "$WORK/told")" = 2000 ] && [ "$(jq .bad "$WORK/told")" = 0 ] || fail "of the bundle came: $(cat "$WORK/told")"
take stix stix
[ "$(jq .records "$WORK/told")" = 0 ] || fail "a bundle came in twice: $(cat "$WORK/told")"
take stix stix.changed
[ "$(jq .records "$WORK/told")" = 1 ] || fail "of a bundle with one change came: $(cat "$WORK/told")"
take cowrie cowrie
wanted=$(printf 'root%s; DROP TABLE events; --\n\n\001é' "'" | od -An -tx1 | tr -d ' \n')
for _ in $(seq 60); do
	count=$(query "SELECT count() FROM events WHERE kind = 'record.imported' AND lower(hex(login_user)) = '$wanted'" 2>/dev/null | tail -1)
	[ "$count" = 1000 ] && break
	sleep 0.3
done
[ "$count" = 1000 ] || fail "hostile names in the store: $count of 1000; $(query "SELECT lower(hex(login_user)) FROM events WHERE login_user != '' LIMIT 1")"
# The source's marking is stricter than the bundle's own, and holds.
strict=$(query "SELECT count() FROM events WHERE value[indexOf(field, 'record.tlp')] = 'AMBER' AND value[indexOf(field, 'record.format')] = 'stix'" | tail -1)
[ "$strict" = 2001 ] || fail "marked AMBER: $strict of 2001"
fed=$(query "SELECT uniqExact(value[indexOf(field, 'indicator.value')]) FROM events WHERE value[indexOf(field, 'record.source')] = 'feed'" | tail -1)
[ "$fed" = 150 ] || fail "of the feed's 150 names came $fed"
down=$(query "SELECT count() FROM events WHERE kind = 'sensor.changed' AND service = 'exchange/feed' AND state = 'down'" | tail -1)
[ "$down" = 0 ] || fail "the feed was said to be down: $(tail -3 "$LOG")"
grep -q 'exchange: feed: .* [1-9][0-9]* unreadable' "$LOG" && fail "of the feed something was unreadable: $(grep 'exchange: feed' "$LOG")"
echo "STIX, MISP and its feeds, URLhaus, Cowrie, EVE, Zeek, IntelMQ and passive DNS are read as Python wrote them; once each, byte for byte, marked"
