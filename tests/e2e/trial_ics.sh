#!/bin/bash
# The second trial in small: industrial systems that attack, wrong claims, honeypots, forwarded ports and two vantages,
# between two networks; and the table of 2015 judged as data.
# Exit status 0: nothing stronger than the truth was concluded, 1: the last lines say what was, 77: no right or tool.
cd "$(dirname "$0")/../.." || exit 1
KANSOKU=${KANSOKU:-build/plain/kansoku}
[ "$(id -u)" = 0 ] || { echo "trial_ics.sh: network namespaces want root"; exit 77; }
for tool in ip nft jq python3 curl; do
	command -v $tool >/dev/null || { echo "trial_ics.sh: no $tool here"; exit 77; }
done
fail() { echo "FAIL: $*"; exit 1; }
rows=$("$KANSOKU" report ics --rows bench/trial/ics/table2.txt --json) || fail "the table of 2015 is not read: $rows"
told() { jq -r "select(.row == \"$1\") | $2" <<<"$rows"; }
[ "$(told A '"\(.controller_ttl) \(.attacker_ttl) \(.machines_least) \(.same)"')" = "128 128 1 undecided" ] || fail "row A: $(told A .)"
[ "$(told C .machines_least)" = 2 ] || fail "row C: $(told C .)"
[ "$(jq -s 'map(select(.row != "C" and .machines_least > 1) // empty) | length' <<<"$rows")" = 0 ] || fail "more machines than the source found: $rows"
[ "$(jq -s 'map(select(.same != "undecided")) | length' <<<"$rows")" = 0 ] || fail "a stronger conclusion than the source's: $rows"
"$KANSOKU" report ics --rows /dev/stdin <<<"A; TW; 23; HTTP; 445" >/dev/null 2>&1 && fail "a row that is none was read"

# Without an approval that names their networks nobody is asked anything, whatever was imported and seen.
out=$(timeout 60 bench/trial/run ics --scale 0.06 --unapproved --kansoku "$KANSOKU" 2>&1) || fail "$(tail -12 <<<"$out")"
jq -e '.allowed == 0 and .looks == 0 and .to_look > 5 and .refused == .to_look' <<<"$(tail -1 <<<"$out")" >/dev/null || fail "without an approval: $(tail -3 <<<"$out")"

out=$(timeout 180 bench/trial/run ics --scale 0.12 --kansoku "$KANSOKU" 2>&1) || fail "$(tail -12 <<<"$out")"
last=$(tail -1 <<<"$out")
jq -e '.rows_told == .rows and .as_they_are == .attacking and .rows >= 12 and .calibrated and .different > 2 and .undecided > 2' <<<"$last" >/dev/null ||
	fail "$(tail -12 <<<"$out")"
# A gateway of the kernel's own: two machines, and the four routers that only lie on the way to the dark.
grep -q '^11.252.0.1 .*502/TCP (62), 3389/TCP (126).*445/TCP (122) *2  *different' <<<"$out" || fail "the real gateway: $(grep -A2 '^11.252.0.1' <<<"$out")"
echo "trial_ics: $last"
