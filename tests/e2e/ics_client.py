# Clients of industrial protocols for ics.sh: python3 ics_client.py SERVICE HOST PORT
# Each prints what it was told, in lines that the test looks for.
import socket, struct, sys, time

service, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])


def tcp():
    s = socket.create_connection((host, port), 5)
    s.settimeout(5)
    return s


def udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
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


globals()[service]()
