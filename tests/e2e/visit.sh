#!/bin/bash
# `kansoku visit` over pages of attackers in a network of their own: what is found, who is shown what,
# which limits hold, and that nothing goes where it was not allowed.
. "$(dirname "$0")/lib.sh"
two_networks
for tool in bwrap chromium-headless-shell; do
	[ -n "$(command -v $tool)" ] || skip "$tool is missing"
done
HERE=203.0.113.10 OTHER=203.0.113.11
# Whatever would leave for a private address arrives there, so that it would be seen.
ip -n $OUTSIDE route add local 10.0.0.0/8 dev lo
ip netns exec $OUTSIDE python3 tests/e2e/visit_pages.py $HERE $OTHER 80 >"$WORK/program" & SERVERS=$!
for _ in $(seq 50); do [ -s "$WORK/program" ] && break; sleep 0.1; done
PROGRAM_SHA256=$(cat "$WORK/program")
loopback_config <<EOT
operator: {name: Test CSIRT, contact: abuse@example.org}
passive: {decoys: [{prefix: 192.0.2.0/25, personas: [router]}]}
active:
  scope: [{prefix: 203.0.113.0/24, special: allow}]
  addresses: [198.51.100.9]
EOT
visit() { timeout 100 "$KANSOKU" visit --config "$CONFIG" "$@"; }
told() { jq -e "$1" "$2" >/dev/null || fail "$2 does not say $1: $(jq -c '[.verdict,.limits,.reasons,[.looks[]|{failed,redirects,frames,files,connections,limits}]]' "$2" | cut -c1-3000)"; }
capture_begin

visit http://$HERE/start --as desktop --json --output "$WORK/out" >"$WORK/start.json" || fail "the attacker's page is not visited"
told '.verdict == "malicious" and .looks[0].failed == null' "$WORK/start.json"
told '[.looks[0].redirects[] | select(.kind != "frame") | .kind] == ["start","http","meta","script","script"]' "$WORK/start.json"
told '.looks[0].redirects[1] | .status == 302 and .from == 0' "$WORK/start.json"
told '[.looks[0].frames[] | select(.hidden) | .hidden] | sort == ["outside","size"]' "$WORK/start.json"
told '[.reasons[].name] as $r | ["hidden-frame","decoded-code","activex","plugins","drive-by","exploit"] - $r == []' "$WORK/start.json"
told '[.looks[0].scripts[] | select((.origin == "eval" or .origin == "decoded") and (.text | contains("/land")))] | length > 0' "$WORK/start.json"
told ".looks[0].files | length == 1 and .[0].sha256 == \"$PROGRAM_SHA256\"" "$WORK/start.json"
told '.looks[0].changes == []' "$WORK/start.json"
[ "$(sha256sum <"$WORK/out/file-$PROGRAM_SHA256" | cut -c1-64)" = "$PROGRAM_SHA256" ] || fail "the file that was downloaded is another one"
[ "$(head -c 4 "$WORK/out/look-0-desktop.png" | tail -c 3)" = PNG ] || fail "there is no picture"
grep -q 'You won' "$WORK/out/look-0-desktop.html" || fail "the page as it was after its scripts is missing"
jq -e '.log.version == "1.2" and (.log.entries | length > 5) and ([.log.entries[].response.content.text // "" | contains("gate")] | any)
	and (.log.entries[0].response.headers | map(.name | ascii_downcase) | index("set-cookie") != null)
	and .log.entries[0].serverIPAddress == "'$HERE'"' "$WORK/out/visit.har" >/dev/null || fail "the HAR lacks something"
jq -e '.page.ip == "'$HERE'" and .verdicts.overall.malicious and (.lists.domains | index("'$OTHER'") != null)' "$WORK/out/urlscan.json" >/dev/null ||
	fail "the report for urlscan's readers lacks something"

visit http://$HERE/cloak --as desktop --as old --json >"$WORK/cloak.json" || fail "the page that hides is not visited"
told '([.differences[].what] | index("files") != null and index("frames") != null) and ([.reasons[].name] | index("cloaking") != null)' "$WORK/cloak.json"
told '.looks[0].score < 10 and (.looks[1].agent | contains("MSIE"))' "$WORK/cloak.json"

visit http://$HERE/plain --as searcher --json >"$WORK/plain.json" || fail "an ordinary page is not visited"
told '.verdict == "unremarkable" and .score == 0 and .title == "Bakery"' "$WORK/plain.json"

visit http://$HERE/endless --as desktop --brief --time 2 --json >"$WORK/endless.json" || fail "the page that never ends is not visited"
told '(.limits | contains("time")) and .looks[0].time_ms < 20000' "$WORK/endless.json"

visit http://$HERE/inside --as desktop --brief --json >"$WORK/inside.json" || fail "the page that asks inside is not visited"
told '[.looks[0].connections[] | select(.reason != "ok") | .host] | sort == ["10.0.0.5","127.0.0.1","192.0.2.7"]' "$WORK/inside.json"
told '[.reasons[].name] | index("asks-inside") != null' "$WORK/inside.json"

visit http://10.0.0.5/ --as desktop --brief --json >"$WORK/private.json" && fail "a private address was visited"
visit http://10.0.0.5/ --as desktop --brief >"$WORK/private.txt"
refused=$(jq -r '.looks[0].connections[0].reason' "$WORK/private.json")
grep -q "^  not reached, $refused: port 80 of 10.0.0.5$" "$WORK/private.txt" ||
	fail "the summary does not say why nothing was reached ($refused): $(cat "$WORK/private.txt")"
visit file:///etc/passwd >/dev/null 2>"$WORK/refused" && fail "a file was visited"
grep -q 'http://HOST' "$WORK/refused" || fail "it is not said what would be right: $(cat "$WORK/refused")"

capture_end
[ "$(packets "ip.dst == $HERE && tcp.flags.syn == 1" | wc -l)" -ge 5 ] || fail "the capture does not even show what was allowed"
others=$(packets "ip.src == 198.51.100.0/24 && !(ip.dst == 203.0.113.0/24)" ip.dst | sort -u)
[ -z "$others" ] || fail "packets went elsewhere: $others"
[ "$(packets "ip.src == 198.51.100.1" | wc -l)" = 0 ] || fail "packets came from another address than active.addresses"
[ -z "$(pgrep -f "$(basename "$WORK")" -a | grep chromium)" ] || fail "a browser is left"
echo "visit: reached, compared, limited, and nothing else left"
