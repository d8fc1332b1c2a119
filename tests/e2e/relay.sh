#!/bin/bash
# High interaction: decoys whose sessions go on at real machines, in a namespace without a way out.
#   tests/e2e/relay.sh     a kansoku of its own; backends in a namespace of its own
# Exit status 0: all held, 1: the last lines say what did not, 77: a program is missing.
HOST=127.23.9.1
. "$(dirname "$0")/lib.sh"
need_root
for tool in ip unshare tcpdump python3; do
	command -v $tool >/dev/null || skip "$tool is missing"
done
export BACKENDS=kansoku-backends-$$
INSIDE=$BACKENDS # lib.sh removes it
BACKEND=10.99.0.2
ANY_PORT=$TELNET_PORT

persona() { # name, then its services
	grep -vE '^(classes|name|services):' etc/personas/router.yaml >"$WORK/personas/$1.yaml"
	printf 'name: %s\nservices:\n%s\n' "$1" "$2" >>"$WORK/personas/$1.yaml"
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

mkdir "$WORK/personas"
tools/backends up $BACKEND/32 || fail "no namespace for the backends"
persona lair "  redis: {ports: [$ANY_PORT], backend: {address: $BACKEND, port: 7000, connections: 2}}"
loopback_config <<-EOT
	relay: {namespace: $BACKENDS}
	passive:
	  personas_dir: $WORK/personas
	  decoys: [{prefix: $HOST, personas: [lair]}]
	  services: {redis: {ports: [$ANY_PORT]}}
	  workers: 1
	${CHDB:+store: {library: $CHDB\}}
EOT
start_kansoku

said() { timeout 5 python3 -c '
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
s.sendall(sys.argv[3].encode()); s.shutdown(socket.SHUT_WR) if len(sys.argv) > 4 else None
s.settimeout(float(2)); got = b""
try:
    while not got.endswith(b"\n"): 
        b = s.recv(65536)
        if not b: break
        got += b
except OSError: pass
print(got.decode())' "$@"; }

# While there is no backend the emulator serves, and that is told.
got=$(said $HOST $ANY_PORT $'PING\r\n')
[[ $got == *PONG* ]] || fail "without its backend redis said: $got"
grep -q 'the emulator serves' "$LOG" || fail "nobody told that the backend is down"

serve python3 -c '
import socketserver
class H(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(b"backend: " + line)
class S(socketserver.ThreadingTCPServer): allow_reuse_address = True
S(("'$BACKEND'", 7000), H).serve_forever()'
listens 7000
got=$(said $HOST $ANY_PORT $'PING\r\n')
[[ $got == "backend: PING"* ]] || fail "with its backend redis said: $got"
grep -q 'answers again' "$LOG" || fail "nobody told that the backend is up"
stop_kansoku || fail "kansoku did not stop well"
echo "relay: TCP, telnet, SSH and HTTP go on at real machines, and nothing leaves their namespace"
