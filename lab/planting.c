#include "lab/planting.h"
#include "base/base64.h"
#include "base/siphash.h"
#include <stdio.h>

#define USERS (sizeof users / sizeof *users)
#define BASE64_MAX (64u << 10)

/* Accounts that exist on servers of small firms, so that a thief thinks them worth trying. */
static const char *const users[] = {"backup", "deploy", "ftpuser", "webadmin", "sysadmin", "support", "dbadmin", "monitor"};

static const struct place {
	const char *path;
	uint32_t uid;
	const char *text; /* %U user, %P password, %S server */
} places[] = {
	{"/root/.netrc", 0, "machine %S\nlogin %U\npassword %P\n"},
	{"/root/.git-credentials", 0, "https://%U:%P@%S\n"},
	{"/root/.my.cnf", 0, "[client]\nhost=%S\nuser=%U\npassword=\"%P\"\n"},
	{"/root/.pgpass", 0, "%S:5432:*:%U:%P\n"},
	{"/root/.bash_history", 0, "cd /var/www\nls -la\nsshpass -p %P ssh %U@%S\ndf -h\nexit\n"},
	{"/etc/backup.conf", 0, "# nightly\nremote=ftp://%S/backup\nremote_user=%U\nremote_password=%P\n"},
	{"/home/admin/.netrc", 1000, "machine %S\nlogin %U\npassword %P\n"},
	{"/home/admin/.config/filezilla/recentservers.xml", 1000,
	 "<?xml version=\"1.0\"?>\n<FileZilla3><RecentServers><Server><Host>%S</Host><Port>21</Port><User>%U</User>"
	 "<Pass>%P</Pass></Server></RecentServers></FileZilla3>\n"},
	{"/home/admin/notes.txt", 1000, "new server: %S\nuser %U, password %P (change it!)\n"},
};
#define PLACES (sizeof places / sizeof *places)
_Static_assert(PLACES <= PLANTED_MAX && PLACES <= RUN_FILES_MAX, "every place has room");

static void fill_in(const struct place *place, const char *user, const char *server, struct bytes password,
		    struct writer *w)
{
	for (const char *at = place->text; *at; at++) {
		if (at[0] != '%' || !at[1] || !strchr("UPS", at[1])) {
			write_u8(w, (uint8_t)*at);
			continue;
		}
		at++;
		if (*at == 'P')
			write_span(w, password);
		else
			write_text(w, *at == 'U' ? user : server);
	}
	write_u8(w, 0);
}

static void plant(struct planting *p, const struct bait_ledger *ledger, size_t at, const char *server)
{
	const struct place *place = &places[at];
	struct planted *planted = &p->places[at];
	char password[BAIT_PASSWORD_CHARS + 1];
	struct writer word = writer_of(password, sizeof password), text = writer_of(planted->text, PLANTED_TEXT_MAX);
	planted->token = (struct bait_token){BAIT_ENTRY, p->entry,
					     bait_mark(&ledger->secret, bytes_of_text(place->path)) & BAIT_MARK_MAX};
	bait_write(&ledger->secret, &planted->token, BAIT_PASSWORD, &word);
	snprintf(planted->path, sizeof planted->path, "%s", place->path);
	fill_in(place, p->user, server, writer_bytes(&word), &text);
	p->files[at] = (struct run_file){.path = planted->path, .content = {(const uint8_t *)planted->text, writer_used(&text) - 1},
					 .mode = place->uid ? 0644 : 0600, .uid = place->uid};
}

int planting_make(struct planting *p, struct bait_ledger *ledger, const struct planting_plan *plan, struct fault *fault)
{
	struct bait_entry entry = {.kind = LEDGER_SAMPLE, .by = "lab"};
	struct bait_run run = {.depth = plan->depth};
	if (strlen(plan->server) > LEDGER_TEXT_MAX)
		return fault_set(fault, ERR_BAD, "the server that bait leads to has a name that is too long");
	snprintf(run.sha256, sizeof run.sha256, "%s", plan->sha256);
	snprintf(run.run, sizeof run.run, "%s", plan->uid ? "user" : "root");
	memcpy(run.event, plan->event.b, sizeof run.event);
	memcpy(run.root, id_is_zero(&plan->root) ? plan->event.b : plan->root.b, sizeof run.root);
	bait_run_write(&run, entry.text);
	snprintf(entry.user, sizeof entry.user, "%s", users[ledger->count % USERS]);
	int bad = bait_ledger_add(ledger, &entry, fault);
	if (bad)
		return bad;
	p->entry = entry.number;
	p->count = PLACES;
	snprintf(p->user, sizeof p->user, "%s", entry.user);
	for (size_t i = 0; i < PLACES; i++)
		plant(p, ledger, i, plan->server);
	return 0;
}

static size_t add(const struct planting *p, const struct bait_ledger *ledger, struct bytes text, size_t found[PLANTED_MAX],
		  size_t count)
{
	struct bait_token token;
	enum bait_shape shape;
	while (bait_next(&ledger->secret, &text, &token, &shape))
		for (size_t i = 0; token.source == BAIT_ENTRY && token.where == p->entry && i < p->count; i++) {
			bool known = p->places[i].token.mark != token.mark;
			for (size_t k = 0; k < count && !known; k++)
				known = found[k] == i;
			if (!known)
				found[count++] = i;
		}
	return count;
}

/* Runs of Base64 (RFC 4648 4 and 5), as HTTP's basic authentication and thieves' reports have them. */
static size_t add_base64(const struct planting *p, const struct bait_ledger *ledger, struct bytes said,
			 size_t found[PLANTED_MAX], size_t count)
{
	static uint8_t room[BASE64_MAX];
	for (size_t i = 0; i < said.len;) {
		struct writer w = writer_of(room, sizeof room);
		size_t end = i;
		while (end < said.len && base64_digit(said.at[end]) >= 0)
			end++;
		base64_decode((struct bytes){said.at + i, end - i}, &w); /* what does not fit is left out */
		if (writer_used(&w) >= BAIT_PASSWORD_CHARS)
			count = add(p, ledger, writer_bytes(&w), found, count);
		i = end + 1;
	}
	return count;
}

size_t planting_leaked(const struct planting *p, const struct bait_ledger *ledger, struct bytes said,
		       size_t found[PLANTED_MAX])
{
	return add_base64(p, ledger, said, found, add(p, ledger, said, found, 0));
}
