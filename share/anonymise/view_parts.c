/* The keys of a view, its tokens, and what an address becomes. */
#include "share/anonymise/view_inner.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

static int period_make(struct view *v, struct period *p, uint64_t number)
{
	uint8_t key[VIEW_KEY_BYTES], what[64];
	struct writer w = writer_of(what, sizeof what);
	memcpy(key, v->key, sizeof key);
	cryptopan_close(p->pan);
	*p = (struct period){.number = number};
	if (v->policy.period_us && !v->lasting) {
		write_fmt(&w, "period %llu of %llu", (unsigned long long)number, (unsigned long long)v->policy.period_us);
		derive((struct bytes){v->key, sizeof v->key}, "kansoku period", writer_bytes(&w), key);
	}
	derive((struct bytes){key, sizeof key}, "kansoku token", (struct bytes){0}, p->token_key);
	int bad = cryptopan_open(&p->pan, key);
	OPENSSL_cleanse(key, sizeof key);
	p->made = !bad;
	return bad;
}

int view_period_set(struct view *v, uint64_t time_us)
{
	const uint64_t number = v->policy.period_us && !v->lasting ? time_us / v->policy.period_us : 0;
	struct period *oldest = &v->periods[0];
	v->uses++;
	for (size_t i = 0; i < VIEW_PERIODS; i++) {
		struct period *p = &v->periods[i];
		if (p->made && p->number == number) {
			p->used = v->uses;
			v->period = p;
			return 0;
		}
		if (p->used < oldest->used || !p->made)
			oldest = p;
	}
	struct period fresh = {0};
	int bad = period_make(v, &fresh, number);
	if (bad)
		return bad;
	cryptopan_close(oldest->pan);
	*oldest = fresh;
	oldest->used = v->uses;
	v->period = oldest;
	return 0;
}

void view_token(const struct view *v, const char *what, struct bytes value, uint8_t out[TOKEN_BYTES])
{
	uint8_t text[256 + EVENT_BYTES_MAX], mac[EVP_MAX_MD_SIZE];
	unsigned len;
	struct writer w = writer_of(text, sizeof text);
	write_text(&w, what);
	write_u8(&w, 0);
	write_span(&w, value);
	HMAC(EVP_sha256(), v->period->token_key, sizeof v->period->token_key, text, writer_used(&w), mac, &len);
	memcpy(out, mac, TOKEN_BYTES);
}

static struct address nothing(const struct address *a) { return address_is_v4(a) ? address_v4(0) : (struct address){{0}}; }

/* Cuts each family at its own length; the mapped form has 96 bits before those of IPv4. */
static struct address truncated(const struct address *a, const struct view_rule *r)
{
	return prefix_of(a, address_is_v4(a) ? (unsigned)(96 + r->argument) : (unsigned)r->argument6).base;
}

struct address view_address_by(struct view *v, const struct address *a, const struct view_rule *r)
{
	struct address out;
	switch (r->action) {
	case VIEW_TRUNCATE:
		return truncated(a, r);
	case VIEW_CRYPTO_PAN:
		return cryptopan_address(v->period->pan, a);
	case VIEW_TOKEN:
		/* Of a range that nobody routes (RFC 4193), so that no token is taken for somebody's address. */
		view_token(v, "address", (struct bytes){a->b, sizeof a->b}, out.b);
		out.b[0] = 0xfd;
		return out;
	case VIEW_DROP:
		return nothing(a);
	default:
		return *a;
	}
}

bool view_is_own(const struct view *v, const struct address *a)
{
	return prefix_set_holds(&v->own.all, a);
}

const struct view_rule *view_hidden_rule(const struct view *v, const struct address *a)
{
	for (size_t i = 0; i < v->hidden.exact_count; i++)
		if (address_equal(&v->hidden.exact[i], a))
			return &v->exact_rule[i];
	return NULL;
}

struct address view_becomes(void *arg, const struct address *a)
{
	struct view *v = arg;
	static const struct view_rule drop = {.action = VIEW_DROP};
	const struct view_rule *r = view_is_own(v, a) ? &v->dst : view_hidden_rule(v, a);
	if (!r)
		r = v->hidden.every ? &v->every : &drop;
	return view_address_by(v, a, r);
}

void view_hide(struct view *v)
{
	v->hidden = (struct hidden){.own = v->dst_passes ? NULL : &v->own, .becomes = view_becomes, .arg = v,
				    .failed = &v->failed};
}

void view_hide_also(struct view *v, const struct address *a, const struct view_rule *r)
{
	const size_t before = v->hidden.exact_count;
	hidden_add(&v->hidden, a);
	if (v->hidden.exact_count > before)
		v->exact_rule[before] = *r;
}
