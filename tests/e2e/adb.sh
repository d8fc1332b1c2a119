#!/bin/bash
# The ADB decoy with Android's own client: a worm's way in, and what it leaves.
. "$(dirname "$0")/lib.sh"
command -v adb >/dev/null || skip "adb is missing"
PORT=$BASE_PORT
# A recorder that has the bridge, beside what its file gives it.
mkdir "$WORK/personas"
sed 's/^services:/services:\n  adb: {}/' etc/personas/dvr.yaml >"$WORK/personas/dvr.yaml"
loopback_config <<EOT
passive:
  personas_dir: $WORK/personas
  decoys: [{prefix: 127.0.0.1, personas: [dvr]}]
  services: {adb: {ports: [$PORT]}, telnet: {ports: [$TELNET_PORT]}}
EOT
[ $PORT = $TELNET_PORT ] && sed -i "s/telnet: {ports: \[$TELNET_PORT\]}/telnet: {ports: [$((BASE_PORT + 3))]}/" "$CONFIG"
start_kansoku
export HOME=$WORK ANDROID_ADB_SERVER_PORT=$((BASE_PORT + 4))
trap 'timeout 5 adb kill-server 2>/dev/null; cleanup' EXIT
device=127.0.0.1:$PORT
client() { timeout 20 adb -s $device "$@"; }
timeout 20 adb connect $device >"$WORK/out" 2>&1
grep -q "connected to $device" "$WORK/out" || fail "adb does not connect: $(cat "$WORK/out")"
timeout 20 adb devices -l | grep -q 'device product:p201 model:MXQ' || fail "adb sees another device: $(adb devices -l)"
client shell 'uname -m; id -u' | tr -d '\r' >"$WORK/out"
[ "$(paste -sd' ' "$WORK/out")" = "armv7l 0" ] || fail "the shell answers: $(cat "$WORK/out")"
head -c 70000 /dev/urandom >"$WORK/bot.arm7"
client push "$WORK/bot.arm7" /tmp/bot.arm7 >"$WORK/out" 2>&1 || fail "push: $(cat "$WORK/out")"
[ "$(client shell 'ls -l /tmp/bot.arm7' | awk '{print $5}')" = 70000 ] || fail "the pushed file is not there"
client pull /tmp/bot.arm7 "$WORK/back" >"$WORK/out" 2>&1 || fail "pull: $(cat "$WORK/out")"
cmp -s "$WORK/bot.arm7" "$WORK/back" || fail "another file came back"
client push "$WORK/bot.arm7" /proc/bot >"$WORK/out" 2>&1 && fail "a file can be pushed into /proc"
printf 'cd /tmp\nls\nexit\n' | client shell | tr -d '\r' | grep -q '^bot.arm7' || fail "the terminal does not list the file"
client forward tcp:$HTTP_PORT tcp:80 >/dev/null 2>&1 || fail "a forward cannot be asked for"
reached=$(timeout 3 bash -c "exec 3<>/dev/tcp/127.0.0.1/$HTTP_PORT; echo x >&3; cat <&3" 2>/dev/null)
[ -z "$reached" ] || fail "a forward reached somebody: $reached"
digest=$(sha256sum "$WORK/bot.arm7" | cut -d' ' -f1)
for _ in $(seq 50); do
	kept=$(query "SELECT count() FROM events WHERE service = 'adb' AND kind = 'file.captured' AND file_sha256 = '$digest'" 2>/dev/null)
	[ "${kept:-0}" -ge 1 ] && exit 0
	sleep 0.2
done
fail "the pushed file was not captured"
