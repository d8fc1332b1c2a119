/* One request and its answer: what the files of this folder hand each other. */
#pragma once
#include "passive/services/http/auth.h"
#include "passive/services/http/body.h"
#include "passive/services/http/crawler.h"
#include "passive/services/http/dialect.h"
#include "passive/command.h"

#define TURN_FIELDS_MAX 2048 /* of the answer's own header fields, filled in */
#define TURN_PATH_MAX 1024   /* of a path, decoded */

struct turn {
	struct session *session;
	const struct persona *persona;
	const struct dialect *dialect;
	const struct request *request;
	struct bytes head; /* of the request, as it came */
	const struct body *body;
	const struct option_list *crawlers; /* whose addresses are known; NULL: nobody's */
	struct persona_look look;
	struct command_shell **shell; /* of the session, for scripts */
	const char *cookie;           /* of the form that was just filled in */
	uint64_t *login_mark;  /* of the credentials reported last in this session */
	bool authorized;       /* by field, cookie or parameters of this request */
	bool logged_in;        /* just now: the cookie goes out */
	const char *page_path; /* where the form's answer lies; NULL: the request's own */
	unsigned status;
};

/* Looks at all credentials that came with the request, and reports them. */
void turn_log_in(struct turn *);
/* The log-in form that this request is sent to; NULL: none. */
const struct persona_login *turn_login_form(const struct turn *);
/* WWW-Authenticate and Set-Cookie. */
void turn_write_challenge(const struct turn *, struct writer *);
void turn_write_cookie(const struct turn *, struct writer *);

/* What is not a page of the persona. */
struct served {
	struct bytes content;
	const char *type; /* NULL: by the path's end */
	unsigned status;
	bool is_file; /* of the document root, as it stands there */
};
/*
 * Uploads are kept, scripts run and files found for a page (NULL: there is none) and a path,
 * decoded; true when that is the answer.
 */
bool turn_serve(struct turn *, const struct persona_page *, struct bytes path, struct served *);
bool turn_xmlrpc(struct turn *, struct served *);
/* A path outside the root that leads to the shell, with its script as body. */
bool turn_run_program(struct turn *, struct bytes path, struct served *);

/* Chooses the answer and says it; true when the connection stays open. */
bool turn_answer(struct turn *, uint32_t requests_left);
/* Says an error page of the server's own and ends the connection. */
void turn_refuse(struct turn *, unsigned status);

/* request.seen, files left, files named. */
void turn_record(const struct turn *);
