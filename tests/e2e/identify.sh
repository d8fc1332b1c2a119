#!/bin/bash
# kansoku identify as an analyst uses it: banners one a line, a whole host, rules of somebody else,
# and what it says of a file that is wrong.
. "$(dirname "$0")/lib.sh"
command -v jq >/dev/null || skip "jq is missing"
export XDG_CACHE_HOME="$WORK"
ask() { "$KANSOKU" identify "$@"; }
same() { [ "$2" = "$3" ] || fail "$1: \"$2\" instead of \"$3\""; }

out=$(printf '%s\n' 'MikroTik v5.26\r\nLogin: ' 'login: ' '\x44\x49R-300 login:' |
	ask --match telnet.banner --json) || fail "--match ended with $?"
same "one answer a line" "$(wc -l <<<"$out")" 3
same "escapes, version" "$(jq -r 'select(.matched) | .fields | ."hw.product" + " " + (."os.version" // "-")' <<<"$out" | tr '\n' ,)" "RouterOS 5.26,DIR-300 -,"
same "a bare prompt" "$(sed -n 2p <<<"$out")" '{"matched":false}'

out=$(printf '%s\n' 'telnet.banner@23: dvrdvs login: ' 'html_title@80: TL-WR841N' | ask --host --json)
same "a forwarded port" "$(jq -r '.device, .disputed, (.dissent | contains("TL-WR841N"))' <<<"$out" | tr '\n' ,)" "DVR,true,true,"
printf 'nonsense\n' | ask --host >"$WORK/out" 2>&1
same "a line that is no signal" "$? $(cat "$WORK/out")" "2 kansoku: identify: standard input:1: not a signal, write KEY@PORT: BANNER"

# A NUL within, a line that no banner is as long as, and one without an end: an answer each.
out=$({ printf 'a\\x00b\\r\\nHi3518 login:\n'; head -c 700000 /dev/zero | tr '\0' x; printf '\nTL-WR841N login:'; } |
	ask --match telnet.banner --json) || fail "odd lines ended with $?"
same "odd lines" "$(jq -c '[.matched, .fields."hw.product"]' <<<"$out" | tr '\n' ' ')" '[true,"Hi3518"] [false,null] [true,"TL-WR841N"] '
out=$(echo x | ask --match no.such --json 2>"$WORK/err") || fail "an unknown key ended with $?"
same "a key without rules" "$out $(cat "$WORK/err")" '{"matched":false} kansoku: identify: there is no rule for no.such, so nothing will match'

# Compiled once, taken from then on, with the same answers; a damaged file is replaced.
ask --compile --cache "$WORK" >/dev/null || fail "--compile ended with $?"
cached=$WORK/html_title.hs
[ -s "$cached" ] || fail "nothing was kept"
sum=$(sha256sum <"$cached")
printf 'x' | dd of="$cached" bs=1 seek=5000 conv=notrunc 2>/dev/null
same "with a damaged file" "$(echo TL-WR841N | ask --match html_title --cache "$WORK" --json | jq -r .matched)" true
ask --compile --cache "$WORK" >/dev/null || fail "--compile over a damaged file ended with $?"
same "a damaged file" "$(sha256sum <"$cached")" "$sum"

mkdir "$WORK/rules"
cat >"$WORK/rules/own.xml" <<'EOT'
<fingerprints matches="my.key">
  <fingerprint pattern="^Box (\d+$"><param pos="1" name="hw.product"/></fingerprint>
  <fingerprint pattern="^Box (\d+)$"><param pos="1" name="hw.product"/>
    <example hw.product="7">Box 8</example></fingerprint>
</fingerprints>
EOT
out=$(echo 'Box 42' | ask --match my.key --rules "$WORK/rules" --json 2>"$WORK/err") || fail "--rules ended with $?"
same "a rule of somebody else" "$(jq -r '.rule + " " + .fields."hw.product"' <<<"$out")" "own:2 42"
grep -q "own.xml:2: fingerprint 1: missing closing parenthesis" "$WORK/err" || fail "the bad rule is not named: $(cat "$WORK/err")"
ask --verify --rules "$WORK/rules" >/dev/null 2>"$WORK/err"
same "an example that is wrong fails" $? 1
grep -q 'own.xml:4: own:2: hw.product is "8" and the example says "7"' "$WORK/err" || fail "the wrong example is not named"
out=$(ask --verify --json) || fail "an own rule breaks its example"
same "own rules without an example, or behind another that takes it" "$(jq -c '[.without_example, .shadowed]' <<<"$out")" "[0,0]"
out=$("$(dirname "$0")/../../tools/fingerprints") || fail "$out"
ask >/dev/null 2>&1
same "no mode is used wrongly" $? 2
echo "identify: banners, hosts, rules of others and their faults"
