/* The role "passive": how the room is a process of kansoku. */
#include "passive/room/room_inner.h"
#include <openssl/ssl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct passive_process {
	struct room room;
	struct process *process;
};

static void on_left(void *arg)
{
	process_leave(arg);
}

static void on_stop(void *arg)
{
	struct room *r = arg;
	struct passive_process *p =
	        (struct passive_process *)((char *)r - offsetof(struct passive_process, room));
	room_stop(r, on_left, p->process);
}

/* Where there is a control, it tells at once whom to steer; until then nobody comes in. */
static void on_linked(void *arg, struct bus_peer *peer)
{
	struct room *r = arg;
	if (!r->started && !r->steering.whole && !strcmp(bus_peer_role(peer), "control"))
		r->awaits_table = true;
}

/* What libraries would otherwise read at their first use, when files are out of reach. */
static int libraries_warm_up(void)
{
	uint8_t digest[32];
	char text[DIGEST_TEXT];
	setenv("TZ", "UTC0", 1);
	tzset();
	if (!OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
		return ERR_SYSTEM;
	digest_sha256(BYTES(""), digest, text);
	return 0;
}

static int passive_run(struct process *process, struct fault *fault)
{
	if (libraries_warm_up() < 0)
		return fault_set(fault, ERR_SYSTEM, "passive: libcrypto cannot be used");
	struct passive_process *p = calloc(1, sizeof *p);
	if (!p)
		return fault_set(fault, ERR_MEMORY, "passive: no memory to start with");
	p->process = process;
	int bad = room_open(&p->room, process, fault);
	struct bus_hooks hooks = room_hooks(&p->room);
	hooks.stop = on_stop;
	hooks.linked = on_linked;
	if (!bad)
		bad = process_enter(process, &hooks, fault);
	if (bad) {
		free(p);
		return bad;
	}
	room_start(&p->room);
	uv_run(process->loop, UV_RUN_DEFAULT);
	room_close(&p->room);
	uv_run(process->loop, UV_RUN_NOWAIT);
	free(p);
	return 0;
}

static unsigned passive_workers(const struct config *c)
{
	const struct passive_options *o = config_section(c, "passive");
	if (o->workers)
		return (unsigned)o->workers;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	return processors < 1                     ? 1
	       : processors > PASSIVE_WORKERS_MAX ? PASSIVE_WORKERS_MAX
	                                          : (unsigned)processors;
}

static int passive_check(const struct config *c, struct fault *fault)
{
	struct settings settings;
	int bad = passive_settings_read(c, &settings, fault);
	if (!bad)
		passive_settings_done(&settings);
	return bad;
}

static const char *const talks_to[] = {"control", "journal", "relay", NULL};

static const struct role passive = {
        .name = "passive",
        .summary = "decoys: speaks with whoever comes",
        .rights = SANDBOX_ACCEPT,
        .sends = KIND_MASK(EVENT_SESSION_OPENED) | KIND_MASK(EVENT_SESSION_CLOSED) |
                 KIND_MASK(EVENT_LOGIN_TRIED) | KIND_MASK(EVENT_COMMAND_SENT) |
                 KIND_MASK(EVENT_REQUEST_SEEN) | KIND_MASK(EVENT_FILE_CAPTURED) |
                 KIND_MASK(EVENT_MAIL_RECEIVED) | KIND_MASK(EVENT_REFLECTION_SEEN) |
                 KIND_MASK(EVENT_TOKEN_PLANTED) | KIND_MASK(EVENT_TOKEN_USED) | KIND_MASK(EVENT_HOST_STEERED) |
                 KIND_MASK(EVENT_SENSOR_CHANGED) | KIND_MASK(EVENT_CLIENT_SEEN),
        .talks_to = talks_to,
        .workers = passive_workers,
        .check = passive_check,
        .prepare = sockets_prepare,
        .run = passive_run,
};
ROLE(passive);
