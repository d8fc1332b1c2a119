#!/bin/bash
# Hosts that answer as badly as they can: every look ends in its bounds, nobody else is asked,
# what a foreign address says is counted and not believed, and an honest host is known meanwhile.
. "$(dirname "$0")/lib.sh"
need_root # their usual ports
for tool in jq python3 openssl; do command -v $tool >/dev/null || skip "$tool is missing"; done
SERVERS=
# A certificate of half a megabyte.
{ echo '[req]'; echo 'distinguished_name=dn'; echo 'x509_extensions=ext'; echo '[dn]'; echo '[ext]'
  echo -n 'subjectAltName='; seq -f 'DNS:host-%.0f.long-name.example' 15000 | paste -sd,; } >"$WORK/req"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=large -days 1 -config "$WORK/req" \
	-keyout "$WORK/key" -out "$WORK/cert" 2>"$WORK/openssl" || fail "no certificate: $(tail -2 "$WORK/openssl")"
cat "$WORK/key" >>"$WORK/cert"
python3 "$(dirname "${BASH_SOURCE[0]}")/hostile_answers.py" "$WORK/cert" >"$WORK/hosts" 2>&1 & HOSTS_PID=$!
SERVERS=$HOSTS_PID
for _ in $(seq 100); do grep -qs ready "$WORK/hosts" && break; sleep 0.1; done
grep -q ready "$WORK/hosts" || skip "the hosts cannot listen here: $(tail -1 "$WORK/hosts")"
loopback_config <<EOT
operator: {name: Test CSIRT, contact: abuse@example.org, page: "https://example.org/probing"}
active:
  scope: [{prefix: 127.50.0.0/24, special: allow}]
  tier: 2
  network_looks: 0
  hold_out: 0
  delay: {min: 0s, max: 0s}
EOT
start_kansoku
before=$(awk '/VmRSS/ {print $2}' "/proc/$(role_pid active)/status")
look() { # number, port...
	"$KANSOKU" probe "127.50.0.$1" --ports "$2" --tier 2 --config "$CONFIG" --json >"$WORK/look.$1" 2>&1
	tail -1 "$WORK/look.$1" >/dev/null
}
began=$SECONDS waiting=
for number in 1 2 3 10; do look $number 23 & waiting="$waiting $!"; done
for number in 4 5 6 7 8 9; do look $number 80 & waiting="$waiting $!"; done
look 11 443 & waiting="$waiting $!"
look 20 1900/udp & waiting="$waiting $!"
for pid in $waiting; do wait $pid; done
[ $((SECONDS - began)) -le 60 ] || fail "the looks took $((SECONDS - began)) s: a bound of time does not hold"
answers() { jq -c 'select(.kind == "host.answered")' "$WORK/look.$1"; }
for number in 1 2 3 4 5 6 7 8 9 10 11 20; do
	[ -n "$(answers $number)" ] || fail "no answer of 127.50.0.$number is told: $(cat "$WORK/look.$number")"
	most=$(answers $number | jq -s 'map(."bytes.in" // 0 | tonumber) | max')
	[ "$most" -le 65536 ] || fail "127.50.0.$number was listened to for $most bytes"
	longest=$(answers $number | jq -s 'map(.duration // 0 | tonumber) | max')
	[ "$longest" -le 11000000 ] || fail "127.50.0.$number held a connection for $longest us"
done
[ "$(answers 1 | jq -r '.banner | length')" -le 2048 ] || fail "an endless banner was kept whole: $(answers 1)"
[ "$(answers 2 | jq -r '."close.reason"')" = limit ] || fail "a drip was not cut: $(answers 2)"
[ "$(answers 4 | wc -l)" -le 4 ] || fail "a redirect loop was followed $(answers 4 | wc -l) times"
[ "$(answers 10 | jq -r .banner | grep -c Honeywell)" = 1 ] || fail "the honest host was not heard: $(answers 10)"
[ "$(answers 20 | jq -r .state)" = silent ] || fail "a foreign answer was believed: $(answers 20)"
kill -TERM $HOSTS_PID
wait $HOSTS_PID
SERVERS=
seen=$(tail -1 "$WORK/hosts")
[ "$(jq -r '."127.50.0.99".connections // 0' <<<"$seen")" = 0 ] || fail "a redirect to another host was followed"
for number in 1 2 3 10 11; do
	[ "$(jq -r ".\"127.50.0.$number\".connections // 0" <<<"$seen")" -le 3 ] || fail "127.50.0.$number: $seen"
done
[ "$(jq -r '."127.50.0.20".bytes' <<<"$seen")" -le 400 ] || fail "a question was repeated too often: $seen"
after=$(awk '/VmRSS/ {print $2}' "/proc/$(role_pid active)/status")
[ $((after - before)) -le 65536 ] || fail "the prober grew by $((after - before)) KiB"
echo "12 hosts, $((SECONDS - began)) s, the prober grew by $((after - before)) KiB"
stop_kansoku
