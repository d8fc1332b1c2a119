/* Questions of routes to the store, and how values get into them. */
#pragma once
#include "store/store.h"
#include "web/route.h"

/* A string literal that no value can leave. */
void sql_text(struct writer *, struct bytes);
/* Asks; `answer` gets rows as JSON objects, one a line. */
void web_sql(struct web_request *, const struct writer *sql, web_answer_f *answer);
/* Asks and answers {"took_ms":…,"count":…,"rows":[…]}. */
void web_sql_rows(struct web_request *, const struct writer *sql);
/* The lines of an answer as a JSON array; counts them. */
void write_json_rows(struct buffer *, struct bytes lines, size_t *count);
/* The store's refusal as an answer: 400 when the question was wrong, 503 when it is not there. */
void web_store_failed(struct web_request *, int status, struct bytes sentence);
