/*
 * Automatic tank gauge (Veeder-Root TLS) behind a serial server: the inventory of its tanks.
 *
 * One read, function I20100: what is in all tanks, as the gauge would print it.  Nothing is
 * set and no security code is sent.  Gauges end their report with ETX.
 */
#include "active/reading/identity_inner.h"

#define REPORT_MAX 4096
#define SIGNAL_MAX 512
#define SIGNAL_LINES 10
#define ASKED "\x01I20100\n"

enum { SOH = 1, ETX = 3 };

FIELD(ATG_STATION, "atg.station", BYTES, 0, "first line of the station's name in the report");
FIELD(ATG_TANKS, "atg.tanks", NUMBER, 0, "tanks in the report");
FIELD(ATG_PRODUCTS, "atg.products", BYTES, 0, "products in them");

static enum probe_next atg_open(struct asking *a, void *state)
{
	(void)state;
	asking_say_bytes(a, BYTES(ASKED));
	return PROBE_CONTINUE;
}

static enum probe_next atg_input(struct asking *a, void *state, struct reader *r)
{
	struct bytes all = {r->at, reader_left(r)};
	(void)a;
	(void)state;
	return all.at[0] != SOH || memchr(all.at, ETX, all.len) ? PROBE_DONE : PROBE_CONTINUE;
}

/* "  1  REGULAR UNLEADED   8427 ...": the product of a tank's line, or nothing. */
static struct bytes atg_product(struct bytes line)
{
	uint64_t number;
	struct bytes tank = bytes_word(&line);
	if (!bytes_number(tank, 99, &number) || number == 0)
		return (struct bytes){0};
	line = bytes_trim(line);
	line.len = bytes_find(line, "  ");
	return line;
}

struct atg_report {
	struct writer lines, products;
	unsigned line_count, tanks;
	bool in_table, is_report;
	struct identity_text station;
};

static void atg_tank(struct atg_report *report, struct bytes line)
{
	struct identity_text text = {0};
	identity_keep(&text, atg_product(line));
	if (!text.len)
		return;
	report->tanks++;
	if (writer_left(&report->products) < text.len + 2u)
		return;
	if (writer_used(&report->products))
		write_text(&report->products, ", ");
	write_bytes(&report->products, text.at, text.len);
}

static void atg_line(struct atg_report *report, struct bytes line)
{
	struct identity_text text = {0};
	line = bytes_trim(line);
	identity_keep(&text, line);
	if (!text.len)
		return;
	if (report->line_count < SIGNAL_LINES && writer_left(&report->lines) > text.len) {
		if (report->line_count)
			write_u8(&report->lines, '\n');
		write_bytes(&report->lines, text.at, text.len);
	}
	/* The command, the time, then the station's own lines. */
	if (report->line_count == 2 && bytes_find(line, "INVENTORY") == line.len)
		report->station = text;
	report->line_count++;
	if (report->in_table)
		atg_tank(report, line);
	report->in_table |= bytes_start_with(line, "TANK");
}

static void atg_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	uint8_t lines[SIGNAL_MAX], products[SIGNAL_MAX];
	struct atg_report report = {
		.lines = writer_of(lines, sizeof lines),
		.products = writer_of(products, sizeof products),
	};
	struct identity i;
	(void)state;
	if (!unread.len || unread.at[0] != SOH)
		return;
	struct reader r = reader_of_bytes((struct bytes){unread.at + 1, unread.len - 1});
	struct bytes line;
	while (read_line(&r, &line) && !memchr(line.at, ETX, line.len))
		atg_line(&report, line);
	/* "9999FF1B" is how a gauge says that it does not know a function. */
	struct bytes rest = read_rest(&r);
	if (!report.line_count && bytes_start_with(rest, "9999FF1B"))
		write_text(&report.lines, "9999FF1B");
	else if (!bytes_start_with(writer_bytes(&report.lines), "I20100"))
		return;
	identity_begin(&i);
	identity_add(&i, answer, ATG_STATION, NULL, &report.station);
	if (report.in_table)
		event_set_number(answer, ATG_TANKS, report.tanks);
	if (report.tanks)
		event_set_bytes(answer, ATG_PRODUCTS, writer_bytes(&report.products));
	asking_signal(a, "atg.identity", writer_bytes(&report.lines));
}

static const char *const atg_signals[] = {"atg.identity", NULL};

static const struct specimen atg_specimens[] = {
	{
		.title = "a gauge with two tanks",
		.answers = {BYTES("\x01\r\nI20100\r\nAPR  1, 2015 12:00 AM\r\n\r\nSTATION 17\r\n\r\n"
				  "IN-TANK INVENTORY\r\n\r\n"
				  "TANK PRODUCT             VOLUME TC VOLUME   ULLAGE   HEIGHT    WATER     TEMP\r\n"
				  "  1  REGULAR UNLEADED      8427      8375     1573    70.11     0.00    60.22\r\n"
				  "  2  DIESEL                4001      3990     5999    41.90     0.00    58.10\r\n"
				  "\r\n\x03")},
		.asked = BYTES(ASKED),
		.answered = "{\"atg.station\":\"STATION 17\",\"atg.tanks\":2,"
			    "\"atg.products\":\"REGULAR UNLEADED, DIESEL\"}\n",
		.signals = "atg.identity: I20100\nAPR  1, 2015 12:00 AM\nSTATION 17\nIN-TANK INVENTORY\n"
			   "TANK PRODUCT             VOLUME TC VOLUME   ULLAGE   HEIGHT    WATER     TEMP\n"
			   "1  REGULAR UNLEADED      8427      8375     1573    70.11     0.00    60.22\n"
			   "2  DIESEL                4001      3990     5999    41.90     0.00    58.10\n",
	},
	{
		.title = "a gauge that does not know the function",
		.answers = {BYTES("\x01" "9999FF1B\x03")},
		.asked = BYTES(ASKED),
		.answered = "{}\n",
		.signals = "atg.identity: 9999FF1B\n",
	},
	{
		.title = "something else on the port",
		.answers = {BYTES("login: ")},
		.asked = BYTES(ASKED),
		.answered = "{}\n",
	},
	{0},
};

static const struct probe atg = {
	.name = "atg",
	.summary = "reads a tank gauge's inventory report (I20100) and nothing else",
	.reference = "Veeder-Root 576013-635, function 201",
	.transport = PROBE_TCP,
	.ports = {10001},
	.tier = PROBE_OPT_IN,
	.industrial = true,
	.question_max = sizeof ASKED,
	.answer_max = REPORT_MAX,
	.time_ms_max = 10000,
	.idle_ms = 4000, /* behind the server is a serial line of 9600 bits a second */
	.connections_max = 1,
	.open = atg_open,
	.input = atg_input,
	.finish = atg_finish,
	.signals = atg_signals,
	.specimens = atg_specimens,
};
PROBE(atg);
