#!/bin/bash
# Samples of eleven architectures run in boxes, as root and as a user; bots of our own are seen for what
# they are; and nothing leaves: a capture on all devices shows only the packet that proves it works.
. "$(dirname "$0")/lib.sh"
need_root
RUN=${RUN:-build/plain/program/tests/e2e/lab_run}
[ -x "$RUN" ] || make -s "$RUN" || fail "the program beside this test cannot be built"
for tool in bwrap busybox qemu-mips-static tcpdump; do
	[ -n "$(command -v $tool)" ] || skip "$tool is missing"
done
cd tests/samples || exit 2
RUN=$OLDPWD/$RUN

tcpdump -i any -s 4096 -B 32768 -U --immediate-mode -w "$WORK/any.pcap" >"$WORK/tcpdump" 2>&1 &
CAPTURE_PID=$!
for _ in $(seq 50); do grep -qs listening "$WORK/tcpdump" && break; sleep 0.1; done

out() { timeout 60 "$RUN" "$@" >"$WORK/out" 2>&1; }
saw() { grep -qE "$1" "$WORK/out" || { cat "$WORK/out"; fail "$2: nothing like $1"; }; }
never() { grep -qE "$1" "$WORK/out" && { cat "$WORK/out"; fail "$2: there is $1"; }; true; }
build() { # compiler source program
	[ -n "$(command -v "$1")" ] || { echo "$1 is missing: not tried"; return 1; }
	"$1" -static -Os ${4:-} -o "$WORK/$3" "$2" || fail "$2 cannot be built by $1"
}

ran=0
one() { # compiler word machine
	build "$1" first.c "first.$2" || return
	for uid in 0 1000; do
		out "$WORK/first.$2" $uid 20
		saw "^output Linux localhost [0-9.]+ $3 uid $uid\$" "$2"
		never '^output Linux [^ ]+ '"$(uname -r)" "$2 shows our kernel"
		saw '^it ran$' "$2: its script"
		saw '^did hide \| dropbear \| renames itself' "$2"
		saw '^did hide \| /tmp/first.* \| deletes its own file' "$2"
		saw '^did process \| .first "an argument" \| /tmp/.first' "$2"
		saw '^dropped /tmp/.first ' "$2"
		saw '^indicator endpoint \| cnc.hidden.example:4001 \| .* memory' "$2"
		ran=$((ran + 1))
	done
}
one gcc x86-64 x86_64
one i686-linux-gnu-gcc i386 i686
one arm-linux-gnueabi-gcc arm armv.*
one aarch64-linux-gnu-gcc aarch64 aarch64
one mips-linux-gnu-gcc mips mips
one mipsel-linux-gnu-gcc mipsel mips
one powerpc-linux-gnu-gcc powerpc ppc
one sparc64-linux-gnu-gcc sparc64 sparc64
one m68k-linux-gnu-gcc m68k m68k
one riscv64-linux-gnu-gcc riscv64 riscv64
if build sh4-linux-gnu-gcc plain.c plain.sh4 "-O1 -nostdlib -fno-builtin -fno-stack-protector"; then
	for uid in 0 1000; do
		out "$WORK/plain.sh4" $uid 20
		saw '^output it ran$' sh4
		saw '^dropped /tmp/.plain ' sh4
		saw '^did connect \| 198.51.100.44:4444 \| tcp' sh4
		ran=$((ran + 1))
	done
fi
[ $ran -gt 0 ] || fail "no architecture was tried"
echo "$ran runs over all architectures"

build mips-linux-gnu-gcc mirai.c mirai && out "$WORK/mirai" 0 20
saw '^did scan \| 23 \| tcp \| 10[0-9] times' mirai
saw '^did command \| cnc.mirai.example:23 \| ' mirai
saw '^did listen \| 127.0.0.1:48101 ' mirai
saw '^did kill \| telnetd \| SIGKILL' mirai
saw '^did other \| /dev/watchdog' mirai
saw '^indicator domain \| cnc.mirai.example \| command \| .*memory' mirai
saw '^hello cnc.mirai.example:23 [0-9]+ registers' mirai
never '^indicator endpoint \| 198.51.100' "mirai: victims of a scan"

build gcc gafgyt.c gafgyt && out "$WORK/gafgyt" 0 20
saw '^did command \| 198.51.100.200:666 \| ' gafgyt
saw '^did flood \| 203.0.113.9:8080 \| udp \| 5000 times' gafgyt
saw '^indicator endpoint \| 203.0.113.9:8080 \| victim' gafgyt

build gcc miner.c miner && out "$WORK/miner" 0 20
saw '^did persist \| /etc/cron.d/update \| cron' miner
saw '^did persist \| /root/.ssh/authorized_keys \| ssh key' miner
saw '^did hide \| /var/log/wtmp \| clears logs' miner
saw '^did command \| pool.miner.example:3333 \| ' miner
saw '^indicator wallet \| 48edf' miner
out "$WORK/miner" 1000 20 # without rights it cannot stay
saw '^did command \| pool.miner.example:3333 \| ' "miner as a user"
never '^dropped /etc/cron' "miner as a user"

build gcc ransom.c ransom && out "$WORK/ransom" 1000 20
saw '^dropped /tmp/documents/README_TO_DECRYPT.txt ' ransom
saw '^did file \| /tmp/documents/4.txt.locked \| created' ransom

build gcc mozi.c mozi && out "$WORK/mozi" 0 20
saw '^did resolve \| dht.peers.example ' mozi
saw '^did connect \| dht.peers.example:6881 \| udp' mozi
saw '^did persist \| /etc/rcS.d \| rc' mozi

out dropper.sh 0 20
saw '^indicator url \| http://203.0.113.80/bins/bot.mips \| download' dropper
saw '^did process \| ./.b_mips dropper.exploit' dropper
saw '^did persist \| /var/spool/cron/crontabs/root \| cron' dropper
saw '^did hide \| /tmp/dropper.sh \| deletes its own file' dropper

# Killed in the midst of a run: its box, its keeper, its sink and their mounts go with it.
mounts=$(wc -l </proc/self/mounts)
printf 'while :; do sleep 1; done\n' >"$WORK/stay.$$"
"$RUN" "$WORK/stay.$$" 0 60 >/dev/null 2>&1 &
stays=$!
for _ in $(seq 50); do pgrep -f "^/bin/sh /tmp/stay.$$" >/dev/null && break; sleep 0.1; done
pgrep -f "^/bin/sh /tmp/stay.$$" >/dev/null || fail "the sample that stays did not start"
kill -9 $stays
wait $stays 2>/dev/null
for _ in $(seq 50); do pgrep -f "^/bin/sh /tmp/stay.$$" >/dev/null || break; sleep 0.1; done
pgrep -f "^/bin/sh /tmp/stay.$$" >/dev/null && fail "a sample outlives who ran it"
[ "$(wc -l </proc/self/mounts)" = "$mounts" ] || fail "something is still mounted"

# The positive control, then what else there was: nothing.
ping -c 1 -W 1 127.0.0.1 >/dev/null 2>&1 || bash -c 'echo control >/dev/udp/127.0.0.1/9'
sleep 0.5
kill -INT $CAPTURE_PID && wait $CAPTURE_PID
CAPTURE_PID=
capture_is_whole "$WORK/tcpdump"
others=$(tcpdump -n -r "$WORK/any.pcap" 2>/dev/null | grep -vE 'IP 127.0.0.1|IP6 ::1' || true)
[ "$(tcpdump -n -r "$WORK/any.pcap" 2>/dev/null | grep -c '127.0.0.1')" -gt 0 ] || fail "the capture saw nothing at all"
[ -z "$others" ] || fail "packets left: $others"
for left in /tmp/kansoku-run.$stays.* /dev/shm/kansoku-run.$stays.*; do [ -e "$left" ] && fail "$left was left"; done
echo "contained: nothing but the control on any device"
