/*
 * The helper in the box: `kansoku inside PROGRAM ARGUMENT...`.
 *
 * It makes the socket that the browser takes for its proxy and hands it out of the box, so that the
 * connections of a network namespace without any way out are accepted outside.  Then it starts the
 * browser, waits, and tells what runs and lies around in the box when it is asked.
 */
#include "active/visit/browser/inside_inner.h"
#include "active/visit/visit.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEPTH_MAX 10
#define ENTRIES_MAX 8192
#define OTHER_FILE_MAX (1u << 20)

struct inside {
	struct timespec begun;
	size_t entries, records, sent;
};

static void send_all(const void *at, size_t n)
{
	const uint8_t *p = at;
	while (n) {
		const ssize_t sent = send(INSIDE_CONTROL_FD, p, n, MSG_NOSIGNAL);
		if (sent <= 0)
			_exit(0); /* nobody is there any more */
		p += sent;
		n -= (size_t)sent;
	}
}

static void tell_head(uint8_t kind, const char *name, uint64_t size, uint32_t content)
{
	uint8_t head[INSIDE_HEAD];
	struct writer w = writer_of(head, sizeof head);
	const size_t n = strnlen(name, INSIDE_NAME_MAX);
	write_u8(&w, kind);
	write_u64(&w, size);
	write_u16(&w, (uint16_t)n);
	write_u32(&w, content);
	send_all(head, sizeof head);
	send_all(name, n);
}

static void tell(struct inside *i, uint8_t kind, const char *name)
{
	if (++i->records < INSIDE_RECORDS_MAX)
		tell_head(kind, name, 0, 0);
}

static bool is_of_profile(const char *path)
{
	return !strncmp(path, INSIDE_PROFILE, sizeof INSIDE_PROFILE - 1) || strstr(path, ".org.chromium.");
}

static void tell_file(struct inside *i, const char *path, const struct stat *st)
{
	const bool downloaded = !strncmp(path, INSIDE_DOWNLOADS "/", sizeof INSIDE_DOWNLOADS);
	const size_t max = downloaded ? INSIDE_FILE_MAX : is_of_profile(path) ? 0 : OTHER_FILE_MAX;
	const size_t left = INSIDE_ALL_MAX - i->sent;
	size_t n = (size_t)st->st_size < max ? (size_t)st->st_size : max;
	const int fd = n && n <= left ? open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
	uint8_t *content = fd >= 0 ? malloc(n) : NULL;
	size_t got = 0;
	while (content && got < n) {
		const ssize_t more = read(fd, content + got, n - got);
		if (more <= 0)
			break;
		got += (size_t)more;
	}
	if (++i->records < INSIDE_RECORDS_MAX) {
		tell_head(INSIDE_FILE, path, (uint64_t)st->st_size, (uint32_t)got);
		send_all(content, got);
		i->sent += got;
	}
	free(content);
	if (fd >= 0)
		close(fd);
}

static bool is_newer(const struct timespec *a, const struct timespec *than)
{
	return a->tv_sec > than->tv_sec || (a->tv_sec == than->tv_sec && a->tv_nsec >= than->tv_nsec);
}

static void tell_folder(struct inside *i, const char *folder, unsigned depth)
{
	DIR *d = depth < DEPTH_MAX ? opendir(folder) : NULL;
	const struct dirent *e;
	while (d && (e = readdir(d)) && i->entries++ < ENTRIES_MAX) {
		char path[PATH_MAX];
		struct stat st;
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (snprintf(path, sizeof path, "%s/%s", folder, e->d_name) >= (int)sizeof path || lstat(path, &st))
			continue;
		if (S_ISDIR(st.st_mode))
			tell_folder(i, path, depth + 1);
		else if (S_ISREG(st.st_mode) && is_newer(&st.st_ctim, &i->begun))
			tell_file(i, path, &st);
	}
	if (d)
		closedir(d);
}

static size_t read_whole(const char *path, char *text, size_t size)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd >= 0 ? read(fd, text, size - 1) : -1;
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static void tell_processes(struct inside *i)
{
	DIR *d = opendir("/proc");
	const struct dirent *e;
	while (d && (e = readdir(d))) {
		char path[64], name[64], program[256], line[512], whole[INSIDE_NAME_MAX];
		const unsigned long pid = strtoul(e->d_name, NULL, 10);
		if (!pid || pid == (unsigned long)getpid())
			continue;
		snprintf(path, sizeof path, "/proc/%lu/comm", pid);
		read_whole(path, name, sizeof name);
		name[strcspn(name, "\n")] = '\0';
		snprintf(path, sizeof path, "/proc/%lu/exe", pid);
		const ssize_t n = readlink(path, program, sizeof program - 1);
		program[n > 0 ? n : 0] = '\0';
		snprintf(path, sizeof path, "/proc/%lu/cmdline", pid);
		const size_t len = read_whole(path, line, sizeof line);
		for (size_t c = 0; c + 1 < len; c++)
			if (!line[c] || line[c] == '\t')
				line[c] = ' ';
		snprintf(whole, sizeof whole, "%lu\t%s\t%s\t%s", pid, name, program, line);
		tell(i, INSIDE_PROCESS, whole);
	}
	if (d)
		closedir(d);
}

static void tell_sockets(struct inside *i, const char *protocol)
{
	char path[32], line[512];
	snprintf(path, sizeof path, "/proc/net/%s", protocol);
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f)) {
		char local[64], remote[64], state[8], whole[256];
		if (sscanf(line, " %*d: %63s %63s %7s", local, remote, state) != 3)
			continue;
		snprintf(whole, sizeof whole, "%s\t%s\t%s\t%s", protocol, local, remote, state);
		tell(i, INSIDE_SOCKET, whole);
	}
	if (f)
		fclose(f);
}

static void tell_all(const struct inside *begun)
{
	static const char *const folders[] = {"/home", "/tmp", "/var", "/etc", "/opt", "/root", "/run", "/srv"};
	static const char *const protocols[] = {"tcp", "tcp6", "udp", "udp6", "raw"};
	struct inside i = {.begun = begun->begun};
	tell_processes(&i);
	for (size_t p = 0; p < sizeof protocols / sizeof *protocols; p++)
		tell_sockets(&i, protocols[p]);
	for (size_t p = 0; p < sizeof folders / sizeof *folders; p++)
		tell_folder(&i, folders[p], 0);
	tell_head(INSIDE_END, "", 0, 0);
}

/* The proxy's socket goes out; nobody in the box can accept from it. */
static int hand_out_listener(void)
{
	const struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(INSIDE_PORT),
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&here, sizeof here) || listen(fd, 128))
		return -1;
	char byte = INSIDE_HELLO;
	struct iovec v = {&byte, 1};
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } control = {0};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	const bool sent = sendmsg(INSIDE_CONTROL_FD, &m, MSG_NOSIGNAL) == 1;
	close(fd);
	return sent ? 0 : -1;
}

static pid_t start_browser(char **argv)
{
	const pid_t child = fork();
	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Chromium reads from 3 and writes to 4; nothing else is its business. */
	dup2(INSIDE_READS_FD, 3);
	dup2(INSIDE_WRITES_FD, 4);
	syscall(SYS_close_range, 5, ~0u, 0);
	execv(argv[0], argv);
	_exit(127);
}

static void make_folders(void)
{
	static const char *const folders[] = {INSIDE_HOME, INSIDE_HOME "/.config", INSIDE_HOME "/.cache", INSIDE_PROFILE,
					      INSIDE_DOWNLOADS};
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		mkdir(folders[i], 0700);
}

int visit_inside(int argc, char **argv)
{
	struct inside i = {0};
	if (argc < 1 || fcntl(INSIDE_CONTROL_FD, F_GETFD) < 0)
		return 2;
	fcntl(INSIDE_CONTROL_FD, F_SETFD, FD_CLOEXEC);
	make_folders();
	clock_gettime(CLOCK_REALTIME_COARSE, &i.begun);
	if (hand_out_listener())
		return 3;
	const pid_t child = start_browser(argv);
	prctl(PR_SET_DUMPABLE, 0);
	close(INSIDE_READS_FD);
	close(INSIDE_WRITES_FD);
	for (;;) {
		struct pollfd p = {.fd = INSIDE_CONTROL_FD, .events = POLLIN};
		char byte;
		int status;
		if (poll(&p, 1, 500) > 0) {
			if (recv(INSIDE_CONTROL_FD, &byte, 1, 0) != 1)
				return 0;
			tell_all(&i);
		}
		if (child > 0 && waitpid(child, &status, WNOHANG) == child) {
			char text[16];
			snprintf(text, sizeof text, "%d", status);
			tell_head(INSIDE_ENDED, text, 0, 0);
			return 0;
		}
	}
}
