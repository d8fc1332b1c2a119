#!/usr/bin/env python3
"""Clients of cameras and recorders as they are publicly known: ONVIF, Xiongmai (34567), Dahua (37777).

iot_client.py onvif|sofia|dahua HOST USER PASSWORD [WRONG]: fails when a dialogue goes otherwise than with a device.
"""
import base64
import hashlib
import json
import os
import re
import socket
import struct
import sys
import urllib.error
import urllib.request
import xml.etree.ElementTree as tree

LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def short_hash(password):
    digest = hashlib.md5(password.encode()).digest()
    return "".join(LETTERS[(digest[2 * i] + digest[2 * i + 1]) % 62] for i in range(8))


def md5(*parts):
    return hashlib.md5(":".join(parts).encode()).hexdigest().upper()


def exactly(s, count):
    got = b""
    while len(got) < count:
        more = s.recv(count - len(got))
        assert more, f"hung up after {got!r}"
        got += more
    return got


class Sofia:
    def __init__(self, host):
        self.s = socket.create_connection((host, 34567), 5)
        self.session, self.sequence = 0, 0

    def ask(self, number, text):
        body = json.dumps(text).encode() + b"\n\0"
        self.s.sendall(struct.pack("<BBxxIIxxHI", 255, 0, self.session, self.sequence, number, len(body)) + body)
        head, _, self.session, sequence, answered, length = struct.unpack("<BBxxIIxxHI", exactly(self.s, 20))
        assert (head, sequence, answered) == (255, self.sequence, number + 1), (head, sequence, answered)
        self.sequence += 1
        body = exactly(self.s, length)
        assert body.endswith(b"\n\0"), body
        return json.loads(body[:-2])

    def login(self, user, password):
        return self.ask(1000, {"EncryptType": "MD5", "LoginType": "DVRIP-Web", "PassWord": short_hash(password), "UserName": user})


def sofia(host, user, password, wrong):
    stranger = Sofia(host)
    assert stranger.ask(1020, {"Name": "SystemInfo", "SessionID": "0x0"})["Ret"] == 105
    assert stranger.login(user, wrong)["Ret"] == 203
    client = Sofia(host)
    answer = client.login(user, password)
    assert answer["Ret"] == 100 and answer["ChannelNum"] == 8, answer
    assert int(answer["SessionID"], 16) == client.session > 0
    system = client.ask(1020, {"Name": "SystemInfo", "SessionID": answer["SessionID"]})["SystemInfo"]
    assert system["VideoInChannel"] == 8 and re.match(r"V4\.02\.R11", system["SoftWareVersion"]), system
    assert re.match(r"20\d\d-", client.ask(1452, {"Name": "OPTimeQuery"})["OPTimeQuery"])
    users = {u["Name"]: u["Password"] for u in client.ask(1472, {"Name": "Users"})["Users"]}
    assert user in users, users
    assert client.ask(1450, {"Name": "OPMachine", "OPMachine": {"Action": "Reboot"}})["Ret"] == 100
    client.s.sendall(struct.pack("<BBxxIIxxHI", 255, 0, client.session, 0, 1522, 64) + b"PK\3\4" + b"f" * 60)
    exactly(client.s, 20)


def dahua_ask(s, head, rest=b""):
    s.sendall(head + rest)
    answer = exactly(s, 32)
    return answer, exactly(s, struct.unpack("<I", answer[4:8])[0])


def dahua(host, user, password, wrong):
    connect = lambda: socket.create_connection((host, 37777), 5)
    s = connect()
    assert dahua_ask(s, b"\xa1" + bytes(31))[0][:8] == b"\xb1\0\0\x58\0\0\0\0"
    assert dahua_ask(s, b"\xa4" + bytes(7) + b"\x08" + bytes(23))[1] == b"2.608.0000.0"
    accounts = dahua_ask(s, b"\xa6" + bytes(7) + b"\x09" + bytes(23))[1].decode()
    assert f":{user}:{short_hash(password)}:" in accounts, accounts

    def hashes(secret):
        s = connect()
        _, text = dahua_ask(s, b"\xa0\1\0\0" + bytes(20) + bytes.fromhex("050201010000a1aa"))
        realm, number = re.fullmatch(r"Realm:(.*)\r\nRandom:(\d+)\r\n\r\n", text.decode()).groups()
        rest = user + "&&" + md5(user, number, md5(user, realm, secret)) + md5(user, number, short_hash(secret))
        head = b"\xa0\5\0\0" + struct.pack("<I", len(rest)) + bytes(16) + bytes.fromhex("050200080000a1aa")
        return dahua_ask(s, head, rest.encode())[0][8:10]

    assert hashes(wrong) == b"\1\0" and hashes(password) == b"\0\x08"
    plain = b"\xa0\0\0\x60\0\0\0\0" + user.encode().ljust(8, b"\0") + password.encode().ljust(8, b"\0") + bytes.fromhex("040100000000a1aa")
    assert dahua_ask(connect(), plain)[0][9] == 8


SOAP = "http://www.w3.org/2003/05/soap-envelope"
SECURITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"


def token(user, password):
    nonce, created = os.urandom(16), "2026-04-01T00:00:00Z"
    digest = base64.b64encode(hashlib.sha1(nonce + created.encode() + password.encode()).digest()).decode()
    return (f'<w:Security xmlns:w="{SECURITY}wssecurity-secext-1.0.xsd" xmlns:u="{SECURITY}wssecurity-utility-1.0.xsd">'
            f'<w:UsernameToken><w:Username>{user}</w:Username><w:Password Type="{SECURITY}username-token-profile-1.0#PasswordDigest">'
            f'{digest}</w:Password><w:Nonce>{base64.b64encode(nonce).decode()}</w:Nonce><u:Created>{created}</u:Created>'
            '</w:UsernameToken></w:Security>')


def soap(url, space, inside, header=""):
    text = f'<s:Envelope xmlns:s="{SOAP}" xmlns:t="http://www.onvif.org/ver10/{space}/wsdl"><s:Header>{header}</s:Header><s:Body>{inside}</s:Body></s:Envelope>'
    request = urllib.request.Request(url, text.encode(), {"Content-Type": "application/soap+xml; charset=utf-8"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            status, got = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, got = error.code, error.read()
    return status, tree.fromstring(got).find(f"{{{SOAP}}}Body")[0]


def onvif(host, user, password, wrong):
    # Where a search says that it is; a new source is not always answered.
    found = None
    for source in range(1, 20):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(1)
        s.bind((f"127.78.0.{source}", 0))
        s.sendto((f'<e:Envelope xmlns:e="{SOAP}" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
                  'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><e:Header><w:MessageID>uuid:1</w:MessageID><w:To>'
                  'urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To><w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe'
                  '</w:Action></e:Header><e:Body><d:Probe><d:Types xmlns:n="http://www.onvif.org/ver10/network/wsdl">'
                  'n:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>').encode(), (host, 3702))
        try:
            found = re.search(r"<wsdd:XAddrs>(.*?)</wsdd:XAddrs>", s.recv(9000).decode())[1]
            break
        except TimeoutError:
            pass
    assert found == f"http://{host}:8899/onvif/device_service", found
    tt = "{http://www.onvif.org/ver10/schema}"
    status, answer = soap(found, "device", "<t:GetCapabilities><t:Category>All</t:Category></t:GetCapabilities>")
    media = answer.find(f".//{tt}Media/{tt}XAddr").text
    assert status == 200 and media.startswith(f"http://{host}:8899/"), (status, media)
    status, answer = soap(found, "device", "<t:GetDeviceInformation/>")
    assert status == 400 and "NotAuthorized" in tree.tostring(answer).decode(), status
    assert soap(found, "device", "<t:GetDeviceInformation/>", token(user, wrong))[0] == 400
    status, answer = soap(found, "device", "<t:GetDeviceInformation/>", token(user, password))
    assert status == 200 and [e.text for e in answer][0] == "IPCAM", (status, tree.tostring(answer))
    profiles = soap(media, "media", "<t:GetProfiles/>", token(user, password))[1]
    first = profiles[0].get("token")
    asked = f"<t:GetStreamUri><t:ProfileToken>{first}</t:ProfileToken></t:GetStreamUri>"
    print(soap(media, "media", asked, token(user, password))[1].find(f".//{tt}Uri").text)


{"onvif": onvif, "sofia": sofia, "dahua": dahua}[sys.argv[1]](*sys.argv[2:5], sys.argv[5] if len(sys.argv) > 5 else "xc3511")
