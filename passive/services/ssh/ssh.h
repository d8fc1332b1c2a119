/*
 * One SSH connection, as its parts share it.
 *
 *   version.c     identification strings, and what becomes of bad ones
 *   kex.c         negotiation, key exchange, new keys
 *   transport.c   messages out, messages that any phase may bring
 *   auth.c        who gets in
 *   connection.c  channels and global requests
 *   program.c     what a session channel runs: shell, commands, sftp, scp
 *
 * A message handler reads the payload behind its number and says how the session goes on.
 */
#pragma once
#include "passive/service.h"
#include "passive/services/ssh/cipher.h"
#include "passive/services/ssh/exchange.h"
#include "passive/services/ssh/compress.h"
#include "passive/services/ssh/kex_keys.h"
#include "passive/services/ssh/software.h"
#include "passive/services/ssh/wire.h"

enum ssh_message {
	SSH_DISCONNECT = 1,
	SSH_IGNORE = 2,
	SSH_UNIMPLEMENTED = 3,
	SSH_DEBUG = 4,
	SSH_SERVICE_REQUEST = 5,
	SSH_SERVICE_ACCEPT = 6,
	SSH_EXT_INFO = 7,
	SSH_KEXINIT = 20,
	SSH_NEWKEYS = 21,
	SSH_KEX_FIRST = 30,
	SSH_KEX_REPLY = 31,
	SSH_GEX_INIT = 32,
	SSH_GEX_REPLY = 33,
	SSH_GEX_REQUEST = 34,
	SSH_KEX_LAST = 49,
	SSH_AUTH_REQUEST = 50,
	SSH_AUTH_FAILURE = 51,
	SSH_AUTH_SUCCESS = 52,
	SSH_AUTH_BANNER = 53,
	SSH_AUTH_INFO_REQUEST = 60, /* also PK_OK */
	SSH_AUTH_INFO_RESPONSE = 61,
	SSH_GLOBAL_REQUEST = 80,
	SSH_REQUEST_SUCCESS = 81,
	SSH_REQUEST_FAILURE = 82,
	SSH_CHANNEL_OPEN = 90,
	SSH_OPEN_CONFIRMATION = 91,
	SSH_OPEN_FAILURE = 92,
	SSH_WINDOW_ADJUST = 93,
	SSH_CHANNEL_DATA = 94,
	SSH_CHANNEL_EXTENDED = 95,
	SSH_CHANNEL_EOF = 96,
	SSH_CHANNEL_CLOSE = 97,
	SSH_CHANNEL_REQUEST = 98,
	SSH_CHANNEL_SUCCESS = 99,
	SSH_CHANNEL_FAILURE = 100,
};

#define SSH_REASON_PROTOCOL_ERROR 2
#define SSH_HASH_MAX 64
#define SSH_USER_MAX 255

enum ssh_phase { SSH_AT_VERSION, SSH_AT_KEYS, SSH_AT_SERVICE, SSH_AT_AUTH, SSH_AT_CONNECTION };

enum ssh_waiting { SSH_WAITS_NOT, SSH_WAITS_REFUSAL, SSH_WAITS_ACCEPTANCE, SSH_WAITS_PROGRAM, SSH_WAITS_BACKEND };

struct ssh_device { /* what a persona says */
	int software;
	const char *banner;  /* NULL: the software's */
	const char *methods; /* NULL: the software's */
	const char *notice;  /* before log-in (RFC 4252 5.4); NULL: none */
	bool accepts_keys, sftp;
};

struct ssh_choice { /* of one direction */
	const struct ssh_cipher *cipher;
	const struct ssh_mac *mac;
	bool compressed;
};

struct ssh_kex {
	bool ours, theirs; /* KEXINIT is out, is in */
	bool answered;     /* our NEWKEYS is out, theirs is awaited */
	bool guessed_wrong;
	const struct ssh_exchange *method;
	struct bytes host_key; /* its algorithm, in the software's list */
	struct ssh_choice in, out;
	EVP_MD_CTX *hash; /* of what both sides said so far */
	struct ssh_flow next; /* what comes in after their NEWKEYS */
	uint32_t group_asked[3];
	unsigned group_size;
	uint8_t cookie[16];
};

struct ssh_connection; /* connection.h: after the log-in */
struct ssh_relay;      /* relay.h: at a backend */

struct ssh {
	struct session *session; /* while a callback runs */
	const struct ssh_software *software;
	const struct ssh_device *device;
	uint8_t phase, waiting;
	bool strict;      /* RFC-less "strict KEX" of OpenSSH: no message too many, numbers from 0 */
	bool wants_ext_info;
	bool told;        /* client.seen */
	bool asked;       /* for a password, interactively */
	bool compresses_in, compresses_out; /* agreed on; from the log-in on */
	struct ssh_zlib *zlib_in, *zlib_out;
	struct bytes version; /* theirs, without its end; on the arena */
	struct ssh_kex kex;
	struct ssh_flow in, out;
	uint64_t noise; /* padding nobody can tell from random */
	uint8_t id[SSH_HASH_MAX]; /* of the session: the first exchange's hash */
	uint8_t id_len;
	uint8_t tries, attempts;
	char user[SSH_USER_MAX + 1];
	struct ssh_connection *connection;
	struct ssh_relay *relay; /* NULL: it was not asked for */
};

/* transport.c */
void ssh_send(struct ssh *, struct bytes payload);
void ssh_send_number(struct ssh *, enum ssh_message, uint32_t);
enum service_next ssh_disconnect(struct ssh *, const char *why);
void ssh_random(struct ssh *, uint8_t *out, size_t n);
void ssh_unimplemented(struct ssh *); /* the message just read */
enum service_next ssh_take(struct ssh *, struct bytes payload);
bool ssh_compress_out(struct ssh *); /* from the next message on, where it was agreed */
bool ssh_compress_in(struct ssh *);

/* version.c: takes the identification; *got once it is whole and good. */
enum service_next ssh_version_take(struct ssh *, struct reader *, bool *got);
const char *ssh_banner(const struct ssh *);

/* kex.c */
void ssh_kex_start(struct ssh *); /* sends our KEXINIT */
enum service_next ssh_kex_take(struct ssh *, uint8_t message, struct bytes payload);
void ssh_tell_client(struct ssh *, const char *hassh); /* client.seen, once */

/* auth.c */
enum service_next ssh_service_request(struct ssh *, struct reader *);
enum service_next ssh_auth_request(struct ssh *, struct reader *);
enum service_next ssh_auth_response(struct ssh *, struct reader *);
enum service_next ssh_auth_tick(struct ssh *);

/* connection.c */
void ssh_connection_start(struct ssh *);
enum service_next ssh_connection_take(struct ssh *, uint8_t message, struct reader *);
enum service_next ssh_connection_tick(struct ssh *);
void ssh_connection_go_on(struct ssh *); /* what was held back while keys were exchanged */
void ssh_connection_done(struct ssh *);
