#include "control/seekers_inner.h"
#include <ctype.h>

#define TEXT_MAX 512 /* of a line that is searched */

static const struct {
	const char *word;
	unsigned weight;
} signs[SEEKER_SIGN_COUNT] = {
#define X(sign, one_word, points, sentence) [SEEKER_##sign] = {one_word, points},
	SEEKER_SIGNS(X)
#undef X
};

/*
 * In lower case.  Traces are those that published honeypots ship: the user and the dates of Cowrie's
 * and Kippo's file system, the folders of their settings, T-Pot's.
 */
static const struct {
	const char *text;
	enum seeker_sign sign;
} patterns[] = {
	{"honeypot", SEEKER_NAME},
	{"honeyd", SEEKER_NAME},
	{"cowrie", SEEKER_NAME},
	{"kippo", SEEKER_NAME},
	{"dionaea", SEEKER_NAME},
	{"conpot", SEEKER_NAME},
	{"glastopf", SEEKER_NAME},
	{"heralding", SEEKER_NAME},
	{"endlessh", SEEKER_NAME},
	{"opencanary", SEEKER_NAME},
	{"/home/richard", SEEKER_TRACE},
	{"/home/phil", SEEKER_TRACE},
	{"/data/tpot", SEEKER_TRACE},
	{"/opt/tpot", SEEKER_TRACE},
	{"honeyfs", SEEKER_TRACE},
	{"txtcmds", SEEKER_TRACE},
	{"userdb.txt", SEEKER_TRACE},
	{"grep richard", SEEKER_TRACE},
	{"grep phil", SEEKER_TRACE},
	{"id richard", SEEKER_TRACE},
	{"id phil", SEEKER_TRACE},
	{"jun22", SEEKER_TRACE},
	{"/.dockerenv", SEEKER_MACHINE},
	{"/proc/1/cgroup", SEEKER_MACHINE},
	{"/proc/1/sched", SEEKER_MACHINE},
	{"systemd-detect-virt", SEEKER_MACHINE},
	{"virt-what", SEEKER_MACHINE},
	{"dmidecode", SEEKER_MACHINE},
	{"hypervisor", SEEKER_MACHINE},
	{"/sys/class/dmi/", SEEKER_MACHINE},
	{"ping 8.8.8.8", SEEKER_OUTSIDE},
	{"ping -c 1 ", SEEKER_OUTSIDE},
	{"ping -c1 ", SEEKER_OUTSIDE},
	{"ifconfig.me", SEEKER_OUTSIDE},
	{"ipinfo.io", SEEKER_OUTSIDE},
	{"icanhazip", SEEKER_OUTSIDE},
	{"api.ipify.org", SEEKER_OUTSIDE},
	{"checkip.", SEEKER_OUTSIDE},
};

const char *seeker_word(enum seeker_sign sign) { return signs[sign].word; }

unsigned seeker_signs_of_text(struct bytes text)
{
	char lower[TEXT_MAX];
	unsigned found = 0;
	size_t n = text.len < TEXT_MAX ? text.len : TEXT_MAX;
	for (size_t i = 0; i < n; i++)
		lower[i] = (char)tolower(text.at[i]);
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
		if (memmem(lower, n, patterns[i].text, strlen(patterns[i].text)))
			found |= 1u << patterns[i].sign;
	return found;
}

/* "SSH-1337-…" and the like; who speaks another protocol to the port seeks nothing by that. */
unsigned seeker_signs_of_greeting(struct bytes version)
{
	static const char *const real[] = {"SSH-2.0-", "SSH-1.99-", "SSH-1.5-", "SSH-1.3-"};
	if (!bytes_start_with(version, "SSH-"))
		return 0;
	for (size_t i = 0; i < sizeof real / sizeof *real; i++)
		if (bytes_start_with(version, real[i]))
			return 0;
	return 1u << SEEKER_GREETING;
}

unsigned seeker_score(unsigned found)
{
	unsigned score = 0;
	for (unsigned i = 0; i < SEEKER_SIGN_COUNT; i++)
		score += found & 1u << i ? signs[i].weight : 0;
	return score < 100 ? score : 100;
}
