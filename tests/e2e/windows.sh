#!/bin/bash
# Decoys of Windows met with the clients of Samba, FreeRDP and OpenLDAP, with impacket, nmap, hydra and medusa.
# Exit status 0: all held, 1: the last lines say what did not, 77: a client is missing.
. "$(dirname "$0")/lib.sh"
for client in smbclient rpcclient nmap hydra medusa ldapsearch xfreerdp Xvfb; do
	command -v $client >/dev/null || skip "$client is missing"
done
EXAMPLES=/usr/share/doc/python3-impacket/examples
[ -r $EXAMPLES/samrdump.py ] || skip "python3-impacket is missing"
[ "$(id -u)" = 0 ] || skip "needs root for the ports of Windows"

mkdir "$WORK/personas"
persona() { # name system secret
	cat >"$WORK/personas/$1.yaml" <<-EOT
	name: $1
	summary: a machine of Windows
	hostname: (none)
	arch: x86
	machine: x86_64
	kernel: "6.1"
	kernel_build: "7601"
	busybox: v1.16.1
	busybox_date: "2013-03-28 17:12:05 CST"
	prompt: "# "
	home: /
	memory_kb: 39588
	interface: eth0
	mac_prefix: "00:12:16"
	credentials: [[Administrator, $3]]
	services:
	  smb: {system: $2${4:-}}
	  msrpc: {}
	  rdp: {}
	  vnc: {}
	  ldap: {}
	  mssql: {}
	EOT
}
persona old windows-7 Winter2019
persona new windows-10 Winter2019
persona dc windows-server-2016 Winter2019 ', domain: corp.example, signing-required: yes'
NET=127.77.$((1 + $$ % 250))
OLD=$NET.1 NEW=$NET.2 DC=$NET.3
loopback_config <<-EOT
	passive:
	  personas_dir: $WORK/personas
	  decoys:
	    - {prefix: $OLD, personas: [old]}
	    - {prefix: $NEW, personas: [new]}
	    - {prefix: $DC, personas: [dc]}
	  services: {smb: {ports: [445]}, msrpc: {ports: [135]}, rdp: {ports: [3389]}, vnc: {ports: [5900]}, ldap: {ports: [389]}, mssql: {ports: [1433]}}
	  workers: 1
EOT
start_kansoku

says() { grep -qaE -- "$1" <<<"$answer" || fail "$2: no \"$1\" in
$answer"; }

# A log-in without NLA, on a desktop that stays open while the others are at work.
exec 7<>"$WORK/display"
Xvfb -displayfd 7 >"$WORK/xvfb" 2>&1 7>&7 &
SERVERS=$!
for _ in $(seq 50); do [ -s "$WORK/display" ] && break; sleep 0.1; done
DISPLAY=:$(cat "$WORK/display") timeout 10 xfreerdp /v:$OLD /u:Administrator /p:Winter2019 /sec:tls /cert:ignore >"$WORK/freerdp" 2>&1 &

# The two that take longest run beside the others.
timeout 60 nmap -n -Pn -sV -p 135,389,445,3389,5900 --script smb-os-discovery,smb-protocols,smb2-security-mode,smb-vuln-ms17-010,smb-vuln-ms08-067,rdp-ntlm-info,vnc-info,ldap-rootdse $OLD >"$WORK/scan" 2>&1 &
NMAP_PID=$!
printf '%s\n' letmein Winter2018 Winter2019 >"$WORK/passwords"
timeout 60 hydra -q -I -t 1 -l Administrator -P "$WORK/passwords" rdp://$NEW >"$WORK/hydra-rdp" 2>&1 &
HYDRA_PID=$!

head -c 300000 /dev/urandom >"$WORK/sample"
share() { # host dialect protection
	answer=$(cd "$WORK" && timeout 20 smbclient -m "$2" ${3:+--client-protection=$3} --option='client min protocol=NT1' "//$1/C$" \
		-U Administrator%Winter2019 -c 'ls; get Windows\win.ini ini; put sample Windows\Temp\s.exe; get Windows\Temp\s.exe back' 2>&1)
	says 'Program Files' "$1 $2"
	grep -q '16-bit' "$WORK/ini" || fail "$1 $2: win.ini is another"
	cmp -n 100000 "$WORK/sample" "$WORK/back" || fail "$1 $2: what was put is not what is got"
	rm "$WORK/ini" "$WORK/back"
}
share $OLD NT1
for dialect in SMB2_02 SMB2_10; do share $OLD $dialect; done
for dialect in SMB3_00 SMB3_11; do share $NEW $dialect encrypt; done
share $NEW SMB3_02
share $DC SMB3_11
share $DC NT1 sign
answer=$(timeout 20 smbclient -L //$NEW -U Administrator%Winter2019 2>&1)
says 'ADMIN\$ +Disk +Remote Admin' 'list of shares'
answer=$(timeout 20 smbclient -L //$NEW -U Administrator%wrong 2>&1)
says 'NT_STATUS_LOGON_FAILURE' 'a wrong password'
answer=$(timeout 20 rpcclient $OLD -U Administrator%Winter2019 -c 'srvinfo; netshareenumall' 2>&1)
says 'os version[[:space:]]+:[[:space:]]+6.1' rpcclient

attack() { # script arguments...
	answer=$(PYTHONWARNINGS=ignore timeout 20 /usr/bin/python3 $EXAMPLES/"$1".py "${@:2}" 2>&1 </dev/null)
}
attack rpcdump $OLD
says 'Received [0-9]+ endpoints' rpcdump
attack samrdump Administrator:Winter2019@$DC
says 'Found user: krbtgt, uid = 502' samrdump
says ' \. CORP' samrdump
attack lookupsid Administrator:Winter2019@$DC
says '512: CORP.Domain Admins' lookupsid
echo 'SELECT @@version' >"$WORK/statements"
attack mssqlclient Administrator:Winter2019@$OLD -windows-auth -file "$WORK/statements"
says 'Microsoft SQL Server 2017' mssqlclient

# nmap 7.93's library fails at every server (issues 2571 and 2622 there); two lines mend it.
mkdir "$WORK/nmap" "$WORK/nmap/nselib"
ln -s /usr/share/nmap/* "$WORK/nmap/" 2>/dev/null
ln -s /usr/share/nmap/nselib/* "$WORK/nmap/nselib/"
rm "$WORK/nmap/nselib/mssql.lua" "$WORK/nmap/nselib/nselib" 2>/dev/null
sed -e 's/local status, instances = Helper.GetDiscoveredInstances(host, port)/local instances = Helper.GetDiscoveredInstances(host, port)\n      local status = instances ~= nil/' \
	-e 's/if #output > 0 then/if next(output) then/' /usr/share/nmap/nselib/mssql.lua >"$WORK/nmap/nselib/mssql.lua"
answer=$(timeout 30 nmap --datadir "$WORK/nmap" -n -Pn -p 445,1433 --script ms-sql-info,ms-sql-ntlm-info,smb-security-mode,smb-double-pulsar-backdoor $DC 2>&1)
says 'name: Microsoft SQL Server 2017 RTM' ms-sql-info
says 'DNS_Domain_Name: corp.example' ms-sql-ntlm-info
says 'message_signing: required' smb-security-mode
grep -q 'Double Pulsar' <<<"$answer" && fail "DoublePulsar on a Windows that it does not run on"

wait $NMAP_PID
answer=$(cat "$WORK/scan")
says '135/tcp +open +msrpc +Microsoft Windows RPC' nmap
says '389/tcp +open +ldap +Microsoft Windows Active Directory LDAP' nmap
says '445/tcp +open +microsoft-ds +.*Windows (7|Server 2008 R2)' nmap
says '3389/tcp +open +ms-wbt-server' nmap
says '5900/tcp +open +vnc +VNC \(protocol 3.8\)' nmap
says 'OS: Windows 7 Professional 7601 Service Pack 1' nmap
says 'Product_Version: 6.1.7601' nmap
says 'ms17-010' nmap
grep -q 'MS08-067' <<<"$answer" && fail "nmap takes Windows 7 for one without MS08-067"
grep -qi honeypot <<<"$answer" && fail "nmap calls it a honeypot"

guess() { # protocol host user
	answer=$(timeout 40 hydra -q -I -t 1 -l "$3" -P "$WORK/passwords" "$1://$2" 2>&1 | sed -n 's/.*password: *//p' | tail -1)
	[ "$answer" = Winter2019 ] || fail "hydra found \"$answer\" at $1 of $2"
}
guess smb $OLD Administrator
guess mssql $OLD Administrator
answer=$(timeout 20 medusa -h $OLD -u Administrator -P "$WORK/passwords" -M smbnt -t 1 2>&1 | grep 'ACCOUNT FOUND')
says 'Password: Winter2019 \[SUCCESS' medusa
[ "$(wc -l <<<"$answer")" = 1 ] || fail "medusa found more: $answer"
attack rdp_check Administrator:Winter2019@$NEW
says 'Access Granted' rdp_check
attack rdp_check Administrator:wrong@$NEW
grep -q 'Access Granted' <<<"$answer" && fail "rdp_check gets in with a wrong password"
answer=$(timeout 20 hydra -q -I -t 1 -P "$WORK/passwords" "vnc://$NEW" 2>&1 | sed -n 's/.*password: *//p')
[ "$answer" = Winter2018 ] || [ "$answer" = Winter2019 ] || fail "hydra found \"$answer\" at vnc" # eight letters count
answer=$(timeout 10 ldapsearch -x -H ldap://$OLD -D 'CORP\Administrator' -w Winter2019 -b DC=corp,DC=local '(objectClass=computer)' 2>&1)
says 'numEntries: 1' ldapsearch
# Where there is a store, what was kept of log-ins is what crackers read, and fits the password.
if [ -d node_modules ]; then
	timeout 10 smbclient -m NT1 --option='client min protocol=NT1' --option='client ntlmv2 auth=no' -L //$OLD -U Administrator%Winter2019 >/dev/null 2>&1
	for _ in $(seq 50); do
		"$KANSOKU" query --private --config "$CONFIG" --format tsv "SELECT value FROM private WHERE field = 'login.proof' AND value NOT LIKE '$%'" 2>/dev/null | sort -u >"$WORK/proofs"
		[ "$(wc -l <"$WORK/proofs")" -ge 10 ] && break
		sleep 0.2
	done
	answer=$("$KANSOKU" query --config "$CONFIG" --format tsv "SELECT count() FROM log WHERE kind = 'login.tried' AND service = 'rdp' AND persona = 'old' AND login_accepted = 1")
	says '^[1-9]' 'log-in without NLA, told'
	answer=$(/usr/bin/python3 tests/e2e/ntlm_proof.py Winter2019 <"$WORK/proofs")
	says '^([1-9][0-9]+|[5-9]) of' 'proofs of the right password'
	answer=$(/usr/bin/python3 tests/e2e/ntlm_proof.py Winter2017 <"$WORK/proofs")
	says '^0 of [0-9]' 'proofs of a password that nobody sent'
fi
echo "clients, nmap and hydra take the decoys for Windows"
