#!/bin/bash
# Feeds and lists of others: by hand and by schedule, from files and a real web server, each thing once, marked.
. "$(dirname "$0")/lib.sh"
for tool in jq curl zstd python3; do
	command -v $tool >/dev/null || skip "needs $tool"
done
NGINX=$(PATH=$PATH:/usr/sbin command -v nginx) || skip "needs nginx"

WEB=$BASE_PORT
mkdir -p "$WORK/www/about" "$WORK/drop"
echo "http://203.0.113.99/asked.sh" >"$WORK/www/about/198.51.100.7"
cat >"$WORK/www/blog.rss" <<'EOT'
<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
<title>Reports</title><link>http://blog.example/</link>
<item><title>A botnet grows</title><link>http://blog.example/7</link><dc:creator>A. Analyst</dc:creator>
<pubDate>Tue, 10 Jun 2003 04:00:00 +0900</pubDate><category>botnet</category>
<description>&lt;p&gt;It loads hxxp://198.51.100[.]7/a.sh; see our http://blog.example/6&lt;/p&gt;</description></item>
<item><title>Broken &amp; gone</title><link>http://blog.example/8</link><description>name: bad-name[.]net</description></item>
</channel></rss>
EOT
printf '[{"id":"1","url":"https://social.example/@a/1","created_at":"2022-11-25T06:12:39.000Z","account":{"acct":"a@social.example"},"tags":[{"name":"opendir"}],"content":"<p>#opendir <a href=\\"http://203.0.113.8/x/\\"><span>http://</span><span>203.0.113.8/x/</span></a></p>"}]' >"$WORK/posts.json"
printf '# one\nhttp://203.0.113.77/bins.sh\nworse-name.org\nnothing here\n' >"$WORK/drop/list.txt"
chmod -R a+rX "$WORK"
cat >"$WORK/nginx.conf" <<EOT
daemon off; pid $WORK/nginx.pid; error_log $WORK/nginx.log;
events {}
http { log_format ask '\$status \$request'; access_log $WORK/access.log ask; server { listen 127.0.0.1:$WEB; root $WORK/www; } }
EOT
"$NGINX" -c "$WORK/nginx.conf" 2>/dev/null & SERVERS=$!
trap 'kill $SERVERS; stop_kansoku; rm -rf "$WORK"' EXIT

# What comes in agrees with what an independent reader of feeds says of the same file, where there is one.
"$KANSOKU" import rss "$WORK/www/blog.rss" --dry --json >"$WORK/dry" || fail "the feed was not read: $(cat "$WORK/dry")"
grep -q '"value":"http://198.51.100.7/a.sh"' "$WORK/dry" || fail "a broken URL was not made whole: $(cat "$WORK/dry")"
grep -q '"time":"2003-06-09T19:00:00.000000Z"' "$WORK/dry" || fail "its date: $(head -1 "$WORK/dry")"
! grep -q 'blog.example/6' "$WORK/dry" || fail "a page's own links are no indicators"
if python3 -c 'import feedparser' 2>/dev/null; then
	python3 - "$WORK/www/blog.rss" >"$WORK/peer" <<-'EOT'
	import calendar, feedparser, sys
	for e in feedparser.parse(sys.argv[1]).entries:
	    print(e.link, calendar.timegm(e.published_parsed) if "published_parsed" in e else "", e.get("author", ""))
	EOT
	jq -rs 'unique_by(.link)[] | "\(.link) \(if .time then (.time|sub("\\.[0-9]+Z";"Z")|fromdate) else "" end) \(.author // "")"' \
		"$WORK/dry" >"$WORK/ours"
	diff "$WORK/ours" "$WORK/peer" || fail "feedparser reads it differently"
fi

loopback_config <<EOT
operator: {name: test, contact: abuse@example.org}
active: {scope: [{prefix: 198.51.100.0/24, special: allow}], delay: 0s, hold_out: 0}
prober: {pause: 1ms}
exchange:
  sources:
    - {name: blog, format: rss, url: "http://127.0.0.1:$WEB/blog.rss", every: 1s, tlp: clear, pap: green}
    - {name: drop, format: urls, path: $WORK/drop, every: 1s, confidence: 50}
    - {name: gone, format: atom, url: "http://127.0.0.1:$WEB/none.atom", every: 1s}
    - {name: about, format: urls, url: "http://127.0.0.1:$WEB/about/{src}?of={indicator.value}", every: 1s, asked: true}
rules:
  - {name: asks, on: record.imported, when: {record.source: blog, indicator.type: url}, do: import}
  - {name: named, on: record.imported, when: {indicator.type: url}, do: probe, ports: [2323], delay: 0s}
EOT
start_kansoku
value() { echo "value[indexOf(field, '$1')]"; }
wait_for() { # condition
	for _ in $(seq 60); do
		[ "$(query "SELECT count() FROM events WHERE $1" 2>/dev/null | tail -1)" -gt 0 ] 2>/dev/null && return
		sleep 0.3
	done
	query "SELECT kind, src, decision, reason, field, value FROM events WHERE kind IN ('record.imported', 'decision.made') LIMIT 20"
	fail "no event with $1 within 20 s"
}
wait_for "kind = 'record.imported' AND $(value record.source) = 'blog' AND $(value indicator.value) = 'http://198.51.100.7/a.sh' AND
	$(value record.pap) = 'GREEN' AND $(value confidence) = '90'"
wait_for "kind = 'record.imported' AND $(value record.source) = 'drop' AND $(value indicator.value) = 'worse-name.org' AND
	toUInt8($(value confidence)) <= 50"
wait_for "kind = 'sensor.changed' AND service = 'exchange/gone' AND state = 'down'"
# A record that may be acted upon leads to a look; its decision says on which basis.
wait_for "kind = 'decision.made' AND $(value basis) = 'record' AND IPv6NumToString(src) = '::ffff:198.51.100.7' AND decision = 'allowed'"

# A source that is asked about one event says more, and each record names that event.
wait_for "kind = 'record.imported' AND $(value record.source) = 'about' AND $(value indicator.value) = 'http://203.0.113.99/asked.sh' AND
	cause IN (SELECT id FROM events WHERE $(value record.source) = 'blog') AND root = cause"
grep -q '^200 GET /about/198.51.100.7?of=http%3A%2F%2F198.51.100.7%2Fa.sh ' "$WORK/access.log" || fail "asked as: $(grep about "$WORK/access.log")"
! grep -q '{' "$WORK/access.log" || fail "a source that is asked was fetched by schedule: $(grep '{' "$WORK/access.log")"

# By hand, packed, and again: nothing doubles, and lines that are none are told.
zstd -q "$WORK/posts.json"
"$KANSOKU" import mastodon "$WORK/posts.json.zst" --source social --tlp green --pap amber --config "$CONFIG" --json >"$WORK/first" ||
	fail "the posts were not taken: $(cat "$WORK/first")"
"$KANSOKU" import mastodon "$WORK/posts.json.zst" --source social --config "$CONFIG" --json >"$WORK/second"
[ "$(jq .records "$WORK/first")" = 2 ] && [ "$(jq .records "$WORK/second")" = 0 ] ||
	fail "imported twice: $(cat "$WORK/first" "$WORK/second")"
"$KANSOKU" import urls "$WORK/drop/list.txt" --config "$CONFIG" 2>"$WORK/complaints" | grep -q '1 unreadable' ||
	fail "the line that is none was not counted"
grep -q 'list.txt:4: there is no URL' "$WORK/complaints" || fail "complaint: $(cat "$WORK/complaints")"
"$KANSOKU" import urls "$WORK/drop/list.txt" --pap purple --config "$CONFIG" 2>/dev/null && fail "a marking that is none was taken"
head -c 60 "$WORK/posts.json.zst" >"$WORK/cut.zst"
"$KANSOKU" import mastodon "$WORK/cut.zst" --config "$CONFIG" 2>"$WORK/complaints" && fail "a cut file was taken"
grep -q 'packed, and cut' "$WORK/complaints" || fail "complaint: $(cat "$WORK/complaints")"

# The web server was asked politely: what did not change was not sent again.
grep -q '^304 GET /blog.rss' "$WORK/access.log" || fail "asked without conditions: $(sort "$WORK/access.log" | uniq -c)"
double="SELECT $(value record.source) AS s, $(value indicator.type) AS t, $(value indicator.value) AS v, $(value record.link) AS l
	FROM events WHERE kind = 'record.imported' GROUP BY s, t, v, l HAVING count() > 1"
[ -z "$(query "$double" | grep .)" ] || fail "records doubled: $(query "$double")"
# After a restart, too.
before=$(query "SELECT count() FROM events WHERE kind = 'record.imported'" | tail -1)
stop_kansoku
start_kansoku
sleep 3
grep -c '^200 GET /blog.rss' "$WORK/access.log" | grep -qx 2 || fail "the restarted one did not ask anew: $(sort "$WORK/access.log" | uniq -c)"
"$KANSOKU" import mastodon "$WORK/posts.json.zst" --source social --config "$CONFIG" --json | jq -e '.repeated >= 2 and .records == 0' >/dev/null ||
	fail "a restart forgot what was imported"
echo "feeds and lists came in: once each, marked, packed or plain; $before records"
