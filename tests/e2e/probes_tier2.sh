#!/bin/bash
# The opt-in probes against servers that we did not write, and against our own decoys; what a
# capture must not show; tshark reads questions and answers and must find nothing malformed.
. "$(dirname "$0")/lib.sh"
for tool in jq tshark tcpdump mosquitto nmap /usr/bin/python3; do
	command -v $tool >/dev/null || skip "needs $tool"
done
/usr/bin/python3 -c "import pymodbus.server" 2>/dev/null || skip "needs python3-pymodbus"
need_root # for the capture
SERVERS=
FIRST=$((22000 + ($$ % 900) * 24))
declare -A port
dissect=()
number=0
# name, transport, probe, what tshark calls its protocol (-: it knows it not)
while read -r name transport probe protocol; do
	port[$name]=$((FIRST + number++))
	probes="${probes:+$probes, }${port[$name]}: $probe"
	[ $protocol = - ] || dissect+=(-d "$transport.port==${port[$name]},$protocol")
	both="${both:+$both or }port ${port[$name]}"
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

# Our own decoys, in a kansoku of their own: the other one would not look at its own addresses.
mkdir "$WORK/personas"
printf 'name: bare\nsummary: offers all that is configured\n' >"$WORK/personas/bare.yaml"
services=$(for s in modbus s7comm fox enip dnp3 iec104 atg mqtt cwmp; do printf '%s: {ports: [%s]}, ' $s ${port[$s]}; done)
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

loopback_config <<EOT
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
  probes: {$probes}
EOT
start_kansoku --only journal,control,active
for _ in $(seq 100); do
	[ -e "$WORK/decoys/run/ready" ] && (exec 3<>/dev/tcp/127.0.0.1/${port[pymodbus]}) 2>/dev/null && break
	sleep 0.1
done
tcpdump -i lo -w "$WORK/wire.pcap" -U --immediate-mode "$both" >"$WORK/tcpdump" 2>&1 &
CAPTURE_PID=$!
for _ in $(seq 50); do grep -qs listening "$WORK/tcpdump" && break; sleep 0.1; done

ask() { # address, tier, names: its events, one a line
	local list=
	for name in ${*:3}; do list=$list,${port[$name]}; done
	timeout 20 "$KANSOKU" probe $1 --ports "${list#,}" --tier $2 --config "$CONFIG" --json >"$WORK/answer"
}
answered() { # what it is about, name, jq condition over the answer of that port
	jq -es ".[] | select(.kind==\"host.answered\" and (.sport==${port[$2]} or .dport==${port[$2]})) | select($3)" <"$WORK/answer" >/dev/null ||
		{ cat "$WORK/answer"; fail "$1"; }
}

# Nothing of this is asked where the operator did not opt in.
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
sleep 0.3
kill -INT $CAPTURE_PID && wait $CAPTURE_PID
CAPTURE_PID=

# A client that others wrote reads the same out of the same decoys.
same() { # name, script, words of it
	timeout 20 nmap -n -Pn -p ${port[$1]} --script "+$2" $DECOY 2>/dev/null | grep -qE "$3" || fail "$1: $2 does not say $3"
}
same modbus modbus-discover 'Schneider Electric BMX P34 2020 v2.5'
same s7comm s7-info 'Version: 3.2.6'
same fox fox-info 'app.version: 3.8'
same enip enip-info 'productName: 1756-L61/B LOGIX5561'

see() { tshark -n -r "$WORK/wire.pcap" -o "mbtcp.tcp.port:${port[modbus]},${port[pymodbus]}" "${dissect[@]}" "$@" 2>/dev/null; }
bad=$(see -Y "_ws.malformed || (_ws.expert.severity==error && !tcp.analysis.flags)")
[ -z "$bad" ] || fail "tshark objects to
$bad"
# Each protocol is seen as what it is, both ways.
for protocol in mbtcp s7comm enip dnp3 iec60870_104 mqtt http; do
	[ -n "$(see -Y "$protocol")" ] || fail "tshark sees no $protocol"
done
# What is never sent, by tshark's reading.
never() { # what, filter
	local seen
	seen=$(see -Y "$2")
	[ -z "$seen" ] || fail "$1 was sent:
$seen"
}
to="ip.src==127.0.0.1 && tcp.dstport in {$(IFS=,; echo "${port[*]}")}"
never "a Modbus function other than 43/14" "mbtcp && $to && (!(modbus.func_code==43) || !(modbus.mei==14))"
never "an S7 job other than the agreement" "s7comm && $to && s7comm.header.rosctr==1 && !(s7comm.param.func==0xf0)"
never "an S7 function other than to read a list" "s7comm && $to && s7comm.header.rosctr==7 && !(s7comm.param.userdata.subfunc==1 && s7comm.data.userdata.szl_id)"
never "an IEC 104 frame other than TESTFR act" "iec60870_104 && $to && !(iec60870_104.utype==0x10)"
never "anything of DNP3 above the link" "dnp3 && $to && (dnp3.al.func || !(dnp3.ctl.prifunc==9) || !(dnp3.dst==0))"
never "an MQTT packet other than CONNECT and DISCONNECT" "mqtt && $to && !(mqtt.msgtype in {1,14})"
never "a name or a password" "$to && (mqtt.conflag.uname==1 || mqtt.conflag.passwd==1 || http.authorization)"
never "an EtherNet/IP command other than ListIdentity" "enip && $to && !(enip.command==0x63)"
# Who we are stands in HTTP alone: controllers are not to be confused by it.
strings -n 4 "$WORK/wire.pcap" | grep -c 'example.org' | grep -qx 1 || fail "the page is named elsewhere than in HTTP"
echo ok
