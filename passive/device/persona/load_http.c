/* What a persona shows on the web: pages, log-in forms, headers. */
#include "passive/device/persona/load_inner.h"

static int read_headers(struct load *l, const struct yaml_node *n, struct persona_page *page)
{
	if (n->type != YAML_MAP || n->count > 32)
		return persona_complain(l, n, "a map of header names and values is needed, of at most 32");
	struct persona_header *x = arena_alloc(&l->set->arena, n->count * sizeof *x + 1);
	if (!x)
		return persona_complain(l, n, "the personas need more memory than they may have");
	page->headers = x;
	page->header_count = n->count;
	int error = 0;
	for (const struct yaml_node *c = n->first; c && !error; c = c->next, x++) {
		x->name = arena_text(&l->set->arena, bytes_of_text(c->key));
		error = x->name ? persona_read_bytes(l, c, &x->value) : ERR_MEMORY;
	}
	return error;
}

static int read_runs(const struct load *l, const struct yaml_node *n, const char **out)
{
	int error = persona_read_text(l, n, out);
	return error || !strcmp(*out, "xmlrpc") ? error : persona_complain(l, n, "only xmlrpc can be run");
}

static int read_page(struct load *l, const struct yaml_node *n, struct persona_page *x)
{
	*x = (struct persona_page){.path = "/", .status = 200};
	YAML_EACH(n, c)
	{
		uint64_t v = 0;
		int error = 0;
		if (!strcmp(c->key, "path"))
			error = persona_read_text(l, c, &x->path);
		else if (!strcmp(c->key, "method"))
			error = persona_read_text(l, c, &x->method);
		else if (!strcmp(c->key, "status") && !(error = persona_read_number(l, c, 599, &v)))
			x->status = (unsigned)v;
		else if (!strcmp(c->key, "locked"))
			x->locked = bytes_equal_text(c->text, "true");
		else if (!strcmp(c->key, "headers"))
			error = read_headers(l, c, x);
		else if (!strcmp(c->key, "body"))
			error = persona_read_bytes(l, c, &x->body);
		else if (!strcmp(c->key, "base64"))
			error = persona_read_base64(l, c, &x->body);
		else if (!strcmp(c->key, "upload"))
			error = persona_read_text(l, c, &x->upload);
		else if (!strcmp(c->key, "includes"))
			error = persona_read_text(l, c, &x->includes);
		else if (!strcmp(c->key, "runs"))
			error = read_runs(l, c, &x->runs);
		else if (!error)
			error = persona_unknown(l, c);
		if (error)
			return error;
	}
	return 0;
}

/* Before those that are there: of two that are as good the first answers. */
int persona_read_pages(struct load *l, const struct yaml_node *n)
{
	struct persona_http *http = &l->persona->http;
	size_t had = http->page_count;
	if (n->type != YAML_LIST || n->count + had > LIST_MAX)
		return persona_complain(l, n, "a list is needed here, of at most 4096 items");
	struct persona_page *x = arena_alloc(&l->set->arena, (n->count + had) * sizeof *x + 1);
	if (!x)
		return persona_complain(l, n, "the personas need more memory than they may have");
	if (had)
		memcpy(x + n->count, http->pages, had * sizeof *x);
	http->pages = x;
	http->page_count = n->count + had;
	int error = 0;
	for (const struct yaml_node *c = n->first; c && !error; c = c->next)
		error = c->type == YAML_MAP ? read_page(l, c, x++)
		                            : persona_complain(l, c, "a map is needed");
	return error;
}

static int read_login(const struct load *l, const struct yaml_node *n, struct persona_login *x)
{
	*x = (struct persona_login){0};
	const struct {
		const char *key, **to;
	} texts[] = {
	        {"path", &x->path},         {"user", &x->user},       {"secret", &x->secret},
	        {"accepted", &x->accepted}, {"refused", &x->refused}, {"cookie", &x->cookie},
	};
	if (n->type != YAML_MAP)
		return persona_complain(
		        l, n, "a map with path, user, secret, accepted and refused is needed here");
	for (const struct yaml_node *c = n->first; c; c = c->next) {
		size_t i = 0;
		while (i < sizeof texts / sizeof *texts && strcmp(c->key, texts[i].key))
			i++;
		int error = i < sizeof texts / sizeof *texts ? persona_read_text(l, c, texts[i].to)
		                                             : persona_unknown(l, c);
		if (error)
			return error;
	}
	if (!x->path || !x->user || !x->secret || !x->accepted || !x->refused)
		return persona_complain(l, n, "path, user, secret, accepted and refused are all needed");
	return 0;
}

/* One form, or a list of them. */
static int read_logins(struct load *l, const struct yaml_node *n)
{
	struct persona_http *http = &l->persona->http;
	void *room;
	if (n->type != YAML_LIST) {
		http->logins = &http->login;
		http->login_count = 1;
		return read_login(l, n, &http->login);
	}
	int error = persona_read_list(l, n, sizeof(struct persona_login), &room, &http->login_count);
	struct persona_login *x = room;
	http->logins = room;
	for (const struct yaml_node *c = n->first; c && !error; c = c->next)
		error = read_login(l, c, x++);
	if (!error && http->login_count)
		http->login = http->logins[0];
	return error;
}

int persona_read_http(struct load *l, const struct yaml_node *n)
{
	if (n->type != YAML_MAP)
		return persona_complain(l, n, "a map with server, realm, login and pages is needed here");
	struct persona_http *http = &l->persona->http;
	int error = 0;
	for (const struct yaml_node *c = n->first; c && !error; c = c->next) {
		if (!strcmp(c->key, "server"))
			error = persona_read_text(l, c, &http->server);
		else if (!strcmp(c->key, "root"))
			error = persona_read_text(l, c, &http->root);
		else if (!strcmp(c->key, "realm"))
			error = persona_read_text(l, c, &http->realm);
		else if (!strcmp(c->key, "digest"))
			http->digest = bytes_equal_text(c->text, "true");
		else if (!strcmp(c->key, "credentials"))
			error = persona_read_credentials(l, c, &http->credentials, &http->credential_count);
		else if (!strcmp(c->key, "login"))
			error = read_logins(l, c);
		else if (!strcmp(c->key, "pages"))
			error = persona_read_pages(l, c);
		else
			error = persona_unknown(l, c);
	}
	return error;
}
