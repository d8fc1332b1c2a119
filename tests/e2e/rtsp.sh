#!/bin/bash
# The RTSP decoy: players see its picture, password guessers find the planted account.
. "$(dirname "$0")/lib.sh"
for client in ffmpeg ffprobe hydra nmap; do command -v $client >/dev/null || skip "$client is missing"; done
PORT=$BASE_PORT
loopback_config <<EOT
passive:
  decoys: [{prefix: 127.0.0.1, personas: [camera]}]
  services: {rtsp: {ports: [$PORT]}}
EOT
start_kansoku
at=127.0.0.1:$PORT
timeout 20 ffprobe -v error -show_streams rtsp://admin:admin@$at/live >"$WORK/stream" 2>"$WORK/errors" ||
	fail "ffprobe finds no stream: $(cat "$WORK/errors")"
grep -q '^codec_name=h264$' "$WORK/stream" && grep -q '^width=352$' "$WORK/stream" || fail "another stream: $(cat "$WORK/stream")"
# It asks for UDP first, is refused, and takes the connection.
timeout 20 ffmpeg -v error -y -i rtsp://admin:admin@$at/live -frames:v 2 "$WORK/frame%d.png" 2>"$WORK/errors"
[ -s "$WORK/frame2.png" ] || fail "no second frame: $(cat "$WORK/errors")"
grep -i 'decod\|corrupt' "$WORK/errors" && fail "the picture cannot be decoded"
timeout 20 ffprobe -v error rtsp://admin:wrong@$at/live 2>"$WORK/errors" && fail "a wrong password gets in"
grep -q 401 "$WORK/errors" || fail "a wrong password is refused otherwise: $(cat "$WORK/errors")"
printf '%s\n' 1234 letmein admin hikvision >"$WORK/passwords"
timeout 60 hydra -l admin -P "$WORK/passwords" -s $PORT -t 2 127.0.0.1 rtsp >"$WORK/hydra" 2>&1
[ "$(grep -c 'password:' "$WORK/hydra")" = 1 ] && grep -q 'password: admin$' "$WORK/hydra" || fail "hydra: $(cat "$WORK/hydra")"
nmap -n -Pn -sV -p $PORT 127.0.0.1 >"$WORK/nmap"
grep -q "$PORT/tcp open *rtsp" "$WORK/nmap" || fail "nmap: $(cat "$WORK/nmap")"
grep -qi honeypot "$WORK/nmap" && fail "nmap names a honeypot"
for _ in $(seq 50); do
	accepted=$(query "SELECT count() FROM events WHERE service = 'rtsp' AND kind = 'login.tried' AND login_accepted" 2>/dev/null)
	[ "${accepted:-0}" -ge 3 ] && exit 0
	sleep 0.2
done
fail "log-ins that were accepted: ${accepted:-none are told}"
