#!/bin/bash
# The industrial decoys met with nmap's scripts, mbpoll and clients of our own; tshark reads
# every answer and must find nothing malformed.
#   tests/e2e/ics.sh             all
#   tests/e2e/ics.sh modbus ...  only these
# Exit status 0: all held, 1: the last lines say what did not, 77: a client is missing.
. "$(dirname "$0")/lib.sh"
# Debian's python3, which finds the packages of Debian.
for client in nmap mbpoll tshark tcpdump /usr/bin/python3; do
	command -v $client >/dev/null || skip "$client is missing"
done
/usr/bin/python3 -c "import pymodbus.client" 2>/dev/null || skip "python3-pymodbus is missing"
need_root # for the capture

FIRST=$((21000 + ($$ % 900) * 12))
declare -A port dissector
number=0
# service, whether it is TCP or UDP, what tshark calls its protocol (none: it knows it not)
while read -r service transport name; do
	port[$service]=${port[$service]:-$((FIRST + number++))}
	[ $name = none ] || dissector[$service]+=" -d $transport.port==${port[$service]},$name"
done <<-EOT
	modbus tcp mbtcp
	atg tcp none
	fox tcp none
	fins tcp omron
	fins udp omron
	iec104 tcp iec60870_104
	s7comm tcp tpkt
	bacnet udp bvlc
	knxip udp kip
	dnp3 tcp dnp3
	enip tcp enip
	enip udp enip
EOT
WANTED=${*:-${!port[*]}}
DECOY=127.23.0.7 OTHER=127.23.0.8
CLIENT=tests/e2e/ics_client.py

says() { grep -qaE -- "$1" <<<"$answer" || fail "$service: no \"$1\" in
$answer"; }
lacks() { grep -qaiE -- "$1" <<<"$answer" && fail "$service: \"$1\" in
$answer"; return 0; }

# nmap's script, whatever the port is
script() { # name, nmap's further arguments
	answer=$(timeout 60 nmap -n -Pn -p "${port[$service]}" --script "+$1" "${@:2}" $DECOY 2>&1)
	lacks honeypot
}
version() {
	answer=$(timeout 90 nmap -n -Pn -sV --script-timeout 1 -p "${port[$service]}" "$@" $DECOY 2>&1)
	lacks honeypot
}
client() { answer=$(timeout 30 /usr/bin/python3 $CLIENT "$service" "${1:-$DECOY}" "${port[$service]}" 2>&1) ||
	fail "$service: the client says $answer"; }

# All answers of a service, as tshark reads them
decoded() {
	local bad
	bad=$(tshark -n -r "$WORK/wire.pcap" ${dissector[$service]:-} \
		-Y "(tcp.srcport==${port[$service]} || udp.srcport==${port[$service]}) && (_ws.malformed || _ws.expert.severity==error)" 2>/dev/null)
	[ -z "$bad" ] || fail "$service: tshark objects to
$bad"
	answer=$(tshark -n -r "$WORK/wire.pcap" ${dissector[$service]:-} -Y "$1 && (tcp.srcport==${port[$service]} || udp.srcport==${port[$service]})" 2>/dev/null)
	[ -n "$answer" ] || fail "$service: tshark finds no answer with $1"
}

meet_modbus() {
	script modbus-discover
	says 'ILLEGAL FUNCTION'
	says 'Device identification: Schneider Electric BMX P34 2020 v2.5'
	version
	says 'modbus +Modbus TCP'
	answer=$(mbpoll -m tcp -p ${port[modbus]} -a 1 -t 4 -r 1 -c 10 -1 $DECOY 2>&1)
	says '\[10\]:'
	answer=$(mbpoll -m tcp -p ${port[modbus]} -a 1 -t 0 -r 6 $DECOY 1 2>&1)
	says 'Written 1 references'
	client
	says 'identity .*Schneider Electric'
	says 'moves True'
	says 'stopped pump: flow falls True'
}
modbus_filter=mbtcp

meet_atg() {
	client
	says 'IN-TANK INVENTORY'
	says '^  1  REGULAR UNLEADED +[0-9]+ +[0-9]+ +[0-9]+ +[0-9.]+ +[0-9.]+ +[0-9.]+'
	says '^  1  KEROSENE  '
	says 'checksum True'
	says '9999FF1B'
}
atg_filter='tcp.len > 0'

meet_fox() {
	script fox-info
	for field in 'fox.version: 1.0.1' 'hostAddress: 127.23.0.7' 'app.name: Station' 'app.version: 3.8' 'vm.name: Java' \
		'vm.version: 25' 'os.name: QNX' 'timeZone: America/Chicago' 'hostId: Qnx-TITAN-....-....-....' 'vmUuid: .*-11e.-' 'brandId: vykon'; do
		says "$field"
	done
	local one=$answer
	version --version-all
	says 'Tridium Niagara 3.8.41.2 \(fox version 1.0.1\)'
	DECOY=$OTHER script fox-info
	[ "$(grep hostId <<<"$one")" != "$(grep hostId <<<"$answer")" ] || fail "fox: two decoys have one host id"
}
fox_filter='tcp.len > 0'

meet_fins() {
	local source=20
	for transport in '' -sU; do
		script omron-info $transport -e lo -S 127.24.$((source++)).1
		for field in 'Normal completion' 'Controller Model: CJ2M-CPU33 +02.01' 'Controller Version: 02.01' 'Program Area Size: 20' \
			'IOM size: 23' 'No. DM Words: 32768' 'Timer/Counter: 8' 'Kind of Memory Card: No Memory Card'; do
			says "$field"
		done
	done
	client
	says 'moves True'
	says 'D100 is 4660'
	says 'stopped: 0'
}
fins_filter=omron

meet_iec104() {
	script iec-identify
	says 'ASDU address: [1-9]'
	says 'Information objects: 11'
	client
	says 'cyclic True'
	says 'unknown object 0x6f'
	says 'breaker: confirmed returned terminated'
	says 'power falls True'
	says 'out of order: closed'
}
iec104_filter=iec60870_asdu

meet_s7comm() {
	script s7-info
	for field in 'Module: 6ES7 315-2EH14-0AB0' 'Basic Hardware: 6ES7 315-2EH14-0AB0' 'Version: 3.2.6' 'System Name: SIMATIC 300' \
		'Module Type: CPU 315-2 PN/DP' 'Serial Number: S C-[A-Z][0-9][A-Z][0-9]{5}20' 'Copyright: Original Siemens Equipment'; do
		says "$field"
	done
	local one=$answer
	DECOY=$OTHER script s7-info
	[ "$(grep Serial <<<"$one")" != "$(grep Serial <<<"$answer")" ] || fail "s7comm: two decoys have one serial number"
	client
	says 'list 001c: 10 records of 34'
	says 'moves True'
	says 'DB2 is a55a'
	says 'mode 4'
	says 'blocks: 7'
}
s7comm_filter=s7comm

meet_bacnet() {
	script bacnet-info -sU -e lo -S 127.25.1.1
	for field in 'Vendor ID: Johnson Controls,? Inc. \(5\)' 'Vendor Name: Johnson' 'Object-identifier: [0-9]+' 'Firmware: 6.5.0.1400' \
		'Application Software: 6.5' 'Object Name: NAE-' 'Model Name: MS-NAE5510-2' 'Description: Building' 'Location: Mechanical room'; do
		says "$field"
	done
	client
	says 'I-Am [0-9]+'
	says 'moves True'
	says 'pump 0'
}
bacnet_filter=bacapp

meet_enip() {
	local source=30 one
	for transport in '' -sU; do
		script enip-info $transport -e lo -S 127.25.$((source++)).1
		for field in 'type: Programmable Logic Controller \(14\)' 'vendor: Rockwell Automation/Allen-Bradley \(1\)' \
			'productName: 1756-L61/B LOGIX5561' 'serialNumber: 0x00' 'productCode: 54' 'revision: 20.11' 'status: 0x3060' 'state: 0x03' 'deviceIp: 127.23.0.7'; do
			says "$field"
		done
	done
	one=$answer
	DECOY=$OTHER script enip-info
	[ "$(grep serial <<<"$one")" != "$(grep serial <<<"$answer")" ] || fail "enip: two decoys have one serial number"
	client
	says 'identity .*LOGIX5561'
	says 'moves True'
	says 'Pump_Run 0'
	says 'no session 0x64'
}
enip_filter=enip

meet_dnp3() {
	client
	says 'link status ok'
	says 'class 0: 1 10 20 30 40'
	says 'moves True'
	says 'relay status 0'
	says 'relay off: 0x01'
	says 'wrong checksum: silence'
}
dnp3_filter=dnp3

meet_knxip() {
	# As nmap 7.93 ships it the script calls a function that Lua has not got.
	sed 's/string.packlen/string.packsize/' /usr/share/nmap/scripts/knx-gateway-info.nse >"$WORK/knx-gateway-info.nse"
	script "$WORK/knx-gateway-info.nse" -sU -e lo -S 127.25.40.1
	for field in 'KNX address: 1.[0-9]+.0' 'Decive serial: 0001' 'Multicast address: 224.0.23.12' 'Device friendly name: IP Router N146/02' \
		'KNXnet/IP Core' 'KNXnet/IP Tunnelling'; do
		says "$field"
	done
	client
	says 'tunnel open'
	says 'confirmed 2e'
	says 'pump is 0'
	says 'closed 0'
}
knxip_filter=kip

services=$(for s in "${!port[@]}"; do printf '%s: {ports: [%s]}, ' $s ${port[$s]}; done)
mkdir "$WORK/personas"
printf 'name: bare\nsummary: offers all that is configured\n' >"$WORK/personas/bare.yaml"
loopback_config <<-EOT
	passive:
	  personas_dir: $WORK/personas
	  decoys:
	    - {prefix: 127.23.0.0/24, personas: [bare]}
	  services: {${services%, }}
	  workers: 1
EOT
start_kansoku
filter=$(for s in "${!port[@]}"; do printf 'or port %s ' ${port[$s]}; done)
tcpdump -i lo -w "$WORK/wire.pcap" -s 4096 -B 32768 -U --immediate-mode "${filter#or }" >"$WORK/tcpdump" 2>&1 &
CAPTURE_PID=$!
for _ in $(seq 50); do grep -qs listening "$WORK/tcpdump" && break; sleep 0.1; done
for service in $WANTED; do
	# What is said over UDP beyond what came is bounded for all sources together, too.
	case $service in
	fins | enip | bacnet | knxip)
		stop_kansoku
		rm -f "$STATE/run/ready"
		start_kansoku
		;;
	esac
	meet_$service
	echo "$service: as expected"
done
sleep 0.3
kill -INT $CAPTURE_PID && wait $CAPTURE_PID
CAPTURE_PID=
capture_is_whole "$WORK/tcpdump"
for service in $WANTED; do
	filter=${service}_filter
	decoded "${!filter}"
done
echo "tshark: nothing is malformed"
