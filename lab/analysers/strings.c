/*
 * What people can read in a file: runs of printable bytes, and of UTF-16 as Windows programs have it.
 *
 * Every run is searched for indicators.  Of the strings themselves only those are told that say what
 * a program is up to: a whole list is what strings(1) is for.
 */
#include "lab/analyser.h"
#include "lab/needles.h"
#include "lab/type.h"

#define RUN_MIN 5
#define WIDE_ROOM 4096
#define NOTABLE_MAX 64
#define NOTABLE_BYTES_MAX 240
#define CONFIDENCE 70

static bool printable(uint8_t c)
{
	return (c >= 0x20 && c < 0x7f) || c == '\t' || c == '\n' || c == '\r';
}

static size_t runs_look(struct analysis *a, struct bytes b)
{
	size_t count = 0;
	for (size_t i = 0; i < b.len;) {
		size_t start = i;
		while (i < b.len && printable(b.at[i]))
			i++;
		if (i - start >= RUN_MIN) {
			count++;
			analysis_text(a, (struct bytes){b.at + start, i - start}, start, "strings", CONFIDENCE);
		}
		i++;
	}
	return count;
}

/* UTF-16 with its low byte first, as far as it is ASCII. */
static size_t wide_look(struct analysis *a, struct bytes b)
{
	uint8_t room[WIDE_ROOM];
	size_t count = 0;
	for (size_t i = 0; i + 1 < b.len;) {
		size_t n = 0, start = i;
		while (i + 1 < b.len && n < sizeof room && b.at[i + 1] == 0 && printable(b.at[i])) {
			room[n++] = b.at[i];
			i += 2;
		}
		if (n >= RUN_MIN) {
			count++;
			analysis_text(a, (struct bytes){room, n}, start, "strings utf-16", CONFIDENCE);
		} else {
			i = start + 1;
		}
	}
	return count;
}

/* Strings that tell an analyst what to look at: each whole, once. */
static void notable_look(struct analysis *a, struct bytes b)
{
	static const char *const words[] = {
		"/bin/busybox", "/dev/watchdog", "/dev/misc/watchdog", "/etc/crontab", "/etc/cron.", "/etc/init.d", "/etc/rc.",
		"/etc/ld.so.preload", "LD_PRELOAD", "authorized_keys", "/etc/shadow", "/etc/passwd", "/proc/net/tcp",
		"/proc/self/exe", "/proc/%d", "/proc/cpuinfo", "/etc/resolv.conf", "iptables", "wget ", "curl ", "tftp ", "chmod ", "rm -rf",
		"crontab ", "systemctl ", "history -c", "nohup ", "killall ", "pkill ", "base64 -d", "powershell", "cmd.exe",
		"schtasks", "vssadmin", "CurrentVersion\\Run", "net user ", "bcdedit", "GET /", "POST /", "PUT /",
		"PRIVMSG", "JOIN #", "NICK ", "HTTP/1.", "User-Agent", "-----BEGIN ", "mining.", "ransom",
		"decrypt", "M-SEARCH", "SOAPAction", "NewStatusURL", "/cgi-bin/", "cve-", "ptrace", "memfd", "docker", NULL};
	struct needles needles;
	size_t at, which, told = 0, from = 0;
	needles_of(&needles, words, sizeof words / sizeof *words - 1);
	while (needles_next(&needles, b, from, &at, &which)) {
		size_t start = at, end = at;
		while (start > from && at - start < NOTABLE_BYTES_MAX / 2 && b.at[start - 1] >= 0x20 && b.at[start - 1] < 0x7f)
			start--;
		while (end < b.len && end - start < NOTABLE_BYTES_MAX && b.at[end] >= 0x20 && b.at[end] < 0x7f)
			end++;
		if (told++ == NOTABLE_MAX) {
			analysis_limit(a, "strings.notable");
			return;
		}
		analysis_fact(a, "strings.notable", "%.*s", (int)(end - start), (const char *)b.at + start);
		from = end > at ? end : at + 1;
	}
}

static void strings_analyse(struct analysis *a, const struct part *part)
{
	struct bytes b = part->content;
	if (content_is_text(b) && memchr(b.at, 0, b.len) == NULL) {
		analysis_text(a, b, 0, "text", CONFIDENCE + 10);
		notable_look(a, b);
		return;
	}
	size_t count = runs_look(a, b), wide = wide_look(a, b);
	analysis_fact(a, "strings.count", "%zu", count);
	if (wide)
		analysis_fact(a, "strings.count.utf-16", "%zu", wide);
	notable_look(a, b);
}

#define SPECIMEN(bytes) {(const uint8_t *)(bytes), sizeof(bytes) - 1}
static const struct lab_specimen specimens[] = {
	{"endpoints, URLs and names in a binary file",
	 SPECIMEN("\x01\x02" "198.51.100.7:48101\0\x90" "cnc.example.net\0\xff\xfe\0GET http://203.0.113.9/bins/x.mips HTTP/1.0\0\1"),
	 "indicator endpoint 198.51.100.7:48101 strings\nindicator domain cnc.example.net strings\n"
	 "indicator url http://203.0.113.9/bins/x.mips strings"},
	{"UTF-16, as in Windows programs",
	 SPECIMEN("\x90\x01h\0t\0t\0p\0:\0/\0/\0e\0v\0i\0l\0.\0e\0x\0a\0m\0p\0l\0e\0/\0a\0\0\0\x02"),
	 "indicator url http://evil.example/a strings utf-16"},
	{"an IPv6 endpoint, a mail address and a key in a text",
	 SPECIMEN("connect [2001:db8::7]:6667\nmail drop-box@evil.example now\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIabc intruder\n"),
	 "indicator endpoint [2001:db8::7]:6667 text\nindicator mail drop-box@evil.example text\n"
	 "indicator key ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIabc text"},
	{0},
};

static const struct analyser strings = {
	.name = "strings",
	.summary = "indicators and telling strings, in ASCII and UTF-16",
	.reference = "strings(1)",
	.phase = 1,
	.analyse = strings_analyse,
	.specimens = specimens,
};
ANALYSER(strings);
