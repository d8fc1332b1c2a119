#!/bin/bash
# FTP met with curl, lftp, ftp and nmap: what is uploaded is served by the web server, listed by
# the shell, kept in the store, found again after a restart, by its owner only; nobody else may
# come where a peer is called for data, and we call nobody.
. "$(dirname "$0")/lib.sh"
for client in curl lftp ftp nmap python3; do
	command -v $client >/dev/null || skip "$client is missing"
done
FTP_PORT=$((BASE_PORT + 3)) DATA_PORT=$((30000 + ($$ % 1500) * 16)) A=127.55.2.1 D=127.21.10.7
mkdir "$WORK/personas"
sed 's|^services:|services:\n  telnet: {}|; s|^  ftp: .*|  ftp: {home: /var/www/html, anonymous: true, anonymous_root: /var/www/html, auth_tls: true}|' \
	etc/personas/webserver.yaml >"$WORK/personas/webserver.yaml"
loopback_config <<EOT
store: {linger: 50ms}
passive:
  decoys: [{prefix: 127.21.10.0/24, personas: [webserver]}]
  personas_dir: $WORK/personas
  data_port: $DATA_PORT
  services:
    telnet: {ports: [$TELNET_PORT]}
    http: {ports: [$HTTP_PORT]}
    ftp: {ports: [$FTP_PORT]}
  workers: 2
EOT
start_kansoku --only journal,store,control,passive
say() { curl -s -m 20 --interface "$A" "$@"; }
url=ftp://root:toor@$D:$FTP_PORT

head -c 70000 /dev/urandom >"$WORK/large"
echo '<p>left by FTP</p>' >"$WORK/page"
say -T "$WORK/page" "$url/left.html" || fail "curl cannot upload"
say -T "$WORK/large" "$url/large.bin" || fail "curl cannot upload what is larger"
[ "$(say "$url/left.html")" = '<p>left by FTP</p>' ] || fail "curl does not get back what it left"
say "$url/large.bin" | cmp - "$WORK/large" || fail "what comes back is not what was left"
[ "$(say -r 5-9 "$url/left.html")" = 'ft by' ] || [ "$(say -r 3-7 "$url/left.html")" = 'left ' ] || fail "no restart"
say "$url/" | grep -q '1000 *19 .* left.html' || fail "it is not in the list: $(say "$url/")"
[ "$(say "http://$D:$HTTP_PORT/left.html")" = '<p>left by FTP</p>' ] || fail "the web server does not serve it"
printf 'root\r\ntoor\r\nls -l /var/www/html\r\nexit\r\n' | timeout 10 python3 -c '
import socket, sys, time
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10, (sys.argv[3], 0))
for line in sys.stdin.buffer:
    time.sleep(0.3); s.sendall(line)
while b := s.recv(65536):
    sys.stdout.buffer.write(b)
' $D $TELNET_PORT $A >"$WORK/shell"
grep -aq '19 .*left.html' "$WORK/shell" || fail "the shell does not list it: $(cat "$WORK/shell")"
[ "$(curl -s -m 20 --interface 127.55.2.2 -o /dev/null -w '%{http_code}' "http://$D:$HTTP_PORT/left.html")" = 404 ] ||
	fail "another attacker is served it"

say --insecure --ftp-ssl-control "$url/left.html" | cmp - "$WORK/page" || fail "curl cannot log in over TLS"
lftp_does() { timeout 20 lftp -u root,toor -p $FTP_PORT $D -e "set net:timeout 5; set ftp:ssl-allow no; set net:socket-bind-ipv4 $A; $1; bye"; }
lftp_does "mkdir d; put $WORK/large -o d/one; mv d/one d/two; chmod 644 d/two; ls d" >"$WORK/lftp" || fail "lftp: $(cat "$WORK/lftp")"
grep -q '^-rw-r--r--    1 1000     1000        70000 .* two' "$WORK/lftp" || fail "lftp's list: $(cat "$WORK/lftp")"
lftp_does 'cat d/two' | cmp - "$WORK/large" || fail "lftp does not get back what it left"
lftp_does 'rm d/two; rmdir d; ls' | grep -q ' d$' && fail "lftp cannot remove"
printf 'user root toor\nput %s by-ftp\nls\nbye\n' "$WORK/page" | timeout 20 ftp -n $D $FTP_PORT >"$WORK/ftp" 2>&1
grep -q 'by-ftp' "$WORK/ftp" || fail "ftp: $(cat "$WORK/ftp")"
timeout 60 nmap -n -Pn -sV --script ftp-anon -p "$FTP_PORT,$DATA_PORT-$((DATA_PORT + 15))" $D >"$WORK/nmap"
grep -q "vsftpd 3.0.3" "$WORK/nmap" || fail "nmap: $(cat "$WORK/nmap")"
grep -q 'Anonymous FTP login allowed' "$WORK/nmap" || fail "ftp-anon: $(cat "$WORK/nmap")"
[ "$(grep -c '/tcp *closed' "$WORK/nmap")" = 16 ] || fail "ports for data are open: $(cat "$WORK/nmap")"

timeout 20 python3 - $D $FTP_PORT $A <<'EOP' || fail "data connections"
import re, socket, sys
decoy, port, ours = sys.argv[1], int(sys.argv[2]), sys.argv[3]
def login(source):
    s = socket.create_connection((decoy, port), 5, (source, 0)); f = s.makefile("rb"); f.readline()
    def do(x):
        s.sendall(x + b"\r\n"); return f.readline()
    do(b"USER root"); assert do(b"PASS toor").startswith(b"230")
    return do, f
do, f = login(ours)
called = lambda a: (lambda n: int(n[4]) * 256 + int(n[5]))(re.search(rb"\((.*)\)", a)[1].split(b","))
there = called(do(b"PASV"))
try:
    stranger = socket.create_connection((decoy, there), 5, ("127.55.2.9", 0))
    assert stranger.recv(1) == b"", "a stranger was let in"
except ConnectionResetError:
    pass
d = socket.create_connection((decoy, there), 5, (ours, 0))
assert do(b"NLST").startswith(b"150")
assert b"left.html" in d.makefile("rb").read() and f.readline().startswith(b"226")
try:
    socket.create_connection((decoy, there), 5, (ours, 0)); sys.exit("it stays open")
except ConnectionRefusedError:
    pass
for x in (b"PORT 127,0,0,1,0,80", b"EPRT |1|127.0.0.1|80|"):
    assert do(x).startswith(b"550"), x
d = socket.create_connection((decoy, called(do(b"PASV"))), 5, (ours, 0))
assert do(b"STOR broken").startswith(b"150")
d.sendall(b"half of")
d.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"); d.close()
assert f.readline()[:3] in (b"426", b"226")
EOP

stop_kansoku || fail "it did not end well"
start_kansoku --only journal,store,control,passive
[ "$(say "http://$D:$HTTP_PORT/left.html")" = '<p>left by FTP</p>' ] || fail "it is gone after a restart"
say "$url/large.bin" | cmp - "$WORK/large" || fail "the large one is gone after a restart"
digest=$(sha256sum <"$WORK/large" | cut -c1-64)
for _ in $(seq 50); do
	kept=$(query "SELECT count() FROM log WHERE kind = 'file.captured' AND file_sha256 = '$digest' AND service = 'ftp'" 2>/dev/null)
	[ "${kept:-0}" -ge 2 ] && break
	sleep 0.2
done
[ "${kept:-0}" -ge 2 ] || fail "uploads are not in the store: $kept"
stop_kansoku || fail "it did not end well"
echo "ftp: clients upload, the web server and the shell show it, and it stays"
