#!/bin/bash
# The default probes against servers that others wrote, as far as they are installed, and against
# our own decoys: what they learn, and, from a capture, that nothing but the declared bytes is sent.
. "$(dirname "$0")/lib.sh"
need_root
for tool in ip jq tshark tcpdump sshd python3; do
	[ -n "$(command -v $tool)" ] || skip "needs $tool"
done
SERVERS=
NS=kansoku-one-$$ FAR=kansoku-far-$$
# In networks of their own all have their usual ports; decoys take a port on every address.
tidy_up() { # some servers go to the background by themselves
	for ns in $NS $FAR; do ip netns pids $ns 2>/dev/null | xargs -r kill 2>/dev/null; done
	cleanup
	for ns in $NS $FAR; do ip netns del $ns 2>/dev/null; done
}
trap tidy_up EXIT
ip netns add $NS && ip netns add $FAR || skip "network namespaces cannot be made here"
ip link add name wire netns $NS type veth peer name wire netns $FAR || skip "veth cannot be made here"
for ns in $NS $FAR; do ip -n $ns link set lo up; ip -n $ns link set wire up; done
ip -n $NS addr add 198.51.100.1/24 dev wire
ip -n $FAR addr add 198.51.100.2/24 dev wire
ip -n $NS route add 192.0.2.8/29 via 198.51.100.2
ip -n $NS route add 192.0.2.16/32 via 198.51.100.2
REAL=192.0.2.1 OLD=192.0.2.2
for last in 1 2; do ip -n $NS addr add 192.0.2.$last/32 dev lo; done
have() { command -v "$1" >/dev/null; }
log() { echo "$WORK/$1.log"; }
ports=
# Some of them, when they end, end their whole process group: each has one of its own.
serve() { # port, program...: in the background, its words in a log
	ports="${ports:+$ports,}$1"
	local name=$1
	shift
	setsid ip netns exec $NS "$@" >"$(log $name)" 2>&1 & SERVERS="$SERVERS $!"
}

# Servers that others wrote.
mkdir -p /run/sshd "$WORK/empty"
for kind in ed25519 ecdsa; do ssh-keygen -q -t $kind -N '' -f "$WORK/$kind" || fail "no host key"; done
serve 22 "$(command -v sshd)" -D -e -f /dev/null -p 22 -h "$WORK/ed25519" -o ListenAddress=$REAL -o PidFile=none
ip netns exec $NS "$(command -v sshd)" -D -e -f /dev/null -p 22 -p 21 -h "$WORK/ecdsa" -o ListenAddress=$OLD -o PidFile=none \
	-o KexAlgorithms=diffie-hellman-group1-sha1 2>"$(log old)" & SERVERS="$SERVERS $!"
if have vsftpd; then
	printf '%s\n' listen=YES listen_address=$REAL background=NO seccomp_sandbox=NO \
		secure_chroot_dir="$WORK/empty" >"$WORK/vsftpd.conf"
	serve 21 vsftpd "$WORK/vsftpd.conf"
fi
if have postfix; then
	mkdir "$WORK/postfix" "$WORK/mail" "$WORK/mail.state"
	chown postfix "$WORK/mail.state"
	printf '%s\n' compatibility_level=3.6 "queue_directory=$WORK/mail" "data_directory=$WORK/mail.state" \
		myhostname=mail.example.net "inet_interfaces=$REAL" mydestination= maillog_file=/dev/stdout \
		smtpd_relay_restrictions=reject >"$WORK/postfix/main.cf"
	printf '%s\n' 'smtp inet n - n - - smtpd' 'cleanup unix n - n - 0 cleanup' 'rewrite unix - - n - - trivial-rewrite' \
		'anvil unix - - n - 1 anvil' 'postlog unix-dgram n - n - 1 postlogd' 'proxymap unix - - n - - proxymap' \
		'tlsmgr unix - - n 1000? 1 tlsmgr' >"$WORK/postfix/master.cf"
	setsid -w ip netns exec $NS postfix -c "$WORK/postfix" start >"$(log 25)" 2>&1 && ports="$ports,25"
fi
if have dovecot; then
	cat >"$WORK/dovecot.conf" <<-EOT
	base_dir = $WORK/dovecot
	state_dir = $WORK/dovecot
	log_path = $WORK/110.log
	protocols = imap pop3
	ssl = no
	listen = $REAL
	default_internal_user = nobody
	default_internal_group = nogroup
	default_login_user = nobody
	service imap-login {
	  chroot =
	}
	service pop3-login {
	  chroot =
	}
	passdb {
	  driver = static
	  args = nopassword=y
	}
	EOT
	serve 110 dovecot -F -c "$WORK/dovecot.conf"
	ports="$ports,143"
fi
have redis-server && serve 6379 redis-server --port 6379 --bind $REAL --save '' --dir "$WORK"
have kamailio && printf '%s\n' children=1 tcp_children=1 "listen=udp:$REAL:5060" "listen=tcp:$REAL:5060" \
	'loadmodule "sl.so"' 'request_route { sl_send_reply("200", "OK"); }' >"$WORK/kamailio.cfg" &&
	serve 5060 kamailio -DD -E -f "$WORK/kamailio.cfg" -P "$WORK/kamailio.pid"
have Xtigervnc && serve 5900 Xtigervnc :$((100 + $$ % 9000)) -rfbport 5900 -SecurityTypes VncAuth,TLSVnc \
	-interface $REAL -PasswordFile /dev/null -nolisten tcp
if have smbd; then
	mkdir "$WORK/smb"
	printf '[global]\nworkgroup = EXAMPLE\nnetbios name = FILESRV\nserver min protocol = NT1\n' >"$WORK/smb.conf"
	printf '%s\n' "interfaces = $REAL" 'bind interfaces only = yes' 'smb ports = 445' 'disable spoolss = yes' \
		"log file = $WORK/smbd.log" "ncalrpc dir = $WORK/smb/ncalrpc" >>"$WORK/smb.conf"
	for kind in private lock state cache pid; do
		printf '%s = %s\n' "$kind dir$([ $kind = private ] || [ $kind = pid ] || echo ectory)" "$WORK/smb"
	done | sed 's/^pid dir /pid directory /' >>"$WORK/smb.conf"
	serve 445 smbd --foreground --no-process-group -s "$WORK/smb.conf"
fi
if have xrdp; then
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=xrdp -keyout "$WORK/xrdp.key" \
		-out "$WORK/xrdp.pem" 2>/dev/null
	sed "s#^port=3389#port=tcp://$REAL:3389#; s#^certificate=.*#certificate=$WORK/xrdp.pem#
		s#^key_file=.*#key_file=$WORK/xrdp.key#; s#^LogFile=.*#LogFile=$WORK/xrdp.log#" /etc/xrdp/xrdp.ini >"$WORK/xrdp.ini"
	serve 3389 xrdp --nodaemon --config "$WORK/xrdp.ini"
fi
cat >"$WORK/rtsp.py" <<-EOP
	import gi
	gi.require_version("GstRtspServer", "1.0")
	from gi.repository import Gst, GstRtspServer, GLib
	Gst.init(None)
	server = GstRtspServer.RTSPServer()
	server.set_address("$REAL")
	server.set_service("554")
	server.attach(None)
	GLib.MainLoop().run()
EOP
/usr/bin/python3 -c 'import gi; gi.require_version("GstRtspServer", "1.0")' 2>/dev/null &&
	serve 554 /usr/bin/python3 "$WORK/rtsp.py"
if have mariadbd; then # made here, since its own script takes long
	mkdir "$WORK/maria"
	serve 3306 mariadbd --no-defaults --datadir="$WORK/maria" --user=root --port=3306 --bind-address=$REAL \
		--skip-grant-tables --skip-networking=0 --socket="$WORK/maria.sock" --pid-file="$WORK/maria.pid" --innodb=OFF \
		--default-storage-engine=Aria --lc-messages-dir=/usr/share/mysql
fi

# Our own decoys, in a kansoku of their own: the other one would not look at its own addresses.
cat >"$WORK/decoys.yaml" <<EOT
run: {state: $WORK/decoys}
passive:
  decoys:
    - {prefix: 192.0.2.11/32, personas: [camera]}
    - {prefix: 192.0.2.12/32, personas: [database]}
    - {prefix: 192.0.2.13/32, personas: [mailserver]}
    - {prefix: 192.0.2.14/32, personas: [nas]}
    - {prefix: 192.0.2.15/32, personas: [windows_client]}
    - {prefix: 192.0.2.16/32, personas: [router]}
  services: {rtsp: {ports: [554]}, mysql: {ports: [3306]}, redis: {ports: [6379]}, ssh: {ports: [22]},
    smtp: {ports: [25]}, imap: {ports: [143]}, pop3: {ports: [110]}, ftp: {ports: [21]}, smb: {ports: [445]},
    rdp: {ports: [3389]}, postgresql: {ports: [5432]}}
  workers: 1
EOT
ip netns exec $FAR "$KANSOKU" run --config "$WORK/decoys.yaml" --only journal,control,passive >"$(log decoys)" 2>&1 & SERVERS="$SERVERS $!"

loopback_config <<EOT
operator: {name: Test CSIRT, contact: abuse@example.org, page: "https://example.org/probing"}
active:
  tier: 2
  scope: [{prefix: 192.0.2.0/24, special: allow}]
  hold_out: 0
  round: 1ms
  delay: {min: 0s, max: 0s}
prober:
  pause: 0s
  idle: 2s
EOT
PROGRAM=$KANSOKU
KANSOKU=$WORK/in_namespace
printf '#!/bin/sh\nexec ip netns exec %s %s "$@"\n' $NS "$(realpath "$PROGRAM")" >"$KANSOKU"
chmod +x "$KANSOKU"
start_kansoku --only journal,control,active
for _ in $(seq 200); do [ -e "$WORK/decoys/run/ready" ] && break; sleep 0.1; done
[ -e "$WORK/decoys/run/ready" ] || { cat "$(log decoys)"; fail "the decoys were not ready within 20 s"; }
for _ in $(seq 100); do # until all that was begun listens, or has ended
	missing=
	for port in ${ports//,/ }; do ip netns exec $NS ss -Hltn "sport = :$port" | grep -qF "$REAL:$port" || missing="$missing $port"; done
	[ -z "$missing" ] && break
	sleep 0.1
done
for port in $missing; do echo "no server at port $port: $(tail -1 "$(log $port)" 2>/dev/null)"; done

for on in lo wire; do
	ip netns exec $NS tcpdump -i $on -w "$WORK/$on.pcap" -s 4096 -B 32768 -U --immediate-mode 'net 192.0.2.0/24' >"$WORK/tcpdump.$on" 2>&1 &
	SERVERS="$SERVERS $!" CAPTURES="${CAPTURES:-} $!"
done
for _ in $(seq 50); do grep -qs listening "$WORK/tcpdump.lo" && grep -qs listening "$WORK/tcpdump.wire" && break; sleep 0.1; done

look() { # address, ports, further flags: events, one a line, to $WORK/answer.ADDRESS
	"$KANSOKU" probe "$1" --ports "$2" --config "$CONFIG" --json "${@:3}" >>"$WORK/answer.$1"
}
# Not more ports in one look than a budget allows.
mapfile -t all < <(tr , '\n' <<<"$ports" | grep .)
for ((i = 0; i < ${#all[@]}; i += 6)); do
	look $REAL "$(IFS=,; echo "${all[*]:i:6}")"
done
looking=
while read -r address some; do
	look $address $some & looking="$looking $!"
done <<-EOT
	$OLD 22,21
	192.0.2.11 554
	192.0.2.12 22,3306,5432,6379
	192.0.2.13 22,25,110,143
	192.0.2.14 21,22,445
	192.0.2.15 445,3389
	192.0.2.16 22
EOT
wait $looking
case ",$ports," in *,5060,*) look $REAL 5060/udp --tier 2 ;; esac
sleep 0.5; kill -INT $CAPTURES; wait $CAPTURES
for log in "$WORK"/tcpdump.*; do capture_is_whole "$log"; done

learned() { # address, port, what it is about, jq condition on an answer
	[ "$1" != $REAL ] || { [[ ",$ports," == *",$2,"* && " $missing " != *" $2 "* ]] || return; }
	looks=$((looks + 1))
	jq -es --argjson port $2 "[.[] | select(.kind==\"host.answered\" and .sport==\$port)] | any(.[]; $4)" \
		<"$WORK/answer.$1" >/dev/null || { grep host.answered "$WORK/answer.$1"; fail "$1 port $2: $3"; }
}
looks=0
fingerprint() { ssh-keygen -lf "$WORK/$1.pub" | cut -d' ' -f2; }
learned $REAL 22 "host key" '."ssh.host_key"=="'$(fingerprint ed25519)'" and ."ssh.host_key_proved"'
learned $OLD 22 "host key by group 1" '."ssh.host_key"=="'$(fingerprint ecdsa)'" and ."ssh.host_key_proved"'
learned $OLD 21 "SSH where FTP is expected" '.probe=="ssh" and ."ssh.host_key_proved"'
grep -q 'disconnect from .*:11: https://example.org/probing' "$(log 22)" || fail "sshd was not told who asked"
learned $REAL 21 "vsftpd" '.status==220 and (.banner | test("vsFTPd"))'
learned $REAL 25 "Postfix" '."smtp.name"=="mail.example.net" and (."smtp.extensions" | test("PIPELINING.*8BITMIME"))'
learned $REAL 110 "Dovecot" '."pop3.capabilities" | test("CAPA.*SASL")'
learned $REAL 143 "Dovecot" '."imap.capabilities" | test("IMAP4rev1.*IDLE")'
learned $REAL 6379 "protected mode" '."redis.protected"'
learned $REAL 5060 "Kamailio" '.status==200 and .proto=="tcp" and (."sip.server" | test("kamailio"))'
learned $REAL 5060 "Kamailio over UDP" '.status==200 and .proto=="udp" and (."sip.server" | test("kamailio"))'
learned $REAL 5900 "TigerVNC" '."vnc.version"=="3.8" and ."vnc.security"=="vencrypt vnc"'
learned $REAL 445 "Samba" '."smb.dialect"=="3.1.1" and ."smb.name"=="filesrv"'
learned $REAL 445 "Samba's SMB 1" '."smb.smb1" and ."smb.name"=="FILESRV" and ."smb.domain"=="EXAMPLE"'
learned $REAL 3389 "xrdp" '."rdp.protocol"=="tls" and ."tls.subject"=="CN=xrdp"'
learned $REAL 554 "GStreamer" '.status==200 and (."rtsp.public" | test("DESCRIBE"))'
learned $REAL 3306 "MariaDB" '."mysql.version" | test("MariaDB")'
learned 192.0.2.11 554 "camera" '.status >= 200'
learned 192.0.2.12 3306 "database" '."mysql.version"'
learned 192.0.2.12 5432 "PostgreSQL" 'has("postgresql.tls")'
learned 192.0.2.12 6379 "an open Redis" '.state=="open" and (has("redis.protected") | not)'
learned 192.0.2.12 22 "key" '."ssh.host_key_proved"'
learned 192.0.2.13 25 "mail" '."smtp.extensions"'
learned 192.0.2.13 110 "mail" '."pop3.capabilities"'
learned 192.0.2.13 143 "mail" '."imap.capabilities"'
learned 192.0.2.14 21 "ProFTPD" '.status==220 and (.banner | test("ProFTPD"))'
learned 192.0.2.14 445 "Samba of a NAS" '."smb.dialect"'
learned 192.0.2.15 445 "Windows 7" '."smb.dialect"=="2.1"'
learned 192.0.2.15 3389 "Windows 7" '."rdp.protocol"'
learned 192.0.2.16 22 "Dropbear of 2012" '."ssh.host_key_proved" and (.banner | test("dropbear_2012"))'

# What left us: every connection's bytes, whole, must be what docs/probes.md says and nothing else.
for on in lo wire; do
	tshark -n -r "$WORK/$on.pcap" -Y 'tcp.len > 0 and tcp.dstport < 10000' -T fields -e tcp.stream -e ip.dst \
		-e tcp.dstport -e tcp.payload 2>/dev/null >>"$WORK/said"
done
tshark -n -r "$WORK/lo.pcap" -Y 'udp.dstport == 5060' -T fields -e udp.dstport -e udp.payload >"$WORK/said.udp" 2>/dev/null
told=$(cat "$WORK"/answer.* | jq -s '[.[] | select(.kind=="host.answered" and ."bytes.out" > 0)] | length')
python3 - "$WORK/said" "$WORK/said.udp" "$told" <<'EOP' || fail "more was sent than is declared"
import re, sys
agent = rb"Mozilla/5\.0 \(compatible; kansoku; \+https://example\.org/probing\)"
host = rb"[0-9.]+:\d+"
sip = (rb"OPTIONS sip:" + host + rb" SIP/2\.0\r\nVia: SIP/2\.0/(TCP|UDP) example\.org;branch=z9hG4bK[0-9a-f]{16};rport\r\n"
       rb"Max-Forwards: 70\r\nTo: <sip:" + host + rb">\r\nFrom: <sip:kansoku@example\.org>;tag=[0-9a-f]{8}\r\n"
       rb"Call-ID: [0-9a-f]{16}@example\.org\r\nCSeq: 1 OPTIONS\r\nAccept: application/sdp\r\nUser-Agent: "
       + agent + rb"\r\nContent-Length: 0\r\n\r\n")
allowed = {
    21: rb"(QUIT\r\n)?", 25: rb"(EHLO example\.org\r\n)?(QUIT\r\n)?", 110: rb"(CAPA\r\n)?(QUIT\r\n)?",
    143: rb"(a1 CAPABILITY\r\n)?(a2 LOGOUT\r\n)?", 3306: b"", 6379: b"", 5900: rb"(RFB 003\.00[378]\n)?",
    554: rb"OPTIONS \* RTSP/1\.0\r\nCSeq: 1\r\nUser-Agent: " + agent + rb"\r\n\r\n", 5060: sip,
    445: rb"\x00\x00\x00\xae\xfeSMB.{170}|\x00\x00\x00\x2f\xffSMB\x72.{27}\x00\x0c\x00\x02NT LM 0\.12\x00",
}
def ssh_is_declared(said):
    version = b"SSH-2.0-kansoku https://example.org/probing\r\n"
    kinds = []
    if not said.startswith(version):
        return False
    said = said[len(version):]
    while said:
        n = int.from_bytes(said[:4], "big")
        kinds.append(said[5])
        said = said[4 + n:]
    return kinds in ([20, 30, 1], [20, 30], [1], [])
def glance_is_declared(said, asked):
    kinds = []
    if not said.startswith(asked):
        return False
    said = said[len(asked):]
    while said: # records of TLS: handshake, change of cipher, and one that is sealed: Finished of TLS 1.3
        kinds.append(said[0])
        said = said[5 + int.from_bytes(said[3:5], "big"):]
    return kinds.count(0x17) <= 1 and all(kind in (0x14, 0x16, 0x17) for kind in kinds)
before_tls = {3389: "030000130ee000000000000100080003000000", 5432: "0000000804d2162f"}
streams, bad = {}, 0
for line in open(sys.argv[1]):
    stream, to, port, payload = line.rstrip("\n").split("\t")
    streams.setdefault((int(stream), to, int(port)), bytearray()).extend(bytes.fromhex(payload))
for n, line in enumerate(open(sys.argv[2])):
    port, payload = line.rstrip("\n").split("\t")
    streams[(-1 - n, "udp", int(port))] = bytes.fromhex(payload)
for (_, to, port), said in sorted(streams.items()):
    if port == 22 or to == "192.0.2.2": # there, SSH has FTP's port, too: QUIT would be wrong
        good = ssh_is_declared(said)
    elif port in before_tls:
        good = glance_is_declared(said, bytes.fromhex(before_tls[port]))
    else:
        good = port in allowed and re.fullmatch(allowed[port], said, re.S)
    if not good:
        bad += 1
        print(f"to {to} port {port}: {bytes(said)!r}")
print(f"{len(streams)} conversations in the capture, {sys.argv[3]} were told")
sys.exit(bad > 0 or len(streams) != int(sys.argv[3]))
EOP
stop_kansoku || fail "kansoku did not end cleanly"
echo "ok: $looks answers of servers and decoys are right, and nothing else was asked"
