"""Command servers and others to be checked; each line of OUT is what a client did.

    servers_world.py OUT

203.0.113.21:6667  an IRC-like command server: who registers is enlisted and gets an order
203.0.113.22:23    a registration server of Mirai's make: silent to bots, a prompt to anybody else
203.0.113.25:PORTS answers everything alike
203.0.113.29:7777  floods whoever comes, without end
203.0.113.30:7777  a byte at a time, without end
"""
import asyncio, sys

out = open(sys.argv[1], "a", buffering=1)


async def irc(reader, writer):
    data = b""
    try:
        while b"USER " not in data or not data.endswith(b"\n"):
            more = await asyncio.wait_for(reader.read(512), 20)
            if not more:
                out.write("irc left %r\n" % data)
                return
            data += more
            if b"NICK" not in data:
                writer.write(b":c2 421 * :Unknown command\r\n")
                await writer.drain()
        out.write("irc enlisted %r\n" % data)
        writer.write(b":c2 001 bot :in\r\n:c2 332 bot #q :!* SCAN 22 203.0.113.77\r\nPING :42\r\n")
        await writer.drain()
        more = await asyncio.wait_for(reader.read(512), 20)
        out.write("irc obeyed %r\n" % more)
    except (ConnectionError, asyncio.TimeoutError):
        out.write("irc hung up on\n")
    finally:
        writer.close()


async def mirai(reader, writer):
    try:
        first = await asyncio.wait_for(reader.read(512), 20)
        if first[:4] == b"\0\0\0\1":
            out.write("mirai enlisted %r\n" % first)
            more = await asyncio.wait_for(reader.read(512), 20)
            out.write("mirai obeyed %r\n" % more)
        elif first:
            out.write("mirai prompted %r\n" % first)
            writer.write(b"\x1b[?1049h\xff\xfb\x01\xff\xfb\x03\xff\xfc\x22\r\nlogin: ")
            await writer.drain()
            await asyncio.wait_for(reader.read(512), 20)
    except (ConnectionError, asyncio.TimeoutError):
        pass
    finally:
        writer.close()


async def everything(reader, writer):
    try:
        await asyncio.wait_for(reader.read(512), 20)
        writer.write(b"WELCOME agent 4711, run SCAN 22\r\n")
        await writer.drain()
        await asyncio.wait_for(reader.read(512), 20)
    except (ConnectionError, asyncio.TimeoutError):
        pass
    finally:
        writer.close()


async def flood(reader, writer):
    try:
        while True:
            writer.write(b"A" * 65536)
            await writer.drain()
    except ConnectionError:
        out.write("flood ended\n")
    finally:
        writer.close()


async def trickle(reader, writer):
    try:
        while True:
            writer.write(b"t")
            await writer.drain()
            await asyncio.sleep(0.05)
    except ConnectionError:
        out.write("trickle ended\n")
    finally:
        writer.close()


async def main():
    await asyncio.start_server(irc, "203.0.113.21", 6667)
    await asyncio.start_server(mirai, "203.0.113.22", 23)
    await asyncio.start_server(everything, "203.0.113.25", 6667)
    await asyncio.start_server(flood, "203.0.113.29", 7777)
    await asyncio.start_server(trickle, "203.0.113.30", 7777)
    out.write("ready\n")
    await asyncio.Event().wait()

asyncio.run(main())
