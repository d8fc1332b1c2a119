#!/bin/bash
# What the kernel says of each process of a running kansoku: closed in by seccomp, unable to gain
# rights, without capabilities, none of them root where there is root, each role as a user of its own.
. "$(dirname "$0")/lib.sh"
loopback_config <<EOT
operator: {name: Test, contact: test@example.org}
passive:
  workers: 2
  services: {telnet: {ports: [$TELNET_PORT]}, http: {ports: [$HTTP_PORT]}}
active: {scope: [{prefix: 127.0.0.0/8, special: allow}]}
EOT
start_kansoku
for _ in $(seq 50); do query 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.2; done

field() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
judge() { # what, pid
	local what=$1 pid=$2 task
	for task in /proc/$pid/task/*; do # also every thread of its libraries
		[ "$(sed -n 's/^Seccomp:[[:space:]]*//p' "$task/status")" = 2 ] || fail "$what, thread ${task##*/}: no seccomp filter"
		[ "$(sed -n 's/^NoNewPrivs:[[:space:]]*//p' "$task/status")" = 1 ] || fail "$what, thread ${task##*/}: may gain rights"
	done
	for set in CapEff CapPrm CapInh CapAmb; do
		[ "$(field $pid $set)" = 0000000000000000 ] || fail "$what: $set is $(field $pid $set)"
	done
	# Root only where own users could not reach the program, said loudly; the capabilities are gone.
	[ "$(id -u)" != 0 ] || [ "$(field $pid Uid | cut -f1)" != 0 ] ||
		grep -q 'closed to other users: processes stay root' "$LOG" || fail "$what runs as root"
	[ "$(field $pid Uid | tr '\t' '\n' | sort -u | wc -l)" = 1 ] || fail "$what has several users: $(field $pid Uid)"
	[ "$(id -u)" != 0 ] || [ -z "$(field $pid Groups | xargs)" ] || fail "$what is in the groups $(field $pid Groups)"
}

names=
for pid in $(pgrep -P $KANSOKU_PID); do
	what=$(tr '\0' '\n' <"/proc/$pid/cmdline" | tail -1)
	judge "$what" "$pid"
	names="$names $what=$(field $pid Uid | cut -f1)"
done
for role in active control journal passive store web; do
	[[ $names == *" $role="* ]] || fail "no process of $role among:$names"
done
[ "$(pgrep -P $KANSOKU_PID | wc -l)" = 7 ] || fail "seven processes were expected:$names"
if [ "$(id -u)" = 0 ]; then
	[ "$(tr ' ' '\n' <<<"$names" | sort -u | grep -c .)" = 6 ] || fail "two processes of one role differ:$names"
	[ "$(sed 's/ [a-z]*=/\n/g' <<<"$names" | sort -u | grep -c .)" = 6 ] || fail "two roles share a user:$names"
fi

# Who has no business with the network holds none of its sockets.
for role in control journal store; do
	ls -l "/proc/$(role_pid $role)/fd" 2>/dev/null | grep -o 'socket:\[[0-9]*\]' | tr -dc '0-9\n' >"$WORK/sockets"
	[ -s "$WORK/sockets" ] || [ "$(id -u)" != 0 ] || fail "the sockets of $role cannot be seen"
	cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 2>/dev/null |
		awk 'NR == FNR {own[$1]; next} $10 in own {print; bad = 1} END {exit !bad}' "$WORK/sockets" - >"$WORK/found" &&
		fail "$role holds a network socket: $(cat "$WORK/found")"
done
# One who is restarted is closed in again.
kill -9 "$(role_pid control)"
for _ in $(seq 50); do
	pid=$(role_pid control)
	[ -n "$pid" ] && [ "$(field "$pid" Seccomp)" = 2 ] && break
	sleep 0.1
done
sleep 0.5
judge "control after its return" "$(role_pid control)"
stop_kansoku || fail "it did not end in order"
echo "sandbox: each process is closed in, nobody's:$names"
