/* Words of indicators, as they stand in JSON, events and the store; and the address that one has. */
#include "event/indicator.h"

static const char *const indicator_types[INDICATOR_TYPES] = {
	[INDICATOR_ADDRESS] = "address", [INDICATOR_ENDPOINT] = "endpoint", [INDICATOR_DOMAIN] = "domain",
	[INDICATOR_URL] = "url", [INDICATOR_MAIL] = "mail", [INDICATOR_AGENT] = "agent", [INDICATOR_KEY] = "key",
	[INDICATOR_WALLET] = "wallet", [INDICATOR_CREDENTIAL] = "credential", [INDICATOR_MUTEX] = "mutex",
	[INDICATOR_PATH] = "path", [INDICATOR_HASH] = "hash",
};

static const char *const indicator_roles[INDICATOR_ROLES] = {
	[FOR_UNKNOWN] = "unknown", [FOR_COMMAND] = "command", [FOR_DOWNLOAD] = "download", [FOR_REPORT] = "report",
	[FOR_VICTIM] = "victim", [FOR_PEER] = "peer", [FOR_CHECK] = "check",
};

const char *indicator_type_name(enum indicator_type type)
{
	return type < INDICATOR_TYPES ? indicator_types[type] : "unknown";
}

const char *indicator_role_name(enum indicator_role role)
{
	return role < INDICATOR_ROLES ? indicator_roles[role] : "unknown";
}

/* "host:23", "[2001:db8::7]:23", with or without the port. */
static bool authority_address(struct bytes b, struct address *out, uint32_t *port)
{
	size_t end = b.len;
	uint64_t number = 0;
	if (b.len && b.at[0] == '[') {
		end = bytes_find(b, "]");
		if (end == b.len || !address_parse((struct bytes){b.at + 1, end - 1}, out))
			return false;
		end++;
	} else if (address_parse(b, out)) {
		*port = 0;
		return true;
	} else {
		end = bytes_find(b, ":");
		if (!address_parse((struct bytes){b.at, end}, out))
			return false;
	}
	if (end < b.len && (b.at[end] != ':' || !bytes_number((struct bytes){b.at + end + 1, b.len - end - 1}, 65535, &number)))
		return false;
	*port = (uint32_t)number;
	return true;
}

bool indicator_address(const struct indicator *this, struct address *out, uint32_t *port)
{
	struct bytes b = this->value;
	size_t begin, end;
	switch (this->type) {
	case INDICATOR_ADDRESS:
	case INDICATOR_ENDPOINT:
		return authority_address(b, out, port);
	case INDICATOR_URL:
		begin = bytes_find(b, "://");
		if (begin == b.len)
			return false;
		for (end = begin += 3; end < b.len && b.at[end] != '/' && b.at[end] != '?' && b.at[end] != '#';)
			end++;
		return authority_address((struct bytes){b.at + begin, end - begin}, out, port);
	default:
		return false;
	}
}
