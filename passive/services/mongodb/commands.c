/*
 * Commands on databases and collections.
 *
 * Ransom bots list the databases, drop them and insert a note; each of these works, and the note is
 * in the event in full.  Documents that the device holds by itself are derived from its seed when
 * they are asked for.
 */
#include "passive/services/mongodb/mongodb.h"
#include "base/random.h"

static struct mongo_collection *find_collection(struct mongo *m, struct bytes database, struct bytes name)
{
	for (struct mongo_collection *c = m->collections; c; c = c->next)
		if (bytes_equal(c->database, database) && bytes_equal(c->name, name))
			return c;
	return NULL;
}

static int order(struct bytes a, struct bytes b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.at, b.at, n) : 0;
	return c ? c : (a.len > b.len) - (a.len < b.len);
}

static struct mongo_collection *make_collection(struct mongo *m, struct bytes database, struct bytes name)
{
	struct arena *arena = session_arena(m->session);
	struct mongo_collection *c = find_collection(m, database, name);
	if (c || m->collection_count == MONGO_COLLECTIONS_MAX)
		return c;
	c = arena_alloc(arena, sizeof *c);
	if (!c)
		return NULL;
	c->database = arena_copy(arena, database);
	c->name = arena_copy(arena, name);
	c->end = &c->documents;
	/* The server lists in the order of names. */
	struct mongo_collection **at = &m->collections;
	while (*at && (order((*at)->database, c->database) < 0 ||
		       (order((*at)->database, c->database) == 0 && order((*at)->name, c->name) < 0)))
		at = &(*at)->next;
	c->next = *at;
	*at = c;
	m->collection_count++;
	m->changed = true;
	return c;
}

void mongo_plant(struct mongo *m)
{
	static const struct mongo_planted own[] = {{"admin", "system.version", 1}, {"config", "system.sessions", 0},
						   {"local", "startup_log", 2}};
	const struct mongo_planted *planted = m->device->collections.items;
	for (size_t i = 0; i < sizeof own / sizeof *own + m->device->collections.count; i++) {
		const struct mongo_planted *p = i < 3 ? &own[i] : &planted[i - 3];
		struct mongo_collection *c =
			make_collection(m, bytes_of_text(p->database), bytes_of_text(p->collection));
		if (c)
			c->count = c->made = (uint32_t)p->documents;
	}
}

static void drop_collections(struct mongo *m, struct bytes database, struct bytes name)
{
	struct mongo_collection **at = &m->collections;
	while (*at) {
		struct mongo_collection *c = *at;
		if (bytes_equal(c->database, database) && (!name.len || bytes_equal(c->name, name))) {
			*at = c->next;
			m->collection_count--;
			m->changed = true;
		} else {
			at = &c->next;
		}
	}
}

static uint32_t size_of(const struct mongo_collection *c)
{
	uint32_t size = c->made * 214u;
	for (const struct mongo_document *d = c->documents; d; d = d->next)
		size += (uint32_t)d->bson.len;
	return size;
}

static void list_databases(struct mongo *m, struct bytes command, struct bson *b)
{
	struct bson_element e;
	double total = 0;
	bool names = bson_find(command, "nameOnly", &e) && (e.type == BSON_BOOL ? e.value.at[0] != 0 : bson_number(&e) != 0);
	bson_open(b, "databases", BSON_ARRAY);
	for (const struct mongo_collection *c = m->collections; c; c = c->next) {
		const struct mongo_collection *first = m->collections;
		double size = 0;
		while (!bytes_equal(first->database, c->database))
			first = first->next;
		if (first != c)
			continue;
		for (const struct mongo_collection *o = c; o; o = o->next)
			if (bytes_equal(o->database, c->database))
				size += (double)((size_of(o) + 40959) / 4096 * 4096);
		total += size;
		bson_open(b, "", BSON_DOCUMENT);
		bson_text(b, "name", c->database);
		if (!names) {
			bson_double(b, "sizeOnDisk", size);
			bson_bool(b, "empty", false);
		}
		bson_close(b);
	}
	bson_close(b);
	if (!names)
		bson_double(b, "totalSize", total);
	bson_double(b, "ok", 1);
}

static void open_cursor(struct bson *b)
{
	bson_open(b, "cursor", BSON_DOCUMENT);
	bson_open(b, "firstBatch", BSON_ARRAY);
}

static void close_cursor(struct bson *b, struct bytes database, struct bytes collection)
{
	char name[256];
	snprintf(name, sizeof name, "%.*s.%.*s", (int)(database.len < 64 ? database.len : 64), (const char *)database.at,
		 (int)(collection.len < 128 ? collection.len : 128), (const char *)collection.at);
	bson_close(b);
	bson_int64(b, "id", 0);
	bson_words(b, "ns", name);
	bson_close(b);
	bson_double(b, "ok", 1);
}

static void list_collections(struct mongo *m, struct bytes database, struct bson *b)
{
	open_cursor(b);
	for (const struct mongo_collection *c = m->collections; c; c = c->next) {
		if (!bytes_equal(c->database, database))
			continue;
		bson_open(b, "", BSON_DOCUMENT);
		bson_text(b, "name", c->name);
		bson_words(b, "type", "collection");
		bson_open(b, "options", BSON_DOCUMENT);
		bson_close(b);
		bson_open(b, "info", BSON_DOCUMENT);
		bson_bool(b, "readOnly", false);
		bson_close(b);
		bson_close(b);
	}
	close_cursor(b, database, BYTES("$cmd.listCollections"));
}

/* One of the documents that the device holds by itself. */
static void derived(struct mongo *m, const struct mongo_collection *c, uint32_t nth, struct bson *b)
{
	static const char *const given[] = {"anna", "mark", "yuki", "li", "maria", "ivan", "omar", "julia", "tom", "sara"};
	static const char *const family[] = {"weber", "smith", "tanaka", "wang", "garcia", "petrov", "haddad", "novak"};
	uint64_t seed = session_device_seed(m->session);
	char text[96];
	for (size_t i = 0; i < c->name.len; i++)
		seed = random_mix(seed ^ c->name.at[i]);
	seed = random_mix(seed + nth);
	uint32_t made = (uint32_t)(1561939200 + seed % 94608000);
	const char *first = given[seed % 10], *last = family[seed / 16 % 8];
	bson_open(b, "", BSON_DOCUMENT);
	bson_object_id(b, "_id", seed, made);
	snprintf(text, sizeof text, "%s.%s%u@mail.example", first, last, (unsigned)(seed >> 8) % 90);
	bson_words(b, "email", text);
	bson_words(b, "name", first);
	bson_words(b, "surname", last);
	memcpy(text, "$2a$10$", 8);
	for (unsigned i = 0; i < 53; i++) /* as long as bcrypt's, of its letters */
		text[7 + i] = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
			[random_mix(seed ^ i) % 64];
	bson_text(b, "password", (struct bytes){(const uint8_t *)text, 60});
	bson_date(b, "created", made * UINT64_C(1000000));
	bson_bool(b, "active", seed >> 20 & 3);
	bson_close(b);
}

static void put_documents(struct mongo *m, const struct mongo_collection *c, int64_t limit, struct bson *b)
{
	int64_t n = 0;
	for (uint32_t i = 0; c && i < c->made && n < limit && writer_left(&b->w) > 2048; i++, n++)
		derived(m, c, i, b);
	for (const struct mongo_document *d = c ? c->documents : NULL; d && n < limit; d = d->next, n++)
		if (writer_left(&b->w) > d->bson.len + 2048)
			bson_raw(b, "", BSON_DOCUMENT, d->bson);
}

static int64_t limit_of(struct bytes command)
{
	struct bson_element e;
	int64_t n = bson_find(command, "limit", &e) ? bson_number(&e) : 0;
	return n > 0 && n < MONGO_BATCH ? n : MONGO_BATCH;
}

/* Keeps documents; a note of some length is a file of the peer, too. */
static int32_t insert(struct mongo *m, struct bytes database, struct bytes name, struct reader documents, bool array)
{
	struct mongo_collection *c = make_collection(m, database, name);
	struct arena *arena = session_arena(m->session);
	struct bson_element e;
	int32_t n = 0;
	while (c && reader_left(&documents)) {
		struct bytes document;
		struct reader inside;
		if (array) {
			if (!bson_next(&documents, &e))
				break;
			document = e.value;
		} else {
			document = (struct bytes){documents.at, reader_left(&documents)};
		}
		if (!bson_inside(document, &inside))
			break;
		document.len = reader_left(&inside) + 5;
		if (!array)
			read_bytes(&documents, document.len);
		struct mongo_document *d = m->inserted < MONGO_DOCUMENTS_MAX ? arena_alloc(arena, sizeof *d) : NULL;
		if (d)
			d->bson = arena_copy(arena, document);
		if (d && d->bson.at) {
			*c->end = d;
			c->end = &d->next;
			c->count++;
			m->inserted++;
			m->changed = true;
		}
		n++;
	}
	return n;
}

static void run_insert(struct mongo *m, struct bytes database, struct bytes name, struct bytes command,
		       struct bytes documents, struct bson *b)
{
	struct bson_element e;
	struct reader inside;
	int32_t n = 0;
	if (documents.len)
		n = insert(m, database, name, reader_of_bytes(documents), false);
	else if (bson_find(command, "documents", &e) && e.type == BSON_ARRAY && bson_inside(e.value, &inside))
		n = insert(m, database, name, inside, true);
	bson_int32(b, "n", n);
	bson_double(b, "ok", 1);
}

static void run_drop(struct mongo *m, struct bytes database, struct bytes name, struct bson *b)
{
	char text[256];
	if (!find_collection(m, database, name)) {
		mongo_error(b, 26, "NamespaceNotFound", "ns not found");
		return;
	}
	drop_collections(m, database, name);
	snprintf(text, sizeof text, "%.*s.%.*s", (int)(database.len < 64 ? database.len : 64), (const char *)database.at,
		 (int)(name.len < 128 ? name.len : 128), (const char *)name.at);
	bson_int32(b, "nIndexesWas", 1);
	bson_words(b, "ns", text);
	bson_double(b, "ok", 1);
}

static void run_delete(struct mongo *m, struct mongo_collection *c, struct bson *b)
{
	bson_int32(b, "n", c ? (int32_t)c->count : 0);
	bson_double(b, "ok", 1);
	if (c) {
		m->changed = true;
		c->count = c->made = 0;
		c->documents = NULL;
		c->end = &c->documents;
	}
}

/* Aggregations are not worked out, but counting is what drivers do with them. */
static void run_aggregate(struct mongo *m, struct bytes database, struct bytes name, struct bytes command,
			  const struct mongo_collection *c, struct bson *b)
{
	bool counts = bytes_find(command, "$sum") < command.len;
	open_cursor(b);
	if (counts && c && c->count) {
		bson_open(b, "", BSON_DOCUMENT);
		bson_int32(b, "_id", 1);
		bson_int32(b, "n", (int32_t)c->count);
		bson_close(b);
	} else if (!counts) {
		put_documents(m, c, MONGO_BATCH, b);
	}
	close_cursor(b, database, name);
}

static void run_stats(const struct mongo *m, struct bytes database, struct bson *b)
{
	uint32_t collections = 0, objects = 0, size = 0;
	for (const struct mongo_collection *c = m->collections; c; c = c->next)
		if (bytes_equal(c->database, database)) {
			collections++;
			objects += c->count;
			size += size_of(c);
		}
	bson_text(b, "db", database);
	bson_int32(b, "collections", (int32_t)collections);
	bson_int32(b, "views", 0);
	bson_int32(b, "objects", (int32_t)objects);
	bson_double(b, "avgObjSize", objects ? (double)size / objects : 0);
	bson_double(b, "dataSize", size);
	bson_double(b, "storageSize", collections * 20480.0);
	bson_int32(b, "indexes", (int32_t)collections);
	bson_double(b, "ok", 1);
}

static bool on_collection(struct mongo *m, struct bytes database, struct bytes verb, struct bytes name,
			  struct bytes command, struct bytes documents, struct bson *b)
{
	struct mongo_collection *c = find_collection(m, database, name);
	if (bytes_equal_text(verb, "find")) {
		open_cursor(b);
		put_documents(m, c, limit_of(command), b);
		close_cursor(b, database, name);
	} else if (bytes_equal_text(verb, "count")) {
		bson_int32(b, "n", c ? (int32_t)c->count : 0);
		bson_double(b, "ok", 1);
	} else if (bytes_equal_text(verb, "insert")) {
		run_insert(m, database, name, command, documents, b);
	} else if (bytes_equal_text(verb, "drop")) {
		run_drop(m, database, name, b);
	} else if (bytes_equal_text(verb, "delete")) {
		run_delete(m, c, b);
	} else if (bytes_equal_text(verb, "update")) {
		bson_int32(b, "n", c ? (int32_t)c->count : 0);
		bson_int32(b, "nModified", c ? (int32_t)c->count : 0);
		bson_double(b, "ok", 1);
	} else if (bytes_equal_text(verb, "create") || bytes_equal_text(verb, "createIndexes")) {
		make_collection(m, database, name);
		bson_double(b, "ok", 1);
	} else if (bytes_equal_text(verb, "aggregate")) {
		run_aggregate(m, database, name, command, c, b);
	} else {
		return false;
	}
	return true;
}

static bool before_login(struct bytes verb)
{
	static const char *const open[] = {"isMaster", "ismaster", "hello", "buildInfo", "buildinfo", "ping", "saslStart",
					   "saslContinue", "whatsmyuri", "logout", "endSessions", "getnonce"};
	for (size_t i = 0; i < sizeof open / sizeof *open; i++)
		if (bytes_equal_text(verb, open[i]))
			return true;
	return false;
}

void mongo_run(struct mongo *m, struct bytes database, struct bytes command, struct bytes documents, struct bson *b)
{
	struct reader inside;
	struct bson_element e = {0};
	bool any = bson_inside(command, &inside) && bson_next(&inside, &e);
	struct bytes verb = any ? e.name : (struct bytes){0}, name = e.type == BSON_TEXT ? e.value : (struct bytes){0};
	int n = (int)(verb.len < 64 ? verb.len : 64);
	if (m->device->auth && !m->let_in && !before_login(verb))
		mongo_error(b, 13, "Unauthorized", "command %.*s requires authentication", n, (const char *)verb.at);
	else if (bytes_equal_text(verb, "saslStart"))
		mongo_sasl_start(m, command, b);
	else if (bytes_equal_text(verb, "saslContinue"))
		mongo_sasl_continue(m, command, b);
	else if (bytes_equal_text(verb, "listDatabases"))
		list_databases(m, command, b);
	else if (bytes_equal_text(verb, "listCollections"))
		list_collections(m, database, b);
	else if (bytes_equal_text(verb, "dbStats") || bytes_equal_text(verb, "dbstats"))
		run_stats(m, database, b);
	else if (bytes_equal_text(verb, "dropDatabase")) {
		drop_collections(m, database, (struct bytes){0});
		bson_text(b, "dropped", database);
		bson_double(b, "ok", 1);
	} else if (!mongo_about(m, verb, command, b) && !on_collection(m, database, verb, name, command, documents, b))
		mongo_error(b, 59, "CommandNotFound", "no such command: '%.*s'", n, (const char *)verb.at);
}
