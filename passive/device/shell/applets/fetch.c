/*
 * wget, tftp, ftpget: the loaders.  Nothing is fetched here; the URL is reported, and the
 * file that the visitor expects is put in place so that `chmod 777 x; ./x` goes on.
 */
#include "passive/device/shell/shell_inner.h"

#define URL_MAX 1024
#define FETCH_DELAY_MS 300

/* A shell script where the name promises one, else a program of the right machine. */
static int put_file(struct call *c, struct bytes name)
{
	const struct persona *p = c->shell->persona;
	struct stream s;
	bool script = name.len > 3 && !memcmp(name.at + name.len - 3, ".sh", 3);
	if (bytes_equal_text(name, "-")) {
		return 0;
	}
	int error = stream_open_write(c->shell, name, false, &s);
	if (error)
		return error;
	if (s.file)
		vfs_share(&c->shell->vfs, s.file,
		          script ? BYTES("")
		                 : (struct bytes){p->other_elf.at, p->other_elf.len * 3 / 4});
	return 0;
}

static struct bytes last_name(struct bytes url)
{
	struct bytes path = url;
	size_t scheme = bytes_find(path, "://");
	if (scheme < path.len) {
		path.at += scheme + 3;
		path.len -= scheme + 3;
	}
	size_t slash = bytes_find(path, "/");
	if (slash + 1 >= path.len)
		return BYTES("index.html");
	for (size_t i = path.len; i > slash; i--)
		if (path.at[i - 1] == '/' && i < path.len)
			return (struct bytes){path.at + i, path.len - i};
	return BYTES("index.html");
}

static struct bytes host_of(struct bytes url)
{
	size_t scheme = bytes_find(url, "://");
	if (scheme < url.len) {
		url.at += scheme + 3;
		url.len -= scheme + 3;
	}
	return (struct bytes){url.at, bytes_find(url, "/")};
}

/* The bar that BusyBox draws when the whole came at once: 34 columns of it on 80. */
static void say_bar(struct call *c, struct bytes name)
{
	static const char bar[] = "*******************************";
	struct bytes shown = {name.at, name.len < 20 ? name.len : 20};
	call_say_error(c, "%-20.*s 100%% |%s| %5uk  --:--:-- ETA\n", BYTES_FMT(shown), bar,
	               (unsigned)(c->shell->persona->other_elf.len * 3 / 4 / 1024));
}

static int wget_run(struct call *c)
{
	uint32_t set;
	struct bytes values[16];
	size_t url_at = 0;
	uint8_t full[URL_MAX];
	struct writer w = writer_of(full, sizeof full);
	for (size_t i = 1; i < c->argc; i++) /* long options have no meaning here */
		if (bytes_start_with(c->argv[i], "http") ||
		    (!url_at && c->argv[i].len && c->argv[i].at[0] != '-'))
			url_at = i;
	int first = call_options(c, "cqsO:P:Y:U:T:t:n:v", &set, values);
	if (first < 0)
		return 1;
	if ((size_t)first < c->argc)
		url_at = (size_t)first;
	if ((size_t)first >= c->argc || url_at >= c->argc)
		return call_usage(c);
	struct bytes url = c->argv[url_at];
	if (bytes_find(url, "://") == url.len)
		write_text(&w, "http://");
	write_span(&w, url);
	struct bytes name = set & 8 ? values[3] : last_name(writer_bytes(&w));
	c->shell->hooks->fetched(c->shell->owner, writer_bytes(&w), name, "wget");
	struct bytes host = host_of(url);
	if (!(set & 2)) {
		bool port = host.len && memchr(host.at, ':', host.len);
		call_say_error(c, "Connecting to %.*s (%.*s%s)\n", BYTES_FMT(host), BYTES_FMT(host),
		               port ? "" : ":80");
	}
	call_delay(c, FETCH_DELAY_MS);
	int error = put_file(c, name);
	if (error) {
		call_error(c, "can't open '%.*s': %s", BYTES_FMT(name), strerror(-error));
		return 1;
	}
	if (!(set & 2))
		say_bar(c, name);
	return 0;
}

static int tftp_run(struct call *c)
{
	uint32_t set;
	struct bytes v[8];
	uint8_t full[URL_MAX];
	int first = call_options(c, "gpl:r:b:c:", &set, v);
	if (first < 0)
		return 1;
	struct bytes host = call_operand(c, (size_t)first), remote = v[3], local = v[2];
	if (set & 32) { /* tftp -c get FILE, tftp HOST -c get FILE */
		remote = (size_t)first < c->argc ? c->argv[c->argc - 1] : v[5];
		host = call_operand(c, 1);
	} else if (!(set & 12) || host.len == 0 || !(set & 3)) {
		return call_usage(c);
	}
	if (!(set & 8) && !(set & 32))
		remote = local;
	if (!(set & 4))
		local = remote;
	struct writer w = writer_of(full, sizeof full);
	write_fmt(&w, "tftp://%.*s/%.*s", BYTES_FMT(host), BYTES_FMT(remote));
	c->shell->hooks->fetched(c->shell->owner, writer_bytes(&w), local, "tftp");
	call_delay(c, FETCH_DELAY_MS);
	struct bytes name = set & 4 ? local : last_name((struct bytes){full, writer_used(&w)});
	int error = set & 2 ? 0 : put_file(c, name);
	if (error)
		call_error(c, "can't open '%.*s': %s", BYTES_FMT(name), strerror(-error));
	return error != 0;
}

static int ftpget_run(struct call *c)
{
	uint32_t set;
	struct bytes v[8];
	uint8_t full[URL_MAX];
	int first = call_options(c, "cvu:p:P:", &set, v);
	if (first < 0)
		return 1;
	if ((size_t)first + 2 > c->argc)
		return call_usage(c);
	struct bytes host = c->argv[first], local = c->argv[first + 1];
	struct bytes remote = (size_t)first + 2 < c->argc ? c->argv[first + 2] : local;
	struct writer w = writer_of(full, sizeof full);
	write_text(&w, "ftp://");
	if (set & 4)
		write_fmt(&w, "%.*s:%.*s@", BYTES_FMT(v[2]), BYTES_FMT(v[3]));
	write_fmt(&w, "%.*s", BYTES_FMT(host));
	if (set & 16)
		write_fmt(&w, ":%.*s", BYTES_FMT(v[4]));
	write_fmt(&w, "/%.*s", BYTES_FMT(remote));
	c->shell->hooks->fetched(c->shell->owner, writer_bytes(&w), local, "ftpget");
	call_delay(c, FETCH_DELAY_MS);
	int error = put_file(c, local);
	if (error)
		call_error(c, "can't open '%.*s': %s", BYTES_FMT(local), strerror(-error));
	return error != 0;
}

static const struct applet applet_wget = {
        "wget", "/usr/bin",
        "[-c|--continue] [-s|--spider] [-q|--quiet] [-O|--output-document FILE]\n"
        "\t[--header 'header: value'] [-Y|--proxy on/off] [-P DIR]\n"
        "\t[--no-check-certificate] [-U|--user-agent AGENT] URL...\n\n"
        "Retrieve files via HTTP or FTP",
        wget_run};
APPLET(applet_wget);
static const struct applet applet_tftp = {
        "tftp", "/usr/bin",
        "[OPTIONS] HOST [PORT]\n\nTransfer a file from/to tftp server\n\n"
        "Options:\n\t-l FILE\tLocal FILE\n\t-r FILE\tRemote FILE\n\t-g\tGet file\n\t-p\tPut file\n"
        "\t-b SIZE\tTransfer blocks of SIZE octets",
        tftp_run};
APPLET(applet_tftp);
static const struct applet applet_ftpget = {
        "ftpget", "/usr/bin",
        "[OPTIONS] HOST [LOCAL_FILE] REMOTE_FILE\n\nRetrieve a remote file via FTP\n\n"
        "Options:\n\t-c,--continue\tContinue previous transfer\n\t-v,--verbose\tVerbose\n"
        "\t-u,--username\tUsername\n\t-p,--password\tPassword\n\t-P,--port\tPort number",
        ftpget_run};
APPLET(applet_ftpget);
