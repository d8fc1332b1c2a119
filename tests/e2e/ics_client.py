# Clients of industrial protocols for ics.sh: python3 ics_client.py SERVICE HOST PORT
# Each prints what it was told, in lines that the test looks for.
import socket, struct, sys, time

service, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])


def tcp():
    s = socket.create_connection((host, port), 5)
    s.settimeout(5)
    return s


sources = 0


def udp():
    # Each from a network of its own: to one source and network little is said over UDP.
    global sources
    sources += 1
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.%d.%d.1" % (40 + len(service), sources), 0))
    s.settimeout(5)
    s.connect((host, port))
    return s


def exactly(s, n):
    b = b""
    while len(b) < n:
        more = s.recv(n - len(b))
        if not more:
            raise EOFError(b)
        b += more
    return b


def modbus():
    from pymodbus.client import ModbusTcpClient
    from pymodbus.mei_message import ReadDeviceInformationRequest
    c = ModbusTcpClient(host, port=port)
    assert c.connect()
    print("identity", c.execute(ReadDeviceInformationRequest(1, 0)).information)
    before = c.read_holding_registers(0, 13, 1).registers
    print("registers", before, c.read_input_registers(0, 4, 1).registers, c.read_coils(0, 8, 1).bits)
    raw = tcp()
    for asked in ("08 0000 a537", "08 000b 0000", "0b", "0c", "07", "14 07 06 0001 0000 0002", "15 09 06 0001 0000 0001 beef", "18 0000", "11", "5a 00 02"):
        pdu = bytes.fromhex(asked)
        raw.sendall(struct.pack(">HHHB", 7, 0, len(pdu) + 1, 1) + pdu)
        head = exactly(raw, 7)
        print("function", asked, "->", exactly(raw, struct.unpack(">H", head[4:6])[0] - 1).hex())
    for call in (lambda: c.write_registers(100, [1, 2, 3], 1), lambda: c.write_coils(8, [True] * 9, 1),
                 lambda: c.mask_write_register(100, 0xf0, 5), lambda: c.write_register(9, 500, 1),
                 lambda: c.readwrite_registers(read_address=100, read_count=3, write_address=101, write_registers=[7], slave=1),
                 lambda: c.read_discrete_inputs(0, 20, 1), lambda: c.write_coil(0, False, 1)):
        r = call()
        assert not r.isError(), r
    print("exception", c.read_coils(60000, 1, 1), c.read_holding_registers(0, 126, 1))
    time.sleep(1.5)
    after = c.read_holding_registers(0, 13, 1).registers
    print("moves", before != after)
    print("stopped pump: flow falls", after[2] < before[2] * 0.9)


def atg():
    s = tcp()
    def ask(command):
        s.sendall(b"\x01" + command + b"\n")
        b = b""
        while not b.endswith(b"\x03"):
            b += exactly(s, 1)
        print(b.decode("latin-1").replace("\r", ""))
        return b
    for command in b"I20100", b"S60201KEROSENE", b"I20100", b"I10100", b"I20200", b"I20300", b"I20500", b"I50300", b"I60400", b"I90200", b"I99900":
        ask(command)
    told = ask(b"i20100")
    print("checksum", (sum(told[:-5]) + int(told[-5:-1], 16)) % 65536 == 0)


def fins():
    s = tcp()
    def frame(command, body):
        s.sendall(b"FINS" + struct.pack(">III", 8 + len(body), command, 0) + body)
        head = exactly(s, 16)
        return exactly(s, struct.unpack(">I", head[4:8])[0] - 8)
    client, server = struct.unpack(">II", frame(0, bytes(4)))
    def ask(hexed):
        b = frame(2, bytes([0x80, 0, 2, 0, server, 0, 0, client, 0, 9]) + bytes.fromhex(hexed))
        print(hexed, "->", b[12:].hex())
        return b[14:]
    before = ask("0101 82 0000 00 000d")
    ask("0102 82 0064 00 0001 1234")
    print("D100 is", struct.unpack(">H", ask("0101 82 0064 00 0001"))[0])
    for other in "0104 82 0000 00 30 0000 00", "0103 82 00c8 00 0004 ffff", "0620", "0701", "0501", "0102 30 0000 00 0001 00", "0101 30 0000 00 0008", "0101 77 0000 00 0001", "7777", "2301 0001 0000 30 0000 00", "0402 ffff":
        ask(other)
    print("stopped:", ask("0601")[0])
    time.sleep(1.2)
    print("moves", before != ask("0101 82 0000 00 000d"))


def iec104():
    s = tcp()
    counts = [0, 0]
    def send(asdu):
        s.sendall(struct.pack("<BBHH", 0x68, 4 + len(asdu), counts[0] << 1, counts[1] << 1) + asdu)
        counts[0] += 1
    def take():
        head = exactly(s, 2)
        b = exactly(s, head[1])
        if not b[0] & 1:
            counts[1] += 1
        return b
    def until(*causes):
        got = []
        while True:
            b = take()
            if b[0] & 1:
                continue
            got.append(b[4:])
            if b[4 + 2] in causes:
                return got
    s.sendall(bytes.fromhex("680407000000"))
    take()
    send(bytes.fromhex("6401 0600 ffff 000000 14"))
    points = until(10)
    station = points[0][4:6]
    power = lambda ps: [struct.unpack("<f", p[9 + 15:9 + 19])[0] for p in ps if p[0] == 13][0]
    before = power(points)
    print("station", station.hex(), "power", before)
    send(bytes.fromhex("2d01 0600") + station + bytes.fromhex("010000 01"))
    print("unknown object", hex(until(0x6f)[-1][2]))
    send(bytes.fromhex("2e01 0600") + station + bytes.fromhex("931300 81"))
    until(7)
    send(bytes.fromhex("2e01 0600") + station + bytes.fromhex("931300 01"))
    names = {7: "confirmed", 11: "returned", 10: "terminated"}
    print("breaker:", *[names.get(p[2], p[2]) for p in until(10)])
    for more in "6501 0600 %s 000000 05", "6601 0500 %s 650000", "6701 0600 %s 000000 01020304050617", "3201 0600 %s ed1300 00007042 00", "7e01 0600 %s 010000 00", "6401 0600 feff 000000 14":
        send(bytes.fromhex(more.replace("%s", station.hex())))
        take()
    time.sleep(2.1)
    s.sendall(struct.pack("<BBHH", 0x68, 4, 1, counts[1] << 1))
    send(bytes.fromhex("6401 0600 ffff 000000 14"))
    ps = until(1)
    print("cyclic", ps[-1][0] == 13, "power falls", power(ps) < before)
    counts[0] += 7
    send(bytes.fromhex("6401 0600 ffff 000000 14"))
    try:
        while True:
            take()
    except EOFError:
        print("out of order: closed")


def s7comm():
    s = tcp()
    def tpkt(payload):
        s.sendall(struct.pack(">BBH", 3, 0, 4 + len(payload)) + payload)
        return exactly(s, struct.unpack(">H", exactly(s, 4)[2:])[0] - 4)
    def s7(kind, parameters, values=b""):
        parameters, values = bytes.fromhex(parameters), bytes.fromhex(values) if values else b""
        return tpkt(b"\x02\xf0\x80" + struct.pack(">BBHHHH", 0x32, kind, 0, 7, len(parameters), len(values)) + parameters + values)
    tpkt(bytes.fromhex("11e00000001400c1020100c2020102c0010a"))
    s7(1, "f00000010001 01e0")
    def szl(identity, index="0000"):
        b = s7(7, "0001120411440100", "ff090004" + identity + index)
        got, more = b[29:], b[22]
        while more:
            b = s7(7, "000112081244 01 %02x %02x 00 0000" % (b[20], b[21]), "0a000000")
            got, more = got + b[29:], b[22]
        return got
    for identity, index in ("0000", "0000"), ("0011", "0000"), ("001c", "0000"), ("0131", "0001"), ("0131", "0002"), ("0131", "0003"), ("0132", "0004"), ("0424", "0000"), ("0019", "0000"), ("0111", "0007"):
        b = szl(identity, index)
        size, count = struct.unpack(">HH", b[4:8])
        assert len(b) == 8 + size * count, (identity, len(b), size, count)
        print("list %s: %d records of %d" % (identity, count, size))
    print("unknown", szl("7777"))
    read = lambda item: s7(1, "0401" + item)
    level = "120a1002 0028 0001 84 000000"
    before = read(level)
    s7(1, "0501 120a1002 0002 0002 84 000020", "00040010 a55a")
    print("DB2 is", read("120a1002 0002 0002 84 000020")[-2:].hex())
    for item in "120a1001 0001 0001 84 000140", "120a1008 0004 0001 84 000000", "120a1002 0004 0063 84 000000", "120a1002 0004 0000 82 000000":
        read(item)
    print("blocks:", len(s7(7, "0001120411430100", "0a000000")[29:]) // 4)
    s7(7, "0001120411430200", "ff0900023041")
    s7(7, "0001120411470100", "0a000000")
    s7(1, "1d0000000000000009" + b"_0A00001A".hex())
    s7(1, "29000000000009" + b"P_PROGRAM".hex())
    print("mode", szl("0424")[8 + 3])
    s7(1, "28000000000000fd000009" + b"P_PROGRAM".hex())
    time.sleep(1.1)
    print("moves", before != read(level))


def bacnet():
    def ask(hexed, s):
        apdu = bytes.fromhex(hexed)
        b = bytes([0x81, 0x0a]) + struct.pack(">H", len(apdu) + 6) + bytes([1, 4]) + apdu
        s.send(b)
        b = s.recv(2000)
        print(hexed, "->", b[6:].hex())
        return b[6:]
    who = ask("1008", udp())
    print("I-Am", struct.unpack(">I", who[2 + 1:7])[0] & 0x3fffff)
    value = "0005010c 0c00000000 1955"
    s = udp()
    before = ask(value, s)
    for more in "0005010c 0c00000000 196f", "0005010c 0c00000063 1955", "0005010c 0c023fffff 194c 2900", "0005011e", "00050114 0900":
        ask(more, s)
    s = udp()
    ask("0005010e 0c023fffff 1e 0908 1f", s)
    s = udp()
    ask("0005010e 0c00000000 1e 0908 1f 0c01000000 1e 0955 0957 094d 1f", s)
    ask("0005010f 0c01000000 1955 3e9100 3f 4908", s)
    print("pump", ask("0005010c 0c01000000 1955", s)[-2])
    ask("0005010f 0c00800000 1955 3e44428c0000 3f", s)
    time.sleep(1.1)
    print("moves", before != ask(value, s))


def enip():
    s = tcp()
    session = 0
    def frame(command, body):
        s.sendall(struct.pack("<HHII", command, len(body), session, 0) + b"kontekst" + bytes(4) + body)
        head = exactly(s, 24)
        length, got, status = struct.unpack("<HII", head[2:12])
        return got, status, exactly(s, length)
    def cip(message):
        return frame(0x6f, struct.pack("<IHHHHHH", 0, 5, 2, 0, 0, 0xb2, len(message)) + message)[2][16:]
    def symbol(name):
        name = name.encode()
        path = bytes([0x91, len(name)]) + name + b"\0" * (len(name) % 2)
        return bytes([len(path) // 2]) + path
    print("no session", hex(frame(0x6f, bytes(16))[1]))
    frame(4, b"")
    frame(0x64, b"")
    session = frame(0x65, struct.pack("<HH", 1, 0))[0]
    print("identity", cip(bytes.fromhex("0102 20012401"))[4:])
    for message in "0e03 200124013007", "0e03 200124013009", "0102 20022401", "1003 200124013007 0000", "0502 20012401 00", "5503 206b2500 0000 0200 0100 0200":
        print(message, cip(bytes.fromhex(message)).hex())
    inner = bytes.fromhex("0102 20012401")
    print("unconnected send", cip(bytes.fromhex("5202 20062401 0a05") + struct.pack("<H", len(inner)) + inner + bytes.fromhex("01000100"))[:4].hex())
    read = lambda name: cip(b"\x4c" + symbol(name) + struct.pack("<H", 1))
    before = read("Tank_Level")
    print("unknown", read("No_Such").hex())
    print(cip(b"\x4d" + symbol("Pump_Run") + struct.pack("<HHB", 0xc1, 1, 0)).hex(), cip(b"\x4d" + symbol("Temp_SP") + struct.pack("<HHf", 0xca, 1, 70)).hex())
    print("Pump_Run", read("Pump_Run")[-1])
    time.sleep(1.1)
    print("moves", before != read("Tank_Level"))


def dnp3():
    s = tcp()
    def crc(b):
        c = 0
        for x in b:
            c ^= x
            for _ in range(8):
                c = c >> 1 ^ 0xa6bc if c & 1 else c >> 1
        return struct.pack("<H", ~c & 0xffff)
    def send(control, user=b""):
        head = struct.pack("<BBBBHH", 5, 0x64, 5 + len(user), control, 10, 1)
        blocks = [user[i:i + 16] for i in range(0, len(user), 16)]
        s.sendall(head + crc(head) + b"".join(b + crc(b) for b in blocks))
    def take():
        head = exactly(s, 10)
        assert crc(head[:8]) == head[8:]
        left, user = head[2] - 5, b""
        while left:
            n = min(left, 16)
            b = exactly(s, n + 2)
            assert crc(b[:n]) == b[n:]
            user, left = user + b[:n], left - n
        return head[3], user
    def ask(hexed):
        send(0xc4, b"\xc0" + bytes.fromhex(hexed))
        b = take()[1]
        print(hexed, "->", b.hex())
        return b[5:]
    send(0xc9)
    print("link status ok" if take()[0] == 0x0b else "link status bad")
    sizes = {1: 1, 10: 1, 20: 5, 30: 5, 40: 5}
    def groups(b):
        found = {}
        while b:
            n = 5 + sizes[b[0]] * (b[4] + 1 - b[3])
            found[b[0]], b = b[5:n], b[n:]
        return found
    before = groups(ask("c101 3c0106"))
    print("class 0:", *before)
    ask("c201 3c0206 3c0306 3c0406")
    ask("c301 3c0206 3c0306 3c0406 3c0106")
    ask("c401 00fc00 0000")
    for more in "c502 500100 07 07 00", "c601 1e0000 00 01", "c717", "c863", "c903 0c0117 01 00 0101 00000000 00000000 00", "ca05 290117 01 00 bc020000 00":
        ask(more)
    print("relay status", ask("cb05 0c0117 01 01 8101 00000000 00000000 00")[-1])
    print("relay off: 0x%02x" % groups(ask("cc01 0a0206"))[10][1])
    time.sleep(1.2)
    print("moves", before[30] != groups(ask("cd01 1e0106"))[30])
    s.sendall(bytes.fromhex("056405c90a0001000000"))
    s.settimeout(0.5)
    try:
        s.recv(1)
    except TimeoutError:
        print("wrong checksum: silence")


def knxip():
    s = udp()
    def send(kind, body):
        s.send(struct.pack(">HHH", 0x0610, kind, 6 + len(body)) + body)
    def take(kind):
        b = s.recv(1000)
        assert struct.unpack(">HHH", b[:6]) == (0x0610, kind, len(b)), b.hex()
        return b[6:]
    here = bytes.fromhex("0801000000000000")
    send(0x0201, here)
    take(0x0202)
    send(0x0205, here + here + bytes.fromhex("04040200"))
    b = take(0x0206)
    channel = b[0]
    print("tunnel", "open" if b[1] == 0 else b[1])
    send(0x0207, bytes([channel, 0]) + here)
    take(0x0208)
    count = 0
    def bus(hexed, answers):
        nonlocal count
        send(0x0420, bytes([4, channel, count, 0]) + bytes.fromhex(hexed))
        count += 1
        take(0x0421)
        got = []
        for _ in range(answers):
            b = take(0x0420)
            send(0x0421, bytes([4, channel, b[2], 0]))
            got.append(b[4:])
        return got
    print("confirmed %02x" % bus("1100bce0 0000 0801 01 0080", 1)[0][0])
    print("pump is", bus("1100bce0 0000 0801 01 0000", 2)[1][-1] & 0x3f)
    print("temperature", bus("1100bce0 0000 1801 01 0000", 2)[1].hex())
    send(0x0209, bytes([channel, 0]) + here)
    print("closed", take(0x020a)[1])


globals()[service]()
