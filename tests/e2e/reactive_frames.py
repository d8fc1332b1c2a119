"""Frames for a reactive telescope: python3 reactive_frames.py INTERFACE ROUTER_MAC WHAT TARGET

Sources lie in 11.9.0.0/16, where nobody is, so that no kernel answers in their name.
"""
import sys
import time

from scapy.all import ICMP, IP, TCP, UDP, Dot1AD, Dot1Q, Ether, Raw, conf

interface, router, what, target = sys.argv[1:5]
conf.verb = 0
out = conf.L2socket(iface=interface)
linux = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (7, 0)), ("NOP", None), ("WScale", 7)]


def send(source, segment, *tags, to=target):
    frame = Ether(dst=router, src="02:00:00:00:00:01")
    for tag in tags:
        frame /= tag
    out.send(frame / IP(src=source, dst=to, ttl=64) / segment)


def syn(source, sport, port=80, *tags):
    send(source, TCP(sport=sport, dport=port, seq=sport * 7, options=linux), *tags)


def unasked():
    """What a SYN+ACK, RST or another stray packet must not be answered for."""
    for i in range(50):
        for host, flags in ((1, "SA"), (2, "R"), (3, "RA"), (4, "A"), (5, "F"), (6, ""), (7, "PA"), (8, "SF"), (9, "SR")):
            send("11.9.2.%d" % host, TCP(sport=443, dport=40000 + i, flags=flags, seq=i, ack=99 + i) / Raw(b"x" * 20))
        send("11.9.2.20", UDP(sport=53, dport=53) / Raw(b"x" * 40))
        send("11.9.2.21", ICMP() / Raw(b"x" * 40))
        send("11.9.2.22", TCP(sport=2000 + i, dport=80), to="198.18.1.%d" % (1 + i)) # dark and not reactive
        send("11.9.2.23", TCP(sport=2000 + i, dport=80), to="198.18.0.%d" % (192 + i)) # silent within
        send("203.0.113.5", TCP(sport=2000 + i, dport=80)) # special
        send("127.0.0.1", TCP(sport=2000 + i, dport=80))
        send("224.0.0.1", TCP(sport=2000 + i, dport=80))
        send("192.0.2.77", TCP(sport=2000 + i, dport=80)) # a decoy of ours
        send("198.18.1.200", TCP(sport=2000 + i, dport=80)) # dark itself


def tagged():
    for i in range(5):
        syn("11.9.3.1", 3000 + i, 80, Dot1Q(vlan=7))
        syn("11.9.3.2", 3000 + i, 80, Dot1AD(vlan=8, type=0x8100), Dot1Q(vlan=9))


def forged():
    """Like those of the flood before, some of them again and again."""
    for i in range(10):
        for host in range(1, 13):
            syn("11.9.4.%d" % host, 4000 + i, 443)
        time.sleep(0.1)


def fair():
    """The same to a port that nobody floods."""
    for i in range(10):
        syn("11.9.5.1", 4000 + i, 8443)


def one():
    syn("11.9.6.1", 5000)


def opted():
    for i in range(10):
        syn("11.9.6.1", 5001 + i)
        syn("11.9.7.1", 5001 + i)


globals()[what]()
