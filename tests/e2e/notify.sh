#!/bin/bash
# A rule tells people by each way: a web server, a mail server and a file get what was gathered, and a way that
# does not work is told of once, tried again, and gets what waited.
. "$(dirname "$0")/lib.sh"
for tool in jq curl python3; do
	command -v $tool >/dev/null || skip "needs $tool"
done
HOOK=$BASE_PORT SMTP=$((BASE_PORT + 1)) LATE=$((BASE_PORT + 3))
cat >"$WORK/hook.py" <<'EOT'
import http.server, sys
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(sys.argv[2], "ab") as f:
            f.write(body + b"\n")
        with open(sys.argv[2] + ".headers", "a") as f:
            f.write(str(self.headers))
        self.send_response(204)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Hook).serve_forever()
EOT
cat >"$WORK/smtp.py" <<'EOT'
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    s, _ = server.accept()
    f = s.makefile("rwb")
    def say(line):
        f.write(line + b"\r\n")
        f.flush()
    say(b"220 mail.example.org ESMTP")
    for line in f:
        verb = line[:4].upper()
        if verb == b"DATA":
            say(b"354 go on")
            with open(sys.argv[2], "ab") as out:
                for line in f:
                    if line == b".\r\n":
                        break
                    out.write(line)
        if verb == b"QUIT":
            say(b"221 bye")
            break
        say(b"250 ok")
    f.close()
    s.close()
EOT
python3 "$WORK/hook.py" $HOOK "$WORK/hook" 2>"$WORK/hook.log" & SERVERS=$!
python3 "$WORK/smtp.py" $SMTP "$WORK/mail" 2>"$WORK/smtp.log" & SERVERS="$SERVERS $!"

with_rules() { # ways
	loopback_config <<-EOT
	exchange: {sources: []}
	notify: {every: 2s, most: 2, ways: [$1]}
	rules:
	  - {name: named, on: record.imported, when: {indicator.type: url}, do: notify}
	EOT
}
with_rules ''
"$KANSOKU" check-config --config "$CONFIG" >"$WORK/said" 2>&1 && fail "a rule that tells nobody was taken"
grep -q 'nobody would be told' "$WORK/said" || fail "complaint: $(cat "$WORK/said")"
with_rules "{name: hook, way: webhook, to: \"http://127.0.0.1:$HOOK/in\", secret: open-sesame}, {name: file, way: file, to: $WORK/notices},
	{name: duty, way: mail, to: duty@example.org, from: kansoku@example.org, server: \"smtp://127.0.0.1:$SMTP\"},
	{name: late, way: webhook, to: \"http://127.0.0.1:$LATE/\"}"
"$KANSOKU" check-config --config "$CONFIG" >"$WORK/said" 2>&1 || fail "a right configuration was refused: $(cat "$WORK/said")"
start_kansoku
observe() { # name, URLs...
	printf '%s\n' "${@:2}" >"$WORK/$1.txt"
	"$KANSOKU" import urls "$WORK/$1.txt" --source "$1" --config "$CONFIG" >/dev/null || fail "$1 was not imported"
}
wait_lines() { # file, count
	for _ in $(seq 80); do
		[ -f "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ] && return
		sleep 0.1
	done
	fail "$1 has no $2 lines: $(cat "$1" "$WORK"/*.log 2>&1 | tail -20)"
}
observe first http://203.0.113.7/a.sh http://203.0.113.8/b.sh http://203.0.113.9/c.sh
wait_lines "$WORK/hook" 1
jq -e '.rule == "named" and .count == 3 and .left_out == 0 and .event.kind == "record.imported" and
	.event["indicator.value"] == "http://203.0.113.7/a.sh" and (.event | has("record.original") | not)' "$WORK/hook" >/dev/null ||
	fail "the web server got: $(cat "$WORK/hook")"
grep -q '^Authorization: Bearer open-sesame' "$WORK/hook.headers" || fail "no bearer token: $(cat "$WORK/hook.headers")"
wait_lines "$WORK/notices" 1
cmp "$WORK/hook" "$WORK/notices" || fail "the file has: $(cat "$WORK/notices")"
wait_lines "$WORK/mail" 8
python3 - "$WORK/mail" <<'EOT' || fail "the mail: $(cat "$WORK/mail")"
import email, email.policy, sys
m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
assert m["To"] == "duty@example.org" and m["From"] == "kansoku@example.org" and m["Date"] and m["Message-ID"], m.items()
assert m["Subject"].startswith("[kansoku] record.imported 3 times since") and not m.defects, m["Subject"]
assert '"indicator.value":"http://203.0.113.7/a.sh"' in m.get_content(), m.get_content()
EOT
# The one that did not listen: told once, and it gets what waited as soon as it does.
python3 "$WORK/hook.py" $LATE "$WORK/late" 2>"$WORK/late.log" & SERVERS="$SERVERS $!"
wait_lines "$WORK/late" 1
cmp "$WORK/hook" "$WORK/late" || fail "the late one got: $(cat "$WORK/late")"
states() { query "SELECT state FROM events WHERE kind = 'sensor.changed' AND service = 'notify/late' ORDER BY time" | grep -x 'up\|down' | tr '\n' ' '; }
for _ in $(seq 40); do [ "$(states)" = "down up " ] && break; sleep 0.2; done
[ "$(states)" = "down up " ] || fail "it was told as: $(states)"
# Two an hour: the third is left out.
observe second http://203.0.113.10/
wait_lines "$WORK/hook" 2
observe third http://203.0.113.11/ http://203.0.113.12/
sleep 3
[ "$(wc -l <"$WORK/hook")" = 2 ] || fail "more than two notices within an hour: $(cat "$WORK/hook")"
# What was gathered is told before the end.
stop_kansoku
sed -i 's/every: 2s, most: 2/every: 1h, most: 20/' "$CONFIG"
start_kansoku
observe fourth http://203.0.113.13/
sleep 1
stop_kansoku
tail -1 "$WORK/hook" | jq -e '.event["indicator.value"] == "http://203.0.113.13/"' >/dev/null || fail "lost at the end: $(cat "$WORK/hook")"
echo "told by web, mail and file: gathered, limited, and again when it works again"
