#!/usr/bin/python3
"""The addresses of the second trial: industrial systems, what was mistaken for them, and who attacks from there.

    world.py plan  FOLDER SEED SCALE          writes shodan.jsonl, truth.json, and what calibrates
    world.py serve FOLDER                     answers, on all addresses, until its standard input ends
    world.py attack FOLDER                    sends each address's dark traffic, once
    world.py dark .                           prints the dark prefixes
    world.py machine FOLDER PORT:WHAT...      one real machine behind the real gateway: its own stack answers
    world.py knock . PORT                     that machine asks dark addresses by its own stack

Every address has machines; a machine has an initial TTL, ports and protocols.  Nothing here knows kansoku: what
Shodan wrote down, what a machine answers and what truth is come from the same plan, made from the seed.
Hops are counted as two vantages see them: the prober's, and the dark space's, which is OFFSET hops farther
away, give or take one.
"""
import json
import os
import random
import selectors
import socket
import struct
import sys
import time

OFFSET = 4
GATEWAY = "11.252.0.1" # a real one: forwarded ports, two machines behind it, routers on the way to the dark
DARK = ["198.%d.%d.0/24" % (18 + i // 6, 16 * (i % 6)) for i in range(11)] + ["198.20.0.0/25", "198.20.64.128/25", "198.20.99.7/32"]
COUNTRIES = ["TW", "BR", "VE", "AU", "US", "TR", "JP", "DE", "IT", "ES"]


# ---- what protocols answer

def s7_frames(name, plant, serial, order):
    def tpkt(pdu):
        return b"\x03\0" + struct.pack(">H", len(pdu) + 7) + b"\x02\xf0\x80" + pdu

    def szl(reference, number, size, records):
        data = struct.pack(">HHHH", number, 0, size, len(records)) + b"".join(records)
        head = b"\0\x01\x12\x08\x12\x84\x01\x01\0\0\0\0"
        value = b"\xff\x09" + struct.pack(">H", len(data)) + data
        return tpkt(b"\x32\x07\0\0" + reference + struct.pack(">HH", len(head), len(value)) + head + value)

    def text(index, what):
        return struct.pack(">H", index) + what.encode().ljust(32, b"\0")

    def module(index, what):
        return struct.pack(">H", index) + what.encode().ljust(20) + b"\0\0\0\x03\0\0"

    def answer(frame):
        if len(frame) > 5 and frame[5] == 0xe0:
            return b"\x03\0\0\x16\x11\xd0" + frame[8:10] + b"\0\x01\0\xc0\x01\x0a\xc1\x02\x01\0\xc2\x02\x01\x02"
        if len(frame) > 17 and frame[8] == 1:
            return tpkt(b"\x32\x03\0\0" + frame[11:13] + b"\0\x08\0\0\0\0\xf0\0\0\x01\0\x01\0\xf0")
        if b"\0\x11\0" in frame[-6:]:
            return szl(frame[11:13], 0x11, 28, [module(1, order), module(6, order)])
        return szl(frame[11:13], 0x1c, 34, [text(1, name), text(2, name), text(3, plant), text(5, serial), text(7, "CPU 315-2 PN/DP")])

    return answer


def modbus_frames(vendor, product, revision):
    def answer(frame):
        if len(frame) < 8 or frame[7] != 0x2b:
            return frame[:4] + b"\0\x03" + frame[6:7] + bytes([frame[7] | 0x80 if len(frame) > 7 else 0x81, 1])
        values = b"".join(bytes([i, len(v)]) + v.encode() for i, v in enumerate((vendor, product, revision)))
        pdu = b"\x2b\x0e\x01\x01\0\0\x03" + values
        return frame[:4] + struct.pack(">H", len(pdu) + 1) + frame[6:7] + pdu

    return answer


def fox_hello(os_name):
    hello = ("fox a 0 -1 fox hello\n{\nfox.version=s:1.0\nid=i:1\nhostName=s:10.0.0.5\napp.name=s:Station\n"
             "app.version=s:3.6.47\nos.name=s:%s\nstation.name=s:plant\nhostId=s:Host-%s\nbrandId=s:vykon\n};;\n"
             % (os_name, os_name.replace(" ", "")))
    return lambda frame: hello.encode()


def bacnet_frames(vendor, name):
    def text(value):
        return b"\x75" + bytes([len(value) + 1]) + b"\0" + value.encode()

    def answer(frame):
        if len(frame) < 17:
            return b""
        values = {0x79: text(vendor), 0x78: b"\x21\x05", 0x46: text("MS-1"), 0x2c: text("6.5"), 0x0c: text("6.5"),
                  0x4d: text(name), 0x1c: text("ahu"), 0x3a: text("roof")}
        body = b"\x01\0\x30" + frame[8:9] + b"\x0c\x0c\x02\0\0\x07\x19" + frame[-1:] + b"\x3e" + values.get(frame[-1], b"\0") + b"\x3f"
        return b"\x81\x0a" + struct.pack(">H", len(body) + 4) + body

    return answer


def web(title):
    page = "<html><head><title>%s</title></head></html>" % title
    text = "HTTP/1.0 200 OK\r\nServer: Boa/0.94\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page)
    return lambda frame: text.encode()


ANSWERS = {
    "modbus": lambda: modbus_frames("Schneider Electric", "BMX P34 2020", "v2.5"),
    "modbus conpot": lambda: modbus_frames("Siemens", "SIMATIC", "S7-200"),
    "s7": lambda: s7_frames("line 3", "mill", "S C-X4U421302009", "6ES7 315-2EH14-0AB0"),
    "s7 conpot": lambda: s7_frames("Technodrome", "Mouser Factory", "88111222", "6ES7 315-2EH14-0AB0"),
    "fox": lambda: fox_hello("Windows XP"),
    "fox qnx": lambda: fox_hello("QNX"),
    "bacnet": lambda: bacnet_frames("Johnson Controls", "NAE-1"),
    "web": lambda: web("Login"),
    "ftp": lambda: lambda frame: b"500 what?\r\n",
    "telnet": lambda: lambda frame: b"login: ",
    "rdp": lambda: lambda frame: b"\x03\0\0\x13\x0e\xd0\0\0\x124\0\x02\x0f\x08\0\0\0\0\0",
    "nothing": lambda: lambda frame: b"",
}
GREETS = {"ftp": b"220 ready\r\n", "telnet": b"\xff\xfd\x01login: ", "ssh": b"SSH-2.0-dropbear_0.46\r\n"}
ANSWERS["ssh"] = lambda: lambda frame: b""
# How Shodan writes an answer down.
BANNERS = {
    "modbus": "Unit ID: 0\n-- Slave ID Data: Illegal Function (Error)\n-- Device Identification: Schneider Electric BMX P34 2020 v2.5",
    "modbus conpot": "Unit ID: 0\n-- Device Identification: Siemens SIMATIC S7-200",
    "s7": "Copyright: Original Siemens Equipment\nPLC name: line 3\nModule type: CPU 315-2 PN/DP\nBasic Hardware: 6ES7 315-2EH14-0AB0",
    "s7 conpot": "Copyright: Original Siemens Equipment\nPLC name: Technodrome\nPlant identification: Mouser Factory",
    "fox": "fox a 0 -1 fox hello\n{\nfox.version=s:1.0\nid=i:1\nhostName=s:10.0.0.5\nos.name=s:Windows XP",
    "fox qnx": "fox a 0 -1 fox hello\n{\nfox.version=s:1.0\nid=i:1\nos.name=s:QNX",
    "bacnet": "Instance ID: 7\nObject Name: NAE-1\nVendor Name: Johnson Controls",
    "web": "HTTP/1.0 200 OK\r\nServer: Boa/0.94\r\n\r\n", "ftp": "220 ready\r\n", "telnet": "\r\nlogin: ",
    "ssh": "SSH-2.0-dropbear_0.46", "rdp": "\x03\x00\x00\x0b\x06\xd0", "nothing": "",
}
PORTS = {"modbus": 502, "modbus conpot": 502, "s7": 102, "s7 conpot": 102, "fox": 1911, "fox qnx": 1911, "bacnet": 47808}
CLASSES = {"modbus": "modbus", "modbus conpot": "modbus", "s7": "s7", "s7 conpot": "s7", "fox": "fox", "fox qnx": "fox", "bacnet": "bacnet"}


# ---- who lives where

def machine(ttl, *ports, role=""):
    return {"ttl": ttl, "ports": [[port, what] for port, what in ports], "role": role}


def ics(what):
    return (PORTS[what], what)


def kinds(chance):
    """Name, how many of a hundred, and who makes one: machines, the attack, and what is unkind about it."""
    def windows_itself():
        what = chance.choice(["bacnet", "fox"])
        m = machine(128, ics(what), (23, "telnet") if chance.random() < .5 else (80, "web"), role="controller attacker")
        return [m], {"port": 445, "shape": "windows"}

    def linux_itself():
        m = machine(64, ics("modbus"), (21, "ftp"), (80, "web"), role="controller attacker")
        return [m], {"port": 23, "shape": chance.choice(["tool", "linux"])}

    def gateway_windows():
        return [machine(64, ics("modbus"), (8080, "web"), role="controller"),
                machine(128, (3389, "rdp"), role="attacker")], {"port": 445, "shape": "windows"}

    def hidden_windows():
        return [machine(64, ics("modbus"), (80, "web"), role="controller"), machine(128, role="attacker")], \
               {"port": 445, "shape": "windows"}

    def router_attacks():
        return [machine(64, (80, "web"), role="attacker"), machine(64, ics("fox qnx"), role="controller") | {"behind": 1}], \
               {"port": 23, "shape": "tool"}

    def siemens():
        return [machine(64, (23, "telnet"), role=""), machine(100, (80, "web")), machine(30, ics("s7"), role="controller"),
                machine(128, role="attacker")], {"port": 445, "shape": "windows"}

    def siemens_alone():
        """One device with two stacks: who counts each rare TTL as a machine counts one too many."""
        return [machine(30, ics("s7"), role="controller"), machine(128, role="attacker")] if chance.random() < .5 else \
               [machine(60, ics("s7"), (80, "web"), role="controller"), machine(128, role="attacker")], {"port": 445, "shape": "windows"}

    def two_stacks():
        m = machine(30, ics("s7"), role="controller")
        m["others"] = {"80": 60}
        m["ports"].append([80, "web"])
        return [m, machine(128, (3389, "rdp"), role="attacker")], {"port": 3389, "shape": "windows"}

    def old_unix():
        return [machine(60, ics("modbus"), (21, "ftp"), role="controller"), machine(64, (22, "ssh"), role="attacker")], \
               {"port": 22, "shape": "linux"}

    def twins():
        """Two of one system side by side: no TTL tells them apart."""
        return [machine(128, ics("fox"), role="controller"), machine(128, role="attacker")], {"port": 445, "shape": "windows"}

    def tool_with_its_own_ttl():
        m = machine(64, ics("modbus"), (80, "web"), role="controller attacker")
        return [m], {"port": 22, "shape": "tool", "ttl": 255}

    return [("windows itself", 14, windows_itself), ("linux itself", 12, linux_itself), ("gateway, windows", 14, gateway_windows),
            ("hidden windows", 8, hidden_windows), ("router attacks", 10, router_attacks), ("siemens, three", 8, siemens),
            ("siemens", 8, siemens_alone), ("two stacks", 6, two_stacks), ("old unix", 6, old_unix), ("twins", 8, twins),
            ("tool's ttl", 6, tool_with_its_own_ttl)]


def unkind(chance, machines, attack):
    """What Shodan says that is not so; None: it is so."""
    what = next(w for m in machines for p, w in m["ports"] if w in PORTS)
    return chance.choice([
        ("wrong: web", "wrong", "web"), ("wrong: ssh", "wrong", "ssh"), ("wrong: silence", "wrong", "nothing"),
        ("every port", "wrong", None), ("honeypot told", "decoy claimed", "conpot"), ("honeypot looked at", "decoy", "conpot"),
        ("moved: closed", "gone", None), ("moved: web", "other", None)]) + (what,)


def plan(folder, seed, scale):
    chance = random.Random(seed)
    rows, hosts = [], []
    total = max(24, int(400 * scale))
    makers = kinds(chance)
    weights = [w for _, w, _ in makers]
    for i in range(total):
        name, _, make = chance.choices(makers, weights)[0]
        machines, attack = make()
        address = "11.%d.%d.%d" % (i // 200 % 250, chance.randrange(256), 1 + i % 250)
        host = {"address": address, "kind": name, "machines": machines, "attack": attack, "country": chance.choice(COUNTRIES),
                "hops": chance.randrange(8, 23), "noise": chance.choice([-1, 0, 0, 0, 0, 1]), "truth": "row"}
        twist = unkind(chance, machines, attack) if chance.random() < .35 else None
        if chance.random() < .15 and not twist:
            host["attack"], host["truth"] = None, "quiet"
        claims(host, twist, chance, rows)
        hosts.append(host)
    real = {"address": GATEWAY, "kind": "real gateway", "country": "VE", "truth": "row", "real": True,
            "machines": [machine(64, ics("modbus"), (8080, "web"), role="controller"), machine(128, (3389, "rdp"), role="attacker")],
            "attack": {"port": 445, "shape": "windows"}}
    claims(real, None, chance, rows)
    hosts.append(real)
    for i in range(40): # ordinary attackers, whose look tells how the vantages differ
        ttl = chance.choice([64, 128])
        hosts.append({"address": "11.251.%d.9" % i, "kind": "ordinary", "truth": "ordinary", "country": "", "hops": chance.randrange(8, 23),
                      "noise": chance.choice([-1, 0, 0, 0, 1]), "machines": [machine(ttl, (23, "telnet"), role="attacker")],
                      "attack": {"port": 23, "shape": "windows" if ttl == 128 else "linux"}})
    for i in range(max(10, total // 4)): # controllers that attack nobody
        rows.append(record(chance, "11.250.%d.%d" % (i // 200, i % 200 + 1), 502, "modbus", BANNERS["modbus"], "JP"))
    chance.shuffle(rows)
    with open(folder + "/shodan.jsonl", "w") as f:
        for row in rows:
            f.write(json.dumps(row) + "\n")
    with open(folder + "/truth.json", "w") as f:
        json.dump(hosts, f, indent=1)


def record(chance, address, port, module, banner, country):
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - chance.randrange(600))) + ".%06d" % chance.randrange(10**6)
    return {"ip_str": address, "port": port, "transport": "udp" if port == 47808 else "tcp", "timestamp": now, "data": banner,
            "asn": "AS64496", "org": "Example Net", "location": {"country_code": country}, "tags": ["ics"] if module in CLASSES.values() else [],
            "hash": chance.randrange(2**31), "_shodan": {"module": module, "id": "%032x" % chance.randrange(2**128)}}


def claims(host, twist, chance, rows):
    """Shodan's records of the address as it was; then what it is now."""
    name, truth, instead, what = twist or (None, "row", None, None)
    for m in host["machines"]:
        for port, said in m["ports"]:
            banner, module = BANNERS[said], CLASSES.get(said, said)
            if said == what and truth == "wrong" and instead is not None:
                banner = BANNERS[instead]
            if said == what and instead == "conpot":
                decoy = said if said in ("s7",) else "modbus"
                banner = BANNERS[decoy + " conpot"] if truth == "decoy claimed" else BANNERS[decoy]
                port, module = PORTS[decoy], decoy
            rows.append(record(chance, host["address"], port, module, banner, host["country"]))
    if not twist:
        return
    host["twist"], host["truth"] = name, truth
    if name == "every port":
        for port in chance.sample(range(1000, 60000), 70):
            rows.append(record(chance, host["address"], port, "http", "HTTP/1.1 200 OK\r\n\r\n", host["country"]))
    for m in host["machines"]:
        ports = []
        for port, said in m["ports"]:
            if said != what:
                ports.append([port, said])
            elif instead == "conpot":
                decoy = said if said in ("s7",) else "modbus"
                ports.append([PORTS[decoy], decoy + " conpot"])
            elif truth == "other" and port != 47808:
                ports.append([port, "web"])
            elif truth == "other":
                host["truth"] = "gone"
            elif truth == "wrong":
                ports.append([port, instead or said])
        m["ports"] = ports


# ---- answering

def serve(folder):
    hosts = json.load(open(folder + "/truth.json"))
    poll = selectors.DefaultSelector()
    for host in hosts:
        for m in [] if host.get("real") else host["machines"]:
            for port, what in m["ports"]:
                ttl = m.get("others", {}).get(str(port), m["ttl"]) - host["hops"] - m.get("behind", 0)
                listen(poll, host["address"], port, what, ttl)
    answer_all(poll, folder + "/listening")


def answer_all(poll, ready):
    """Until standard input ends."""
    poll.register(sys.stdin, selectors.EVENT_READ, None)
    open(ready, "w").close()
    while True:
        for key, _ in poll.select(1):
            if key.data is None:
                if not os.read(0, 100):
                    return
            else:
                key.data(poll, key.fileobj)


def listen(poll, address, port, what, ttl):
    udp = port == 47808
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if ttl:
        s.setsockopt(socket.SOL_IP, socket.IP_TTL, ttl) # also of the SYN-ACK
    s.bind((address, port))
    s.setblocking(False)
    answer = ANSWERS[what]()

    def heard(poll, sock):
        frame, peer = sock.recvfrom(2048)
        sock.sendto(answer(frame), peer)

    def read(poll, sock):
        try:
            frame = sock.recv(4096)
        except OSError:
            frame = b""
        if not frame or what in ("ssh",):
            poll.unregister(sock)
            sock.close()
            return
        try:
            sock.send(answer(frame))
            if what == "web":
                poll.unregister(sock)
                sock.close()
        except OSError:
            pass

    def opened(poll, sock):
        try:
            guest, _ = sock.accept()
        except OSError:
            return
        guest.setblocking(False)
        if what in GREETS:
            guest.send(GREETS[what])
        poll.register(guest, selectors.EVENT_READ, read)

    if not udp:
        s.listen(64)
    poll.register(s, selectors.EVENT_READ, heard if udp else opened)


# ---- attacking

def checksum(data):
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


SHAPES = { # options of a SYN, window
    "windows": (b"\x02\x04\x05\xb4\x01\x03\x03\x08\x01\x01\x04\x02", 8192),
    "linux": (b"\x02\x04\x05\xb4\x04\x02\x08\x0a\0\x01\x02\x03\0\0\0\0\x01\x03\x03\x07", 29200),
    "tool": (b"", 14600),
}


def syn(source, destination, sport, dport, ttl, shape, seq):
    options, window = SHAPES[shape]
    a, b = socket.inet_aton(source), socket.inet_aton(destination)
    tcp = struct.pack(">HHIIBBHHH", sport, dport, seq, 0, (20 + len(options)) << 2, 2, window, 0, 0) + options
    total = checksum(a + b + struct.pack(">BBH", 0, 6, len(tcp)) + tcp)
    tcp = tcp[:16] + struct.pack(">H", total) + tcp[18:]
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), sport ^ seq & 0xffff, 0x4000, ttl, 6, 0) + a + b
    return ip + tcp


def dark_address(chance):
    base, bits = chance.choice(DARK).split("/")
    number = struct.unpack(">I", socket.inet_aton(base))[0] + chance.randrange(1 << 32 - int(bits))
    return socket.inet_ntoa(struct.pack(">I", number))


def attack(folder):
    hosts = json.load(open(folder + "/truth.json"))
    chance = random.Random(7)
    wire = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    sent = 0
    for host in hosts:
        how = host["attack"]
        if not how or host.get("real"):
            continue
        attacker = next(m for m in host["machines"] if "attacker" in m["role"])
        hops = host["hops"] + OFFSET + host["noise"] + attacker.get("behind", 0)
        for _ in range(12):
            to = dark_address(chance)
            seq = struct.unpack(">I", socket.inet_aton(to))[0] if how["shape"] == "tool" else chance.randrange(1 << 32)
            frame = syn(host["address"], to, chance.randrange(1025, 65000), how["port"], how.get("ttl", attacker["ttl"]) - hops, how["shape"], seq)
            wire.sendto(frame, (to, 0))
            sent += 1
        time.sleep(.002)
    print(sent)


def knock(port):
    """SYNs of the kernel's own making; who closes at once sends no second one."""
    chance = random.Random(11)
    for _ in range(12):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex((dark_address(chance), port))
        time.sleep(.05)
        s.close()
    print(12)


def main():
    what, folder = sys.argv[1:3]
    if what == "plan":
        plan(folder, int(sys.argv[3]), float(sys.argv[4]))
    elif what == "dark":
        print(" ".join(DARK))
    elif what == "serve":
        serve(folder)
    elif what == "attack":
        attack(folder)
    elif what == "knock":
        knock(int(sys.argv[3]))
    elif what == "machine":
        poll = selectors.DefaultSelector()
        for port, said in (ask.split(":") for ask in sys.argv[3:]):
            listen(poll, "", int(port), said, None)
        answer_all(poll, folder)


main()
