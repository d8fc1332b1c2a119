#!/bin/bash
# Bait: what one source reads by HTTP or FTP another uses by SSH, MySQL, Redis, telnet or in a name,
# and each use is told with the device, the file and the session that saw it first. A place outside
# is told at its first visit; ten thousand other passwords are not taken for bait.
BASE_PORT=$((10000 + ($$ % 2000) * 10)) # it has ten ports
. "$(dirname "$0")/lib.sh"
for client in curl ssh sshpass telnet ftp redis-cli mysql smbclient dig jq python3; do
	command -v $client >/dev/null || skip "$client is missing"
done
SSH_PORT=$((BASE_PORT + 3)) FTP_PORT=$((BASE_PORT + 4)) DATA_PORT=$((30000 + ($$ % 1500) * 16))
MYSQL_PORT=$((BASE_PORT + 5)) REDIS_PORT=$((BASE_PORT + 6)) DNS_PORT=$((BASE_PORT + 7)) SMTP_PORT=$((BASE_PORT + 8)) SMB_PORT=$((BASE_PORT + 9))
WEB=127.21.14.1 OTHER=127.21.14.2 DATA=127.21.15.1 NAS=127.21.16.1
mkdir "$WORK/personas"
sed 's|^services:|services:\n  telnet: {}|' etc/personas/webserver.yaml >"$WORK/personas/webserver.yaml"
sed 's|^services:|services:\n  dns: {}\n  smtp: {}|' etc/personas/database.yaml >"$WORK/personas/database.yaml"
cp etc/personas/nas.yaml "$WORK/personas"
loopback_config <<EOT
store: {linger: 50ms}
passive:
  lure: true
  decoys:
    - {prefix: 127.21.14.0/24, personas: [webserver], steer: false}
    - {prefix: 127.21.15.0/24, personas: [database], steer: false}
    - {prefix: 127.21.16.0/24, personas: [nas], steer: false}
  personas_dir: $WORK/personas
  data_port: $DATA_PORT
  services:
    telnet: {ports: [$TELNET_PORT]}
    http: {ports: [$HTTP_PORT], crawlers: [{agent: Googlebot, prefixes: [127.55.9.0/24]}]}
    ssh: {ports: [$SSH_PORT]}
    ftp: {ports: [$FTP_PORT]}
    mysql: {ports: [$MYSQL_PORT]}
    redis: {ports: [$REDIS_PORT]}
    dns: {ports: [$DNS_PORT]}
    smtp: {ports: [$SMTP_PORT]}
    smb: {ports: [$SMB_PORT]}
  workers: 2
EOT
bait() { "$KANSOKU" bait --config "$CONFIG" "$@"; }
bait place "pastebin list X" --user backup --json >"$WORK/place" || fail "no place can be entered before the start"
start_kansoku --only journal,store,control,passive
bait place "the list of a forum" --json >"$WORK/second" || fail "no place can be entered while kansoku runs"

# Asks until the answer is the wanted one.
value() { echo "value[indexOf(field, '$1')]"; }
expect() { # what, SQL, wanted
	local got
	for _ in $(seq 50); do
		got=$(query "$2")
		[ "$got" = "$3" ] && return
		sleep 0.1
	done
	fail "$1: $got, and not $3"
}
USED="kind = 'token.used'"
line="concat(service, ' ', toString(dst), ' ', $(value bait.device), ' ', $(value bait.path), ' ', $(value bait.source))"

# Over HTTP, then by SSH from elsewhere; the account of the file lets in where it lay, and there only.
say() { curl -s -m 20 "$@"; }
file=/backup/.env root=/var/www/html
say --interface 127.55.1.1 "http://$WEB:$HTTP_PORT$file" >"$WORK/env"
deploy=$(sed -n 's/^BACKUP_PASSWORD=//p' "$WORK/env") key=$(sed -n 's/^STORAGE_KEY=//p' "$WORK/env")
[ ${#deploy} = 16 ] && [ ${#key} = 32 ] || fail "there is no bait in $file: $(cat "$WORK/env")"
as() { # source decoy user password command
	sshpass -p "$4" ssh -p $SSH_PORT -b "$1" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o NumberOfPasswordPrompts=1 -o LogLevel=ERROR "$3@$2" "$5" 2>&1
}
as 127.55.1.2 $WEB deploy "$deploy" "cat $root$file" | cmp - "$WORK/env" || fail "the shell shows another file than the web"
as 127.55.1.2 $OTHER deploy "$deploy" id | grep -q 'denied' || fail "another device lets the account in"
expect "used by SSH" "SELECT $line FROM log WHERE $USED AND dst = '$WEB' AND service = 'ssh'" \
	"ssh $WEB $WEB $root$file 127.55.1.1"
expect "used at another device" "SELECT $line FROM log WHERE $USED AND dst = '$OTHER'" \
	"ssh $OTHER $WEB $root$file 127.55.1.1"
expect "its session, and the look that is its cause" "SELECT count() FROM log AS u, log AS p WHERE u.$USED AND \
	u.dst = '$WEB' AND p.kind = 'token.planted' AND u.cause = p.id AND p.src = '127.55.1.1' AND \
	p.session = u.value[indexOf(u.field, 'bait.session')]" 1

# The same account by FTP; what it downloads there is bait of another file.
printf 'user deploy %s\nget .git/config %s\nbye\n' "$deploy" "$WORK/git" | timeout 20 ftp -n $WEB $FTP_PORT >"$WORK/ftp" 2>&1
grep -q "deploy:$deploy@" "$WORK/git" || fail "ftp: $(cat "$WORK/ftp")"
say -u "root:toor" "ftp://$WEB:$FTP_PORT/wp-config.php" >"$WORK/wp" || fail "curl cannot fetch by FTP"
wpuser=$(sed -n "s/.*'DB_PASSWORD', '\(.*\)'.*/\1/p" "$WORK/wp")
[ ${#wpuser} = 16 ] || fail "there is no bait in wp-config.php: $(cat "$WORK/wp")"

# A guest of the network disk; then with NTLM, to which the password is not said either.
share() { (cd "$WORK" && timeout 20 smbclient -p $SMB_PORT "//$NAS/$1" "${@:3}" -c "$2") >>"$WORK/smb" 2>&1; }
share documents 'get passwords.txt' -U guest%guest
remote=$(sed -n 's|^ *remote / \([A-Za-z0-9]*\)\r*$|\1|p' "$WORK/passwords.txt")
[ ${#remote} = 16 ] || fail "smbclient: $(cat "$WORK/smb")"
share documents ls -U "remote%$remote"
expect "used by SMB" "SELECT $line FROM log WHERE $USED AND service = 'smb'" "smb $NAS $NAS /volume1/documents/passwords.txt 127.0.0.1"
expect "let in by SMB" "SELECT max(login_accepted) FROM log WHERE kind = 'login.tried' AND login_user = 'remote'" 1

# MySQL says no password; Redis and telnet do; a key in a header, in a name that is asked for.
timeout 20 mysql -h $DATA -P $MYSQL_PORT -u wpuser "-p$wpuser" --ssl-mode=DISABLED -e 'select 1' >"$WORK/mysql" 2>&1 ||
	timeout 20 mysql -h $DATA -P $MYSQL_PORT -u wpuser "-p$wpuser" --skip-ssl -e 'select 1' >>"$WORK/mysql" 2>&1
expect "used by MySQL" "SELECT $line FROM log WHERE $USED AND service = 'mysql' LIMIT 1" \
	"mysql $DATA $WEB $root/wp-config.php 127.0.0.1"
timeout 20 redis-cli -h $DATA -p $REDIS_PORT -a "$deploy" --no-auth-warning ping >"$WORK/redis" 2>&1
expect "used by Redis" "SELECT count() FROM log WHERE $USED AND service = 'redis'" 1
(sleep 0.5; echo deploy; sleep 0.5; echo "$deploy"; sleep 0.5; echo exit) | timeout 20 telnet $WEB $TELNET_PORT >"$WORK/telnet" 2>&1
expect "used by telnet" "SELECT $(value bait.name) FROM log WHERE $USED AND service = 'telnet'" deploy
say -o /dev/null -H "X-Api-Key: $key" "http://$OTHER:$HTTP_PORT/"
expect "a key in a header" "SELECT $(value bait.name) FROM log WHERE $USED AND service = 'http'" storage

# Places outside: the first visit tells which was read, whatever of it was used.
url=$(jq -r .url "$WORK/place") second=$(jq -r .url "$WORK/second")
timeout 10 dig +tries=1 +time=2 -p $DNS_PORT @$DATA "www.$second.example.com" >"$WORK/dig"
expect "a place, by DNS" "SELECT concat($(value bait.place), ' ', $(value bait.first)) FROM log WHERE $USED AND service = 'dns'" \
	"the list of a forum true"
say -o /dev/null --interface 127.55.1.3 "http://$OTHER:$HTTP_PORT/files/$url/list.zip"
expect "a place, by its path" "SELECT concat($(value bait.place), ' ', $(value bait.first)) FROM log WHERE $USED AND src = '127.55.1.3'" \
	"pastebin list X true"
as 127.55.1.4 $OTHER backup "$(jq -r .password "$WORK/place")" id | grep -q uid= || fail "the account of the place does not let in"
expect "again" "SELECT $(value bait.first) FROM log WHERE $USED AND src = '127.55.1.4'" false
printf 'EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<list-%s@example.com>\r\nQUIT\r\n' "$url" |
	timeout 10 python3 -c '
import socket, sys, time
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
for line in sys.stdin.buffer:
    s.recv(4096); s.sendall(line)
print(s.recv(4096))' $DATA $SMTP_PORT >"$WORK/smtp"
expect "a place, by a mailbox" "SELECT $(value bait.place) FROM log WHERE $USED AND service = 'smtp'" "pastebin list X"
"$KANSOKU" report bait --config "$CONFIG" >"$WORK/report" || fail "there is no report"
grep -q 'pastebin list X' "$WORK/report" && grep -q "$root$file" "$WORK/report" || fail "the report: $(cat "$WORK/report")"
bait show "$(jq -r .key "$WORK/place")" | grep -q 'pastebin list X' || fail "bait show does not know its own key"

"$KANSOKU" backup --config "$CONFIG" "$WORK/backup" >/dev/null && cmp -s "$STATE/bait/ledger" "$WORK/backup/bait/ledger" ||
	fail "the ledger is not in the backup"

# Crawlers, by their word and by their address.
agent='Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'
for from in 127.55.9.7 127.55.8.7; do say -o /dev/null --interface $from -A "$agent" "http://$WEB:$HTTP_PORT/robots.txt"; done
expect "crawlers" "SELECT groupArray(concat(toString(src), ' ', $(value http.crawler))) FROM (SELECT * FROM log WHERE \
	has(field, 'http.crawler') ORDER BY src)" "['127.55.8.7 claimed','127.55.9.7 verified']"

# Ten thousand other passwords.
before=$(query "SELECT count() FROM log WHERE $USED")
python3 - $DATA $REDIS_PORT <<'EOT' || fail "Redis does not take the passwords"
import random, socket, string, sys
random.seed(20)
letters = string.ascii_letters + string.digits
words = [''.join(random.choice(letters) for _ in range(16)) for _ in range(10000)]
for part in range(0, len(words), 100):
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), 20) as s:
        s.sendall(''.join(f'AUTH {w}\r\n' for w in words[part:part + 100]).encode())
        answers = b''
        while answers.count(b'\r\n') < 100:
            b = s.recv(65536)
            if not b:
                sys.exit('ended early: %r' % answers[-80:])
            answers += b
EOT
expect "ten thousand passwords" "SELECT count() >= 10000 FROM log WHERE kind = 'login.tried' AND service = 'redis'" 1
[ "$(query "SELECT count() FROM log WHERE $USED")" = "$before" ] || fail "a random password was taken for bait"
stop_kansoku || fail "kansoku did not end in order"

# Who saw what is known after a restart.
start_kansoku --only journal,store,control,passive
as 127.55.1.5 $WEB deploy "$deploy" id | grep -q uid= || fail "after a restart the account is gone"
expect "after a restart" "SELECT $line FROM log WHERE $USED AND src = '127.55.1.5'" "ssh $WEB $WEB $root$file 127.55.1.1"
stop_kansoku
echo "bait: what was read here and used there is one chain, and nothing else is taken for it"
