/* Constant expressions, and the functions that all three products have. */
#include "passive/services/sql/sql.h"

static const struct sql_value null_value;

struct sql_value sql_words(struct bytes text)
{
	return (struct sql_value){SQL_TEXT, text};
}

struct sql_value sql_integer(struct sql *q, int64_t n)
{
	char text[24];
	snprintf(text, sizeof text, "%lld", (long long)n);
	return (struct sql_value){SQL_INTEGER, arena_copy(q->scratch, bytes_of_text(text))};
}

bool sql_like(struct bytes pattern, struct bytes text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
	while (t < text.len) {
		uint8_t c = p < pattern.len ? pattern.at[p] : 0, d = text.at[t];
		bool escaped = c == '\\' && p + 1 < pattern.len;
		if (escaped)
			c = pattern.at[p + 1];
		if (p < pattern.len && !escaped && c == '%') {
			star = p++;
			mark = t;
		} else if (p < pattern.len && ((!escaped && c == '_') || c == d ||
					       ((c | 32) == (d | 32) && (c | 32) >= 'a' && (c | 32) <= 'z'))) {
			p += escaped ? 2 : 1;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.at[p] == '%')
		p++;
	return p == pattern.len;
}

static int64_t number_of(struct sql_value v)
{
	int64_t n = 0;
	bool negative = v.text.len && v.text.at[0] == '-';
	for (size_t i = negative; i < v.text.len && v.text.at[i] >= '0' && v.text.at[i] <= '9' && i < 18; i++)
		n = n * 10 + (v.text.at[i] - '0');
	return negative ? -n : n;
}

static struct sql_value join(struct sql *q, const struct sql_value *v, size_t count, bool null_is_empty)
{
	size_t len = 0;
	for (size_t i = 0; i < count; i++) {
		if (v[i].type == SQL_NULL && !null_is_empty)
			return null_value;
		len += v[i].text.len;
	}
	uint8_t *at = len <= SQL_LENGTH_MAX ? arena_alloc(q->scratch, len + 1) : NULL;
	struct writer w = writer_of(at, at ? len : 0);
	for (size_t i = 0; i < count; i++)
		write_span(&w, v[i].text);
	return at ? sql_words(writer_bytes(&w)) : null_value;
}

static struct sql_value letters(struct sql *q, struct bytes b, bool upper)
{
	struct bytes copy = arena_copy(q->scratch, b);
	for (size_t i = 0; copy.at && i < copy.len; i++) {
		uint8_t *c = (uint8_t *)&copy.at[i];
		if ((*c | 32) >= 'a' && (*c | 32) <= 'z')
			*c = upper ? *c & ~32 : *c | 32;
	}
	return sql_words(copy);
}

static struct sql_value hex_text(struct sql *q, struct bytes b)
{
	uint8_t *at = b.len < SQL_LENGTH_MAX / 2 ? arena_alloc(q->scratch, 2 * b.len + 1) : NULL;
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; at && i < b.len; i++) {
		at[2 * i] = (uint8_t)digits[b.at[i] >> 4];
		at[2 * i + 1] = (uint8_t)digits[b.at[i] & 15];
	}
	return at ? sql_words((struct bytes){at, 2 * b.len}) : null_value;
}

static struct sql_value unhex(struct sql *q, struct bytes b)
{
	struct sql_reader r = {.arena = q->scratch};
	uint8_t *at = arena_alloc(q->scratch, b.len + 3);
	if (!at)
		return null_value;
	memcpy(at, "0x", 2);
	memcpy(at + 2, b.at, b.len);
	sql_open(&r, (struct bytes){at, b.len + 2}, SQL_MYSQL, q->scratch);
	return r.token.kind == SQL_HEX && r.at == b.len + 2 ? (struct sql_value){SQL_BINARY, r.token.text}
							    : null_value;
}

static struct sql_value character(struct sql *q, const struct sql_value *v, size_t n)
{
	uint8_t *at = arena_alloc(q->scratch, n + 1);
	for (size_t i = 0; at && i < n; i++)
		at[i] = (uint8_t)number_of(v[i]);
	return at ? sql_words((struct bytes){at, n}) : null_value;
}

static struct sql_value piece(struct sql_value v, int64_t from, int64_t len)
{
	int64_t size = (int64_t)v.text.len;
	from = from < 0 ? size + from : from - 1;
	if (from < 0 || from >= size || len <= 0)
		return sql_words((struct bytes){0});
	len = len > size - from ? size - from : len;
	return sql_words((struct bytes){v.text.at + from, (size_t)len});
}

bool sql_function(struct sql *q, struct bytes name, const struct sql_value *v, size_t n,
		  struct sql_value *out)
{
	if (bytes_equal_nocase(name, "concat"))
		*out = join(q, v, n, q->dialect != SQL_MYSQL);
	else if (bytes_equal_nocase(name, "trim") && n == 1)
		*out = sql_words(bytes_trim(v[0].text));
	else if (bytes_equal_nocase(name, "upper") && n == 1)
		*out = letters(q, v[0].text, true);
	else if ((bytes_equal_nocase(name, "lower") || bytes_equal_nocase(name, "lcase")) && n == 1)
		*out = letters(q, v[0].text, false);
	else if ((bytes_equal_nocase(name, "length") || bytes_equal_nocase(name, "len") ||
		  bytes_equal_nocase(name, "char_length")) && n == 1)
		*out = sql_integer(q, (int64_t)v[0].text.len);
	else if (bytes_equal_nocase(name, "hex") && n == 1)
		*out = hex_text(q, v[0].text);
	else if (bytes_equal_nocase(name, "unhex") && n == 1)
		*out = unhex(q, v[0].text);
	else if ((bytes_equal_nocase(name, "char") || bytes_equal_nocase(name, "chr")) && n)
		*out = character(q, v, n);
	else if (bytes_equal_nocase(name, "ascii") && n == 1)
		*out = sql_integer(q, v[0].text.len ? v[0].text.at[0] : 0);
	else if ((bytes_equal_nocase(name, "substring") || bytes_equal_nocase(name, "substr") ||
		  bytes_equal_nocase(name, "mid")) && (n == 2 || n == 3))
		*out = piece(v[0], number_of(v[1]), n == 3 ? number_of(v[2]) : INT32_MAX);
	else if ((bytes_equal_nocase(name, "ifnull") || bytes_equal_nocase(name, "isnull") ||
		  bytes_equal_nocase(name, "coalesce")) && n == 2)
		*out = v[0].type == SQL_NULL ? v[1] : v[0];
	else if (bytes_equal_nocase(name, "if") && n == 3)
		*out = number_of(v[0]) ? v[1] : v[2];
	else if (bytes_equal_nocase(name, "abs") && n == 1)
		*out = sql_integer(q, number_of(v[0]) < 0 ? -number_of(v[0]) : number_of(v[0]));
	else
		return false;
	return true;
}

struct expression {
	struct sql *q;
	struct sql_reader *r;
	struct sql_answer *answer;
	unsigned depth;
};

static bool expression_any(struct expression *, struct sql_value *);

static bool fail(struct expression *x, enum sql_outcome outcome, struct bytes subject)
{
	x->answer->outcome = outcome;
	x->answer->subject = subject;
	x->answer->near = x->r->token.from;
	return false;
}

static bool call(struct expression *x, struct bytes name, struct sql_value *out)
{
	struct sql_value values[SQL_ARGUMENTS_MAX];
	size_t n = 0;
	while (!sql_at(x->r, ")")) {
		sql_take(x->r, "distinct");
		if (sql_take(x->r, "*"))
			values[n] = sql_words(BYTES("*"));
		else if (!expression_any(x, &values[n]))
			return false;
		/* CAST(x AS type), CONVERT(x USING charset): the value stays what it is. */
		if (sql_take(x->r, "as") || sql_take(x->r, "using"))
			while (!sql_at(x->r, ")") && x->r->token.kind != SQL_END)
				sql_next(x->r);
		n++;
		if (!sql_take(x->r, ","))
			break;
		if (n == SQL_ARGUMENTS_MAX)
			return fail(x, SQL_SYNTAX, x->r->token.text);
	}
	if (!sql_take(x->r, ")"))
		return fail(x, SQL_SYNTAX, x->r->token.text);
	if ((bytes_equal_nocase(name, "cast") || bytes_equal_nocase(name, "convert")) && n) {
		*out = values[x->q->dialect == SQL_TSQL && n > 1];
		return true;
	}
	if (x->q->hooks->function(x->q->owner, name, values, n, out) || sql_function(x->q, name, values, n, out))
		return true;
	return fail(x, SQL_NO_FUNCTION, name);
}

static bool word(struct expression *x, struct sql_value *out)
{
	static const char *const reserved[] = {"from", "where", "into", "select", "limit", "order", "group"};
	struct bytes name = x->r->token.text;
	struct sql_token at = x->r->token;
	for (size_t i = 0; x->r->token.kind == SQL_WORD && i < sizeof reserved / sizeof *reserved; i++)
		if (sql_at(x->r, reserved[i]))
			return fail(x, SQL_SYNTAX, name);
	sql_next(x->r);
	while (sql_take(x->r, ".")) {
		name = x->r->token.text;
		sql_next(x->r);
	}
	if (sql_take(x->r, "("))
		return call(x, name, out);
	if (bytes_equal_nocase(name, "null"))
		*out = null_value;
	else if (bytes_equal_nocase(name, "true") || bytes_equal_nocase(name, "false"))
		*out = x->q->dialect == SQL_POSTGRES
			       ? (struct sql_value){SQL_BOOLEAN, name.len == 4 ? BYTES("t") : BYTES("f")}
			       : sql_integer(x->q, name.len == 4);
	else if (x->r->token.kind == SQL_STRING && x->q->dialect == SQL_POSTGRES) { /* type 'literal' */
		*out = sql_words(x->r->token.text);
		sql_next(x->r);
	} else if (!x->q->hooks->variable(x->q->owner, name, out)) {
		x->r->token.from = at.from < x->r->token.from ? x->r->token.from : at.from;
		return fail(x, SQL_NO_COLUMN, name);
	}
	return true;
}

static bool primary(struct expression *x, struct sql_value *out)
{
	struct sql_token t = x->r->token;
	switch (t.kind) {
	case SQL_STRING:
	case SQL_HEX:
	case SQL_NUMBER:
		sql_next(x->r);
		*out = (struct sql_value){t.kind == SQL_NUMBER ? SQL_INTEGER
					  : t.kind == SQL_HEX  ? SQL_BINARY
							       : SQL_TEXT,
					  t.text};
		if (t.kind == SQL_NUMBER && memchr(t.text.at, '.', t.text.len))
			out->type = SQL_TEXT;
		return true;
	case SQL_VARIABLE:
		sql_next(x->r);
		if (!x->q->hooks->variable(x->q->owner, t.text, out))
			return fail(x, SQL_NO_VARIABLE, t.text);
		return true;
	case SQL_PARAMETER:
		sql_next(x->r);
		if (!x->q->hooks->variable(x->q->owner, t.text, out))
			*out = null_value;
		return true;
	case SQL_WORD:
	case SQL_NAME:
		return word(x, out);
	case SQL_SIGN:
		if (sql_take(x->r, "-")) {
			if (!primary(x, out))
				return false;
			*out = sql_integer(x->q, -number_of(*out));
			return true;
		}
		if (sql_take(x->r, "("))
			return (expression_any(x, out) && sql_take(x->r, ")")) ||
			       (x->answer->outcome == SQL_DONE && fail(x, SQL_SYNTAX, x->r->token.text));
		break;
	default:
		break;
	}
	return fail(x, SQL_SYNTAX, t.text);
}

static int compare(struct sql_value a, struct sql_value b)
{
	if (a.type == SQL_INTEGER || b.type == SQL_INTEGER) {
		int64_t m = number_of(a), n = number_of(b);
		return m < n ? -1 : m > n;
	}
	size_t n = a.text.len < b.text.len ? a.text.len : b.text.len;
	int c = n ? memcmp(a.text.at, b.text.at, n) : 0;
	return c ? c : a.text.len < b.text.len ? -1 : a.text.len > b.text.len;
}

static bool operate(struct expression *x, struct bytes sign, struct sql_value *a, struct sql_value b)
{
	struct sql_value both[2] = {*a, b};
	int64_t m = number_of(*a), n = number_of(b);
	bool truth;
	uint8_t c = sign.at[0];
	bool text = a->type == SQL_TEXT && b.type == SQL_TEXT && x->q->dialect == SQL_TSQL;
	if (bytes_equal_text(sign, "||") && x->q->dialect == SQL_MYSQL) {
		truth = m || n;
	} else if (bytes_equal_text(sign, "||") || (c == '+' && text)) {
		*a = join(x->q, both, 2, false);
		return true;
	} else if (c == '+' || c == '-' || c == '*' || c == '/' || c == '%') {
		if ((c == '/' || c == '%') && n == 0)
			*a = null_value;
		else
			*a = sql_integer(x->q, c == '+'   ? m + n
					       : c == '-' ? m - n
					       : c == '*' ? (int64_t)((uint64_t)m * (uint64_t)n)
					       : c == '/' ? m / n
							  : m % n);
		return true;
	} else {
		int d = compare(*a, b);
		truth = c == '=' ? d == 0 : sign.len == 2 && c == '<' && sign.at[1] == '=' ? d <= 0
			: bytes_equal_text(sign, ">=")                                     ? d >= 0
			: sign.len == 2 ? d != 0 : c == '<' ? d < 0 : d > 0;
	}
	*a = x->q->dialect == SQL_POSTGRES ? (struct sql_value){SQL_BOOLEAN, truth ? BYTES("t") : BYTES("f")}
					   : sql_integer(x->q, truth);
	return true;
}

static bool expression_any(struct expression *x, struct sql_value *out)
{
	static const char *const signs[] = {"||", "+", "-", "*", "/", "%", "=", "<>", "!=", "<", ">", "<=", ">="};
	if (++x->depth > SQL_DEPTH_MAX)
		return fail(x, SQL_SYNTAX, x->r->token.text);
	bool good = primary(x, out);
	while (good) {
		struct bytes sign = {0};
		if (sql_take(x->r, "::")) { /* a type: words, perhaps with a length or [] */
			while (x->r->token.kind == SQL_WORD && !sql_at(x->r, "as") && !sql_at(x->r, "from"))
				sql_next(x->r);
			continue;
		}
		if (sql_take(x->r, "collate")) {
			sql_next(x->r);
			continue;
		}
		for (size_t i = 0; i < sizeof signs / sizeof *signs && !sign.len; i++)
			if (x->r->token.kind == SQL_SIGN && sql_at(x->r, signs[i]))
				sign = x->r->token.text;
		if (!sign.len)
			break;
		struct sql_value right;
		sql_next(x->r);
		good = primary(x, &right) && operate(x, sign, out, right);
	}
	x->depth--;
	return good;
}

bool sql_expression(struct sql *q, struct sql_reader *r, struct sql_value *out, struct sql_answer *answer)
{
	struct expression x = {q, r, answer, 0};
	return expression_any(&x, out);
}
