#!/bin/bash
# High interaction: decoys whose sessions go on at real machines, in a namespace without a way out.
#   tests/e2e/relay.sh     a kansoku of its own; backends in a namespace of its own
# Exit status 0: all held, 1: the last lines say what did not, 77: a program is missing.
. "$(dirname "$0")/lib.sh"
need_root
for tool in ip unshare tcpdump python3 nginx curl openssl telnet busybox ssh sshpass sshd scp sftp ssh-keygen hydra; do
	command -v $tool >/dev/null || skip "$tool is missing"
done
export BACKENDS=kansoku-backends-$$
INSIDE=$BACKENDS # lib.sh removes it
BACKEND=10.99.0.2
LAIR=$(mktemp -d /var/tmp/kansoku-lair.XXXXXX) # the backends have a /tmp of their own
chmod 755 "$LAIR"
trap 'tools/backends down 2>/dev/null; cleanup; rm -rf "$LAIR"' EXIT
ANY_PORT=$TELNET_PORT TERMINAL_PORT=$((BASE_PORT + 3)) SSH_PORT=$((BASE_PORT + 4))
ALWAYS=127.23.9.1 AFTER_LOGIN=127.23.9.2 AFTER_UNKNOWN=127.23.9.3
USER=operator SECRET=real-Secret-7
PLANTED="root planted-4"

persona() { # name, then its services and other keys
	cat >"$WORK/personas/$1.yaml" <<-EOT
	name: $1
	hostname: gate
	home: /tmp
	credentials: [[${PLANTED/ /, }]]
	http:
	  server: nginx/1.22.1
	  login: {path: /login, user: name, secret: pass, accepted: /in, refused: /out, cookie: SID}
	  pages:
	    - {path: /, body: "emulated front"}
	    - {path: /in, body: "emulated inside"}
	    - {path: /out, body: "emulated refusal"}
	EOT
	cat >>"$WORK/personas/$1.yaml"
}

# What a visitor tries to reach from inside: over TCP, UDP and ICMP, IPv4 and IPv6.
REACHES='for to in 203.0.113.77 2001:db8::77; do
	(timeout 1 curl -s -m 1 -g "http://[$to]:8000/" || timeout 1 curl -s -m 1 "http://$to:8000/") 2>/dev/null
	timeout 1 python3 -c "
import socket, sys
a = sys.argv[1]; f = socket.AF_INET6 if \":\" in a else socket.AF_INET
for port in 53, 123, 1900:
    try: socket.socket(f, socket.SOCK_DGRAM).sendto(b\"out\", (a, port))
    except OSError: pass
try: socket.create_connection((a, 4444), 1)
except OSError: pass" $to
	timeout 1 ping -c 1 -W 1 $to >/dev/null 2>&1
done; echo reached'
packets_to() { tcpdump -n -r "$1" 'host 203.0.113.77 or host 2001:db8::77' 2>/dev/null | wc -l; }
capture() { # file, filter, command before: runs until it is killed
	${3:-} tcpdump -i any -w "$1" -s 4096 -B 32768 -U --immediate-mode "$2" >"$1.log" 2>&1 &
	SERVERS="${SERVERS:-} $!" CAPTURES="${CAPTURES:-} $!"
	for _ in $(seq 50); do grep -qs listening "$1.log" && return; sleep 0.1; done
	fail "tcpdump did not start: $(cat "$1.log")"
}

serve() { # a program in the backends' namespace
	tools/backends run "$@" >>"$WORK/backends" 2>&1 &
	SERVERS="${SERVERS:-} $!"
}
listens() { # port: until something in the namespace does
	for _ in $(seq 100); do
		ip netns exec $BACKENDS ss -Htln "sport = :$1" | grep -q . && return
		sleep 0.1
	done
	fail "no backend listens on $1: $(cat "$WORK/backends")"
}

said() { # address, port, line: what comes back, up to the end of a line
	timeout 5 python3 - "$@" <<-'EOP'
	import socket, sys
	s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
	s.settimeout(3)
	s.sendall(sys.argv[3].encode() + b"\r\n")
	got = b""
	while not got.endswith(b"\n"):
	    more = s.recv(65536)
	    if not more:
	        break
	    got += more
	print(got.decode())
	EOP
}
# A real client at a terminal: what it waits for (a pattern) and what is typed then, in turn; prints
# all that was seen.
types() { # command, then pairs
	timeout 30 python3 - "$@" <<-'EOP'
	import os, pty, re, select, signal, sys, time
	command, steps = sys.argv[1], sys.argv[2:]
	pid, fd = pty.fork()
	if pid == 0:
	    os.execvp("sh", ["sh", "-c", "stty -echoctl; exec " + command])
	seen = at = b""
	def wait(pattern):
	    global seen, at
	    end = time.time() + 8
	    while not re.search(pattern.encode(), at):
	        if not select.select([fd], [], [], max(0, end - time.time()))[0]:
	            return False
	        try:
	            more = os.read(fd, 65536)
	        except OSError:
	            return False
	        if not more:
	            return False
	        seen += more
	        at += more
	    return True
	for i in range(0, len(steps), 2):
	    if not wait(steps[i]):
	        seen += b"[NEVER " + steps[i].encode() + b"]"
	        break
	    at = b""
	    if i + 1 < len(steps):
	        os.write(fd, steps[i + 1].encode().decode("unicode_escape").encode("latin-1"))
	os.kill(pid, signal.SIGKILL)
	sys.stdout.buffer.write(re.sub(rb"[\r\0]", b"", seen))
	EOP
}
web() { # path at a decoy: its page, then its status
	curl -s -m 5 -w ' %{http_code}' "$@"
}

mkdir "$WORK/personas"
tools/backends up $BACKEND/32 || fail "no namespace for the backends"
at="address: $BACKEND, user: $USER, password: $SECRET"
persona always <<-EOT
	services:
	  redis: {ports: [$ANY_PORT], backend: {address: $BACKEND, port: 7000, connections: 2}}
	  http: {ports: [$HTTP_PORT], backend: {$at, port: 8080}}
	  telnet: {ports: [$TERMINAL_PORT], backend: {address: $BACKEND, port: 23}}
EOT
persona after-login <<-EOT
	services:
	  http: {ports: [$HTTP_PORT], backend: {$at, port: 8081, after: login}}
	  telnet: {ports: [$TERMINAL_PORT], backend: {$at, port: 23, after: login}}
	  ssh: {ports: [$SSH_PORT], software: openssh-9.2, backend: {$at, port: 22, after: login}}
EOT
persona after-unknown <<-EOT
	services:
	  http: {ports: [$HTTP_PORT], backend: {$at, port: 8081, after: unknown}}
	  telnet: {ports: [$TERMINAL_PORT], backend: {$at, port: 23, after: unknown}}
	  ssh: {ports: [$SSH_PORT], software: openssh-9.2, backend: {$at, port: 22, after: unknown}}
EOT
loopback_config <<-EOT
	relay: {namespace: $BACKENDS}
	passive:
	  personas_dir: $WORK/personas
	  decoys:
	    - {prefix: $ALWAYS, personas: [always]}
	    - {prefix: $AFTER_LOGIN, personas: [after-login]}
	    - {prefix: $AFTER_UNKNOWN, personas: [after-unknown]}
	  services:
	    redis: {ports: [$ANY_PORT]}
	    http: {ports: [$HTTP_PORT]}
	    telnet: {ports: [$TERMINAL_PORT], refusal-delay: 100ms}
	    ssh: {ports: [$SSH_PORT]}
	  workers: 1
	${CHDB:+store: {library: $CHDB\}}
EOT
start_kansoku

# While there is no backend the emulators serve, and that is told.
got=$(said $ALWAYS $ANY_PORT PING)
[[ $got == *PONG* ]] || fail "without its backend redis said: $got"
got=$(web http://$ALWAYS:$HTTP_PORT/)
[ "$got" = "emulated front 200" ] || fail "without its backend the web server said: $got"
grep -q 'the emulator serves' "$LOG" || fail "nobody told that the backend is down"

# Any TCP.
serve python3 -c '
import socketserver
class H(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(b"backend: " + line)
class S(socketserver.ThreadingTCPServer): allow_reuse_address = True
S(("'$BACKEND'", 7000), H).serve_forever()'
listens 7000
got=$(said $ALWAYS $ANY_PORT PING)
[[ $got == "backend: PING"* ]] || fail "with its backend redis said: $got"
grep -q 'answers again' "$LOG" || fail "nobody told that the backend is up"

# HTTP: nginx with a Basic log-in, and a web server with a form and a cookie.
echo "real front" >"$LAIR/index.html"
echo "really inside" >"$LAIR/inside"
head -c 3000000 /dev/urandom >"$LAIR/large"
printf '%s:%s\n' $USER "$(openssl passwd -6 $SECRET)" >"$LAIR/users"
cat >"$LAIR/nginx.conf" <<-EOT
	daemon off; pid /tmp/nginx.pid; error_log stderr; events {}
	http {
	  access_log off; client_body_temp_path /tmp/b; client_max_body_size 8m;
	  server {
	    listen $BACKEND:8080; root $LAIR;
	    location /admin { auth_basic real; auth_basic_user_file $LAIR/users; try_files /inside =404; add_header X-Is \$remote_user; }
	    location /put { dav_methods PUT; root $LAIR; }
	  }
	}
EOT
mkdir -m 777 "$LAIR/put"
serve nginx -c "$LAIR/nginx.conf"
cat >"$LAIR/form.py" <<-EOP
	import http.server, urllib.parse
	class H(http.server.BaseHTTPRequestHandler):
	    protocol_version = "HTTP/1.1"
	    def answer(self, text, cookie=False):
	        self.send_response(200)
	        if cookie: self.send_header("Set-Cookie", "real=yes")
	        self.send_header("Content-Length", str(len(text)))
	        self.end_headers()
	        self.wfile.write(text.encode())
	    def do_GET(self):
	        self.answer("real %s %s" % (self.path, "real=yes" in self.headers.get("Cookie", "")))
	    def do_POST(self):
	        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
	        form = urllib.parse.parse_qs(body)
	        ok = form.get("name") == ["$USER"] and form.get("pass") == ["$SECRET"]
	        self.answer("welcome" if ok else "no " + body, ok)
	    def log_message(self, *a): pass
	http.server.ThreadingHTTPServer(("$BACKEND", 8081), H).serve_forever()
EOP
serve python3 "$LAIR/form.py"
listens 8080
listens 8081
got=$(web http://$ALWAYS:$HTTP_PORT/)
[ "$got" = "real front
 200" ] || fail "nginx behind the decoy said: $got"
got=$(web http://$ALWAYS:$HTTP_PORT/admin)
[[ $got == *"401 Authorization Required"*401 ]] || fail "the real log-in page: $got"
got=$(web -u ${PLANTED/ /:} http://$ALWAYS:$HTTP_PORT/admin)
[ "$got" = "really inside
 200" ] || fail "the planted log-in: $got"
for wrong in root:wrong admin:planted-4 $USER:$SECRET; do
	got=$(web -u $wrong http://$ALWAYS:$HTTP_PORT/admin)
	[[ $got == *401 ]] || fail "$wrong was let in: $got"
done
curl -s -m 20 http://$ALWAYS:$HTTP_PORT/large | cmp - "$LAIR/large" || fail "a large file came otherwise"
head -c 2000000 /dev/urandom >"$WORK/sent"
got=$(web -T "$WORK/sent" http://$ALWAYS:$HTTP_PORT/put/a)
[[ $got == *201 ]] || fail "PUT: $got"
cmp "$WORK/sent" "$LAIR/put/a" || fail "a large file went otherwise"
got=$(web -T - http://$ALWAYS:$HTTP_PORT/put/b <"$WORK/sent")
cmp "$WORK/sent" "$LAIR/put/b" || fail "a file in chunks went otherwise: $got"

# From the emulator to the backend: by the form, and by a page that it has not got.
A=http://$AFTER_LOGIN:$HTTP_PORT U=http://$AFTER_UNKNOWN:$HTTP_PORT
[ "$(web $A/real)" != "real /real False 200" ] || fail "the backend answers before the log-in"
[ "$(web -d 'name=root&pass=wrong' $A/login)" = "emulated refusal 200" ] || fail "a wrong form"
[ "$(web -d "name=$USER&pass=$SECRET" $A/login)" = "emulated refusal 200" ] || fail "the backend's own password"
got=$(web -c "$WORK/cookies" -d 'more=1&name=root&pass=planted%2D4' $A/login)
[ "$got" = "welcome 200" ] || fail "the planted form: $got"
got=$(web -b "$WORK/cookies" $A/real)
[ "$got" = "real /real True 200" ] || fail "with the cookie of the log-in, on another connection: $got"
got=$(web $U/ $U/real $U/)
[ "$got" = "emulated front 200real /real False 200real / False 200" ] || fail "a page that it has not got: $got"
got=$(web -d 'name=root&pass=planted-4' $U/other)
[ "$got" = "no name=root&pass=planted-4 200" ] || fail "a form that is none of the device's: $got"

# Telnet: a real telnetd and login behind it, that of inetutils where it is installed.
grep -v "^$USER:" /etc/passwd >"$LAIR/passwd"
echo "$USER:x:1999:100::/home/$USER:/bin/bash" >>"$LAIR/passwd"
{ cat /etc/shadow; echo "$USER:$(openssl passwd -6 $SECRET):19000:0:99999:7:::"; } >"$LAIR/shadow"
mkdir "$LAIR/home" && mkdir "$LAIR/home/$USER" && chown 1999 "$LAIR/home/$USER"
echo "PS1='real\\$ '" >"$LAIR/home/$USER/.profile"
echo "$BACKEND:telnet stream tcp nowait root /usr/sbin/telnetd telnetd" >"$LAIR/inetd.conf"
as_machine="mount --bind $LAIR/passwd /etc/passwd && mount --bind $LAIR/shadow /etc/shadow &&
	mount --bind $LAIR/home /home && exec"
telnetd="busybox telnetd -F -b $BACKEND:23 -l /bin/login"
[ -z "${BUSYBOX:-}" ] && command -v telnetd inetd >/dev/null && telnetd="inetd -d $LAIR/inetd.conf"
serve sh -c "$as_machine $telnetd"
listens 23
client="telnet -E"
got=$(types "$client $ALWAYS $TERMINAL_PORT" 'ogin: ' "$USER\\r" 'assword: ' "$SECRET\\r" 'real\$ ' 'echo $((6*7))x\r' '42x' '')
[[ $got == *42x* ]] || fail "telnet through to the real log-in: $got"
got=$(types "$client $AFTER_LOGIN $TERMINAL_PORT" 'gate login: ' 'root\r' 'assword: ' 'planted-4\r' 'real\$ ' 'id -un; echo $((6*7))x\r' '42x' '')
[[ $got == *$USER*42x* ]] || fail "telnet from the log-in on: $got"
got=$(types "$client $AFTER_UNKNOWN $TERMINAL_PORT" 'ogin: ' 'root\r' 'assword: ' 'planted-4\r' '# $' 'cd /etc\r' '# $' \
	'python3 -c "print(6*7)"\r' '42\r?\n# $' 'pwd; id -un\r' "/etc\r?\n$USER\r?\n# \$" '')
[[ $got == *NEVER* || $got == *real* || $got == *$SECRET* ]] && fail "telnet from an unknown command on: $got"

# SSH: a real sshd behind it.
ssh-keygen -q -t ed25519 -N '' -f "$LAIR/host_key"
cat >"$LAIR/sshd_config" <<-EOT
	ListenAddress $BACKEND:22
	HostKey $LAIR/host_key
	PasswordAuthentication yes
	UsePAM no
	PidFile none
	Subsystem sftp internal-sftp
EOT
serve sh -c "$as_machine $(command -v sshd) -D -e -f $LAIR/sshd_config"
listens 22
OPTIONS="-F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o PreferredAuthentications=password"
in_ssh() { # address, options and command
	timeout 20 sshpass -p planted-4 ssh $OPTIONS -p $SSH_PORT "${@:2:$#-2}" "root@$1" "${@: -1}" 2>&1
}
got=$(in_ssh $AFTER_LOGIN 'id -un; echo $((6*7)); exit 3') status=$?
[ "$got" = "$USER
42" ] && [ $status = 3 ] || fail "ssh exec at the real machine: $got, status $status"
got=$(in_ssh $AFTER_LOGIN 'cat >piped; wc -c <piped' <"$LAIR/large")
[ "$got" = 3000000 ] || fail "a large file through a command: $got"
in_ssh $AFTER_LOGIN 'cat piped' | cmp - "$LAIR/large" || fail "a large file came otherwise over ssh"
in_ssh $AFTER_LOGIN -o RekeyLimit=64K 'cat piped' | cmp - "$LAIR/large" || fail "a large file came otherwise over ssh with new keys"
timeout 20 sshpass -p planted-4 scp $OPTIONS -P $SSH_PORT "$WORK/sent" root@$AFTER_LOGIN:by-scp || fail "scp"
cmp "$WORK/sent" "$LAIR/home/$USER/by-scp" || fail "scp left another file"
got=$(types "sshpass -p planted-4 ssh $OPTIONS -p $SSH_PORT root@$AFTER_LOGIN" 'real\$ ' 'stty size; echo $((6*7))x\r' '42x' '')
[[ $got == *42x* ]] || fail "ssh at a terminal: $got"
got=$(timeout 4 sshpass -p planted-4 ssh $OPTIONS -p $SSH_PORT -W $BACKEND:8081 root@$AFTER_LOGIN 2>&1)
[[ $got == *failed* ]] || fail "a connection was forwarded: $got"

# The same from a command on that the emulator does not know: as `ssh` gives it, and at a terminal.
got=$(in_ssh $AFTER_UNKNOWN 'echo emulated; uname -n')
[[ $got == emulated* && $got != *$(uname -n)* ]] || fail "a command that the emulator knows: $got"
got=$(in_ssh $AFTER_UNKNOWN 'python3 -c "import sys; print(sys.stdin.read()[::-1])"; exit 5' <<<abc) status=$?
[ "$got" = $'\ncba' ] && [ $status = 5 ] || fail "ssh exec of an unknown command: $got, status $status"
got=$(types "sshpass -p planted-4 ssh $OPTIONS -p $SSH_PORT root@$AFTER_UNKNOWN" '# $' 'cd /etc\r' '# $' 'python3 -c "print(6*7)"\r' \
	'42\r?\n# $' 'pwd; id -un; stty size\r' "/etc\r?\n$USER\r?\n[^#]*# \$" 'exit\r' 'closed|logout|exit')
[[ $got == *NEVER* || $got == *real* || $got == *$SECRET* || $got == *not?found* ]] && fail "ssh from an unknown command on: $got"

# Not one packet leaves: all that this machine sees is captured while a visitor tries to reach out
# from the real shell; the same tries in a namespace that has a way out are seen (so they are made,
# and the capture works).
CONTROL=kansoku-control-$$
OUTSIDE=$CONTROL # lib.sh removes it
ip netns add $CONTROL
ip -n $CONTROL link set lo up
ip -n $CONTROL link add out type veth peer name far
ip -n $CONTROL link set far up
ip -n $CONTROL link set out up
ip -n $CONTROL addr add 198.51.100.7/24 dev out
ip -n $CONTROL -6 addr add 2001:db8:1::7/64 dev out nodad
ip -n $CONTROL route add default dev out
ip -n $CONTROL -6 route add default dev out
ip -n $CONTROL neigh replace 203.0.113.77 lladdr 02:00:00:00:00:01 dev out nud permanent
ip -n $CONTROL neigh replace 2001:db8::77 lladdr 02:00:00:00:00:01 dev out nud permanent
CAPTURES=
capture "$WORK/here.pcap" "host 203.0.113.77 or host 2001:db8::77 or (host $AFTER_LOGIN and tcp port $SSH_PORT)"
capture "$WORK/there.pcap" 'not host 127.0.0.1' "ip netns exec $BACKENDS"
capture "$WORK/control.pcap" 'host 203.0.113.77 or host 2001:db8::77' "ip netns exec $CONTROL"
ip netns exec $CONTROL bash -c "$REACHES" >/dev/null 2>&1 &
control=$!
got=$(in_ssh $AFTER_LOGIN "$REACHES")
[[ $got == *reached* ]] || fail "the tries at the real machine: $got"
wait $control
sleep 0.3
kill -INT $CAPTURES; wait $CAPTURES
[ "$(packets_to "$WORK/control.pcap")" -ge 10 ] || fail "the control did not send: $(packets_to "$WORK/control.pcap") packets"
[ "$(packets_to "$WORK/here.pcap")" = 0 ] || fail "packets left the backends: $(packets_to "$WORK/here.pcap")"
[ "$(packets_to "$WORK/there.pcap")" = 0 ] || fail "packets found an interface: $(packets_to "$WORK/there.pcap")"
[ "$(tcpdump -n -r "$WORK/here.pcap" "host $AFTER_LOGIN" 2>/dev/null | wc -l)" -ge 20 ] || fail "the capture missed the visitor itself"
[ "$(ip netns exec $BACKENDS ip -o link show | grep -c .)" = 1 ] || fail "the backends have an interface"

# The planted credential is found, and no other: not even the backend's own.
printf '%s\n' $SECRET planted-4 >"$WORK/passwords"
printf '%s\n' root $USER >"$WORK/users"
for service in ssh:$SSH_PORT telnet:$TERMINAL_PORT; do
	found=$(timeout 60 hydra -q -I -t 4 -L "$WORK/users" -P "$WORK/passwords" -s ${service#*:} $AFTER_LOGIN ${service%:*} 2>&1 |
		sed -n 's/.*login: *\([^ ]*\) *password: */\1 /p')
	[ "$found" = "$PLANTED" ] || fail "${service%:*}: hydra found \"$found\""
done
found=$(timeout 60 hydra -q -I -t 4 -L "$WORK/users" -P "$WORK/passwords" -s $HTTP_PORT $ALWAYS http-get /admin 2>&1 |
	sed -n 's/.*login: *\([^ ]*\) *password: */\1 /p')
[ "$found" = "$PLANTED" ] || fail "http: hydra found \"$found\""

# No more at once than the backend may have, who comes then meets the emulator; and so does who
# comes while the relay is dead, which comes back.
exec 3<>/dev/tcp/$ALWAYS/$ANY_PORT 4<>/dev/tcp/$ALWAYS/$ANY_PORT
echo one >&3; read -r -t 5 got <&3; echo two >&4; read -r -t 5 got <&4
[ "$got" = "backend: two" ] || fail "the second connection: $got"
got=$(said $ALWAYS $ANY_PORT PING)
[[ $got == *PONG* ]] || fail "a third connection met no emulator: $got"
kill -KILL "$(role_pid relay)"
read -r -t 5 got <&3 && fail "a session outlived its relay: $got"
exec 3>&- 4>&-
for _ in $(seq 50); do
	got=$(said $ALWAYS $ANY_PORT PING)
	[[ $got == "backend: PING"* ]] && break
	[[ $got == *PONG* ]] || fail "without its relay redis said: $got"
	sleep 0.1
done
[[ $got == "backend: PING"* ]] || fail "the relay did not come back: $got"

# What was told.
told() { # rows of the query, at least so many
	local got=0
	for _ in $(seq 60); do
		got=$(query "select count() from events where $2" 2>/dev/null | tail -1)
		[ "${got:-0}" -ge "$1" ] 2>/dev/null && return
		sleep 0.2
	done
	fail "events where $2: ${got:-none}"
}
if [ -n "${CHDB:-}" ] || [ -e node_modules ]; then
	told 1 "kind='login.tried' and service='ssh' and login_user='root'"
	told 5 "kind='host.steered' and service in ('ssh','telnet','http','redis')"
	told 1 "kind='command.sent' and service='telnet' and value[indexOf(field, 'command.line')]='pwd; id -un'"
	told 1 "kind='command.sent' and service='ssh' and value[indexOf(field, 'command.line')]='stty size; echo \$((6*7))x'"
	told 1 "kind='file.captured' and service='ssh' and value[indexOf(field, 'file.how')]='stdin'"
	told 1 "kind='request.seen' and service='http' and value[indexOf(field, 'request.target')]='/real'"
	told 1 "kind='sensor.changed' and state='backend down'"
fi

stop_kansoku || fail "kansoku did not stop well"
echo "relay: TCP, HTTP, telnet and SSH go on at real machines, and nothing leaves their namespace"
