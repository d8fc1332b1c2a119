#!/bin/bash
# What real servers expose, from what they answered: rules, and weaknesses by their versions.  No packet more is sent.
. "$(dirname "$0")/lib.sh"
for tool in jq openssl sshd mosquitto tcpdump; do
	[ -n "$(PATH=$PATH:/usr/sbin command -v $tool)" ] || skip "needs $tool"
done
NGINX=$(PATH=$PATH:/usr/sbin command -v nginx) || skip "needs nginx"
SSHD=$(PATH=$PATH:/usr/sbin command -v sshd)
[ "$(id -u)" = 0 ] || skip "needs root for sshd and tcpdump"

P=$BASE_PORT WEB=$P TLS=$((P + 1)) SSH=$((P + 3)) MQTT=$((P + 4))
SERVERS=
mkdir -p "$WORK/www" /run/sshd
echo '<html><head><title>phpMyAdmin</title></head></html>' >"$WORK/www/index.html"
chmod -R a+rX "$WORK"
# A certificate that ran out, and signed by itself.
mkdir "$WORK/ca"; : >"$WORK/ca/index"; echo 01 >"$WORK/ca/serial"
printf '[ca]\ndefault_ca=c\n[c]\nnew_certs_dir=%s\ndatabase=%s/index\nserial=%s/serial\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' \
	"$WORK/ca" "$WORK/ca" "$WORK/ca" >"$WORK/ca/conf"
openssl req -new -newkey rsa:1024 -nodes -subj "/CN=NVR-4108" -keyout "$WORK/key" -out "$WORK/request" 2>/dev/null &&
	openssl ca -batch -selfsign -config "$WORK/ca/conf" -keyfile "$WORK/key" -in "$WORK/request" -out "$WORK/certificate" \
		-startdate 20200101000000Z -enddate 20210101000000Z -notext 2>"$WORK/ca/errors" ||
	fail "no certificate: $(cat "$WORK/ca/errors")"
cat >"$WORK/nginx.conf" <<EOT
daemon off; pid $WORK/nginx.pid; error_log /dev/null; user root;
events {}
http {
	access_log off;
	server { listen 127.0.0.1:$WEB; root $WORK/www; }
	server {
		listen 127.0.0.1:$TLS ssl; root $WORK/www;
		ssl_certificate $WORK/certificate; ssl_certificate_key $WORK/key; ssl_ciphers DEFAULT@SECLEVEL=0;
	}
}
EOT
"$NGINX" -c "$WORK/nginx.conf" 2>/dev/null & SERVERS="$SERVERS $!"
ssh-keygen -q -t ed25519 -N '' -f "$WORK/host_key"
"$SSHD" -D -f /dev/null -h "$WORK/host_key" -p $SSH -o ListenAddress=127.0.0.1 -o PidFile=none -o UsePAM=no 2>/dev/null &
SERVERS="$SERVERS $!"
printf 'listener %s 127.0.0.1\nallow_anonymous true\n' $MQTT >"$WORK/mosquitto.conf"
mosquitto -c "$WORK/mosquitto.conf" >/dev/null 2>&1 & SERVERS="$SERVERS $!"

# Versions of these very servers, as weaknesses that a feed could name.
vulnerable() { # CVE, criteria, bound
	printf '{"cve":{"id":"%s","published":"2020-01-01T00:00:00.000","lastModified":"2024-01-01T00:00:00.000",' "$1"
	printf '"vulnStatus":"Analyzed","descriptions":[{"lang":"en","value":"made for this test"}],"metrics":{"cvssMetricV31":'
	printf '[{"type":"Primary","cvssData":{"version":"3.1","baseScore":8.1}}]},"configurations":[{"nodes":[{"operator":"OR",'
	printf '"negate":false,"cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:%s:*:*:*:*:*:*:*:*",' "$2"
	printf '"versionEndExcluding":"%s"}]}]}]}}' "$3"
}
{
	printf '{"resultsPerPage":3,"startIndex":0,"totalResults":3,"format":"NVD_CVE","version":"2.0","vulnerabilities":['
	vulnerable CVE-2026-10001 a:f5:nginx 99.0; printf ,
	vulnerable CVE-2026-10002 a:openbsd:openssh 99.0; printf ,
	vulnerable CVE-2026-10003 a:openbsd:openssh 2.0; printf ']}'
} | gzip >"$WORK/nvdcve-2.0-2026.json.gz"
cat >"$WORK/known_exploited_vulnerabilities.json" <<'EOT'
{"title": "CISA Catalog of Known Exploited Vulnerabilities", "catalogVersion": "2026.11.20", "count": 1,
 "vulnerabilities": [{"cveID": "CVE-2026-10002", "dateAdded": "2026-11-01", "dueDate": "2026-11-21",
 "knownRansomwareCampaignUse": "Unknown"}]}
EOT

loopback_config <<EOT
operator: {name: Test CSIRT, contact: abuse@example.org, page: "https://example.org/probing"}
active:
  scope: [{prefix: 127.0.0.0/8, special: allow, tier: 2}]
  hold_out: 0
  round: 1ms
  delay: {min: 0s, max: 0s}
prober:
  pause: 0s
  idle: 1s
  favicon: false
  probes: {$WEB: http, $TLS: https, $SSH: ssh, $MQTT: mqtt}
exposure: {kev: $WORK/known_exploited_vulnerabilities.json, every: 1s}
EOT
"$KANSOKU" import nvd "$WORK/nvdcve-2.0-2026.json.gz" --config "$CONFIG" --json >"$WORK/imported" || fail "the feed is not taken"
jq -e '.cves == 3 and .newer == 3' "$WORK/imported" >/dev/null || fail "not all of the feed was taken: $(cat "$WORK/imported")"
"$KANSOKU" exposures --check "cpe:2.3:a:openbsd:openssh:9.2:p1:*:*:*:*:*:*" --config "$CONFIG" >"$WORK/check" ||
	fail "a CPE cannot be tried"
grep -q CVE-2026-10002 "$WORK/check" && ! grep -q CVE-2026-10003 "$WORK/check" || fail "the CPE has other weaknesses: $(cat "$WORK/check")"
start_kansoku --only journal,store,control,active,exposure
for _ in $(seq 100); do grep -qs "1 of them known to be exploited" "$LOG" && break; sleep 0.1; done
grep -q "1 of them known to be exploited" "$LOG" || fail "KEV of the configuration was not read"

tcpdump -i lo -w "$WORK/wire.pcap" -s 4096 -B 32768 -U --immediate-mode "tcp portrange $P-$((P + 4)) and not port $WEB_PORT" 2>"$WORK/tcpdump" &
CAPTURE_PID=$!
for _ in $(seq 50); do grep -qs listening "$WORK/tcpdump" && break; sleep 0.1; done
for port in $WEB $TLS $SSH $MQTT; do
	"$KANSOKU" probe 127.0.0.1 --ports $port --tier 2 --config "$CONFIG" --json >>"$WORK/looks" 2>>"$WORK/errors" ||
		"$KANSOKU" probe 127.0.0.1 --ports $port --config "$CONFIG" --json >>"$WORK/looks" 2>>"$WORK/errors"
done
sleep 1
after_looks=$(tcpdump -r "$WORK/wire.pcap" -nn 2>/dev/null | wc -l)

found() { query "SELECT rule, value[indexOf(field,'evidence')], value[indexOf(field,'exposure.note')], confidence FROM (SELECT *, \
	value[indexOf(field,'confidence')] AS confidence FROM log WHERE kind='exposure.found') ORDER BY rule" 2>/dev/null; }
wanted="phpmyadmin certificate-expired certificate-self-signed certificate-weak-key CVE-2026-10001 CVE-2026-10002"
[ "$(jq -s '[.[] | select(.probe=="mqtt" and .kind=="host.answered")] | length' "$WORK/looks")" = 0 ] || wanted="$wanted mqtt-open"
for _ in $(seq 80); do
	found >"$WORK/found"
	missing=
	for rule in $wanted; do grep -q "^$rule	" "$WORK/found" || missing="$missing $rule"; done
	[ -z "$missing" ] && break
	sleep 0.2
done
[ -z "$missing" ] || fail "not found:$missing; $(cat "$WORK/found" "$WORK/errors"; jq -c 'select(.kind=="host.identified")' "$WORK/looks")"
grep -q "^phpmyadmin	http.title: phpMyAdmin" "$WORK/found" || fail "no evidence: $(cat "$WORK/found")"
grep -q "^CVE-2026-10003	" "$WORK/found" && fail "a version that is not concerned was found"
if grep -qiE "debian|ubuntu" /etc/os-release; then
	grep "^CVE-2026-10002	" "$WORK/found" | grep -q "the distribution may have fixed it" || fail "no word of the distribution's build"
fi
query "SELECT count() FROM log AS e INNER JOIN (SELECT id FROM log WHERE kind IN ('host.answered','host.identified')) AS a \
	ON e.cause = a.id WHERE e.kind='exposure.found'" >"$WORK/caused"
[ "$(cat "$WORK/caused")" = "$(wc -l <"$WORK/found")" ] || fail "findings without an answer as their cause"
"$KANSOKU" exposures 127.0.0.1 --config "$CONFIG" --json >"$WORK/list" || fail "no list"
jq -es 'map(.finding) | index("CVE-2026-10002") == 0' "$WORK/list" >/dev/null || fail "what is exploited does not come first: $(head -3 "$WORK/list")"

"$KANSOKU" report exposures --config "$CONFIG" --json >"$WORK/report" || fail "no report"
jq -e '.parts.hosts[0].hosts == 1 and .parts.exploited[0].cve == "CVE-2026-10002" and
	(.parts.findings | map(.rule) | index("phpmyadmin")) != null' "$WORK/report" >/dev/null || fail "the report: $(cat "$WORK/report")"

# Nothing is told twice; a newer feed is judged on request, from the store.
{ printf '{"format":"NVD_CVE","version":"2.0","vulnerabilities":['; vulnerable CVE-2026-10004 a:f5:nginx 98.0; printf ']}'; } \
	>"$WORK/nvdcve-2.0-modified.json"
"$KANSOKU" import nvd "$WORK/nvdcve-2.0-modified.json" --config "$CONFIG" >/dev/null || fail "the newer feed is not taken"
for _ in $(seq 100); do grep -qs "exposure: 4 CVEs" "$LOG" && break; sleep 0.1; done
before=$(wc -l <"$WORK/found")
"$KANSOKU" exposures --rejudge --config "$CONFIG" >"$WORK/rejudged" || fail "stored answers are not judged again"
jq -e '.new >= 1 and .whole' "$WORK/rejudged" >/dev/null || fail "nothing new: $(cat "$WORK/rejudged")"
for _ in $(seq 50); do found >"$WORK/found"; grep -q "^CVE-2026-10004	" "$WORK/found" && break; sleep 0.2; done
grep -q "^CVE-2026-10004	" "$WORK/found" || fail "the newer weakness was not found"
[ "$(cut -f1 "$WORK/found" | grep -c '^CVE-2026-10002$')" = 1 ] || fail "a finding was told twice"
capture_end 2>/dev/null
[ "$(tcpdump -r "$WORK/wire.pcap" -nn 2>/dev/null | wc -l)" = "$after_looks" ] || fail "judging sent packets"
[ "$after_looks" -gt 10 ] || fail "the capture saw nothing"
stop_kansoku || fail "kansoku did not end cleanly"
echo "ok"
