#!/bin/sh
# A decoy's web server met with curl and nmap.
#   HOST=127.0.0.1 PORT=8080 PERSONA=camera tests/e2e/http.sh
# Exit status 0: all held, 1: the last line says what did not, 77: a client is missing.
set -u
HOST=${HOST:-127.0.0.1}
PORT=${PORT:-8080}
PERSONA=${PERSONA:-camera}
URL=http://$HOST:$PORT
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

fail()
{
	echo "http.sh: $PERSONA: $1" >&2
	exit 1
}

# status EXPECTED WHAT CURL-ARGUMENTS...
status()
{
	want=$1 what=$2
	shift 2
	got=$(curl -s -m 20 -o "$WORK/body" -D "$WORK/head" -w '%{http_code}' "$@")
	[ "$got" = "$want" ] || fail "$what: status $got, expected $want"
}

holds() { grep -q -- "$2" "$WORK/$1" || fail "$3: no \"$2\" in the $1"; }

for client in curl nmap; do
	command -v $client >/dev/null || { echo "http.sh: $client is missing" >&2; exit 77; }
done

case $PERSONA in
camera)
	server='GoAhead WebServer'
	status 401 'page without password' "$URL/"
	holds head 'Digest realm="WIFICAM"' 'challenge'
	status 401 'digest with a wrong password' --digest -u admin:wrong "$URL/"
	status 200 'digest' --digest -u admin:admin "$URL/get_status.cgi"
	holds body 'realdeviceid' 'status page'
	status 200 'basic' -u admin:admin "$URL/main.htm"
	status 200 'form' -c "$WORK/jar" -d 'loginuse=admin&loginpas=admin' "$URL/login.cgi"
	status 200 'cookie' -b "$WORK/jar" "$URL/main.htm"
	status 200 'picture' -u admin:admin "$URL/snapshot.cgi"
	head -c 600 /dev/urandom > "$WORK/firmware.bin"
	status 200 'upload in a form' -u admin:admin -F "file=@$WORK/firmware.bin" "$URL/upgrade_firmware.cgi"
	status 400 'PUT' -T "$WORK/firmware.bin" "$URL/x"
	status 404 'no such page' "$URL/nice%20ports%2C/Tri%6Eity.txt%2ebak"
	;;
dvr)
	server='uc-httpd 1.0.0'
	status 200 'login page' "$URL/"
	holds body 'NETSurveillance' 'login page'
	status 200 'form with a wrong password' -d 'command=login&username=admin&password=x' "$URL/Login.htm"
	holds body 'Log in failed' 'refusal'
	status 200 'form' -c "$WORK/jar" -d 'command=login&username=admin&password=' "$URL/Login.htm"
	status 200 'cookie' -b "$WORK/jar" "$URL/DVR.htm"
	holds body 'Channels' 'main page'
	status 200 'traversal' --path-as-is "$URL/../../../etc/passwd"
	holds body 'root:' 'traversal'
	status 404 'no such page' "$URL/shell?cd+/tmp"
	;;
router)
	server='TP-LINK WR841N'
	status 401 'page without password' "$URL/"
	status 401 'wrong password' -u admin:wrong "$URL/"
	status 200 'basic' -u admin:admin "$URL/userRpm/StatusRpm.htm"
	holds body 'wanPara' 'status page'
	;;
*)
	fail 'no such persona here; camera, dvr and router are known'
	;;
esac

first=$(curl -s -m 20 -D - -o /dev/null "$URL/" | tr -d '\r' | head -1)
old=$(curl -s -m 20 --http1.0 -D - -o /dev/null "$URL/" | tr -d '\r' | head -1)
[ -n "$first" ] && [ -n "$old" ] || fail 'HTTP/1.1 and HTTP/1.0 are both answered'
curl -s -m 20 -I "$URL/" >"$WORK/head" || fail 'HEAD is answered'
curl -s -m 20 --http0.9 "$URL/" >/dev/null || fail 'a client that accepts HTTP/0.9 is answered'

nmap -n -Pn -sV -p "$PORT" "$HOST" >"$WORK/nmap" 2>&1
grep -q "$server" "$WORK/nmap" || { cat "$WORK/nmap" >&2; fail "nmap names it $server"; }
grep -qi honeypot "$WORK/nmap" && fail 'nmap calls it a honeypot'
echo "http.sh: $PERSONA: as expected, nmap says $(grep "^$PORT/tcp" "$WORK/nmap")"
