/* Commands on keys. */
#include "passive/services/redis/redis.h"

static void answer_full(const struct redis_call *c)
{
	reply_error(c, "OOM command not allowed when used memory > 'maxmemory'.");
}

static void answer_not_number(const struct redis_call *c)
{
	reply_error(c, "ERR value is not an integer or out of range");
}

/* An existing key of that kind; false: it is of another, which has been answered. */
static bool typed_key(const struct redis_call *c, enum redis_kind kind, struct redis_key **out)
{
	*out = redis_key(c->session, c->redis, c->arguments[1]);
	if (!*out || (*out)->kind == kind)
		return true;
	reply_error(c, "WRONGTYPE Operation against a key holding the wrong kind of value");
	return false;
}

/* The key is made when there is none; NULL: all has been answered. */
static struct redis_key *collection(const struct redis_call *c, enum redis_kind kind)
{
	struct redis_key *k;
	if (!typed_key(c, kind, &k))
		return NULL;
	if (!k) {
		k = redis_key_make(c->session, c->redis, c->arguments[1]);
		if (k) {
			k->kind = (uint8_t)kind;
			k->items = NULL;
		}
	}
	if (!k)
		answer_full(c);
	return k;
}

static bool store(const struct redis_call *c, struct bytes name, struct bytes value)
{
	struct redis_key *k = redis_key_make(c->session, c->redis, name);
	if (!k || !redis_key_set(c->session, k, value))
		return false;
	k->expires_us = 0;
	c->redis->changes++;
	return true;
}

static bool read_expiry(const struct redis_call *c, size_t a, uint64_t unit_us, uint64_t *out)
{
	int64_t n;
	if (!redis_number(c->arguments[a], &n) || n > INT64_MAX / 2000000) {
		answer_not_number(c);
		return false;
	}
	if (n <= 0) {
		reply_error(c, redis_since(c->redis, 7, 0) ? "ERR invalid expire time in '%.*s' command"
							   : "ERR invalid expire time in %.*s",
			    (int)c->arguments[0].len, (const char *)c->arguments[0].at);
		return false;
	}
	*out = session_time_us(c->session) + (uint64_t)n * unit_us;
	return true;
}

static void run_set(const struct redis_call *c)
{
	uint64_t expires = 0;
	bool only_new = false, only_old = false;
	for (size_t a = 3; a < c->count; a++) {
		bool seconds = bytes_equal_nocase(c->arguments[a], "ex");
		if ((seconds || bytes_equal_nocase(c->arguments[a], "px")) && a + 1 < c->count) {
			if (!read_expiry(c, ++a, seconds ? 1000000 : 1000, &expires))
				return;
		} else if (bytes_equal_nocase(c->arguments[a], "nx")) {
			only_new = true;
		} else if (bytes_equal_nocase(c->arguments[a], "xx")) {
			only_old = true;
		} else if (!bytes_equal_nocase(c->arguments[a], "keepttl")) {
			reply_error(c, "ERR syntax error");
			return;
		}
	}
	bool there = redis_key(c->session, c->redis, c->arguments[1]);
	if ((only_new && there) || (only_old && !there)) {
		reply_nil(c);
		return;
	}
	if (!store(c, c->arguments[1], c->arguments[2])) {
		answer_full(c);
		return;
	}
	redis_key(c->session, c->redis, c->arguments[1])->expires_us = expires;
	reply_status(c, "OK");
}

static void run_setex(const struct redis_call *c)
{
	uint64_t expires;
	bool milliseconds = c->arguments[0].at[0] == 'p' || c->arguments[0].at[0] == 'P';
	if (!read_expiry(c, 2, milliseconds ? 1000 : 1000000, &expires))
		return;
	if (!store(c, c->arguments[1], c->arguments[3])) {
		answer_full(c);
		return;
	}
	redis_key(c->session, c->redis, c->arguments[1])->expires_us = expires;
	reply_status(c, "OK");
}

static void run_setnx(const struct redis_call *c)
{
	bool there = redis_key(c->session, c->redis, c->arguments[1]);
	if (there)
		reply_number(c, 0);
	else if (store(c, c->arguments[1], c->arguments[2]))
		reply_number(c, 1);
	else
		answer_full(c);
}

static void run_mset(const struct redis_call *c)
{
	if (c->count % 2 == 0) {
		reply_error(c, "ERR wrong number of arguments for 'mset' command");
		return;
	}
	for (size_t a = 1; a + 1 < c->count; a += 2)
		if (!store(c, c->arguments[a], c->arguments[a + 1])) {
			answer_full(c);
			return;
		}
	reply_status(c, "OK");
}

static void run_get(const struct redis_call *c)
{
	struct redis_key *k;
	if (!typed_key(c, REDIS_STRING, &k))
		return;
	if (k)
		reply_bulk(c, k->value);
	else
		reply_nil(c);
}

static void run_mget(const struct redis_call *c)
{
	reply_array(c, c->count - 1);
	for (size_t a = 1; a < c->count; a++) {
		struct redis_key *k = redis_key(c->session, c->redis, c->arguments[a]);
		if (k && k->kind == REDIS_STRING)
			reply_bulk(c, k->value);
		else
			reply_nil(c);
	}
}

static void run_strlen(const struct redis_call *c)
{
	struct redis_key *k;
	if (typed_key(c, REDIS_STRING, &k))
		reply_number(c, k ? (int64_t)k->value.len : 0);
}

static void run_append(const struct redis_call *c)
{
	struct redis_key *k;
	if (!typed_key(c, REDIS_STRING, &k))
		return;
	struct bytes old = k ? k->value : (struct bytes){0};
	size_t len = old.len + c->arguments[2].len;
	uint8_t *joined = arena_alloc(session_arena(c->session), len + 1);
	k = joined ? redis_key_make(c->session, c->redis, c->arguments[1]) : NULL;
	if (!k) {
		answer_full(c);
		return;
	}
	struct writer w = writer_of(joined, len);
	write_span(&w, old);
	write_span(&w, c->arguments[2]);
	k->value = writer_bytes(&w);
	k->room = len;
	c->redis->changes++;
	reply_number(c, (int64_t)len);
}

static void add_number(const struct redis_call *c, int64_t by)
{
	struct redis_key *k;
	int64_t n = 0;
	char text[32];
	if (!typed_key(c, REDIS_STRING, &k))
		return;
	if (k && !redis_number(k->value, &n)) {
		answer_not_number(c);
		return;
	}
	if (__builtin_add_overflow(n, by, &n)) {
		reply_error(c, "ERR increment or decrement would overflow");
		return;
	}
	snprintf(text, sizeof text, "%lld", (long long)n);
	if (store(c, c->arguments[1], bytes_of_text(text)))
		reply_number(c, n);
	else
		answer_full(c);
}

static void run_incr(const struct redis_call *c)
{
	bool down = c->arguments[0].at[0] == 'd' || c->arguments[0].at[0] == 'D';
	int64_t by = 1;
	if (c->count > 2 && !redis_number(c->arguments[2], &by))
		answer_not_number(c);
	else
		add_number(c, down ? -by : by);
}

static void run_del(const struct redis_call *c)
{
	int64_t n = 0;
	for (size_t a = 1; a < c->count; a++) {
		struct redis_key *k = redis_key(c->session, c->redis, c->arguments[a]);
		if (k)
			redis_key_drop(c->redis, k);
		n += k != NULL;
	}
	c->redis->changes += (uint32_t)n;
	reply_number(c, n);
}

static void run_exists(const struct redis_call *c)
{
	int64_t n = 0;
	for (size_t a = 1; a < c->count; a++)
		n += redis_key(c->session, c->redis, c->arguments[a]) != NULL;
	reply_number(c, n);
}

static void run_type(const struct redis_call *c)
{
	static const char *const names[] = {"string", "list", "set", "hash"};
	struct redis_key *k = redis_key(c->session, c->redis, c->arguments[1]);
	reply_status(c, k ? names[k->kind] : "none");
}

static void run_ttl(const struct redis_call *c)
{
	struct redis_key *k = redis_key(c->session, c->redis, c->arguments[1]);
	bool milliseconds = c->arguments[0].at[0] == 'p' || c->arguments[0].at[0] == 'P';
	if (!k || !k->expires_us)
		reply_number(c, k ? -1 : -2);
	else
		reply_number(c, (int64_t)((k->expires_us - session_time_us(c->session)) /
					  (milliseconds ? 1000 : 1000000)));
}

static void run_expire(const struct redis_call *c)
{
	struct redis_key *k = redis_key(c->session, c->redis, c->arguments[1]);
	int64_t n;
	if (!redis_number(c->arguments[2], &n) || n > INT64_MAX / 2000000)
		answer_not_number(c);
	else if (k && n > 0)
		k->expires_us = session_time_us(c->session) + (uint64_t)n * 1000000;
	else if (k)
		redis_key_drop(c->redis, k);
	if (redis_number(c->arguments[2], &n) && n <= INT64_MAX / 2000000)
		reply_number(c, k != NULL);
}

static void list_keys(const struct redis_call *c, struct bytes pattern)
{
	size_t n = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (struct redis_key *k = c->redis->keys; k; k = k->next) {
			if (k->database != c->redis->database || !redis_glob(pattern, k->name))
				continue;
			if (pass)
				reply_bulk(c, k->name);
			n += !pass;
		}
		if (!pass)
			reply_array(c, n);
	}
}

static void run_keys(const struct redis_call *c)
{
	list_keys(c, c->arguments[1]);
}

static void run_scan(const struct redis_call *c)
{
	struct bytes pattern = BYTES("*");
	int64_t cursor;
	if (!redis_number(c->arguments[1], &cursor)) {
		reply_error(c, "ERR invalid cursor");
		return;
	}
	for (size_t a = 2; a + 1 < c->count; a += 2)
		if (bytes_equal_nocase(c->arguments[a], "match"))
			pattern = c->arguments[a + 1];
	reply_array(c, 2);
	reply_text(c, "0");
	list_keys(c, pattern);
}

static void run_randomkey(const struct redis_call *c)
{
	uint32_t n = redis_key_count(c->redis, c->redis->database);
	uint32_t nth = n ? (uint32_t)(session_random(c->session) % n) : 0;
	for (struct redis_key *k = c->redis->keys; k; k = k->next)
		if (k->database == c->redis->database && nth-- == 0) {
			reply_bulk(c, k->name);
			return;
		}
	reply_nil(c);
}

static void run_dbsize(const struct redis_call *c)
{
	reply_number(c, redis_key_count(c->redis, c->redis->database));
}

static void run_flush(const struct redis_call *c)
{
	struct redis *r = c->redis;
	bool all = c->arguments[0].len == 8;
	for (struct redis_key *k = r->keys, *next; k; k = next) {
		next = k->next;
		if (all || k->database == r->database)
			redis_key_drop(r, k);
	}
	r->changes++;
	reply_status(c, "OK");
}

static void run_rename(const struct redis_call *c)
{
	struct redis_key *k = redis_key(c->session, c->redis, c->arguments[1]);
	struct bytes name = arena_copy(session_arena(c->session), c->arguments[2]);
	if (!k) {
		reply_error(c, "ERR no such key");
		return;
	}
	struct redis_key *other = redis_key(c->session, c->redis, c->arguments[2]);
	if (other && other != k)
		redis_key_drop(c->redis, other);
	if (name.at)
		k->name = name;
	reply_status(c, "OK");
}

static struct redis_item *new_item(const struct redis_call *c, struct bytes field, struct bytes value)
{
	struct arena *arena = session_arena(c->session);
	struct redis_item *i = NULL;
	if (c->redis->item_count < REDIS_ITEMS_MAX)
		i = arena_alloc(arena, sizeof *i);
	if (!i)
		return NULL;
	i->field = arena_copy(arena, field);
	i->value = arena_copy(arena, value);
	if ((field.len && !i->field.at) || (value.len && !i->value.at))
		return NULL;
	c->redis->item_count++;
	return i;
}

static void run_push(const struct redis_call *c)
{
	bool left = c->arguments[0].at[0] == 'l' || c->arguments[0].at[0] == 'L';
	struct redis_key *k = collection(c, REDIS_LIST);
	if (!k)
		return;
	struct redis_item **end = &k->items;
	while (!left && *end)
		end = &(*end)->next;
	for (size_t a = 2; a < c->count; a++) {
		struct redis_item *i = new_item(c, (struct bytes){0}, c->arguments[a]);
		if (!i) {
			answer_full(c);
			return;
		}
		i->next = left ? k->items : NULL;
		*(left ? &k->items : end) = i;
		end = left ? end : &i->next;
		k->count++;
	}
	c->redis->changes++;
	reply_number(c, k->count);
}

static void run_range(const struct redis_call *c)
{
	struct redis_key *k;
	int64_t from, to, n = 0;
	if (!typed_key(c, REDIS_LIST, &k))
		return;
	if (!redis_number(c->arguments[2], &from) || !redis_number(c->arguments[3], &to)) {
		answer_not_number(c);
		return;
	}
	int64_t count = k ? k->count : 0;
	from = from < 0 && from >= -count ? from + count : from < 0 ? 0 : from;
	to = to < 0 ? to + count : to;
	to = to >= count ? count - 1 : to;
	reply_array(c, from <= to ? (size_t)(to - from + 1) : 0);
	for (struct redis_item *i = k ? k->items : NULL; i; i = i->next, n++)
		if (n >= from && n <= to)
			reply_bulk(c, i->value);
}

static void run_size(const struct redis_call *c)
{
	struct redis_key *k;
	uint8_t first = c->arguments[0].at[0] | 32;
	if (typed_key(c, first == 'l' ? REDIS_LIST : first == 's' ? REDIS_SET : REDIS_HASH, &k))
		reply_number(c, k ? k->count : 0);
}

/* The value of a field, or the member of a set itself. */
static struct redis_item *find_item(const struct redis_key *k, struct bytes what)
{
	for (struct redis_item *i = k ? k->items : NULL; i; i = i->next)
		if (bytes_equal(k->kind == REDIS_HASH ? i->field : i->value, what))
			return i;
	return NULL;
}

static void run_add(const struct redis_call *c)
{
	bool hash = (c->arguments[0].at[0] | 32) == 'h';
	int64_t added = 0;
	if (hash && c->count % 2) {
		reply_error(c, "ERR wrong number of arguments for '%.*s' command",
			    (int)c->arguments[0].len, (const char *)c->arguments[0].at);
		return;
	}
	struct redis_key *k = collection(c, hash ? REDIS_HASH : REDIS_SET);
	for (size_t a = 2; k && a < c->count; a += hash ? 2 : 1) {
		struct redis_item *i = find_item(k, c->arguments[a]);
		struct bytes value = c->arguments[a + (hash ? 1 : 0)];
		if (i && hash)
			i->value = arena_copy(session_arena(c->session), value);
		if (i)
			continue;
		i = new_item(c, hash ? c->arguments[a] : (struct bytes){0}, value);
		if (!i) {
			answer_full(c);
			return;
		}
		i->next = k->items;
		k->items = i;
		k->count++;
		added++;
	}
	c->redis->changes += (uint32_t)added;
	if (k && (c->arguments[0].at[1] | 32) == 'm')
		reply_status(c, "OK");
	else if (k)
		reply_number(c, added);
}

static void run_hget(const struct redis_call *c)
{
	struct redis_key *k;
	if (!typed_key(c, REDIS_HASH, &k))
		return;
	struct redis_item *i = find_item(k, c->arguments[2]);
	if (i)
		reply_bulk(c, i->value);
	else
		reply_nil(c);
}

static void run_hgetall(const struct redis_call *c)
{
	struct redis_key *k;
	if (!typed_key(c, REDIS_HASH, &k))
		return;
	reply_map(c, k ? k->count : 0);
	for (struct redis_item *i = k ? k->items : NULL; i; i = i->next) {
		reply_bulk(c, i->field);
		reply_bulk(c, i->value);
	}
}

static void run_smembers(const struct redis_call *c)
{
	struct redis_key *k;
	if (!typed_key(c, REDIS_SET, &k))
		return;
	session_say(c->session, "%c%u\r\n", c->redis->protocol < 3 ? '*' : '~', k ? k->count : 0);
	for (struct redis_item *i = k ? k->items : NULL; i; i = i->next)
		reply_bulk(c, i->value);
}

const struct redis_command redis_key_commands[] = {
	{"get", 2, run_get, false},         {"set", -3, run_set, false},
	{"del", -2, run_del, false},        {"unlink", -2, run_del, false},
	{"keys", 2, run_keys, false},       {"exists", -2, run_exists, false},
	{"setex", 4, run_setex, false},     {"psetex", 4, run_setex, false},
	{"setnx", 3, run_setnx, false},     {"mset", -3, run_mset, false},
	{"mget", -2, run_mget, false},      {"strlen", 2, run_strlen, false},
	{"append", 3, run_append, false},   {"incr", 2, run_incr, false},
	{"decr", 2, run_incr, false},       {"incrby", 3, run_incr, false},
	{"decrby", 3, run_incr, false},     {"type", 2, run_type, false},
	{"ttl", 2, run_ttl, false},         {"pttl", 2, run_ttl, false},
	{"expire", -3, run_expire, false},  {"scan", -2, run_scan, false},
	{"randomkey", 1, run_randomkey, false}, {"dbsize", 1, run_dbsize, false},
	{"flushall", -1, run_flush, false}, {"flushdb", -1, run_flush, false},
	{"rename", 3, run_rename, false},   {"lpush", -3, run_push, false},
	{"rpush", -3, run_push, false},     {"lrange", 4, run_range, false},
	{"llen", 2, run_size, false},       {"scard", 2, run_size, false},
	{"hlen", 2, run_size, false},       {"sadd", -3, run_add, false},
	{"hset", -4, run_add, false},       {"hmset", -4, run_add, false},
	{"hget", 3, run_hget, false},       {"hgetall", 2, run_hgetall, false},
	{"smembers", 2, run_smembers, false}, {0},
};
