#include "share/reading/mapping_inner.h"
#include "base/error.h"
#include <ctype.h>

static const struct { const char *name; enum use use; } uses_known[] = {
	{"time", USE_TIME}, {"src", USE_SRC}, {"address", USE_SRC}, {"port", USE_PORT}, {"dport", USE_PORT}, {"type", USE_TYPE},
	{"value", USE_VALUE}, {"url", USE_URL}, {"domain", USE_DOMAIN}, {"hash", USE_HASH}, {"id", USE_ID}, {"link", USE_LINK},
	{"title", USE_TITLE}, {"author", USE_AUTHOR}, {"labels", USE_LABELS}, {"role", USE_ROLE}, {"kind", USE_KIND},
	{"tlp", USE_TLP}, {"pap", USE_PAP}, {"confidence", USE_CONFIDENCE},
};

/* How others call the same, after normalising; a field's own name is known, too. */
static const struct { const char *name, *ours; } synonyms[] = {
	{"timestamp", "time"}, {"date", "time"}, {"datetime", "time"}, {"date_time", "time"}, {"ts", "time"}, {"first_seen", "time"},
	{"observed_at", "time"}, {"seen", "time"}, {"src_ip", "src"}, {"source_ip", "src"}, {"source", "src"}, {"srcip", "src"},
	{"saddr", "src"}, {"ip", "src"}, {"ip_address", "src"}, {"attacker", "src"}, {"attacker_ip", "src"}, {"ip_src", "src"},
	{"src_port", "sport"}, {"source_port", "sport"}, {"spt", "sport"}, {"srcport", "sport"}, {"dst_ip", "dst"}, {"destination_ip", "dst"},
	{"destination", "dst"}, {"dstip", "dst"}, {"daddr", "dst"}, {"ip_dst", "dst"}, {"dst_port", "port"}, {"destination_port", "port"},
	{"dpt", "port"}, {"dstport", "port"}, {"target_port", "port"}, {"protocol", "proto"}, {"fqdn", "domain"}, {"host_name", "domain"},
	{"hostname", "domain"}, {"sha256", "hash"}, {"sha1", "hash"}, {"md5", "hash"}, {"indicator", "value"}, {"ioc", "value"},
	{"tag", "labels"}, {"tags", "labels"}, {"category", "labels"}, {"description", "title"}, {"comment", "title"}, {"event_id", "id"},
	{"reference", "link"}, {"user", "login.user"}, {"username", "login.user"}, {"password", "login.secret"}, {"banner", "banner"},
	{"command", "command.line"}, {"user_agent", "request.agent"}, {"packets", "flow.packets"}, {"bytes", "flow.bytes"},
	{"ttl", "tcp.ttl"}, {"country", "record.country"}, {"cc", "record.country"}, {"geo", "record.country"}, {"asn", "record.as"},
	{"as_name", "record.as_name"}, {"org", "record.as_name"}, {"city", "record.city"}, {"family", "record.family"},
	{"malware", "record.family"}, {"vendor", "record.vendor"}, {"product", "record.product"}, {"version", "record.version"},
	{"os", "record.os"}, {"cpe", "record.cpe"}, {"filename", "file.name"}, {"file_name", "file.name"},
};

/* What an import itself says of a record is not for a table to say. */
static bool is_own(uint16_t field)
{
	static const uint16_t own[] = {FIELD_SENSOR, FIELD_PROCESS, FIELD_SEQUENCE, FIELD_RECEIVED, FIELD_CAUSE, FIELD_ROOT,
				       FIELD_DEPTH, FIELD_SESSION, FIELD_SRC, FIELD_DPORT, FIELD_PAP, FIELD_INDICATOR_TYPE,
				       FIELD_INDICATOR_VALUE, FIELD_INDICATOR_ROLE, FIELD_CONFIDENCE};
	static const char *const names[] = {"record.source", "record.format", "record.time", "record.link", "record.title",
					    "record.author", "record.labels", "record.tlp", "record.kind", "record.id",
					    "record.original"};
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (own[i] == field)
			return true;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(field_definition(field)->name, names[i]))
			return true;
	return field_definition(field)->type == FIELD_ID;
}

static enum use use_of(struct bytes name, uint16_t *field)
{
	for (size_t i = 0; i < sizeof uses_known / sizeof *uses_known; i++)
		if (bytes_equal_text(name, uses_known[i].name))
			return uses_known[i].use;
	int found = field_find(name);
	if (found < 0 || is_own((uint16_t)found))
		return USE_NOTHING;
	*field = (uint16_t)found;
	return USE_FIELD;
}

static bool zone_read(struct bytes word, int *zone_s)
{
	uint64_t hours, minutes = 0;
	bool signed_one = word.len >= 3 && (word.at[0] == '+' || word.at[0] == '-');
	if (!signed_one || !bytes_number((struct bytes){word.at + 1, 2}, 14, &hours))
		return false;
	struct bytes rest = {word.at + 3, word.len - 3};
	if (rest.len && rest.at[0] == ':')
		rest = (struct bytes){rest.at + 1, rest.len - 1};
	if (rest.len && !bytes_number(rest, 59, &minutes))
		return false;
	*zone_s = (int)(hours * 3600 + minutes * 60) * (word.at[0] == '-' ? -1 : 1);
	return true;
}

/* How the table is written; false: the name is no such word. */
static bool set_writing(struct mapping *m, struct bytes name, struct bytes word, bool *right)
{
	*right = true;
	if (bytes_equal_text(name, "separator")) {
		m->separator = bytes_equal_text(word, "tab")	     ? '\t'
			       : bytes_equal_text(word, "comma")     ? ','
			       : bytes_equal_text(word, "semicolon") ? ';' : word.len == 1 ? word.at[0] : 0;
		*right = m->separator != 0 && m->separator != '"';
	} else if (bytes_equal_text(name, "header")) {
		m->no_header = bytes_equal_text(word, "no");
		*right = m->no_header || bytes_equal_text(word, "yes");
	} else if (bytes_equal_text(name, "zone")) {
		*right = zone_read(word, &m->zone_s);
	} else {
		return false;
	}
	return true;
}

static int add_name(struct mapping *m, enum use use, uint16_t field, struct bytes column, struct fault *fault)
{
	uint64_t number = 0;
	if (m->name_count == MAPPING_WORDS_MAX)
		return fault_set(fault, ERR_FULL, "the map has more than %d columns", MAPPING_WORDS_MAX);
	struct mapped_name *n = &m->names[m->name_count++];
	if (column.len > 1 && column.at[0] == '#' && !bytes_number((struct bytes){column.at + 1, column.len - 1}, ROWS_COLUMNS_MAX, &number))
		return fault_set(fault, ERR_BAD, "the map: #%.*s is no number of a column", (int)column.len - 1,
				 (const char *)column.at + 1);
	*n = (struct mapped_name){.use = use, .field = field, .number = (size_t)number};
	if (!column.len || !bytes_copy_text(column, n->column, sizeof n->column))
		return fault_set(fault, ERR_BAD, "the map names a column that is empty or too long");
	for (char *c = n->column; *c && !number; c++)
		*c = (uint8_t)*c >= 0x80 || isalnum((uint8_t)*c) ? (char)tolower((uint8_t)*c) : '_';
	return 0;
}

static int add_word(struct mapping *m, enum use use, uint16_t field, struct bytes word, struct fault *fault)
{
	if (m->word_count == MAPPING_WORDS_MAX)
		return fault_set(fault, ERR_FULL, "the map has more than %d words", MAPPING_WORDS_MAX);
	struct mapped_word *w = &m->words[m->word_count++];
	*w = (struct mapped_word){.use = use, .field = field};
	return bytes_copy_text(word, w->text, sizeof w->text) ? 0 : fault_set(fault, ERR_BAD, "the map has a word that is too long");
}

static int read_one(struct mapping *m, struct bytes part, struct fault *fault)
{
	size_t at = bytes_find(part, "=");
	bool word = at > 0 && at < part.len && part.at[at - 1] == ':', right;
	if (at == part.len)
		return fault_set(fault, ERR_BAD, "the map: \"%.*s\" has no =; src=ip or kind:=scan.seen would be right", (int)part.len,
				 (const char *)part.at);
	struct bytes name = bytes_trim((struct bytes){part.at, at - word});
	struct bytes value = bytes_trim((struct bytes){part.at + at + 1, part.len - at - 1});
	if (word && set_writing(m, name, value, &right))
		return right ? 0 : fault_set(fault, ERR_BAD, "the map: %.*s cannot be \"%.*s\"", (int)name.len, (const char *)name.at,
					     (int)value.len, (const char *)value.at);
	uint16_t field = 0;
	enum use use = use_of(name, &field);
	if (use == USE_NOTHING)
		return fault_set(fault, ERR_BAD, "the map: \"%.*s\" is nothing that a column can be; `kansoku describe fields` lists "
				 "what is", (int)name.len, (const char *)name.at);
	return word ? add_word(m, use, field, value, fault) : add_name(m, use, field, value, fault);
}

int mapping_read(struct mapping *m, struct bytes text, struct fault *fault)
{
	*m = (struct mapping){0};
	for (;;) {
		text = bytes_trim(text);
		if (!text.len)
			return 0;
		size_t end = bytes_find(text, ",");
		int bad = read_one(m, (struct bytes){text.at, end}, fault);
		if (bad)
			return bad;
		end += end < text.len;
		text = (struct bytes){text.at + end, text.len - end};
	}
}

static void guess(struct bytes name, struct column_use *use)
{
	struct bytes ours = name;
	for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++)
		if (bytes_equal_text(name, synonyms[i].name))
			ours = bytes_of_text(synonyms[i].ours);
	use->use = (uint8_t)use_of(ours, &use->field);
	for (uint16_t i = 0; use->use == USE_NOTHING && i < field_count(); i++) { /* "login_user" is login.user */
		struct bytes known = bytes_of_text(field_definition(i)->name);
		bool same = known.len == name.len;
		for (size_t k = 0; same && k < known.len; k++)
			same = known.at[k] == name.at[k] || (known.at[k] == '.' && name.at[k] == '_');
		if (same && !is_own(i))
			*use = (struct column_use){USE_FIELD, i};
	}
}

static size_t column_of(const struct mapped_name *n, const struct rows *rows)
{
	if (n->number)
		return n->number - 1;
	for (size_t i = 0; i < rows->count; i++)
		if (bytes_equal_text(rows_name(rows, i), n->column))
			return i;
	return rows->count;
}

int mapping_columns(const struct mapping *m, const struct rows *rows, struct column_use *uses, struct fault *fault)
{
	bool any = false;
	memset(uses, 0, ROWS_COLUMNS_MAX * sizeof *uses);
	for (size_t i = 0; i < m->name_count; i++) {
		size_t at = column_of(&m->names[i], rows);
		if (at >= rows->count)
			return fault_set(fault, ERR_MISSING, "the map names the column \"%s\", and the table has none", m->names[i].column);
		uses[at] = (struct column_use){(uint8_t)m->names[i].use, m->names[i].field};
		any = true;
	}
	for (size_t i = 0; i < rows->count && !m->name_count; i++) {
		guess(rows_name(rows, i), &uses[i]);
		any |= uses[i].use != USE_NOTHING;
	}
	return any ? 0 : fault_set(fault, ERR_MISSING, "no column has a name that is known; say what they are with a map");
}
