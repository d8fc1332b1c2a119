"""Does a decoy answer malformed greetings as a real SSH server does?  REAL_PORT DECOY DECOY_PORT"""
import socket
import sys

GREETINGS = [
    b"SSH-1337-OpenSSH_9.0\r\n", b"SSH-2.0-x\n", b"GET / HTTP/1.0\r\n\r\n", b"\r\n", b"SSH-1.5-abc\r\n",
    b"SSH-1.99-abc\r\n", b"SSH-2.0\r\n", b"SSH-2.0-\r\n", b"SSH-2.0-a\x00b\r\n", b"SSH-2.0-a\rb\r\n",
    b"hello\r\nSSH-2.0-x\r\n", b"SSH-2.0-" + b"a" * 300 + b"\r\n", b"SSH-2.0-" + b"a" * 9000 + b"\r\n",
    b"SSH-3.0-x\r\n", b"ssh-2.0-x\r\n", b"SSH-2.1-x\r\n", b"SSH-2.0-Probe-x\r\n", b"\x16\x03\x01\x00\xa5\x01\0\0",
    b"SSH-2.0-x\r\n" + b"\0" * 40, b"SSH-2.0-x\r\n" + b"\xff" * 40,
    b"SSH-2.0-x\r\n\0\0\0\x0c\x0a\x15" + b"\0" * 30, b"SSH-2.0-x\r\n\0\0\0\x0c\x0a\x05" + b"\0" * 30,
    b"SSH-2.0-x\r\n\0\0\0\x14\x06\x14" + b"\1" * 18, b"SSH-2.0-x\r\n\0\0\x01\x14\x06\x14" + b"\0" * 280,
    b"SSH-2.0-x\r\n" + b"\0\0\0\x0c\x0a\x02" + b"\0" * 10 + b"\0\0\0\x0c\x0a\x1e" + b"\0" * 10,
]


def answer(host, port, greeting):
    s = socket.create_connection((host, port), 5)
    s.settimeout(0.7)
    said, end = b"", "waits"
    try:
        s.sendall(greeting)
        while True:
            more = s.recv(65536)
            if not more:
                end = "closes"
                break
            said += more
    except socket.timeout:
        pass
    except (ConnectionResetError, BrokenPipeError):
        end = "resets"
    s.close()
    line, _, rest = said.partition(b"\n")
    shape = []
    while len(rest) > 5 and rest[0] == 0:  # packets: cookies and padding differ
        n = int.from_bytes(rest[:4], "big")
        shape.append((rest[5], n))
        rest = rest[4 + n:]
    return line, shape, rest, end


different = 0
for greeting in GREETINGS:
    real = answer("127.0.0.1", int(sys.argv[1]), greeting)
    decoy = answer(sys.argv[2], int(sys.argv[3]), greeting)
    if real != decoy:
        different += 1
        print("%r:\n real  %r\n decoy %r" % (greeting[:40], real, decoy))
sys.exit(different > 0)
