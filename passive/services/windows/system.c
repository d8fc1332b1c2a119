/* Editions of Windows by the numbers that they print. */
#include "passive/services/windows/system.h"
#include "passive/persona.h"

static const struct windows_system windows_systems[] = {
	{"windows-7", "Windows 7 Professional 6.1", "Windows 7 Professional 7601 Service Pack 1", 6, 1,
	 7601, 0x0210, false, false, true},
	{"windows-server-2008-r2", "Windows Server 2008 R2 Standard 6.1",
	 "Windows Server 2008 R2 Standard 7601 Service Pack 1", 6, 1, 7601, 0x0210, true, false, true},
	{"windows-server-2012-r2", "Windows Server 2012 R2 Standard 6.3",
	 "Windows Server 2012 R2 Standard 9600", 6, 3, 9600, 0x0302, true, false, true},
	{"windows-server-2016", "Windows Server 2016 Standard 6.3",
	 "Windows Server 2016 Standard 14393", 10, 0, 14393, 0x0311, true, false, true},
	{"windows-10", "Windows 10 Pro 6.3", "Windows 10 Pro 19045", 10, 0, 19041, 0x0311, false,
	 false, false},
	{"samba", "Samba 4.5.16-Debian", "Windows 6.1", 6, 1, 0, 0x0311, false, true, true},
};
const char *const windows_identity_names[] = {"as-smb",
					      "windows-7",
					      "windows-server-2008-r2",
					      "windows-server-2012-r2",
					      "windows-server-2016",
					      "windows-10",
					      "samba",
					      NULL};

uint64_t windows_number(const struct session *s, uint64_t purpose)
{
	uint64_t x = session_device_seed(s) + purpose * 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

uint64_t windows_boot_us(const struct session *s)
{
	uint64_t age_s = 86400 + windows_number(s, 1) % (40 * 86400);
	uint64_t day_us = 86400ull * 1000000;
	return session_time_us(s) / (60 * day_us) * (60 * day_us) - age_s * 1000000;
}

/* WIN- and eleven characters, on Windows 10 DESKTOP- and seven. */
static void name_of_setup(const struct session *s, const struct windows_system *system,
			  char out[16])
{
	static const char signs[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
	const char *prefix = system->samba ? "NAS-" : system->major < 10 || system->server ? "WIN-" : "DESKTOP-";
	size_t at = strlen(prefix), end = system->samba ? 10 : 15;
	uint64_t n = windows_number(s, 2);
	memcpy(out, prefix, at);
	for (; at < end; at++, n >>= 5)
		out[at] = signs[n & 31];
	out[at] = '\0';
}

static char lower_letter(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }
static char upper_letter(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 32) : c; }

/* The first label in capitals, as NetBIOS has it. */
static void short_name(const char *name, char out[16])
{
	size_t n = 0;
	for (; n < 15 && name[n] && name[n] != '.'; n++)
		out[n] = upper_letter(name[n]);
	out[n] = '\0';
}

/* This service's own, else that of the persona's file server. */
static struct windows_identity identity_of(struct session *s, const struct windows_identity *own)
{
	const struct persona *p = session_persona(s);
	struct windows_identity found = *own;
	const struct windows_identity *first = NULL;
	for (size_t i = 0; p && i < p->service_count; i++)
		if (strcmp(p->services[i].service->name, "smb") == 0)
			first = p->services[i].device;
	if (first && !found.system)
		found.system = first->system;
	if (first && !found.computer)
		found.computer = first->computer;
	if (first && !found.domain)
		found.domain = first->domain;
	return found;
}

static void computer_name(struct session *s, const struct windows_system *system,
			  const char *computer, char out[16])
{
	const struct persona *p = session_persona(s);
	char name[64] = "";
	if (computer)
		session_expand(s, computer, name, sizeof name);
	else if (p && p->hostname && p->hostname[0] != '(')
		session_expand(s, p->hostname, name, sizeof name);
	if (name[0])
		short_name(name, out);
	else
		name_of_setup(s, system, out);
}

const struct windows_system *windows_host(struct session *s, const struct windows_identity *own,
					  struct ntlm_host *out)
{
	struct windows_identity i = identity_of(s, own);
	const struct windows_system *system = &windows_systems[i.system ? i.system - 1 : 0];
	*out = (struct ntlm_host){.major = system->major, .minor = system->minor, .build = system->build};
	computer_name(s, system, i.computer, out->computer);
	if (!i.domain) {
		memcpy(out->domain, out->computer, sizeof out->domain);
		memcpy(out->dns_computer, out->computer, sizeof out->computer);
		memcpy(out->dns_domain, out->computer, sizeof out->computer);
		return system;
	}
	session_expand(s, i.domain, out->dns_domain, sizeof out->dns_domain);
	memcpy(out->dns_forest, out->dns_domain, sizeof out->dns_forest);
	short_name(out->dns_domain, out->domain);
	struct writer w = writer_of(out->dns_computer, sizeof out->dns_computer - 1);
	for (const char *c = out->computer; *c; c++)
		write_u8(&w, (uint8_t)lower_letter(*c));
	write_fmt(&w, ".%s", out->dns_domain);
	return system;
}
