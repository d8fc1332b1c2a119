#!/bin/bash
# The probes against servers that we did not write: what is asked, answered, and identified.
. "$(dirname "$0")/lib.sh"
for tool in busybox lighttpd openssl jq; do
	[ -n "$(command -v $tool)" ] || skip "needs $tool"
done
NGINX=$(PATH=$PATH:/usr/sbin command -v nginx) || skip "needs nginx"
[ "$(id -u)" = 0 ] || skip "needs root for busybox telnetd and its login"

# No decoy and no console run here, so the five ports of this test are free for its servers.
P=$BASE_PORT TELNETD=$P HTTPD=$((P + 1)) LIGHTY=$((P + 2)) ENGINX=$((P + 3)) TLS=$((P + 4))
SERVERS=
end_servers() { for pid in $SERVERS; do kill $pid 2>/dev/null; done; cleanup; }
trap end_servers EXIT

mkdir -p "$WORK/www"
echo '<html><head><title>NETSurveillance WEB</title><link rel="shortcut icon" href="/i.ico"></head></html>' \
	>"$WORK/www/index.html"
printf abc >"$WORK/www/i.ico"
chmod -R a+rX "$WORK"

printf 'network-camera\r\n' >"$WORK/issue"
busybox telnetd -F -b 127.0.0.1:$TELNETD -f "$WORK/issue" -l /bin/false & SERVERS="$SERVERS $!"
busybox httpd -f -p 127.0.0.1:$HTTPD -h "$WORK/www" & SERVERS="$SERVERS $!"
cat >"$WORK/lighttpd.conf" <<EOT
server.document-root = "$WORK/www"
server.bind = "127.0.0.1"
server.port = $LIGHTY
server.modules = ( "mod_redirect" )
index-file.names = ( "main.html", "index.html" )
mimetype.assign = ( ".html" => "text/html", ".ico" => "image/x-icon" )
url.redirect = ( "^/\$" => "/index.html" )
EOT
lighttpd -D -f "$WORK/lighttpd.conf" & SERVERS="$SERVERS $!"
cat >"$WORK/nginx.conf" <<EOT
daemon off; pid $WORK/nginx.pid; error_log /dev/null;
events {}
http {
	access_log off;
	server {
		listen 127.0.0.1:$ENGINX;
		location / { auth_basic "IP Camera"; auth_basic_user_file $WORK/nobody; }
	}
}
EOT
: >"$WORK/nobody"
"$NGINX" -c "$WORK/nginx.conf" 2>/dev/null & SERVERS="$SERVERS $!"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/O=Example/CN=NVR-4108" \
	-keyout "$WORK/key" -out "$WORK/certificate" 2>/dev/null || fail "no certificate"
(cd "$WORK/www" && exec openssl s_server -accept 127.0.0.1:$TLS -key "$WORK/key" -cert "$WORK/certificate" -WWW -quiet) \
	2>/dev/null & SERVERS="$SERVERS $!"

loopback_config <<EOT
operator: {name: Test CSIRT, contact: abuse@example.org, page: "https://example.org/probing"}
active:
  scope: [{prefix: 127.0.0.0/8, special: allow}]
  hold_out: 0
  round: 1ms
  delay: {min: 0s, max: 0s}
prober:
  pause: 0s
  idle: 1s
  probes: {$TELNETD: telnet, $HTTPD: http, $LIGHTY: http, $ENGINX: http, $TLS: https}
EOT
start_kansoku --only journal,control,active

probe() { # port, address: its events, one a line
	"$KANSOKU" probe ${2:-127.0.0.1} --ports "$1" --config "$CONFIG" --json
}
expect() { # what it is about, jq condition over all events of the look
	jq -es "$2" <"$WORK/answer" >/dev/null || { cat "$WORK/answer"; fail "$1"; }
}

probe $TELNETD >"$WORK/answer"
expect "telnetd: no banner" '.[] | select(.kind=="host.answered") | .banner | contains("network-camera")'
expect "telnetd: options" '.[] | select(.kind=="host.answered")."telnet.options" | test("will:1")'

probe $HTTPD >"$WORK/answer"
expect "httpd: title" '.[] | select(."http.title"=="NETSurveillance WEB")'
expect "httpd: icon" '.[] | select(."http.favicon_md5"=="900150983cd24fb0d6963f7d28e17f72")'
expect "httpd: two connections and no more" '[.[] | select(.kind=="probe.sent")] | length == 2'
expect "httpd: not identified" '.[] | select(.kind=="host.identified")."device.class"=="DVR"'
expect "the chain of causes is broken" '
	(.[] | select(.decision).lease) as $decision |
	([.[] | select(.kind=="probe.sent")]) as $sent | ([.[] | select(.kind=="host.answered")]) as $answered |
	($sent | all(.cause==$decision and .lease==$decision)) and
	([$sent[].id] == [$answered[].cause]) and
	(.[] | select(.kind=="host.identified").cause) == $answered[-1].id'

probe $LIGHTY >"$WORK/answer"
expect "lighttpd: redirect was not followed" '.[] | select(."http.path"=="/index.html" and .status==200)'
expect "lighttpd: Server" '.[] | select(."http.server") | ."http.server" | startswith("lighttpd")'

probe $ENGINX >"$WORK/answer"
expect "nginx: realm" '.[] | select(.status==401 and ."http.realm"=="IP Camera")'
expect "nginx: asked again after a 401" '[.[] | select(.kind=="probe.sent")] | length == 1'

probe $TLS >"$WORK/answer"
expect "https: certificate" '.[] | select(."tls.subject"=="CN=NVR-4108,O=Example" and (."tls.sha256" | length) == 64)'
expect "https: no page over TLS" '.[] | select(.status).status >= 200'

probe $HTTPD 127.0.0.2 >"$WORK/answer"
expect "a closed port is not closed" '.[] | select(.kind=="host.answered" and .state=="closed")'

# Refused with its reason, and nothing is sent.
"$KANSOKU" probe 192.0.2.1 --config "$CONFIG" --json >"$WORK/answer" && fail "a look outside the scope is allowed"
expect "no reason" '.[0].decision=="refused" and .[0].reason=="special"'
"$KANSOKU" probe nobody --config "$CONFIG" 2>/dev/null
[ $? = 2 ] || fail "what is no address is not refused as wrong use"
"$KANSOKU" probe 127.0.0.1 --ports 0 --config "$CONFIG" 2>/dev/null
[ $? = 2 ] || fail "port 0 is not refused as wrong use"
stop_kansoku || fail "kansoku did not end cleanly"
echo "ok"
