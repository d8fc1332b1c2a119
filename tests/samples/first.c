/* The least that a run must see: a file, a name, a child, a program. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct utsname u;
	static char decoded[64];
	uname(&u);
	printf("%s %s %s %s uid %d\n", u.sysname, u.nodename, u.release, u.machine, (int)getuid());
	fflush(stdout);
	prctl(PR_SET_NAME, "dropbear");
	const int fd = open("/tmp/.first", O_WRONLY | O_CREAT | O_TRUNC, 0755);
	if (write(fd, "#!/bin/sh\necho it ran\n", 22) != 22)
		return 1;
	close(fd);
	unlink(argv[0]);
	snprintf(decoded, sizeof decoded, "%s.%s.%s:%d", "cnc", "hidden", "example", 4000 + argc);
	if (fork() == 0) {
		execl("/tmp/.first", ".first", "an argument", (char *)NULL);
		_exit(1);
	}
	wait(NULL);
	return decoded[0] == 0;
}
