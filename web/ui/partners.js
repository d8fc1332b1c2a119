// Partners: who they are, what each is granted, what each was shown and refused.  Rights are changed on the command line.

import { ask, element, failure, visible } from "./console.js";

const day = (time) => String(time ?? "").slice(0, 16).replace("T", " ");
const now = () => new Date().toISOString();

function table(columns, list, empty) {
	if (!list.length) return element("p", { class: "empty" }, empty);
	const cell = (c, i) => element("td", { class: columns[i].endsWith("s") && typeof c === "number" ? "number" : "" },
		c instanceof Node ? c : visible(typeof c === "number" ? c.toLocaleString("en") : c ?? ""));
	return element("table", {}, element("thead", {}, element("tr", {}, ...columns.map((c) => element("th", { scope: "col" }, c)))),
		element("tbody", {}, ...list.map((cells) => element("tr", {}, ...cells.map(cell)))));
}

function box(title, content, note = "") {
	return element("section", {}, element("h2", {}, title, " ", element("span", { class: "dim" }, note)), ...[content].flat());
}

// All pages of a list, as far as a person reads.
async function all(what, organisation) {
	const rows = [], by = organisation ? `&organisation=${encodeURIComponent(organisation)}` : "";
	for (let from = 0; from !== undefined && rows.length < 2000;) {
		const answer = await ask(`/api/v1/exchange/${what}?from=${from}${by}`);
		rows.push(...answer.rows);
		from = answer.next;
	}
	return rows;
}

function name(organisation) {
	return element("a", { href: `#partners/${encodeURIComponent(organisation)}` }, organisation);
}

function state(row) {
	if (row.suspended) return "suspended";
	if (row.revoked) return `revoked ${day(row.revoked)}`;
	return row.expires && row.expires <= now() ? "expired" : "";
}

function grantsTable(grants) {
	const span = (g) => [g.from && `from ${day(g.from)}`, g.to && `to ${day(g.to)}`, g.last_s && `last ${g.last_s / 3600} h`,
		g.delay_s && `${g.delay_s / 3600} h late`].filter(Boolean).join(", ");
	return table(["organisation", "collection", "rights", "up to", "policy", "of events", "requests a minute", "until"],
		grants.map((g) => [name(g.organisation), g.collection, g.rights, `TLP:${g.tlp}`, g.policy, span(g), g.per_minute ?? "", day(g.expires)]),
		"Nobody is granted anything: `kansoku grant set`.");
}

function tokensTable(tokens) {
	return table(["token", "user", "kind", "scope", "from", "last used", "by", "until", ""], tokens.map((t) => [t.id, `${t.organisation}/${t.user}`,
		t.bound ? `${t.kind}, bound` : t.kind, [t.scope, ...t.collections].join(" "), t.networks.join(" ") || "anywhere",
		day(t.used) || "never", t.used_from, day(t.expires) || "never ends", state(t)]), "No token was made: `kansoku token add`.");
}

function auditTable(rows) {
	return table(["line", "when", "what", "who", "from", "collection", "why or how", "objects"], rows.map((r) => [String(r.n), day(r.time), r.action,
		r.organisation ? `${r.organisation}${r.user ? `/${r.user}` : ""}` : "", r.from, r.collection,
		[r.reason, r.format, r.policy && `policy ${r.policy}`, r.marking && `TLP:${r.marking}`, r.filter].filter(Boolean).join("; ").slice(0, 300),
		r.objects ?? ""]), "Nothing was shown, refused or changed yet.");
}

async function audit(organisation, action) {
	const content = element("div", {}), more = element("button", {}, "Older");
	const by = [organisation && `organisation=${encodeURIComponent(organisation)}`, action && `action=${action}`].filter(Boolean).join("&");
	let next = 0, rows = [];
	const load = async () => {
		const answer = await ask(`/api/v1/exchange/audit?before=${next}&${by}`);
		rows = rows.concat(answer.rows);
		next = answer.next;
		more.hidden = !next;
		content.replaceChildren(auditTable(rows));
	};
	more.addEventListener("click", () => load().catch((e) => content.append(failure(e))));
	await load();
	return [content, more];
}

export async function partners(page, organisation) {
	page.replaceChildren(element("section", {}, element("h1", {}, "Partners"), "…"));
	try {
		const [organisations, users, tokens, grants, lines, refused] = await Promise.all([all("organisations"), all("users", organisation),
			all("tokens", organisation), all("grants", organisation), audit(organisation), audit(organisation, "refused")]);
		const shown = organisation ? organisations.filter((o) => o.name === organisation) : organisations;
		const who = table(["organisation", "title", "contact", "users", "grants", "since", ""], shown.map((o) => [name(o.name), o.title, o.contact,
			o.users, o.grants, day(o.created), state(o)]), organisation ? "It is not there any more." : "Data is exchanged with nobody: `kansoku org add`.");
		page.replaceChildren(box(organisation ? visible(organisation) : "Partners", who, organisation ? "" : "who may see something of ours, or give us something"),
			box("Granted", grantsTable(grants)), box("Tokens", tokensTable(tokens)),
			...(organisation ? [box("Users", table(["user", "remark", "since", ""], users.map((u) => [u.name, u.remark, day(u.created), state(u)]), "None."))] : []),
			box("Refused", refused, "wrong, expired and revoked tokens, and what nobody granted"),
			box("Audit", lines, "newest first; `kansoku audit exchange` verifies its chain"));
	} catch (e) { page.replaceChildren(failure(e)); }
}
