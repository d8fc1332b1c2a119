#!/usr/bin/python3
"""compare.py TRUTH REPORT SECONDS LOOKS ASTRAY: what kansoku concluded beside what is so.

Prints a table by kind of address, then one line of JSON.  Exit status 1 when a conclusion was stronger than the
truth allows: more machines than there are, "different" of one machine, or a row that is none.
"""
import collections
import json
import sys

truth = {h["address"]: h for h in json.load(open(sys.argv[1]))}
lines = [json.loads(line) for line in open(sys.argv[2])]
sums, reported = lines[0], {r["row"]: r for r in lines[1:]}

attacking = {a: h for a, h in truth.items() if h["attack"] and h["kind"] != "ordinary"}
stages = collections.Counter()
wrong_stage, kinds = [], collections.defaultdict(collections.Counter)
over = different_wrong = likely = likely_wrong = least_equal = rows = 0
for address, host in attacking.items():
    said = reported.get(address)
    stage = said.get("stage", "row") if said else "not there"
    stages[stage, host["truth"]] += 1
    if stage != host["truth"]:
        wrong_stage.append("%s is %s (%s), told as %s" % (address, host["truth"], host.get("twist", host["kind"]), stage))
    if stage != "row" or host["truth"] != "row":
        continue
    rows += 1
    same = any("controller" in m["role"] and "attacker" in m["role"] for m in host["machines"])
    seen = [m for m in host["machines"] if m["ports"] or "attacker" in m["role"]]
    count = kinds[host["kind"]]
    count["rows"] += 1
    count["at least %d of %d" % (said["machines_least"], len(seen))] += 1
    count[said["same"]] += 1
    over += said["machines_least"] > len(seen)
    least_equal += said["machines_least"] == len(seen)
    different_wrong += said["same"] == "different" and same
    likely += said["same"] == "likely"
    likely_wrong += said["same"] == "likely" and not same

others = [a for a in reported if a not in attacking]
right = sum(n for (said, so), n in stages.items() if said == so)
row_said = sum(n for (said, so), n in stages.items() if said == "row")
row_so = sum(n for (said, so), n in stages.items() if so == "row")
row_both = stages["row", "row"]
print("\n%-18s %5s  %s" % ("kind of address", "rows", "told"))
for kind, count in sorted(kinds.items()):
    print("%-18s %5d  %s" % (kind, count["rows"], ", ".join("%s: %d" % kv for kv in sorted(count.items()) if kv[0] != "rows")))
for line in wrong_stage[:20]:
    print("not as it is: " + line)
verdicts = collections.Counter(reported[a]["same"] for a in reported if "same" in reported[a])
print(json.dumps({
    "attacking": len(attacking), "as_they_are": right, "rows": row_so, "rows_told": row_said, "rows_right": row_both,
    "strangers": len(others), "machines_too_many": over, "machines_exact": least_equal, "different": verdicts["different"],
    "different_wrong": different_wrong, "likely": likely, "likely_wrong": likely_wrong, "undecided": verdicts["undecided"],
    "calibrated": sums["calibrated"], "offset": sums["offset"], "spread": sums["spread"], "looks": int(sys.argv[4]),
    "looks_without_record": int(sys.argv[5]), "seconds": float(sys.argv[3])}))
sys.exit(bool(over or different_wrong or others or row_said > row_both or int(sys.argv[5])))
