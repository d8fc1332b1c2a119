#!/bin/bash
# Rights of partners from the command line: made, kept over a restart, refused when wrong; and the audit that tells of it.
. "$(dirname "$0")/lib.sh"
for tool in jq curl openssl sha256sum; do
	command -v $tool >/dev/null || skip "needs $tool"
done
loopback_config <<EOT
operator: {name: test, contact: abuse@example.org}
exchange:
  collections: [{name: shells, title: Who got a shell, kinds: [command.sent], tlp: green}]
  policies: [{name: research, fields: {src: crypto-pan}}]
EOT
rights() { "$KANSOKU" "$@" --config "$CONFIG"; }
says() { # what is said, command: it must fail and say so
	local said=$1
	shift
	rights "$@" >"$WORK/said" 2>&1 && fail "kansoku $* was done: $(cat "$WORK/said")"
	grep -q -- "$said" "$WORK/said" || fail "kansoku $* says: $(cat "$WORK/said")"
}
says 'is kansoku running' org list
start_kansoku

rights org add csirt --title 'A CSIRT' --contact soc@example.org >/dev/null || fail "no organisation"
rights org add other >/dev/null || fail "no other organisation"
rights user add csirt/feed --remark 'polls hourly' >/dev/null || fail "no user"
token=$(rights token add csirt/feed --network 127.0.0.0/8 --network ::1 --expires never 2>"$WORK/said") || fail "no token: $(cat "$WORK/said")"
[[ $token =~ ^kansoku_[A-Za-z0-9_-]{43}$ ]] || fail "the token: $token"
id=$(grep -o 'token [0-9a-f]\{16\}' "$WORK/said" | cut -d' ' -f2)
rights grant set csirt shells --tlp amber --policy research --last 30d --delay 1h --rate 60 >"$WORK/said" || fail "no grant"
grep -q 'csirt *shells *read  up to TLP:AMBER  policy research  last 720 h  1 h late  60 requests a minute' "$WORK/said" || fail "grant: $(cat "$WORK/said")"

# Certificates, from a file and as OpenSSL prints them.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$WORK/key.pem" -out "$WORK/cert.pem" -days 1 -subj /CN=feed 2>/dev/null
print=$(openssl x509 -in "$WORK/cert.pem" -noout -fingerprint -sha256 | cut -d= -f2)
rights token add csirt/feed --certificate "$WORK/cert.pem" --json | jq -e --arg f "$(tr -d : <<<"$print" | tr A-F a-f)" \
	'.kind == "certificate" and .sha256 == $f and (has("token") | not)' >/dev/null || fail "the certificate was not taken"
says 'stands for another token' token add csirt/feed --certificate "$print"
says 'nor a SHA-256 fingerprint' token add csirt/feed --certificate "$WORK/key.pem"

# What is wrong is told, and nothing is done.
says 'is there already' org add csirt
says 'is no name' org add '../../etc'
says 'no organisation "nobody"' user add nobody/x
says 'is no ORGANISATION/USER' user add csirt
says 'no user "x"' token add csirt/x
says 'is in the past' token add csirt/feed --expires 2020-01-01
says 'none of read, write' token add csirt/feed --scope everything
says 'no address or prefix' token add csirt/feed --network 10/8
says 'no collection "nothing"' grant set csirt nothing
says 'no policy "nothing"' grant set csirt shells --policy nothing
says 'none of clear, green' grant set csirt shells --tlp blue
says 'not a duration' grant set csirt shells --last 5
says 'nothing lies between' grant set csirt shells --from 2026-02-01 --to 2026-01-01
says 'has no grant' grant remove other shells
says 'no token with the id' token revoke 0000000000000000
says 'none of list, set, remove' grant give csirt shells

# The secret is nowhere on the disk; its digest is.
! grep -rqF "${token#kansoku_}" "$STATE" "$LOG" || fail "the token lies about: $(grep -rlF "${token#kansoku_}" "$STATE" "$LOG")"
grep -q "$(printf %s "$token" | sha256sum | cut -c1-64)" "$STATE/exchange/access.json" || fail "its digest is not kept"
[ "$(stat -c %a "$STATE/exchange/access.json" "$STATE/exchange/audit" | sort -u)" = 600 ] || fail "others can read who may see what"

# All of it is there after a restart; a renewed token has the old one's rights, the old one its end.
rights grant list --json >"$WORK/grants" && rights token list --json | jq -c 'del(.used)' >"$WORK/tokens"
stop_kansoku || fail "kansoku did not end well"
start_kansoku
rights grant list --json | cmp -s - "$WORK/grants" || fail "a restart changed the grants"
rights token list --json | jq -c 'del(.used)' | cmp -s - "$WORK/tokens" || fail "a restart changed the tokens"
fresh=$(rights token renew "$id" --overlap 1h 2>/dev/null) || fail "not renewed"
[ "$fresh" != "$token" ] || fail "renewed to the same"
rights token list csirt --json | jq -se --arg id "$id" 'map(select(.kind == "secret")) | length == 2 and all(.networks == ["127.0.0.0/8", "::1/128"]) and
	(map(select(.id == $id))[0] | has("expires")) and (map(select(.id != $id))[0] | has("expires") | not)' >/dev/null ||
	fail "renewed as $(rights token list csirt --json)"
rights token revoke "$id" | grep -q revoked || fail "not revoked"
! rights token list | grep -q "$id" || fail "a revoked token is listed among those that hold"
rights token list --all | grep -q "$id.*revoked" || fail "a revoked token is forgotten"
rights org suspend csirt | grep -q suspended || fail "not suspended"
rights org remove other >/dev/null || fail "not removed"
rights org list | grep -q '^csirt  *1 users,  1 grants, suspended  A CSIRT, soc@example.org$' || fail "organisations: $(rights org list)"
[ "$(rights org list | wc -l)" = 1 ] || fail "a removed organisation is listed"

# Who changed what is in the audit, in a chain that an independent reader follows.
rights audit exchange --json >"$WORK/audit" 2>"$WORK/head" || fail "the audit: $(cat "$WORK/head")"
jq -r .action "$WORK/audit" | paste -sd' ' | grep -qx \
	'org.add org.add user.add token.add grant.set token.add token.renew token.revoke org.suspend org.remove' || fail "audit: $(cat "$WORK/audit")"
jq -se '.[4] | .organisation == "csirt" and .collection == "shells" and (.filter | fromjson | .delay_s == 3600 and (.by | length > 0))' \
	"$WORK/audit" >/dev/null || fail "a change without its words: $(sed -n 5p "$WORK/audit")"
before=$(printf '0%.0s' $(seq 64))
while IFS= read -r line; do
	[ "$(jq -r .before <<<"$line")" = "$before" ] || fail "the chain breaks at $line"
	before=$(printf %s "$line" | sha256sum | cut -c1-64)
done <"$STATE/exchange/audit"
head=$(grep -o '10:[0-9a-f]\{64\}' "$WORK/head")
[ "$head" = "10:$before" ] || fail "the head is $before, kansoku says $(cat "$WORK/head")"
rights audit exchange --quiet --head "$head" 2>/dev/null || fail "its own head is not in the chain"
rights audit exchange --action grant.set 2>/dev/null | grep -q '^ *5 20.*Z grant.set *csirt  "shells"' || fail "as text: $(rights audit exchange 2>&1)"
[ "$(rights audit exchange --org other 2>/dev/null | wc -l)" = 2 ] || fail "by organisation"

# A backup has what it takes to know partners again and to make exports again.
"$KANSOKU" backup --config "$CONFIG" "$WORK/backup" >/dev/null || fail "no backup"
for file in access.json audit keys; do
	cmp -s "$STATE/exchange/$file" "$WORK/backup/exchange/$file" || fail "the backup has no $file"
done

# The console shows it, and cannot change anything; what is secret is not in it.
web() { curl -s --max-time 10 "http://127.0.0.1:$WEB_PORT/api/v1/exchange/$1"; }
web tokens | jq -e --arg id "$id" '.rows | length == 3 and any(.id == $id and has("revoked"))' >/dev/null || fail "tokens: $(web tokens)"
! web tokens | grep -qF "$(printf %s "$token" | sha256sum | cut -c1-64)" || fail "the console shows digests of secrets"
web 'grants?organisation=csirt' | jq -e '.rows[0].tlp == "AMBER"' >/dev/null || fail "grants: $(web grants)"
web 'audit?action=grant.set' | jq -e '.rows | length == 1' >/dev/null || fail "audit: $(web audit)"
web 'audit?before=3&count=1' | jq -e '.rows[0].n == 2 and .next == 2 and .last == 10' >/dev/null || fail "a page of the audit: $(web 'audit?before=3&count=1')"

# A line that was changed, and one that was cut off.
cp "$STATE/exchange/audit" "$WORK/kept"
sed -i '3s/feed/fled/' "$STATE/exchange/audit"
says 'line 4 does not follow' audit exchange
head -9 "$WORK/kept" >"$STATE/exchange/audit"
rights audit exchange >/dev/null 2>&1 || fail "a chain without its last line is a chain"
says 'line 10, whose digest was noted, is gone' audit exchange --head "$head"
cp "$WORK/kept" "$STATE/exchange/audit"
echo "rights are kept, told, and refused when wrong; the audit shows each change of itself"
