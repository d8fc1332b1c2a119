#!/bin/bash
# The decoys' telnet met with nmap, hydra, medusa and telnet, and with a loader's dialogue.
#   tests/e2e/telnet.sh                                a kansoku of its own, all three personas
#   HOST=192.0.2.5 PORT=23 PERSONA=camera tests/e2e/telnet.sh   one that runs already
# Exit status 0: all held, 1: the last lines say what did not, 77: a client is missing.
GIVEN_PORT=${PORT:-}
. "$(dirname "$0")/lib.sh"
for client in telnet nmap hydra medusa python3; do
	command -v $client >/dev/null || skip "$client is missing"
done

# Talks like a bot: waits for each prompt before it sends the next line, answers no option.
# Arguments: host port line...; prints all that was said, options left out.
dialogue() {
	timeout 60 python3 - "$@" <<-'EOP'
	import re, socket, sys
	host, port, lines = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
	s = socket.create_connection((host, port), 10)
	s.settimeout(15)
	said = b""
	def wait(prompt):
	    global said
	    seen = b""
	    while not re.search(prompt, seen):
	        more = s.recv(65536)
	        if not more:
	            said += seen
	            return False
	        seen += more
	    said += seen
	    return True
	wait(rb"ogin: $")
	for line in lines:
	    s.sendall(line.encode("latin-1") + b"\r\n")
	    if not wait(rb"(ogin: |assword: |[#>$] )$"):
	        break
	s.close()
	sys.stdout.buffer.write(said)
	EOP
}

says() { grep -qa -- "$1" <<<"$answer" || fail "$persona: $2: no \"$1\" in
$answer"; }
lacks() { grep -qa -- "$1" <<<"$answer" && fail "$persona: $2: \"$1\" in
$answer"; return 0; }

declare -A secret=([camera]=xc3511 [dvr]=vizxv [router]=root)
declare -A class=([camera]='ELF 32-bit LSB executable, ARM' [dvr]='ELF 32-bit LSB executable, ARM'
	[router]='ELF 32-bit MSB executable, MIPS')

loader() {
	answer=$(dialogue $host $port root "${secret[$persona]}" enable system shell sh \
		'/bin/busybox ECCHI' '/bin/busybox ps; /bin/busybox ECCHI' \
		'/bin/busybox cat /proc/mounts; /bin/busybox ECCHI' \
		"/bin/busybox echo -e '\\x6b\\x61\\x6d\\x69/tmp' > /tmp/.nippon; /bin/busybox cat /tmp/.nippon; /bin/busybox rm /tmp/.nippon" \
		'cd /tmp/; /bin/busybox cp /bin/echo dvrHelper; >dvrHelper; /bin/busybox chmod 777 dvrHelper' \
		"echo -ne '\\x7f\\x45\\x4c\\x46\\x01' >> dvrHelper; ./dvrHelper; /bin/busybox IHCCE" | tr -d '\0')
	says 'ECCHI: applet not found' 'token'
	says 'PID USER' 'ps'
	says 'proc /proc proc rw' 'mounts'
	says '^kami/tmp' 'write and read back'
	says 'IHCCE: applet not found' 'after the sample ran'
	lacks 'ncorrect' 'login'
	lacks 'ermission denied' 'loader'
	lacks 'illegal option' 'loader'
	dialogue $host $port root "${secret[$persona]}" 'cat /bin/echo' >"$WORK/said"
	python3 - "$WORK/said" "$WORK/header" <<-'EOP'
	import sys
	b = open(sys.argv[1], "rb").read()
	b = b[b.index(b"\x7fELF"):]
	open(sys.argv[2], "wb").write(b.replace(b"\r\n", b"\n").replace(b"\xff\xff", b"\xff")[:4096])
	EOP
	got=$(file -b "$WORK/header")
	[[ $got == "${class[$persona]}"* ]] || fail "$persona: /bin/echo is $got"
}

guess() {
	local found
	printf '%s\n' admin1 root1 "${secret[$persona]}" qwerty letmein 987654 >"$WORK/passwords"
	found=$(hydra -q -I -t 4 -l root -P "$WORK/passwords" -s "$port" "$host" telnet 2>&1 | sed -n 's/.*password: *//p')
	[ "$found" = "${secret[$persona]}" ] || fail "$persona: hydra found \"$found\""
	found=$(medusa -h "$host" -n "$port" -u root -P "$WORK/passwords" -M telnet -t 2 2>&1 | grep FOUND)
	[[ $found == *"Password: ${secret[$persona]} [SUCCESS]"* ]] || fail "$persona: medusa found \"$found\""
	[ "$(wc -l <<<"$found")" = 1 ] || fail "$persona: medusa found a false password: $found"
	printf '%s\n' admin1 root1 qwerty >"$WORK/passwords"
	found=$(hydra -q -I -t 4 -l root -P "$WORK/passwords" -s "$port" "$host" telnet 2>&1 | sed -n 's/.*password: *//p')
	[ -z "$found" ] || fail "$persona: hydra found \"$found\" where nothing is right"
}

client() {
	local got
	got=$({ sleep 1; echo root; sleep 1; echo "${secret[$persona]}"; sleep 1; echo 'uname -s; id'; sleep 1
		echo exit; sleep 1; } | timeout 30 telnet "$host" "$port" 2>&1)
	[[ $got == *'uid=0(root) gid=0(root)'* ]] || fail "$persona: telnet saw $got"
	[[ $got == *Linux* ]] || fail "$persona: telnet saw $got"
}

meet() { # persona host port
	persona=$1 host=$2 port=$3
	[ -n "${secret[$persona]:-}" ] || fail "no persona $persona is known here"
	loader
	guess
	client
	nmap -n -Pn -sV -p "$port" "$host" >"$WORK/nmap" 2>&1
	grep -q "BusyBox telnetd" "$WORK/nmap" || fail "$persona: nmap says $(grep "^$port" "$WORK/nmap")"
	grep -qi honeypot "$WORK/nmap" && fail "$persona: nmap calls it a honeypot"
	echo "$persona: as expected, nmap says $(grep "^$port/tcp" "$WORK/nmap")"
}

if [ -n "$GIVEN_PORT" ]; then
	meet "${PERSONA:-camera}" "$HOST" "$GIVEN_PORT"
	exit
fi

loopback_config <<-EOT
	passive:
	  decoys:
	    - {prefix: 127.22.0.1, personas: [camera]}
	    - {prefix: 127.22.0.2, personas: [dvr]}
	    - {prefix: 127.22.0.3, personas: [router]}
	  services: {telnet: {ports: [$TELNET_PORT]}}
	  workers: 1
EOT
start_kansoku
meet camera 127.22.0.1 $TELNET_PORT
meet dvr 127.22.0.2 $TELNET_PORT
meet router 127.22.0.3 $TELNET_PORT
