/*
 * How fast files of others are read: bytes through a format to records, on one core, in this process.
 *
 *   build/plain/program/bench/import                    Shodan's lines, drawn by rule, beside jq and Python's json
 *   build/plain/program/bench/import FORMAT FILE        any format, any file
 *
 * Counted is CPU time from packed or plain bytes in memory to records handed out.  What follows a record, an event
 * on the bus and a row in the store, has its own bench (bench/store.c).
 */
#include "share/intake/intake_inner.h"
#include "base/error.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECE (512u << 10)
#define DRAWN_BYTES (256u << 20)
#define PEER_LINES 40000 /* enough for a peer: they are slower */

struct counted {
	uint64_t records, fields, bytes;
};

static bool on_record(void *arg, const struct record *r)
{
	struct counted *c = arg;
	c->records++;
	c->fields += r->field_count;
	for (size_t i = 0; i < r->field_count; i++)
		c->bytes += r->fields[i].bytes.len;
	return true;
}

static double cpu_seconds(int who)
{
	struct rusage used;
	getrusage(who, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void print_bad(void *arg, uint64_t line, const char *why)
{
	(void)arg;
	fprintf(stderr, "line %llu: %s\n", (unsigned long long)line, why);
}

static double read_all(const char *name, struct bytes content)
{
	struct intake *in;
	struct fault fault = {0};
	struct counted counted = {0};
	const struct intake_hooks hooks = {.arg = &counted, .record = on_record, .bad = print_bad};
	const struct format *format = format_find(bytes_of_text(name));
	if (!format || intake_open(&in, format, "bench", &hooks, &fault)) {
		fprintf(stderr, "import: %s: %s\n", name, format ? fault.text : "there is no such format");
		exit(2);
	}
	double before = cpu_seconds(RUSAGE_SELF);
	int bad = 0;
	for (size_t i = 0; i < content.len && !bad; i += PIECE)
		bad = intake_feed(in, (struct bytes){content.at + i, content.len - i < PIECE ? content.len - i : PIECE}, &fault);
	bad = bad ? bad : intake_end(in, &fault);
	double took = cpu_seconds(RUSAGE_SELF) - before;
	const struct intake_counts *c = intake_counts(in);
	double rate = (double)c->unpacked / 1e6 / took;
	printf("%-10s %7.0f MB/s  %9.0f records/s  (%llu records, %llu fields, %llu bad, %.0f MB)%s%s\n", name, rate,
	       (double)(c->records + c->networks) / took, (unsigned long long)(c->records + c->networks),
	       (unsigned long long)counted.fields, (unsigned long long)c->bad, (double)c->unpacked / 1e6, bad ? ": " : "",
	       bad ? fault.text : "");
	intake_close(in);
	return rate;
}

/* A banner as they are most often: some hundred bytes of answer, its HTML, and half of it words about the host. */
static size_t draw(uint8_t *at, size_t room, uint64_t n)
{
	struct writer w = writer_of(at, room);
	unsigned a = (unsigned)(n * 2654435761u) & 0xffffff;
	write_fmt(&w, "{\"hash\":%d,\"asn\":\"AS%u\",\"ip\":%u,\"ip_str\":\"11.%u.%u.%u\",\"port\":%u,\"transport\":\"tcp\","
		  "\"timestamp\":\"2015-06-%02uT10:%02u:00.%06u\",\"org\":\"Example Networks %u\",\"isp\":\"Example\",\"os\":null,"
		  "\"hostnames\":[\"h%u.example.net\"],\"domains\":[\"example.net\"],\"_shodan\":{\"id\":\"%016llx\",\"module\":\"http\","
		  "\"crawler\":\"c%u\",\"options\":{},\"ptr\":true},\"location\":{\"city\":\"Taipei\",\"region_code\":null,\"area_code\":null,"
		  "\"longitude\":121.53,\"latitude\":25.05,\"country_code\":\"TW\",\"country_name\":\"Taiwan\"},\"opts\":{},\"data\":\"",
		  (int)a, a % 64000 + 1, 184549376 + a, a >> 16, a >> 8 & 255, a & 255, (unsigned)(n % 3 ? 80 : 8080),
		  (unsigned)(n % 9 + 1), (unsigned)(n % 60), a % 1000000, a % 999, a, (unsigned long long)n, (unsigned)(n % 20));
	write_text(&w, "HTTP/1.1 200 OK\\r\\nDate: Tue, 02 Jun 2015 10:00:00 GMT\\r\\nServer: Apache/2.2.15 (CentOS)\\r\\n"
		   "Content-Type: text/html; charset=UTF-8\\r\\nConnection: close\\r\\n\\r\\n\",\"http\":{\"status\":200,"
		   "\"server\":\"Apache/2.2.15 (CentOS)\",\"title\":\"Example \\u2013 page\",\"html\":\"");
	for (unsigned i = 0; i < n % 16; i++)
		write_text(&w, "<div class=\\\"row\\\"><a href=\\\"/item\\\">Something that a page says, in words</a></div>\\n\\t");
	write_fmt(&w, "\"},\"product\":\"Apache httpd\",\"version\":\"2.2.%u\",\"cpe\":[\"cpe:/a:apache:http_server:2.2.15\"],"
		  "\"tags\":[],\"vulns\":{\"CVE-2017-7679\":{\"verified\":false,\"cvss\":7.5,\"summary\":\"mod_mime can read one byte "
		  "past the end of a buffer.\",\"references\":[\"https://example.org/a\",\"https://example.org/b\"]}}}\n",
		  (unsigned)(n % 30));
	return w.bad ? 0 : writer_used(&w);
}

/* The same lines in a file, read by somebody else's program. */
static void ask_peer(const char *name, const char *const *argv, const char *path, double megabytes, double ours)
{
	double before = cpu_seconds(RUSAGE_CHILDREN);
	pid_t child = fork();
	if (child == 0) {
		int in = open(path, O_RDONLY), out = open("/dev/null", O_WRONLY);
		if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0)
			_exit(127);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	int status = 0;
	if (child < 0 || waitpid(child, &status, 0) != child || status) {
		printf("%-10s is not there\n", name);
		return;
	}
	double rate = megabytes / (cpu_seconds(RUSAGE_CHILDREN) - before);
	printf("%-10s %7.1f MB/s  ours is %.0f times as fast\n", name, rate, ours / rate);
}

static int bench_drawn(void)
{
	static const char *const jq[] = {"jq", "-c", "[.ip_str,.port,.timestamp,.data,.product]", NULL};
	static const char *const python[] = {"python3", "-c", "import sys, json\nfor l in sys.stdin.buffer:\n r = json.loads(l); "
					     "print(r['ip_str'], r['port'], r['timestamp'], r['data'], r['product'])", NULL};
	char path[] = "/tmp/kansoku-import.XXXXXX";
	uint8_t *content = malloc(DRAWN_BYTES);
	size_t used = 0, n, peer = 0;
	if (!content)
		return 2;
	for (uint64_t i = 0; (n = draw(content + used, DRAWN_BYTES - used, i)) > 0; i++) {
		used += n;
		peer = i < PEER_LINES ? used : peer;
	}
	double ours = read_all("shodan", (struct bytes){content, used});
	int fd = mkstemp(path);
	if (fd < 0 || write(fd, content, peer) != (ssize_t)peer) {
		fprintf(stderr, "import: %s: %s\n", path, strerror(errno));
		return 2;
	}
	close(fd);
	ask_peer("jq", jq, path, (double)peer / 1e6, ours);
	ask_peer("python3", python, path, (double)peer / 1e6, ours);
	unlink(path);
	free(content);
	return 0;
}

int main(int argc, char **argv)
{
	struct fault fault = {0};
	if (event_start(&fault))
		return 2;
	if (argc < 3)
		return bench_drawn();
	FILE *file = fopen(argv[2], "rb");
	if (!file || fseek(file, 0, SEEK_END)) {
		fprintf(stderr, "import: %s: %s\n", argv[2], strerror(errno));
		return 2;
	}
	size_t size = (size_t)ftell(file);
	uint8_t *content = malloc(size ? size : 1);
	rewind(file);
	if (!content || fread(content, 1, size, file) != size)
		return 2;
	fclose(file);
	read_all(argv[1], (struct bytes){content, size});
	free(content);
	return 0;
}
