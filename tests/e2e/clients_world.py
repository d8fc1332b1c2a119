"""Services of partners on loopback, each as its documentation has it, honest and hostile: the other side of clients.sh.

  clients_world.py PORT HOSTILE_PORT BROKER_PORT LOG

What is asked is written to LOG, a line each: port, method, path, and whether the key was right.
"""
import base64, hashlib, hmac, http.server, json, socket, struct, sys, threading, time, urllib.parse

PORT, HOSTILE, BROKER, LOG = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
TAXII = "application/taxii+json;version=2.1"
lock = threading.Lock()


def note(*words):
    with lock, open(LOG, "a") as f:
        print(*words, file=f)


def indicator(n, value):
    return {"type": "indicator", "spec_version": "2.1", "id": f"indicator--00000000-0000-4000-8000-{n:012d}",
            "created": "2025-01-01T00:00:00.000Z", "modified": "2025-01-01T00:00:00.000Z", "pattern_type": "stix",
            "valid_from": "2025-01-01T00:00:00Z", "pattern": f"[ipv4-addr:value = '{value}']"}


COLLECTION = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
# Two objects of one time stand on both sides of a page's end.
STORE = [("2025-01-01T00:00:%02d.000000Z" % (n if n != 4 else 3), indicator(n, f"198.51.100.{n}")) for n in range(1, 8)]
MISP = {f"5a3f7c2e-0000-4000-8000-00000000000{n}": t for n, t in ((1, 1700000001), (2, 1700000002), (3, 1700000002))}
state = {"vt": 0, "misp": 2}


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *a):
        pass

    def say(self, status, body=b"", kind="application/json", **headers):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        for prefix, serve in (("/taxii2/", self.taxii), ("/api1/", self.taxii), ("/dnsdb/v2/", self.dnsdb), ("/api/v3/", self.virustotal),
                              ("/feed/", self.misp), ("/dl/", self.download), ("/bad/", self.bad)):
            if url.path.startswith(prefix):
                return serve(url.path, urllib.parse.parse_qs(url.query))
        self.say(404)

    def right(self, header, value):
        ok = self.headers.get(header) == value
        note(PORT, self.command, self.path, "right" if ok else "wrong")
        return ok

    def taxii(self, path, query):
        if not self.right("Authorization", "Basic " + base64.b64encode(b"reader:taxii-secret").decode()):
            return self.say(401, {"title": "Unauthorized"}, TAXII, WWW_Authenticate="Basic")
        if self.headers.get("Accept") != TAXII:
            return self.say(406, {"title": "Not Acceptable"}, TAXII)
        if path == "/taxii2/":
            return self.say(200, {"title": "A partner", "api_roots": [f"http://127.0.0.1:{PORT}/api1/"]}, TAXII)
        if path == "/api1/collections/":
            return self.say(200, {"collections": [{"id": COLLECTION, "title": "Shells", "can_read": True, "can_write": False},
                                                  {"id": "00000000-0000-4000-8000-000000000000", "title": "Theirs", "can_read": False,
                                                   "can_write": False}]}, TAXII)
        if path != f"/api1/collections/{COLLECTION}/objects/":
            return self.say(404, {"title": "Not Found"}, TAXII)
        after = query.get("added_after", [""])[0]
        begin = int(base64.urlsafe_b64decode(query["next"][0]).decode().split("/")[1]) if "next" in query else 0
        rest = [x for x in STORE if x[0] > after][begin:]
        page, more = rest[:3], len(rest) > 3
        if not page:
            return self.say(200, {}, TAXII)
        body = {"more": more, "objects": [x[1] for x in page]}
        if more:
            body["next"] = base64.urlsafe_b64encode(f"a?/{begin + 3}".encode()).decode()
        self.say(200, body, TAXII, X_TAXII_Date_Added_First=page[0][0], X_TAXII_Date_Added_Last=page[-1][0])

    def dnsdb(self, path, query):
        if not self.right("X-API-Key", "dnsdb-key-1"):
            return self.say(403, b"Error: invalid API key", "text/plain")
        if self.headers.get("Accept") != "application/x-ndjson":
            return self.say(415)
        what = urllib.parse.unquote(path.rsplit("/", 1)[1])
        name = "cut.example." if what == "198.51.100.2" else "seen.example."
        lines = [{"cond": "begin"}, {"obj": {"count": 7, "time_first": 1700000000, "time_last": 1700000100, "rrname": name, "rrtype": "A",
                                             "rdata": [what]}}]
        if what != "198.51.100.2":
            lines.append({"cond": "limited", "msg": "Result limit reached"} if what == "198.51.100.3" else {"cond": "succeeded"})
        self.say(200, "".join(json.dumps(x) + "\n" for x in lines).encode(), "application/x-ndjson")

    def virustotal(self, path, query):
        if not self.right("x-apikey", "vt-key-12345"):
            return self.say(401, {"error": {"code": "WrongCredentialsError"}})
        what = urllib.parse.unquote(path.rsplit("/", 1)[1])
        state["vt"] += 1
        if state["vt"] == 1:  # the first comes too early, whoever asks it
            return self.say(429, {"error": {"code": "QuotaExceededError"}}, Retry_After="1")
        if what != "198.51.100.1":
            return self.say(404, {"error": {"code": "NotFoundError"}})
        self.say(200, {"data": {"type": "ip_address", "id": what, "links": {"self": f"http://127.0.0.1:{PORT}/api/v3/ip_addresses/{what}"},
                                "attributes": {"asn": 64496, "as_owner": "Example", "country": "JP", "network": "198.51.100.0/24",
                                               "last_analysis_stats": {"malicious": 9, "harmless": 1}, "reputation": -3}}})

    def misp(self, path, query):
        note(PORT, "GET", self.path, "open")
        name = path.rsplit("/", 1)[1]
        if name == "manifest.json":
            body = {u: {"timestamp": str(t), "info": "x", "Orgc": {"name": "o"}} for u, t in list(MISP.items())[:state["misp"]]}
            body["../../../etc/passwd"] = {"timestamp": "1800000000"}
            body["5a3f7c2e-0000-4000-8000-0000000000ff"] = {"timestamp": "1600000000"}  # was withdrawn
            state["misp"] = 3
            return self.say(200, body)
        if name[:-5] not in MISP:
            return self.say(404)
        n = int(name[:-5][-1])
        self.say(200, {"Event": {"uuid": name[:-5], "info": f"event {n}", "timestamp": str(MISP[name[:-5]]), "date": "2023-11-14",
                                 "Attribute": [{"uuid": f"6a3f7c2e-0000-4000-8000-00000000000{n}", "type": "ip-dst", "category": "Network activity",
                                                "to_ids": True, "value": f"203.0.113.{n}", "timestamp": str(MISP[name[:-5]])}]}})

    def download(self, path, query):
        note(PORT, "GET", self.path, "open")
        if self.headers.get("HMAC2") or self.headers.get("Authorization"):
            note("a key was sent to the download host")
        self.say(200, b'"timestamp","ip","protocol","port","hostname","tag","asn","geo"\r\n"2025-01-02 03:04:05","203.0.113.77","tcp",23,'
                      b'"h.example","telnet",64496,"JP"\r\n', "text/csv")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/submitapi/":
            return self.submit(json.loads(body))
        if self.path != "/api2/reports/list":
            return self.say(404)
        sign = hmac.new(b"shadow-secret", body, hashlib.sha256).hexdigest()
        if not self.right("HMAC2", sign) or json.loads(body).get("apikey") != "shadow-key":
            return self.say(200, {"error": "Invalid HMAC"})
        self.say(200, [{"timestamp": "2025-01-02 00:00:00", "type": "device_id", "id": "AbC-dE_1", "url": "http://203.0.113.1/steal",
                        "file": "2025-01-02-device_id-partner.csv", "report": "device_id"}, {"id": "../../taxii2/"}])

    def submit(self, sent):
        """DShield: the proof is over nonce and user, and stands in the header and in the body."""
        proof = self.headers.get("X-ISC-Authorization", "")
        parts = dict(x.split("=", 1) for x in proof.split(" ")[1:])
        ours = base64.b64encode(hmac.new((parts.get("Nonce", "") + "12345").encode(), b"dshield-key-1", hashlib.sha256).digest()).decode()
        ok = proof.startswith("ISC-HMAC-SHA256 ") and parts.get("Credentials") == ours and sent.get("authheader") == proof
        state["submitted"] = state.get("submitted", 0) + ok
        note(PORT, "POST", self.path, "right" if ok else "wrong", self.headers.get("X-ISC-LogType"), json.dumps(sent["logs"]))
        if ok and state["submitted"] == 1:  # the first time it is out of order
            return self.say(500)
        self.say(200, b"OK" if ok else b"ERROR: bad authinfo", "text/plain")

    def bad(self, path, query):
        """What no partner should do."""
        note(PORT, "GET", self.path, "bad")
        if path.endswith("/away/manifest.json"):
            return self.say(302, b"", Location=f"http://127.0.0.1:{HOSTILE}/manifest.json")
        if path.endswith("/round/manifest.json"):
            return self.say(302, b"", Location=self.path)
        if path.endswith("/key/manifest.json"):
            return self.say(200, {"5a3f7c2e-0000-4000-8000-000000000001": {"timestamp": 1}})
        if path.startswith("/bad/key/"):
            return self.say(200, {"you sent": self.headers.get("Authorization")})
        if path == "/bad/circle/":
            return self.say(200, {"id": "c", "title": "t", "can_read": True}, TAXII)
        if path == "/bad/circle/objects/":
            return self.say(200, {"more": True, "next": "again", "objects": [indicator(99, "198.51.100.99")]}, TAXII)
        self.send_response(200)  # without an end
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"\0" * 65536)
        except OSError:
            pass
        self.close_connection = True


class Hostile(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        note(HOSTILE, "GET", self.path, dict(self.headers))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *a):
        pass


def frame(code, body):
    return struct.pack("!iB", 5 + len(body), code) + body


def text(s):
    return bytes([len(s)]) + s


def broker():
    """hpfeeds: greets, checks, and publishes to subscribers; what is published to it is noted."""
    listening = socket.create_server(("127.0.0.1", BROKER))
    subscribers = []

    def serve(peer):
        nonce, buffered, ident = b"\1\2\3\4", b"", None
        peer.sendall(frame(1, text(b"@test") + nonce))
        while True:
            more = peer.recv(65536)
            if not more:
                return
            buffered += more
            while len(buffered) >= 5:
                length, code = struct.unpack("!iB", buffered[:5])
                if len(buffered) < length:
                    break
                body, buffered = buffered[5:length], buffered[length:]
                if code == 2:
                    ident, proof = body[1:1 + body[0]], body[1 + body[0]:]
                    ok = proof == hashlib.sha1(nonce + {b"pot": b"hp-secret-1", b"sender": b"hp-secret-2"}.get(ident, b"?")).digest()
                    note(BROKER, "AUTH", ident.decode(), "right" if ok else "wrong")
                    if not ok:
                        peer.sendall(frame(0, b"accessfail."))
                        peer.close()
                        return
                elif code == 4:
                    channel = body[1 + body[0]:]
                    note(BROKER, "SUBSCRIBE", ident.decode(), channel.decode())
                    message = frame(3, text(b"someone") + text(channel) + b'{\n  "peerIP": "203.0.113.200",\n "peerPort": 4711, "hostPort": 22,\n'
                                    b' "loggedin": ["root", "toor"], "session": "s1"}')
                    for byte in message:  # in as many pieces as it has bytes
                        peer.sendall(bytes([byte]))
                        time.sleep(0.001)
                    peer.sendall(frame(3, text(b"someone") + text(channel) + b"\0\xff binary"))
                elif code == 3:
                    channel = body[1 + body[0]:][1:1 + body[1 + body[0]]]
                    note(BROKER, "PUBLISH", ident.decode(), channel.decode(), body[2 + body[0] + len(channel):].decode())

    while True:
        peer, _ = listening.accept()
        threading.Thread(target=serve, args=(peer,), daemon=True).start()


threading.Thread(target=broker, daemon=True).start()
threading.Thread(target=http.server.ThreadingHTTPServer(("127.0.0.1", HOSTILE), Hostile).serve_forever, daemon=True).start()
http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Server).serve_forever()
