"""Frames for a telescope: python3 dark_traffic.py INTERFACE|FILE.pcap ROUTER_MAC known|malformed

known: tools that are no package here, by what their source says they send, and what is no scan;
malformed: headers that are cut, lie, or are noise, the same ones at each run.
"""
import random
import struct
import sys

from scapy.all import (ICMP, IP, TCP, UDP, Dot1AD, Dot1Q, Ether, Raw, conf, fuzz, IPv6, IPv6ExtHdrFragment,
                       IPv6ExtHdrHopByHop, fragment)

interface, router, what = sys.argv[1:4]
conf.verb = 0
to_file = interface.endswith(".pcap")
out = open(interface, "wb") if to_file else conf.L2socket(iface=interface)
if to_file:
    out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
sent = 0


def ether(**more):
    return Ether(dst=router, src="02:00:00:00:00:01", **more)


def send(frame):
    global sent
    if to_file:
        whole = bytes(frame)
        out.write(struct.pack("<IIII", 1790000000 + sent // 100, sent % 100 * 10000, len(whole), len(whole)) + whole)
    else:
        out.send(frame)
    sent += 1


def dark(i):
    return "198.18.0.%d" % (1 + i % 250)


def number(address):
    a, b, c, d = map(int, address.split("."))
    return a << 24 | b << 16 | c << 8 | d


def known():
    zmap4 = [("MSS", 1460), ("NOP", None), ("WScale", 8), ("NOP", None), ("NOP", None), ("SAckOK", b"")]
    for i in range(40):
        to = number(dark(i))
        # ZMap from 4.1 on: no fixed IPID, TTL 64, options as Windows orders them but without DF.
        send(ether() / IP(src="203.0.113.20", dst=dark(i), id=1000 + 37 * i, ttl=64) /
             TCP(sport=40000 + i, dport=8080, seq=99991 * i + 7, window=65535, options=zmap4))
        # unicornscan: the sequence number is the key and both ends of the packet.
        send(ether() / IP(src="203.0.113.21", dst=dark(i), id=5 * i + 1, ttl=128) /
             TCP(sport=20000 + i, dport=3389, window=4096, options=[("MSS", 1460)],
                 seq=0x1badcafe ^ to ^ ((3389 << 16) + 20000 + i)))
        # Mirai: the sequence number is the destination.
        send(ether() / IP(src="203.0.113.22", dst=dark(i), id=7 * i + 3, ttl=64) /
             TCP(sport=1024 + 9 * i, dport=2323 if i % 10 == 0 else 23, seq=to, window=14600 - i))
        # A victim elsewhere answers the SYNs that somebody sent it with dark sources.
        send(ether() / IP(src="203.0.113.23", dst=dark(i), ttl=57) /
             TCP(sport=443, dport=30000 + i, flags="SA", seq=i, ack=i + 1))
        send(ether() / Dot1Q(vlan=7) / IP(src="203.0.113.24", dst=dark(i)) / UDP(sport=5000, dport=1900) /
             Raw(b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n"))
        send(ether() / Dot1AD(vlan=8, type=0x8100) / Dot1Q(vlan=9) / IP(src="203.0.113.25", dst=dark(i)) /
             TCP(sport=6000, dport=445, seq=77 * i))
        send(ether() / IPv6(src="2a00:1::26", dst="2001:db8:d::%x" % (i + 1)) / TCP(sport=7000, dport=22, seq=i))
        send(ether() / IP(src="203.0.113.27", dst=dark(i)) / ICMP())
    for i in range(3 * 40): # many sources, so that both workers have some
        send(ether() / IP(src="203.0.113.%d" % (100 + i % 40), dst=dark(i)) / TCP(sport=9000, dport=5900, seq=3 * i))
    for piece in fragment(IP(src="203.0.113.28", dst=dark(1)) / UDP(sport=1, dport=2) / Raw(b"x" * 3000), 1000):
        send(ether() / piece)
    for i in range(30): # not to us
        send(ether() / IP(src="203.0.113.29", dst="198.19.0.%d" % i) / TCP(dport=23))


def malformed():
    random.seed(3)
    whole = [bytes(ether() / IP(src="203.0.113.40", dst=dark(0)) / TCP(options=[("MSS", 1), ("WScale", 255)]) / b"abc"),
             bytes(ether() / IP(src="203.0.113.40", dst=dark(0)) / UDP() / b"abc"),
             bytes(ether() / IPv6(src="2a00:1::40", dst="2001:db8:d::1") / IPv6ExtHdrHopByHop() /
                   IPv6ExtHdrFragment() / TCP()),
             bytes(ether() / Dot1Q() / Dot1Q() / IP(src="203.0.113.40", dst=dark(0)) / ICMP() / b"abc")]
    for frame in whole: # the last has its addresses behind two tags
        for n in range(14, len(frame) + 1): # cut everywhere
            send(Raw(frame[:n]))
        for _ in range(1500): # bytes changed, the addresses kept
            bent = bytearray(frame)
            for _ in range(random.randint(1, 6)):
                at = random.randrange(14, len(bent))
                if frame is whole[2] or at not in range(26, 34) and at not in range(34, 42):
                    bent[at] = random.randrange(256)
            send(Raw(bytes(bent)))
    for _ in range(1000):
        send(ether() / IP(src="203.0.113.41", dst=dark(0)) / fuzz(TCP()))
        send(ether() / IP(src="203.0.113.41", dst=dark(0), options=[]) / fuzz(UDP()))
        send(ether() / IP(src="203.0.113.41", dst=dark(0), ihl=random.randrange(16), len=random.randrange(65536),
                          frag=random.randrange(8192), proto=random.randrange(256)) / Raw(random.randbytes(random.randrange(200))))
    for _ in range(500):
        send(Raw(bytes(ether())[:12] + random.choice([b"\x08\x00", b"\x86\xdd", b"\x81\x00"]) +
                 random.randbytes(random.randrange(1400))))


{"known": known, "malformed": malformed}[what]()
if to_file:
    out.close()
print(sent)
