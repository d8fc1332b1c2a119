#!/bin/bash
# The mail server met with swaks, curl, Python, hydra, nmap and others: what is sent to an account
# appears in its mailbox, for POP3, IMAP and the shell; deleted mails are gone; the same account has
# the same mails at every look; nothing is relayed, and nothing ever leaves.
. "$(dirname "$0")/lib.sh"
for client in swaks curl nmap python3 hydra; do command -v $client >/dev/null || skip "$client is missing"; done
SMTP_PORT=$BASE_PORT POP3_PORT=$((BASE_PORT + 1)) IMAP_PORT=$((BASE_PORT + 3)) IMAPS_PORT=$((BASE_PORT + 4))
POP3S_PORT=$((31000 + $$ % 900)) TELNET_PORT=$((POP3S_PORT + 900)) D=127.21.31.7
trap cleanup EXIT
mkdir "$WORK/personas"
sed "s|^  smtp: {ports: [^]]*\], secure_ports: [^]]*\]|  telnet: {ports: [$TELNET_PORT]}\n  smtp: {ports: [$SMTP_PORT]|
s|^  imap: .*|  imap: {ports: [$IMAP_PORT], secure_ports: [$IMAPS_PORT], refusal-delay: 100ms}|
s|^  pop3: .*|  pop3: {ports: [$POP3_PORT], secure_ports: [$POP3S_PORT], refusal-delay: 100ms}|" etc/personas/mailserver.yaml >"$WORK/personas/mailserver.yaml"
loopback_config <<EOT
store: {linger: 50ms}
passive:
  personas_dir: $WORK/personas
  decoys: [{prefix: 127.21.31.0/24, personas: [mailserver]}]
  services:
    telnet: {ports: [$TELNET_PORT]}
    smtp: {ports: [$SMTP_PORT]}
    imap: {ports: [$IMAP_PORT], secure_ports: [$IMAPS_PORT]}
    pop3: {ports: [$POP3_PORT], secure_ports: [$POP3S_PORT]}
  workers: 1
EOT
start_kansoku --only journal,store,control,passive
DOMAIN=keller-metallbau.example
imap() { curl -s -m 10 -u info:info123 "$@"; }

new=$(($(imap "imap://$D:$IMAP_PORT/INBOX" -X 'SEARCH ALL' | wc -w) - 1)) # "* SEARCH" and the next
[ "$new" -gt 10 ] || fail "the mailbox is as good as empty: $new"
[ "$(imap "imap://127.21.31.7:$IMAP_PORT/INBOX;MAILINDEX=3")" = "$(imap "imap://$D:$IMAP_PORT/INBOX;MAILINDEX=3")" ] || fail "mails change"
[ "$(imap "imap://$D:$IMAP_PORT/INBOX;MAILINDEX=3")" != "$(imap "imap://127.21.31.8:$IMAP_PORT/INBOX;MAILINDEX=3")" ] ||
	fail "two devices have the same mails"

# Delivery, over TLS; and to others, before and after a log-in.
printf 'secret list\n' >"$WORK/list.csv"
timeout 20 swaks --server $D --port $SMTP_PORT -tls --from boss@evil.test --to info@$DOMAIN --header 'Subject: urgent transfer' \
	--body 'see http://evil.test/pay' --attach "@$WORK/list.csv" >"$WORK/swaks" 2>&1 || fail "swaks: $(tail -5 "$WORK/swaks")"
[ "$(imap "imap://$D:$IMAP_PORT/INBOX" -X 'SEARCH SUBJECT urgent UNSEEN' | tr -d '\r\n')" = "* SEARCH $new" ] || fail "the mail is not in the mailbox"
imap -k "imaps://$D:$IMAPS_PORT/INBOX;MAILINDEX=$new" | grep -q 'see http://evil.test/pay' || fail "it cannot be read over TLS"
[ "$(imap "imap://$D:$IMAP_PORT/INBOX;MAILINDEX=$new;SECTION=2" | base64 -di)" = 'secret list' ] || fail "its attachment is not a part"
curl -s -m 10 -k -u info:info123 "pop3s://$D:$POP3S_PORT/$new" | grep -q 'Subject: urgent transfer' || fail "POP3 does not have it"
timeout 20 swaks --server $D --port $SMTP_PORT --to victim@elsewhere.test >"$WORK/swaks" 2>&1 && fail "mail for others is taken"
timeout 20 swaks --server $D --port $SMTP_PORT --auth PLAIN --auth-user info --auth-password info123 --from info@$DOMAIN \
	--to victim@elsewhere.test --header 'Subject: spam' >"$WORK/swaks" 2>&1 || fail "who logged in cannot send: $(tail -5 "$WORK/swaks")"

# What is changed stays so, in every service.
timeout 40 python3 - $D $IMAP_PORT $POP3_PORT "$new" <<-'EOT' || fail "Python's clients"
	import imaplib, poplib, sys
	host, count = sys.argv[1], int(sys.argv[4])
	m = imaplib.IMAP4(host, int(sys.argv[2]))
	m.starttls()
	m.login("info", "info123")
	assert m.select("INBOX")[1] == [str(count).encode()]
	assert m.fetch("1:*", "(UID FLAGS ENVELOPE BODYSTRUCTURE INTERNALDATE RFC822.SIZE)")[0] == "OK"
	assert m.create("Archive/x")[0] == "NO" and m.create("Archive")[0] == "OK"
	assert m.append("Archive", r"(\Seen)", None, b"Subject: kept\r\n\r\nx\r\n")[0] == "OK"
	assert m.copy("1", "Archive")[0] == "OK" and b"Archive" in b"".join(m.list()[1])
	assert b"MESSAGES 2" in m.status("Archive", "(MESSAGES)")[1][0]
	m.store("2", "+FLAGS", r"(\Deleted)")
	assert m.expunge()[1] == [b"2"]
	m.logout()
	p = poplib.POP3(host, int(sys.argv[3]))
	p.stls()
	p.user("info"); p.pass_("info123")
	assert p.stat()[0] == count - 1
	top = p.top(1, 0)[1]
	p.dele(1)
	p.quit()
	m = imaplib.IMAP4(host, int(sys.argv[2]))
	m.login("info", "info123")
	assert m.select("INBOX")[1] == [str(count - 2).encode()]
	m.logout()
EOT
printf 'info\r\ninfo123\r\ntail -n 60 /var/mail/info\r\nexit\r\n' | timeout 10 python3 -c '
import socket, sys, time
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
for line in sys.stdin.buffer:
    time.sleep(0.3); s.sendall(line)
while b := s.recv(65536):
    sys.stdout.buffer.write(b)
' $D $TELNET_PORT >"$WORK/shell"
grep -aq 'urgent transfer' "$WORK/shell" || fail "the shell does not show /var/mail/info: $(tail -5 "$WORK/shell")"

printf 'password\n123456\ninfo123\n' >"$WORK/words"
for service in imap:$IMAP_PORT pop3:$POP3_PORT; do
	timeout 40 hydra -I -q -t 1 -l info -P "$WORK/words" -s "${service#*:}" 127.21.31.9 "${service%:*}" >"$WORK/hydra" 2>&1
	grep -q 'password: info123' "$WORK/hydra" || fail "hydra at ${service%:*}: $(cat "$WORK/hydra")"
	[ "$(grep -c 'password: ' "$WORK/hydra")" = 1 ] || fail "hydra finds more than what was planted"
done
if command -v fetchmail >/dev/null; then
	printf 'poll %s protocol imap port %s user "office" password "Office2023" keep no sslcertck sslproto "" mda "/bin/cat >>%s"\n' $D $IMAP_PORT "$WORK/fetched" >"$WORK/fetchmailrc"
	chmod 600 "$WORK/fetchmailrc"
	FETCHMAILHOME=$WORK timeout 20 fetchmail -f "$WORK/fetchmailrc" -a >"$WORK/fetchmail" 2>&1 || fail "fetchmail: $(tail -5 "$WORK/fetchmail")"
	grep -q "^Delivered-To: office@$DOMAIN" "$WORK/fetched" || fail "fetchmail fetched nothing"
fi
timeout 60 nmap -n -Pn -sV --version-light --script +smtp-open-relay,+imap-capabilities,+pop3-capabilities -p $SMTP_PORT,$POP3_PORT,$IMAP_PORT $D >"$WORK/nmap"
for product in 'Postfix smtpd' 'Dovecot pop3d' 'Dovecot imapd'; do grep -q "$product" "$WORK/nmap" || fail "nmap: $(cat "$WORK/nmap")"; done
grep -qi 'open relay.*(1[0-9]\|is an open relay (' "$WORK/nmap" && fail "nmap takes it for an open relay: $(cat "$WORK/nmap")"
grep -qi honeypot "$WORK/nmap" && fail "nmap: $(cat "$WORK/nmap")"

value() { echo "value[indexOf(field, '$1')]"; }
wait_for() { for _ in $(seq 50); do [ "$(query "$2")" = "$3" ] && return; sleep 0.2; done; fail "$1: $(query "$2"), and not $3"; }
wait_for "the mail that was to be sent on" "SELECT count() FROM log WHERE kind = 'mail.received' AND $(value mail.subject) = 'spam' AND $(value mail.relay) = 'true'" 1
wait_for "the mail with its URL" "SELECT $(value mail.urls) FROM log WHERE kind = 'mail.received' AND $(value mail.subject) = 'urgent transfer'" http://evil.test/pay
wait_for "its attachment" "SELECT count() FROM log WHERE kind = 'file.captured' AND $(value file.name) = 'list.csv'" 1
# The decoy called nobody: its process has no socket that it connected by itself.
passive=$(role_pid passive/0); [ -n "$passive" ] || passive=$(role_pid passive)
[ -n "$passive" ] && ss -tnpH state syn-sent state established "dport = :25" 2>/dev/null | grep -q "pid=$passive" && fail "it sends mail"
echo "delivered, read, searched and deleted over SMTP, POP3 and IMAP"
