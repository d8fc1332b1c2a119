/*
 * The parts of the Redis emulator: protocol, keys, configuration, commands.
 *
 * All memory is the session's arena; the device remembers what a visitor leaves.  Keys are bounded in
 * number and bytes, and beyond that Redis's own words for a full memory are the answer.
 */
#pragma once
#include "passive/accounts.h"
#include "passive/command.h"

#define REDIS_ARGUMENTS_MAX 1024
#define REDIS_KEYS_MAX 256       /* of one session, all databases together */
#define REDIS_ITEMS_MAX 1024     /* in lists, sets and hashes of one session */
#define REDIS_QUEUED_MAX 64       /* commands of one transaction */
#define REDIS_DATABASES 16       /* the default of redis.conf */
#define REDIS_SETTINGS_MAX 32    /* that one session may change */
#define REDIS_SCRIPTS_MAX 16
#define REDIS_LINE_MAX 4096      /* of a command as it is recorded */

struct redis_device {
	const char *version, *password, *directory, *executable, *config_file, *os;
	bool protected_mode, protected_configs, modules;
	struct option_list keys; /* of struct redis_planted */
};

struct redis_planted {
	const char *key, *value;
};

enum redis_kind { REDIS_STRING, REDIS_LIST, REDIS_SET, REDIS_HASH };

struct redis_item {
	struct redis_item *next;
	struct bytes field, value; /* field: of a hash */
};

struct redis_key {
	struct redis_key *next;
	struct bytes name, value;
	size_t room; /* bytes at value.at */
	struct redis_item *items;
	uint64_t expires_us; /* 0: never */
	uint32_t count;
	uint8_t kind, database;
};

struct redis_setting {
	struct bytes name, value;
};

struct redis_span { /* within the unread bytes, while a request is still coming */
	uint32_t at, len;
};

struct redis_queued {
	struct redis_queued *next;
	struct bytes *arguments;
	size_t count;
};

struct redis {
	const struct redis_device *device;
	struct redis_span *spans; /* of a multibulk request that is being read */
	uint32_t span_room, span_count, expected, at;
	uint64_t id;
	struct redis_key *keys;
	struct redis_key *spare; /* deleted: their room is used again */
	struct redis_setting settings[REDIS_SETTINGS_MAX];
	uint8_t scripts[REDIS_SCRIPTS_MAX][20];
	struct redis_queued *queue, **queue_end;
	struct bytes client_name, master_host, loaded; /* loaded: path of a module */
	struct command_shell *shell;
	uint64_t saved_us, mark; /* mark: of what the device remembers */
	uint32_t key_count, item_count, setting_count, script_count, queued;
	uint32_t commands, changes, subscribed;
	uint16_t master_port;
	uint8_t protocol, database;
	bool let_in, in_multi, multi_broken, monitor, planted, exposed;
};

/* One command with its arguments; the name is arguments[0]. */
struct redis_call {
	struct session *session;
	struct redis *redis;
	const struct bytes *arguments;
	size_t count;
};

/* passive/services/redis/protocol.c */
enum redis_read { REDIS_READ_NOTHING, REDIS_READ_COMMAND, REDIS_READ_FAULT };
/* One request; its arguments lie in the reader's bytes, or on the arena for inline ones. */
enum redis_read redis_read(struct session *, struct redis *, struct reader *, struct bytes *arguments,
			   size_t *count);
void reply_status(const struct redis_call *, const char *text);
void reply_error(const struct redis_call *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void reply_number(const struct redis_call *, int64_t);
void reply_bulk(const struct redis_call *, struct bytes);
void reply_text(const struct redis_call *, const char *text);
void reply_verbatim(const struct redis_call *, struct bytes); /* RESP3 says that it is text */
void reply_nil(const struct redis_call *);
void reply_array(const struct redis_call *, size_t n);
void reply_map(const struct redis_call *, size_t pairs);
/* Whether the version is at least this one. */
bool redis_since(const struct redis *, unsigned major, unsigned minor);
bool redis_number(struct bytes, int64_t *out);
bool redis_glob(struct bytes pattern, struct bytes text);

/* passive/services/redis/keys.c */
struct redis_key *redis_key(struct session *, struct redis *, struct bytes name); /* or NULL */
/* An existing or new one; NULL: no room. */
struct redis_key *redis_key_make(struct session *, struct redis *, struct bytes name);
bool redis_key_set(struct session *, struct redis_key *, struct bytes value); /* false: no room */
void redis_key_drop(struct redis *, struct redis_key *);
uint32_t redis_key_count(const struct redis *, unsigned database);
/* As Redis would write it to disk, uncompressed; cut at the writer's end. */
void redis_dump(const struct redis *, uint64_t time_us, struct writer *);

/* passive/services/redis/settings.c */
void redis_config(const struct redis_call *);
struct bytes redis_setting(const struct redis *, const char *name);
void redis_save(const struct redis_call *); /* what SAVE leaves on disk is a file of the peer */

/* passive/services/redis/info.c */
void redis_info(const struct redis_call *);

/* passive/services/redis/keycommands.c, servercommands.c: handlers, NULL name at the end */
struct redis_command {
	const char *name;
	int arity; /* as Redis counts: with the name; negative: at least so many */
	void (*run)(const struct redis_call *);
	bool early; /* answered before AUTH, too */
};
extern const struct redis_command redis_key_commands[], redis_server_commands[];

/* passive/services/redis/script.c */
void redis_eval(const struct redis_call *);
void redis_evalsha(const struct redis_call *);
void redis_script(const struct redis_call *);

/* passive/services/redis/memory.c */
void redis_begin(struct session *, struct redis *); /* what the visitor left, or what was planted */
void redis_remember(struct session *, struct redis *); /* when anything changed */

/* passive/services/redis/run.c: reports and answers one request; false: hang up. */
bool redis_run(const struct redis_call *);
void redis_plant(const struct redis_call *); /* the keys that the device holds by itself */
