/*
 * What of a run under Wine was Wine's own doing: its libraries, its server, the services that any
 * Windows has.  What is left is the sample's, and its paths are named as Windows names them.
 */
#include "lab/run/windows.h"
#include "lab/run/windows_noise.h"

#define MEMORY_CONFIDENCE_MAX 20 /* Wine's own libraries are full of names */

static bool starts(const char *text, const char *with) { return !strncmp(text, with, strlen(with)); }

/* The part below C:\, or NULL. */
static const char *below_drive(const char *path)
{
	static const char *const roots[] = {WINDOWS_DRIVE "/drive_c/", WINDOWS_DRIVE "/dosdevices/c:/"};
	for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
		if (starts(path, roots[i]))
			return path + strlen(roots[i]);
	return NULL;
}

/* Folders of a user that Wine makes when that user is new. */
static bool is_profile(const char *below)
{
	static const char *const folders[] = {"", "/AppData", "/AppData/Local", "/AppData/Roaming", "/Temp"};
	const char *rest = starts(below, "users/") ? strchr(below + 6, '/') : NULL;
	if (starts(below, "users/") && !rest)
		return true;
	for (size_t i = 0; rest && i < sizeof folders / sizeof *folders; i++)
		if (!strcmp(rest, folders[i]))
			return true;
	return false;
}

static bool is_own_path(const char *path)
{
	static const char *const own[] = {WINDOWS_DRIVE, "/usr/", "/lib", "/etc/", "/proc/", "/sys/", "/dev/", "/tmp/wine-",
					  "/run/", "/var/", "/bin/", "/root/.cache", "/home/admin/.cache"};
	const char *below = below_drive(path);
	if (below) /* programs and libraries that are there already are looked for all the time */
		return is_profile(below) || starts(below, "windows/winsxs") || starts(below, "windows/Fonts");
	if (starts(path, WINDOWS_DRIVE "/dosdevices/z:") && !starts(path, WINDOWS_DRIVE "/dosdevices/z:" WINDOWS_DRIVE))
		return is_own_path(path + strlen(WINDOWS_DRIVE "/dosdevices/z:"));
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (starts(path, own[i]))
			return true;
	return !strcmp(path, "/tmp") || !strcmp(path, "/");
}

static bool is_own_process(const char *line)
{
	static const char *const services[] = {"wineboot.exe", "services.exe", "winedevice.exe", "plugplay.exe", "svchost.exe",
					       "explorer.exe", "rpcss.exe", "winemenubuilder.exe", "conhost.exe", "tabtip.exe"};
	if (strstr(line, "/wineserver") || !strcmp(line, "fork"))
		return true;
	for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
		char path[64];
		snprintf(path, sizeof path, "C:\\windows\\system32\\%s", services[i]);
		if (strstr(line, path))
			return true;
	}
	return false;
}

static bool is_own(const struct behaviour *b)
{
	switch (b->kind) {
	case DID_FILE:
		return is_own_path(b->subject) || !strcmp(b->what, "read");
	case DID_PROCESS:
		return is_own_process(b->subject);
	case DID_HIDE: /* Wine names each of its threads */
		return !strcmp(b->what, "renames itself");
	case DID_LISTEN:
		return !strcmp(b->what, "unix");
	default:
		return false;
	}
}

static const char *windows_name(struct arena *arena, const char *path)
{
	const char *below = below_drive(path);
	if (!below && starts(path, WINDOWS_LOADER " "))
		return path + sizeof WINDOWS_LOADER;
	if (!below)
		return path;
	size_t n = strlen(below) + sizeof "C:\\";
	char *name = arena_alloc(arena, n);
	if (!name)
		return path;
	snprintf(name, n, "C:\\%s", below);
	for (char *at = name; *at; at++)
		*at = *at == '/' ? '\\' : *at;
	return name;
}

void windows_clean(struct observed *seen, struct taken *taken, struct found *found)
{
	size_t kept = 0;
	for (size_t i = 0; i < seen->count; i++) {
		if (is_own(&seen->all[i]))
			continue;
		seen->all[kept] = seen->all[i];
		seen->all[kept].subject = windows_name(seen->arena, seen->all[kept].subject);
		kept++;
	}
	seen->count = kept;
	kept = 0;
	for (size_t i = 0; i < taken->count; i++) {
		if (is_own_path(taken->files[i].path))
			continue;
		taken->files[kept] = taken->files[i];
		taken->files[kept].path = windows_name(taken->arena, taken->files[kept].path);
		kept++;
	}
	taken->count = kept;
	for (size_t i = 0; i < found->count; i++)
		if (strstr(found->all[i].how, "memory") && found->all[i].confidence > MEMORY_CONFIDENCE_MAX)
			found->all[i].confidence = MEMORY_CONFIDENCE_MAX;
}
