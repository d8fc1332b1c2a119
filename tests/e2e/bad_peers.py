"""Peers that behave badly, at every port of a decoy: bad_peers.py DECOY PORT COUNT PID RSS_KIB WEB_PORT...

Says what it saw on standard output; exit status 1 when a session goes on for ever, memory grows
beyond its bound, or a well-behaved peer is not served."""

import random
import socket
import sys
import time

decoy, first, count, pid, rss_max, *web = sys.argv[1], *map(int, sys.argv[2:])
ENDS_WITHIN_S = 40  # a session may take six; a busy machine a few times that
random.seed(7)
highest = 0


def rss_kib():
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def watch_memory():
    global highest
    highest = max(highest, rss_kib())
    if highest > rss_max:
        sys.exit(f"the decoys hold {highest} KiB of memory, {rss_max} are allowed")


class Peer:
    """One connection: what it says next, and how it treats what it is told."""

    reads = True

    def __init__(self, port, source):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.bind((source, 0))
        self.socket.settimeout(5)
        self.port, self.said, self.due = port, 0, 0
        self.socket.connect((decoy, port))
        self.socket.setblocking(False)
        self.begin()

    def begin(self):
        pass

    def chunk(self):
        return b""

    def turn(self):
        """False when the decoy has ended it."""
        try:
            data = self.chunk()
            if data:
                self.said += self.socket.send(data)
            if self.reads and self.socket.recv(65536) == b"":
                return False
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True


class Silent(Peer):
    pass


class Deaf(Silent):
    """Never reads what it is told: the end shows when it says something."""

    reads = False

    def chunk(self):
        return self.text


class Slow(Peer):
    def chunk(self):
        if time.monotonic() < self.due:
            return b""
        self.due = time.monotonic() + 1
        return b"GET / HTTP/1.1\r\nX: yyyyyyyy"[self.said % 26 : self.said % 26 + 1]


class HalfGone(Peer):
    """Its side has ended, and it waits for ours."""

    def begin(self):
        try:
            self.socket.send(b"GET / HT")
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Endless(Peer):
    def chunk(self):
        return b"A" * 16384


class EndlessZeros(Peer):
    def chunk(self):
        return bytes(16384)


class EndlessLines(Deaf):
    text = b"HELP\r\n" * 2000


class EndlessRequests(Deaf):
    text = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 500


KINDS = [Silent, Slow, HalfGone, Endless, EndlessZeros, EndlessLines, EndlessRequests]


def run(peers):
    """Until the decoy has ended all of them."""
    until = time.monotonic() + ENDS_WITHIN_S
    said = 0
    while peers:
        for p in list(peers):
            if not p.turn():
                said += p.said
                p.socket.close()
                peers.remove(p)
        watch_memory()
        if time.monotonic() > until:
            sys.exit(f"{len(peers)} sessions go on for ever, such as {type(peers[0]).__name__} at port {peers[0].port}")
        time.sleep(0.02)
    return said


def tcp_ports():
    there = []
    for port in range(first, first + count):
        s = socket.socket()
        s.bind(("127.66.0.1", 0))
        if s.connect_ex((decoy, port)) == 0:
            there.append(port)
        s.close()
    return there


def crowd(port, sources, each):
    """How many of a crowd are kept, while all hold on."""
    held = []
    for i in range(sources):
        for _ in range(each):
            s = socket.socket()
            s.bind((f"127.70.{i // 200}.{i % 200 + 1}", 0))
            s.settimeout(5)
            try:
                s.connect((decoy, port))
                held.append(s)
            except OSError:
                s.close()
    time.sleep(0.5)
    kept = 0
    for s in held:
        s.setblocking(False)
        try:
            kept += s.recv(1) != b""
        except BlockingIOError:
            kept += 1
        except OSError:
            pass
    watch_memory()
    for s in held:
        s.close()
    return kept


def wait_for_calm():
    """While events wait for the journal nobody is let in; that ends."""
    until = time.monotonic() + ENDS_WITHIN_S
    while crowd(ports[0], 1, 1) == 0:
        if time.monotonic() > until:
            sys.exit("nobody is let in any more")


def served(port):
    s = socket.create_connection((decoy, port), 10, ("127.67.0.1", 0))
    s.settimeout(10)
    s.sendall(b"GET / HTTP/1.0\r\n\r\n")
    answer = s.recv(4096)
    s.close()
    return answer.startswith(b"HTTP/")


def flood_datagrams():
    sent = 0
    for i in range(400):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((f"127.68.{i % 250}.{i // 250 + 1}", 0))
        for port in range(first, first + count):
            s.sendto(random.randbytes(random.choice((1, 8, 40, 200, 1400))), (decoy, port))
            sent += 1
        s.close()
        if i % 20 == 0:
            watch_memory()
            time.sleep(0.01)
    watch_memory()
    return sent


ports = tcp_ports()
before = rss_kib()
said = run([kind(port, f"127.65.{k + 1}.{i + 1}") for k, kind in enumerate(KINDS) for i, port in enumerate(ports)])
after_bad = highest
wait_for_calm()
kept = crowd(ports[0], 1, 200)
if kept > 60:
    sys.exit(f"{kept} sessions of one source at once, 60 are allowed")
kept_all = crowd(ports[0], 60, 30)
if kept_all > 900:
    sys.exit(f"{kept_all} sessions at once, 900 are allowed")
datagrams = flood_datagrams()
wait_for_calm()
for port in web:
    if not served(port):
        sys.exit(f"port {port} does not answer any more")
print(
    f"{len(ports)} ports, {len(KINDS)} kinds of bad peer, {said >> 20} MiB said; {kept} of 200 kept of one source, "
    f"{kept_all} of 1800 of sixty, {datagrams} datagrams; memory {before} KiB, {after_bad} among bad peers, {highest} at most"
)
