#!/bin/bash
# Three of twenty hosts have one odd banner: it is learned from two of them, told in counts, put into a folder by
# hand, and found at the third on its next look; what is usual is not, and nothing is asked that was not asked before.
. "$(dirname "$0")/lib.sh"
command -v jq >/dev/null || skip "needs jq"
command -v python3 >/dev/null || skip "needs python3"
PORT=$BASE_PORT
cat >"$WORK/hosts.py" <<'EOT'
# Hosts that speak first: an odd program on three, a usual server on the others.  Prints what they are asked.
import asyncio, sys
ODD = {"127.66.0.3", "127.66.0.9", "127.66.0.17"}
async def serve(host):
    async def speak(reader, writer):
        name = b"220 l0ader ready \"x86\"\r\n" if host in ODD else b"220 (vsFTPd 3.0.5)\r\n"
        try:
            writer.write(name)
            await writer.drain()
            print(host, (await asyncio.wait_for(reader.read(100), 3)).hex(), flush=True)
        except (OSError, asyncio.TimeoutError):
            pass
        finally:
            writer.close()
    return await asyncio.start_server(speak, host, int(sys.argv[1]))
async def main():
    servers = [await serve(f"127.66.0.{i}") for i in range(1, 21)]
    print("ready", flush=True)
    await asyncio.gather(*(s.serve_forever() for s in servers))
asyncio.run(main())
EOT
timeout 60 python3 "$WORK/hosts.py" $PORT >>"$WORK/asked" 2>&1 & SERVERS=$!
for _ in $(seq 50); do grep -qs ready "$WORK/asked" && break; sleep 0.1; done
mkdir "$WORK/seeks"
printf -- '- {name: mine, label: "infected: x", learned: [y], when: {baner: x}}\n' >"$WORK/seeks/wrong.yaml"
loopback_config <<EOT
operator: {name: Test CSIRT, contact: abuse@example.org, page: "https://example.org/probing"}
store: {linger: 50ms}
active:
  scope: [{prefix: 127.66.0.0/24, special: allow}]
  hold_out: 0
  round: 1ms
  delay: {min: 0s, max: 0s}
prober: {pause: 0s, idle: 1s, probes: {$PORT: ftp}}
exposure: {seeks: [$WORK/seeks], again: 1s}
EOT
ROLES=journal,store,control,active,exposure
answered() { query "SELECT uniqExact(src) FROM log WHERE kind = 'host.answered' AND state = 'open'" 2>/dev/null; }
matched() { query "SELECT DISTINCT src FROM log WHERE kind = 'host.matched' ORDER BY src" 2>/dev/null | tr '\n' ' '; }
look() { for host in "$@"; do "$KANSOKU" probe $host --ports $PORT --config "$CONFIG" --json >>"$WORK/looks" 2>&1 & done; wait_for_looks; }
wait_for_looks() { for pid in $(jobs -p); do [ $pid = $SERVERS ] || [ $pid = $KANSOKU_PID ] || wait $pid; done; }
ALL=$(seq -f "127.66.0.%g" 1 20)

start_kansoku --only $ROLES
grep -q "wrong.yaml:1: .*did you mean \"banner\"" "$LOG" || fail "the wrong seek was not named"
look $ALL
for _ in $(seq 50); do [ "$(answered)" = 20 ] && break; sleep 0.2; done
[ "$(answered)" = 20 ] || fail "$(answered) of 20 hosts answered: $(tail -3 "$WORK/looks")"
"$KANSOKU" seek learn loaders --label "infected: a loader of our test" --others 10 127.66.0.3 127.66.0.9 --config "$CONFIG" \
	>"$WORK/candidate" || fail "nothing was learned"
grep -q 'banner: "220 l0ader ready \\"x86\\""} # 2 of 2 named hosts, 1 of 18 others' "$WORK/candidate" || fail "the candidate: $(cat "$WORK/candidate")"
"$KANSOKU" seek learn loaders --label "infected: a loader" --others 10 --config "$CONFIG" \
	--from "SELECT src FROM log WHERE kind = 'host.answered' AND position(arrayStringConcat(value), 'l0ader') > 0" >"$WORK/by-query" ||
	fail "nothing was learned by a query"
grep -q "# 3 of 3 named hosts, 0 of 17 others" "$WORK/by-query" || fail "by query: $(cat "$WORK/by-query")"
"$KANSOKU" seek learn usual --label "infected: x" 127.66.0.1 127.66.0.2 --config "$CONFIG" >"$WORK/usual" 2>"$WORK/why" &&
	fail "what everybody has was learned: $(cat "$WORK/usual")"
grep -q "share no text" "$WORK/why" || fail "no reason: $(cat "$WORK/why")"
"$KANSOKU" seek try "$WORK/candidate" --config "$CONFIG" --json >"$WORK/tried" || fail "the candidate cannot be tried"
jq -e '.seek == "loaders" and .hosts == 3 and .of == 20 and .some == ["127.66.0.3","127.66.0.9","127.66.0.17"]' "$WORK/tried" >/dev/null ||
	fail "tried: $(cat "$WORK/tried")"
[ "$(matched)" = "" ] || fail "a candidate is in force that nobody put there: $(matched)"
stop_kansoku || fail "kansoku did not end cleanly"

cp "$WORK/candidate" "$WORK/seeks/loaders.yaml"
"$KANSOKU" seek verify --seeks "$WORK/seeks" >"$WORK/verified" && fail "the wrong seek passes"
grep -q "0 failed; 0 without an example, 1 left out" "$WORK/verified" || fail "verified: $(cat "$WORK/verified")"
start_kansoku --only $ROLES
: >"$WORK/asked"
look 127.66.0.17 127.66.0.4 127.66.0.5
for _ in $(seq 50); do [ -n "$(matched)" ] && break; sleep 0.2; done
[ "$(matched)" = "127.66.0.17 " ] || fail "matched: $(matched)"
"$KANSOKU" seek found --config "$CONFIG" --json >"$WORK/found" || fail "no list"
jq -e '.host == "127.66.0.17" and .port == '$PORT' and .seek == "loaders" and .confidence == 40 and
	(.label | startswith("infected: ")) and (.evidence | contains("l0ader"))' "$WORK/found" >/dev/null || fail "found: $(cat "$WORK/found")"
[ "$(query "SELECT count() FROM log AS m INNER JOIN (SELECT id FROM log WHERE kind = 'host.answered') AS a ON m.cause = a.id \
	WHERE m.kind = 'host.matched'")" = 1 ] || fail "the match has not got an answer as its cause"
[ "$(cut -d' ' -f1 "$WORK/asked" | sort | tr '\n' ' ')" = "127.66.0.17 127.66.0.4 127.66.0.5 " ] || fail "who was asked: $(cat "$WORK/asked")"
[ "$(cut -d' ' -f2 "$WORK/asked" | sort -u | wc -l)" = 1 ] || fail "a host that is sought was asked something else: $(cat "$WORK/asked")"
stop_kansoku || fail "kansoku did not end cleanly"
kill $SERVERS 2>/dev/null
echo "seek: learned from 2 hosts, found at the third, not at 17 others; nothing more was asked"
