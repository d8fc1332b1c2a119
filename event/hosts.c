#include "event/hosts.h"
#include "base/address.h"
#include <strings.h>

#define LABELS_MAX 16
#define LABEL_MAX 63

/* Two-letter domains of the root zone, beside each other. */
static const char countries[] =
	"ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bv bw by "
	"bz ca cc cd cf cg ch ci cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk "
	"fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq "
	"ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh "
	"mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk "
	"pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st su sv sx sy "
	"sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za "
	"zm zw ";

/* Those that name files, too ("libc.so", "run.sh"): said alone they mean little. */
static const char file_endings[] =
	"ac ai am as at be by cc co do gz ha id in io is it la md me mk ml ms my no pa pl pm ps pt py re rs sc se sh "
	"so sr st su sv to tr ";

/* Sorted.  Common ones of the root, those for examples (RFC 2606, 6761) and of other roots that bots use. */
static const char *const generic[] = {
	"academy", "agency", "app", "art", "asia", "bar", "bazar", "best", "bit", "biz", "blog", "buzz", "cam",
	"casa", "cat", "center", "cfd", "chat", "city", "click", "cloud", "club", "codes", "coin", "com", "company",
	"cyb", "cyou", "date", "design", "dev", "digital", "direct", "download", "dyn", "edu", "email", "emc",
	"engineer", "example", "express", "finance", "fit", "free", "fun", "fund", "fyi", "game", "games", "geek",
	"gopher", "gov", "group", "guru", "host", "icu", "indy", "info", "ink", "int", "invalid", "jobs", "kim",
	"lat", "lib", "libre", "life", "link", "live", "loan", "lol", "ltd", "men", "mil", "mobi", "mom", "monster",
	"museum", "name", "net", "network", "news", "ninja", "one", "onion", "online", "ooo", "org", "oss", "page",
	"parody", "party", "pics", "pirate", "plus", "press", "pro", "pub", "quest", "racing", "red", "report",
	"rest", "review", "rip", "rocks", "run", "sbs", "science", "services", "shop", "site", "skin", "social",
	"solutions", "space", "store", "stream", "studio", "surf", "systems", "team", "tech", "technology", "tel",
	"test", "tips", "today", "tokyo", "tools", "top", "trade", "travel", "uno", "vip", "wang", "webcam",
	"website", "wiki", "win", "work", "works", "world", "wtf", "xin", "xxx", "xyz", "zone",
};

/* A name that begins so is a package's or a class', written backwards. */
static const char *const backwards[] = {"android", "androidx", "com", "dalvik", "edu", "io", "java", "javax",
					"kotlin", "kotlinx", "net", "org", "sun", "system", "microsoft", NULL};

/* Beneath these nobody is an attacker for being named in a file. */
static const char *const bystanders[] = {
	"adobe.com", "akamai.net", "amazon.com", "android.com", "apache.org", "apple.com", "baidu.com", "bing.com",
	"checkip.amazonaws.com", "checkip.dyndns.org", "chromium.org", "cloudflare.com", "debian.org",
	"digicert.com", "facebook.com", "freedesktop.org", "gnome.org", "gnu.org", "golang.org", "google.com",
	"googleapis.com", "icanhazip.com", "ident.me", "ifconfig.co", "ifconfig.me", "ip-api.com", "ipify.org",
	"ipinfo.io", "ipwho.is", "kernel.org", "launchpad.net", "letsencrypt.org", "linux.org", "live.com",
	"llvm.org", "microsoft.com", "mit.edu", "mozilla.org", "msn.com", "myexternalip.com", "ns.adobe.com",
	"ntp.org", "office.com", "openoffice.org", "openssl.org", "openxmlformats.org", "opera.com",
	"perl.org", "php.net", "purl.org", "python.org", "qq.com", "redhat.com", "rust-lang.org", "sourceforge.net",
	"sourceware.org", "sun.com", "twitter.com", "ubuntu.com", "unicode.org", "verisign.com", "w3.org",
	"wikipedia.org", "windows.com", "windowsupdate.com", "wtfismyip.com", "xmlsoap.org", "yahoo.com",
	"yandex.ru", "youtube.com",
};

static const char *const resolvers[] = {"1.0.0.1", "1.1.1.1", "114.114.114.114", "119.29.29.29", "180.76.76.76",
					"208.67.220.220", "208.67.222.222", "223.5.5.5", "4.2.2.2", "8.8.4.4",
					"8.8.8.8", "9.9.9.9"};

bool host_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
	       c == '_';
}

static bool is_lower(uint8_t c) { return c >= 'a' && c <= 'z'; }
static bool is_upper(uint8_t c) { return c >= 'A' && c <= 'Z'; }

/* The list's words have two letters and a space each, and are sorted. */
static bool in_pairs(const char *list, size_t size, struct bytes two)
{
	size_t low = 0, high = size / 3;
	if (two.len != 2)
		return false;
	while (low < high) {
		size_t middle = (low + high) / 2;
		const char *word = list + 3 * middle;
		int left = two.at[0] | 0x20, right = two.at[1] | 0x20;
		if (left == word[0] && right == word[1])
			return true;
		if (left > word[0] || (left == word[0] && right > word[1]))
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static bool in_words(const char *const *words, size_t count, struct bytes b)
{
	for (size_t i = 0; i < count && words[i]; i++)
		if (bytes_equal_nocase(b, words[i]))
			return true;
	return false;
}

static bool top_is_known(struct bytes top)
{
	if (top.len == 2)
		return in_pairs(countries, sizeof countries - 1, top);
	size_t low = 0, high = sizeof generic / sizeof *generic;
	while (low < high && top.len > 2) {
		size_t middle = (low + high) / 2;
		int order = strncasecmp((const char *)top.at, generic[middle], top.len);
		if (!order)
			order = generic[middle][top.len] ? -1 : 0;
		if (!order)
			return true;
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* "SystemIO": letters change from small to capital as names of classes do and names of hosts do not. */
static bool has_humps(struct bytes name)
{
	size_t lower = 0, upper = 0;
	for (size_t i = 0; i < name.len; i++) {
		lower += is_lower(name.at[i]);
		upper += is_upper(name.at[i]);
	}
	return lower && upper;
}

/* 0 when it breaks RFC 1123 2.1; only the last two labels decide how likely a name is. */
static size_t labels_split(struct bytes name, struct bytes labels[LABELS_MAX])
{
	size_t count = 0;
	struct bytes label = {name.at, 0};
	for (size_t i = 0; i <= name.len; i++) {
		if (i < name.len && name.at[i] != '.') {
			label.len++;
			continue;
		}
		if (!label.len || label.len > LABEL_MAX || count == LABELS_MAX || label.at[0] == '-' ||
		    label.at[label.len - 1] == '-')
			return 0;
		labels[count++] = label;
		label = (struct bytes){name.at + i + 1, 0};
	}
	return count;
}

static unsigned least(unsigned a, unsigned b) { return a < b ? a : b; }

unsigned name_plausible(struct bytes name)
{
	struct bytes labels[LABELS_MAX];
	if (name.len < 4 || name.len > HOST_NAME_MAX_BYTES || has_humps(name))
		return 0;
	size_t count = labels_split(name, labels);
	if (count < 2 || !top_is_known(labels[count - 1]))
		return 0;
	struct bytes top = labels[count - 1], second = labels[count - 2];
	if (memchr(top.at, '_', top.len) || memchr(second.at, '_', second.len))
		return 0;
	if (bytes_equal_nocase(top, "onion"))
		return second.len == 56 || second.len == 16 ? 95 : 0;
	unsigned plausible = 100;
	if (in_pairs(file_endings, sizeof file_endings - 1, top))
		plausible = count == 2 ? 30 : 60;
	/* Short names exist; but of short words with a dot most are something else. */
	if (count == 2 && second.len < 4)
		plausible = least(plausible, second.len == 1 ? 10 : second.len == 2 ? 25 : 50);
	if (in_words(backwards, sizeof backwards / sizeof *backwards, labels[0]))
		plausible = least(plausible, 5);
	if (is_upper(name.at[0]))
		plausible = least(plausible, 40);
	return plausible;
}

unsigned address_plausible(struct bytes text)
{
	struct address a;
	char canonical[ADDRESS_TEXT_MAX];
	if (text.len < 7 || !address_parse(text, &a) || !address_is_v4(&a) ||
	    !bytes_equal_text(text, address_format(&a, canonical)))
		return 0;
	uint32_t v4 = address_to_v4(&a);
	unsigned first = v4 >> 24;
	if (first == 0 || first == 127 || first == 255 || (v4 & 0xff) == 255)
		return 0;
	if (first >= 224 || (v4 & 0xff) == 0)
		return 15;
	if (first == 10 || v4 >> 16 == 0xc0a8 || v4 >> 20 == 0xac1 || v4 >> 16 == 0xa9fe)
		return 30;
	/* "1.2.3.4" and "2.6.32.71" are versions more often than not. */
	return text.len <= 8 && first < 8 ? 25 : 100;
}

bool host_is_bystander(struct bytes host)
{
	for (size_t i = 0; i < sizeof resolvers / sizeof *resolvers; i++)
		if (bytes_equal_text(host, resolvers[i]))
			return true;
	for (size_t i = 0; i < sizeof bystanders / sizeof *bystanders; i++) {
		size_t n = strlen(bystanders[i]);
		if (host.len < n || (host.len > n && host.at[host.len - n - 1] != '.'))
			continue;
		if (bytes_equal_nocase((struct bytes){host.at + host.len - n, n}, bystanders[i]))
			return true;
	}
	return false;
}
