# What bench/trial/run asks of kansoku: its configuration, whether it is ready and idle, its report.
# Read by run, which sets the variables.

# Without the pauses and shares that politeness asks for outside: the attackers are ours.
write_config() {
	write_personas
	cat <<-YAML
	run: {state: $work/state}
	operator: {name: Trial, contact: trial@example.org, page: "https://example.org/probing"}
	passive:
	  personas_dir: $work/personas
	  services: {telnet: {ports: [23]}, http: {ports: [80]}}
	  decoys:
	    - {prefix: 198.51.100.0/25, personas: [camera, dvr, router]}
	    - {prefix: 198.51.100.128/28, personas: [camera, dvr, router]}
	    - {prefix: 198.51.100.144/30, personas: [camera, dvr, router]}
	active:
	  scope: [{prefix: 11.0.0.0/8}]
	  addresses: [203.0.113.1]
	  hold_out: $(awk "BEGIN {print $hold_out / 100}")
	  rate: 0
	  network_looks: 0
	  looks_per_sensor: 0
	  looks_at_once: 8000
	control: {silent_decoys: 0}
	rules:
	  - {on: login.tried, when: {login.accepted: true}, do: probe, ports: [23, 80],
	     delay: {min: 0s, max: 0s}, name: intruder}
	YAML
}

# The trial's decoys let the same dictionary in everywhere, and nothing else; the personas' own lists
# differ.
write_personas() {
	mkdir -p "$work/personas"
	for persona in "$root"/etc/personas/*.yaml; do
		awk 'FNR == NR {list = list "  - [" $1 ", \"" $2 "\"]\n"; next}
			/^accept_one_in:/ || (own && /^  - /) {next}
			{own = /^credentials:/; print}
			own {printf "%s", list}' "$here/accepted.txt" "$persona" \
			> "$work/personas/${persona##*/}"
	done
}

kansoku_ask() {
	ip netns exec "$inside" "$kansoku" "$@" --config "$work/kansoku.yaml"
}

kansoku_ready() {
	[ -e "$work/state/run/ready" ]
}

# True when no look is waiting or under way, the store has all that the journal has, and nothing
# came for a second. A report would tell it, too, but costs kansoku more than what is measured.
kansoku_idle() {
	ip netns exec "$inside" curl -s -m 5 http://127.0.0.1:8100/api/v1/state http://127.0.0.1:8100/api/v1/journal |
		jq -c -s '.[0].looks as $l | .[1] as $j |
			[$l.waiting + $l.network_busy + $l.ready + $l.given - $l.done, $j.waiting_bytes, $j.events]' \
		> "$work/now.json" 2>/dev/null
	grep -q ',0,' "$work/now.json" && cmp -s "$work/now.json" "$work/before.json" && return
	mv "$work/now.json" "$work/before.json"
	return 1
}

# counts.tsv: name and number, and "row class models hosts"; hosts.tsv: address, class, vendor,
# product.
kansoku_report() {
	kansoku_ask report devices --json > "$work/report.json"
	kansoku_ask report device-hosts --json > "$work/hosts.json"
	jq -r '.parts | (["sources", "intruders", "probed", "answered", "identified", "held_out"][]
			as $name | [$name, .[$name][0].hosts]),
		["refused", ([.refused[].hosts | tonumber] | add // 0)],
		(.classes[] | ["row", .class, .models, .hosts]) | @tsv' \
		"$work/report.json" > "$work/counts.tsv"
	jq -r '.parts.hosts[] | [.src, .class, .vendor, .product] | @tsv' \
		"$work/hosts.json" > "$work/hosts.tsv"
}
