#!/bin/bash
# The opt-in probes against servers that we did not write, and against our own decoys; what a
# capture must not show; tshark reads questions and answers and must find nothing malformed.
. "$(dirname "$0")/lib.sh"
for tool in jq tshark tcpdump mosquitto nmap snmpd coap-server-notls minissdpd /usr/bin/python3; do
	command -v $tool >/dev/null || skip "needs $tool"
done
/usr/bin/python3 -c "import pymodbus.server" 2>/dev/null || skip "needs python3-pymodbus"
need_root # for a network of its own, in which ports are free, and for the capture
[ "${ALONE:-}" ] || exec env ALONE=1 unshare -n "tests/e2e/$(basename "$0")"
ip link set lo up multicast on && ip route add 224.0.0.0/4 dev lo || skip "no network of its own can be made here"
SERVERS=
FIRST=22000
declare -A port transport
dissect=()
number=0
# name, transport, probe, what tshark calls its protocol (-: it knows it not), port
while read -r name how probe protocol at; do
	port[$name]=${at:-$((FIRST + number++))} transport[$name]=$how
	probes="${probes:+$probes, }${port[$name]}/$how: $probe"
	[ $protocol = - ] || dissect+=(-d "$how.port==${port[$name]},$protocol")
done <<-EOT
	modbus tcp modbus mbtcp
	s7comm tcp s7 tpkt
	fox tcp fox -
	enip tcp enip enip
	dnp3 tcp dnp3 dnp3
	iec104 tcp iec104 iec60870_104
	atg tcp atg -
	mqtt tcp mqtt mqtt
	cwmp tcp cwmp http
	pymodbus tcp modbus mbtcp
	mosquitto tcp mqtt mqtt
	locked tcp mqtt mqtt
	bacnet udp bacnet bvlc
	fins udp fins omron
	enip_udp udp enip_udp enip 22003
	snmp udp snmp snmp
	coap udp coap coap
	wsdiscovery udp onvif -
	ssdp udp ssdp ssdp
	snmpd udp snmp snmp
	libcoap udp coap coap
	minissdpd udp ssdp ssdp 1900
EOT
DECOY=127.23.1.7 REAL=127.0.0.1

# Servers that others wrote.
cat >"$WORK/modbus.py" <<-'EOP'
	import asyncio, sys
	from pymodbus.datastore import ModbusSlaveContext, ModbusServerContext
	from pymodbus.device import ModbusDeviceIdentification
	from pymodbus.server import StartAsyncTcpServer
	identity = ModbusDeviceIdentification()
	identity.VendorName, identity.ProductCode = "Pymodbus", "PM"
	identity.MajorMinorRevision, identity.ProductName = "3.0.0", "Pymodbus Server"
	context = ModbusServerContext(slaves=ModbusSlaveContext(), single=True)
	asyncio.run(StartAsyncTcpServer(context=context, identity=identity, address=("127.0.0.1", int(sys.argv[1]))))
EOP
/usr/bin/python3 "$WORK/modbus.py" ${port[pymodbus]} 2>"$WORK/modbus.log" & SERVERS="$SERVERS $!"
printf 'per_listener_settings true\nlistener %d 127.0.0.1\nallow_anonymous true\nlistener %d 127.0.0.1\nallow_anonymous false\n' \
	${port[mosquitto]} ${port[locked]} >"$WORK/mosquitto.conf"
mosquitto -v -c "$WORK/mosquitto.conf" >"$WORK/mosquitto.log" 2>&1 & SERVERS="$SERVERS $!"
mkdir "$WORK/snmp"
printf 'agentAddress udp:127.0.0.1:%d\nrocommunity public\nsysDescr Test agent 1.0\nsysObjectID 1.3.6.1.4.1.9.1.860\n' \
	${port[snmpd]} >"$WORK/snmp/snmpd.conf"
MIBS= SNMP_PERSISTENT_DIR="$WORK/snmp" snmpd -f -C -c "$WORK/snmp/snmpd.conf" -Lf "$WORK/snmp/log" 2>/dev/null & SERVERS="$SERVERS $!"
coap-server-notls -A 127.0.0.1 -p ${port[libcoap]} >"$WORK/coap.log" 2>&1 & SERVERS="$SERVERS $!"
minissdpd -d -i lo -s "$WORK/ssdp" -p "$WORK/ssdp.pid" >"$WORK/ssdp.log" 2>&1 & SERVERS="$SERVERS $!"
cat >"$WORK/ssdp.py" <<-'EOP'
	import socket, sys
	def text(t): return bytes([len(t)]) + t.encode()
	s = socket.socket(socket.AF_UNIX)
	s.connect(sys.argv[1])
	s.sendall(b"\4" + text("upnp:rootdevice") + text("uuid:12345678::upnp:rootdevice") +
	          text("Debian/12 UPnP/1.1 MiniUPnPd/2.3.1") + text("http://192.0.2.1:5000/rootDesc.xml"))
EOP

# Our own decoys, in a kansoku of their own: the other one would not look at its own addresses.
mkdir "$WORK/personas"
printf 'name: bare\nsummary: offers all that is configured\n' >"$WORK/personas/bare.yaml"
services=$(for s in modbus s7comm fox enip dnp3 iec104 atg mqtt cwmp bacnet fins snmp coap wsdiscovery ssdp; do printf '%s: {ports: [%s]}, ' $s ${port[$s]}; done)
cat >"$WORK/decoys.yaml" <<EOT
run: {state: $WORK/decoys}
passive:
  personas_dir: $WORK/personas
  decoys:
    - {prefix: 127.23.1.0/24, personas: [bare]}
  services: {${services%, }}
  workers: 1
EOT
"$KANSOKU" run --config "$WORK/decoys.yaml" --only journal,control,passive >"$WORK/decoys.log" 2>&1 & SERVERS="$SERVERS $!"

configure() { # whether SNMP agents may be asked
	loopback_config <<-EOT
	operator: {name: Test CSIRT, contact: abuse@example.org, page: "https://example.org/probing"}
	active:
	  tier: 2
	  scope: [{prefix: 127.0.0.0/8, special: allow}]
	  hold_out: 0
	  round: 1ms
	  delay: {min: 0s, max: 0s}
	prober:
	  pause: 0s
	  idle: 1s
	  snmp_public: $1
	  probes: {$probes}
	EOT
}
configure false
start_kansoku --only journal,control,active
for _ in $(seq 100); do
	[ -S "$WORK/ssdp" ] && /usr/bin/python3 "$WORK/ssdp.py" "$WORK/ssdp" 2>/dev/null && break
	sleep 0.1
done
for _ in $(seq 100); do
	[ -e "$WORK/decoys/run/ready" ] && (exec 3<>/dev/tcp/127.0.0.1/${port[pymodbus]}) 2>/dev/null && break
	sleep 0.1
done
# Room for all of it: a packet that the capture lost could be the one that must not be there.
tcpdump -i lo -s 4096 -B 32768 -w "$WORK/wire.pcap" -U --immediate-mode >"$WORK/tcpdump" 2>&1 &
CAPTURE_PID=$!
for _ in $(seq 50); do grep -qs listening "$WORK/tcpdump" && break; sleep 0.1; done

ask() { # address, tier, names: its events, one a line
	local list=
	for name in ${*:3}; do list=$list,${port[$name]}/${transport[$name]}; done
	timeout 20 "$KANSOKU" probe $1 --ports "${list#,}" --tier $2 --config "$CONFIG" --json >"$WORK/answer"
}
answered() { # what it is about, name, jq condition over the answer of that port
	jq -es ".[] | select(.kind==\"host.answered\" and .sport==${port[$2]} and .proto==\"${transport[$2]}\") | select($3)" <"$WORK/answer" >/dev/null ||
		{ cat "$WORK/answer"; fail "$1"; }
}

# Nothing of this is asked where the operator did not opt in.
ask $REAL 1 libcoap minissdpd && fail "UDP is asked at tier 1"
grep -q '"probe.sent"' "$WORK/answer" && fail "UDP is asked at tier 1"
ask $REAL 1 pymodbus mosquitto locked
grep -q "\"decision\":\"allowed\"" "$WORK/answer" || fail "a look at tier 1 was not taken"
grep -q '"probe.sent"' "$WORK/answer" && fail "tier 2 is asked at tier 1"

ask $REAL 2 pymodbus mosquitto locked
answered "pymodbus: identity" pymodbus '."modbus.vendor"=="Pymodbus" and ."modbus.product"=="PM" and ."modbus.revision"=="3.0.0"'
answered "pymodbus: no name" pymodbus '."modbus.name"=="Pymodbus Server"'
answered "mosquitto: CONNACK" mosquitto '."mqtt.code"==0'
answered "mosquitto that wants a name" locked '."mqtt.code"==5'
for _ in $(seq 20); do grep -q 'Client kansoku disconnected' "$WORK/mosquitto.log" && break; sleep 0.1; done
grep -q 'Client kansoku disconnected\.$' "$WORK/mosquitto.log" || fail "mosquitto was not taken leave of: $(tail -5 "$WORK/mosquitto.log")"

# A word that could pass for a password is not said unless the operator says so by itself.
ask $REAL 2 snmpd libcoap minissdpd
grep -q '"probe":"snmp"' "$WORK/answer" && fail "SNMP is asked without snmp_public"
answered "libcoap: list of resources" libcoap '."coap.code"=="2.05" and (."coap.links" | contains("</time>"))'
answered "minissdpd: SERVER" minissdpd '."ssdp.server"=="Debian/12 UPnP/1.1 MiniUPnPd/2.3.1" and ."ssdp.location"=="http://192.0.2.1:5000/rootDesc.xml"'
stop_kansoku || fail "kansoku did not end cleanly"
rm -f "$STATE/run/ready"
configure true
start_kansoku --only journal,control,active
ask $REAL 2 snmpd
answered "snmpd: sysDescr" snmpd '."snmp.description"=="Test agent 1.0" and ."snmp.object"=="1.3.6.1.4.1.9.1.860"'

ask $DECOY 2 modbus s7comm fox enip dnp3 iec104 atg mqtt cwmp
answered modbus modbus '."modbus.vendor"=="Schneider Electric"'
answered s7 s7comm '."s7.module"=="6ES7 315-2EH14-0AB0" and ."s7.firmware"=="3.2.6" and ."s7.module_type"=="CPU 315-2 PN/DP" and (."s7.serial" | startswith("S C-"))'
answered fox fox '."fox.app_name"=="Station" and (."fox.app_version" | startswith("3.8")) and ."fox.os_name"=="QNX" and ."fox.brand"=="vykon"'
answered enip enip '."enip.vendor_id"==1 and ."enip.product"=="1756-L61/B LOGIX5561" and ."enip.revision"=="20.11"'
answered dnp3 dnp3 '."dnp3.function"==11'
answered iec104 iec104 '."iec104.confirmed"'
answered atg atg '."atg.tanks"==3 and (."atg.products" | startswith("REGULAR"))'
answered mqtt mqtt '."mqtt.code" != null'
answered cwmp cwmp '.status >= 400'
ask $DECOY 2 bacnet fins enip_udp snmp coap wsdiscovery ssdp
answered bacnet bacnet '."bacnet.vendor_id"==5 and (."bacnet.vendor" | startswith("Johnson")) and ."bacnet.model"=="MS-NAE5510-2" and ."bacnet.firmware"=="6.5.0.1400" and (."bacnet.name" | startswith("NAE-")) and (."bacnet.location" | length) > 0'
answered fins fins '(."fins.model" | startswith("CJ2M-CPU33")) and ."fins.version"=="02.01"'
answered "enip over UDP" enip_udp '."enip.product"=="1756-L61/B LOGIX5561"'
answered snmp snmp '(."snmp.description" | length) > 0 and (."snmp.object" | startswith("1.3.6.1.4.1."))'
answered coap coap '."coap.code"=="2.05"'
answered wsdiscovery wsdiscovery '."onvif.scopes" | contains("onvif://www.onvif.org/")'
answered ssdp ssdp '(."ssdp.server" | length) > 0 and (."ssdp.usn" | startswith("uuid:"))'
sleep 0.3
kill -INT $CAPTURE_PID && wait $CAPTURE_PID
CAPTURE_PID=
capture_is_whole "$WORK/tcpdump"

# A client that others wrote reads the same out of the same decoys (over UDP: tests/e2e/ics.sh).
same() { # name, script, words of it
	timeout 20 nmap -n -Pn -p ${port[$1]} --script "+$2" $DECOY 2>/dev/null | grep -qE "$3" || fail "$1: $2 does not say $3"
}
same modbus modbus-discover 'Schneider Electric BMX P34 2020 v2.5'
same s7comm s7-info 'Version: 3.2.6'
same fox fox-info 'app.version: 3.8'
same enip enip-info 'productName: 1756-L61/B LOGIX5561'

see() { tshark -n -r "$WORK/wire.pcap" -o "mbtcp.tcp.port:${port[modbus]},${port[pymodbus]}" "${dissect[@]}" "$@" 2>"$WORK/tshark"; }
bad=$(see -Y "_ws.malformed || (_ws.expert.severity==error && !tcp.analysis.flags)")
[ -z "$bad" ] || fail "tshark objects to
$bad"
# Each protocol is seen as what it is.
see -T fields -e frame.protocols | tr ':' '\n' | sort -u >"$WORK/protocols"
for protocol in mbtcp s7comm enip dnp3 iec60870_104 mqtt http bacapp omron snmp coap ssdp; do
	grep -qx $protocol "$WORK/protocols" || fail "tshark sees no $protocol: $(cat "$WORK/tshark")"
done
# What is never sent, by tshark's reading.
forbidden=()
never() { # what, filter
	forbidden+=("$1" "$2")
}
ports=$(IFS=,; echo "${port[*]}")
to="ip.src==127.0.0.1 && !icmp && (tcp.dstport in {$ports} || udp.dstport in {$ports})"
never "a Modbus function other than 43/14" "mbtcp && $to && (!(modbus.func_code==43) || !(modbus.mei==14))"
never "an S7 job other than the agreement" "s7comm && $to && s7comm.header.rosctr==1 && !(s7comm.param.func==0xf0)"
never "an S7 function other than to read a list" "s7comm && $to && s7comm.header.rosctr==7 && !(s7comm.param.userdata.subfunc==1 && s7comm.data.userdata.szl_id)"
never "an IEC 104 frame other than TESTFR act" "iec60870_104 && $to && !(iec60870_104.utype==0x10)"
never "anything of DNP3 above the link" "dnp3 && $to && (dnp3.al.func || !(dnp3.ctl.prifunc==9) || !(dnp3.dst==0))"
never "an MQTT packet other than CONNECT and DISCONNECT" "mqtt && $to && !(mqtt.msgtype in {1,14})"
never "a name or a password" "$to && (mqtt.conflag.uname==1 || mqtt.conflag.passwd==1 || http.authorization)"
never "an EtherNet/IP command other than ListIdentity" "enip && $to && !(enip.command==0x63)"
never "a BACnet request other than to read a property" "bacapp && $to && !(bacapp.type==0 && bacapp.confirmed_service==12)"
never "a FINS command other than controller data read" "omron && $to && !(omron.command==0x0501)"
never "an SNMP request other than a get" "snmp && $to && !(snmp.data==0)"
never "a CoAP request other than a get of the list" "coap && $to && coap.code in {2,3,4}"
never "a search for everything" "ssdp && $to && frame contains \"ssdp:all\""
never "an address that an answer names" "ip.dst==192.0.2.1 || tcp.dstport==5000"
# Who we are stands where it cannot confuse a controller.
never "our page, to a controller" "$to && frame contains \"example.org\" && !http && !ssdp"
all=
for ((i = 1; i < ${#forbidden[@]}; i += 2)); do all="${all:+$all || }(${forbidden[i]})"; done
if [ -n "$(see -Y "$all")" ] || grep -q 'not a valid\|syntax\|Neither' "$WORK/tshark"; then
	for ((i = 0; i < ${#forbidden[@]}; i += 2)); do
		seen=$(see -Y "${forbidden[i + 1]}")
		[ -z "$seen" ] || fail "${forbidden[i]} was sent:
$seen"
	done
	fail "what must not be sent could not be looked for: $(cat "$WORK/tshark")"
fi
echo ok
