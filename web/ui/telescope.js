// Dark traffic: its rate over time, classes, tools, ports, sources with what they were judged to
// be, victims; and the clock on which a host's page puts both sides.

import { ask, element, failure, plainTable, visible } from "./console.js";

const RANGES = { "1h": 1, "24h": 24, "7d": 168, "30d": 720 };
const WIDTH = 1000, HEIGHT = 180, LEFT = 62, BOTTOM = 22;
const SERIES = ["scan", "backscatter", "other"];

function svg(name, attributes = {}, ...children) {
	const e = document.createElementNS("http://www.w3.org/2000/svg", name);
	for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
	e.append(...children);
	return e;
}

const seconds = (time) => Date.parse(`${time.slice(0, 10)}T${time.slice(11, 19)}Z`) / 1000;
const count = (n) => Number(n).toLocaleString("en");

function short(n) {
	for (const [unit, by] of [["G", 1e9], ["M", 1e6], ["K", 1e3]])
		if (n >= by) return `${+(n / by).toPrecision(3)}${unit}`;
	return `${+n.toPrecision(3)}`;
}

function moment(second, span) {
	const text = new Date(second * 1000).toISOString();
	return span > 2 * 86400 ? text.slice(5, 10) : text.slice(11, 16);
}

// Lines of time below a picture from x to x, with the hour or the day.
function timeAxis(from, to, x, top, bottom) {
	const lines = svg("g", { class: "axis" });
	for (let i = 0; i <= 6; i++) {
		const at = from + (to - from) * i / 6;
		lines.append(svg("line", { x1: x(at), x2: x(at), y1: top, y2: bottom }),
			svg("text", { x: x(at), y: bottom + 16, "text-anchor": i === 0 ? "start" : i === 6 ? "end" : "middle" },
				moment(at, to - from)));
	}
	return lines;
}

// Buckets in which nothing came are not in the answer: they are zero, not a line across the gap.
function filled(rows) {
	const width = Number(rows[0].seconds), all = [];
	const known = new Map(rows.map((r) => [seconds(r.time), r]));
	for (let at = seconds(rows[0].time); at <= seconds(rows.at(-1).time); at += width) {
		const r = known.get(at) ?? { packets: 0, scan: 0, backscatter: 0 };
		const [packets, scan, backscatter] = [Number(r.packets), Number(r.scan), Number(r.backscatter)];
		all.push({ at, scan, backscatter, other: Math.max(0, packets - scan - backscatter) });
	}
	return { width, all };
}

function rateChart(rows) {
	const { width, all } = filled(rows);
	const from = all[0].at, to = all.at(-1).at + width;
	const most = Math.max(...all.map((b) => b.scan + b.backscatter + b.other)) / width || 1;
	const x = (at) => LEFT + (WIDTH - LEFT) * (at - from) / (to - from);
	const y = (rate) => 8 + (HEIGHT - BOTTOM - 8) * (1 - rate / most);
	const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "chart",
		"aria-label": `packets a second from ${rows[0].time} to ${rows.at(-1).time}, at most ${short(most)}` });
	const levels = svg("g", { class: "axis" });
	for (const share of [0, 0.5, 1])
		levels.append(svg("line", { x1: LEFT, x2: WIDTH, y1: y(most * share), y2: y(most * share) }),
			svg("text", { x: LEFT - 6, y: y(most * share) + 4, "text-anchor": "end" }, short(most * share)));
	const base = all.map(() => 0);
	const areas = SERIES.map((name) => {
		const lower = base.map((v, i) => [all[i].at, y(v / width)]);
		all.forEach((b, i) => { base[i] += b[name]; });
		const upper = base.map((v, i) => [all[i].at, y(v / width)]);
		const steps = (points) => points.flatMap(([at, h]) => [`${x(at).toFixed(1)},${h.toFixed(1)}`, `${x(at + width).toFixed(1)},${h.toFixed(1)}`]);
		return svg("polygon", { class: `area-${name}`, points: [...steps(upper), ...steps(lower).reverse()].join(" ") });
	});
	picture.append(timeAxis(from, to, x, 8, HEIGHT - BOTTOM), levels, ...areas);
	const legend = element("p", { class: "legend" }, ...SERIES.map((name) =>
		element("span", { class: `key key-${name}` }, name)), element("span", { class: "dim" }, `packets a second, ${width / 60} min a step, UTC`));
	const numbers = element("details", {}, element("summary", {}, "Show as table"), plainTable(rows));
	return element("div", {}, legend, picture, numbers);
}

// A share of the largest, drawn behind the number of its cell's row.
function ranked(rows, columns) {
	if (!rows.length) return element("p", { class: "empty" }, "None in this range.");
	const most = Math.max(...rows.map((r) => Number(r.packets ?? r.sources)));
	const head = element("tr", {}, ...columns.map((c) => element("th", { scope: "col", class: typeof rows[0][c] === "number" ? "number" : "" }, c)),
		element("th", { scope: "col" }, "share"));
	const body = element("tbody");
	for (const r of rows) {
		const bar = svg("svg", { viewBox: "0 0 100 8", class: "bar", preserveAspectRatio: "none", "aria-hidden": "true" },
			svg("rect", { width: 100 * Number(r.packets ?? r.sources) / most, height: 8 }));
		body.append(element("tr", {}, ...columns.map((c) => typeof r[c] === "number"
			? element("td", { class: "number" }, c === "port" ? String(r[c]) : count(r[c]))
			: element("td", {}, visible(r[c]) || "not known")), element("td", {}, bar)));
	}
	return element("table", {}, element("thead", {}, head), body);
}

export function verdictLabel(verdict, confidence) {
	if (!verdict) return element("span", { class: "dim" }, "not judged");
	const known = ["attack", "survey", "victim"].includes(verdict) ? verdict : "other";
	return element("span", { class: `verdict verdict-${known}` }, `${visible(verdict)} ${Number(confidence)} %`);
}

function hostLink(address) {
	return element("a", { href: `#host/${encodeURIComponent(address)}` }, address);
}

function sourcesTable(rows) {
	if (!rows.length) return element("p", { class: "empty" }, "No source in this range: the telescope saw nothing, or none is configured.");
	const columns = ["source", "verdict", "packets", "destinations", "ports", "tool", "class", "last seen", "reasons"];
	const numbers = new Set(["packets", "destinations", "ports"]);
	const body = element("tbody");
	for (const r of rows)
		body.append(element("tr", {}, element("td", {}, hostLink(r.src)), element("td", {}, verdictLabel(r.verdict, r.confidence)),
			...[r.packets, r.destinations, r.ports].map((n) => element("td", { class: "number" }, count(n))),
			element("td", {}, visible(r.tools)), element("td", {}, visible(r.class)), element("td", {}, r.last.slice(5, 16)),
			element("td", { class: "reasons" }, visible(r.reasons))));
	return element("table", {}, element("thead", {}, element("tr", {}, ...columns.map((c) =>
		element("th", { scope: "col", class: numbers.has(c) ? "number" : "" }, c)))), body);
}

// Findings: the first column is an address.
function findings(rows) {
	const list = plainTable(rows);
	rows.forEach((r, i) => list.tBodies[0].rows[i].cells[0].replaceChildren(hostLink(Object.values(r)[0])));
	return list;
}

function totals(t) {
	const list = element("dl", { class: "counts" });
	for (const name of ["packets", "sources", "ports", "flows", "bytes"])
		list.append(element("div", {}, element("dt", {}, name), element("dd", {}, name === "bytes" ? short(Number(t[name])) : count(t[name]))));
	return list;
}

export async function telescope(page, range = "24h") {
	const hours = RANGES[range] ?? 24;
	const from = new Date(Date.now() - hours * 3600000).toISOString().slice(0, 19) + "Z";
	const ranges = element("p", { class: "ranges" }, "Last ", ...Object.keys(RANGES).map((r) =>
		element("a", r === range ? { href: `#telescope/${r}`, "aria-current": "true" } : { href: `#telescope/${r}` }, r)));
	const box = (title, content, note = "") => element("section", {}, element("h2", {}, title, " ", element("span", { class: "dim" }, note)), content);
	page.replaceChildren(element("section", {}, element("h1", {}, "Telescope"), ranges, "…"));
	try {
		const { parts } = await ask(`/api/v1/reports/telescope?from=${encodeURIComponent(from)}`);
		const rate = parts.rate.length ? rateChart(parts.rate)
			: element("p", { class: "empty" }, "No dark traffic in this range: a telescope needs an interface and prefixes in the configuration.");
		const found = [["Victims seen by their backscatter", parts.victims], ["Scans", parts.scans], ["Reflections", parts.reflections], ["Floods", parts.floods]];
		page.replaceChildren(
			element("section", {}, element("h1", {}, "Telescope"), ranges, totals(parts.totals[0])),
			box("Rate", rate),
			element("div", { class: "sides" }, element("div", { class: "stack" }, box("Classes", ranked(parts.classes, ["class", "packets", "sources"])),
				box("Tools", ranked(parts.tools, ["tool", "packets", "sources"]), "by signature"),
				box("Verdicts", ranked(parts.verdicts, ["verdict", "sources", "confidence"]), "sources, the latest of each; confidence on average")),
				box("Ports", ranked(parts.ports.slice(0, 15), ["proto", "port", "packets", "sources"]), "asked for; the first 15")),
			box("Sources", sourcesTable(parts.sources), "the 100 with most packets"),
			element("div", { class: "sides" }, ...found.filter(([, rows]) => rows.length).map(([title, rows]) => box(title, findings(rows))),
				...(parts.handshakes.length ? [box("Handshakes with reactive addresses", plainTable(parts.handshakes))] : []),
				box("Alerts of other sensors", plainTable(parts.alerts), "by what triage made of them"),
				box("What payloads ask", plainTable(parts.asks))));
	} catch (e) { page.replaceChildren(failure(e)); }
}

// A flow as a row between a host's events.
export function flowEvent(f) {
	return { ...f, kind: "flow.counted", side: "them", time: f.first, dport: f.port, service: f.tool || f.proto,
		detail: `${f.answer ? "answers from" : "asks"} ${f.proto} ${f.port}: ${count(f.packets)} packets to ${count(f.destinations)} addresses until ${f.time.slice(11, 19)}${f.asks ? `, ${f.asks}` : ""}` };
}

// Dark traffic, what it did to decoys, and what we asked it, on one clock.
export function hostClock(flows, them, us) {
	const times = [...flows.flatMap((f) => [seconds(f.first), seconds(f.time)]), ...[...them, ...us].map((e) => seconds(e.time))];
	if (!times.length) return element("p", { class: "empty" }, "Nothing is kept of it.");
	const from = Math.min(...times), to = Math.max(...times, from + 60);
	const side = 150, x = (at) => side + (WIDTH - side - 10) * (at - from) / (to - from);
	const lanes = [["dark traffic", "them"], ["them → us", "them"], ["us → them", "us"]];
	const picture = svg("svg", { viewBox: `0 0 ${WIDTH} 122`, role: "img", class: "chart",
		"aria-label": `${flows.length} flows, ${them.length} acts of theirs, ${us.length} of ours` },
		timeAxis(from, to, x, 4, 100), ...lanes.map(([name, kind], i) => svg("text", { x: 0, y: 24 + i * 32, class: kind }, name)));
	const most = Math.max(1, ...flows.map((f) => Math.log1p(Number(f.packets))));
	for (const f of flows) {
		const h = 4 + 18 * Math.log1p(Number(f.packets)) / most;
		picture.append(svg("rect", { class: "mark-dark", x: x(seconds(f.first)), width: Math.max(2, x(seconds(f.time)) - x(seconds(f.first))), y: 30 - h, height: h }));
	}
	for (const [list, lane, kind] of [[them, 1, "mark-them"], [us, 2, "mark-us"]])
		for (const e of list) picture.append(svg("rect", { class: kind, x: x(seconds(e.time)) - 2, width: 4, y: 10 + lane * 32, height: 18 }));
	return picture;
}
