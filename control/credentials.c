#include "control/credentials_inner.h"
#include <stdlib.h>
#include <xxhash.h>

#define BUILT_IN "mirai"
#define LEAST_DEFAULT 3

const struct option credential_fields[] = {
	{"name", OPTION_TEXT, offsetof(struct credential_option, name), .required = true,
	 .summary = "what rules call the list"},
	{"pairs", OPTION_LIST, offsetof(struct credential_option, pairs), .element = OPTION_TEXT, .required = true,
	 .summary = "its credentials, as \"user:password\""},
	{"least", OPTION_NUMBER, offsetof(struct credential_option, least), .fallback = "3", .min = 1, .max = 200,
	 .summary = "how many different pairs of it a source tries before it is said to use the list"},
	{0},
};

/* scanner.c of the published source: all pairs, each once. */
static const char *const mirai[] = {
	"root:xc3511", "root:vizxv", "root:admin", "admin:admin", "root:888888", "root:xmhdipc",
	"root:default", "root:juantech", "root:123456", "root:54321", "support:support", "root:",
	"admin:password", "root:root", "root:12345", "user:user", "admin:", "root:pass",
	"admin:admin1234", "root:1111", "admin:smcadmin", "admin:1111", "root:666666", "root:password",
	"root:1234", "root:klv123", "Administrator:admin", "service:service", "supervisor:supervisor",
	"guest:guest", "guest:12345", "admin1:password", "administrator:1234", "666666:666666",
	"888888:888888", "ubnt:ubnt", "root:klv1234", "root:Zte521", "root:hi3518", "root:jvbzd",
	"root:anko", "root:zlxx.", "root:7ujMko0vizxv", "root:7ujMko0admin", "root:system", "root:ikwb",
	"root:dreambox", "root:user", "root:realtek", "root:00000000", "admin:1111111", "admin:1234",
	"admin:12345", "admin:54321", "admin:123456", "admin:7ujMko0admin", "admin:pass", "admin:meinsm",
	"tech:tech", "mother:fucker",
};

uint64_t credential_hash(struct bytes user, struct bytes secret)
{
	uint64_t hash = XXH3_64bits_withSeed(user.at, user.len, user.len + 1);
	hash = XXH3_64bits_withSeed(secret.at, secret.len, hash);
	return hash ? hash : 1;
}

static struct credential_slot *slot_of(const struct credentials *c, uint64_t hash)
{
	size_t at = hash & c->slot_mask;
	while (c->slots[at].hash && c->slots[at].hash != hash)
		at = (at + 1) & c->slot_mask;
	return &c->slots[at];
}

static void add(struct credentials *c, const char *pair, size_t list)
{
	const char *colon = strchr(pair, ':');
	size_t user = colon ? (size_t)(colon - pair) : strlen(pair);
	uint64_t hash = credential_hash((struct bytes){(const uint8_t *)pair, user},
					bytes_of_text(colon ? colon + 1 : ""));
	struct credential_slot *slot = slot_of(c, hash);
	slot->hash = hash;
	slot->lists |= (uint8_t)(1u << list);
}

int credentials_open(struct credentials *c, const struct option_list *options)
{
	const struct credential_option *o = options->items;
	size_t total = sizeof mirai / sizeof *mirai, slots = 64;
	bool replaced = false;
	*c = (struct credentials){0};
	for (size_t i = 0; i < options->count; i++) {
		total += o[i].pairs.count;
		replaced |= !strcmp(o[i].name, BUILT_IN);
	}
	if (total > CREDENTIALS_MAX || options->count + !replaced > CREDENTIAL_LISTS_MAX)
		return ERR_FULL;
	while (slots < 2 * total)
		slots *= 2;
	c->slots = calloc(slots, sizeof *c->slots);
	if (!c->slots)
		return ERR_MEMORY;
	c->slot_mask = slots - 1;
	for (size_t i = 0; i < options->count; i++) {
		const char *const *pairs = o[i].pairs.items;
		c->lists[c->count] = (struct credential_list){o[i].name, o[i].least};
		for (size_t k = 0; k < o[i].pairs.count; k++)
			add(c, pairs[k], c->count);
		c->count++;
	}
	if (replaced)
		return 0;
	c->lists[c->count] = (struct credential_list){BUILT_IN, LEAST_DEFAULT};
	for (size_t i = 0; i < sizeof mirai / sizeof *mirai; i++)
		add(c, mirai[i], c->count);
	c->count++;
	return 0;
}

void credentials_close(struct credentials *c)
{
	free(c->slots);
	*c = (struct credentials){0};
}

uint8_t credentials_lists(const struct credentials *c, uint64_t hash) { return slot_of(c, hash)->lists; }
