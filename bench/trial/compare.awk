# Compares kansoku's table of devices with the truth, prints both with precision and recall by
# class, the confusions, what was missed by twist, and one line of JSON at the end.
#
# Files: world.json (what the world did), counts.tsv (what kansoku counts: "name number", and
# "row class models hosts"), truth.tsv (population_print_truth), hosts.tsv (address class vendor
# product). Variables: wall, kansoku_cpu, hold_out, scenario.
#
# A device counts as looked at when the prober reached one of its open ports: the world itself saw
# that. What was held out or refused it did not see, and that is all that may be missing.
BEGIN {
	FS = OFS = "\t"
}

function number_in(line, name)
{
	if (!match(line, "\"" name "\":[0-9.]+"))
		return 0
	return substr(line, RSTART + length(name) + 3, RLENGTH - length(name) - 3) + 0
}

FILENAME ~ /world\.json$/ {
	if (number_in($0, "visits"))
		world_line = $0
	else
		looks_line = $0
	next
}

FILENAME ~ /counts\.tsv$/ {
	if ($1 == "row") {
		reported_models[$2] = $3
		reported_hosts[$2] = $4
		classes[$2] = 1
	} else {
		count[$1] = $2
	}
	next
}

FILENAME ~ /truth\.tsv$/ {
	if (/^#/)
		next
	sources++
	if ($2)
		intruders++
	inside += $11 > 0
	if ($2 && !$11)
		locked_out++
	reachable = $7 == "open" || $8 == "open"
	looked = $12 + $13 > 0
	if ($2 && reachable) {
		open_intruders++
		open_looked += looked
	}
	twice += $12 > 1 || $13 > 2
	if (!$2 && looked)
		strangers++
	true_class[$1] = $3
	true_product[$1] = $4 " " $5
	twist[$1] = $6
	if ($3 == "-" || !$2)
		next
	devices++
	if (!looked) {
		unseen[$3]++
		unseen_total++
		next
	}
	classes[$3] = 1
	devices_of[$3]++
	if (!(($3, $4, $5) in model_seen))
		models_of[$3]++
	model_seen[$3, $4, $5] = 1
	twist_all[$6]++
	waiting[$1] = 1
	next
}

FILENAME ~ /hosts\.tsv$/ {
	identified++
	found_of[$2]++
	classes[$2] = 1
	truth = $1 in true_class ? true_class[$1] : "(no source)"
	twist_found[truth == "-" ? "no device" : twist[$1]]++
	if (truth == $2) {
		right++
		right_of[$2]++
		twist_right[twist[$1]]++
		delete waiting[$1]
	} else {
		wrong_of[truth OFS $2]++
		wrong_example[truth OFS $2] = $1 " is " true_product[$1] " (" twist[$1] \
			"), said to be " $3 " " $4
		delete waiting[$1]
	}
}

function share(part, whole)
{
	return whole ? sprintf("%.4f", part / whole) : "1.0000"
}

function print_table(    c, order)
{
	printf "%-44s %15s %15s %9s %9s\n", "class", "truth", "kansoku", "precision", "recall"
	printf "%-44s %7s %7s %7s %7s\n", "", "models", "hosts", "models", "hosts"
	fflush()
	order = "sort -t'|' -k3,3nr -k1,1 | tr -d '|'"
	for (c in classes)
		printf "%-44s|%7d |%7d |%7d |%7d |%9s |%9s\n", substr(c, 1, 44), models_of[c],
			devices_of[c], reported_models[c], reported_hosts[c],
			share(right_of[c], found_of[c]), share(right_of[c], devices_of[c]) | order
	close(order)
}

# What each unkindness costs; whoever is no device and was still called one stands in a line of its
# own.
function print_twists(    t, order)
{
	print ""
	printf "%-20s %9s %10s %7s %9s %9s\n", "twist", "looked at", "identified", "right",
		"precision", "recall"
	fflush()
	order = "sort -t'|' -k2,2nr -k1,1 | tr -d '|'"
	twist_all["no device"] += 0
	for (t in twist_all)
		printf "%-20s|%9d |%10d |%7d |%9s |%9s\n", t, twist_all[t], twist_found[t],
			twist_right[t], twist_found[t] ? share(twist_right[t], twist_found[t]) : "-",
			twist_all[t] ? share(twist_right[t], twist_all[t]) : "-" | order
	close(order)
	print ""
}

END {
	for (c in classes) {
		if (devices_of[c] + 0 != reported_hosts[c] + 0 ||
		    models_of[c] + 0 != reported_models[c] + 0 ||
		    right_of[c] + 0 != devices_of[c] + 0)
			different = different (different ? ", " : "") c
	}
	print_table()
	print ""
	for (pair in wrong_of)
		print "taken for another: " pair ": " wrong_of[pair] ", e.g. " wrong_example[pair]
	for (address in waiting) {
		key = true_class[address] ": " true_product[address] " (" twist[address] ")"
		missed[key]++
		missed_at[key] = address
	}
	for (key in missed)
		print "not identified: " key ": " missed[key] ", e.g. " missed_at[key]
	print_twists()
	print "intruders with an open port: " open_intruders + 0 ", looked at: " open_looked + 0
	print "devices not looked at: " unseen_total + 0
	print "looked at without a reason (never got in): " strangers + 0
	print "looked at more often than telnet, page and icon need: " twice + 0
	if (locked_out)
		print "intruders that the decoys did not let in: " locked_out
	if (count["sources"] != sources || count["intruders"] != inside)
		different = different (different ? ", " : "") "(sources or intruders)"
	if (count["probed"] + count["held_out"] + count["refused"] < count["intruders"])
		different = different (different ? ", " : "") "(intruders without a decision)"
	if (count["held_out"] + count["refused"] == 0 && open_looked != open_intruders)
		different = different (different ? ", " : "") "(looks are missing)"
	if (different)
		print "different: " different
	printf "{\"scenario\":\"%s\",\"sources\":%d,\"intruders\":%d,\"probed\":%d,\"answered\":%d,",
		scenario, count["sources"], count["intruders"], count["probed"], count["answered"]
	printf "\"identified\":%d,\"held_out\":%d,\"refused\":%d,\"equal\":%s,", identified,
		count["held_out"], count["refused"], different == "" ? "true" : "false"
	printf "\"precision\":%s,\"recall\":%s,", share(right, identified),
		share(right, devices - unseen_total)
	printf "\"failed_dialogues\":%d,\"true_sources\":%d,\"true_intruders\":%d,",
		number_in(world_line, "failed"), sources, inside
	printf "\"wall_s\":%s,\"kansoku_cpu_s\":%s,\"world_cpu_s\":%s}\n", wall, kansoku_cpu,
		number_in(looks_line, "world_cpu_s")
	exit different != "" && scenario == "clean"
}
