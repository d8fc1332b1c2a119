/*
 * Words by which families are known, as their published sources and analyses have them.
 *
 * One word proves nothing, since bots copy from each other and tools share their words; a family is
 * named when what was found adds up.
 */
#include "lab/analyser.h"
#include "lab/needles.h"

#define POINTS_MIN 30

static const struct trait {
	const char *word, *family;
	unsigned points;
} traits[] = {
	{"attack_udp_generic", "mirai", 35}, {"attack_get_opt_int", "mirai", 30}, {"table_unlock_val", "mirai", 35},
	{"add_auth_entry", "mirai", 25}, {"resolve_cnc_addr", "mirai", 35}, {"ensure_single_instance", "mirai", 20},
	{"anti_gdb_entry", "mirai", 25}, {"scanner_init", "mirai", 10}, {"killer_init", "mirai", 15},
	{"killer_kill_by_port", "mirai", 20}, {"rand_alphastr", "mirai", 10}, {"listening tun0", "mirai", 30},
	{"/bin/busybox MIRAI", "mirai", 50}, {"applet not found", "mirai", 8}, {"TSource Engine Query", "mirai", 10},
	{"GETLOCALIP", "gafgyt", 25}, {"SCANNER ON | OFF", "gafgyt", 30}, {"LOLNOGTFO", "gafgyt", 40},
	{"KILLATTK", "gafgyt", 30}, {"gayfgt", "gafgyt", 50}, {"npxXoudifFeEgGaACScs", "gafgyt", 30},
	{"HOLD Flooding %s", "gafgyt", 30}, {"JUNK Flooding %s", "gafgyt", 30}, {"UDP Flooding %s", "gafgyt", 20},
	{"TCP Flooding %s", "gafgyt", 20}, {"My IP: %s", "gafgyt", 15}, {"StartTheLelz", "gafgyt", 40},
	{"sendJUNK", "gafgyt", 25}, {"sendHOLD", "gafgyt", 25}, {"commServer", "gafgyt", 25}, {"currentServer", "gafgyt", 10},
	{"getOurIP", "gafgyt", 15}, {"initConnection", "gafgyt", 10}, {"makeRandomStr", "gafgyt", 10}, {"listFork", "gafgyt", 15},
	{"TELNET LOGIN CRACKED", "gafgyt", 30}, {"BUILD %s", "gafgyt", 8}, {"PONG!", "gafgyt", 12},
	{"/Mozi.m", "mozi", 35}, {"/Mozi.a", "mozi", 35}, {"Mozi.v2", "mozi", 35}, {"dht.transmissionbt.com", "mozi", 12},
	{"router.bittorrent.com", "mozi", 8}, {"bttracker.debian.org", "mozi", 12}, {"[/idp]", "mozi", 20},
	{":TSUNAMI <target> <secs>", "tsunami", 60}, {":PAN <target> <port> <secs>", "tsunami", 50},
	{"Kaiten wa goraku", "tsunami", 60}, {"NOTICE %s :Unable to comply", "tsunami", 35}, {"kaiten.c", "tsunami", 30},
	{"BB2FA36AAA9541F0", "xorddos", 60}, {"/etc/cron.hourly/gcc.sh", "xorddos", 50}, {"/var/run/gcc.pid", "xorddos", 25},
	{"/lib/libudev.so", "xorddos", 15}, {"stratum+tcp://", "miner", 30}, {"mining.subscribe", "miner", 25},
	{"mining.authorize", "miner", 15}, {"donate-level", "miner", 25}, {"xmrig", "miner", 25}, {"cryptonight", "miner", 15},
	{"randomx", "miner", 10}, {"nicehash", "miner", 10}, {"files have been encrypted", "ransomware", 40},
	{"vssadmin delete shadows", "ransomware", 40}, {"vssadmin.exe Delete Shadows", "ransomware", 40},
	{"wbadmin delete catalog", "ransomware", 25}, {"bcdedit /set {default} recoveryenabled", "ransomware", 25},
	{"your personal decryption", "ransomware", 30}, {"README_FOR_DECRYPT", "ransomware", 40},
	{"meterpreter", "meterpreter", 25}, {"metsrv", "meterpreter", 20}, {"ReflectiveLoader", "meterpreter", 20},
	{"beacon.x64.dll", "cobaltstrike", 50}, {"beacon.dll", "cobaltstrike", 40}, {"%s as %s\\%s: %d", "cobaltstrike", 30},
	{"eval(base64_decode(", "webshell", 35}, {"eval(gzinflate(base64_decode(", "webshell", 50},
	{"@eval($_POST[", "webshell", 60}, {"shell_exec($_", "webshell", 40}, {"system\x28$_GET[", "webshell", 50},
	{"passthru($_", "webshell", 40},
};
#define TRAITS (sizeof traits / sizeof *traits)

static void families_tell(struct analysis *a, const bool found[TRAITS])
{
	for (size_t i = 0; i < TRAITS; i++) {
		unsigned points = 0;
		/* Once a family, at its first word in the table: words of one family stand together. */
		if (i && !strcmp(traits[i].family, traits[i - 1].family))
			continue;
		for (size_t k = 0; k < TRAITS; k++)
			points += found[k] && !strcmp(traits[k].family, traits[i].family) ? traits[k].points : 0;
		for (size_t k = 0; k < TRAITS && points >= POINTS_MIN; k++)
			if (found[k] && !strcmp(traits[k].family, traits[i].family))
				analysis_family(a, traits[k].family, traits[k].points, "it holds \"%s\"", traits[k].word);
	}
}

static void families_analyse(struct analysis *a, const struct part *part)
{
	const char *words[TRAITS];
	bool found[TRAITS] = {false};
	struct needles needles;
	size_t at, which, from = 0;
	for (size_t i = 0; i < TRAITS; i++)
		words[i] = traits[i].word;
	needles_of(&needles, words, TRAITS);
	while (needles_next(&needles, part->content, from, &at, &which)) {
		for (size_t k = which; k < TRAITS; k++) { /* one word may begin another */
			size_t n = strlen(words[k]);
			if (n <= part->content.len - at && !memcmp(part->content.at + at, words[k], n))
				found[k] = true;
		}
		from = at + 1;
	}
	families_tell(a, found);
}

#define SPECIMEN(bytes) {(const uint8_t *)(bytes), sizeof(bytes) - 1}
static const struct lab_specimen specimens[] = {
	{"words of Gafgyt", SPECIMEN("\x01PONG!\0GETLOCALIP\0My IP: %s\0SCANNER ON | OFF\0\x02"), "family gafgyt"},
	{"one weak word is nothing", SPECIMEN("\x01" "applet not found\0\x02"), ""},
	{0},
};

static const struct analyser families = {
	.name = "families",
	.summary = "words that families of malware are known by",
	.reference = "published sources of Mirai, Gafgyt and Kaiten; analyses of Mozi and XorDDoS",
	.phase = 3,
	.analyse = families_analyse,
	.specimens = specimens,
};
ANALYSER(families);
