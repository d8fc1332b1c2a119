#!/usr/bin/env python3
"""Says the same to two brokers and compares what they answer: mqtt.py PORT PORT"""
import re
import socket
import sys


def text(b):
    return len(b).to_bytes(2, "big") + b


def packet(first, body):
    length, n = b"", len(body)
    while True:
        n, digit = n >> 7, n & 127
        length += bytes([digit | (128 if n else 0)])
        if not n:
            return bytes([first]) + length + body


def connect(version=4, flags=2, client=b"c1", rest=b"", name=b"MQTT"):
    properties = b"\0" if version == 5 else b""
    return packet(0x10, text(name) + bytes([version, flags]) + b"\0\x3c" + properties + text(client) + rest)


def subscribe(topic, quality=0, first=0x82):
    return packet(first, b"\0\1" + text(topic) + bytes([quality]))


def publish(topic, message, quality=0, properties=b""):
    return packet(0x30 | quality << 1, text(topic) + (b"\0\7" if quality else b"") + properties + message)


DIALOGUES = {
    "connect": [connect()],
    "no client name, clean": [connect(client=b"")],
    "no client name, not clean": [connect(client=b"", flags=0)],
    "3.1": [connect(version=3, name=b"MQIsdp")],
    "5": [connect(version=5)],
    "5 without a client name": [connect(version=5, client=b"")],
    "version 6": [connect(version=6)],
    "another name": [connect(name=b"MQTX")],
    "an account": [connect(flags=0xC2, rest=text(b"u") + text(b"p"))],
    "connected twice": [connect(), connect()],
    "the version": [connect(), subscribe(b"$SYS/broker/version")],
    "the version in 5": [connect(version=5), packet(0x82, b"\0\1\0" + text(b"$SYS/broker/version") + b"\0")],
    "no filter": [connect(), subscribe(b"a/#/b")],
    "quality 2": [connect(), subscribe(b"a/b", 2)],
    "quality 3": [connect(), subscribe(b"a/b", 3)],
    "flags of subscribe": [connect(), subscribe(b"a", 0, 0x80)],
    "one's own message": [connect(), subscribe(b"a/+"), publish(b"a/x", b"hello")],
    "published, quality 1": [connect(), publish(b"a/x", b"hello", 1)],
    "published, quality 2": [connect(), publish(b"a/x", b"hello", 2), packet(0x62, b"\0\7")],
    "published to nobody in 5": [connect(version=5), publish(b"a/x", b"hi", 1, b"\0")],
    "a topic with a wildcard": [connect(), publish(b"a/#", b"x")],
    "an empty topic": [connect(), publish(b"", b"x")],
    "unsubscribe": [connect(), packet(0xA2, b"\0\2" + text(b"a"))],
    "unsubscribe in 5": [connect(version=5), packet(0xA2, b"\0\2\0" + text(b"a"))],
    "ping": [connect(), b"\xc0\0"],
    "disconnect": [connect(), b"\xe0\0"],
    "a reserved type": [connect(), b"\xf0\0"],
    "a length that is none": [b"\x10\xff\xff\xff\xff\x7f"],
    "a reserved flag": [connect(flags=1)],
}


def talk(port, said):
    answers = b""
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.settimeout(0.3)
        for part in said:
            try:
                s.sendall(part)
                while True:
                    got = s.recv(65536)
                    if not got:
                        return answers + b" closed"
                    answers += got
            except TimeoutError:
                pass
            except ConnectionError:
                return answers + b" closed"
    return answers


ours, theirs = int(sys.argv[1]), int(sys.argv[2])
differ = 0
for title, said in DIALOGUES.items():
    a, b = (re.sub(rb"auto-[-0-9A-F]{36}", b"auto", talk(port, said)) for port in (ours, theirs))
    if a != b:
        differ += 1
        print(f"{title}:\n  decoy     {a!r}\n  mosquitto {b!r}")
print(f"{len(DIALOGUES)} dialogues, {differ} differ")
sys.exit(differ != 0)
