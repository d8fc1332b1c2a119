"""Hosts that answer a look as badly as they can: each address of 127.50.0.0/24 does one thing.

Writes "ready" when all listen, and on SIGTERM one JSON line: connections and bytes by address.
"""
import asyncio, gzip, json, os, signal, socket, ssl, sys

seen = {}


def count(address, what, n=1):
    entry = seen.setdefault(address, {"connections": 0, "bytes": 0})
    entry[what] += n


async def told(reader, address):
    """Reads one request; what comes is counted."""
    text = b""
    while b"\r\n\r\n" not in text:
        more = await reader.read(4096)
        if not more:
            break
        count(address, "bytes", len(more))
        text += more
    return text


async def endless(reader, writer, address):
    while True:
        writer.write(b"welcome " * 512)
        await writer.drain()


async def drip(reader, writer, address):
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.2)


async def crumbs(reader, writer, address):
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for i in range(100000):
        writer.write(b"y")
        await writer.drain()
        await asyncio.sleep(0.002)


async def redirects(reader, writer, address):
    path = (await told(reader, address)).split(b" ")
    number = int(path[1].strip(b"/") or 0) if len(path) > 1 and path[1].strip(b"/").isdigit() else 0
    writer.write(b"HTTP/1.1 302 Found\r\nLocation: /%d\r\nContent-Length: 0\r\n\r\n" % (number + 1))


async def elsewhere(reader, writer, address):
    await told(reader, address)
    writer.write(b"HTTP/1.1 301 Moved\r\nLocation: http://127.50.0.99/\r\nContent-Length: 0\r\n\r\n")


async def bomb(reader, writer, address):
    await told(reader, address)
    packed = gzip.compress(bytes(40 << 20), 9)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)


async def headers(reader, writer, address):
    await told(reader, address)
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-Header: " + b"z" * 1000 + b"\r\n")
        await writer.drain()


async def lengths(reader, writer, address):
    await told(reader, address)
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n<title>x</title>")


async def deep(reader, writer, address):
    await told(reader, address)
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n<title>" + b"<" * 30000 + b"&" * 30000)


async def honest(reader, writer, address):
    writer.write(b"\xff\xfd\x01\xff\xfb\x01\r\nHoneywell XL web login: ")
    await asyncio.sleep(5)


class Foreign(asyncio.DatagramProtocol):
    """Answers each question from another address, a hundred times."""

    def connection_made(self, transport):
        self.transport = transport
        self.other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.other.bind(("127.50.0.98", 1900))

    def datagram_received(self, data, address):
        count("127.50.0.20", "bytes", len(data))
        for _ in range(100):
            self.other.sendto(b"HTTP/1.1 200 OK\r\nSERVER: foreign\r\n\r\n", address)


async def main(certificate):
    end = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set_result, None)

    def serve(port, act, address, **more):
        async def meet(reader, writer):
            count(address, "connections")
            try:
                await act(reader, writer, address)
                await writer.drain()
            except (ConnectionError, ssl.SSLError, asyncio.CancelledError):
                pass
            finally:
                writer.close()
        return asyncio.start_server(meet, address, port, **more)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    hosts = [(23, endless), (23, drip), (23, crumbs), (80, redirects), (80, elsewhere), (80, bomb),
             (80, headers), (80, lengths), (80, deep), (23, honest)]
    for number, (port, act) in enumerate(hosts, 1):
        await serve(port, act, f"127.50.0.{number}")
    await serve(443, honest, "127.50.0.11", ssl=context)
    await serve(80, honest, "127.50.0.99")
    await asyncio.get_running_loop().create_datagram_endpoint(Foreign, ("127.50.0.20", 1900))
    print("ready", flush=True)
    await end
    print(json.dumps(seen), flush=True)
    os._exit(0)


asyncio.run(main(sys.argv[1]))
