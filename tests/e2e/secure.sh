#!/bin/bash
# TLS of decoys met with OpenSSL's client, curl and nmap.
# Exit status 0: all held, 1: the last lines say what did not, 77: a client is missing.
. "$(dirname "$0")/lib.sh"
trap cleanup EXIT
for client in openssl curl nmap; do
	command -v $client >/dev/null || skip "$client is missing"
done
SECURE_PORT=$((BASE_PORT + 3))

mkdir "$WORK/personas"
for of in camera router; do
	cp etc/personas/$of.yaml "$WORK/personas/"
done
cat >>"$WORK/personas/camera.yaml" <<-'EOT'
	tls:
	  subject: "/C=CN/ST=Guangdong/O=IPCAM/CN=%{address}"
	  since: 2013-03-28
	  days: 7300
	  key: rsa1024
	  hash: sha1
	  max: tls1.0
	  ciphers: "AES256-SHA:AES128-SHA:DES-CBC3-SHA"
	  tickets: false
EOT
cat >>"$WORK/personas/router.yaml" <<-'EOT'
	tls: {subject: "/CN=%{hostname}", names: ["IP:%{address}"], key: ec, min: tls1.2, max: tls1.3, form: server}
EOT
loopback_config <<-EOT
	passive:
	  personas_dir: $WORK/personas
	  decoys:
	    - {prefix: 127.22.0.1, personas: [camera]}
	    - {prefix: 127.22.0.2, personas: [router]}
	    - {prefix: 127.22.0.3, personas: [router]}
	  services: {http: {ports: [$HTTP_PORT], secure_ports: [$SECURE_PORT]}}
	  workers: 2
EOT
start_kansoku

# The certificate of an address, as PEM; further arguments are for the client.
shown() { timeout 20 openssl s_client -cipher ALL:@SECLEVEL=0 -connect "$1:$SECURE_PORT" "${@:2}" </dev/null 2>/dev/null | openssl x509 2>/dev/null; }
says() { openssl x509 -noout "$@"; }

camera=$(shown 127.22.0.1) router=$(shown 127.22.0.2) other=$(shown 127.22.0.3)
[ "$(says -subject -nameopt compat <<<"$camera")" = 'subject=/C=CN/ST=Guangdong/O=IPCAM/CN=127.22.0.1' ] ||
	fail "the camera's subject: $(says -subject <<<"$camera")"
says -text <<<"$camera" | grep -q 'sha1WithRSAEncryption' || fail 'the camera signs with another hash'
says -startdate <<<"$camera" | grep -q 'Mar 28 00:0.* 2013' || fail "the camera: $(says -startdate <<<"$camera")"
says -ext subjectAltName <<<"$router" | grep -q 'IP Address:127.22.0.2' || fail 'the router names not its address'
[ "$(says -pubkey <<<"$router")" != "$(says -pubkey <<<"$other")" ] || fail 'two addresses have one key of P-256'
for source in 1 2 3 4 5 6 7 8; do # of both workers
	again=$(shown 127.22.0.2 -bind 127.22.9.$source:0)
	[ "$again" = "$router" ] || fail "the router's certificate is another for 127.22.9.$source"
done

nmap -n -Pn -p $SECURE_PORT --script ssl-cert,ssl-enum-ciphers 127.22.0.1 >"$WORK/nmap"
grep -q 'TLSv1.0' "$WORK/nmap" || fail 'nmap finds no TLS 1.0 at the camera'
grep -q 'TLSv1.[12]' "$WORK/nmap" && fail 'nmap finds newer TLS at the camera'
[ "$(grep -c TLS_RSA_WITH "$WORK/nmap")" -ge 2 ] || fail "the camera's ciphers: $(cat "$WORK/nmap")"
nmap -n -Pn -sV -p $SECURE_PORT 127.22.0.2 >"$WORK/nmap"
grep -q 'ssl/http.*TP-LINK WR841N' "$WORK/nmap" || fail "nmap says $(grep "^$SECURE_PORT" "$WORK/nmap")"
for version in 2 3; do
	[ "$(curl -sk -m 20 --tlsv1.$version --tls-max 1.$version -u admin:admin -o /dev/null -w '%{http_code}' \
		https://127.22.0.2:$SECURE_PORT/userRpm/StatusRpm.htm)" = 200 ] || fail "curl over TLS 1.$version"
done
head -c 3000000 /dev/urandom >"$WORK/large"
curl -sk -m 30 -u admin:admin -F "file=@$WORK/large" -o /dev/null https://127.22.0.2:$SECURE_PORT/incoming/Firmware.htm ||
	fail 'a large upload over TLS broke'

# A ticket is taken up again, but not at another address.
resumed() { timeout 20 openssl s_client -tls1_2 -connect "$1:$SECURE_PORT" "${@:2}" </dev/null 2>/dev/null | grep -q '^Reused'; }
resumed 127.22.0.2 -sess_out "$WORK/session" && fail 'a first session was taken up again'
resumed 127.22.0.2 -sess_in "$WORK/session" || fail 'a ticket was not taken'
resumed 127.22.0.3 -sess_in "$WORK/session" && fail 'a ticket was taken at another address'

stop_kansoku
start_kansoku
[ "$(shown 127.22.0.2)" = "$router" ] && [ "$(shown 127.22.0.1)" = "$camera" ] ||
	fail 'certificates are others after a start'
grep -q 'ssandbox\|refused by' "$LOG" && fail 'the sandbox refused something'
echo "certificates stay, ciphers as named, tickets stay at home, curl and nmap are content"
