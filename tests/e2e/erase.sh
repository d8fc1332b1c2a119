#!/bin/bash
# Erased is gone: from the tables, the journal, the files, and whatever else lies in the state
# directory.  Also what the store refuses, and that its files are its own.
. "$(dirname "$0")/lib.sh"
command -v curl >/dev/null || skip "curl is missing"
loopback_config <<EOT
store: {linger: 100ms}
passive:
  decoys: [{prefix: 127.21.7.1, personas: [camera]}]
  services: {http: {ports: [$HTTP_PORT]}}
  workers: 1
rules: [{name: seen, known: {sessions: {min: 1}}, do: steer, persona: camera}]
EOT
start_kansoku --only journal,store,control,passive
url=http://127.21.7.1:$HTTP_PORT
TOKEN=tok-5e1d9c3b7a SECRET=pw-81f2e6 UPLOAD=upload-of-the-victim-$$

attack() { # source marker
	curl -s -m 20 --interface "$1" -o /dev/null "$url/$2"
	curl -s -m 20 --interface "$1" -o /dev/null -d "loginuse=admin&loginpas=$SECRET-$2" "$url/login.cgi"
	curl -s -m 20 --interface "$1" -o /dev/null -u admin:admin -F "file=<-" "$url/upgrade_firmware.cgi" <<<"$UPLOAD-$2"
}
attack 127.55.0.7 victim
attack 127.55.0.8 other
curl -s -m 20 --interface 127.55.0.8 -o /dev/null "$url/?x=$TOKEN"
curl -s -m 20 --interface 127.55.0.8 -o /dev/null "$url/?from=127.55.0.7"

count() { query "SELECT count() FROM log WHERE $1"; }
for _ in $(seq 100); do
	[ "$(count "src = '127.55.0.7'")" -ge 3 ] && [ "$(count "arrayExists(v -> position(v, '$TOKEN') > 0, value)")" -ge 1 ] && break
	sleep 0.2
done
[ "$(count "src = '127.55.0.7'")" -ge 3 ] || fail "the attack did not reach the store"
for _ in $(seq 50); do # what control knows of both is in its state
	[ "$(count "kind = 'decision.made' AND src IN ('127.55.0.7', '127.55.0.8')")" = 2 ] && break
	sleep 0.2
done
binary() { LC_ALL=C grep -rlaP -- '\x00\x00\xff\xff\x7f\x37\x00\x07' "$STATE" 2>/dev/null | grep -v '/run/'; }
binary | grep -q control/ || fail "control does not know the victim, so it cannot be seen to forget"
others=$(count "src = '127.55.0.8'")

traces() { # what a text leaves behind: files that hold it
	LC_ALL=C grep -rlaF -- "$1" "$STATE" 2>/dev/null | grep -v '/run/'
}
[ -n "$(binary)" ] || fail "the check looks for bytes that are not there before either"

"$KANSOKU" erase --config "$CONFIG" --dry-run 127.55.0.7 | grep -q '^would erase [1-9]' || fail "dry run counts nothing"
[ "$(count "src = '127.55.0.7'")" -ge 3 ] || fail "a dry run erased"
"$KANSOKU" erase --config "$CONFIG" 127.55.0.7 | grep -q '^erased [1-9]' || fail "nothing was erased"
[ "$(count "src = '127.55.0.7' OR dst = '127.55.0.7'")" = 0 ] || fail "the address is still in the tables"
[ -z "$(binary)" ] || fail "the address's bytes lie in: $(binary)"
for text in 127.55.0.7 "$SECRET-victim" "$UPLOAD-victim"; do
	[ -z "$(traces "$text")" ] || fail "$text lies in: $(traces "$text")"
done
# Only the request that named the victim went from the other's events.
left=$(count "src = '127.55.0.8'")
[ "$left" -lt "$others" ] && [ "$left" -ge $((others - 3)) ] || fail "the other source has $left of $others events"

"$KANSOKU" erase --config "$CONFIG" "$TOKEN" >/dev/null || fail "the token was not erased"
[ -z "$(traces "$TOKEN")" ] || fail "the token lies in: $(traces "$TOKEN")"
"$KANSOKU" erase --config "$CONFIG" --from 2001-01-01 --to 2100-01-01 --json | grep -q '"dry_run":false' || fail "no range"
[ "$(count "src = '127.55.0.8'")" = 0 ] || fail "the range was not erased"

"$KANSOKU" erase --config "$CONFIG" abc 2>/dev/null; [ $? = 2 ] || fail "three letters were taken for a text"
"$KANSOKU" erase --config "$CONFIG" --from 2002-01-01 --to 2001-01-01 2>/dev/null; [ $? = 2 ] || fail "a range backwards"
for sql in 'DROP TABLE events' "SELECT * FROM url('http://127.0.0.1/')" 'SELECT 1; SELECT 2' 'SELECT count() FROM private'; do
	query "$sql" >/dev/null 2>&1 && fail "allowed: $sql"
done
[ "$("$KANSOKU" query --config "$CONFIG" --private --format tsv 'SELECT count() >= 0 FROM private')" = 1 ] ||
	fail "the operator cannot read private values"
for folder in journal store blobs; do
	[ "$(stat -c %a "$STATE/$folder")" = 700 ] || fail "$folder can be read by others"
done
# After a crash and a new start nothing comes back.
kill -9 "$(role_pid journal)" "$(role_pid store)"
sleep 2
attack 127.55.0.9 later
for _ in $(seq 100); do
	[ "$(count "src = '127.55.0.9'" 2>/dev/null || echo 0)" -ge 3 ] && break
	sleep 0.2
done
[ "$(count "src = '127.55.0.9'")" -ge 3 ] || fail "no events after a crash"
[ "$(count "src = '127.55.0.7'")" = 0 ] || fail "what was erased came back"
"$KANSOKU" backup --config "$CONFIG" "$WORK/backup" | grep -q 'bytes of tables' || fail "no backup"
tar tf "$WORK/backup/tables.tar" | grep -q metadata || fail "the backup is no archive"
stop_kansoku || fail "it did not end well"
[ "$(query "SELECT count() FROM log WHERE src = '127.55.0.9'")" -ge 3 ] || fail "no answer without a running kansoku"
echo "erase: gone from tables, journal and files"
