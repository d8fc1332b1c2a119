#!/bin/bash
# Captures and tables made fit to be given away: tshark reads them, all checksums are right, nfanon makes the same
# addresses, and nothing of ours is left in any spelling.
. "$(dirname "$0")/lib.sh"

command -v tshark >/dev/null || skip "needs tshark"
command -v python3 >/dev/null || skip "needs python3"
trap 'rm -rf "$WORK"' EXIT
KEY=1522178d33a4cf80130a5b1649907d10d8988f837979652762574c2d2a842202
cp tests/e2e/anonymise_captures.py "$WORK"
python3 "$WORK/anonymise_captures.py" "$WORK" || fail "no captures"

anonymise() { "$KANSOKU" anonymise "$@" --key $KEY --own 192.0.2.0/24 --own 2001:db8:5::/48 --name decoy.example.net 2>"$WORK/err"; }

# The published vectors (Xu et al.), and that of another key.
[ "$("$KANSOKU" anonymise --key $KEY --address 128.11.68.132 2001:db8::1 | tr '\n' ' ')" = \
	"135.242.180.132 4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e " ] || fail "other addresses than Crypto-PAn's"

sums() {
	tshark -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE -o ip.check_checksum:TRUE -r "$1" -T fields \
		-e ip.checksum.status -e tcp.checksum.status -e udp.checksum.status -e icmp.checksum.status \
		-e icmpv6.checksum.status 2>/dev/null
}

for f in in.pcap big.pcap in.pcapng big.pcapng; do
	anonymise "$WORK/$f" --output "$WORK/out.$f" || fail "$f: $(cat "$WORK/err")"
	[ "$(capinfos -Mc "$WORK/out.$f" | grep -c 'packets: *14')" = 1 ] || fail "$f: not all packets are there"
	[ "$(file -b "$WORK/$f" | cut -d, -f1)" = "$(file -b "$WORK/out.$f" | cut -d, -f1)" ] || fail "$f: became another kind of file"
	sums "$WORK/$f" >"$WORK/sums.in"
	sums "$WORK/out.$f" >"$WORK/sums.out"
	grep -q 1 "$WORK/sums.in" || fail "$f: tshark checked nothing"
	cmp -s "$WORK/sums.in" "$WORK/sums.out" || fail "$f: checksums: $(diff "$WORK/sums.in" "$WORK/sums.out")"
	[ $f = in.pcapng ] || continue
	tshark -r "$WORK/$f" -T fields -e frame.time_epoch 2>/dev/null >"$WORK/times.in"
	tshark -r "$WORK/out.$f" -T fields -e frame.time_epoch 2>/dev/null | cmp -s - "$WORK/times.in" || fail "$f: other times"
	tshark -r "$WORK/out.$f" -Y '!lldp' -T fields -e _ws.malformed 2>/dev/null | grep -q . && fail "$f: malformed packets"
done
tshark -r "$WORK/out.in.pcap" -T fields -e ip.src -e ip.dst 2>/dev/null | head -1 | grep -q "244.240.114.138.*252.255.2.58" ||
	fail "packets have other addresses than --address says"
[ "$(tshark -r "$WORK/out.in.pcap" -Y icmp.type==3 -T fields -e ip.dst 2>/dev/null)" = "252.255.2.58,249.18.139.235" ] ||
	fail "the quote of ICMP has other addresses: $(tshark -r "$WORK/out.in.pcap" -Y icmp.type==3 -T fields -e ip.dst)"
anonymise "$WORK/cut.pcap" --output "$WORK/out.cut.pcap" || fail "a capture of cut packets: $(cat "$WORK/err")"

if command -v nfpcapd >/dev/null && command -v nfanon >/dev/null; then
	mkdir "$WORK/flows"
	nfpcapd -r "$WORK/in.pcap" -w "$WORK/flows" >/dev/null 2>&1
	nfanon -K 0x$KEY -r "$(echo "$WORK"/flows/nfcapd.*)" -w "$WORK/flows/theirs" >/dev/null 2>&1
	pairs() { sort -u | grep -v : | grep -v 0.0.0.0; }
	nfdump -r "$WORK/flows/theirs" -o csv -q 2>/dev/null | cut -d, -f4,5 | pairs >"$WORK/theirs"
	tshark -r "$WORK/out.in.pcap" -Y '(tcp or udp) and !icmp and !icmpv6 and !ipv6 and ip.proto != 4' -T fields -E separator=, \
		-e ip.src -e ip.dst 2>/dev/null | pairs >"$WORK/ours"
	[ -s "$WORK/ours" ] || fail "tshark saw no flows"
	while read -r pair; do
		grep -qxF "$pair" "$WORK/theirs" || fail "nfanon makes other addresses than $pair: $(cat "$WORK/theirs")"
	done <"$WORK/ours"
fi

cat >"$WORK/in.csv" <<'EOT'
timestamp,src_ip,dst_ip,dst_port,user,note
2015-06-01 10:11:12,203.0.113.5,192.0.2.77,23,root,"said ""192.0.2.77"", from 203.0.113.5"
1433153472,203.0.113.9,192.0.2.78,80,admin,decoy.example.net and MTkyLjAuMi43Nw== and 8.8.8.8
EOT
anonymise "$WORK/in.csv" --field time=bucket:1h --field dst=drop --column user=token --column dst_port=generalise \
	--output "$WORK/out.csv" || fail "a table: $(cat "$WORK/err")"
grep -q '^2015-06-01T10:00:00.000000Z,244.240.114.138,,0,[0-9a-f]\{32\},"said ""0.0.0.0"", from 244.240.114.138"$' "$WORK/out.csv" ||
	fail "the table: $(cat "$WORK/out.csv")"
grep -q '^1433152800,244.240.114.128,,0,.*,own.invalid and MC4wLjAuMDAwMA== and 8.8.8.8$' "$WORK/out.csv" || fail "the table: $(cat "$WORK/out.csv")"

printf 'src,password\n203.0.113.1,admin\n203.0.113.2,admin\n203.0.113.2,admin\n203.0.113.9,hunter2\n203.0.113.9,hunter2\n' >"$WORK/secrets.csv"
anonymise "$WORK/secrets.csv" --column password=k:2 --output "$WORK/out.secrets.csv" || fail "k: $(cat "$WORK/err")"
[ "$(cut -d, -f2 "$WORK/out.secrets.csv" | sort | uniq -c | awk '{print $1 length($2)}' | tr '\n' ' ')" = "232 35 18 " ] ||
	fail "passwords that too few had: $(cat "$WORK/out.secrets.csv")"
cat "$WORK/secrets.csv" | anonymise - --column password=k:2 >"$WORK/none" && fail "a pipe was read twice"
printf 'port,TW,BR,US,total\n23,9,2,30,41\n445,40,50,60,150\n80,70,80,90,240\n' >"$WORK/counts.csv"
"$KANSOKU" anonymise "$WORK/counts.csv" --cells 5 --output "$WORK/cells.csv" 2>"$WORK/err" || fail "cells: $(cat "$WORK/err")"
[ "$(sed -n 2,3p "$WORK/cells.csv" | tr '\n' ' ')" = "23,*,*,30,41 445,*,*,60,150 " ] || fail "cells: $(cat "$WORK/cells.csv")"

echo 'Jun  1 10:11:12 gw sshd[7]: Failed password for root from 203.0.113.5 port 22 to 192.0.2.77' >"$WORK/in.log"
anonymise "$WORK/in.log" --text --field dst=drop --output "$WORK/out.log" || fail "a log: $(cat "$WORK/err")"
grep -q 'root from 244.240.114.138 port 22 to 0.0.0.0$' "$WORK/out.log" || fail "a log: $(cat "$WORK/out.log")"

# Nothing of ours: bytes in both orders, and texts as such, in UTF-16, hexadecimal, Base64 and percent-encoded.
cat >"$WORK/search.py" <<'EOT'
import base64, re, sys, urllib.parse
texts = [b'192.0.2.7', b'77.2.0.192', b'3221226061', b'1291976896', b'c000024d', b'192-0-2', b'2001:db8:5', b'decoy.ex', b'0300.0.2']
raw = [bytes([192, 0, 2, 77]), bytes([77, 2, 0, 192]), bytes.fromhex('20010db80005'), bytes.fromhex('005056112233'), bytes.fromhex('00163eaabbcc')]
found = []
for path in sys.argv[1:]:
    whole = open(path, 'rb').read()
    views = [whole, urllib.parse.unquote_to_bytes(whole), whole.replace(b'\0', b''), re.sub(rb'[\x01-\x03]', b'.', whole)]
    for run in re.findall(rb'[A-Za-z0-9+/]{8,}', whole):
        views += [base64.b64decode(run[i:][:len(run[i:]) // 4 * 4]) for i in range(4)]
    for run in re.findall(rb'(?:[0-9a-fA-F]{2}){4,}', whole):
        views.append(bytes.fromhex(run.decode()))
    found += [(path, t) for v in views for t in texts if t in v.lower()]
    found += [(path, r) for r in raw if r in whole]
print(found)
sys.exit(bool(found))
EOT
python3 "$WORK/search.py" "$WORK/in.pcap" >/dev/null && fail "the search finds nothing where there is something"
left=$(python3 "$WORK/search.py" "$WORK"/out.*) || fail "something of ours is left: $left"

# Refused, and nothing is left behind.
head -c 500 /dev/urandom >"$WORK/torn" && printf '\xd4\xc3\xb2\xa1' | dd of="$WORK/torn" conv=notrunc status=none
anonymise "$WORK/torn" --output "$WORK/torn.out" && fail "a broken capture was taken"
[ -e "$WORK/torn.out" ] || [ -e "$WORK/torn.out.part" ] && fail "half a file was left"
gzip -k "$WORK/in.csv"
anonymise "$WORK/in.csv.gz" >"$WORK/none" && fail "a packed file passed for a table"
grep -q zcat "$WORK/err" || fail "no advice: $(cat "$WORK/err")"
echo '{"src":"203.0.113.5"}' >"$WORK/in.json"
anonymise "$WORK/in.json" >"$WORK/none" && fail "JSON passed for a table"
"$KANSOKU" anonymise "$WORK/in.pcap" --key 123 2>/dev/null >"$WORK/none" && fail "a short key was taken"
"$KANSOKU" anonymise "$WORK/in.pcap" --key $KEY --field login.secret=pass 2>"$WORK/err" >"$WORK/none" && fail "a private field passes"
grep -q private "$WORK/err" || fail "no reason: $(cat "$WORK/err")"
echo "captures and tables can be given away"
