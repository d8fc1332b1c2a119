#!/bin/bash
# The services that are abused for reflection, met with their own clients and with nmap, each client
# from a network of its own: a new source gets one answer that is longer than its question.
#   tests/e2e/reflection_services.sh      needs root
. "$(dirname "$0")/lib.sh"
two_networks
SERVICES="qotd:17 chargen:19 dns:53 tftp:69 portmap:111 ntp:123 snmp:161 cldap:389 ssdp:1900 stun:3478
wsdiscovery:3702 mdns:5353 coap:5683 memcached:11211"
{
	printf 'passive:\n  workers: 1\n  decoys: [{prefix: 192.0.2.0/25, personas: [bare], react: false}]\n'
	printf '  personas_dir: %s/personas\n  services:\n' "$WORK"
	for s in $SERVICES; do printf '    %s: {ports: [%s]}\n' ${s%:*} ${s#*:}; done
} | loopback_config
mkdir "$WORK/personas"
printf 'name: bare\nsummary: offers all that is configured\nhostname: bare\narch: mips\nmachine: mips\nkernel: 2.6.31\nkernel_build: "#1"\nbusybox: v1.19.4\nbusybox_date: 2013-09-18\nprompt: "# "\nhome: /\nmemory_kb: 28900\ninterface: eth0\nmac_prefix: "64:70:02"\nfiles: [{path: /tmp/router.cfg, text: "hostname bare\\n"}]\n' \
	>"$WORK/personas/bare.yaml"
start_kansoku --only passive,journal,control

# Each visit is to another decoy, from another network; before it somebody sends much that needs no
# answer, since what all together are given beyond what they sent is little.
visits=0
visit() {
	visits=$((visits + 1))
	DECOY=192.0.2.$visits
	ip -n $OUTSIDE route replace $DECOY/32 via 198.51.100.1 src 11.7.$visits.5
	ip netns exec $OUTSIDE python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("203.0.113.9", 0))
for _ in range(12):
    s.sendto(b"\xff" * 1200, ("192.0.2.127", 123))'
}
out() { ip netns exec $OUTSIDE timeout 30 "$@" 2>&1; }
# TITLE PATTERN COMMAND...: what it prints, DECOY being its address, must match
tried=0
says() {
	local title=$1 pattern=$2
	shift 2
	command -v "$1" >/dev/null || { echo "$1 is missing: $title is not tried"; return; }
	visit
	out "${@//DECOY/$DECOY}" >"$WORK/said"
	grep -qE -- "$pattern" "$WORK/said" || fail "$title: no $pattern in: $(head -c 1500 "$WORK/said")"
	tried=$((tried + 1))
}
# PORT PATTERN: what nmap takes the service for.  Its search for open ports sends noise, since to a proper
# question the one longer answer would already be given.
names() {
	says "nmap on $1" "^$1/udp +open +$2" nmap -Pn -n -sU -sV --max-retries 0 --data-length 7 -p "$1" DECOY
}

says "dig version.bind" 'dnsmasq-2.80' dig +tries=1 +time=3 @DECOY CH TXT version.bind
says "dig A" '^example.com\..*IN.A.192\.0\.2\.' dig +tries=1 +time=3 @DECOY example.com A
says "dig over TCP" 'ns1.example.com' dig +tcp +tries=1 +time=3 @DECOY example.com ANY
says "ntpq" 'version="ntpd 4\.2\.6p5' ntpq -n -c rv DECOY
says "monlist" 'Public Servers|Private Clients|Alternative Target' nmap -Pn -n -sU -p 123 --script ntp-monlist DECOY
says "ntp-info" 'version: ntpd 4\.2\.6' nmap -Pn -n -sU -p 123 --script ntp-info DECOY
says "snmpget" 'STRING: .?Linux bare 2\.6\.31' snmpget -v2c -c public -r0 -t3 -On DECOY 1.3.6.1.2.1.1.1.0
says "snmpbulkwalk" '\.1\.3\.6\.1\.2\.1\.1\.7\.0 = INTEGER' snmpbulkwalk -v2c -c public -Cr12 -r0 -t3 -On DECOY 1.3.6.1.2.1.1
says "snmp discovery" 'Unknown user name|unknownUserName' snmpget -v3 -l noAuthNoPriv -u nobody -r0 -t3 -On DECOY 1.3.6.1.2.1.1.1.0
says "onesixtyone" 'public\] Linux bare' onesixtyone -p 161 DECOY public
says "rpcinfo" '100003 +3 +tcp +2049 +nfs' rpcinfo -p DECOY
says "upnp-info" 'MiniUPnPd/1\.6' nmap -Pn -n -sU -p 1900 --script upnp-info DECOY
says "dns-service-discovery" '_http|80/tcp http' nmap -Pn -n -sU --max-retries 0 --data-length 7 -p 5353 --script dns-service-discovery DECOY
says "dig mDNS" 'IN.PTR._workstation._tcp.local' dig +tries=1 +time=3 -p 5353 @DECOY _services._dns-sd._udp.local PTR
says "coap-client" 'rt="temperature-c"' coap-client-notls -B 3 coap://DECOY/.well-known/core
says "memcached over TCP" 'version 1\.4\.25 Ubuntu|1\.4\.25' memcstat --servers=DECOY
says "tftp" 'hostname bare' sh -c 'cd /tmp && f=$(mktemp) && tftp -m binary "$0" -c get router.cfg "$f"; cat "$f"; rm -f "$f"' DECOY
head -c 3000 /dev/urandom >"$WORK/left"
says "tftp put" 'Sent 3000 bytes' tftp -v -m binary DECOY -c put "$WORK/left" left.bin
says "nmap on 17" '^17/tcp +open +qotd +Windows qotd' nmap -Pn -n -sT -sV -p 17 DECOY
names 19 'chargen'
names 53 'domain +dnsmasq 2\.80'
names 69 'tftp +Cisco router tftpd'
names 111 'rpcbind +2-4'
names 123 'ntp +NTP v4 \(secondary server\)'
names 161 'snmp +SNMPv1 server'
names 389 'ldap +Microsoft Windows Active Directory LDAP'
says "a Probe for cameras" 'RelatesTo>uuid:1<.*dn:NetworkVideoTransmitter' python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(3)
s.sendto(b"""<?xml version="1.0"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"
 xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"
 xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header><w:MessageID>uuid:1</w:MessageID>
<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header><e:Body><d:Probe>
<d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>""", (sys.argv[1], 3702))
print(s.recv(65536).decode())' DECOY
names 5353 'mdns +DNS-based service discovery'
names 11211 'memcached +Memcached 1\.4\.25'
grep -rqi honeypot "$WORK/said" && fail "nmap names a honeypot"
stop_kansoku || fail "kansoku did not end well"
[ $tried -gt 20 ] || skip "only $tried of the clients are here"
echo "ok: $tried dialogues"
