#!/bin/bash
# Partners who are refused, through their real server: each gets the same answer as who is not known or what is not
# there, and the audit says which it was.
. "$(dirname "$0")/lib.sh"
for tool in jq curl openssl; do
	command -v $tool >/dev/null || skip "needs $tool"
done
PORT=$((BASE_PORT + 3))
loopback_config <<EOT
store: {linger: 100ms}
operator: {name: test, contact: abuse@example.org}
partners: {port: $PORT}
exchange:
  policies: [{name: open, fields: {src: pass, dst: drop, sensor: drop}, default: pass}]
  collections:
    - {name: given, title: Given, kinds: [record.imported], tlp: green}
    - {name: inner, title: Not for all, kinds: [record.imported], tlp: red}
EOT
start_kansoku
rights() { "$KANSOKU" "$@" --config "$CONFIG"; }
for who in csirt other; do
	rights org add $who >/dev/null && rights user add $who/feed >/dev/null || fail "no organisation $who"
done
token() { # organisation, flags: the token in $TOKEN, its id in $ID
	TOKEN=$(rights token add "$1/feed" "${@:2}" 2>"$WORK/said") || fail "no token: $(cat "$WORK/said")"
	ID=$(grep -o 'token [0-9a-f]\{16\}' "$WORK/said" | cut -d' ' -f2)
}
rights grant set csirt given --tlp amber --policy open >/dev/null && rights grant set other inner --tlp red --policy open >/dev/null ||
	fail "no grants"
ask() { # user, token, path, options: the status; body and headers in $WORK
	curl -s -g -m 20 -o "$WORK/body" -D "$WORK/head" -w '%{http_code}' -u "$1:$2" -H 'Accept: application/taxii+json;version=2.1' "${@:4}" \
		"http://127.0.0.1:$PORT$3"
}
all() { grep -vi '^date:' "$WORK/head"; cat "$WORK/body"; } # what a stranger can compare
audited() { # reason, organisation
	rights audit exchange --json 2>/dev/null | tail -1 | jq -e --arg r "$1" --arg o "${2-}" \
		'.action == "refused" and .reason == $r and (.organisation // "") == $o and .from == "127.0.0.1"' >/dev/null ||
		fail "the audit does not say \"$1\": $(rights audit exchange --json 2>/dev/null | tail -1)"
}

# Not let in: one answer for all.
[ "$(ask feed "kansoku_$(printf 'A%.0s' $(seq 43))" /exchange/collections/)" = 401 ] || fail "a made-up token"
all >"$WORK/stranger"
audited 'unknown token'
turned_away() { # why, user, token, options
	[ "$(ask "$2" "$3" /exchange/collections/given/objects/ "${@:4}")" = 401 ] || fail "let in: $1: $(cat "$WORK/body")"
	all | cmp -s - "$WORK/stranger" || fail "$1 is answered otherwise: $(all | diff - "$WORK/stranger")"
	audited "$1" "${ORGANISATION-csirt}"
}
token csirt
good=$TOKEN good_id=$ID
[ "$(ask feed "$good" /exchange/collections/)" = 200 ] || fail "the right token: $(cat "$WORK/body")"
ORGANISATION= turned_away 'unknown token' feed "${good%?}"
ORGANISATION= turned_away 'unknown token' feed "${good}A"
ORGANISATION= turned_away 'nothing was shown' feed ''
turned_away "another user's token" root "$good"
token csirt --expires "$(date -u -d '+2 seconds' +%FT%TZ)"
soon=$TOKEN
token csirt --network 192.0.2.0/24 --network 2001:db8::/32
turned_away 'a network that the token is not for' feed "$TOKEN"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$WORK/key.pem" -out "$WORK/cert.pem" -days 1 -subj /CN=feed 2>/dev/null
token csirt --bound "$WORK/cert.pem"
turned_away 'without the certificate that the token is bound to' feed "$TOKEN"
token csirt
rights token revoke $ID >/dev/null
turned_away 'revoked token' feed "$TOKEN"
sleep 2
turned_away 'expired token' feed "$soon"
for what in user:csirt/feed:user org:csirt:organisation; do
	IFS=: read -r command name word <<<"$what"
	rights $command suspend $name >/dev/null
	turned_away "the $word is suspended" feed "$good"
	rights $command resume $name >/dev/null
done

# Let in, and not to everything: what one may not see is not there.
[ "$(ask feed "$good" /exchange/collections/nothing-at-all/objects/)" = 404 ] || fail "nothing at all: $(cat "$WORK/body")"
all >"$WORK/nothing"
hidden() { # why, token, path, options
	[ "$(ask feed "$2" "$3" "${@:4}")" = 404 ] || fail "shown: $1: $(cat "$WORK/body")"
	all | cmp -s - "$WORK/nothing" || fail "$1 is answered otherwise: $(all | diff - "$WORK/nothing")"
	audited "$1" csirt
}
hidden 'no grant' "$good" /exchange/collections/inner/objects/
hidden 'no grant' "$good" /exchange/collections/inner/
token csirt --scope read --collection inner
hidden "beyond the token's scope" "$TOKEN" /exchange/collections/given/objects/
rights grant set csirt given --rights read,write --tlp amber --policy open >/dev/null
token csirt --scope read
echo '{"objects":[]}' >"$WORK/envelope"
[ "$(ask feed "$TOKEN" /exchange/collections/given/objects/ -H 'Content-Type: application/taxii+json;version=2.1' --data-binary "@$WORK/envelope")" = 403 ] ||
	fail "a token to read wrote: $(cat "$WORK/body")"
audited "beyond the token's scope" csirt
token csirt --scope write
[ "$(ask feed "$TOKEN" /exchange/collections/given/objects/)" = 403 ] || fail "a token to write read: $(cat "$WORK/body")"
audited "beyond the token's scope" csirt
rights grant set csirt given --tlp amber --policy open --expires "$(date -u -d '+1 second' +%FT%TZ)" >/dev/null
sleep 1.2
hidden 'expired grant' "$good" /exchange/collections/given/objects/

# A marking above the grant: seen with it, and without it neither listed nor there, as an object that never was.
rights grant set csirt given --tlp red --policy open >/dev/null
printf 'http://203.0.113.80/open.sh\n' >"$WORK/open" && printf 'http://203.0.113.81/secret.sh\n' >"$WORK/secret"
rights import urls "$WORK/open" --source open --tlp green >/dev/null && rights import urls "$WORK/secret" --source secret --tlp red >/dev/null ||
	fail "nothing was imported"
for _ in $(seq 100); do
	ask feed "$good" /exchange/collections/given/objects/ >/dev/null
	grep -q 'secret.sh' "$WORK/body" && grep -q 'open.sh' "$WORK/body" && break
	sleep 0.2
done
secret=$(jq -r '[.objects[] | select(tostring | contains("secret.sh"))][0].id' "$WORK/body")
[ -n "$secret" ] && [ "$secret" != null ] || fail "with TLP:RED the marked one is not seen: $(head -c 2000 "$WORK/body")"
path=/exchange/collections/given/objects
[ "$(ask feed "$good" "$path/$secret/")" = 200 ] || fail "its own object is not there"
rights grant set csirt given --tlp amber --policy open >/dev/null
[ "$(ask feed "$good" "$path/")" = 200 ] && grep -q 'open.sh' "$WORK/body" || fail "what is below the grant is gone, too: $(cat "$WORK/body")"
! grep -q 'secret\|203\.0\.113\.81' "$WORK/body" || fail "TLP:RED went out under a grant up to AMBER"
ask feed "$good" "/exchange/collections/given/manifest/" >/dev/null
! grep -q "$secret" "$WORK/body" || fail "the manifest tells of it"
never=${secret%%--*}--00000000-0000-4000-8000-000000000000
[ "$(ask feed "$good" "$path/$never/")" = 404 ] || fail "an object that never was: $(cat "$WORK/body")"
all >"$WORK/never"
[ "$(ask feed "$good" "$path/$secret/")" = 404 ] && all | cmp -s - "$WORK/never" || fail "an object above the grant can be told from none: $(all)"
audited 'no such object within the grant: neither its marking nor its time' csirt
rights audit exchange --json 2>/dev/null | tail -1 | jq -e --arg id "$secret" '.filter | contains($id)' >/dev/null || fail "the audit does not say which object"
[ "$(ask feed "$good" "$path/?match[id]=$secret")" = "$(ask feed "$good" "$path/?match[id]=$never")" ] || fail "a filter tells of it"

# A preview shows what would go out, to the byte, and nothing goes out.
rights preview --org csirt --collection given >"$WORK/preview" 2>"$WORK/said" || fail "no preview: $(cat "$WORK/said")"
jq -se 'map(.["indicator.value"]) == ["http://203.0.113.80/open.sh", "203.0.113.80"]' "$WORK/preview" >/dev/null || fail "preview: $(cat "$WORK/preview")"
grep -q '2 are marked above what may be seen' "$WORK/said" || fail "what is withheld is not told: $(cat "$WORK/said")"
rights audit exchange --json 2>/dev/null | tail -1 | jq -e --arg d "$(sha256sum <"$WORK/preview" | cut -c1-64)" \
	'.action == "preview" and .organisation == "csirt" and .sha256 == $d' >/dev/null || fail "the preview is not in the audit"
to=$(date -u +%FT%TZ)
rights preview --org csirt --to "$to" >"$WORK/preview" 2>/dev/null
rights export jsonl --org csirt --collection given --to "$to" 2>/dev/null | cmp -s - "$WORK/preview" || fail "an export shows something else than its preview"
rights preview --org csirt --fields 2>/dev/null | grep -q '^  indicator.value  *2  "http://203.0.113.80/open.sh", "203.0.113.80"$' || fail "fields: $(rights preview --org csirt --fields 2>&1)"
rights preview --org csirt --format stix --collection given 2>/dev/null | jq -e '[.objects[] | tostring | contains("open.sh")] | any' >/dev/null || fail "no preview as STIX"
rights preview --org other --collection given 2>"$WORK/said" && fail "a preview without a grant"
grep -q 'no grant to read given' "$WORK/said" || fail "it says: $(cat "$WORK/said")"

# Too fast, and an embargo.
rights grant set csirt given --tlp amber --policy open --delay 1d >/dev/null
ask feed "$good" "$path/" >/dev/null
! grep -q 'open.sh' "$WORK/body" || fail "an embargo of a day let the last second out"
rights grant set csirt given --tlp amber --policy open --rate 2 >/dev/null
for i in 1 2 3; do status=$(ask feed "$good" "$path/"); done
[ "$status" = 429 ] && grep -qi '^retry-after: [0-9]' "$WORK/head" || fail "the rate is not kept: $status"
audited 'the rate is used up' csirt

rights token revoke $good_id >/dev/null
turned_away 'revoked token' feed "$good"
rights audit exchange --quiet 2>/dev/null || fail "the chain is broken"
! grep -qF "${good#kansoku_}" -r "$STATE" "$LOG" || fail "a token lies about"
echo "who is refused learns nothing, and the audit knows why: $(rights audit exchange --action refused 2>/dev/null | wc -l) refusals"
