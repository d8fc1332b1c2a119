/*
 * Elasticsearch without security, as it stands open by the thousand: read by collectors of data,
 * emptied for ransom, and tried with scripts of old versions (CVE-2014-3120, CVE-2015-1427).
 *
 * Its indices follow from the device.  What is written is acknowledged and recorded; an index
 * that a visitor removes or a note that it leaves stands in the device's files.
 */
#include "base/options.h"
#include "base/random.h"
#include "passive/services/http/api.h"

#define NOTES "/var/lib/elasticsearch"
#define INDICES 4

struct elasticsearch_device {
	const char *version, *lucene, *cluster, *node;
};

/* clang-format off */
static const struct dialect elasticsearch_dialect = {
	.server = "Elasticsearch", .reference = "Elasticsearch 7.10",
	.page_head = "%{version} %{status} %{reason}\r\n%{fields}content-type: %{type}\r\ncontent-length: %{length}\r\n\r\n",
	.alive = "", .dying = "",
	.statuses = (const struct dialect_status[]){{0}},
};
/* clang-format on */

static const char *const index_names[INDICES] = {"customers", "orders-2015", "logstash-2015.03.31", ".kibana_1"};

static const struct elasticsearch_device *device_of(const struct api_call *c)
{
	return session_device(c->session);
}

static unsigned documents(const struct api_call *c, size_t index)
{
	return (unsigned)(index == 3 ? 12 : 1000 + random_mix(session_device_seed(c->session) + index) % 480000);
}

/* Marks of what this attacker removed. */
static bool is_removed(const struct api_call *c, const char *index)
{
	char path[VFS_PATH_MAX];
	struct vfs files;
	struct vfs_node node;
	snprintf(path, sizeof path, NOTES "/removed-%s", index);
	return session_files(c->session, &files, NULL) && vfs_find(&files, bytes_of_text(path), true, &node) == 0;
}

static void note(const struct api_call *c, const char *how, struct bytes name, struct bytes content)
{
	char path[VFS_PATH_MAX];
	struct vfs files;
	struct vfs_change *at = NULL;
	struct writer w = writer_of(path, sizeof path);
	if (memchr(name.at ? name.at : (const uint8_t *)"/", '/', name.len) || name.len == 0 || name.len > 64 ||
	    !session_files(c->session, &files, NULL))
		return;
	vfs_make_directory(&files, BYTES("/var"), 0755);
	vfs_make_directory(&files, BYTES("/var/lib"), 0755);
	vfs_make_directory(&files, BYTES(NOTES), 0750);
	write_fmt(&w, NOTES "/%s-%.*s", how, (int)name.len, (const char *)name.at);
	if (!w.bad && vfs_open(&files, writer_bytes(&w), VFS_TRUNCATE, 0640, &at) == 0 && at)
		vfs_append(&files, at, content);
}

static void write_uuid(struct api_call *c, const char *what)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint64_t h = session_device_seed(c->session);
	while (*what)
		h = random_mix(h ^ (uint8_t)*what++);
	for (unsigned i = 0; i < 22; i++) {
		h = random_mix(h + i);
		write_fmt(&c->out, "%c", letters[h & 63]);
	}
}

static void greeting(struct api_call *c)
{
	const struct elasticsearch_device *d = device_of(c);
	char node[64];
	session_expand(c->session, d->node, node, sizeof node);
	write_fmt(&c->out, "{\n  \"name\" : \"%s\",\n  \"cluster_name\" : \"%s\",\n  \"cluster_uuid\" : \"", node, d->cluster);
	write_uuid(c, "cluster");
	write_fmt(&c->out,
	          "\",\n  \"version\" : {\n    \"number\" : \"%s\",\n    \"build_flavor\" : \"default\",\n    \"build_type\" : \"deb\",\n"
	          "    \"build_hash\" : \"747e1cc71def077253878a59143c1f785afa92b9\",\n    \"build_date\" : "
	          "\"2021-01-13T00:42:12.435326Z\",\n    \"build_snapshot\" : false,\n    \"lucene_version\" : \"%s\",\n"
	          "    \"minimum_wire_compatibility_version\" : \"6.8.0\",\n    \"minimum_index_compatibility_version\" : "
	          "\"6.0.0-beta1\"\n  },\n  \"tagline\" : \"You Know, for Search\"\n}\n",
	          d->version, d->lucene);
}

static void cat_indices(struct api_call *c)
{
	bool json = bytes_find(c->query, "format=json") < c->query.len, heads = bytes_find(c->query, "v") < c->query.len;
	c->type = json ? "application/json; charset=UTF-8" : "text/plain; charset=UTF-8";
	write_text(&c->out, json ? "[" : "");
	if (heads && !json)
		write_text(&c->out, "health status index               uuid                   pri rep docs.count docs.deleted store.size "
		                    "pri.store.size\n");
	bool first = true;
	for (size_t i = 0; i < INDICES; i++) {
		if (is_removed(c, index_names[i]))
			continue;
		unsigned n = documents(c, i);
		if (json) {
			write_fmt(&c->out, "%s{\"health\":\"yellow\",\"status\":\"open\",\"index\":\"%s\",\"uuid\":\"", first ? "" : ",",
			          index_names[i]);
			write_uuid(c, index_names[i]);
			write_fmt(&c->out, "\",\"pri\":\"1\",\"rep\":\"1\",\"docs.count\":\"%u\",\"docs.deleted\":\"0\",\"store.size\":"
			                   "\"%u.%ukb\",\"pri.store.size\":\"%u.%ukb\"}",
			          n, n / 4, n % 10, n / 4, n % 10);
		} else {
			write_fmt(&c->out, "yellow open   %-19s ", index_names[i]);
			write_uuid(c, index_names[i]);
			write_fmt(&c->out, "   1   1 %10u            0 %8u.%ukb     %8u.%ukb\n", n, n / 4, n % 10, n / 4, n % 10);
		}
		first = false;
	}
	write_text(&c->out, json ? "]" : "");
}

static void health(struct api_call *c)
{
	write_fmt(&c->out,
	          "{\"cluster_name\":\"%s\",\"status\":\"yellow\",\"timed_out\":false,\"number_of_nodes\":1,\"number_of_data_nodes\":1,"
	          "\"active_primary_shards\":4,\"active_shards\":4,\"relocating_shards\":0,\"initializing_shards\":0,"
	          "\"unassigned_shards\":3,\"delayed_unassigned_shards\":0,\"number_of_pending_tasks\":0,"
	          "\"number_of_in_flight_fetch\":0,\"task_max_waiting_in_queue_millis\":0,\"active_shards_percent_as_number\":57.14}",
	          device_of(c)->cluster);
}

static void nodes(struct api_call *c)
{
	const struct elasticsearch_device *d = device_of(c);
	char node[64], address[64];
	session_expand(c->session, d->node, node, sizeof node);
	session_expand(c->session, "%{address}", address, sizeof address);
	write_fmt(&c->out, "{\"_nodes\":{\"total\":1,\"successful\":1,\"failed\":0},\"cluster_name\":\"%s\",\"nodes\":{\"", d->cluster);
	write_uuid(c, "node");
	write_fmt(&c->out,
	          "\":{\"name\":\"%s\",\"transport_address\":\"%s:9300\",\"host\":\"%s\",\"ip\":\"%s\",\"version\":\"%s\","
	          "\"build_flavor\":\"default\",\"build_type\":\"deb\",\"roles\":[\"data\",\"ingest\",\"master\"],\"os\":{\"name\":"
	          "\"Linux\",\"arch\":\"amd64\"},\"jvm\":{\"version\":\"15.0.1\"},\"http\":{\"bound_address\":[\"[::]:9200\"],"
	          "\"publish_address\":\"%s:9200\"}}}}",
	          node, address, address, address, d->version, address);
}

static void write_hit(struct api_call *c, size_t index, unsigned i)
{
	static const char *const given[] = {"Taro", "Anna", "John", "Mei", "Luis", "Eva", "Ken", "Sara"};
	static const char *const family[] = {"Tanaka", "Schmidt", "Miller", "Chen", "Garcia", "Novak", "Sato", "Rossi"};
	uint64_t h = random_mix(session_device_seed(c->session) + index * 1000 + i);
	write_fmt(&c->out,
	          "%s{\"_index\":\"%s\",\"_type\":\"_doc\",\"_id\":\"%u\",\"_score\":1.0,\"_source\":{\"id\":%u,\"name\":\"%s %s\","
	          "\"email\":\"%s.%s%u@example.com\",\"amount\":%u}}",
	          i ? "," : "", index_names[index], i + 1, i + 1, given[h % 8], family[h / 8 % 8], given[h % 8], family[h / 8 % 8],
	          (unsigned)(h / 64 % 100), (unsigned)(h / 6400 % 100000));
}

static void search(struct api_call *c, size_t index)
{
	unsigned n = documents(c, index);
	write_fmt(&c->out,
	          "{\"took\":%u,\"timed_out\":false,\"_shards\":{\"total\":1,\"successful\":1,\"skipped\":0,\"failed\":0},\"hits\":"
	          "{\"total\":{\"value\":%u,\"relation\":\"%s\"},\"max_score\":1.0,\"hits\":[",
	          1 + (unsigned)(session_random(c->session) % 9), n > 10000 ? 10000 : n, n > 10000 ? "gte" : "eq");
	for (unsigned i = 0; i < 10; i++)
		write_hit(c, index, i);
	write_text(&c->out, "]}}");
}

static void no_index(struct api_call *c, struct bytes name)
{
	int n = (int)(name.len < 100 ? name.len : 100);
	char text[128];
	struct writer w = writer_of(text, sizeof text);
	for (int i = 0; i < n; i++)
		write_u8(&w, name.at[i] >= ' ' && name.at[i] < 0x7f && name.at[i] != '"' && name.at[i] != '\\' ? name.at[i] : '?');
	c->status = 404;
	write_fmt(&c->out,
	          "{\"error\":{\"root_cause\":[{\"type\":\"index_not_found_exception\",\"reason\":\"no such index [%.*s]\","
	          "\"resource.type\":\"index_or_alias\",\"resource.id\":\"%.*s\",\"index_uuid\":\"_na_\",\"index\":\"%.*s\"}],",
	          n, text, n, text, n, text);
	write_fmt(&c->out,
	          "\"type\":\"index_not_found_exception\",\"reason\":\"no such index [%.*s]\",\"resource.type\":"
	          "\"index_or_alias\",\"resource.id\":\"%.*s\",\"index_uuid\":\"_na_\",\"index\":\"%.*s\"},\"status\":404}",
	          n, text, n, text, n, text);
}

static size_t index_at(const struct api_call *c, struct bytes name)
{
	for (size_t i = 0; i < INDICES; i++)
		if (bytes_equal_text(name, index_names[i]) && !is_removed(c, index_names[i]))
			return i;
	return INDICES;
}

static void tell(struct api_call *c, struct bytes what)
{
	char line[512];
	struct writer w = writer_of(line, sizeof line);
	size_t n = what.len < 400 ? what.len : 400;
	write_span(&w, c->request->method);
	write_text(&w, " ");
	write_bytes(&w, what.at, n);
	if (!w.bad)
		event_set_bytes(session_report(c->session, EVENT_COMMAND_SENT), FIELD_COMMAND_LINE, writer_bytes(&w));
}

static void change(struct api_call *c, struct bytes name, struct bytes rest)
{
	tell(c, c->request->target);
	if (bytes_equal_text(c->request->method, "DELETE")) {
		for (size_t i = 0; i < INDICES; i++)
			if (bytes_equal_text(name, index_names[i]) || bytes_equal_text(name, "*") || bytes_equal_text(name, "_all"))
				note(c, "removed", bytes_of_text(index_names[i]), (struct bytes){0});
		write_text(&c->out, "{\"acknowledged\":true}");
	} else if (rest.len > 1) {
		note(c, "index", name, c->body);
		c->status = 201;
		write_text(&c->out, "{\"_index\":\"note\",\"_type\":\"_doc\",\"_id\":\"");
		write_uuid(c, "document");
		write_text(&c->out, "\",\"_version\":1,\"result\":\"created\",\"_shards\":{\"total\":2,\"successful\":1,\"failed\":0},"
		                    "\"_seq_no\":0,\"_primary_term\":1}");
	} else {
		note(c, "index", name, c->body);
		write_text(&c->out, "{\"acknowledged\":true,\"shards_acknowledged\":true,\"index\":\"note\"}");
	}
}

/* CVE-2014-3120 and CVE-2015-1427: the command stands in exec("...") of the script. */
static bool scripted(struct api_call *c)
{
	struct bytes all = c->body.len ? c->body : c->query;
	size_t at = bytes_find(all, "exec(");
	if (at == all.len)
		return false;
	struct bytes rest = {all.at + at + 5, all.len - at - 5};
	while (rest.len && (rest.at[0] == '\\' || rest.at[0] == '"' || rest.at[0] == '\''))
		rest = (struct bytes){rest.at + 1, rest.len - 1};
	size_t n = 0;
	while (n < rest.len && rest.at[n] != '"' && rest.at[n] != '\\' && rest.at[n] != '\'')
		n++;
	event_set_bytes(session_report(c->session, EVENT_COMMAND_SENT), FIELD_COMMAND_LINE, (struct bytes){rest.at, n});
	c->status = 400;
	write_text(&c->out, "{\"error\":{\"root_cause\":[{\"type\":\"illegal_argument_exception\",\"reason\":\"script_lang not supported "
	                    "[groovy]\"}],\"type\":\"illegal_argument_exception\",\"reason\":\"script_lang not supported [groovy]\"},"
	                    "\"status\":400}");
	return true;
}

static void read_index(struct api_call *c, struct bytes name, struct bytes rest)
{
	bool all = name.len == 0 || bytes_equal_text(name, "_search") || bytes_equal_text(name, "_all") || bytes_equal_text(name, "*");
	size_t index = all ? 0 : index_at(c, name);
	if (index == INDICES)
		no_index(c, name);
	else if (all || bytes_find(rest, "_search") < rest.len)
		search(c, index);
	else if (bytes_find(rest, "_count") < rest.len)
		write_fmt(&c->out, "{\"count\":%u,\"_shards\":{\"total\":1,\"successful\":1,\"skipped\":0,\"failed\":0}}", documents(c, index));
	else
		write_fmt(&c->out, "{\"%s\":{\"aliases\":{},\"mappings\":{\"properties\":{\"id\":{\"type\":\"long\"},\"name\":{\"type\":"
		                   "\"text\"},\"email\":{\"type\":\"keyword\"},\"amount\":{\"type\":\"long\"}}}}}",
		          index_names[index]);
}

static void elasticsearch_answer(struct api_call *c)
{
	struct bytes path = {c->path.at, c->path.len};
	if (path.len)
		path = (struct bytes){path.at + 1, path.len - 1};
	size_t n = bytes_find(path, "/");
	struct bytes name = {path.at, n}, rest = {path.at + n, path.len - n};
	bool reads = bytes_equal_text(c->request->method, "GET") || bytes_equal_text(c->request->method, "HEAD") ||
	             bytes_find(path, "_search") < path.len || bytes_find(path, "_count") < path.len;
	c->type = "application/json; charset=UTF-8";
	if (scripted(c))
		return;
	if (path.len == 0)
		greeting(c);
	else if (!reads)
		change(c, name, rest);
	else if (api_path(c, "/_cat/indices", NULL))
		cat_indices(c);
	else if (api_path(c, "/_cluster/health", NULL) || api_path(c, "/_cat/health", NULL))
		health(c);
	else if (bytes_equal_text(name, "_nodes"))
		nodes(c);
	else
		read_index(c, name, rest);
}

static const struct api_style elasticsearch_style = {
	.dialect = &elasticsearch_dialect,
	.body_max = 64u << 10,
	.answer = elasticsearch_answer,
	.bad_request = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json; charset=UTF-8\r\ncontent-length: 0\r\n\r\n",
};

static enum service_next elasticsearch_input(struct session *s, void *state, struct reader *in)
{
	return api_input(s, state, in, &elasticsearch_style, state);
}

static void elasticsearch_close(struct session *s, void *state)
{
	api_close(s, state);
}

/* clang-format off */
static const struct exchange elasticsearch_exchanges[] = {
	{"an index that is not there", BYTES("GET /x/_search HTTP/1.1\r\nHost: e\r\n\r\n"),
	 BYTES("HTTP/1.1 404 Not Found\r\ncontent-type: application/json; charset=UTF-8\r\ncontent-length: 335\r\n\r\n"
	       "{\"error\":{\"root_cause\":[{\"type\":\"index_not_found_exception\",\"reason\":\"no such index [x]\",\"resource.type\":"
	       "\"index_or_alias\",\"resource.id\":\"x\",\"index_uuid\":\"_na_\",\"index\":\"x\"}],\"type\":"
	       "\"index_not_found_exception\",\"reason\":\"no such index [x]\",\"resource.type\":\"index_or_alias\",\"resource.id\":"
	       "\"x\",\"index_uuid\":\"_na_\",\"index\":\"x\"},\"status\":404}"),
	 "{\"kind\":\"request.seen\",\"request.target\":\"/x/_search\",\"status\":404}"},
	{"indices are removed for ransom", BYTES("DELETE /* HTTP/1.1\r\nHost: e\r\n\r\nGET /_cat/indices HTTP/1.1\r\nHost: e\r\n\r\n"),
	 BYTES("HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=UTF-8\r\ncontent-length: 21\r\n\r\n{\"acknowledged\":true}"
	       "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=UTF-8\r\ncontent-length: 0\r\n\r\n"),
	 "{\"kind\":\"command.sent\",\"command.line\":\"DELETE /*\"}\n{\"kind\":\"request.seen\",\"status\":200}\n{\"status\":200}"},
	{"a script of old versions",
	 BYTES("POST /_search HTTP/1.0\r\nContent-Length: 60\r\n\r\n{\"script\":\"java.lang.Runtime.getRuntime().exec(\\\"id\\\") \"   }"),
	 BYTES("HTTP/1.0 400 Bad Request\r\ncontent-type: application/json; charset=UTF-8\r\ncontent-length: 205\r\n\r\n"
	       "{\"error\":{\"root_cause\":[{\"type\":\"illegal_argument_exception\",\"reason\":\"script_lang not supported [groovy]\"}],"
	       "\"type\":\"illegal_argument_exception\",\"reason\":\"script_lang not supported [groovy]\"},\"status\":400}"),
	 "{\"kind\":\"command.sent\",\"command.line\":\"id\"}\n{\"kind\":\"request.seen\",\"status\":400}"},
	{0},
};
/* clang-format on */

static const struct option elasticsearch_device[] = {
	{.name = "version", .type = OPTION_TEXT, .offset = offsetof(struct elasticsearch_device, version),
	 .fallback = "7.10.2", .summary = "of Elasticsearch"},
	{.name = "lucene", .type = OPTION_TEXT, .offset = offsetof(struct elasticsearch_device, lucene),
	 .fallback = "8.7.0", .summary = "version of its Lucene"},
	{.name = "cluster", .type = OPTION_TEXT, .offset = offsetof(struct elasticsearch_device, cluster),
	 .fallback = "elasticsearch", .summary = "name of the cluster"},
	{.name = "node", .type = OPTION_TEXT, .offset = offsetof(struct elasticsearch_device, node),
	 .fallback = "%{hostname}", .summary = "name of the node"},
	{0},
};

static const struct service elasticsearch = {
	.name = "elasticsearch",
	.summary = "Elasticsearch that anyone may read and empty",
	.reference = "Elasticsearch 7.10 REST API",
	.transports = TRANSPORT_TCP,
	.ports = {9200},
	.state_size = sizeof(struct api),
	.input_max = API_INPUT_MAX,
	.output_max = 256u << 10,
	.arena_max = API_ARENA_MAX,
	.idle_ms_max = 120 * 1000,
	.session_ms_max = 600 * 1000,
	.device = elasticsearch_device,
	.device_size = sizeof(struct elasticsearch_device),
	.input = elasticsearch_input,
	.close = elasticsearch_close,
	.exchanges = elasticsearch_exchanges,
};
SERVICE(elasticsearch);
