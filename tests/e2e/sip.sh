#!/bin/bash
# The PBX met with sipsak, sipp and SIPVicious: who knows the password registers, calls end
# and are told with the number, over UDP no more goes out than came in, and nobody is called.
. "$(dirname "$0")/lib.sh"
for client in sipsak python3; do command -v $client >/dev/null || skip "$client is missing"; done
SIP_PORT=$((BASE_PORT + 3)) SIPS_PORT=$((BASE_PORT + 4)) D=127.21.30.7
trap cleanup EXIT
loopback_config <<EOT
store: {linger: 50ms}
passive:
  decoys: [{prefix: 127.21.30.0/24, personas: [pbx]}]
  services:
    sip: {ports: [$SIP_PORT], secure_ports: [$SIPS_PORT]}
  workers: 1
EOT
mkdir "$WORK/personas"
sed "s|ports: \[5060\]|ports: [$SIP_PORT]|; s|ports: \[5061\]|ports: [$SIPS_PORT]|" etc/personas/pbx.yaml >"$WORK/personas/pbx.yaml"
sed -i "s|^passive:|passive:\n  personas_dir: $WORK/personas|" "$CONFIG"
start_kansoku --only journal,store,control,passive

timeout 20 sipsak -H 127.0.0.1 -U -C sip:100@127.0.0.1 -x 300 -a 100 -u 100 -s "sip:100@$D:$SIP_PORT" -vv >"$WORK/sipsak" 2>&1
grep -q 'usrloc tests completed successful' "$WORK/sipsak" || fail "sipsak cannot register: $(tail -5 "$WORK/sipsak")"
timeout 20 sipsak -H 127.0.0.1 -U -C sip:100@127.0.0.1 -x 300 -a wrong -u 100 -s "sip:100@127.21.30.8:$SIP_PORT" >"$WORK/sipsak" 2>&1 &&
	fail "sipsak registers with a wrong password"

# A call over TLS, over TCP and over UDP, each from a network of its own.
cat >"$WORK/call.py" <<'EOP'
import hashlib, re, socket, ssl, sys
how, host, port, source = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
if how == "udp":
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((source, 0))
    s.connect((host, port))
else:
    s = socket.create_connection((host, port), 10, (source, 0))
    if how == "tls":
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        s = context.wrap_socket(s)
s.settimeout(10)
uri, body = f"sip:900442079460123@{host}", "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8\r\n" + "a=x\r\n" * 60
sent = got = 0
def invite(n, more):
    global sent
    text = (f"INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/{how.upper()} {source}:5060;branch=z9hG4bK{n};rport\r\nFrom: <sip:101@{host}>;tag=f{n}\r\n"
            f"To: <{uri}>\r\nCall-ID: call@{source}\r\nCSeq: {n} INVITE\r\nContact: <sip:101@{source}>\r\nUser-Agent: pplsip\r\n{more}"
            f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()
    sent += len(text)
    s.sendall(text)
def answers(final):
    global got
    text = b""
    while not re.search(rb"SIP/2.0 [2-6].*?\r\n\r\n", text, re.S):
        more = s.recv(65536)
        if not more:
            break
        text += more
        got += len(more)
    return text.decode()
invite(1, "")
challenge = answers(True)
realm, nonce = (re.search(f'{key}="([^"]*)"', challenge)[1] for key in ("realm", "nonce"))
md5 = lambda text: hashlib.md5(text.encode()).hexdigest()
response = md5(f"{md5(f'101:{realm}:1234')}:{nonce}:{md5('INVITE:' + uri)}")
invite(2, f'Authorization: Digest username="101",realm="{realm}",nonce="{nonce}",uri="{uri}",response="{response}",algorithm=MD5\r\n')
print(challenge.split("\r\n")[0], "|", " | ".join(re.findall(r"SIP/2.0 [^\r]*(?=\r\nVia)", answers(True))), "|", "bounded" if got <= sent else f"{got} for {sent}")
EOP
expected='SIP/2.0 401 Unauthorized | SIP/2.0 100 Trying | SIP/2.0 503 Service Unavailable | bounded'
call() {
	local said; said=$(timeout 20 python3 "$WORK/call.py" "$@" 2>&1)
	[ "$said" = "$expected" ] || fail "a call over $1: $said"
}
call udp $D $SIP_PORT 127.56.1.1
call tcp $D $SIP_PORT 127.56.2.1
call tls $D $SIPS_PORT 127.56.3.1

if command -v svmap >/dev/null; then
	timeout 20 svmap -p $SIP_PORT 127.21.30.20 >"$WORK/svmap" 2>&1
	grep -q 'FPBX-16.0.33(18.13.0)' "$WORK/svmap" || fail "svmap: $(cat "$WORK/svmap")"
	timeout 20 svcrack -p $SIP_PORT -u 100 -r 98-101 127.21.30.21 >"$WORK/svcrack" 2>&1
	grep -q '| 100 *| 100 ' "$WORK/svcrack" || fail "svcrack: $(cat "$WORK/svcrack")"
fi
if command -v sipp >/dev/null; then
	cat >"$WORK/options.xml" <<-'EOX'
	<?xml version="1.0"?><scenario name="options"><send><![CDATA[
	OPTIONS sip:[remote_ip] SIP/2.0
	Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
	From: <sip:a@[local_ip]>;tag=[call_number]
	To: <sip:[remote_ip]>
	Call-ID: [call_id]
	CSeq: 1 OPTIONS
	Content-Length: 0

	]]></send><recv response="200"/></scenario>
	EOX
	timeout 20 sipp -t t1 -sf "$WORK/options.xml" -m 20 -r 100 -nostdin "$D:$SIP_PORT" >"$WORK/sipp" 2>&1 || fail "sipp: $(tail -20 "$WORK/sipp")"
fi

python3 - $D $SIP_PORT <<-'EOP' || fail "what nmap asks is not answered as it knows FreePBX"
	import re, socket, sys
	s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
	s.sendall(b"OPTIONS sip:nm SIP/2.0\r\nVia: SIP/2.0/TCP nm;branch=foo\r\nFrom: <sip:nm@nm>;tag=root\r\nTo: <sip:nm2@nm2>\r\n"
	          b"Call-ID: 50000\r\nCSeq: 42 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\nContact: <sip:nm@nm>\r\nAccept: application/sdp\r\n\r\n")
	sys.exit(not re.match(rb"SIP/2\.0 (?:[^\r\n]*\r\n(?!\r\n))*?Server: FPBX-([\d.]+)\(([\d.]+)\)\r\n", s.recv(4096)))
EOP

value() { echo "value[indexOf(field, '$1')]"; }
wait_for() { for _ in $(seq 50); do [ "$(query "$2")" = "$3" ] && return; sleep 0.2; done; fail "$1: $(query "$2"), and not $3"; }
wait_for "calls that are told" "SELECT count() FROM log WHERE kind = 'request.seen' AND $(value sip.number) = '900442079460123'" 6
wait_for "who called" "SELECT count() FROM log WHERE kind = 'login.tried' AND login_user = '101' AND login_accepted" 3
wait_for "wrong passwords" "SELECT count() > 0 FROM log WHERE kind = 'login.tried' AND login_user = '100' AND NOT login_accepted" 1
echo "registered and called over UDP, TCP and TLS"
