/* Each right is tried in a child: what is allowed works, what is not is EPERM or EACCES. */
#include "base/sandbox.h"
#include "tests/test.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int in_child(unsigned rights, const struct sandbox_path *paths, size_t n, int (*body)(void))
{
	pid_t pid = fork();
	if (pid == 0) {
		struct fault f = {0};
		if (sandbox_enter(rights, paths, n, &f)) {
			fprintf(stderr, "%s\n", f.text);
			_exit(99);
		}
		_exit(body());
	}
	int status = 0;
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

static int nothing_is_reachable(void)
{
	if (open("/etc/hostname", O_RDONLY) >= 0 || (errno != EPERM && errno != EACCES))
		return 1;
	if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM)
		return 2;
	if (fork() >= 0 || errno != EPERM)
		return 3;
	return execl("/bin/true", "true", (char *)NULL) == -1 && errno == EPERM ? 0 : 4;
}

TEST(sandbox_without_rights_reaches_nothing)
{
	CHECK(in_child(0, NULL, 0, nothing_is_reachable) == 0);
}

static int only_the_named_folder(void)
{
	int fd = open("/tmp/kansoku-sandbox-test/in", O_RDWR | O_CREAT, 0600);
	if (fd < 0 || write(fd, "x", 1) != 1)
		return 1;
	if (mkdir("/tmp/kansoku-sandbox-test/sub", 0700) ||
	    rename("/tmp/kansoku-sandbox-test/in", "/tmp/kansoku-sandbox-test/sub/in") ||
	    rename("/tmp/kansoku-sandbox-test/sub/in", "/tmp/kansoku-sandbox-test/in") ||
	    rmdir("/tmp/kansoku-sandbox-test/sub"))
		return 4;
	if (open("/tmp/kansoku-sandbox-out", O_RDWR | O_CREAT, 0600) >= 0)
		return 2;
	return open("/etc/passwd", O_RDONLY) >= 0 ? 3 : 0;
}

TEST(sandbox_opens_files_only_beneath_its_paths)
{
	if (!sandbox_has_landlock())
		SKIP("this kernel has no Landlock");
	const struct sandbox_path paths[] = {{"/tmp/kansoku-sandbox-test", true}};
	(void)mkdirat(AT_FDCWD, paths[0].path, 0700);
	int got = in_child(SANDBOX_FILES | SANDBOX_PATHS, paths, 1, only_the_named_folder);
	unlink("/tmp/kansoku-sandbox-test/in");
	rmdir(paths[0].path);
	CHECK_SAY(got == 0, "%d", got);
}

static int may_connect(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	return fd >= 0 && listen(fd, 1) < 0 && errno == EPERM ? 0 : 1;
}

TEST(sandbox_may_connect_but_not_listen)
{
	CHECK(in_child(SANDBOX_CONNECT, NULL, 0, may_connect) == 0);
}

static bool is_refused(long result) { return result < 0 && errno == EPERM; }

static int hears_but_says_nothing(void)
{
	int pair[2], other[2];
	char byte = 0;
	struct fault f = {0};
	struct msghdr message = {.msg_iov = &(struct iovec){&byte, 1}, .msg_iovlen = 1};
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) || socketpair(AF_UNIX, SOCK_DGRAM, 0, other) ||
	    send(pair[0], "x", 1, 0) != 1 || sandbox_receive_only(pair, 1, &f))
		return 1;
	if (!is_refused(send(pair[0], "x", 1, 0)) || !is_refused(write(pair[0], "x", 1)) ||
	    !is_refused(sendmsg(pair[0], &message, 0)) || !is_refused(dup(pair[0])) ||
	    !is_refused(fcntl(pair[0], F_DUPFD_CLOEXEC, 0)))
		return 2;
	/* The same number to the kernel, another one to a filter that compares 64 bits. */
	if (!is_refused(syscall(SYS_write, (1ul << 32) + (unsigned)pair[0], "x", 1ul)))
		return 3;
	if (send(pair[1], "y", 1, 0) != 1 || recv(pair[0], &byte, 1, 0) != 1 || byte != 'y')
		return 4;
	return send(other[0], "z", 1, 0) == 1 ? 0 : 5;
}

static int listening_socket = -1;

/* It was listened on and is closed again, as a decoy's data ports are. */
static int no_way_out_of_a_listener(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct msghdr m = {.msg_name = &to, .msg_namelen = sizeof to};
	if (sendto(listening_socket, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof to) >= 0 || errno != EPERM)
		return 1;
	if (sendmsg(listening_socket, &m, MSG_FASTOPEN) >= 0 || errno != EPERM)
		return 2;
	return send(listening_socket, "x", 1, MSG_NOSIGNAL) >= 0 || errno == EPERM ? 3 : 0;
}

TEST(sandbox_that_accepts_cannot_connect_by_sending)
{
	listening_socket = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(listening_socket >= 0 && listen(listening_socket, 1) == 0 && shutdown(listening_socket, SHUT_RD) == 0);
	CHECK(in_child(SANDBOX_ACCEPT, NULL, 0, no_way_out_of_a_listener) == 0);
	close(listening_socket);
}

TEST(sandbox_receive_only_hears_but_says_nothing)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(hears_but_says_nothing());
	int status = 0;
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	CHECK_SAY(WEXITSTATUS(status) == 0, "%d", WEXITSTATUS(status));
}
