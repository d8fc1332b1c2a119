/* Reading requests, tolerant where PJSIP's parser is. */
#include "passive/services/sip/sip.h"

bool sip_head(struct reader *in, struct bytes *head)
{
	struct bytes all = {in->at, reader_left(in) < SIP_HEAD_MAX ? reader_left(in) : SIP_HEAD_MAX};
	size_t end = bytes_find(all, "\r\n\r\n"), mark = 4;
	if (end == all.len) {
		end = bytes_find(all, "\n\n");
		mark = 2;
	}
	if (end == all.len)
		return false;
	*head = read_bytes(in, end + mark);
	return true;
}

static bool is_word(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] <= ' ' || b.at[i] >= 0x7f)
			return false;
	return b.len > 0;
}

static void take_field(struct sip_request *r, struct bytes name, struct bytes value)
{
	const struct {
		const char *name, *also; /* the compact form (7.3.3) */
		struct bytes *slot;
	} known[] = {
		{"From", "f", &r->from}, {"To", "t", &r->to}, {"Call-ID", "i", &r->call_id},
		{"CSeq", "CSeq", &r->sequence}, {"Contact", "m", &r->contact},
		{"User-Agent", "User-Agent", &r->agent}, {"Expires", "Expires", &r->expires},
		{"Authorization", "Proxy-Authorization", &r->authorization},
		{"Content-Length", "l", &r->length},
	};
	if (bytes_equal_nocase(name, "Via") || bytes_equal_nocase(name, "v")) {
		if (r->via_count < SIP_VIAS_MAX)
			r->vias[r->via_count++] = value;
		return;
	}
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (bytes_equal_nocase(name, known[i].name) || bytes_equal_nocase(name, known[i].also))
			*known[i].slot = value;
}

bool sip_parse(struct bytes head, struct sip_request *r)
{
	struct reader in = reader_of_bytes(head);
	struct bytes line, rest;
	*r = (struct sip_request){0};
	if (!read_line(&in, &line))
		return false;
	rest = line;
	r->method = bytes_word(&rest);
	r->uri = bytes_word(&rest);
	if (!is_word(r->method) || r->method.len > 32 || !is_word(r->uri) ||
	    !bytes_equal_nocase(bytes_trim(rest), "SIP/2.0"))
		return false;
	while (read_line(&in, &line) && line.len) {
		size_t colon = bytes_find(line, ":");
		if (colon < line.len)
			take_field(r, bytes_trim((struct bytes){line.at, colon}),
				   bytes_trim((struct bytes){line.at + colon + 1, line.len - colon - 1}));
	}
	if (r->via_count)
		sip_parameter(r->vias[0], "branch", ';', &r->branch);
	return r->via_count && r->from.len && r->to.len && r->call_id.len && r->sequence.len;
}

bool sip_parameter(struct bytes field, const char *name, char parted, struct bytes *value)
{
	size_t n = strlen(name);
	struct bytes rest = field;
	while (rest.len) {
		const uint8_t *mark = memchr(rest.at, parted, rest.len);
		size_t len = mark ? (size_t)(mark - rest.at) : rest.len;
		struct bytes one = bytes_trim((struct bytes){rest.at, len});
		size_t taken = mark ? len + 1 : len;
		rest.at += taken;
		rest.len -= taken;
		if (one.len < n || !bytes_equal_nocase((struct bytes){one.at, n}, name) ||
		    (one.len > n && one.at[n] != '='))
			continue;
		size_t skip = one.len > n ? n + 1 : n;
		*value = (struct bytes){one.at + skip, one.len - skip};
		if (value->len >= 2 && value->at[0] == '"' && value->at[value->len - 1] == '"')
			*value = (struct bytes){value->at + 1, value->len - 2};
		return true;
	}
	return false;
}

bool sip_has_tag(struct bytes field)
{
	struct bytes value;
	size_t end = bytes_find(field, ">");
	struct bytes behind = end < field.len ? (struct bytes){field.at + end + 1, field.len - end - 1} : field;
	return sip_parameter(behind, "tag", ';', &value);
}

struct bytes sip_user(struct bytes uri)
{
	size_t colon = bytes_find(uri, ":");
	struct bytes rest = {uri.at + colon, uri.len - colon};
	if (rest.len)
		rest.at++, rest.len--;
	size_t at = bytes_find(rest, "@");
	return at < rest.len ? (struct bytes){rest.at, at} : (struct bytes){0};
}
