/* SPNEGO as a Windows server speaks it: enough DER for four messages. */
#include "passive/services/windows/der.h"
#include "passive/services/windows/ntlm.h"

#define MECH_NEGOEX "\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x1e"
#define MECH_NTLM "\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"
#define MECH_MS_KERBEROS "\x06\x09\x2a\x86\x48\x82\xf7\x12\x01\x02\x02"
#define MECH_KERBEROS "\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"
#define MECH_KERBEROS_USER "\x06\x0a\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x03"
#define SPNEGO_OID "\x06\x06\x2b\x06\x01\x05\x05\x02"
#define HINT                                                                                       \
	"\xa3\x2a\x30\x28\xa0\x26\x1b\x24"                                                         \
	"not_defined_in_RFC4178@please_ignore"

static void write_offer(struct writer *w, struct bytes mechanisms, struct bytes hint)
{
	size_t list = der_head(mechanisms.len) + mechanisms.len;
	size_t inner = der_head(list) + list + hint.len, init = der_head(inner) + inner;
	der_write_head(w, 0x60, 8 + der_head(init) + init);
	write_span(w, BYTES(SPNEGO_OID));
	der_write_head(w, 0xa0, init);
	der_write_head(w, 0x30, inner);
	der_write_head(w, 0xa0, list);
	der_write_head(w, 0x30, mechanisms.len);
	write_span(w, mechanisms);
	write_span(w, hint);
}

void spnego_write_offer(struct writer *w, bool of_domain, bool hint)
{
	write_offer(w,
		    of_domain ? BYTES(MECH_NEGOEX MECH_MS_KERBEROS MECH_KERBEROS MECH_KERBEROS_USER
					      MECH_NTLM)
			      : BYTES(MECH_NEGOEX MECH_NTLM),
		    hint ? BYTES(HINT) : BYTES(""));
}

static size_t octets_room(struct bytes b)
{
	return b.len ? der_head(b.len) + b.len : 0;
}

static void write_octets(struct writer *w, uint8_t tag, struct bytes b)
{
	if (!b.len)
		return;
	der_write_head(w, tag, octets_room(b));
	der_write_head(w, 0x04, b.len);
	write_span(w, b);
}

void spnego_write_answer(struct writer *w, enum spnego_state state, bool name, struct bytes token,
			 struct bytes signature)
{
	struct bytes mech = name ? BYTES("\xa1\x0c" MECH_NTLM) : BYTES("");
	size_t token_room = octets_room(token), signature_room = octets_room(signature);
	size_t inner = 5 + mech.len + (token_room ? der_head(token_room) + token_room : 0) +
		       (signature_room ? der_head(signature_room) + signature_room : 0);
	der_write_head(w, 0xa1, der_head(inner) + inner);
	der_write_head(w, 0x30, inner);
	write_span(w, BYTES("\xa0\x03\x0a\x01"));
	write_u8(w, (uint8_t)state);
	write_span(w, mech);
	write_octets(w, 0xa2, token);
	write_octets(w, 0xa3, signature);
}

struct bytes spnego_mechanisms(struct bytes init)
{
	struct reader r = reader_of_bytes(init), whole, inner, list, content;
	if (!der_enter(&r, 0x60, &whole))
		return (struct bytes){0};
	read_bytes(&whole, 8);
	if (!der_enter(&whole, 0xa0, &inner) || !der_enter(&inner, 0x30, &list) ||
	    !der_enter(&list, 0xa0, &content))
		return (struct bytes){0};
	return read_rest(&content);
}

bool spnego_has_signature(struct bytes answer)
{
	struct reader r = reader_of_bytes(answer), whole, list, skipped;
	if (!der_enter(&r, 0xa1, &whole) || !der_enter(&whole, 0x30, &list))
		return false;
	while (reader_left(&list)) {
		uint8_t tag = *list.at;
		if (!der_enter(&list, tag, &skipped))
			return false;
		if (tag == 0xa3)
			return true;
	}
	return false;
}
