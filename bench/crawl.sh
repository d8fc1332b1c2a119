#!/bin/bash
# How many pages a minute the crawl visits by rule, every connection asked for at control, every page an
# event in the store: a kansoku of its own and nginx, in two network namespaces.
#   bench/crawl.sh [PAGES]
PAGES=${1:-600}
. tests/e2e/lib.sh
two_networks
for tool in nginx dnsmasq; do [ -n "$(command -v $tool)" ] || skip "$tool is missing"; done
THERE="ip netns exec $OUTSIDE" SERVER=203.0.113.10
mkdir -p "$WORK/www" "$WORK/out"
for i in $(seq "$PAGES"); do
	echo "<title>$i</title><script src='/s.js'></script><iframe src='/f.html?$i'></iframe>" >"$WORK/www/$i.html"
done
echo 'var a = 1;' >"$WORK/www/s.js"; echo '<title>f</title>' >"$WORK/www/f.html"
cat >"$WORK/nginx.conf" <<EOT
daemon off; master_process off; pid $WORK/nginx.pid; error_log $WORK/nginx.log;
events { worker_connections 512; }
http {
	access_log off; types { text/html html; text/javascript js; }
	client_body_temp_path $WORK/t1; proxy_temp_path $WORK/t2; fastcgi_temp_path $WORK/t3; uwsgi_temp_path $WORK/t4; scgi_temp_path $WORK/t5;
	server { listen $SERVER:80; root $WORK/www; location ~ ^/go(\d+)$ { return 302 /\$1.html; } }
}
EOT
echo "$SERVER pages.example" >"$WORK/hosts"
chmod -R a+rX "$WORK"
$THERE nginx -c "$WORK/nginx.conf" & SERVERS="$!"
$THERE dnsmasq -k -a 203.0.113.53 --bind-interfaces -h -R --local=/example/ --addn-hosts="$WORK/hosts" --user=root --pid-file= & SERVERS="$SERVERS $!"
loopback_config <<EOT
operator: {name: Bench, contact: abuse@example.org}
store: {linger: 50ms}
passive:
  workers: 1
  decoys: [{prefix: 192.0.2.0/25, personas: [router]}]
  services: {telnet: {ports: [23]}}
active:
  scope: [{prefix: 203.0.113.0/24, special: allow}]
  addresses: [198.51.100.9]
  hold_out: 0
  rate: 0
  visits: {per_host: 1000000, per_address: 1000000, per_day: 1000000}
visit: {ways: [crawl], resolvers: [203.0.113.53]}
control: {silent_decoys: 0}
rules: [{on: command.sent, do: visit, delay: 0s}]
EOT
start_kansoku
# Bots name the pages, each a few hundred of them; a visit's four requests: redirect, page, frame, script.
cat >"$WORK/name.py" <<'EOP'
import re, socket, sys
for user, secret in (("root", "root"), ("admin", "admin")):
    s = socket.create_connection(("192.0.2.7", 23), 10, ("203.0.113.99", 0))
    s.settimeout(10)
    def until(pattern):
        seen = b""
        while not re.search(pattern, seen):
            more = s.recv(65536)
            if not more:
                return seen
            seen += more
        return seen
    until(rb"ogin: ?$"); s.sendall(user.encode() + b"\r\n")
    until(rb"assword: ?$"); s.sendall(secret.encode() + b"\r\n")
    if b"ogin:" in until(rb"(ogin: ?|[#>$] )$"):
        continue
    for i in range(int(sys.argv[1]), int(sys.argv[2])):
        s.sendall(b"echo http://pages.example/go%d\r\n" % i)
        until(rb"[#>$] $")
    break
EOP
done_pages() { query "SELECT count() FROM log WHERE kind = 'page.visited' AND state = 'reached'" 2>/dev/null || echo 0; }
BEGIN=$(date +%s.%N)
for from in $(seq 1 100 "$PAGES"); do
	$THERE python3 "$WORK/name.py" "$from" $((from + 100 > PAGES + 1 ? PAGES + 1 : from + 100)) || fail "the decoy did not talk"
done
for _ in $(seq 600); do [ "$(done_pages)" -ge "$PAGES" ] && break; sleep 0.1; done
END=$(date +%s.%N)
VISIT=$(role_pid visit) CONTROL=$(role_pid control)
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }
[ "$(done_pages)" -ge "$PAGES" ] || fail "only $(done_pages) pages of $PAGES were visited"
awk -v n="$PAGES" -v s="$(echo "$END - $BEGIN" | bc)" -v v="$(ticks "$VISIT")" -v c="$(ticks "$CONTROL")" -v hz="$(getconf CLK_TCK)" \
	'BEGIN { printf "%d pages (4 requests each) in %.1f s: %.0f pages a minute; CPU a page: visit %.2f ms, control %.2f ms\n", n, s, n * 60 / s, v * 1000 / hz / n, c * 1000 / hz / n }'
