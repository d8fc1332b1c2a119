/*
 * A persona: one coherent device that decoys play, read from etc/personas/ at start.
 *
 * A persona is read-only after loading and shared by all sessions and services.  What
 * differs from address to address (host name, MAC, serial number, time since boot) is
 * derived from the device seed of the local address, so that two decoys never give the
 * same replies and one decoy always gives the same.  Texts from the file may hold
 * %{hostname}, %{mac}, %{serial}, %{address}, %{uptime}, %{boot}, %{date}, %{kernel},
 * %{machine}, %{busybox}, %{memory} and %{random}; persona_expand() fills them in.  Tokens are
 * %{bait.password:NAME} and the like (passive/device/bait/bait.h).
 */
#pragma once
#include "base/address.h"
#include "base/error.h"
#include "passive/device/vfs/vfs.h"

#define PERSONAS_MAX 64
#define PERSONA_FILE_BYTES_MAX (1u << 20) /* of one YAML file */
#define PERSONA_NAME_MAX 31

enum persona_arch { PERSONA_ARM, PERSONA_MIPS, PERSONA_MIPSEL, PERSONA_X86 };

struct persona_credential {
	struct bytes user, secret;
};

struct persona_process {
	uint32_t pid, memory_kb;
	const char *user, *state, *command;
};

struct persona_mount {
	const char *device, *path, *type, *options;
	uint32_t size_kb, used_kb;
};

struct persona_header {
	const char *name;
	struct bytes value; /* a template */
};

/* One answer of the device's web server.  Header values and body are templates. */
struct persona_page {
	const char *path;   /* exact; "/dir/" followed by * for all below; "*" for any other */
	const char *method; /* NULL: any */
	unsigned status;
	bool locked; /* only with accepted credentials: by the realm, or the form's cookie */
	const struct persona_header *headers;
	size_t header_count;
	struct bytes body;
	const char *upload;   /* directory of the device that takes in files sent here; NULL: none */
	const char *includes; /* parameter that names a file which is shown instead; NULL: none */
	const char *runs;     /* "xmlrpc"; NULL: it is only shown */
};

/* A login form: where it is sent, its fields, and the pages that answer it. */
struct persona_login {
	const char *path, *user, *secret; /* path NULL: the device has no such form */
	const char *accepted, *refused;   /* paths of pages */
	const char *cookie;               /* name of the session's cookie; NULL: none is set */
};

struct persona_http {
	const char *server; /* NULL: the device sends no Server header */
	const char
	        *realm; /* NULL: it never asks, locked pages answer with the page at login.path */
	bool digest;    /* it asks for Digest, and takes Basic too */
	const char *root; /* directory whose files are served; NULL: pages only */
	struct persona_login login; /* the first of logins: where locked pages lead */
	const struct persona_login *logins;
	size_t login_count;
	const struct persona_credential *credentials; /* its own accounts; none: the device's */
	size_t credential_count;
	const struct persona_page *pages;
	size_t page_count;
};

struct bait;      /* passive/device/bait/bait.h */
struct service;   /* passive/service.h */
struct tls_terms; /* passive/device/tls/terms.h */
struct backend;   /* passive/relay/backend.h */

struct persona_service {
	const struct service *service;
	const uint64_t *ports, *secure_ports;
	size_t port_count, secure_port_count;
	const struct tls_terms *tls; /* NULL: those of the persona */
	const struct backend *backend; /* NULL: none */
	const void *device; /* of service->device */
};

struct persona {
	const char *name, *summary;
	const char *const *classes; /* device classes whose visitors are steered here */
	size_t class_count;
	const struct persona_service *services; /* that it offers; none: all that are configured */
	size_t service_count;
	const char *hostname; /* template */
	enum persona_arch arch;
	const char *machine, *kernel, *kernel_build;
	const char *busybox, *busybox_date;
	const char *prompt, *home;
	struct bytes login_banner, motd; /* templates; empty: none */
	uint32_t memory_kb;
	const char *interface, *mac_prefix;
	const char *stack; /* look of its TCP/IP stack, of passive/room/stack/; NULL: this machine's */
	const struct persona_credential *credentials;
	size_t credential_count;
	uint64_t accept_one_in;     /* of all other credentials, chosen by address; 0: none */
	const char *const *missing; /* applets that this build lacks */
	size_t missing_count;
	const struct persona_process *processes;
	size_t process_count;
	const struct persona_mount *mounts;
	size_t mount_count;
	const struct vfs_entry *root;
	struct bytes busybox_elf,
	        other_elf; /* what /bin/busybox holds; what any other program holds */
	struct persona_http http;
	const struct tls_terms *tls; /* NULL: the usual */
	struct bait *bait;           /* that its texts hold; NULL: tokens without a meaning */
};

extern const struct persona persona_plain; /* built in: for rehearsals and bare decoys */

struct persona_set {
	struct arena arena;
	struct bait *bait; /* of all that are read */
	bool lure;         /* their files and pages for attackers who search, too */
	const struct persona *items[PERSONAS_MAX];
	size_t count;
};

/* Adds the persona of one YAML document; `name` is what errors call it. */
int persona_read(struct persona_set *, struct bytes document, const char *name, struct fault *);
/* Adds every *.yaml of a directory, in the order of their names. */
int persona_read_directory(struct persona_set *, const char *directory, struct fault *);
void persona_set_done(struct persona_set *);
const struct persona *persona_named(const struct persona_set *, const char *name); /* or NULL */
/* The persona that visitors of that class are steered to, or NULL. */
const struct persona *persona_for_class(const struct persona_set *, const char *device_class);

/* What is particular to one local address. */
struct persona_look {
	const struct persona *persona;
	uint64_t seed, time_us;
	uint32_t uptime_s;
	struct address local;
	char hostname[64], mac[18], serial[17], address[ADDRESS_TEXT_MAX];
};

void persona_look(const struct persona *, uint64_t device_seed, const struct address *local,
                  uint64_t time_us, struct persona_look *);
/* Writes a template with its names filled in; unknown ones stay as they are. */
void persona_expand(const struct persona_look *, struct bytes text, struct writer *);
/* Whether that decoy lets these credentials in: the same answer for ever. */
bool persona_accepts(const struct persona *, uint64_t device_seed, struct bytes user,
                     struct bytes secret);
bool persona_has_applet(const struct persona *, struct bytes name);
/* What it says of a service, or NULL. */
const struct persona_service *persona_service(const struct persona *, const struct service *);
/* `secure`: where TLS begins at once. */
bool persona_has_port(const struct persona *, const struct service *, uint16_t port, bool secure);

/* The page for a method and path (no query), or NULL when the persona has none at all. */
const struct persona_page *persona_page(const struct persona *, struct bytes method,
                                        struct bytes path);
