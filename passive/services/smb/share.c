/*
 * Shares and the paths below them.  C: is a directory of the persona's tree when it has one
 * (/C:), else the root, else a small Windows of our own: no BusyBox shows through.
 */
#include "passive/services/smb/smb.h"
#include "passive/persona.h"

#define DIRECTORY(n, c)                                                                            \
	{.name = n, .kind = VFS_DIRECTORY, .mode = 0755, .mtime_s = 1290309900, .children = c,      \
	 .child_count = sizeof(c) / sizeof *(c)}
#define EMPTY(n) {.name = n, .kind = VFS_DIRECTORY, .mode = 0755, .mtime_s = 1247541608}
#define TEXT(n, t)                                                                                 \
	{.name = n, .kind = VFS_FILE, .mode = 0644, .mtime_s = 1244659228,                          \
	 .content = {(const uint8_t *)(t), sizeof(t) - 1}, .size = sizeof(t) - 1}

static struct vfs_entry drivers_etc[] = {
	TEXT("hosts",
	     "# Copyright (c) 1993-2009 Microsoft Corp.\r\n#\r\n"
	     "# This is a sample HOSTS file used by Microsoft TCP/IP for Windows.\r\n#\r\n"
	     "# localhost name resolution is handled within DNS itself.\r\n"
	     "#\t127.0.0.1       localhost\r\n#\t::1             localhost\r\n"),
	TEXT("networks", "loopback                 127\r\n"),
};
static struct vfs_entry drivers[] = {DIRECTORY("etc", drivers_etc)};
static struct vfs_entry system32[] = {EMPTY("Tasks"), EMPTY("config"), DIRECTORY("drivers", drivers),
				      EMPTY("spool"), EMPTY("wbem")};
static struct vfs_entry windows[] = {
	EMPTY("Fonts"), DIRECTORY("System32", system32), EMPTY("Temp"), EMPTY("inf"),
	TEXT("system.ini", "; for 16-bit app support\r\n[386Enh]\r\nwoafont=dosapp.fon\r\n\r\n"
			   "[drivers]\r\nwave=mmdrv.dll\r\ntimer=timer.drv\r\n\r\n[mci]\r\n"),
	TEXT("win.ini", "; for 16-bit app support\r\n[fonts]\r\n[extensions]\r\n[mci extensions]\r\n"
			"[files]\r\n[Mail]\r\nMAPI=1\r\n")};
static struct vfs_entry program_files[] = {EMPTY("Common Files"), EMPTY("Internet Explorer"),
					   EMPTY("Windows NT")};
static struct vfs_entry home[] = {EMPTY("Desktop"), EMPTY("Documents"), EMPTY("Downloads")};
static struct vfs_entry shared_home[] = {EMPTY("Documents"), EMPTY("Downloads"), EMPTY("Music")};
static struct vfs_entry users[] = {DIRECTORY("Administrator", home), EMPTY("Default"),
				   DIRECTORY("Public", shared_home)};
static struct vfs_entry drive_entries[] = {EMPTY("PerfLogs"),
				   DIRECTORY("Program Files", program_files),
				   DIRECTORY("Users", users), DIRECTORY("Windows", windows)};
static const struct vfs_entry own_drive = DIRECTORY("", drive_entries);

/* MS-SRVS: hidden ones of every Windows, in the order that NetrShareEnum gives them. */
static const struct smb_share_option usual_windows[] = {
	{"ADMIN$", "/Windows", "Remote Admin"},
	{"C$", "/", "Default share"},
	{"IPC$", NULL, "Remote IPC"},
	{"Users", "/Users", ""},
};
static const struct smb_share_option usual_samba[] = {
	{"public", "/Users/Public", "Public files"},
	{"IPC$", NULL, "IPC Service (Samba 4.5.16-Debian)"},
};

uint64_t smb_guid(const struct session *s, unsigned half)
{
	return windows_number(s, 10 + half);
}

struct event *smb_tell(struct session *s, struct smb *smb, const char *method, struct bytes target)
{
	if (smb->told >= SMB_EVENTS_MAX)
		return NULL;
	smb->told++;
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, bytes_of_text(method));
	if (target.len)
		event_set_bytes(e, FIELD_TARGET, target);
	return e;
}

static void shares_take(struct smb *smb, const struct smb_share_option *items, size_t count)
{
	for (size_t i = 0; i < count && smb->place.share_count < SMB_SHARES_MAX; i++) {
		size_t n = smb->place.share_count++;
		bool ipc = !items[i].path, hidden = strchr(items[i].name, '$') != NULL;
		smb->shares[n] =
			(struct rpc_share){items[i].name, items[i].comment ? items[i].comment : "",
					   (ipc ? 3u : 0u) | (hidden ? 0x80000000u : 0u)};
		smb->paths[n] = items[i].path;
	}
}

static bool tree_has(struct smb *smb, const char *path)
{
	struct vfs_node node;
	return vfs_find(&smb->vfs, bytes_of_text(path), true, &node) == 0;
}

void smb_prepare(struct session *s, struct smb *smb)
{
	const struct smb_device *d = session_device(s);
	smb->device = d;
	smb->prepared = true;
	smb->extended = true;
	smb->system = windows_host(s, &d->identity, &smb->place.host);
	smb->place.system = smb->system;
	bool samba = smb->system->samba;
	if (d->shares.count)
		shares_take(smb, d->shares.items, d->shares.count);
	else
		shares_take(smb, samba ? usual_samba : usual_windows,
			    samba ? 2 : smb->system->server ? 3 : 4);
	smb->place.shares = smb->shares;
	smb->drive = "";
	const struct persona *p;
	bool files = session_files(s, &smb->vfs, &p);
	if (files && tree_has(smb, "/C:"))
		smb->drive = "/C:";
	else if (!files || (!tree_has(smb, "/Windows") && !(d->shares.count && samba)))
		vfs_start(&smb->vfs, &own_drive, session_arena(s));
	smb->vfs.now_s = (uint32_t)(session_time_us(s) / 1000000);
	little_put(smb->challenge, session_random(s), 8);
}

/* "\\host\share": the last part counts, whatever the host is called. */
uint32_t smb_tree_connect(struct session *s, struct smb *smb, struct bytes unc, uint8_t *tree)
{
	struct bytes name = unc;
	for (size_t i = unc.len; i-- > 0;)
		if (unc.at[i] == '\\') {
			name = (struct bytes){unc.at + i + 1, unc.len - i - 1};
			break;
		}
	smb_tell(s, smb, "tree-connect", unc);
	size_t share = 0, slot = 0;
	while (share < smb->place.share_count &&
	       !names_equal(name, bytes_of_text(smb->shares[share].name)))
		share++;
	while (slot < SMB_TREES_MAX && smb->trees[slot])
		slot++;
	if (share == smb->place.share_count)
		return STATUS_BAD_NETWORK_NAME;
	if (slot == SMB_TREES_MAX)
		return STATUS_INSUFF_SERVER_RESOURCES;
	bool ipc = !smb->paths[share], hidden = smb->shares[share].type & 0x80000000u;
	if (!ipc && (smb->anonymous || (smb->guest && hidden)))
		return STATUS_ACCESS_DENIED;
	smb->trees[slot] = (uint8_t)(share + 1);
	*tree = (uint8_t)(slot + 1);
	return STATUS_SUCCESS;
}

bool smb_tree_valid(const struct smb *smb, uint32_t tree)
{
	return tree >= 1 && tree <= SMB_TREES_MAX && smb->trees[tree - 1];
}

bool smb_tree_is_pipe(const struct smb *smb, uint32_t tree)
{
	return smb_tree_valid(smb, tree) && !smb->paths[smb->trees[tree - 1] - 1];
}
