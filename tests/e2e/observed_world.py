"""Files as partners give them, made by others' programs where there are some: DIRECTORY."""
import bz2, gzip, json, os, struct, sys

where = sys.argv[1]
def path(name): return os.path.join(where, name)

# Shodan: values that would hurt whoever trusts them, and a line that is none.
hostile = ["'; DROP TABLE events; --", "a\u0000b", "\u202etxt.exe", "</script><script>alert(1)</script>", "tab\tline\r\nend", "",
           "\U0001f600 \\u0041 \" \\", "$(reboot)"]
with gzip.open(path("shodan.json.gz"), "wt") as f:
    for i, data in enumerate(hostile):
        f.write(json.dumps({"ip_str": "203.0.113.%d" % (i + 1), "port": 502 + i, "transport": "tcp", "data": data,
                            "timestamp": "2015-06-0%dT10:00:00.000001" % (i + 1), "version": i + 0.5, "product": None,
                            "location": {"country_code": "TW"}, "hostnames": ["h%d.example" % i], "tags": ["ics"],
                            "_shodan": {"id": "id-%d" % i, "module": "modbus"}}) + "\n")
    f.write("{\"ip_str\":\"203.0.113.99\"\n")

# A capture, packet by packet.
def ip(a): return bytes(map(int, a.split(".")))
def packet(src, dst, proto, ttl, rest):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(rest), 1, 0x4000, ttl, proto, 0, ip(src), ip(dst))
    s = sum(struct.unpack(">10H", head))
    s = (s & 0xffff) + (s >> 16)
    return head[:10] + struct.pack(">H", ~(s + (s >> 16)) & 0xffff) + head[12:] + rest
def tcp(sport, dport, flags): return struct.pack(">HHIIBBHHH", sport, dport, 1000, 0, 0x50, flags, 8192, 0, 0)
def udp(sport, dport, b): return struct.pack(">HHHH", sport, dport, 8 + len(b), 0) + b
packets = []
for i in range(200):
    src, dst = "198.51.%d.%d" % (100 + i % 3, i % 40 + 1), "192.0.2.%d" % (i % 50 + 1)
    port = (23, 445, 2323)[i % 3]
    packets.append(packet(src, dst, 6, 40 + i % 9, tcp(20000 + i, port, 2)))
    if i % 2:
        packets.append(packet(dst, src, 6, 64, tcp(port, 20000 + i, 18)))
    if i % 5 == 0:
        packets.append(packet(src, dst, 17, 50, udp(5071, 5060, b"OPTIONS sip:x SIP/2.0")))
with open(path("attack.pcap"), "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
    for i, p in enumerate(packets):
        f.write(struct.pack("<IIII", 1433239445 + i, i, len(p), len(p)) + p)

# NICTER: SYNs of one day, packed as NICT packs them.
with bz2.open(path("nicter.csv.bz2"), "wt") as f:
    for i in range(50):
        f.write("%d.%06d,%04x,%08x,%d.%d,%d\n" % (1433239445 + i, i, i % 4, i % 7, i % 3, i, 445 if i % 2 else 23))

# FlowTuple 4, written by Apache's own library.
try:
    import avro.schema, avro.datafile, avro.io
except ImportError:
    sys.exit(0)
fields = ["time", "src_ip", "dst_net", "dst_port", "protocol", "packet_cnt", "uniq_dst_ips"]
schema = {"type": "record", "name": "flowtuple4", "fields": [{"name": n, "type": "long"} for n in fields] +
          [{"name": "common_ttls", "type": {"type": "array", "items": "long"}}, {"name": "netacq_country", "type": "string"},
           {"name": "new_and_unknown", "type": ["null", {"type": "map", "values": "double"}]}]}
for codec in ("null", "deflate"):
    w = avro.datafile.DataFileWriter(open(path("flow-%s.avro" % codec), "wb"), avro.io.DatumWriter(),
                                     avro.schema.parse(json.dumps(schema)), codec=codec)
    for i in range(3000):
        w.append({"time": 1433239440 + 60 * (i // 100), "src_ip": 0xcb007100 + i % 256, "dst_net": 0xc0000200, "dst_port": i % 70,
                  "protocol": 6, "packet_cnt": i + 1, "uniq_dst_ips": i % 200 + 1, "common_ttls": [50 + i % 3, 111],
                  "netacq_country": "??" if i % 2 else "JP", "new_and_unknown": None if i % 3 else {"a": 0.5}})
    w.close()
