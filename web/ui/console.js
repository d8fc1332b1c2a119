// The first page: live events in both directions, a host's two sides, reports.
// Everything that comes from outside is set as text, never as markup.

import { partners } from "./partners.js";
import { sample, samples } from "./samples.js";
import { flowEvent, hostClock, telescope, verdictLabel } from "./telescope.js";

const OTHERS = new Set(["record.imported"]);
const US = new Set(["decision.made", "probe.sent", "host.answered", "host.identified", "exposure.found", "host.matched", "source.judged"]);
const ROWS_SHOWN = 60;
const PAINT_MS = 250;
const page = document.getElementById("page");
let leave = () => {};

export function element(name, attributes = {}, ...children) {
	const e = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
	for (const child of children) e.append(child);
	return e;
}

// Control, zero-width and direction characters are spelled out, so that no text can hide or turn.
export function visible(value) {
	return String(value).replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
		(c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

function clock(time) {
	return String(time).slice(11, 19) || "";
}

function detail(e) {
	const get = (name) => e[name] ?? e[name.replaceAll(".", "_")] ?? extra(e, name);
	switch (e.kind) {
	case "login.tried": return `${get("login.user") ?? ""}: ${Number(get("login.accepted")) ? "accepted" : "refused"}`;
	case "command.sent": return get("command.line") ?? "";
	case "request.seen": return `${get("request.method") ?? ""} ${get("request.target") ?? ""}`;
	case "file.captured": return `${get("file.how") ?? ""} ${get("file.url") ?? get("file.name") ?? ""} ${(get("file.sha256") ?? "").slice(0, 12)}`;
	case "decision.made": return `${get("decision") ?? ""}: ${get("reason") ?? ""}`;
	case "probe.sent": return `${get("probe") ?? ""} to port ${get("sport") || get("dport") || ""}`;
	case "host.answered": return `${get("probe") ?? ""} ${get("state") ?? ""} ${get("http.title") ?? get("http.realm") ?? get("banner") ?? ""}`;
	case "host.identified": return `${get("device.class") || "unidentified"} ${get("device.vendor") ?? ""} ${get("device.product") ?? ""}`;
	case "host.matched": return `${get("rule") ?? ""}: ${get("seek.label") ?? ""}`;
	case "host.steered": return `now meets ${get("persona") ?? ""}`;
	case "session.closed": return get("close.reason") ?? "";
	case "scan.seen": case "backscatter.seen": case "reflection.seen": case "flood.seen":
		return `${get("tool") ?? ""} ${get("flow.packets") ?? "?"} packets, ${get("scan.destinations") ?? get("backscatter.destinations") ?? get("reflection.sources") ?? get("flood.sources") ?? "?"} addresses`;
	case "source.judged": return `${judged(e).verdict} ${judged(e).confidence} %: ${get("evidence") ?? ""}`;
	case "alert.raised": return `${get("alert.verdict") ?? ""} ${get("alert.signature") ?? ""}`;
	case "sample.analysed": return `${get("sample.verdict") ?? ""} ${get("sample.family") ?? ""} ${get("sample.type") ?? ""} ${get("sample.architecture") ?? ""} ${(get("file.sha256") ?? "").slice(0, 12)}`;
	case "indicator.found": return `${get("indicator.role") ?? ""} ${get("indicator.value") ?? ""} (${get("indicator.how") ?? ""}, ${get("confidence") ?? "?"} %)`;
	case "campaign.found": return `${get("sample.campaign") ?? ""}: ${get("count") ?? "?"} samples share ${get("reason") ?? ""} ${get("evidence") ?? ""}`;
	case "exploit.seen": return `${get("exploit.weakness") ?? ""} ${get("exploit.title") ?? `${get("rule") ?? ""} ${get("exploit.group") ?? ""} ${get("exploit.shape") ?? ""}`}`;
	case "record.imported": return `${get("record.source") ?? ""}: ${get("indicator.role") ?? ""} ${get("record.product") ?? ""} ${get("record.family") ?? ""} ${get("record.title") ?? ""} ${get("record.labels") ?? ""} ${get("banner") ?? ""} (${get("record.kind") ?? get("indicator.type") ?? ""}, TLP:${get("record.tlp") ?? "unmarked"})`;
	case "record.shared": return `${get("count") ?? ""} of ${get("share.collection") ?? ""} to ${get("share.organisation") ?? "the operator"} as ${get("share.format") ?? ""} (${get("share.action") ?? ""})`;
	case "sensor.changed": return `${get("service") ?? ""} ${get("state") ?? ""} ${get("detail") ?? ""}`;
	default: return get("detail") ?? "";
	}
}

// Rows of the store carry rarely used fields as two lists.
export function extra(e, name) {
	const at = Array.isArray(e.field) ? e.field.indexOf(name) : -1;
	return at < 0 ? undefined : e.value[at];
}

function judged(e) {
	const get = (name) => e[name] ?? extra(e, name);
	return { verdict: get("intent.verdict") ?? "", confidence: get("confidence") ?? 0, reasons: get("evidence") ?? "" };
}

function cells(e, columns) {
	const row = element("tr");
	for (const column of columns) {
		const cell = element("td");
		if (column === "time") cell.textContent = clock(e.time);
		else if (column === "when") cell.textContent = String(e.time).slice(5, 19).replace("T", " ");
		else if (column === "port") { // ours for what came, theirs for what we asked
			cell.textContent = (US.has(e.kind) ? e.sport : e.dport) || "";
			cell.className = "number";
		} else if (column === "side") {
			const us = US.has(e.kind);
			cell.textContent = OTHERS.has(e.kind) ? "others" : us ? "us →" : "→ us";
			cell.className = us ? "us" : OTHERS.has(e.kind) ? "" : "them";
		} else if (column === "src") {
			if (e.src) cell.append(element("a", { href: `#host/${encodeURIComponent(e.src)}` }, e.src));
		} else if (column === "detail") {
			cell.textContent = visible(detail(e)).slice(0, 300);
			cell.className = "text";
		} else cell.textContent = visible(e[column] ?? "");
		row.append(cell);
	}
	return row;
}

function table(columns, rows) {
	const head = element("tr");
	for (const column of columns) head.append(element("th", { scope: "col" }, column));
	const body = element("tbody");
	for (const row of rows) body.append(row);
	return element("table", {}, element("thead", {}, head), body);
}

export async function ask(path) {
	const answer = await fetch(path);
	const body = await answer.json().catch(() => ({}));
	if (!answer.ok) throw new Error(body.error?.message ?? `HTTP ${answer.status}`);
	return body;
}

export function failure(e) {
	return element("p", { class: "empty", role: "alert" }, `Nothing to show: ${e.message}`);
}

// The store answers numbers of 64 bits as text.
export function plainTable(rows) {
	if (!rows.length) return element("p", { class: "empty" }, "None in this range.");
	const columns = Object.keys(rows[0]);
	const isNumber = (v) => typeof v === "number" || /^\d+$/.test(v);
	const head = element("tr");
	for (const c of columns) head.append(element("th", { scope: "col", class: isNumber(rows[0][c]) ? "number" : "" }, c));
	const body = element("tbody");
	for (const r of rows) {
		const row = element("tr");
		for (const c of columns) row.append(element("td", { class: isNumber(r[c]) ? "number" : "" }, visible(r[c])));
		body.append(row);
	}
	return element("table", {}, element("thead", {}, head), body);
}

async function showOverview(into) {
	try {
		const { rows } = await ask("/api/v1/overview");
		const list = element("dl", { class: "counts" });
		for (const r of rows)
			list.append(element("div", {}, element("dt", {}, r.kind), element("dd", {}, Number(r.events).toLocaleString("en"))));
		into.replaceChildren(rows.length ? list : element("p", { class: "empty" }, "No event in the last 24 hours: point telnet at a decoy."));
	} catch (e) { into.replaceChildren(failure(e)); }
}

function live() {
	const counts = element("div", {}, "…");
	const body = element("tbody");
	const columns = ["time", "side", "kind", "src", "port", "service", "detail"];
	const stream = table(columns, []);
	stream.querySelector("tbody").replaceWith(body);
	const box = element("section", {}, element("h2", {}, "Live events"), stream);
	page.replaceChildren(element("section", {}, element("h1", {}, "Last 24 hours"), counts), box);
	let waiting = [];
	let still = false; // under a pointer or with the focus inside, rows stay where they are
	box.addEventListener("pointerenter", () => { still = true; });
	box.addEventListener("pointerleave", () => { still = false; });
	const watch = (e) => { waiting.push(e); if (waiting.length > 4 * ROWS_SHOWN) waiting = waiting.slice(-ROWS_SHOWN); };
	const paint = setInterval(() => {
		if (still || box.contains(document.activeElement) || !waiting.length) return;
		for (const e of waiting.slice(-ROWS_SHOWN)) body.prepend(cells(e, columns));
		waiting = [];
		while (body.children.length > ROWS_SHOWN) body.lastChild.remove();
	}, PAINT_MS);
	const refresh = setInterval(() => showOverview(counts), 5000);
	showOverview(counts);
	ask(`/api/v1/events?limit=${ROWS_SHOWN}`).then(({ rows }) => rows.reverse().forEach(watch)).catch(() => {});
	watchers.add(watch);
	leave = () => { clearInterval(paint); clearInterval(refresh); watchers.delete(watch); };
}

async function host(address) {
	page.replaceChildren(element("section", {}, element("h1", {}, address), "…"));
	try {
		const path = `/api/v1/hosts/${encodeURIComponent(address)}`;
		const [{ rows }, { rows: flows }, place] = await Promise.all([ask(path), ask(`${path}/flows`), ask(`${path}/place`).catch(() => ({}))]);
		const told = rows.filter((r) => r.side === "others");
		const acts = rows.filter((r) => r.side === "them"), us = rows.filter((r) => r.side === "us");
		const them = [...acts, ...flows.map(flowEvent)].sort((a, b) => a.time < b.time ? -1 : 1);
		const identified = us.filter((r) => r.kind === "host.identified").at(-1);
		const verdict = rows.filter((r) => r.kind === "source.judged").at(-1);
		const what = identified?.device_class
			? `${identified.device_class} ${identified.device_vendor} ${identified.device_product} (rule ${identified.rule}, confidence ${extra(identified, "confidence") ?? "?"})`
			: "not identified";
		const columns = ["when", "kind", "port", "service", "detail"];
		const side = (title, kind, list, empty) => element("section", {}, element("h2", { class: kind }, title),
			list.length ? table(columns, list.map((r) => cells(r, columns))) : element("p", { class: "empty" }, empty));
		const about = element("section", {}, element("h1", {}, address), element("p", {}, what));
		const where = [place.country, place.as && `AS${place.as}`, place.as_name, place.name, place.labels].filter(Boolean).join(" · ");
		if (where) about.append(element("p", {}, visible(where)));
		if (verdict) about.append(element("p", {}, verdictLabel(judged(verdict).verdict, judged(verdict).confidence), " ", visible(judged(verdict).reasons)));
		page.replaceChildren(about,
			element("section", {}, element("h2", {}, "Both sides on one clock"), hostClock(flows, acts, us)),
			element("div", { class: "sides" },
				side("What it did to us", "them", them, "It did nothing to us in the time that is kept."),
				side("What it is", "us", us, "We did not look at it; a decision with its reason would stand here.")),
			side("What others say of it", "", told, "No partner or feed has named it."));
	} catch (e) { page.replaceChildren(failure(e)); }
}

async function report(name) {
	page.replaceChildren(element("section", {}, "…"));
	try {
		const r = await ask(`/api/v1/reports/${encodeURIComponent(name)}`);
		const sections = Object.entries(r.parts).map(([part, rows]) =>
			element("section", {}, element("h2", {}, part), plainTable(rows)));
		page.replaceChildren(element("section", {}, element("h1", {}, `Report: ${r.report}`),
			element("p", { class: "dim" }, `from ${r.from} to ${r.to}`)), ...sections);
	} catch (e) { page.replaceChildren(failure(e)); }
}

async function optOuts() {
	const box = element("section", {}, element("h2", {}, "Left alone, and who waits for an answer"));
	try {
		const { rows, next } = await ask("/api/v1/opt-outs");
		box.append(plainTable(rows.map(({ prefix, state: standing, how, time, reason, asker = "" }) =>
			({ prefix, state: standing, how, time, reason, asker }))));
		if (next) box.append(element("p", { class: "dim" }, `the first ${next}; kansoku optout list has them all`));
	} catch (e) { box.append(failure(e)); }
	return box;
}

/* Bytes as `hexdump -C` shows them: each is seen, none acts. */
function dump(hex) {
	const lines = [];
	for (let at = 0; at < hex.length; at += 32) {
		const row = hex.slice(at, at + 32).match(/../g) ?? [];
		const words = row.map((b) => { const c = parseInt(b, 16); return c >= 32 && c < 127 ? String.fromCharCode(c) : "."; }).join("");
		lines.push(`${(at / 2).toString(16).padStart(8, "0")}  ${row.join(" ").padEnd(48)} |${words}|`);
	}
	return element("pre", {}, lines.join("\n"));
}

async function decide(approval, decision) {
	const body = JSON.stringify({ id: approval.id, sha256: approval.sha256, decision, by: "console" });
	const reply = await fetch("/api/v1/approvals", { method: "POST", headers: { "Content-Type": "application/json" }, body });
	if (!reply.ok) alert((await reply.json()).error?.message ?? reply.status);
	state();
}

async function approvals() {
	const box = element("section", {}, element("h2", {}, "Waits for your approval"));
	try {
		const { rows } = await ask("/api/v1/approvals?state=waiting");
		if (!rows.length) box.append(element("p", { class: "empty" }, "Nothing waits."));
		for (const row of rows) {
			const yes = element("button", {}, "Let exactly this leave, once"), no = element("button", {}, "Decline");
			yes.addEventListener("click", () => decide(row, "approve"));
			no.addEventListener("click", () => decide(row, "decline"));
			box.append(element("h3", {}, `${row.kind} to ${row.target || "-"} port ${row.port}`),
				element("p", {}, `${row.title}; asked ${row.asked} by ${row.role}`, row.sample ? `; sample ${row.sample}` : ""),
				dump(row.text), element("p", { class: "dim" }, `sha256 ${row.sha256}`), yes, " ", no);
		}
	} catch (e) { box.append(failure(e)); }
	return box;
}

async function servers() {
	const box = element("section", {}, element("h2", {}, "Command servers of own samples"));
	try {
		const { rows } = await ask("/api/v1/servers");
		if (!rows.length) box.append(element("p", { class: "empty" }, "No sample has named one."));
		else box.append(plainTable(rows.map(({ address, port, state: now, certainty, family, fingerprint, checked = "", live = "", hello, approval_state = "" }) =>
			({ address, port, state: now, certainty, family, fingerprint, checked, live, hello, approval: approval_state }))));
	} catch (e) { box.append(failure(e)); }
	return box;
}

async function state() {
	page.replaceChildren(element("section", {}, "…"));
	const show = async (title, path) => {
		const box = element("section", {}, element("h2", {}, title));
		try { box.append(element("pre", {}, JSON.stringify(await ask(path), null, 2))); } catch (e) { box.append(failure(e)); }
		return box;
	};
	page.replaceChildren(await show("Control: what may be sent", "/api/v1/state"), await approvals(), await servers(), await optOuts(), await show("Journal and store", "/api/v1/journal"));
}

function route() {
	leave();
	leave = () => {};
	const [name, argument] = decodeURIComponent(location.hash.slice(1)).split("/", 2);
	for (const a of document.querySelectorAll("nav a")) {
		if (a.getAttribute("href") === (location.hash || "#live") || a.getAttribute("href") === `#${name}`) a.setAttribute("aria-current", "page");
		else a.removeAttribute("aria-current");
	}
	if (name === "host" && argument) host(argument);
	else if (name === "report" && argument) report(argument);
	else if (name === "samples" && argument) sample(page, argument);
	else if (name === "samples") samples(page);
	else if (name === "partners") partners(page, argument);
	else if (name === "telescope") telescope(page, argument);
	else if (name === "state") state();
	else live();
}

const watchers = new Set();
const connection = document.getElementById("connection");
const source = new EventSource("/api/v1/stream");
source.onopen = () => { connection.textContent = "connected"; connection.className = "live"; };
source.onerror = () => { connection.textContent = "reconnecting"; connection.className = ""; };
source.onmessage = (message) => { const e = JSON.parse(message.data); for (const watch of watchers) watch(e); };

document.getElementById("find").addEventListener("submit", (event) => {
	event.preventDefault();
	const address = new FormData(event.target).get("address").trim();
	if (address) location.hash = `#host/${address}`;
});
addEventListener("hashchange", route);
route();
