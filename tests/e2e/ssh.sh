#!/bin/bash
# The decoys' SSH met with real clients, and beside the real servers that it claims to be.
#   tests/e2e/ssh.sh       a kansoku of its own; sshd and dropbear of Debian on loopback
# Exit status 0: all held, 1: the last lines say what did not, 77: a client is missing.
. "$(dirname "$0")/lib.sh"
for client in ssh sshpass scp sftp nmap hydra medusa python3 /usr/sbin/sshd dropbear dbclient ssh-keygen ssh-audit; do
	command -v $client >/dev/null || skip "$client is missing"
done
SSH_PORT=$TELNET_PORT
declare -A address=([openssh-9.2]=127.23.7.1 [openssh-8.4]=127.23.7.2 [openssh-7.4]=127.23.7.3
	[dropbear-2022.83]=127.23.7.4 [dropbear-2020.81]=127.23.7.5 [dropbear-2012.55]=127.23.7.6)

personas() { # the router, as a device of each software
	mkdir "$WORK/personas"
	for software in "${!address[@]}"; do
		name=${software//[.-]/}
		sed '/^classes:/d; /^services:/,/^[a-z]/{/^services:\|^ /d}' etc/personas/router.yaml |
			sed "s/^name: .*/name: $name\nservices: {ssh: {software: $software, accepts-keys: $1, ports: [$SSH_PORT]}}/" \
				>"$WORK/personas/$name.yaml"
		echo "    - {prefix: ${address[$software]}, personas: [$name]}"
	done
}

OPTIONS="-F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
login() { # software, options and command of ssh
	local at=root@${address[$1]}
	shift
	timeout 20 sshpass -p root ssh $OPTIONS -p $SSH_PORT "${@:1:$#-1}" "$at" "${@: -1}" 2>&1
}
runs() { # software, options: a command runs and its output comes
	local got
	got=$(login "$@" 'echo hello')
	[ "$got" = hello ] || fail "ssh $*: $got"
}

algorithms() {
	for x in sntrup761x25519-sha512@openssh.com curve25519-sha256 curve25519-sha256@libssh.org ecdh-sha2-nistp256 \
		ecdh-sha2-nistp384 ecdh-sha2-nistp521 diffie-hellman-group-exchange-sha256 \
		diffie-hellman-group16-sha512 diffie-hellman-group18-sha512 diffie-hellman-group14-sha256; do
		runs openssh-9.2 -o KexAlgorithms=$x
	done
	for x in chacha20-poly1305@openssh.com aes128-ctr aes192-ctr aes256-ctr aes128-gcm@openssh.com \
		aes256-gcm@openssh.com; do
		runs openssh-9.2 -c $x
	done
	for x in umac-64-etm@openssh.com umac-128-etm@openssh.com hmac-sha2-256-etm@openssh.com \
		hmac-sha2-512-etm@openssh.com hmac-sha1-etm@openssh.com umac-64@openssh.com umac-128@openssh.com \
		hmac-sha2-256 hmac-sha2-512 hmac-sha1; do
		runs openssh-9.2 -c aes128-ctr -m $x
	done
	for x in rsa-sha2-512 rsa-sha2-256 ecdsa-sha2-nistp256 ssh-ed25519; do
		runs openssh-9.2 -o HostKeyAlgorithms=$x
	done
	runs openssh-9.2 -C
	runs openssh-8.4
	runs openssh-7.4 -o KexAlgorithms=diffie-hellman-group14-sha1 -o HostKeyAlgorithms=ssh-rsa
	runs dropbear-2022.83 -C
	runs dropbear-2020.81
	for x in aes128-cbc aes256-cbc 3des-cbc; do
		runs dropbear-2012.55 -o KexAlgorithms=diffie-hellman-group1-sha1 -o HostKeyAlgorithms=ssh-rsa \
			-c $x -m hmac-md5
	done
}

programs() {
	local got status
	got=$(login openssh-9.2 'uname -s; exit 3') status=$?
	[ "$got" = Linux ] && [ $status = 3 ] || fail "exec: $got, status $status"
	got=$({ sleep 1; printf 'cd /tmp\r'; sleep 0.5; printf 'pwx\bd\r'; sleep 0.5; printf 'exit\r'; sleep 0.5; } |
		login openssh-9.2 -tt '' | tr -d '\r')
	[[ $got == *BusyBox*/tmp* ]] || fail "shell at a terminal: $got"
	# Large enough for several packets both ways, and for keys to be changed in between.
	head -c 100000 /dev/urandom >"$WORK/bytes"
	login openssh-9.2 -o RekeyLimit=16K 'cat > /tmp/piped' <"$WORK/bytes"
	for how in "" -O; do
		rm -f "$WORK/back"
		sshpass -p root scp $how $OPTIONS -P $SSH_PORT "$WORK/bytes" "root@${address[openssh-9.2]}:/tmp/scp$how" ||
			fail "scp $how there"
		sshpass -p root scp $how $OPTIONS -o RekeyLimit=20K -P $SSH_PORT \
			"root@${address[openssh-9.2]}:/tmp/scp$how" "$WORK/back" ||
			fail "scp $how back"
		cmp "$WORK/bytes" "$WORK/back" || fail "scp $how: other bytes came back"
	done
	printf '%s\n' 'cd /tmp' "put $WORK/bytes sent" 'mkdir d' 'rename sent d/moved' 'ls -l d' 'chmod 700 d/moved' \
		"get d/moved $WORK/moved" 'rm d/moved' 'rmdir d' 'ls nothing' "get piped $WORK/piped" >"$WORK/batch"
	got=$(sshpass -p root sftp $OPTIONS -P $SSH_PORT "root@${address[openssh-9.2]}" <"$WORK/batch" 2>&1)
	cmp "$WORK/bytes" "$WORK/moved" || fail "sftp: $got"
	cmp "$WORK/bytes" "$WORK/piped" || fail "cat over exec: $got"
	grep -q '100000 .* d/moved$' <<<"$got" || fail "sftp ls: $got"
	grep -q 'nothing" not found' <<<"$got" || fail "sftp ls nothing: $got"
}

forwards() {
	local got
	timeout 5 sshpass -p root ssh $OPTIONS -p $SSH_PORT -N -L $HTTP_PORT:203.0.113.7:80 "root@${address[openssh-9.2]}" 2>/dev/null &
	local tunnel=$!
	for _ in $(seq 30); do sleep 0.1; (: </dev/tcp/127.0.0.1/$HTTP_PORT) 2>/dev/null && break; done
	got=$(timeout 2 curl -s -m 1 http://127.0.0.1:$HTTP_PORT/forwarded)
	[ -z "$got" ] || fail "a forwarded connection was answered: $got"
	timeout 3 sshpass -p root ssh $OPTIONS -p $SSH_PORT -N -R 8080:127.0.0.1:1 "root@${address[openssh-9.2]}" >"$WORK/remote" 2>&1
	grep -qi fail "$WORK/remote" && fail "-R: $(cat "$WORK/remote")"
	wait $tunnel 2>/dev/null
}

keys() {
	local got
	rm -f "$WORK/key"
	ssh-keygen -q -t ed25519 -N '' -f "$WORK/key"
	got=$(timeout 10 ssh $OPTIONS -o BatchMode=yes -i "$WORK/key" -p $SSH_PORT "root@${address[openssh-9.2]}" 'echo key' 2>&1)
	[ "$got" = key ] || fail "a key where any gets in: $got"
	# The same address keeps its host key, two have different ones.
	ssh-keyscan -p $SSH_PORT -t ed25519,ecdsa,rsa "${address[openssh-9.2]}" 2>/dev/null | sort >"$WORK/keys1"
	ssh-keyscan -p $SSH_PORT -t ed25519,ecdsa "${address[openssh-8.4]}" 2>/dev/null | sort >"$WORK/keys2"
	[ "$(wc -l <"$WORK/keys1")" = 3 ] || fail "keyscan: $(cat "$WORK/keys1")"
	grep -qFf <(awk '{print $3}' "$WORK/keys2") "$WORK/keys1" && fail "two decoys have one host key"
	# Where it knows one key OpenSSH learns the others (hostkeys-00) and has them proved.
	for _ in 1 2; do
		timeout 10 sshpass -p root ssh -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile="$WORK/known" \
			-o UpdateHostKeys=yes -p $SSH_PORT "root@${address[openssh-9.2]}" 'sleep 1; echo' >/dev/null 2>&1
	done
	[ "$(grep -c . "$WORK/known")" = 3 ] || fail "UpdateHostKeys: $(cat "$WORK/known")"
}

guesses() {
	local found
	printf '%s\n' admin1 root1 root qwerty >"$WORK/passwords"
	for software in openssh-9.2 dropbear-2022.83; do
		found=$(timeout 60 hydra -q -I -t 4 -l root -P "$WORK/passwords" -s $SSH_PORT "${address[$software]}" ssh 2>&1 |
			sed -n 's/.*password: *//p')
		[ "$found" = root ] || fail "$software: hydra found \"$found\""
	done
	found=$(timeout 60 medusa -h "${address[openssh-9.2]}" -n $SSH_PORT -u root -P "$WORK/passwords" -M ssh -t 2 2>&1 | grep FOUND)
	[[ $found == *"Password: root [SUCCESS]"* ]] || fail "medusa found \"$found\""
	[ "$(wc -l <<<"$found")" = 1 ] || fail "medusa found a false password: $found"
}

others() {
	local got
	got=$(timeout 10 env DROPBEAR_PASSWORD=root dbclient -y -y -p $SSH_PORT "root@${address[dropbear-2022.83]}" 'echo db' 2>/dev/null)
	[ "$got" = db ] || fail "dbclient: $got"
	python3 -c 'import paramiko' 2>/dev/null || return
	got=$(timeout 30 python3 - "${address[openssh-9.2]}" $SSH_PORT <<-'EOP'
	import sys, paramiko
	c = paramiko.SSHClient()
	c.set_missing_host_key_policy(paramiko.AutoAddPolicy())
	c.connect(sys.argv[1], int(sys.argv[2]), "root", "root", allow_agent=False, look_for_keys=False)
	print(c.exec_command("echo one")[1].read().decode().strip())
	print(c.exec_command("cd /tmp; echo two > two; cat two")[1].read().decode().strip())
	f = c.open_sftp()
	f.chdir("/tmp")
	with f.open("three", "w") as o: o.write("3")
	print(f.stat("three").st_size, "two" in f.listdir("."))
	EOP
	)
	[ "$got" = $'one\ntwo\n1 True' ] || fail "paramiko: $got"
}

# What outsiders print of the decoy is what they print of the real server.
real_servers() {
	mkdir -p /run/sshd
	for kind in rsa ecdsa ed25519; do ssh-keygen -q -t $kind -N '' -f "$WORK/host_$kind"; done
	/usr/sbin/sshd -D -f /dev/null -p $((BASE_PORT + 3)) -o ListenAddress=127.0.0.1 -o PidFile=none -o UsePAM=no \
		-o HostKey="$WORK/host_rsa" -o HostKey="$WORK/host_ecdsa" -o HostKey="$WORK/host_ed25519" 2>/dev/null &
	SERVERS=$!
	for kind in rsa ecdsa ed25519; do dropbearkey -t $kind -f "$WORK/dropbear_$kind" >/dev/null 2>&1; done
	dropbear -F -p 127.0.0.1:$((BASE_PORT + 4)) -r "$WORK/dropbear_rsa" -r "$WORK/dropbear_ecdsa" \
		-r "$WORK/dropbear_ed25519" -P "$WORK/dropbear.pid" 2>/dev/null &
	SERVERS="$SERVERS $!"
	sleep 1
}

same() { # name, real port, decoy
	local what=$1 port=$2 decoy=$3
	for at in "127.0.0.1 $port" "$decoy $SSH_PORT"; do
		set -- $at
		nmap -n -Pn -sV -p $2 --script ssh2-enum-algos $1 2>/dev/null | grep -E '^\||^[0-9]+/tcp' | sed "s/^$2//" >"$WORK/nmap.$1"
		ssh-audit -n -p $2 $1 2>/dev/null | grep -vE 'fin\)|target|^# general|--- .*-bit' >"$WORK/audit.$1"
	done
	grep -qi honeypot "$WORK/nmap.$decoy" && fail "$what: nmap calls it a honeypot"
	diff "$WORK/nmap.127.0.0.1" "$WORK/nmap.$decoy" || fail "$what: nmap tells them apart"
	diff "$WORK/audit.127.0.0.1" "$WORK/audit.$decoy" || fail "$what: ssh-audit tells them apart"
	timeout 100 python3 tests/e2e/ssh_greetings.py $port "$decoy" $SSH_PORT || fail "$what: greetings tell them apart"
	echo "$what: as the real one, nmap says $(grep '^/tcp' "$WORK/nmap.$decoy")"
}

loopback_config <<-EOT
	passive:
	  personas_dir: $WORK/personas
	  decoys:
	$(personas true)
	  services: {ssh: {ports: [$SSH_PORT]}}
	  workers: 1
	  limits: {source_sessions: 0, source_rate: 0}
EOT
start_kansoku
algorithms
programs
forwards
keys
guesses
others
real_servers
same "OpenSSH 9.2" $((BASE_PORT + 3)) "${address[openssh-9.2]}"
same "Dropbear 2022.83" $((BASE_PORT + 4)) "${address[dropbear-2022.83]}"
told() { # at least so many events
	local n
	for _ in $(seq 50); do
		n=$(query "SELECT count() FROM events WHERE $2" 2>/dev/null)
		[ "${n:-0}" -ge "$1" ] && return
		sleep 0.2
	done
	fail "${n:-0} events where $2"
}
if [ -e node_modules/@chdb ] || [ -n "${KANSOKU_STORE:-}" ]; then
	told 5 "kind = 'file.captured'"
	told 1 "kind = 'request.seen' AND service = 'ssh'"
	told 20 "kind = 'client.seen'"
fi
