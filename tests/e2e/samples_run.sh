#!/bin/bash
# A file that a decoy captured is run as root and as a user, by the lab of a running kansoku: what it does,
# whom it talks with and what it leaves become events and reports, and no packet of it leaves the machine.
. "$(dirname "$0")/lib.sh"
need_root
for tool in jq curl gcc tcpdump bwrap; do [ -n "$(command -v $tool)" ] || skip "needs $tool"; done
[ -e node_modules ] || [ -n "${CHDB:-}" ] || skip "needs libchdb.so"
DECOY=127.24.0.2 C2=198.51.100.77
web() { curl -sS -m 20 "http://127.0.0.1:$WEB_PORT$1"; }

# Harmless: it greets its server as some bots do, leaves a script, starts a shell, and waits.
gcc -x c -O1 -s -static -o "$WORK/sample" - <<-EOT || fail "no static libc to build with"
	#include <arpa/inet.h>
	#include <stdio.h>
	#include <stdlib.h>
	#include <unistd.h>
	int main(void)
	{
		struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(4455)};
		char answer[64];
		int s = socket(AF_INET, SOCK_STREAM, 0);
		FILE *left = fopen("/tmp/.left", "w");
		if (left) { fputs("#!/bin/sh\necho $$\n", left); fclose(left); }
		inet_pton(AF_INET, "$C2", &a.sin_addr);
		if (connect(s, (void *)&a, sizeof a) == 0 && write(s, "BUILD MIPS\n", 11) == 11)
			read(s, answer, sizeof answer);
		return system("echo hello");
	}
EOT
timeout 30 "$KANSOKU" analyse "$WORK/sample" --run --as root --time 2 --json >"$WORK/alone" 2>"$WORK/alone.err" ||
	{ grep -qiE "box|bwrap|namespace" "$WORK/alone.err" && skip "no box here: $(cat "$WORK/alone.err")"; fail "analyse --run: $(cat "$WORK/alone.err")"; }
jq -e --arg c2 "$C2:4455" '(.behaviour | map(select(.kind == "connect" and .subject == $c2)) | length) >= 1 and (.runs | length) == 1 and
	(.indicators | map(select(.value == $c2 and .role == "command")) | length) == 1' "$WORK/alone" >/dev/null || fail "analyse --run says: $(cat "$WORK/alone")"

loopback_config <<-EOT
	passive:
	  decoys: [{prefix: $DECOY, personas: [webserver]}]
	  services: {http: {ports: [$HTTP_PORT], upload_max: 1M}}
	  workers: 1
	lab: {run: {on: yes, time: 2s}, at_once: 1}
	${CHDB:+store: {library: $CHDB\}}
EOT
tcpdump -i any -s 4096 -B 32768 -U --immediate-mode -w "$WORK/wire.pcap" "host $C2 or host 198.51.100.78" >"$WORK/tcpdump" 2>&1 & CAPTURE_PID=$!
for _ in $(seq 50); do grep -qs listening "$WORK/tcpdump" && break; sleep 0.1; done
start_kansoku --only journal,store,control,passive,lab,web
curl -sS -m 20 -o /dev/null -F "file=@$WORK/sample" "http://$DECOY:$HTTP_PORT/upload.php" || fail "the upload failed"
sample=$(sha256sum <"$WORK/sample" | cut -c1-64)
for _ in $(seq 120); do
	[ "$(query "SELECT count() FROM log WHERE kind = 'sample.analysed' AND file_sha256 = '$sample'" 2>/dev/null)" = 1 ] && break
	sleep 0.2
done
value() { query "SELECT value[indexOf(field,'$1')] FROM log WHERE kind = '$2' AND file_sha256 = '$sample' ${3:-}"; }
runs=$(value sample.runs sample.analysed)
[[ "$runs" == "root native "*"; user native "* ]] || fail "it was not run as both: $runs $(query "SELECT kind, count(), groupUniqArray(file_sha256) FROM log GROUP BY kind")"
[ "$(value indicator.role indicator.found "AND dport = 4455 AND src = '$C2'")" = command ] || fail "its server is not found: $(query "SELECT src, dport, field, value FROM log WHERE kind = 'indicator.found'")"
dropped=$(query "SELECT count() FROM log AS d INNER JOIN (SELECT id FROM log WHERE kind = 'sample.analysed' AND file_sha256 = '$sample') AS a ON d.cause = a.id \
	WHERE d.kind = 'file.captured' AND value[indexOf(field,'file.how')] = 'dropped' AND value[indexOf(field,'file.name')] = '/tmp/.left'")
[ "$dropped" -ge 1 ] || fail "what it left was not captured"
web "/api/v1/samples/$sample/json" >"$WORK/json"
jq -e --arg c2 "$C2:4455" '(.runs | map(.as)) == ["root","user"] and (.behaviour | map(select(.kind == "connect" and .subject == $c2) | .as) | unique) == ["root","user"] and
	(.runs[0].hellos | map(select(.said == "4255494c44204d4950530a")) | length) == 1' "$WORK/json" >/dev/null || fail "the report: $(cut -c1-3000 "$WORK/json")"
web "/api/v1/samples/$sample/capture" >"$WORK/run.pcap"
tcpdump -nr "$WORK/run.pcap" "host $C2 and tcp port 4455" 2>/dev/null | grep -q . || fail "the packets of its run were not kept"
web "/api/v1/samples/$sample/stix" | jq -e '.objects | map(select(.type == "malware-analysis")) | length == 3' >/dev/null || fail "STIX has not both runs"

# The control: what does leave is seen.
ip addr add 198.51.100.78/32 dev lo 2>/dev/null
python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"control", ("198.51.100.78", 9))'
sleep 0.5
stop_kansoku || fail "kansoku did not end cleanly"
kill -INT $CAPTURE_PID && wait $CAPTURE_PID; CAPTURE_PID=
ip addr del 198.51.100.78/32 dev lo 2>/dev/null
capture_is_whole "$WORK/tcpdump"
[ "$(tcpdump -nr "$WORK/wire.pcap" "host 198.51.100.78" 2>/dev/null | wc -l)" -ge 1 ] || fail "the capture saw nothing at all"
[ "$(tcpdump -nr "$WORK/wire.pcap" "host $C2" 2>/dev/null | wc -l)" = 0 ] || fail "a packet of the sample left: $(tcpdump -nr "$WORK/wire.pcap" "host $C2" 2>/dev/null | head -3)"
grep -E " lab.*(warning|error)" "$LOG" && fail "the lab complained"
find "$STATE/lab" -mindepth 2 -print 2>/dev/null | grep -q . && fail "the box left something: $(find "$STATE/lab" -mindepth 2 | head -3)"
echo "ok: run as $runs"
