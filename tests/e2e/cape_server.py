#!/usr/bin/env python3
"""An HTTP server that speaks the part of CAPE's apiv2 that a hand-over uses, for want of a CAPE.

It is no CAPE: it runs nothing.  It takes multipart uploads, keeps tasks, lets each be pending, then
running, then reported, and tells a report in CAPE's shape whose digest is that of the file it got.
Names of files and packages turn it bad: "fail", "hang", "big", "other", "redirect".
"""
import email.parser
import email.policy
import hashlib
import http.server
import json
import sys
import threading

TOKEN = sys.argv[2]
tasks, lock, log = {}, threading.Lock(), open(sys.argv[1], "a", buffering=1)


def report(task):
    return {
        "info": {"version": "2.4-CAPE", "id": task["id"], "score": 7.0},
        "target": {"category": "file", "file": {"sha256": "0" * 64 if task["package"] == "other" else task["sha256"]}},
        "malscore": 8.5,
        "detections": [{"family": "Emotet", "details": []}],
        "CAPE": {
            "payloads": [{"sha256": "ab" * 32, "name": "payload \u001b[2J"}],
            "configs": [{"Emotet": {"CNCs": ["tcp://203.0.113.9:8080", "https://c2.example.net/gate"],
                                    "mutex": ["Global\\M1"], "user_agent": "Mozilla/4.0 (x)"},
                         "_associated_config_hashes": [{"md5": "x"}]}],
        },
        "dropped": [{"sha256": "cd" * 32, "name": ["C:\\x.exe"]}],
        "signatures": [{"name": "injection", "description": "Writes into another process", "severity": 3}, 7, None],
        "network": {"hosts": [{"ip": "203.0.113.77"}], "domains": [{"domain": "drop.example.org", "ip": "203.0.113.8"}],
                    "http": [{"uri": "http://drop.example.org/a.bin", "user-agent": "WinHTTP"}]},
        "behavior": {"summary": {"mutexes": ["Local\\M2"], "write_files": ["C:\\x.exe"]}},
    }


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def say(self, what, code=200, headers=()):
        body = what if isinstance(what, bytes) else json.dumps(what).encode()
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refused(self):
        if self.headers.get("Authorization") == "Token " + TOKEN:
            return False
        self.say({"detail": "Invalid token."}, 401)
        return True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        log.write("POST %s\n" % self.path)
        if self.refused():
            return
        head = ("Content-Type: %s\r\n\r\n" % self.headers["Content-Type"]).encode()
        form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        fields = {p.get_param("name", header="content-disposition"): p for p in form.iter_parts()}
        content = fields["file"].get_payload(decode=True)
        package = fields["package"].get_payload() if "package" in fields else ""
        if package == "redirect":
            return self.say(b"", 302, [("Location", "/elsewhere")])
        with lock:
            task = {"id": len(tasks) + 1, "sha256": hashlib.sha256(content).hexdigest(), "asked": 0, "package": package}
            tasks[task["id"]] = task
        log.write("FILE %s %d %s\n" % (task["sha256"], len(content), fields["file"].get_filename()))
        self.say({"error": False, "data": {"task_ids": [task["id"]], "message": "Task ID %d has been submitted" % task["id"]}})

    def do_GET(self):
        log.write("GET %s\n" % self.path)
        if self.refused():
            return
        parts = self.path.strip("/").split("/")[1:]
        if parts[:3] == ["tasks", "search", "sha256"]:
            found = [{"id": t["id"], "status": "reported"} for t in tasks.values() if t["sha256"] == parts[3]]
            return self.say({"error": False, "data": found})
        task = tasks.get(int(parts[-1] if parts[1] == "status" else parts[3]))
        if parts[1] == "status":
            task["asked"] += 1
            words = {"fail": ["running", "failed_analysis"], "hang": ["running"]}.get(task["package"], ["pending", "running", "reported"])
            return self.say({"error": False, "data": words[min(task["asked"], len(words)) - 1]})
        if task["package"] == "big":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b" " * 1048576)
            except OSError:
                return
        self.say(report(task))

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
log.write("PORT %d\n" % server.server_port)
server.serve_forever()
