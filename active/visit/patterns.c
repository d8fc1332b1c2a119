/*
 * Words that pages with exploits, miners and false alarms are known by, in their own text, in their
 * scripts and in what those decode.  A word is a hint, never a proof: several families use the same
 * libraries as honest pages.
 */
#include "active/visit/view_inner.h"

enum { IN_SCRIPTS = 1, IN_DOM = 2, IN_CLIPBOARD = 4, IN_ACTIVEX = 8, IN_URLS = 16 };

static const struct pattern {
	const char *word, *reason;
	unsigned points, where;
	const char *what;
} patterns[] = {
	{"%u9090", "exploit", 40, IN_SCRIPTS, "a slide of no-operations, written for unescape()"},
	{"%u0c0c", "exploit", 40, IN_SCRIPTS, "an address that heap sprays aim at"},
	{"0x0c0c0c0c", "exploit", 40, IN_SCRIPTS, "an address that heap sprays aim at"},
	{"PluginDetect", "exploit-kit", 15, IN_SCRIPTS, "PluginDetect, which chooses an exploit"},
	{"application/x-java-applet", "exploit-kit", 10, IN_SCRIPTS | IN_DOM, "a Java applet"},
	{"application/x-silverlight", "exploit-kit", 10, IN_SCRIPTS | IN_DOM, "a Silverlight object"},
	{"clsid:", "exploit-kit", 10, IN_DOM, "an ActiveX object by its class"},
	{"ADODB.Stream", "exploit", 35, IN_SCRIPTS | IN_ACTIVEX | IN_DOM, "ADODB.Stream, which writes files"},
	{"WScript.Shell", "exploit", 35, IN_SCRIPTS | IN_ACTIVEX | IN_DOM, "WScript.Shell, which runs programs"},
	{"Shell.Application", "exploit", 30, IN_SCRIPTS | IN_ACTIVEX | IN_DOM, "Shell.Application, which runs programs"},
	{"Scripting.FileSystemObject", "exploit", 25, IN_SCRIPTS | IN_ACTIVEX | IN_DOM, "a scripted file system"},
	{"vbscript:", "exploit", 15, IN_DOM, "VBScript"},
	{"ms-msdt:", "exploit", 60, IN_SCRIPTS | IN_DOM, "the handler of CVE-2022-30190"},
	{"search-ms:", "exploit", 30, IN_SCRIPTS | IN_DOM, "a remote search window"},
	{"powershell", "paste-and-run", 60, IN_CLIPBOARD, "a command for PowerShell in the clipboard"},
	{"mshta", "paste-and-run", 60, IN_CLIPBOARD, "a command for mshta in the clipboard"},
	{"cmd /c", "paste-and-run", 60, IN_CLIPBOARD, "a command for the shell in the clipboard"},
	{"cmd.exe", "paste-and-run", 60, IN_CLIPBOARD, "a command for the shell in the clipboard"},
	{"curl ", "paste-and-run", 50, IN_CLIPBOARD, "a command that fetches in the clipboard"},
	{"wget ", "paste-and-run", 50, IN_CLIPBOARD, "a command that fetches in the clipboard"},
	{"osascript", "paste-and-run", 60, IN_CLIPBOARD, "a command for macOS in the clipboard"},
	{"coinhive", "miner", 40, IN_SCRIPTS | IN_URLS, "a miner's library"},
	{"cryptonight", "miner", 40, IN_SCRIPTS, "a miner's algorithm"},
	{"stratum+tcp", "miner", 40, IN_SCRIPTS, "a mining pool's protocol"},
	{"/hook.js", "browser-hook", 30, IN_URLS, "a script named as BeEF's"},
	{"beef_init", "browser-hook", 50, IN_SCRIPTS, "BeEF's script"},
};

static void hit(struct view *v, unsigned look, const struct pattern *p, const char *where)
{
	view_reason(v, look, p->reason, p->points, "%s (%s)", p->what, where);
}

static unsigned place_of(const struct visit_script *s)
{
	return !strcmp(s->origin, "clipboard") ? IN_CLIPBOARD : !strcmp(s->origin, "activex") ? IN_ACTIVEX : IN_SCRIPTS;
}

static void judge_pattern(struct view *v, unsigned look, const struct pattern *p)
{
	const struct visit_look *l = &v->looks[look];
	for (size_t i = 0; i < l->script_count; i++)
		if ((p->where & place_of(&l->scripts[i])) && bytes_find_nocase(l->scripts[i].text, p->word) < l->scripts[i].text.len) {
			hit(v, look, p, l->scripts[i].origin);
			return;
		}
	if ((p->where & IN_DOM) && bytes_find_nocase(l->dom, p->word) < l->dom.len) {
		hit(v, look, p, "page");
		return;
	}
	for (size_t i = 0; (p->where & IN_URLS) && i < l->request_count; i++)
		if (strcasestr(l->requests[i].url, p->word)) {
			hit(v, look, p, "url");
			return;
		}
}

void view_judge_patterns(struct view *v, unsigned look)
{
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
		judge_pattern(v, look, &patterns[i]);
}
