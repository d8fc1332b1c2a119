/* kansoku backup: tables and files into a new folder, while everything runs. */
#include "bus/client.h"
#include "bus/parent.h"
#include "cli/command.h"
#include "bait/ledger.h"
#include "share/access.h"
#include "store/store.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAIT_MS 3600000
#define CHUNK 65536

struct archive {
	int fd;
	uint64_t bytes;
	bool failed;
};

static int write_all(int fd, struct bytes b)
{
	while (b.len) {
		ssize_t n = write(fd, b.at, b.len);
		if (n <= 0 && errno != EINTR)
			return ERR_SYSTEM;
		if (n <= 0)
			continue;
		b.at += n;
		b.len -= (size_t)n;
	}
	return 0;
}

static bool archive_part(void *arg, struct bytes part)
{
	struct archive *a = arg;
	a->bytes += part.len;
	a->failed |= write_all(a->fd, part) != 0;
	return !a->failed;
}

static int tables_copy(const char *state, int folder, uint64_t *bytes, struct fault *fault)
{
	struct archive a = {openat(folder, "tables.tar", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), 0, false};
	if (a.fd < 0)
		return fault_set(fault, ERR_SYSTEM, "backup: tables.tar: %s", strerror(errno));
	int bad = client_request(state, "store", TOPIC_BACKUP, (struct bytes){0}, archive_part, &a, WAIT_MS, fault);
	if (!bad && (a.failed || fsync(a.fd)))
		bad = fault_set(fault, ERR_SYSTEM, "backup: tables.tar: %s", strerror(errno));
	close(a.fd);
	*bytes = a.bytes;
	return bad;
}

static int file_copy(int from, int to, const char *name, struct fault *fault)
{
	uint8_t chunk[CHUNK];
	int in = openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t n = -1;
	while (in >= 0 && out >= 0 && (n = read(in, chunk, sizeof chunk)) > 0)
		if (write_all(out, (struct bytes){chunk, (size_t)n}))
			break;
	int bad = n == 0 && fsync(out) == 0 ? 0 : fault_set(fault, ERR_SYSTEM, "backup: %s: %s", name, strerror(errno));
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return bad;
}

/* A folder of files, or of folders of files; what is not whole yet (part-…) is left out. */
static int folder_copy(int from, int to, const char *name, unsigned depth, uint64_t *files, struct fault *fault)
{
	int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (in < 0)
		return fault_set(fault, ERR_SYSTEM, "backup: %s: %s", name, strerror(errno));
	mkdirat(to, name, 0700);
	int out = openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fdopendir(in);
	int bad = out < 0 || !d ? fault_set(fault, ERR_SYSTEM, "backup: %s: %s", name, strerror(errno)) : 0;
	for (struct dirent *e; !bad && (e = readdir(d));) {
		struct stat st;
		if (e->d_name[0] == '.' || !strncmp(e->d_name, "part-", 5) ||
		    fstatat(in, e->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		if (S_ISDIR(st.st_mode) && depth)
			bad = folder_copy(in, out, e->d_name, depth - 1, files, fault);
		else if (S_ISREG(st.st_mode))
			bad = file_copy(in, out, e->d_name, fault), ++*files;
	}
	if (d)
		closedir(d);
	if (out >= 0)
		close(out);
	return bad;
}

/* Some files of a folder; neither it nor they need be there. */
static int files_copy(int from, int to, const char *folder, const char *const *names, uint64_t *files, struct fault *fault)
{
	int in = openat(from, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), out = -1, bad = 0;
	if (in < 0)
		return errno == ENOENT ? 0 : fault_set(fault, ERR_SYSTEM, "backup: %s: %s", folder, strerror(errno));
	if (mkdirat(to, folder, 0700) || (out = openat(to, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		bad = fault_set(fault, ERR_SYSTEM, "backup: %s: %s", folder, strerror(errno));
	for (; !bad && *names; names++) {
		if (faccessat(in, *names, F_OK, AT_SYMLINK_NOFOLLOW) && errno == ENOENT)
			continue;
		bad = file_copy(in, out, *names, fault);
		++*files;
	}
	close(in);
	if (out >= 0)
		close(out);
	return bad;
}

/* Of the bait its ledger, without which no token means anything; of the exchange what its audit's exports need. */
static int ledgers_copy(int from, int to, uint64_t *files, struct fault *fault)
{
	static const char *const bait[] = {LEDGER_FILE, NULL}, *const exchange[] = {"keys", ACCESS_FILE, AUDIT_FILE, NULL};
	int bad = files_copy(from, to, LEDGER_FOLDER, bait, files, fault);
	return bad ? bad : files_copy(from, to, "exchange", exchange, files, fault);
}

static int run(const struct arguments *a)
{
	static struct config config;
	struct fault fault = {0};
	char state[256];
	const char *to = arguments_word(a, 0);
	uint64_t bytes = 0, files = 0;
	int bad = command_config(a, &config, &fault);
	if (!bad && run_state_path(&config, state, sizeof state))
		bad = fault_set(&fault, ERR_BAD, "run.state: the path is too long");
	if (!bad && mkdir(to, 0700))
		bad = fault_set(&fault, ERR_SYSTEM, "backup: %s: %s; a new folder would be right", to, strerror(errno));
	int folder = bad ? -1 : open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int from = bad ? -1 : open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!bad && (folder < 0 || from < 0))
		bad = fault_set(&fault, ERR_SYSTEM, "backup: %s: %s", folder < 0 ? to : state, strerror(errno));
	bad = bad ? bad : tables_copy(state, folder, &bytes, &fault);
	bad = bad ? bad : folder_copy(from, folder, BLOBS_FOLDER, 1, &files, &fault);
	bad = bad ? bad : ledgers_copy(from, folder, &files, &fault);
	if (bad)
		return command_fail(1, "%s", fault.text);
	const char *shape = arguments_flag(a, "json")
				    ? "{\"folder\":\"%s\",\"table_bytes\":%llu,\"files\":%llu}\n"
				    : "%s: %llu bytes of tables, %llu files\n";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	printf(shape, to, (unsigned long long)bytes, (unsigned long long)files);
#pragma GCC diagnostic pop
	return 0;
}

static const struct command backup_command = {
	.name = "backup",
	.synopsis = "FOLDER",
	.summary = "copy tables and captured files into a new folder, while everything runs",
	.description =
		"Writes FOLDER/tables.tar (a backup of the database as ClickHouse makes it), FOLDER/blobs, the\n"
		"ledger of bait, and of the exchange its keys, rights and audit: keep it where nobody else reads. Events of the last second may still be in the journal. Any ClickHouse of 26.7 or newer reads the\n"
		"archive: RESTORE DATABASE kansoku FROM File('…/tables.tar'), with backups.allowed_path set.\n"
		"An erasure does not reach backups: erase again after restoring one.",
	.words_min = 1,
	.words_max = 1,
	.run = run,
};
COMMAND(backup_command);
