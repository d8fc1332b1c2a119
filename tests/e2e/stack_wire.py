"""Packets for stack.sh, made and compared in two network namespaces.

  stack_wire.py plain INTERFACE            offloads off: the kernel itself cuts segments and sums them
  stack_wire.py serve PORT                 takes and gives bytes with their SHA-256
  stack_wire.py transfer PORT BYTES ADDRESS...   both ways with each of them at once
  stack_wire.py untouched INSIDE OUTSIDE OURS THEIRS DECOY
  stack_wire.py ttl ADDRESS                of the answer to an echo request
"""
import ctypes, fcntl, hashlib, os, random, select, socket, struct, sys, threading, time


def plain(interface):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    # ETHTOOL_SRXCSUM, _STXCSUM, _SSG, _STSO, _SGSO, _SGRO
    for command in 0x15, 0x17, 0x19, 0x1F, 0x24, 0x2C:
        value = ctypes.create_string_buffer(struct.pack("II", command, 0))
        try:
            fcntl.ioctl(s, 0x8946, struct.pack("16sP", interface.encode(), ctypes.addressof(value)))
        except OSError:
            pass  # has no such thing


def read(s, n):
    got = bytearray()
    while len(got) < n:
        more = s.recv(min(n - len(got), 1 << 18))
        if not more:
            raise EOFError(f"{len(got)} of {n} bytes")
        got += more
    return bytes(got)


def serve_one(s):
    with s:
        (n,) = struct.unpack("!Q", read(s, 8))
        s.sendall(hashlib.sha256(read(s, n)).digest())
        back = random.randbytes(n)
        s.sendall(back + hashlib.sha256(back).digest())


def serve(port):
    listening = socket.create_server(("", int(port)), backlog=64)
    while True:
        threading.Thread(target=serve_one, args=(listening.accept()[0],), daemon=True).start()


def transfer(port, n, *addresses):
    bad = []

    def one(address):
        began = time.monotonic()
        try:
            with socket.create_connection((address, int(port)), 20) as s:
                s.settimeout(60)
                there = random.randbytes(int(n))
                s.sendall(struct.pack("!Q", len(there)) + there)
                if read(s, 32) != hashlib.sha256(there).digest():
                    raise ValueError("what was sent arrived otherwise")
                back = read(s, int(n))
                if read(s, 32) != hashlib.sha256(back).digest():
                    raise ValueError("what was fetched is not what was given")
            print(address, f"{time.monotonic() - began:.2f} s")
        except Exception as e:
            bad.append(f"{address}: {e!r}")

    threads = [threading.Thread(target=one, args=(a,)) for a in addresses]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(*bad, sep="\n")
    sys.exit(bool(bad))


def enter(namespace):
    fd = os.open("/run/netns/" + namespace, os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), namespace)
    os.close(fd)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    s = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


def ip(source, target, protocol, body, ttl=61, number=0x1234, fragment=0):
    a, b = socket.inet_aton(source), socket.inet_aton(target)
    if protocol == 6:
        sum_at, pseudo = 16, a + b + struct.pack("!HH", 6, len(body))
        body = body[:sum_at] + struct.pack("!H", checksum(pseudo + body)) + body[sum_at + 2 :]
    if protocol == 1:
        body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), number, fragment, ttl, protocol, 0, a, b)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def tcp(sport, dport, flags, options=b"", window=4321, ack=0, data=b""):
    size = 5 + len(options) // 4
    return struct.pack("!HHIIBBHHH", sport, dport, 7777, ack, size << 4, flags, window, 0, 0) + options + data


TIMES = b"\x08\x0a\x00\x01\x02\x03\x00\x04\x05\x06"
OF_LINUX = b"\x02\x04\x05\xb4\x04\x02" + TIMES + b"\x01\x03\x03\x07"
OF_NMAP = b"\x03\x03\x0a\x01\x02\x04\x05\xb4" + TIMES + b"\x04\x02"


def leaving(source, target):
    yield "a SYN-ACK", ip(source, target, 6, tcp(80, 999, 0x12, OF_LINUX, 65160, 5))
    yield "a reset", ip(source, target, 6, tcp(81, 999, 0x04, window=0))
    yield "a segment", ip(source, target, 6, tcp(80, 998, 0x18, b"\1\1" + TIMES, 501, 9, b"x" * 33))
    yield "an echo reply", ip(source, target, 1, b"\0\x09\0\0abcdefgh")
    yield "a datagram", ip(source, target, 17, struct.pack("!HHHH", 53, 997, 18, 0) + b"0123456789", fragment=0x4000)
    yield "an unreachable", ip(source, target, 1, b"\3\3\0\0\0\0\0\0" + b"quoted" * 40)


def arriving(source, target):
    yield "a SYN", ip(source, target, 6, tcp(999, 9, 0xC2, OF_NMAP))
    yield "a segment", ip(source, target, 6, tcp(999, 9, 0x18, b"\1\1" + TIMES, 501, 9, b"x" * 33))
    yield "FIN, PSH and URG", ip(source, target, 6, tcp(999, 9, 0x29))


def passes(sender, target, packet, receiver, skip):
    """What of it comes out at the other end, or nothing."""
    key, until = packet[12:20] + packet[20:24], time.monotonic() + 2
    while select.select([receiver], [], [], 0)[0]:
        receiver.recv(65600)
    sender.sendto(packet, (target, 0))
    while (left := until - time.monotonic()) > 0:
        if select.select([receiver], [], [], left)[0]:
            got = receiver.recv(65600)[skip:]
            if got[12:20] + got[20:24] == key or (packet[9] == 1 and got[9] == 1 and got[12:20] == key[:8]):
                return got[: len(packet)] if len(got) >= len(packet) else got
    return None


def untouched(inside, outside, ours, theirs, decoy):
    enter(inside)
    give = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    take = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    enter(outside)
    far_give = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    far_take = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
    far_take.bind(("wire", 0))
    bad = []
    for what, packet in leaving(ours, theirs):
        if passes(give, theirs, packet, far_take, 14) != packet:
            bad.append(f"{what} from {ours} is changed")
    for what, packet in arriving(theirs, ours):
        if passes(far_give, ours, packet, take, 0) != packet:
            bad.append(f"{what} to {ours} is changed")
    # The same from and to a decoy: else these looks would see nothing at all.
    for what, packet in leaving(decoy, theirs):
        if passes(give, theirs, packet, far_take, 14) in (None, packet):
            bad.append(f"{what} from {decoy} is not changed")
    what, packet = next(arriving(theirs, decoy))
    if passes(far_give, decoy, packet, take, 0) in (None, packet):
        bad.append(f"{what} to {decoy} is not changed")
    print(*bad, sep="\n")
    sys.exit(bool(bad))


def ttl(address):
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    s.settimeout(2)
    body = struct.pack("!BBHHH", 8, 0, 0, os.getpid() & 0xFFFF, 1) + b"how far?"
    s.sendto(body[:2] + struct.pack("!H", checksum(body)) + body[4:], (address, 0))
    while True:
        got, source = s.recvfrom(2048)
        if source[0] == address and got[20] == 0:
            print(got[8])
            return


globals()[sys.argv[1]](*sys.argv[2:])
