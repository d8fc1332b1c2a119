#!/usr/bin/env python3
"""Reads an envelope or bundle of STIX 2.1 as another's program would: members that must be there, identifiers worked
out again from what they stand for (2.9), references, times.  Says what is wrong, a line each; 1 when anything is."""
import json, re, sys, uuid

SPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
NAMED = {  # what contributes to an identifier
    "ipv4-addr": ["value"], "ipv6-addr": ["value"], "domain-name": ["value"], "url": ["value"], "email-addr": ["value"],
    "autonomous-system": ["number"], "file": ["hashes", "name", "extensions", "parent_directory_ref"],
    "network-traffic": ["start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols"],
    "user-account": ["account_type", "user_id", "account_login"], "artifact": ["hashes", "payload_bin"],
    "software": ["name", "cpe", "swid", "vendor", "version"],
}
NEEDED = {
    "observed-data": ["first_observed", "last_observed", "number_observed", "object_refs"],
    "indicator": ["pattern", "pattern_type", "valid_from"], "sighting": ["sighting_of_ref"],
    "identity": ["name"], "infrastructure": ["name"], "malware": ["is_family"], "campaign": ["name"],
    "malware-analysis": ["product", "result"], "vulnerability": ["name"], "marking-definition": ["created"],
    "relationship": ["relationship_type", "source_ref", "target_ref"], "network-traffic": ["protocols"],
    "ipv4-addr": ["value"], "ipv6-addr": ["value"], "domain-name": ["value"], "url": ["value"], "file": ["hashes"],
    "user-account": ["account_login"], "process": ["command_line"], "software": ["name"], "artifact": ["payload_bin"],
    "autonomous-system": ["number"], "email-addr": ["value"], "location": ["country"],
}
OBSERVABLES = set(NAMED) | {"process"}
HASHES = ["MD5", "SHA-1", "SHA-256", "SHA-512"]
MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
MILLIS = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
IDENTIFIER = re.compile(r"^([a-z0-9-]+)--[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")

wrong = []
objects = {}
for name in sys.argv[1:]:
    for o in json.load(open(name)).get("objects", []):
        objects.setdefault(o["id"], []).append(o)


def name_of(o):
    parts = {k: o[k] for k in NAMED[o["type"]] if k in o}
    if "hashes" in parts:
        first = [h for h in HASHES if h in parts["hashes"]][:1]
        parts["hashes"] = {h: parts["hashes"][h] for h in first}
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "%s--%s" % (o["type"], uuid.uuid5(SPACE, text))


def references(o):
    for key, value in o.items():
        if key.endswith("_ref"):
            yield value
        elif key.endswith("_refs"):
            yield from value


for identifier, versions in objects.items():
    for o in versions:
        match = IDENTIFIER.match(identifier)
        if not match or match.group(1) != o["type"]:
            wrong.append("%s: no identifier of a %s" % (identifier, o["type"]))
        if o.get("spec_version") != "2.1":
            wrong.append("%s: spec_version" % identifier)
        if o["type"] not in NEEDED:
            wrong.append("%s: no such type" % identifier)
        for key in NEEDED.get(o["type"], []):
            if key not in o or o[key] in ("", [], {}):
                wrong.append("%s: no %s" % (identifier, key))
        if o["type"] in NAMED and name_of(o) != identifier:
            wrong.append("%s: it would be %s" % (identifier, name_of(o)))
        if o["type"] not in OBSERVABLES and o["type"] != "marking-definition":
            for key in ("created", "modified"):
                if not MILLIS.match(o.get(key, "")):
                    wrong.append("%s: %s" % (identifier, key))
        for key in ("first_observed", "last_observed", "valid_from", "first_seen", "last_seen", "start"):
            if key in o and not MOMENT.match(o[key]):
                wrong.append("%s: %s is %s" % (identifier, key, o[key]))
        if o["type"] == "observed-data" and o["first_observed"] > o["last_observed"]:
            wrong.append("%s: it ends before it begins" % identifier)
        if o["type"] != "marking-definition" and not o.get("object_marking_refs"):
            wrong.append("%s: not marked" % identifier)
        if o["type"] == "network-traffic" and "src_ref" not in o and "dst_ref" not in o:
            wrong.append("%s: of nobody" % identifier)
        for there in references(o):
            if there not in objects:
                wrong.append("%s: %s is not there" % (identifier, there))
    if versions[0]["type"] not in OBSERVABLES and len({json.dumps(v, sort_keys=True) for v in versions}) > 1:
        if len({v["modified"] for v in versions}) < len({json.dumps(v, sort_keys=True) for v in versions}):
            wrong.append("%s: one version says two things" % identifier)
for line in wrong[:20]:
    print(line)
print("%d objects of %d types, %d wrong" % (len(objects), len({v[0]["type"] for v in objects.values()}), len(wrong)))
sys.exit(1 if wrong or not objects else 0)
