#!/bin/bash
# What the kernel says of each process of a running kansoku with every role there is: closed in by
# seccomp, unable to gain rights, without capabilities, none of them root where there is root, each
# role as a user of its own, and no socket with whoever has no business with it.
. "$(dirname "$0")/lib.sh"
ROLES=$("$KANSOKU" describe roles --json | tr -d '\n' | grep -o '"role":"[a-z]*"' | cut -d'"' -f4)
[ -n "$ROLES" ] || fail "describe names no role"
mkdir "$WORK/logs"; : >"$WORK/logs/eve.json"; chmod 755 "$WORK/logs"
# The relay runs where a persona has a real machine behind it, which lives in a network of its own.
mkdir "$WORK/personas"
printf 'name: gate\nservices:\n  telnet: {ports: [%s]%s}\n  http: {ports: [%s]}\n' $TELNET_PORT \
	"$([ "$(id -u)" = 0 ] && echo ', backend: {address: 10.99.0.2, port: 23}')" $HTTP_PORT >"$WORK/personas/gate.yaml"
relay=
if [ "$(id -u)" = 0 ]; then
	INSIDE=kansoku-backends-$$ # lib.sh removes it
	ip netns add $INSIDE || skip "network namespaces cannot be made here"
	relay="relay: {namespace: $INSIDE}"
else
	ROLES=$(grep -vx relay <<<"$ROLES")
fi
loopback_config <<EOT
$relay
operator: {name: Test, contact: test@example.org}
passive:
  workers: 2
  personas_dir: $WORK/personas
  services: {telnet: {ports: [$TELNET_PORT]}, http: {ports: [$HTTP_PORT]}}
active: {scope: [{prefix: 127.0.0.0/8, special: allow}], page: {port: $((BASE_PORT + 3))}}
partners: {port: $((BASE_PORT + 4))}
telescope: {interface: lo, workers: 2, prefixes: [{prefix: 198.18.0.0/24}]}
notify: {ways: [{name: news, way: file, to: $WORK/logs/news}]}
rules: [{on: command.sent, do: visit}, {on: campaign.found, do: notify}]
sensors: {follow: [{name: suricata, format: eve, path: $WORK/logs/eve.json}]}
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
for role in $ROLES; do
	[[ $names == *" $role="* ]] || fail "no process of $role among:$names"
done
roles=$(wc -w <<<"$ROLES") processes=$(wc -w <<<"$names")
[ "$processes" = $((roles + 2)) ] || fail "$roles roles, passive and telescope with two workers; there are:$names"
if [ "$(id -u)" = 0 ]; then
	[ "$(tr ' ' '\n' <<<"$names" | sort -u | grep -c .)" = "$roles" ] || fail "two processes of one role differ:$names"
	[ "$(sed 's/ [a-z]*=/\n/g' <<<"$names" | sort -u | grep -c .)" = "$roles" ] || fail "two roles share a user:$names"
fi

# sockets PID: of its sockets those of the network, a line for each: protocol and what the kernel says.
sockets() {
	local protocol
	ls -l "/proc/$1/fd" 2>/dev/null | grep -o 'socket:\[[0-9]*\]' | tr -dc '0-9\n' >"$WORK/sockets"
	[ -s "$WORK/sockets" ] || [ "$(id -u)" != 0 ] || echo "none that could be seen, not even its own channel"
	for protocol in tcp tcp6 udp udp6 udplite udplite6 raw raw6 icmp icmp6 packet; do
		awk -v protocol=$protocol 'NR == FNR {own[$1]; next}
			(protocol == "packet" ? $9 : $10) in own {print protocol, $0}' "$WORK/sockets" \
			<(cat "/proc/$1/net/$protocol" 2>/dev/null)
	done
}
# Who has no business with the network holds none of its sockets.  The telescope hears through one
# packet socket and active through its own (how a host answered), where there is the right to
# capture; nothing can be sent through them: that is a second filter beside the sandbox's.
captures=$([ "$(id -u)" = 0 ] && ! grep -q 'cannot be captured from' "$LOG" && echo 1 || echo 0)
for pid in $(pgrep -P $KANSOKU_PID); do
	role=$(tr '\0' '\n' <"/proc/$pid/cmdline" | tail -1)
	held=$(sockets "$pid")
	filters=$(field "$pid" Seccomp_filters)
	packet=$(grep -c '^packet' <<<"$held")
	case $role in
	passive | web | page | partners)
		! grep -q '^packet\|^raw\|seen' <<<"$held" || fail "$role holds $held" ;;
	telescope | active)
		[ $role = active ] || [ "$packet" = "$captures" ] || fail "$role holds not $captures packet sockets: $held"
		! grep -q '^[^p]' <<<"$held" || fail "$role holds $held"
		[ "$packet" = 0 ] || [ -z "$filters" ] || [ "$filters" -ge 2 ] || fail "$role may send through its packet socket" ;;
	*)
		[ -z "$held" ] || fail "$role holds a network socket: $held" ;;
	esac
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
