#!/bin/bash
# A program for Windows runs under Wine in a box, as root and as a user: its file, its connection and its hello are
# seen, Wine's own doing is not; a 32-bit one is refused with a reason.
. "$(dirname "$0")/lib.sh"
need_root
RUN=build/plain/program/tests/e2e/lab_run
[ -x "$RUN" ] || make -s "$RUN" || fail "the program beside this test cannot be built"
for tool in bwrap busybox x86_64-w64-mingw32-gcc; do
	[ -n "$(command -v $tool)" ] || skip "$tool is missing"
done
[ -x /usr/lib/wine/wine64 ] || skip "wine64 is missing"
x86_64-w64-mingw32-gcc -Os -o "$WORK/bot.exe" tests/samples/windows.c -lws2_32 -ladvapi32 || fail "no program could be built"
saw() { grep -qxE "$1" "$WORK/out" || { head -60 "$WORK/out"; fail "as $uid, nothing like $1"; }; }

# Wine 8.0 falls over itself now and then at its start, whatever runs: that run is no test.
ran() {
	for _ in 1 2 3; do
		timeout 120 "$RUN" "$WORK/bot.exe" $uid $1 >"$WORK/out" 2>&1
		grep -q 'Unhandled page fault' "$WORK/out" || return 0
	done
}
uid=0
ran 5 # the first run makes C:, the ones after it have it
for uid in 0 1000; do
	ran 7
	saw "how wine uid $uid status .*"
	saw 'did file \| C:\\windows\\temp\\dropped.bin \| created \| 1 times, .*'
	saw 'did connect \| 203.0.113.99:4444 \| tcp \| .*'
	saw 'indicator endpoint \| 203.0.113.99:4444 \| command \| run: connect \| [0-9]+'
	saw 'dropped C:\\windows\\temp\\dropped.bin [0-9a-f]{64} 19'
	saw 'hello 203.0.113.99:4444 20 .*'
	others=$(grep -cE '^did (file|process)' "$WORK/out")
	[ "$others" -le 4 ] || { cat "$WORK/out"; fail "Wine's own doing is told as the sample's"; }
done
if [ -n "$(command -v i686-w64-mingw32-gcc)" ]; then
	i686-w64-mingw32-gcc -Os -o "$WORK/bot.exe" tests/samples/windows.c -lws2_32 -ladvapi32
	timeout 60 "$RUN" "$WORK/bot.exe" 0 5 >"$WORK/out" 2>&1 && fail "a 32-bit program was run"
	grep -q 'fault lab: Windows programs for "i386" are not run here' "$WORK/out" || { cat "$WORK/out"; fail "no reason"; }
fi
echo "a Windows program was run as root and as a user, and seen for what it does"
