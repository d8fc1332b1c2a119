# What bench/trial/run asks of kansoku: its configuration, whether it is ready and idle, its report.
# Read by run, which sets the variables.

write_config() {
	write_personas
	cat <<-YAML
	operator: {name: Trial, contact: trial@example.org, page: https://example.org/probing}
	passive:
	  personas: $work/personas
	  decoys:
	    - {prefix: 198.51.100.0/25, personas: [camera, dvr, router]}
	    - {prefix: 198.51.100.128/28, personas: [camera, dvr, router]}
	    - {prefix: 198.51.100.144/30, personas: [camera, dvr, router]}
	active: {scope: [11.0.0.0/8]}
	rules:
	  - {on: login.tried, when: {login.accepted: true}, do: probe}
	YAML
}

# The trial's decoys let the same dictionary in everywhere; the personas' own lists differ.
write_personas() {
	mkdir -p "$work/personas"
	for persona in "$root"/etc/personas/*.yaml; do
		awk 'FNR == NR {list = list "  - [" $1 ", \"" $2 "\"]\n"; next}
			/^accept_one_in:/ {next}
			{print}
			/^credentials:/ {printf "%s", list}' "$here/accepted.txt" "$persona" \
			> "$work/personas/${persona##*/}"
	done
}

kansoku_ask() {
	ip netns exec "$inside" "$kansoku" "$@" --config "$work/kansoku.yaml"
}

kansoku_ready() {
	grep -q ready "$work/kansoku.log"
}

kansoku_idle() {
	return 0
}

# counts.tsv: name and number; hosts.tsv: address, class, vendor, product.
kansoku_report() {
	kansoku_ask report devices --json > "$work/report.json"
	kansoku_ask report devices --hosts --json > "$work/hosts.json"
	jq -r 'to_entries[] | select(.value | type == "number") | [.key, .value] | @tsv' \
		"$work/report.json" > "$work/counts.tsv"
	jq -r '.rows[] | ["row", .class, .models, .hosts] | @tsv' \
		"$work/report.json" >> "$work/counts.tsv"
	jq -r '[.address, .class, .vendor, .product] | @tsv' "$work/hosts.json" > "$work/hosts.tsv"
}
