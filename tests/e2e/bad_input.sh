#!/bin/bash
# What a person may get wrong: each is refused at once, and the message says where, what is wrong
# and what would be right.  (Around the store, its disk and its library: store.sh.)
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip "python3 is missing"

# status, words that the message must hold, arguments...
refused() {
	local want=$1 words=$2 got
	shift 2
	timeout 20 "$KANSOKU" "$@" >"$WORK/out" 2>&1
	got=$?
	[ $got = "$want" ] || fail "$*: status $got, expected $want: $(cat "$WORK/out")"
	grep -qF -- "$words" "$WORK/out" || fail "$*: no \"$words\" in: $(cat "$WORK/out")"
	[ "$(grep -c '^kansoku: ' "$WORK/out")" = 1 ] || fail "$*: not one sentence: $(cat "$WORK/out")"
	ls "$STATE/run/ready" >/dev/null 2>&1 && fail "$*: it was ready for a moment"
	return 0
}

# Used wrongly.
refused 2 'there is no command "fnord"' fnord
refused 2 'there is no --fnord here' run --fnord
refused 2 'there is no role "fnord", there are: ' run --only store,fnord
refused 2 'wants FORMAT behind it' query 'SELECT 1' --format
refused 2 'there is no format xml; lines, json' query 'SELECT 1' --format xml
refused 2 'query: wants' query
refused 2 '"nobody" is not an address, 192.0.2.1 would be right' probe nobody
timeout 5 "$KANSOKU" >"$WORK/out" 2>&1; [ $? = 2 ] && grep -q '^usage: kansoku COMMAND' "$WORK/out" || fail "no usage"
timeout 5 "$KANSOKU" run --help >"$WORK/out" 2>&1 && grep -q '^usage: kansoku run' "$WORK/out" || fail "no help"

# The configuration: file, line, path, what is wrong, what would be right.
wrong() { # words, further YAML on standard input
	loopback_config
	refused 1 "$CONFIG:$1" run --config "$CONFIG"
	refused 1 "$CONFIG:$1" check-config "$CONFIG"
}
refused 1 'none.yaml: No such file or directory' run --config "$WORK/none.yaml"
wrong '3: rulez: there is no such option, did you mean "rules"?' <<<'rulez: []'
wrong '3: active.hold_owt: there is no such option, did you mean "hold_out"?' <<<'active: {hold_owt: 0}'
wrong '3: active.hold_out: ' <<<'active: {hold_out: 2}'
wrong '3: passive.decoys[0].prefix: "127.0.0.1/33" is not a prefix such as 192.0.2.0/24' <<<'passive: {decoys: [{prefix: 127.0.0.1/33}]}'
wrong '3: passive.services.telnet.ports[0]: 70000 is above 65535' <<<'passive: {services: {telnet: {ports: [70000]}}}'
wrong '3: rules[0].on: there is no kind of event "login.treid", did you mean "login.tried"?' <<<'rules: [{on: login.treid, do: probe}]'
wrong '3: rules[0].delay: ' <<<'rules: [{on: login.tried, do: probe, delay: 3 fortnights}]'
wrong '4: did not find' <<<'active: ['

# What is right, and should be seen all the same.
loud() { # words, further YAML on standard input
	loopback_config
	timeout 10 "$KANSOKU" check-config "$CONFIG" >"$WORK/out" || fail "check-config: $(cat "$WORK/out")"
	grep -q "^!!! $1" "$WORK/out" || fail "check-config does not say \"$1\""
}
loud 'prober.pause: 999ms' <<<'prober: {pause: 999ms}'
printf '11.0.0.0\t8\t64496\n' >"$WORK/pfx2as"
loud 'active.as_rate does not hold for scans' <<<"active: {as_file: $WORK/pfx2as, surveys: [{name: one, prefixes: [11.0.0.0/8], until: 2130-01-01}]}"
loopback_config </dev/null
timeout 10 "$KANSOKU" check-config "$CONFIG" | grep -q '^!!! prober.pause' && fail "a pause of a second is too short"
loud "$CONFIG:3: do: import asks nobody" <<<'rules: [{on: session.closed, do: import}]'
loopback_config <<'EOT'
exchange: {sources: [{name: lookup, format: urls, url: "https://lookup.example.org/{src}", asked: true}]}
rules: [{on: session.closed, do: import}]
EOT
timeout 10 "$KANSOKU" check-config "$CONFIG" >"$WORK/out" || fail "check-config: $(cat "$WORK/out")"
grep -q 'asks nobody' "$WORK/out" && fail "a source that is asked is not seen"

# What the configuration names is not there.
cannot() { # words, further YAML on standard input
	loopback_config
	refused 1 "$1" run --config "$CONFIG"
}
mkdir "$WORK/empty" "$WORK/broken"
cp etc/personas/*.yaml "$WORK/broken"
echo 'prodcut: x' >>"$WORK/broken/dvr.yaml"
quiet="services: {telnet: {ports: [$TELNET_PORT]}, http: {ports: [$HTTP_PORT]}}"
cannot "passive.personas_dir: $WORK/none: No such file or directory" <<<"passive: {personas_dir: $WORK/none, $quiet}"
cannot "passive.personas_dir: $WORK/empty holds no persona" <<<"passive: {personas_dir: $WORK/empty, $quiet}"
cannot "prodcut: no such key" <<<"passive: {personas_dir: $WORK/broken, $quiet}"
cannot 'there is no persona "toaster" among' <<<"passive: {decoys: [{prefix: 127.0.0.1, personas: [toaster]}], $quiet}"

# A port that somebody else has.
python3 - $TELNET_PORT $WEB_PORT <<'EOP' & TAKEN=$!
import socket, sys, time
held = [socket.create_server(("127.0.0.1", int(p))) for p in sys.argv[1:]]
time.sleep(60)
EOP
sleep 1
cannot "tcp port $TELNET_PORT: Address already in use" <<<"passive: {$quiet}"
loopback_config </dev/null
refused 1 "web.port: 127.0.0.1 port $WEB_PORT: Address already in use; another port would be right" run --only web --config "$CONFIG"
kill $TAKEN

# A state directory that is none, or somebody else's.
touch "$WORK/file"
echo "run: {state: $WORK/file}" >"$CONFIG"
refused 1 "run.state: $WORK/file/lock: Not a directory; a directory that this user may write to would be right" run --config "$CONFIG"
echo 'run: {state: /proc/kansoku}' >"$CONFIG"
refused 1 'run.state: /proc/kansoku cannot be made' run --config "$CONFIG"
if [ "$(id -u)" = 0 ]; then
	mkdir -m 700 "$WORK/closed"
	echo "run: {state: $WORK/closed/state}" >"$CONFIG"
	chmod 644 "$CONFIG"
	program=$KANSOKU
	KANSOKU=$WORK/as_nobody
	printf '#!/bin/sh\nexec setpriv --reuid 65534 --regid 65534 --clear-groups %s "$@"\n' "$(realpath "$program")" >"$KANSOKU"
	chmod +x "$KANSOKU"
	refused 1 "run.state: $WORK/closed/state cannot be made: Permission denied" run --config "$CONFIG"
	KANSOKU=$program
fi

# Rules that cannot be read are said, and the rest works.
loopback_config <<<"prober: {fingerprints: [$WORK/nowhere]}
passive: {$quiet}"
start_kansoku
grep -q "$WORK/nowhere: No such file or directory" "$LOG" || fail "no word about the missing fingerprints"
refused_second=$(timeout 20 "$KANSOKU" run --config "$CONFIG" 2>&1) && fail "two kansoku on one directory"
grep -q 'another kansoku is using this directory' <<<"$refused_second" || fail "$refused_second"
timeout 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$TELNET_PORT && head -c 8 <&3" >"$WORK/said"
[ -s "$WORK/said" ] || fail "the decoy does not answer"
stop_kansoku || fail "it did not end in order"
timeout 20 "$KANSOKU" query --config "$WORK/none.yaml" 'SELECT 1' >"$WORK/out" 2>&1 && fail "an answer without a configuration"
loopback_config </dev/null
sed -i "s#$STATE#$WORK/never#" "$CONFIG"
refused 1 'has kansoku ever run with this state directory?' query --config "$CONFIG" 'SELECT 1'
echo "bad_input: each was refused in one sentence"
