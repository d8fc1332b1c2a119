// Captured files: the list with families and campaigns, one sample with all that is known of it,
// and what requests tried to exploit.

import { ask, element, extra, failure, plainTable, visible } from "./console.js";

const FORMS = [["page", "as a page"], ["json", "JSON"], ["stix", "STIX 2.1"], ["cape", "CAPE's shape"], ["capture", "packets of its run"]];

function verdict(word, score) {
	const known = { malicious: "attack", suspicious: "victim" }[word] ?? "other";
	return element("span", { class: `verdict verdict-${known}` }, `${visible(word || "unknown")} ${Number(score)}`);
}

function link(sha256) {
	return element("a", { href: `#samples/${sha256}`, title: sha256 }, sha256.slice(0, 16));
}

function rows(columns, numbers, list) {
	const head = element("tr", {}, ...columns.map((c) => element("th", { scope: "col", class: numbers.has(c) ? "number" : "" }, c)));
	const body = element("tbody");
	for (const cells of list)
		body.append(element("tr", {}, ...cells.map((c, i) => element("td", { class: numbers.has(columns[i]) ? "number" : "" },
			c instanceof Node ? c : visible(c ?? "")))));
	return element("table", {}, element("thead", {}, head), body);
}

function box(title, content, note = "") {
	return element("section", {}, element("h2", {}, title, " ", element("span", { class: "dim" }, note)), content);
}

function samplesTable(list) {
	if (!list.length) return element("p", { class: "empty" }, "No file was captured and analysed yet.");
	return rows(["sample", "verdict", "family", "type", "architecture", "size", "campaign", "analysed"], new Set(["size"]),
		list.map((s) => [link(s.sha256), verdict(s.verdict, s.score), s.family || "not known", s.type, s.architecture,
			Number(s.size).toLocaleString("en"), s.campaign, String(s.analysed).slice(5, 16)]));
}

export async function samples(page) {
	page.replaceChildren(element("section", {}, element("h1", {}, "Samples"), "…"));
	try {
		const [list, report] = await Promise.all([ask("/api/v1/samples?limit=200"), ask("/api/v1/reports/samples")]);
		const { families, campaigns, servers, weaknesses, novel } = report.parts;
		page.replaceChildren(box("Samples", samplesTable(list.rows), "captured files that were analysed, the last first"),
			element("div", { class: "sides" }, box("Families", plainTable(families)), box("Campaigns", plainTable(campaigns), "samples that share a server, a key or code")),
			box("Servers of samples", plainTable(servers), "where they take orders, fetch and report"),
			box("Weaknesses that requests tried", plainTable(weaknesses), "by fingerprints/exploits"),
			box("Requests without a name", plainTable(novel), "alike ones are one group"));
	} catch (e) { page.replaceChildren(failure(e)); }
}

function behaviour(list) {
	if (!list?.length) return element("p", { class: "empty" }, "It was not run, or did nothing that was seen.");
	return rows(["as", "did", "what", "how", "times", "after"], new Set(["times", "after"]),
		list.slice(0, 500).map((b) => [b.as, b.kind, b.subject, b.what, Number(b.count).toLocaleString("en"), `${(b.first_ms / 1000).toFixed(1)} s`]));
}

function links(report) {
	if (!report.links.length) return element("p", { class: "empty" }, "Nothing that is known shares anything with it.");
	return rows(["sample", "shares", "what"], new Set(), report.links.map((l) => [link(l.sha256), l.shares, l.what]));
}

function whence(events) {
	const captured = events.filter((e) => e.kind === "file.captured");
	if (!captured.length) return element("p", { class: "empty" }, "Where it came from is not kept any more.");
	return rows(["when", "source", "service", "how", "URL or name"], new Set(), captured.map((e) => [String(e.time).slice(0, 19),
		e.src ? element("a", { href: `#host/${encodeURIComponent(e.src)}` }, e.src) : "", e.service, extra(e, "file.how"),
		extra(e, "file.url") || extra(e, "file.name") || ""]));
}

export async function sample(page, sha256) {
	page.replaceChildren(element("section", {}, element("h1", {}, visible(sha256)), "…"));
	try {
		const path = `/api/v1/samples/${encodeURIComponent(sha256)}`;
		const [{ rows: events }, report] = await Promise.all([ask(path), ask(`${path}/json`)]);
		const about = element("section", {}, element("h1", {}, visible(report.sha256)),
			element("p", {}, verdict(report.verdict, report.score), " ", visible(report.reasons)),
			element("p", { class: "dim" }, visible(`${report.type} ${report.architecture}, ${Number(report.size).toLocaleString("en")} bytes, MD5 ${report.md5}, ${report.tlsh || "no TLSH"}`)),
			element("p", {}, "Report: ", ...FORMS.flatMap(([form, name]) => form !== "capture" || report.runs
				? [element("a", { href: `${path}/${form}`, target: "_blank", rel: "noopener" }, name), " "] : [])));
		if (report.limits.length) about.append(element("p", { class: "dim" }, visible(`Limits of ours that cut something short: ${report.limits.join(", ")}`)));
		const indicators = report.indicators.length
			? rows(["value", "type", "for", "found by", "sure"], new Set(["sure"]), report.indicators.slice(0, 500).map((i) => [i.value, i.type, i.role, i.how, `${i.confidence} %`]))
			: element("p", { class: "empty" }, "None was found.");
		page.replaceChildren(about,
			element("div", { class: "sides" }, box("Families that it resembles", plainTable(report.families)), box("Belongs with", links(report), visible(report.campaign ?? ""))),
			box("Indicators", indicators), box("What it did", behaviour(report.behaviour)), box("Where it came from", whence(events)),
			box("What it is", plainTable(report.facts.map(({ name, value }) => ({ name, value })))),
			...(report.parts.length > 1 ? [box("What is in it", plainTable(report.parts.map(({ name, type, architecture, size }) => ({ name, type, architecture, size }))))] : []));
	} catch (e) { page.replaceChildren(failure(e)); }
}
