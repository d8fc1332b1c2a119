/*
 * Greeting and log-in: mysql_native_password and caching_sha2_password.
 *
 * Neither sends a password, but both answers can be cracked with the salt, so they are kept.  A
 * client without TLS that is asked for the full way of caching_sha2_password may send its password
 * in clear when it was told to; it is then known.
 */
#include "passive/services/mysql/mysql.h"
#include "base/random.h"
#include <openssl/sha.h>

enum capability {
	OF_MYSQL = 1, /* MariaDB's clients leave it out and put more in the filler */
	CONNECT_WITH_DATABASE = 1u << 3,
	PROTOCOL_41 = 1u << 9,
	TLS = 1u << 11,
	SECURE_CONNECTION = 1u << 15,
	PLUGIN_AUTH = 1u << 19,
	PLUGIN_AUTH_LENGTH = 1u << 21,
};

static const struct {
	uint16_t low, high;
	uint8_t charset;
	uint8_t extended; /* MariaDB's own capabilities, in the filler */
} greetings[] = {
	[MYSQL_MARIADB] = {0xf7fe, 0x81ff, 8, 0x1d},
	[MYSQL_5] = {0xf7ff, 0x81ff, 8, 0},
	[MYSQL_8] = {0xf7ff, 0xdfff, 255, 0},
};

static const char *const ways[] = {"mysql_native_password", "caching_sha2_password"};

static void make_salt(struct mysql *m)
{
	for (size_t i = 0; i < MYSQL_SALT; i++) {
		uint8_t c = (uint8_t)(session_random(m->session) % 94 + 33);
		m->salt[i] = c == '$' ? 'S' : c; /* what separates parts of a stored hash is left out */
	}
}

void mysql_greet(struct mysql *m)
{
	uint8_t room[256];
	struct writer w = writer_of(room, sizeof room);
	const struct mysql_device *d = m->device;
	make_salt(m);
	m->way = d->flavour == MYSQL_8 ? MYSQL_SHA2 : MYSQL_NATIVE;
	/* Connections are counted from the start of the server on. */
	m->thread = (uint32_t)(8 + session_device_seed(m->session) % 97 +
			       session_time_us(m->session) / 1000000 % 2592000 / 173);
	write_u8(&w, 10);
	write_fmt(&w, "%s%s", d->flavour == MYSQL_MARIADB ? "5.5.5-" : "", d->version);
	write_u8(&w, 0);
	for (unsigned i = 0; i < 4; i++)
		write_u8(&w, (uint8_t)(m->thread >> 8 * i));
	write_bytes(&w, m->salt, 8);
	write_u8(&w, 0);
	write_u8(&w, (uint8_t)greetings[d->flavour].low);
	write_u8(&w, (uint8_t)(greetings[d->flavour].low >> 8));
	write_u8(&w, greetings[d->flavour].charset);
	write_bytes(&w, "\2\0", 2);
	write_u8(&w, (uint8_t)greetings[d->flavour].high);
	write_u8(&w, (uint8_t)(greetings[d->flavour].high >> 8));
	write_u8(&w, MYSQL_SALT + 1);
	write_zero(&w, 6);
	write_u8(&w, greetings[d->flavour].extended);
	write_zero(&w, 3);
	write_bytes(&w, m->salt + 8, 13);
	write_text(&w, ways[m->way]);
	write_u8(&w, 0);
	mysql_packet(m, writer_bytes(&w));
}

struct challenge {
	const uint8_t *salt;
	struct bytes answer;
};

/* SHA1(secret) XOR SHA1(salt + SHA1(SHA1(secret))). */
static bool fits_native(const void *arg, struct bytes secret)
{
	const struct challenge *c = arg;
	uint8_t once[20], mixed[MYSQL_SALT + 20], mask[20];
	if (!secret.len || !c->answer.len)
		return !secret.len && !c->answer.len;
	SHA1(secret.at, secret.len, once);
	memcpy(mixed, c->salt, MYSQL_SALT);
	SHA1(once, sizeof once, mixed + MYSQL_SALT);
	SHA1(mixed, sizeof mixed, mask);
	for (size_t i = 0; i < 20; i++)
		once[i] ^= mask[i];
	return c->answer.len == 20 && !memcmp(once, c->answer.at, 20);
}

/* SHA256(secret) XOR SHA256(SHA256(SHA256(secret)) + salt). */
static bool fits_sha2(const void *arg, struct bytes secret)
{
	const struct challenge *c = arg;
	uint8_t once[32], twice[32], mixed[32 + MYSQL_SALT], mask[32];
	if (!secret.len || c->answer.len <= 1)
		return !secret.len && c->answer.len <= 1;
	SHA256(secret.at, secret.len, once);
	SHA256(once, sizeof once, twice);
	SHA256(twice, sizeof twice, mixed);
	memcpy(mixed + 32, c->salt, MYSQL_SALT);
	SHA256(mixed, sizeof mixed, mask);
	for (size_t i = 0; i < 32; i++)
		once[i] ^= mask[i];
	return c->answer.len == 32 && !memcmp(once, c->answer.at, 32);
}

static bool denied(struct mysql *m)
{
	char peer[ADDRESS_TEXT_MAX];
	address_format(session_peer(m->session), peer);
	mysql_error(m, 1045, "28000", "Access denied for user '%.*s'@'%s' (using password: %s)", m->user_len,
		    (const char *)m->user, peer, m->had_secret ? "YES" : "NO");
	return false;
}

static bool admitted(struct mysql *m)
{
	m->phase = MYSQL_COMMANDS;
	if (m->wanted.len && !mysql_choose(m, m->wanted)) {
		mysql_error(m, 1049, "42000", "Unknown database '%.*s'", (int)(m->wanted.len < 64 ? m->wanted.len : 64),
			    (const char *)m->wanted.at);
		return false;
	}
	mysql_ok(m, 0);
	return true;
}

static void write_hex(struct writer *w, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		write_fmt(w, "%02x", b.at[i]);
}

static bool judge(struct mysql *m, struct bytes answer)
{
	char proof[256];
	struct writer w = writer_of(proof, sizeof proof);
	struct challenge c = {m->salt, answer};
	struct bytes user = {m->user, m->user_len};
	bool sha2 = m->way == MYSQL_SHA2;
	m->had_secret = answer.len > 1;
	if (answer.len > 64)
		answer.len = 64;
	/* As hashcat reads them: modes 11200 and 7401 call their kinds so. */
	write_text(&w, sha2 ? "$mysqlsha2$" : "$mysqlna$");
	write_hex(&w, (struct bytes){m->salt, MYSQL_SALT});
	write_text(&w, "*");
	write_hex(&w, answer);
	if (accounts_prove(m->session, &m->device->accounts, user, sha2 ? fits_sha2 : fits_native, &c,
			   m->had_secret ? writer_bytes(&w) : (struct bytes){0})) {
		if (sha2 && m->had_secret)
			mysql_packet(m, BYTES("\1\3"));
		return admitted(m);
	}
	if (!sha2 || !m->had_secret)
		return denied(m);
	mysql_packet(m, BYTES("\1\4"));
	m->phase = MYSQL_FULL;
	return true;
}

/* 2 asks for the key to encrypt with; anything else is the password, in clear and with its NUL. */
static bool full_answer(struct mysql *m, struct bytes b)
{
	if (b.len == 1 && b.at[0] == 2)
		return denied(m);
	if (b.len && b.at[b.len - 1] == 0)
		b.len--;
	if (b.len && b.len < 128 &&
	    accounts_accept(m->session, &m->device->accounts, (struct bytes){m->user, m->user_len}, b))
		return admitted(m);
	return denied(m);
}

static struct bytes read_until_nul(struct reader *r)
{
	const uint8_t *from = r->at, *nul = memchr(from, 0, reader_left(r));
	struct bytes b = {from, nul ? (size_t)(nul - from) : reader_left(r)};
	read_bytes(r, b.len + (nul != NULL));
	return b;
}

static void ask_again(struct mysql *m)
{
	uint8_t room[64];
	struct writer w = writer_of(room, sizeof room);
	write_u8(&w, 0xfe);
	write_text(&w, ways[m->way]);
	write_u8(&w, 0);
	write_bytes(&w, m->salt, MYSQL_SALT + 1);
	mysql_packet(m, writer_bytes(&w));
	m->phase = MYSQL_SWITCHED;
}

static bool bad_handshake(struct mysql *m)
{
	mysql_error(m, 1043, "08S01", "Bad handshake");
	return false;
}

static bool first_answer(struct mysql *m, struct bytes payload)
{
	struct reader r = reader_of_bytes(payload);
	const uint8_t *c = read_bytes(&r, 4).at;
	if (!c)
		return bad_handshake(m);
	m->capabilities = c[0] | (uint32_t)c[1] << 8 | (uint32_t)c[2] << 16 | (uint32_t)c[3] << 24;
	if (!(m->capabilities & PROTOCOL_41)) {
		mysql_error(m, 1251, "08004",
			    "Client does not support authentication protocol requested by server; consider "
			    "upgrading %s client", m->device->flavour == MYSQL_MARIADB ? "MariaDB" : "MySQL");
		return false;
	}
	read_bytes(&r, 4 + 1 + 19);
	uint8_t extended = read_u8(&r);
	read_bytes(&r, 3);
	if (m->device->flavour == MYSQL_MARIADB && !(m->capabilities & OF_MYSQL))
		m->extended = extended;
	if (!reader_ok(&r) || !reader_left(&r)) /* the short packet that asks for TLS comes here, too */
		return bad_handshake(m);
	struct bytes user = read_until_nul(&r), way = {0};
	uint64_t len = m->capabilities & PLUGIN_AUTH_LENGTH  ? mysql_read_length(&r)
		       : m->capabilities & SECURE_CONNECTION ? read_u8(&r)
							     : 0;
	struct bytes answer = m->capabilities & (PLUGIN_AUTH_LENGTH | SECURE_CONNECTION)
				      ? read_bytes(&r, len < reader_left(&r) ? len : reader_left(&r))
				      : read_until_nul(&r);
	m->user_len = (uint8_t)(user.len < MYSQL_USER_MAX ? user.len : MYSQL_USER_MAX);
	memcpy(m->user, user.at, m->user_len);
	if (m->capabilities & CONNECT_WITH_DATABASE)
		m->wanted = arena_copy(session_arena(m->session), read_until_nul(&r));
	if (m->capabilities & PLUGIN_AUTH && reader_left(&r))
		way = read_until_nul(&r);
	if (way.len && !bytes_equal_text(way, ways[m->way])) {
		/* MySQL 8 asks accounts of the older kind so, and everybody's account may be one. */
		ask_again(m);
		return true;
	}
	return judge(m, answer);
}

bool mysql_log_in(struct mysql *m, struct bytes payload)
{
	if (m->phase == MYSQL_GREETED)
		return first_answer(m, payload);
	return m->phase == MYSQL_SWITCHED ? judge(m, payload) : full_answer(m, payload);
}
