/*
 * SSH server of a Linux machine or a device: OpenSSH or Dropbear, as the persona says.
 *
 * An SSH library betrays itself by its lists, its order of messages and its errors, so the
 * transport is our own (passive/ssh), with each server's habits as a table (software.c).  Who
 * is let in has the same shell as over telnet; files that come over exec, scp or sftp are kept;
 * connections to be forwarded go nowhere.  Nothing is executed or connected.
 */
#include "base/options.h"
#include "passive/services/ssh/connection.h"
#include "passive/services/ssh/host_key.h"
#include "passive/services/ssh/relay.h"

static enum service_next ssh_open(struct session *s, void *state)
{
	struct ssh *h = state;
	h->session = s;
	h->device = session_device(s);
	h->software = &ssh_softwares[h->device ? h->device->software : 0];
	h->noise = session_random(s);
	session_say(s, "%s\r\n", ssh_banner(h));
	/* Dropbear does not wait for the client's version. */
	if (h->software->family == SSH_DROPBEAR)
		ssh_kex_start(h);
	return SERVICE_CONTINUE;
}

static enum service_next take_version(struct ssh *h, struct reader *r)
{
	bool got;
	enum service_next next = ssh_version_take(h, r, &got);
	if (!got)
		return next;
	h->phase = SSH_AT_KEYS;
	if (!h->kex.ours)
		ssh_kex_start(h);
	return SERVICE_CONTINUE;
}

static enum service_next ssh_input(struct session *s, void *state, struct reader *r)
{
	uint8_t room[SSH_SEALED_MAX];
	struct ssh *h = state;
	enum service_next next = SERVICE_CONTINUE;
	h->session = s;
	if (h->connection)
		h->connection->budget = SSH_FLUSH_MAX;
	while (next == SERVICE_CONTINUE && h->waiting == SSH_WAITS_NOT && reader_left(r)) {
		struct bytes payload;
		if (h->phase == SSH_AT_VERSION) {
			next = take_version(h, r);
			if (h->phase == SSH_AT_VERSION)
				break;
			continue;
		}
		enum flow_opened opened = flow_open(&h->in, r, room, &payload);
		if (opened == FLOW_MORE)
			break;
		next = opened == FLOW_PACKET ? ssh_take(h, payload) : SERVICE_CLOSE;
		/* It reads packet by packet, sshd all that there is. */
		if (next == SERVICE_CLOSE && h->software->family == SSH_DROPBEAR && reader_left(r))
			session_reset_at_end(s);
	}
	return next;
}

static enum service_next ssh_tick(struct session *s, void *state)
{
	struct ssh *h = state;
	h->session = s;
	if (h->waiting == SSH_WAITS_REFUSAL)
		return ssh_auth_tick(h);
	if (h->waiting == SSH_WAITS_BACKEND)
		return ssh_relay_give_up(h);
	h->waiting = SSH_WAITS_NOT;
	if (!h->connection)
		return SERVICE_CONTINUE;
	h->connection->budget = SSH_FLUSH_MAX;
	return ssh_connection_tick(h);
}

static enum service_next ssh_relayed(struct session *s, void *state, enum relay_event what, struct bytes came)
{
	struct ssh *h = state;
	h->session = s;
	if (h->connection)
		h->connection->budget = SSH_FLUSH_MAX;
	return ssh_relay_hear(h, what, came);
}

static void ssh_close(struct session *s, void *state)
{
	struct ssh *h = state;
	h->session = s;
	if (h->version.len)
		ssh_tell_client(h, NULL);
	ssh_relay_done(h);
	ssh_connection_done(h);
	flow_done(&h->in);
	flow_done(&h->out);
	flow_done(&h->kex.next);
	EVP_MD_CTX_free(h->kex.hash);
	h->kex.hash = NULL;
}

static void ssh_shared_done(void *shared)
{
	host_keys_done(shared);
}

#define BANNER "SSH-2.0-dropbear_2020.81\r\n"
/* Cookie and padding are what a rehearsal draws. */
#define KEXINIT \
	"\000\000\001\364\010\024" "\243\061\257\142\343\170\125\365\234\257\377\113\033\016\156\015" \
	"\000\000\000\273" "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp521," \
	"ecdh-sha2-nistp384,ecdh-sha2-nistp256,diffie-hellman-group14-sha256," \
	"diffie-hellman-group14-sha1,kexguess2@matt.ucc.asn.au" \
	"\000\000\000\064" "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-256,ssh-rsa" \
	"\000\000\000\063" "chacha20-poly1305@openssh.com,aes128-ctr,aes256-ctr" \
	"\000\000\000\063" "chacha20-poly1305@openssh.com,aes128-ctr,aes256-ctr" \
	"\000\000\000\027" "hmac-sha1,hmac-sha2-256" \
	"\000\000\000\027" "hmac-sha1,hmac-sha2-256" \
	"\000\000\000\025" "zlib@openssh.com,none" \
	"\000\000\000\025" "zlib@openssh.com,none" \
	"\000\000\000\000" "" \
	"\000\000\000\000" "" \
	"\000\000\000\000\000" "\003\304\242\210\244\032\336\341"
/* Of a client from long ago: nothing of it is to be had any more. */
#define OLD_KEXINIT \
	"\000\000\000\224\004\024\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\032diffie-hellman-group1-" \
	"sha1\000\000\000\007ssh-dss\000\000\000\014blowfish-cbc\000\000\000\014blowfish-cbc\000" \
	"\000\000\010hmac-md5\000\000\000\010hmac-md5\000\000\000\004none\000\000\000\004none\000\000\000\000\000\000\000\000\000" \
	"\000\000\000\000\000\000\000\000"

static const struct exchange ssh_exchanges[] = {
        {"who sends a version that is none is hung up on", BYTES("SSH-1337-OpenSSH_9.0\r\n"),
         BYTES(BANNER KEXINIT),
         "{\"kind\":\"client.seen\",\"request.agent\":\"SSH-1337-OpenSSH_9.0\"}\n"},
        {"a web browser", BYTES("GET / HTTP/1.1\r\n\r\n"), BYTES(BANNER KEXINIT),
         "{\"kind\":\"client.seen\",\"request.agent\":\"GET / HTTP/1.1\"}\n"},
        {"who only looks at the banner is told all the same", BYTES("SSH-2.0-Zgrab\r\n"), BYTES(BANNER KEXINIT),
         "{\"kind\":\"client.seen\",\"request.agent\":\"SSH-2.0-Zgrab\"}\n"},
        {"a client that has no algorithm in common with us", BYTES("SSH-2.0-PuTTY_0.52\r\n" OLD_KEXINIT),
         BYTES(BANNER KEXINIT),
         "{\"kind\":\"client.seen\",\"request.agent\":\"SSH-2.0-PuTTY_0.52\",\"ssh.hassh\":"
         "\"b012a9fd78eb3da22187dad4773c770f\"}\n"},
        {"a log-in before there are keys", BYTES("SSH-2.0-x\r\n\0\0\0\034\012\005\0\0\0\014ssh-userauth\0\0\0\0\0\0\0\0\0\0"),
         BYTES(BANNER KEXINIT), NULL},
        {"nobody is there", BYTES(""), BYTES(BANNER KEXINIT), ""},
        {0},
};

static const struct option ssh_device_options[] = {
        {.name = "software",
         .type = OPTION_CHOICE,
         .offset = offsetof(struct ssh_device, software),
         .fallback = "dropbear-2020.81",
         .choices = ssh_software_names,
         .summary = "server to be taken for: its lists, order and habits"},
        {.name = "banner",
         .type = OPTION_TEXT,
         .offset = offsetof(struct ssh_device, banner),
         .summary = "identification string in place of the software's usual one, from SSH-2.0- on"},
        {.name = "methods",
         .type = OPTION_TEXT,
         .offset = offsetof(struct ssh_device, methods),
         .summary = "methods of authentication, with commas; usually publickey,password"},
        {.name = "notice",
         .type = OPTION_TEXT,
         .offset = offsetof(struct ssh_device, notice),
         .summary = "shown before the log-in"},
        {.name = "accepts-keys",
         .type = OPTION_BOOL,
         .offset = offsetof(struct ssh_device, accepts_keys),
         .fallback = "false",
         .summary = "whether any key that signs well lets in"},
        {.name = "sftp",
         .type = OPTION_BOOL,
         .offset = offsetof(struct ssh_device, sftp),
         .fallback = "true",
         .summary = "whether the device has an SFTP server"},
        {0},
};

static const struct service ssh = {
        .name = "ssh",
        .summary = "OpenSSH or Dropbear, with shell, file transfer and forwarding that goes nowhere",
        .reference = "RFC 4250 to 4254, 4256, 4419, 5656, 8308, 8332, 8731; OpenSSH and Dropbear as measured",
        .transports = TRANSPORT_TCP,
        .ports = {22, 2222},
        .state_size = sizeof(struct ssh),
        .input_max = 40 * 1024,
        .output_max = 1024 * 1024,
        .arena_max = 12 * 1024 * 1024,
        .idle_ms_max = 300 * 1000,
        .session_ms_max = 3600 * 1000,
        .device = ssh_device_options,
        .device_size = sizeof(struct ssh_device),
        .open = ssh_open,
        .input = ssh_input,
        .tick = ssh_tick,
        .close = ssh_close,
        .relayed = ssh_relayed,
        .records_itself = true,
        .shared_size = sizeof(struct ssh_shared),
        .shared_done = ssh_shared_done,
        .exchanges = ssh_exchanges,
};
SERVICE(ssh);
