#!/bin/bash
# Decoys of Windows met with the clients of Samba, FreeRDP and OpenLDAP, with nmap and hydra.
# Exit status 0: all held, 1: the last lines say what did not, 77: a client is missing.
. "$(dirname "$0")/lib.sh"
for client in smbclient rpcclient nmap hydra ldapsearch; do
	command -v $client >/dev/null || skip "$client is missing"
done
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
	  smb: {system: $2}
	  msrpc: {}
	  rdp: {}
	  vnc: {}
	  ldap: {}
	EOT
}
persona old windows-7 Winter2019
persona new windows-10 Winter2019
OLD=127.77.$((1 + $$ % 250)).1 NEW=127.77.$((1 + $$ % 250)).2
loopback_config <<-EOT
	passive:
	  personas_dir: $WORK/personas
	  decoys:
	    - {prefix: $OLD, personas: [old]}
	    - {prefix: $NEW, personas: [new]}
	  services: {smb: {ports: [445]}, msrpc: {ports: [135]}, rdp: {ports: [3389]}, vnc: {ports: [5900]}, ldap: {ports: [389]}}
	  workers: 1
EOT
start_kansoku

says() { grep -qaE -- "$1" <<<"$answer" || fail "$2: no \"$1\" in
$answer"; }

head -c 300000 /dev/urandom >"$WORK/sample"
share() { # host dialect
	answer=$(cd "$WORK" && timeout 20 smbclient -m "$2" --option='client min protocol=NT1' "//$1/C$" \
		-U Administrator%Winter2019 -c 'ls; get Windows\win.ini ini; put sample Windows\Temp\s.exe; get Windows\Temp\s.exe back' 2>&1)
	says 'Program Files' "$1 $2"
	grep -q '16-bit' "$WORK/ini" || fail "$1 $2: win.ini is another"
	cmp -n 100000 "$WORK/sample" "$WORK/back" || fail "$1 $2: what was put is not what is got"
	rm "$WORK/ini" "$WORK/back"
}
share $OLD NT1
for dialect in SMB2_02 SMB2_10; do share $OLD $dialect; done
for dialect in SMB3_00 SMB3_02 SMB3_11; do share $NEW $dialect; done
answer=$(timeout 20 smbclient -L //$NEW -U Administrator%Winter2019 2>&1)
says 'ADMIN\$ +Disk +Remote Admin' 'list of shares'
answer=$(timeout 20 smbclient -L //$NEW -U Administrator%wrong 2>&1)
says 'NT_STATUS_LOGON_FAILURE' 'a wrong password'
answer=$(timeout 20 rpcclient $OLD -U Administrator%Winter2019 -c 'srvinfo; netshareenumall' 2>&1)
says 'os version[[:space:]]+:[[:space:]]+6.1' rpcclient

answer=$(timeout 60 nmap -n -Pn -sV -p 135,389,445,3389,5900 --script smb-os-discovery,smb-protocols,smb2-security-mode,smb-vuln-ms17-010,rdp-ntlm-info,vnc-info,ldap-rootdse $OLD 2>&1)
says '135/tcp +open +msrpc +Microsoft Windows RPC' nmap
says '389/tcp +open +ldap +Microsoft Windows Active Directory LDAP' nmap
says '445/tcp +open +microsoft-ds +.*Windows (7|Server 2008 R2)' nmap
says '3389/tcp +open +ms-wbt-server' nmap
says '5900/tcp +open +vnc +VNC \(protocol 3.8\)' nmap
says 'OS: Windows 7 Professional 7601 Service Pack 1' nmap
says 'Product_Version: 6.1.7601' nmap
says 'State: VULNERABLE' nmap
grep -qi honeypot <<<"$answer" && fail "nmap calls it a honeypot"

printf '%s\n' letmein Winter2018 Winter2019 >"$WORK/passwords"
guess() { # protocol host user
	answer=$(timeout 40 hydra -q -I -t 1 -l "$3" -P "$WORK/passwords" "$1://$2" 2>&1 | sed -n 's/.*password: *//p' | tail -1)
	[ "$answer" = Winter2019 ] || fail "hydra found \"$answer\" at $1 of $2"
}
guess smb $OLD Administrator
guess rdp $NEW Administrator
guess ldap2 $OLD 'CORP\Administrator'
answer=$(timeout 20 hydra -q -I -t 1 -P "$WORK/passwords" "vnc://$NEW" 2>&1 | sed -n 's/.*password: *//p')
[ "$answer" = Winter2018 ] || [ "$answer" = Winter2019 ] || fail "hydra found \"$answer\" at vnc" # eight letters count
answer=$(timeout 10 ldapsearch -x -H ldap://$OLD -D 'CORP\Administrator' -w Winter2019 -b DC=corp,DC=local '(objectClass=computer)' 2>&1)
says 'numEntries: 1' ldapsearch
echo "clients, nmap and hydra take the decoys for Windows"
