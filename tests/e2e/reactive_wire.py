"""What the reactive telescope sent, from a capture on the far side of its wire.

python3 reactive_wire.py CAPTURE ROUTER_MAC RATE BURST NETWORK_RATE NETWORK_BURST REACTIVE... -- SILENT...

Reads the capture in order and complains about each frame of the telescope's link address that
  - is no TCP SYN+ACK or RST+ACK, comes from outside the reactive prefixes or from a silent one within,
  - goes to somebody who at that moment has been sent as many packets, or bytes, as came from there,
  - is a SYN+ACK beyond the bounds of a network (/24, /64) or of all.
Prints one line for each source that was answered: SYN+ACKs, RSTs, packets and bytes in and out, VLAN
tags of the answers.
"""
import collections
import ipaddress
import struct
import sys

SYN_ACK, RST_ACK = 0x12, 0x14
capture, router, rate, burst, network_rate, network_burst = sys.argv[1:7]
cut = sys.argv.index("--")
reactive = [ipaddress.ip_network(p) for p in sys.argv[7:cut]]
silent = [ipaddress.ip_network(p) for p in sys.argv[cut + 1:]]
router = bytes.fromhex(router.replace(":", ""))
# A ring hands packets over in blocks, so what the telescope counted evenly leaves in gusts.
GUST_S = 0.5


class Bucket:
    def __init__(self, a_second, at_once):
        self.rate, self.room, self.level, self.then = float(a_second), float(at_once), 0.0, 0.0

    def overflows(self, now):
        self.level = max(0.0, self.level - self.rate * (now - self.then)) + 1
        self.then = now
        return self.level > self.room + self.rate * GUST_S + 1


def frames(path):
    with open(path, "rb") as f:
        head = f.read(24)
        assert head[:4] == b"\xd4\xc3\xb2\xa1", "not a pcap file of this machine's order"
        while len(record := f.read(16)) == 16:
            s, us, caught, _ = struct.unpack("<IIII", record)
            yield s + us / 1e6, f.read(caught)


def ip_of(frame):
    """Type, tags, and where the IP header begins."""
    at, tags = 12, []
    while (kind := int.from_bytes(frame[at:at + 2], "big")) in (0x8100, 0x88A8):
        tags.append(int.from_bytes(frame[at + 2:at + 4], "big") & 4095)
        at += 4
    return kind, tags, at + 2


def main():
    came, sent = collections.defaultdict(lambda: [0, 0]), collections.defaultdict(lambda: [0, 0])
    told = collections.defaultdict(lambda: [0, 0, set()])
    networks, everybody = collections.defaultdict(lambda: Bucket(network_rate, network_burst)), Bucket(rate, burst)
    wrong = []
    for now, f in frames(capture):
        kind, tags, at = ip_of(f)
        ours = f[6:12] == router
        if kind == 0x0800:
            src, dst = (ipaddress.ip_address(f[at + i:at + i + 4]) for i in (12, 16))
            length, proto, tcp = int.from_bytes(f[at + 2:at + 4], "big"), f[at + 9], at + 4 * (f[at] & 15)
        elif kind == 0x86DD:
            src, dst = (ipaddress.ip_address(f[at + i:at + i + 16]) for i in (8, 24))
            length, proto, tcp = 40 + int.from_bytes(f[at + 4:at + 6], "big"), f[at + 6], at + 40
        else:
            if ours:
                wrong.append("a frame of type %04x was sent" % kind)
            continue
        if not ours:
            came[src][0] += 1
            came[src][1] += length
            continue
        flags = f[tcp + 13] if proto == 6 else -1
        what = "%.3f %s > %s, flags %s" % (now, src, dst, flags)
        if flags not in (SYN_ACK, RST_ACK):
            wrong.append(what + ": nothing that is ever sent")
        if not any(src in p for p in reactive) or any(src in p for p in silent):
            wrong.append(what + ": not from a reactive address")
        sent[dst][0] += 1
        sent[dst][1] += length
        if sent[dst][0] > came[dst][0] or sent[dst][1] > came[dst][1]:
            wrong.append(what + ": %d packets, %d bytes for %d packets, %d bytes" % (*sent[dst], *came[dst]))
        told[dst][flags == RST_ACK] += 1
        told[dst][2].update(["-".join(map(str, tags))] if tags else [])
        if flags == SYN_ACK:
            network = ipaddress.ip_network("%s/%d" % (dst, 24 if dst.version == 4 else 64), strict=False)
            if networks[network].overflows(now):
                wrong.append(what + ": too many to " + str(network))
            if everybody.overflows(now):
                wrong.append(what + ": too many to all")
    for source, (answers, resets, tags) in told.items():
        print(source, answers, resets, *came[source], *sent[source], ",".join(sorted(tags)) or "-")
    for w in wrong[:10]:
        print(w, file=sys.stderr)
    if wrong:
        sys.exit("%d frames were wrong" % len(wrong))


main()
