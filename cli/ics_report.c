#include "cli/ics_report.h"
#include "analysis/ics.h"
#include "event/event.h"

#define ROWS_BYTES_MAX (64u << 20)
#define CELL_MAX 512
#define WIDTH_PORTS 40
#define WIDTH_DARK 18

/* One row as a line of the table, with its reason below, or as a JSON object. */
static void print_row(const struct ics_row *row, const struct ics_verdict *v, bool json)
{
	char ports[CELL_MAX] = "", dark[CELL_MAX] = "", machines[32], reason[2 * ICS_REASON_MAX] = "";
	struct writer p = writer_of(ports, sizeof ports - 1), d = writer_of(dark, sizeof dark - 1);
	struct writer r = writer_of(reason, sizeof reason - 1);
	ics_ports_write(row, &p);
	ics_dark_write(row, &d);
	*p.at = *d.at = '\0';
	if (json) {
		write_json_string(&r, bytes_of_text(v->reason));
		*r.at = '\0';
		printf("{\"row\":\"%s\",\"country\":\"%s\",\"ports\":\"%s\",\"protocol\":\"%s\",\"dark\":\"%s\",\"machines_least\":%u,"
		       "\"machines_seem\":%u,\"same\":\"%s\",\"controller_ttl\":%u,\"attacker_ttl\":%u,\"reason\":%s}\n", row->name,
		       row->country, ports, row->protocol, dark, v->machines_least, v->machines_seem, ics_same_word(v->same),
		       v->controller_initial, v->attacker_initial, reason);
		return;
	}
	snprintf(machines, sizeof machines, v->machines_seem > v->machines_least ? "%u, seem %u" : "%u", v->machines_least,
		 v->machines_seem);
	printf("%-16s %-7s %-*s %-11s %-*s %-9s %s\n", row->name, row->country, WIDTH_PORTS, ports, row->protocol, WIDTH_DARK, dark,
	       machines, ics_same_word(v->same));
	printf("                 %s\n", v->reason);
}

static void print_head(void)
{
	printf("%-16s %-7s %-*s %-11s %-*s %-9s %s\n", "host", "country", WIDTH_PORTS, "open ports (TTL)", "protocol", WIDTH_DARK,
	       "dark traffic (TTL)", "machines", "attacker is the controller");
}

/* Rows that somebody wrote down: each is judged, what cannot be read is said with its line. */
static int report_rows(const char *path, bool json)
{
	struct fault fault = {0};
	struct buffer text = BUFFER(ROWS_BYTES_MAX);
	int bad = command_read_file(path, ROWS_BYTES_MAX, &text, &fault), status = 0;
	struct bytes rest = buffer_bytes(&text);
	if (bad)
		return command_fail(1, "report: %s", fault.text);
	if (!json)
		print_head();
	for (unsigned number = 1; rest.len; number++) {
		const size_t end = bytes_find(rest, "\n");
		const struct bytes line = bytes_trim((struct bytes){rest.at, end});
		struct ics_row row;
		struct ics_verdict verdict;
		rest = (struct bytes){rest.at + end + (end < rest.len), rest.len - end - (end < rest.len)};
		if (!line.len || line.at[0] == '#')
			continue;
		if (ics_row_read(line, &row, &fault)) {
			status = command_fail(1, "report: %s:%u: %s", path, number, fault.text);
			continue;
		}
		ics_judge(&row, &verdict);
		print_row(&row, &verdict, json);
	}
	buffer_done(&text);
	return status;
}

int ics_report(const struct arguments *a)
{
	const char *rows = arguments_flag(a, "rows");
	const bool json = arguments_flag(a, "json") != NULL;
	if (rows)
		return report_rows(rows, json);
	return command_fail(2, "report: ics needs --rows FILE");
}
