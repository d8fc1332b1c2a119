#!/bin/bash
# What an attacker wrote into a controller or a database is there when it comes back, after the
# decoys were stopped and started, too; another attacker does not find it.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip "python3 is missing"
MODBUS_PORT=$BASE_PORT S7_PORT=$((BASE_PORT + 1)) REDIS_PORT=$((BASE_PORT + 3)) ATG_PORT=$((BASE_PORT + 4))
DECOY=127.23.7.1
loopback_config <<-EOT
	passive:
	  decoys: [{prefix: $DECOY}]
	  personas_dir: $WORK/personas
	  services: {modbus: {ports: [$MODBUS_PORT]}, s7comm: {ports: [$S7_PORT]}, redis: {ports: [$REDIS_PORT]},
	    atg: {ports: [$ATG_PORT]}}
	  workers: 2
EOT
mkdir "$WORK/personas"
cat >"$WORK/personas/all.yaml" <<-EOT
	name: all
	hostname: station
	arch: x86
	machine: x86_64
	kernel: 5.10.0-28-amd64
	services: {modbus: {ports: [$MODBUS_PORT]}, s7comm: {ports: [$S7_PORT]}, redis: {ports: [$REDIS_PORT]},
	  atg: {ports: [$ATG_PORT]}}
EOT

# The answer to the last of the requests (hexadecimal), from SOURCE at PORT.
ask() {
	timeout 20 python3 - $DECOY "$@" <<-'EOP'
	import socket, sys
	decoy, source, port, requests = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
	s = socket.create_connection((decoy, port), 10, (source, 0))
	s.settimeout(10)
	for request in requests:
	    s.sendall(bytes.fromhex(request))
	    answer = s.recv(4096)
	print(answer.hex())
	EOP
}
redis() { timeout 20 python3 -c '
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[3])), 10, (sys.argv[2], 0))
s.sendall((sys.argv[4] + "\r\nquit\r\n").encode())
f = s.makefile("rb")
print(*[l.decode().strip() for l in f.readlines()[:-1]])' $DECOY "$1" $REDIS_PORT "$2"; }

CONNECT='0300001611e00000000100c0010ac1020100c2020102' SETUP='0300001902f08032010000000000080000f0000001000101e0'
WRITE='0300002402f080320100000001000e00050501120a10020001000083000050000400085a'
READ='0300001f02f080320100000002000e00000401120a10020001000083000050'
STOP='0300002102f0803201000000030010000029000000000009505f50524f4752414d'
LIST='0300002102f080320700000004000800080001120411440100ff09000404240000'

finds() { # SOURCE: what it finds
	ask "$1" $MODBUS_PORT 000100000006010300640002
	ask "$1" $S7_PORT $CONNECT $SETUP $READ | tail -c 3
	ask "$1" $S7_PORT $CONNECT $SETUP $LIST | cut -c83-86
	redis "$1" 'get left' | tr -d '\n'
	redis "$1" 'config get dir' | sed 's/.*\$/ $/'
	ask "$1" $ATG_PORT 01493630323031 | grep -oc 48454c4c4f
}
start_kansoku --only journal,passive
finds 127.55.2.2 >"$WORK/new"
ask 127.55.2.1 $MODBUS_PORT 00010000000b0110006400020412345678 >/dev/null
ask 127.55.2.1 $S7_PORT $CONNECT $SETUP $WRITE $STOP >/dev/null
[ "$(redis 127.55.2.1 'set left was-here')" = +OK ] || fail "a key is not set"
[ "$(redis 127.55.2.1 'config set dir /tmp')" = +OK ] || fail "a setting is not set"
ask 127.55.2.1 $ATG_PORT 0153363032303148454c4c4f0a >/dev/null
finds 127.55.2.1 >"$WORK/left"
for want in 000100000007010304'12345678' '^5a$' was-here /tmp '^1$'; do
	grep -q -e "$want" "$WORK/left" || fail "it does not find what it left ($want): $(cat "$WORK/left")"
	grep -q -e "$want" "$WORK/new" && fail "it was there before ($want): $(cat "$WORK/new")"
done
finds 127.55.2.3 | cmp - "$WORK/new" || fail "another attacker finds it"
stop_kansoku || fail "it did not end well"
start_kansoku --only journal,passive
finds 127.55.2.1 | cmp - "$WORK/left" || fail "it is gone after a restart"
finds 127.55.2.3 | cmp - "$WORK/new" || fail "another attacker finds it after a restart"
stop_kansoku || fail "it did not end well"
echo "remembered: registers, flags and a stop of controllers, keys and settings of a database, labels of tanks"
