#!/bin/bash
# An attacker finds at a decoy what it left there: in another session, after the decoys were
# stopped and started, after they were killed; another attacker does not, nor does the first at
# another address; a reset and an erasure make the device as new.
. "$(dirname "$0")/lib.sh"
for client in python3 telnet; do
	command -v $client >/dev/null || skip "$client is missing"
done
loopback_config <<EOT
store: {linger: 100ms}
passive:
  decoys: [{prefix: 127.21.8.0/24, personas: [camera]}]
  services: {telnet: {ports: [$TELNET_PORT]}, http: {ports: [$HTTP_PORT]}}
  workers: 2
EOT

shell() { # source, decoy, lines: what was said
	timeout 30 python3 - "$TELNET_PORT" "$@" <<-'EOP'
	import re, socket, sys
	port, source, decoy, lines = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]
	s = socket.create_connection((decoy, port), 10, (source, 0))
	s.settimeout(10)
	for line in ["root", "xc3511"] + lines + [None]:
	    seen = b""
	    while not re.search(rb"(ogin: ?|assword: ?|[#>$] )$", seen):
	        more = s.recv(65536)
	        if not more:
	            sys.exit("hung up")
	        seen += more
	    sys.stdout.buffer.write(seen)
	    sys.stdout.flush()
	    if line is not None:
	        s.sendall(line.encode() + b"\r\n")
	    elif lines[-1] == "stay":
	        import os, time
	        os.close(1)
	        time.sleep(25)
	EOP
}
# Not what the terminal echoes.
finds() { shell "$1" "$2" "cat /tmp/left-$3" | grep -aq "^was-here-$3"; }
leave() { shell "$1" "$2" "echo was-here-$3 > /tmp/left-$3" >/dev/null || fail "$1 was not let in at $2"; }

start_kansoku --only journal,store,control,passive
leave 127.55.1.1 127.21.8.7 one
finds 127.55.1.1 127.21.8.7 one || fail "the next session does not find the file"
finds 127.55.1.2 127.21.8.7 one && fail "another attacker finds it"
finds 127.55.1.1 127.21.8.9 one && fail "it is at another address, too"
shell 127.55.1.1 127.21.8.7 'rm /etc/passwd; mkdir /tmp/dir' >/dev/null

stop_kansoku || fail "it did not end well"
start_kansoku --only journal,store,control,passive
finds 127.55.1.1 127.21.8.7 one || fail "it is gone after a restart"
shell 127.55.1.1 127.21.8.7 'ls /tmp; cat /etc/passwd' >"$WORK/said"
grep -aq 'dir' "$WORK/said" || fail "the directory is gone after a restart"
grep -aq "can't open '/etc/passwd'" "$WORK/said" || fail "what was removed is there again"
shell 127.55.1.2 127.21.8.7 'cat /etc/passwd' | grep -aq root: || fail "it was removed for another"

# Killed while a session goes on: what it did is kept within seconds.
leave 127.55.1.3 127.21.8.7 three
shell 127.55.1.1 127.21.8.7 'echo was-here-two > /tmp/left-two' stay >/dev/null & SERVERS=$!
sleep 8
for pid in $(pgrep -P "$KANSOKU_PID" -f 'process passive$'); do kill -9 "$pid"; done
sleep 3
finds 127.55.1.1 127.21.8.7 two || fail "a change is gone after a kill"
finds 127.55.1.3 127.21.8.7 three || fail "what another left is gone after a kill"

# Fingers and a program, told apart.
timeout 40 python3 - "$TELNET_PORT" 127.55.1.8 127.21.8.7 <<'EOP' || fail "nobody could type"
import random, socket, sys, time
s = socket.create_connection((sys.argv[3], int(sys.argv[1])), 10, (sys.argv[2], 0))
random.seed(5)
time.sleep(1)
for line in ("root", "xc3511", "lss\x7f", "echo a > /tmp/lo\x7f\x7fkept", "exit"):
    time.sleep(random.uniform(0.5, 2.2))
    for key in line + "\r":
        time.sleep(random.uniform(0.06, 0.25))
        s.sendall(key.encode())
while s.recv(65536):
    pass
EOP
typists() {
	query "SELECT DISTINCT value[indexOf(field, 'typist')] FROM log WHERE kind = 'session.closed' AND src = '$1' AND has(field, 'typist')" 2>/dev/null
}
for _ in $(seq 50); do [ -n "$(typists 127.55.1.8)" ] && break; sleep 0.2; done
[ "$(typists 127.55.1.8)" = human ] || fail "fingers were taken for $(typists 127.55.1.8)"
snapshots() { query "SELECT count() FROM log WHERE value[indexOf(field, 'file.how')] = 'snapshot' AND src = '$1'"; }
for _ in $(seq 25); do [ "$(snapshots 127.55.1.8)" = 1 ] && break; sleep 0.2; done
[ "$(snapshots 127.55.1.8)" = 1 ] || fail "what a human changed is not kept as an archive"
[ "$(snapshots 127.55.1.3)" = 0 ] || fail "what a program changed is kept as an archive"
[ -n "$(find "$STATE/blobs" -type f -size +1500c -exec tar tf {} tmp/kept \; 2>/dev/null)" ] || fail "the archive does not hold the file"
[ "$(typists 127.55.1.3)" = bot ] || fail "a program was taken for $(typists 127.55.1.3)"

"$KANSOKU" reset --config "$CONFIG" 2>/dev/null && fail "a reset of nothing"
[ "$("$KANSOKU" reset --config "$CONFIG" --source 127.55.1.3)" = '1 device is as new' ] || fail "no reset"
finds 127.55.1.3 127.21.8.7 three && fail "it is there after a reset"
finds 127.55.1.1 127.21.8.7 two || fail "a reset took what was another's"
grep -aqr was-here-three "$STATE/devices" && fail "after a reset it is still on the disk"
"$KANSOKU" erase --config "$CONFIG" 127.55.1.1 >/dev/null || fail "no erasure"
finds 127.55.1.1 127.21.8.7 one && fail "it is there after an erasure"
grep -aqr was-here "$STATE/devices" && fail "after an erasure it is still on the disk"
[ "$(stat -c %a "$STATE/devices")" = 700 ] || fail "others may read what was left"
stop_kansoku || fail "it did not end well"
echo "device: found again by who left it, and by nobody else"
