#!/bin/bash
# What goes wrong around the store, and that nothing acknowledged is lost: chDB's library
# missing, a full disk, a torn journal.  The random kills are tests/e2e/store_kill.c.
. "$(dirname "$0")/lib.sh"
need_root
command -v curl >/dev/null || skip "curl is missing"
mkdir -p "$STATE" && mount -t tmpfs -o size=96m,mode=711 kansoku-e2e "$STATE" || skip "no tmpfs can be mounted here"
finish() { cleanup 2>/dev/null; umount "$STATE" 2>/dev/null; rm -rf "$WORK"; }
trap finish EXIT

config() { # further YAML for the section store
	loopback_config <<-EOT
	store: {linger: 100ms$1}
	passive:
	  decoys: [{prefix: 127.21.8.1, personas: [camera]}]
	  services: {http: {ports: [$HTTP_PORT]}}
	  workers: 1
	EOT
}
visit() { curl -s -m 10 -o /dev/null "http://127.21.8.1:$HTTP_PORT/$1"; }
count() { query "SELECT count() FROM log WHERE kind = 'request.seen' AND arrayExists(v -> position(v, '$1') > 0, value)"; }
wait_count() { # marker number
	for _ in $(seq 150); do
		[ "$(count "$1" 2>/dev/null)" = "$2" ] && return
		sleep 0.2
	done
	fail "$1: $(count "$1") of $2 events are in the store"
}

# The library is missing: said, with the remedy; the decoys work, and nothing is lost.
config ", library: $WORK/none.so"
start_kansoku --only journal,store,control,passive
for i in 1 2 3; do visit without-library; done
grep -q 'none.so cannot be read; run `npm ci' "$LOG" || fail "no clear message about the library"
query 'SELECT 1' >/dev/null 2>&1 && fail "an answer without a library"
stop_kansoku

config ""
start_kansoku --only journal,store,control,passive
wait_count without-library 3

# The disk is full: said once, nothing acknowledged, and all of it arrives when there is room.
visit before-full; wait_count before-full 1
dd if=/dev/zero of="$STATE/fill" bs=64k 2>/dev/null
for i in $(seq 40); do visit while-full; done
for _ in $(seq 50); do grep -q 'journal: cannot write' "$LOG" && break; sleep 0.2; done
grep -q 'journal: cannot write' "$LOG" || fail "no clear message about the full disk"
[ "$(grep -c 'journal: cannot write' "$LOG")" -le 3 ] || fail "the message is repeated"
rm "$STATE/fill"
wait_count while-full 40
grep -q 'journal: can write again' "$LOG" || fail "no word that it goes on"

# A journal torn by a crash: cut, said, and the rest is there.
kill -9 "$(role_pid store)" "$(role_pid journal)"
sleep 1
visit after-crash; wait_count after-crash 1
stop_kansoku
last=$(ls "$STATE"/journal/*.journal | tail -1)
printf 'GRP1\0\0\1\0half of a group' >>"$last"
start_kansoku --only journal,store,control,passive
grep -q 'cut off .* bytes that a crash left half written' "$LOG" || fail "no word about the torn tail"
visit after-tear; wait_count after-tear 1
for marker in without-library:3 before-full:1 while-full:40 after-crash:1; do
	[ "$(count "${marker%:*}")" = "${marker#*:}" ] || fail "$marker: $(count "${marker%:*}") are left"
done
"$KANSOKU" run --config "$CONFIG" >"$WORK/second" 2>&1 && fail "two kansoku on one directory"
grep -q 'another kansoku is using this directory' "$WORK/second" || fail "no clear message about the lock"
stop_kansoku || fail "it did not end well"
echo "store: nothing lost, nothing doubled, and every trouble named"
