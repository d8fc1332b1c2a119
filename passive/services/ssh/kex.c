/* Negotiation and key exchange, the server's side (RFC 4253 sections 7 and 8). */
#include "passive/services/ssh/ssh.h"
#include "passive/services/ssh/host_key.h"

#define INIT_MAX 4096
#define LISTS 10
#define SHARED_MAX (EXCHANGE_PUBLIC_MAX + 8)

FIELD(FIELD_HASSH, "ssh.hassh", TEXT, 0, "digest of the client's algorithm lists");
FIELD(FIELD_SSH_LISTS, "ssh.algorithms", BYTES, 0,
      "the client's lists of key exchange, ciphers, MACs and compression");

enum list { LIST_KEX, LIST_HOST_KEY, LIST_CIPHER_IN, LIST_CIPHER_OUT, LIST_MAC_IN, LIST_MAC_OUT,
	LIST_COMPRESSION_IN, LIST_COMPRESSION_OUT };

static void write_init(const struct ssh *h, struct writer *w)
{
	const struct ssh_software *k = h->software;
	const char *const lists[LISTS] = {k->kex,  k->host_keys, k->ciphers,      k->ciphers,      k->macs,
	                                  k->macs, k->compressions, k->compressions, "", ""};
	write_u8(w, SSH_KEXINIT);
	write_bytes(w, h->kex.cookie, sizeof h->kex.cookie);
	for (size_t i = 0; i < LISTS; i++)
		write_string_text(w, lists[i]);
	write_u8(w, 0);
	write_u32(w, 0);
}

void ssh_kex_start(struct ssh *h)
{
	uint8_t b[INIT_MAX];
	struct writer w = writer_of(b, sizeof b);
	ssh_random(h, h->kex.cookie, sizeof h->kex.cookie);
	write_init(h, &w);
	ssh_send(h, writer_bytes(&w));
	h->kex.ours = true;
}

void ssh_tell_client(struct ssh *h, const char *hassh)
{
	if (h->told)
		return;
	h->told = true;
	struct event *e = session_report(h->session, EVENT_CLIENT_SEEN);
	event_set_bytes(e, FIELD_AGENT, h->version);
	if (hassh)
		event_set_text(e, FIELD_HASSH, hassh);
}

/* HASSH: MD5 over the four lists that the client would use towards us. */
static void tell_lists(struct ssh *h, const struct bytes lists[LISTS])
{
	static const uint8_t which[] = {LIST_KEX, LIST_CIPHER_IN, LIST_MAC_IN, LIST_COMPRESSION_IN};
	uint8_t text[INIT_MAX * 2], digest[16];
	char hex[33];
	struct writer w = writer_of(text, sizeof text);
	if (h->told)
		return;
	for (size_t i = 0; i < sizeof which; i++) {
		if (i)
			write_u8(&w, ';');
		write_span(&w, lists[which[i]]);
	}
	if (w.bad || !EVP_Q_digest(NULL, "MD5", NULL, text, writer_used(&w), digest, NULL)) {
		ssh_tell_client(h, NULL);
		return;
	}
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	h->told = true;
	struct event *e = session_report(h->session, EVENT_CLIENT_SEEN);
	event_set_bytes(e, FIELD_AGENT, h->version);
	event_set_text(e, FIELD_HASSH, hex);
	event_set_bytes(e, FIELD_SSH_LISTS, writer_bytes(&w));
}

/* The first of the client's names that we have, too (7.1). */
static bool choose(struct bytes theirs, const char *ours, struct bytes *chosen)
{
	while (list_next(&theirs, chosen)) {
		struct bytes list = bytes_of_text(ours), one;
		while (list_next(&list, &one))
			if (bytes_equal(one, *chosen)) {
				*chosen = one; /* it stays */
				return true;
			}
	}
	return false;
}

static bool choose_direction(const struct ssh_software *k, const struct bytes lists[LISTS], size_t side,
                             struct ssh_choice *out)
{
	struct bytes cipher, mac = {0}, compression;
	if (!choose(lists[LIST_CIPHER_IN + side], k->ciphers, &cipher) ||
	    !choose(lists[LIST_COMPRESSION_IN + side], k->compressions, &compression))
		return false;
	out->cipher = ssh_cipher_named(cipher);
	if (!out->cipher)
		return false;
	if (!ssh_cipher_authenticates(out->cipher) && !choose(lists[LIST_MAC_IN + side], k->macs, &mac))
		return false;
	out->mac = ssh_mac_named(mac);
	out->compressed = !bytes_equal_text(compression, "none");
	return out->mac || ssh_cipher_authenticates(out->cipher);
}

static bool first_is_same(struct bytes a, const char *ours)
{
	struct bytes list = bytes_of_text(ours), x, y;
	return list_next(&a, &x) && list_next(&list, &y) && bytes_equal(x, y);
}

/* Whether a packet that came unasked is the one for what was chosen. */
static bool guess_is_right(const struct ssh *h, const struct bytes lists[LISTS])
{
	static const char guess2[] = "kexguess2@matt.ucc.asn.au";
	bool kex = first_is_same(lists[LIST_KEX], h->software->kex);
	if (list_has(lists[LIST_KEX], bytes_of_text(guess2)) &&
	    list_has(bytes_of_text(h->software->kex), bytes_of_text(guess2)))
		return kex;
	return kex && first_is_same(lists[LIST_HOST_KEY], h->software->host_keys);
}

static bool negotiate(struct ssh *h, const struct bytes lists[LISTS])
{
	struct ssh_kex *k = &h->kex;
	struct bytes name;
	if (!choose(lists[LIST_KEX], h->software->kex, &name))
		return false;
	k->method = ssh_exchange_named(name);
	return k->method && choose(lists[LIST_HOST_KEY], h->software->host_keys, &k->host_key) &&
	       choose_direction(h->software, lists, 0, &k->in) &&
	       choose_direction(h->software, lists, 1, &k->out);
}

/* The hash over what is known by now: both versions and both KEXINITs. */
static bool hash_begin(struct ssh *h, struct bytes theirs)
{
	uint8_t b[INIT_MAX + 1024];
	struct writer w = writer_of(b, sizeof b);
	uint8_t ours[INIT_MAX];
	struct writer init = writer_of(ours, sizeof ours);
	write_init(h, &init);
	EVP_MD_CTX_free(h->kex.hash);
	h->kex.hash = EVP_MD_CTX_new();
	EVP_MD *digest = EVP_MD_fetch(NULL, h->kex.method->digest, NULL);
	bool ok = h->kex.hash && digest && EVP_DigestInit_ex2(h->kex.hash, digest, NULL);
	EVP_MD_free(digest);
	uint8_t length[4];
	struct writer l = writer_of(length, sizeof length);
	write_u32(&l, (uint32_t)h->version.len);
	ok = ok && EVP_DigestUpdate(h->kex.hash, length, 4) &&
	     EVP_DigestUpdate(h->kex.hash, h->version.at, h->version.len);
	write_string_text(&w, ssh_banner(h));
	write_u32(&w, (uint32_t)theirs.len);
	ok = ok && !w.bad && EVP_DigestUpdate(h->kex.hash, b, writer_used(&w)) &&
	     EVP_DigestUpdate(h->kex.hash, theirs.at, theirs.len);
	w = writer_of(b, sizeof b);
	write_string(&w, writer_bytes(&init));
	return ok && EVP_DigestUpdate(h->kex.hash, b, writer_used(&w));
}

static enum service_next take_init(struct ssh *h, struct bytes payload)
{
	struct reader r = reader_of(payload.at + 1, payload.len - 1);
	struct bytes lists[LISTS];
	read_bytes(&r, sizeof h->kex.cookie);
	for (size_t i = 0; i < LISTS; i++)
		lists[i] = read_string(&r);
	bool follows = read_flag(&r);
	read_u32(&r);
	if (!reader_ok(&r) || h->kex.theirs)
		return SERVICE_CLOSE;
	tell_lists(h, lists);
	if (!h->kex.ours)
		ssh_kex_start(h);
	if (!h->id_len) { /* only the first exchange says such things */
		h->strict = list_has(lists[LIST_KEX], BYTES("kex-strict-c-v00@openssh.com")) &&
		            list_has(bytes_of_text(h->software->kex), BYTES("kex-strict-s-v00@openssh.com"));
		h->wants_ext_info = list_has(lists[LIST_KEX], BYTES("ext-info-c"));
	}
	if (h->strict && !h->id_len && h->in.sequence != 1)
		return ssh_disconnect(h, "strict KEX violation: KEXINIT was not the first packet");
	h->kex.theirs = true;
	if (!negotiate(h, lists) || !hash_begin(h, payload))
		return SERVICE_CLOSE;
	h->kex.guessed_wrong = follows && !guess_is_right(h, lists);
	return SERVICE_CONTINUE;
}

static bool derive_side(const struct ssh *h, struct bytes shared, struct bytes hash, bool sealing,
                        struct ssh_secrets *out)
{
	return ssh_derive(h->kex.method, shared, hash, (struct bytes){h->id, h->id_len}, sealing, out);
}

static struct umac *umac_room(struct ssh *h, const struct ssh_choice *c)
{
	if (ssh_cipher_authenticates(c->cipher) || c->mac->digest)
		return NULL;
	return arena_alloc(session_arena(h->session), sizeof(struct umac));
}

static bool needs_umac(const struct ssh_choice *c)
{
	return !ssh_cipher_authenticates(c->cipher) && !c->mac->digest;
}

static void send_ext_info(struct ssh *h)
{
	uint8_t b[1024];
	struct writer w = writer_of(b, sizeof b);
	write_u8(&w, SSH_EXT_INFO);
	write_u32(&w, h->software->hostbound ? 2 : 1);
	write_string_text(&w, "server-sig-algs");
	write_string_text(&w, h->software->signatures);
	if (h->software->hostbound) {
		write_string_text(&w, "publickey-hostbound@openssh.com");
		write_string_text(&w, "0");
	}
	ssh_send(h, writer_bytes(&w));
}

/* Our NEWKEYS goes out under the old keys; all that follows under the new ones. */
static bool keys_change(struct ssh *h, struct bytes shared, struct bytes hash)
{
	struct ssh_secrets in, out;
	struct ssh_kex *k = &h->kex;
	bool first = h->id_len == 0;
	if (first) {
		memcpy(h->id, hash.at, hash.len);
		h->id_len = (uint8_t)hash.len;
	}
	struct umac *umac_in = umac_room(h, &k->in), *umac_out = umac_room(h, &k->out);
	if ((needs_umac(&k->in) && !umac_in) || (needs_umac(&k->out) && !umac_out) ||
	    !derive_side(h, shared, hash, false, &in) || !derive_side(h, shared, hash, true, &out))
		return false;
	ssh_send(h, BYTES("\x15"));
	if (!flow_key(&h->out, k->out.cipher, k->out.mac, &out, true, umac_out) ||
	    !flow_key(&k->next, k->in.cipher, k->in.mac, &in, false, umac_in))
		return false;
	if (h->strict)
		h->out.sequence = 0;
	k->answered = true;
	h->compresses_out = k->out.compressed;
	if (h->phase == SSH_AT_CONNECTION && !ssh_compress_out(h))
		return false;
	if (first && h->wants_ext_info && h->software->signatures)
		send_ext_info(h);
	return true;
}

static void write_public(const struct ssh_exchange *x, struct bytes v, struct writer *w)
{
	if (exchange_is_group(x)) /* ours is encoded already */
		write_span(w, v);
	else
		write_string(w, v);
}

/* What is hashed behind the host key: the group asked for (RFC 4419 3), both public values, K. */
static bool hash_end(struct ssh *h, struct bytes theirs, struct bytes ours, struct bytes shared,
                     uint8_t out[SSH_HASH_MAX])
{
	uint8_t b[4 * SHARED_MAX];
	struct writer w = writer_of(b, sizeof b);
	if (h->kex.method->kind == EXCHANGE_CHOSEN_GROUP) {
		for (size_t i = 0; i < 3; i++)
			if (h->kex.group_asked[i])
				write_u32(&w, h->kex.group_asked[i]);
		exchange_group_prime(h->kex.group_size, &w);
		write_mpint(&w, BYTES("\x02"));
	}
	if (exchange_is_group(h->kex.method))
		write_mpint(&w, theirs);
	else
		write_string(&w, theirs);
	write_public(h->kex.method, ours, &w);
	write_span(&w, shared);
	return !w.bad && EVP_DigestUpdate(h->kex.hash, b, writer_used(&w)) &&
	       EVP_DigestFinal_ex(h->kex.hash, out, NULL);
}

static bool reply(struct ssh *h, uint8_t message, struct bytes blob, struct bytes ours, struct bytes hash)
{
	uint8_t b[SSH_KEY_BLOB_MAX + SSH_SIGNATURE_MAX + SHARED_MAX + 64], made[SSH_SIGNATURE_MAX];
	struct writer w = writer_of(b, sizeof b), signature = writer_of(made, sizeof made);
	if (!host_key_sign(h->session, h->kex.host_key, h->software->rsa_bits, hash, &signature))
		return false;
	write_u8(&w, message);
	write_string(&w, blob);
	write_public(h->kex.method, ours, &w);
	write_string(&w, writer_bytes(&signature));
	if (w.bad)
		return false;
	ssh_send(h, writer_bytes(&w));
	return true;
}

static enum service_next take_public(struct ssh *h, uint8_t message, struct bytes theirs)
{
	uint8_t random[EXCHANGE_RANDOM], ours[SHARED_MAX], shared[SHARED_MAX], blob[SSH_KEY_BLOB_MAX + 4];
	uint8_t hash[SSH_HASH_MAX];
	struct ssh_kex *k = &h->kex;
	struct writer o = writer_of(ours, sizeof ours), s = writer_of(shared, sizeof shared),
	              w = writer_of(blob, sizeof blob);
	ssh_random(h, random, sizeof random);
	if (exchange_is_group(k->method)) /* as a number: without the zero that keeps it positive */
		while (theirs.len && *theirs.at == 0) {
			theirs.at++;
			theirs.len--;
		}
	unsigned size = k->method->kind == EXCHANGE_CHOSEN_GROUP ? k->group_size : k->method->size;
	if (!exchange_answer(k->method, size, random, theirs, &o, &s))
		return SERVICE_CLOSE;
	write_u32(&w, 0);
	if (!host_key_blob(h->session, k->host_key, h->software->rsa_bits, &w) || w.bad || o.bad || s.bad)
		return SERVICE_CLOSE;
	struct writer length = writer_of(blob, 4);
	write_u32(&length, (uint32_t)writer_used(&w) - 4);
	if (!EVP_DigestUpdate(k->hash, blob, writer_used(&w)) ||
	    !hash_end(h, theirs, writer_bytes(&o), writer_bytes(&s), hash))
		return SERVICE_CLOSE;
	EVP_MD *digest = EVP_MD_fetch(NULL, k->method->digest, NULL);
	struct bytes of_all = {hash, digest ? (size_t)EVP_MD_get_size(digest) : 0};
	EVP_MD_free(digest);
	struct bytes key = {blob + 4, writer_used(&w) - 4};
	if (!reply(h, message, key, writer_bytes(&o), of_all) || !keys_change(h, writer_bytes(&s), of_all))
		return SERVICE_CLOSE;
	return SERVICE_CONTINUE;
}

static enum service_next take_group_request(struct ssh *h, uint8_t message, struct reader *r)
{
	uint8_t b[SHARED_MAX + 16];
	struct writer w = writer_of(b, sizeof b);
	struct ssh_kex *k = &h->kex;
	if (k->group_size)
		return SERVICE_CLOSE;
	bool old = message == SSH_KEX_FIRST; /* of clients before RFC 4419: only the size they want */
	uint32_t least = old ? 1024 : read_u32(r), wanted = read_u32(r), most = old ? 8192 : read_u32(r);
	k->group_size = reader_ok(r) ? exchange_group_size(least < 2048 ? 2048 : least,
	                                                   wanted < 2048 ? 2048 : wanted,
	                                                   most > 8192 ? 8192 : most)
	                             : 0;
	if (!k->group_size)
		return SERVICE_CLOSE;
	k->group_asked[0] = old ? 0 : least;
	k->group_asked[1] = wanted;
	k->group_asked[2] = old ? 0 : most;
	write_u8(&w, SSH_KEX_REPLY);
	exchange_group_prime(k->group_size, &w);
	write_mpint(&w, BYTES("\x02"));
	ssh_send(h, writer_bytes(&w));
	return SERVICE_CONTINUE;
}

static enum service_next take_newkeys(struct ssh *h)
{
	uint32_t sequence = h->strict ? 0 : h->in.sequence;
	flow_done(&h->in);
	h->in = h->kex.next;
	h->in.sequence = sequence;
	h->compresses_in = h->kex.in.compressed;
	if (h->phase == SSH_AT_CONNECTION && !ssh_compress_in(h))
		return SERVICE_CLOSE;
	EVP_MD_CTX_free(h->kex.hash);
	h->kex = (struct ssh_kex){0};
	if (h->phase == SSH_AT_KEYS)
		h->phase = SSH_AT_SERVICE;
	else if (h->phase == SSH_AT_CONNECTION)
		ssh_connection_go_on(h);
	return SERVICE_CONTINUE;
}

enum service_next ssh_kex_take(struct ssh *h, uint8_t message, struct bytes payload)
{
	struct ssh_kex *k = &h->kex;
	struct reader r = reader_of(payload.at + 1, payload.len - 1);
	if (message == SSH_KEXINIT)
		return take_init(h, payload);
	if (message == SSH_NEWKEYS && k->answered)
		return take_newkeys(h);
	if (!k->theirs || k->answered || message < SSH_KEX_FIRST) {
		ssh_unimplemented(h);
		return SERVICE_CONTINUE;
	}
	if (k->guessed_wrong) {
		k->guessed_wrong = false;
		return SERVICE_CONTINUE;
	}
	bool chosen_group = k->method->kind == EXCHANGE_CHOSEN_GROUP;
	if (chosen_group && (message == SSH_GEX_REQUEST || message == SSH_KEX_FIRST))
		return take_group_request(h, message, &r);
	if (message != (chosen_group ? SSH_GEX_INIT : SSH_KEX_FIRST) || (chosen_group && !k->group_size)) {
		ssh_unimplemented(h);
		return SERVICE_CONTINUE;
	}
	struct bytes theirs = read_string(&r);
	if (!reader_ok(&r) || theirs.len > EXCHANGE_PUBLIC_MAX || reader_left(&r))
		return SERVICE_CLOSE;
	return take_public(h, chosen_group ? SSH_GEX_REPLY : SSH_KEX_REPLY, theirs);
}
