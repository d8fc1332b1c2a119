/*
 * What a source names: checked, normalised and put into a record by its type.
 *
 * Sources write addresses with and without ports and brackets, hashes in capitals, and names with a dot at their
 * end; the same thing must be the same value, whoever says it.
 */
#pragma once
#include "share/format.h"

enum named {
	NAMED_NOTHING,
	NAMED_ADDRESS,  /* also a prefix ("network") and what carries a port ("endpoint") */
	NAMED_ENDPOINT, /* ADDRESS:PORT, also IPv6 without brackets, or NAME:PORT */
	NAMED_DOMAIN,
	NAMED_URL,
	NAMED_HASH,     /* MD5, SHA-1, SHA-256, SHA-512 in hex */
	NAMED_MAIL,
	NAMED_AGENT,
	NAMED_WALLET,
	NAMED_MUTEX,
	NAMED_PATH,
};

/*
 * Sets type, value, address and port.  Otherwise the record is as it was, and the answer says what is wrong, as the
 * end of a sentence that begins with the value: "is no address".  The value is in the arena.
 */
const char *named_set(struct intake *, struct record *, enum named, struct bytes value);
/* The same, of an address with a port of its own column; 0: there is none. */
const char *named_set_at(struct intake *, struct record *, struct bytes address, uint64_t port);
/* Of what merely looks like something: a URL, hash, address, endpoint, mail or name. */
enum named named_guess(struct bytes value);
