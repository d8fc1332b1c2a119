/*
 * Who comes to a page.  None of them says what it is: a page that learns of an observer shows another
 * face.  The first is who most pages expect, the second who comes from a search, the third a telephone;
 * the others come where something was hidden from the first ones, or when they are asked for.
 */
#include "active/visit/visit.h"

#define CHROME(system) "Mozilla/5.0 (" system ") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
#define SEARCH "https://www.google.com/"

const struct visit_personality visit_personalities[] = {
	{.name = "desktop", .summary = "Chrome on Windows that typed the address", .browser = VISIT_SHELL,
	 .agent = CHROME("Windows NT 10.0; Win64; x64"), .platform = "Win32", .system = "Windows",
	 .languages = "en-US,en", .width = 1366, .height = 768},
	{.name = "searcher", .summary = "Chrome on Windows that comes from a search engine, in Japanese",
	 .browser = VISIT_SHELL, .agent = CHROME("Windows NT 10.0; Win64; x64"), .platform = "Win32", .system = "Windows",
	 .languages = "ja,en-US,en", .referrer = SEARCH, .width = 1920, .height = 1080},
	{.name = "telephone", .summary = "Chrome on Android", .browser = VISIT_SHELL,
	 .agent = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36",
	 .platform = "Linux armv81", .system = "Android", .languages = "en-US,en", .referrer = SEARCH,
	 .width = 412, .height = 915, .mobile = true},
	{.name = "old", .summary = "Internet Explorer 8 on Windows 7 with old plug-ins", .browser = VISIT_SHELL,
	 .agent = "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; .NET CLR 2.0.50727)", .platform = "Win32",
	 .languages = "en-US", .referrer = SEARCH, .plugins = "flash 11.2.202, java 1.7.0, reader 10.1.4, silverlight 5.1.10411",
	 .width = 1024, .height = 768},
	{.name = "full", .summary = "the whole Chromium, where the small one is told from a person's", .browser = VISIT_FULL,
	 .agent = CHROME("Windows NT 10.0; Win64; x64"), .platform = "Win32", .system = "Windows",
	 .languages = "en-US,en", .referrer = SEARCH, .width = 1366, .height = 768},
	{.name = "tool", .summary = "curl, as devices' scripts come", .browser = VISIT_SHELL, .agent = "curl/7.88.1",
	 .platform = "Linux x86_64", .languages = "en", .width = 1024, .height = 768},
	{0},
};

const struct visit_personality *visit_personality_find(const char *name)
{
	for (const struct visit_personality *p = visit_personalities; p->name; p++)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}
