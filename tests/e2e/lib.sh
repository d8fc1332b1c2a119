# Sourced by the tests beside it: a kansoku of their own on loopback, ended when they end.
#
#   start_kansoku            with $CONFIG (written by loopback_config) and waits until it is ready
#   stop_kansoku             SIGTERM, and waits
#   fail SENTENCE, skip SENTENCE
#
# KANSOKU names the program; KEEP=1 keeps the state directory for a look.

set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
KANSOKU=${KANSOKU:-build/plain/kansoku}
WORK=$(mktemp -d /tmp/kansoku-e2e.XXXXXX)
chmod 755 "$WORK"
STATE=$WORK/state
CONFIG=$WORK/kansoku.yaml
LOG=$WORK/log
HOST=${HOST:-127.0.0.1}
# Ports of this test alone, so that tests can run side by side.
BASE_PORT=${BASE_PORT:-$((10000 + ($$ % 4000) * 5))}
TELNET_PORT=$BASE_PORT HTTP_PORT=$((BASE_PORT + 1)) WEB_PORT=$((BASE_PORT + 2))
KANSOKU_PID=

fail() { echo "FAIL: $*"; [ -f "$LOG" ] && tail -20 "$LOG"; exit 1; }
skip() { echo "$*"; exit 77; }
need_root() { [ "$(id -u)" = 0 ] || skip "needs root for network namespaces"; }

loopback_config() { # further YAML on standard input
	cat >"$CONFIG" <<-EOT
	run: {state: $STATE}
	web: {port: $WEB_PORT}
	EOT
	cat >>"$CONFIG"
}

start_kansoku() {
	"$KANSOKU" run --config "$CONFIG" "$@" >>"$LOG" 2>&1 &
	KANSOKU_PID=$!
	for _ in $(seq 300); do
		[ -e "$STATE/run/ready" ] && return
		kill -0 $KANSOKU_PID 2>/dev/null || fail "kansoku ended at its start"
		sleep 0.1
	done
	fail "kansoku was not ready within 30 s"
}

stop_kansoku() {
	[ -n "$KANSOKU_PID" ] || return
	kill -TERM $KANSOKU_PID 2>/dev/null
	wait $KANSOKU_PID
	local status=$?
	KANSOKU_PID=
	return $status
}

# The process of a role: its pid.
role_pid() { pgrep -P "$KANSOKU_PID" -f "process $1\$" | head -1; }
query() { "$KANSOKU" query --config "$CONFIG" --format tsv "$1"; }

cleanup() {
	[ -n "$KANSOKU_PID" ] && kill -TERM $KANSOKU_PID 2>/dev/null && wait $KANSOKU_PID
	[ "${KEEP:-}" = 1 ] && echo "kept $WORK" || rm -rf "$WORK"
}
trap cleanup EXIT
