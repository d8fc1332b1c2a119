/*
 * Automatic tank gauge of a filling station: a Veeder-Root TLS-350 behind a serial server.
 *
 * A command is SOH, perhaps six digits of a security code, a letter, a function of three
 * digits and a tank of two; no end mark is needed, so an inquiry is answered with its last
 * character.  A capital letter asks for text, a small one for the computer's format.  What
 * is set (product labels, station header) shows in later reports.  Anything else gets the
 * gauge's 9999FF1B.
 */
#include "base/options.h"
#include "passive/device/plant/plant.h"
#include <math.h>
#include <time.h>

#define TANKS 4
#define LABEL_MAX 20
#define HEADERS 4
#define CODE_LEN 6
#define VALUE_MAX 64
#define DIAMETER_INCHES 96.0

enum { SOH = 1, ETX = 3 };

struct atg_device {
	const char *products[TANKS], *headers[HEADERS], *software, *created;
	uint64_t capacity;
};

struct atg {
	uint64_t seeds[TANKS]; /* of each tank's process */
	char labels[TANKS][LABEL_MAX + 1], headers[HEADERS][LABEL_MAX + 1];
	uint8_t tank_count;
};

struct tank {
	double volume, compensated, ullage, height, water, temperature;
};

static enum service_next atg_open(struct session *s, void *state)
{
	struct atg *a = state;
	const struct atg_device *d = session_device(s);
	for (size_t i = 0; i < TANKS && d->products[i] && *d->products[i]; i++) {
		session_expand(s, d->products[i], a->labels[i], LABEL_MAX + 1);
		a->seeds[i] = session_device_seed(s) + 7 * (i + 1);
		a->tank_count++;
	}
	for (size_t i = 0; i < HEADERS; i++)
		if (d->headers[i])
			session_expand(s, d->headers[i], a->headers[i], LABEL_MAX + 1);
	return SERVICE_CONTINUE;
}

/* The height of so much liquid in a lying cylinder, by bisection. */
static double height_of(double full)
{
	double low = 0, high = 1;
	for (int i = 0; i < 24; i++) {
		double h = (low + high) / 2, u = 1 - 2 * h;
		*(acos(u) - u * sqrt(1 - u * u) < full * M_PI ? &low : &high) = h;
	}
	return low * DIAMETER_INCHES;
}

static struct tank tank_now(struct session *s, const struct atg *a, size_t i)
{
	const struct atg_device *d = session_device(s);
	uint64_t now = session_time_us(s), seed = a->seeds[i];
	struct plant process = {0};
	struct tank t;
	plant_start(&process, seed);
	double full = 0.15 + 0.7 * plant_read(&process, PLANT_LEVEL, now) / 100;
	t.volume = full * (double)d->capacity;
	t.ullage = (double)d->capacity - t.volume;
	t.height = height_of(full);
	t.temperature = 52 + 0.2 * plant_read(&process, PLANT_TEMPERATURE, now);
	t.compensated = t.volume * (1 - 0.00068 * (t.temperature - 60));
	t.water = (double)plant_number(seed, 1, 3) ? 0 : (double)plant_number(seed, 2, 120) / 100;
	return t;
}

static void date_write(struct session *s, struct writer *w, bool computer)
{
	static const char months[] = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
	time_t t = (time_t)(session_time_us(s) / 1000000);
	struct tm at;
	gmtime_r(&t, &at);
	if (computer)
		write_fmt(w, "%02d%02d%02d%02d%02d", at.tm_year % 100, at.tm_mon + 1, at.tm_mday,
		          at.tm_hour, at.tm_min);
	else
		write_fmt(w, "%.3s %2d, %d %2d:%02d %s\r\n", months + 3 * at.tm_mon, at.tm_mday,
		          1900 + at.tm_year, (at.tm_hour + 11) % 12 + 1, at.tm_min,
		          at.tm_hour < 12 ? "AM" : "PM");
}

static void headers_write(const struct atg *a, struct writer *w)
{
	write_text(w, "\r\n");
	for (size_t i = 0; i < HEADERS; i++)
		write_fmt(w, "%s\r\n", a->headers[i]);
	write_text(w, "\r\n");
}

static void inventory(struct session *s, struct atg *a, uint8_t tank, struct writer *w)
{
	write_text(w, "IN-TANK INVENTORY       \r\n\r\nTANK PRODUCT             VOLUME TC VOLUME   "
	              "ULLAGE   HEIGHT    WATER     TEMP\r\n");
	for (uint8_t i = 0; i < a->tank_count; i++) {
		if (tank && tank != i + 1)
			continue;
		struct tank t = tank_now(s, a, i);
		write_fmt(w, "%3u  %-20s%6.0f%10.0f%9.0f%9.2f%9.2f%9.2f\r\n", i + 1u, a->labels[i],
		          t.volume, t.compensated, t.ullage, t.height, t.water, t.temperature);
	}
}

static void deliveries(struct session *s, struct atg *a, uint8_t tank, struct writer *w)
{
	write_text(w, "DELIVERY REPORT\r\n\r\n");
	for (uint8_t i = 0; i < a->tank_count; i++) {
		if (tank && tank != i + 1)
			continue;
		struct tank t = tank_now(s, a, i);
		double before = t.volume * 0.3 + (double)plant_number(a->seeds[i], 3, 400);
		double more = 2500 + (double)plant_number(a->seeds[i], 4, 1500);
		write_fmt(w,
		          "T %u:%s\r\nINCREASE   DATE / TIME             GALLONS TC GALLONS WATER  "
		          "TEMP DEG F  HEIGHT\r\n\r\n",
		          i + 1u, a->labels[i]);
		write_fmt(
		        w,
		        "%15s%23.0f%11.0f%7.2f%11.2f%9.2f\r\n%15s%23.0f%11.0f%7.2f%11.2f%9.2f\r\n",
		        "END:", before + more, before + more - 9, t.water, t.temperature, t.height,
		        "START:", before, before - 4, t.water, t.temperature - 1.4,
		        height_of(before / (double)(before + t.ullage + t.volume)));
		write_fmt(w, "%15s%23.0f%11.0f\r\n\r\n", "AMOUNT:", more, more - 5);
	}
}

static void leak_results(struct session *s, struct atg *a, uint8_t tank, struct writer *w)
{
	(void)s;
	write_text(w, "TANK LEAK TEST HISTORY\r\n\r\n");
	for (uint8_t i = 0; i < a->tank_count; i++)
		if (!tank || tank == i + 1)
			write_fmt(
			        w,
			        "T %u:%s\r\n\r\nLAST GROSS TEST PASSED:\r\nNO TEST PASSED\r\n\r\n",
			        i + 1u, a->labels[i]);
}

static void status_report(struct session *s, struct atg *a, uint8_t tank, struct writer *w)
{
	(void)s;
	write_text(w, "TANK   PRODUCT                 STATUS\r\n\r\n");
	for (uint8_t i = 0; i < a->tank_count; i++)
		if (!tank || tank == i + 1)
			write_fmt(w, "%3u    %-20s    NORMAL\r\n", i + 1u, a->labels[i]);
}

static void system_status(struct session *s, struct atg *a, uint8_t tank, struct writer *w)
{
	(void)s, (void)a, (void)tank;
	write_text(w, "SYSTEM STATUS REPORT\r\n\r\nALL FUNCTIONS NORMAL\r\n");
}

static void labels_report(struct session *s, struct atg *a, uint8_t tank, struct writer *w)
{
	(void)s;
	write_text(w, "TANK PRODUCT LABEL\r\n\r\nTANK   PRODUCT LABEL\r\n");
	for (uint8_t i = 0; i < a->tank_count; i++)
		if (!tank || tank == i + 1)
			write_fmt(w, "%3u    %s\r\n", i + 1u, a->labels[i]);
}

static void headers_report(struct session *s, struct atg *a, uint8_t line, struct writer *w)
{
	(void)s;
	write_text(w, "PRINT HEADERS\r\n\r\n");
	for (uint8_t i = 0; i < HEADERS; i++)
		if (!line || line == i + 1)
			write_fmt(w, "%u: %s\r\n", i + 1u, a->headers[i]);
}

static void capacity_report(struct session *s, struct atg *a, uint8_t tank, struct writer *w)
{
	const struct atg_device *d = session_device(s);
	write_text(w, "TANK FULL VOLUME\r\n\r\nTANK   PRODUCT LABEL             GALLONS\r\n");
	for (uint8_t i = 0; i < a->tank_count; i++)
		if (!tank || tank == i + 1)
			write_fmt(w, "%3u    %-20s%13u\r\n", i + 1u, a->labels[i],
			          (unsigned)d->capacity);
}

static void revision_report(struct session *s, struct atg *a, uint8_t tank, struct writer *w)
{
	const struct atg_device *d = session_device(s);
	(void)a, (void)tank;
	write_fmt(w,
	          "SOFTWARE REVISION LEVEL\r\nVERSION %s\r\nSOFTWARE# %s\r\nCREATED - %s\r\n\r\n"
	          "S-MODULE# 330160-004-A\r\nSYSTEM FEATURES:\r\n  PERIODIC IN-TANK TESTS\r\n"
	          "  ANNUAL IN-TANK TESTS\r\n",
	          d->software, "346330-100-B", d->created);
}

/* `begins` is the function; `set` says how a label of it is set (S instead of I). */
static const struct function {
	char number[4];
	void (*report)(struct session *, struct atg *, uint8_t tank, struct writer *);
	bool with_headers;
	enum { SETS_NOTHING, SETS_LABEL, SETS_HEADER } sets;
} functions[] = {
        {"101", system_status, true, SETS_NOTHING},
        {"201", inventory, true, SETS_NOTHING},
        {"202", deliveries, true, SETS_NOTHING},
        {"203", leak_results, true, SETS_NOTHING},
        {"205", status_report, true, SETS_NOTHING},
        {"503", headers_report, false, SETS_HEADER},
        {"602", labels_report, false, SETS_LABEL},
        {"604", capacity_report, false, SETS_NOTHING},
        {"902", revision_report, false, SETS_NOTHING},
};

static const struct function *function_of(struct bytes number)
{
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (bytes_equal_text(number, functions[i].number))
			return &functions[i];
	return NULL;
}

/* The computer's format: IEEE floats in hexadecimal, and a sum that makes it all zero. */
static void computer_inventory(struct session *s, struct atg *a, uint8_t tank, struct writer *w)
{
	for (uint8_t i = 0; i < a->tank_count; i++) {
		if (tank && tank != i + 1)
			continue;
		struct tank t = tank_now(s, a, i);
		const double values[] = {t.volume, t.compensated, t.ullage,    t.height,
		                         t.water,  t.temperature, 12 * t.water};
		write_fmt(w, "%02u%u000007", i + 1u, i + 1u);
		for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
			float f = (float)values[k];
			uint32_t bits;
			memcpy(&bits, &f, sizeof bits);
			write_fmt(w, "%08X", bits);
		}
	}
}

static void checksum_write(struct writer *w)
{
	uint16_t sum = 0;
	write_text(w, "&&");
	struct bytes all = writer_bytes(w);
	for (size_t i = 0; i < all.len; i++)
		sum = (uint16_t)(sum + all.at[i]);
	write_fmt(w, "%04X", (uint16_t)-sum);
}

static void label_set(struct atg *a, const struct function *f, uint8_t which, struct bytes value)
{
	size_t count = f->sets == SETS_LABEL ? a->tank_count : HEADERS;
	for (size_t i = 0; i < count; i++) {
		char *label = f->sets == SETS_LABEL ? a->labels[i] : a->headers[i];
		if (which && which != i + 1)
			continue;
		size_t n = value.len < LABEL_MAX ? value.len : LABEL_MAX;
		for (size_t k = 0; k < n; k++)
			label[k] =
			        value.at[k] >= ' ' && value.at[k] < 127 ? (char)value.at[k] : ' ';
		label[n] = '\0';
	}
}

/* What was set is there for who comes again: all texts, each with its end. */
static void texts_remember(struct session *s, const struct atg *a)
{
	uint8_t room[sizeof a->labels + sizeof a->headers];
	struct writer w = writer_of(room, sizeof room);
	write_bytes(&w, a->labels, sizeof a->labels);
	write_bytes(&w, a->headers, sizeof a->headers);
	session_remember(s, "atg", writer_bytes(&w));
}

static void texts_recall(struct session *s, struct atg *a)
{
	struct bytes kept = session_recall(s, "atg");
	if (kept.len != sizeof a->labels + sizeof a->headers)
		return;
	memcpy(a->labels, kept.at, sizeof a->labels);
	memcpy(a->headers, kept.at + sizeof a->labels, sizeof a->headers);
	for (size_t i = 0; i < TANKS; i++)
		a->labels[i][LABEL_MAX] = '\0';
	for (size_t i = 0; i < HEADERS; i++)
		a->headers[i][LABEL_MAX] = '\0';
}

static void command_run(struct session *s, struct atg *a, struct bytes code, struct bytes value)
{
	char room[8192];
	struct writer w = writer_of(room, sizeof room);
	bool computer = code.at[0] >= 'a', sets = (code.at[0] | 0x20) == 's';
	const struct function *f = function_of((struct bytes){code.at + 1, 3});
	uint64_t tank = 0;
	bool known = f && bytes_number((struct bytes){code.at + 4, 2}, 99, &tank) &&
	             (!computer || !strcmp(f->number, "201")) && (!sets || f->sets);
	if (sets)
		plant_ordered(s, "%.6s%.*s", (const char *)code.at, (int)value.len,
		              (const char *)value.at);
	else
		plant_asked(s, "%.6s", (const char *)code.at);
	write_u8(&w, SOH);
	if (!known) {
		write_text(&w, "9999FF1B");
	} else {
		if (sets) {
			label_set(a, f, (uint8_t)tank, value);
			texts_remember(s, a);
		}
		write_fmt(&w, computer ? "%.6s" : "\r\n%.6s\r\n", (const char *)code.at);
		date_write(s, &w, computer);
		if (computer)
			computer_inventory(s, a, (uint8_t)tank, &w);
		else if (f->with_headers)
			headers_write(a, &w);
		else
			write_text(&w, "\r\n");
		if (!computer)
			f->report(s, a, (uint8_t)tank, &w);
		if (computer)
			checksum_write(&w);
		else
			write_text(&w, "\r\n");
	}
	write_u8(&w, ETX);
	session_say_bytes(s, writer_bytes(&w));
}

/* What a setting sets: up to its end mark, or as long as a label is; false: more must come. */
static bool value_read(struct reader *r, struct bytes *value)
{
	size_t n = 0, left = reader_left(r);
	while (n < left && n < VALUE_MAX && r->at[n] != '\n' && r->at[n] != '\r' &&
	       r->at[n] != ETX && r->at[n] != SOH)
		n++;
	if (n == left && n < VALUE_MAX)
		return false;
	*value = read_bytes(r, n);
	return true;
}

static enum service_next atg_input(struct session *s, void *state, struct reader *in)
{
	texts_recall(s, state);
	for (;;) {
		while (reader_left(in) && *in->at != SOH)
			in->at++;
		struct reader r = *in;
		read_u8(&r);
		struct bytes secret = {0}, value = {0};
		if (reader_left(&r) && *r.at >= '0' && *r.at <= '9')
			secret = read_bytes(&r, CODE_LEN);
		struct bytes code = read_bytes(&r, CODE_LEN);
		if (!reader_ok(&r))
			break;
		if ((code.at[0] | 0x20) == 's' && !value_read(&r, &value))
			break;
		*in = r;
		if (secret.len)
			session_login_decided(s, (struct bytes){0}, secret, (struct bytes){0},
			                      true);
		command_run(s, state, code, value);
	}
	return SERVICE_CONTINUE;
}

/* SOH, a letter of the four, and digits. */
static bool atg_claims(struct bytes first)
{
	return first.len >= 7 && first.at[0] == SOH && strchr("IiSs", first.at[1]) && first.at[1] &&
	       first.at[2] >= '1' && first.at[2] <= '9';
}

#define LABELS_BEFORE "\x01\r\nS60202\r\nAPR  1, 2015 12:00 AM\r\n\r\nTANK PRODUCT LABEL\r\n\r\n"

static const struct exchange atg_exchanges[] = {
        {"a label is set and shows", BYTES("\x01S60202KEROSENE\n\x01I60202\n"),
         BYTES(LABELS_BEFORE "TANK   PRODUCT LABEL\r\n  2    KEROSENE\r\n\r\n\x03"
                             "\x01\r\nI60202\r\nAPR  1, 2015 12:00 AM\r\n\r\nTANK PRODUCT LABEL"
                             "\r\n\r\nTANK   PRODUCT LABEL\r\n  2    KEROSENE\r\n\r\n\x03"),
         PLANT_ORDERED("S60202KEROSENE") PLANT_ASKED("I60202")},
        {"the status needs no end mark", BYTES("\x01I10100"),
         BYTES("\x01\r\nI10100\r\nAPR  1, 2015 12:00 AM\r\n\r\nSTATION 17\r\n\r\n\r\n\r\n\r\n"
               "SYSTEM STATUS REPORT\r\n\r\nALL FUNCTIONS NORMAL\r\n\r\n\x03"),
         PLANT_ASKED("I10100")},
        {"what it does not know is 9999FF1B",
         BYTES("GET / HTTP/1.0\r\n\r\n\x01I99900\x01S99900x\n"),
         BYTES("\x01"
               "9999FF1B\x03\x01"
               "9999FF1B\x03"),
         PLANT_ASKED("I99900") PLANT_ORDERED("S99900x")},
        {"a security code is kept",
         BYTES("\x01"
               "123456I99900"),
         BYTES("\x01"
               "9999FF1B\x03"),
         "{\"kind\":\"login.tried\",\"login.secret\":\"123456\",\"login.accepted\":true}"
         "\n" PLANT_ASKED("I99900")},
        {0},
};

#define TEXT(...) PLANT_TEXT(struct atg_device, __VA_ARGS__)

static const struct option atg_device[] = {
        TEXT("product1", products[0], "REGULAR UNLEADED", "label of tank 1"),
        TEXT("product2", products[1], "PREMIUM",
             "label of tank 2; absent: the last tank is before"),
        TEXT("product3", products[2], "DIESEL", "label of tank 3"),
        TEXT("product4", products[3], NULL, "label of tank 4"),
        TEXT("header1", headers[0], "STATION 17", "first line of the station's header"),
        TEXT("header2", headers[1], NULL, "second line"),
        TEXT("header3", headers[2], NULL, "third line"),
        TEXT("header4", headers[3], NULL, "fourth line"),
        TEXT("software", software, "28.00", "version of the software"),
        TEXT("created", created, "06.11.19.10.45", "when that software was made"),
        PLANT_NUMBER(struct atg_device, "capacity", capacity, "10000", 500, 90000,
                     "full volume of a tank, gallons"),
        {0},
};

static const struct service atg = {
        .name = "atg",
        .summary = "tank gauge of a filling station, reports and settings",
        .reference = "Veeder-Root 576013-635, TLS-3XX serial interface",
        .transports = TRANSPORT_TCP,
        .ports = {10001},
        .state_size = sizeof(struct atg),
        .input_max = 1024,
        .output_max = 128 * 1024,
        .arena_max = 4096,
        .idle_ms_max = 120 * 1000,
        .session_ms_max = 1800 * 1000,
        .device = atg_device,
        .device_size = sizeof(struct atg_device),
        .open = atg_open,
        .input = atg_input,
        .claims = atg_claims,
        .exchanges = atg_exchanges,
};
SERVICE(atg);
