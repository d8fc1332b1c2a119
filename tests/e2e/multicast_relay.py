#!/usr/bin/env python3
"""Brings searches for devices (SSDP, WS-Discovery) to decoys, as their own network would.

multicast_relay.py PORT DECOY...: what is sent to 239.255.255.250:PORT goes to each decoy, from an
address of its own each time, and what they answer goes back to who asked.  Ends with its parent.
"""
import os
import select
import socket
import sys

GROUP = "239.255.255.250"


def main():
    port, decoys = int(sys.argv[1]), sys.argv[2:]
    group = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    group.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    group.bind((GROUP, port))
    group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1"))
    back, asked, parent = {}, 0, os.getppid()
    print("listening", flush=True)
    while os.getppid() == parent:
        ready, _, _ = select.select([group, *back], [], [], 1)
        for s in ready:
            question, who = s.recvfrom(9000)
            if s is not group:
                group.sendto(question, back[s])
                continue
            for decoy in decoys:
                asked += 1
                own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                own.bind((f"127.77.{port % 250}.{asked % 250 + 1}", 0))
                own.sendto(question, (decoy, port))
                back[own] = who
        while len(back) > 200:
            first = next(iter(back))
            del back[first]
            first.close()


main()
