#!/usr/bin/python3
"""Packets of tools that no package is here for, after what is published of them (docs/signatures.md).

build.py FOLDER writes one small capture each.
"""
import random
import sys

from scapy.all import IP, TCP, wrpcap

START = 1790000000  # a September day of 2026
SOURCE = "203.0.113.77"
chance = random.Random(54321)


def dark(n):
    return f"198.51.100.{(37 * n + 11) % 256}"


def number(address):
    a, b, c, d = (int(x) for x in address.split("."))
    return a << 24 | b << 16 | c << 8 | d


def write(folder, name, packets):
    for n, p in enumerate(packets):
        p.time = START + 40 + n * 0.011
    wrpcap(f"{folder}/{name}.pcap", packets, linktype=101)
    print(f"{name}: {len(packets)} packets")


def zmap4(options, stamp):
    """ZMap 4.3: identification at random, DF not set; 13 hops on the way."""
    sent = []
    for n in range(16):
        chosen = [(k, stamp if k == "Timestamp" else v) for k, v in options]
        sent.append(IP(src=SOURCE, dst=dark(n), ttl=51, id=chance.randrange(65536)) /
                    TCP(sport=chance.randrange(32768, 61001), dport=443, flags="S", window=65535,
                        seq=chance.randrange(1 << 32), options=chosen))
    return sent


def masscan(window, options):
    """ipid = dst ^ dport ^ seq."""
    sent = []
    for n in range(16):
        dst, port, seq = dark(n), (80, 443)[n & 1], chance.randrange(1 << 32)
        sent.append(IP(src=SOURCE, dst=dst, ttl=241, id=(number(dst) ^ port ^ seq) & 0xffff) /
                    TCP(sport=40000 + chance.randrange(20000), dport=port, flags="S", window=window,
                        seq=seq, options=options))
    return sent


def mirai():
    """seq = dst; one in ten to port 2323; one source port for the life of the process."""
    sport = chance.randrange(1024, 65536)
    return [IP(src=SOURCE, dst=dark(n), ttl=49, id=chance.randrange(65536)) /
            TCP(sport=sport, dport=2323 if n % 10 == 0 else 23, flags="S", seq=number(dark(n)),
                window=chance.randrange(65536)) for n in range(20)]


def unicornscan():
    """seq = key ^ dst ^ ((dport << 16) + sport); window and options after its default profile."""
    key, sent = chance.randrange(1 << 32), []
    for n in range(16):
        sport, dport = chance.randrange(4096, 65536), (22, 80, 443)[n % 3]
        sent.append(IP(src=SOURCE, dst=dark(n // 3), ttl=115, id=chance.randrange(65536)) /
                    TCP(sport=sport, dport=dport, flags="S", window=16384,
                        seq=key ^ number(dark(n // 3)) ^ ((dport << 16) + sport),
                        options=[("MSS", 1460), ("SAckOK", ""), ("NOP", None), ("NOP", None)]))
    return sent


def system(options, window, ttl, df="DF"):
    """connect() of an ordinary system."""
    return [IP(src=SOURCE, dst=dark(n), ttl=ttl, flags=df, id=chance.randrange(65536)) /
            TCP(sport=40000 + 2 * n, dport=(22, 80, 443)[n % 3], flags="S", window=window,
                seq=chance.randrange(1 << 32),
                options=[(k, (812345678 + 11 * n, 0) if k == "Timestamp" else v) for k, v in options])
            for n in range(12)]


def main(folder):
    nop, sok, stamp = ("NOP", None), ("SAckOK", ""), ("Timestamp", None)
    windows = [("MSS", 1460), nop, ("WScale", 8), nop, nop, sok]
    linux = [("MSS", 1460), sok, stamp, nop, ("WScale", 7)]
    bsd = [("MSS", 1460), nop, ("WScale", 6), nop, nop, stamp, sok, ("EOL", None)]
    write(folder, "zmap_4_windows", zmap4(windows, None))
    write(folder, "zmap_4_linux", zmap4(linux, (START, 0)))
    write(folder, "zmap_4_bsd", zmap4(bsd, (START, 0)))
    write(folder, "zmap_4_smallest", zmap4([("MSS", 1460)], None))
    write(folder, "masscan_2026", masscan(1025, [("MSS", 1460)]))
    write(folder, "mirai", mirai())
    write(folder, "unicornscan", unicornscan())
    write(folder, "scapy", [IP(src=SOURCE, dst=dark(n), ttl=52) / TCP(dport=22, flags="S") for n in range(8)])
    write(folder, "system_windows", system(windows, 64240, 115))
    write(folder, "system_windows_65535", system(windows, 65535, 115))
    write(folder, "system_linux", system(linux, 64240, 51))
    write(folder, "system_macos", system(bsd, 65535, 51))


main(sys.argv[1])
