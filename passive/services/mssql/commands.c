/*
 * What cmd.exe says to the commands that come through xp_cmdshell.  Nothing is run; files that
 * downloaders of Windows would fetch are named.
 */
#include "passive/services/mssql/mssql.h"

static bool starts(struct bytes line, const char *word)
{
	size_t n = strlen(word);
	return line.len >= n && !strncasecmp((const char *)line.at, word, n) &&
	       (line.len == n || line.at[n] == ' ' || line.at[n] == '/' || line.at[n] == '.');
}

/* certutil, bitsadmin, PowerShell and the like all hold the address as it is. */
static void name_addresses(struct mssql *m, struct bytes line)
{
	static const char *const schemes[] = {"http://", "https://", "ftp://"};
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		struct bytes rest = line;
		for (unsigned found = 0; found < 4; found++) {
			size_t at = bytes_find_nocase(rest, schemes[i]), n = 0;
			if (at == rest.len)
				break;
			rest = (struct bytes){rest.at + at, rest.len - at};
			while (n < rest.len && rest.at[n] > ' ' && !strchr("\"'()<>|&;,`", rest.at[n]))
				n++;
			session_name_file(m->session, (struct bytes){rest.at, n}, (struct bytes){0},
					  bytes_find_nocase(line, "certutil") < line.len    ? "certutil"
					  : bytes_find_nocase(line, "bitsadmin") < line.len ? "bitsadmin"
					  : bytes_find_nocase(line, "powershell") < line.len ? "powershell"
											     : "url");
			rest = (struct bytes){rest.at + n, rest.len - n};
		}
	}
}

static void write_systeminfo(struct mssql *m, struct writer *w)
{
	const struct windows_system *s = m->windows;
	write_fmt(w, "\nHost Name:                 %s\nOS Name:                   Microsoft %s\n", m->host.computer, s->native);
	write_fmt(w, "OS Version:                %u.%u.%u N/A Build %u\n", s->major, s->minor, s->build, s->build);
	write_text(w, "OS Manufacturer:           Microsoft Corporation\nOS Configuration:          Standalone Server\n"
		      "System Type:               x64-based PC\nTotal Physical Memory:     8,191 MB\n");
}

static void write_addresses(struct mssql *m, struct writer *w)
{
	char address[ADDRESS_TEXT_MAX];
	address_format(session_local(m->session), address);
	write_fmt(w, "\nWindows IP Configuration\n\n\nEthernet adapter Ethernet0:\n\n"
		     "   Connection-specific DNS Suffix  . : \n   IPv4 Address. . . . . . . . . . . : %s\n"
		     "   Subnet Mask . . . . . . . . . . . : 255.255.255.0\n", address);
}

static void write_echo(struct bytes line, struct writer *w)
{
	size_t from = line.len > 5 ? 5 : line.len;
	struct bytes rest = {line.at + from, line.len - from};
	size_t to = bytes_find(rest, ">");
	if (to == rest.len) {
		write_span(w, rest);
		write_text(w, "\n");
	}
}

void mssql_command(struct mssql *m, struct bytes line, struct writer *w)
{
	const struct windows_system *s = m->windows;
	static const char *const silent[] = {"cd",   "set",  "mkdir", "md",    "del",        "copy",  "attrib", "start",   "taskkill",
					     "rem",  "move", "icacls", "powershell", "cmd", "bitsadmin", "wmic", "mshta", "regsvr32",
					     "rundll32", "cscript", "wscript", "schtasks", "vssadmin"};
	line = bytes_trim(line);
	name_addresses(m, line);
	if (starts(line, "cmd") && bytes_find_nocase(line, "/c ") < line.len) {
		size_t at = bytes_find_nocase(line, "/c ") + 3;
		line = bytes_trim((struct bytes){line.at + at, line.len - at});
	}
	for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
		if (starts(line, silent[i]))
			return;
	if (starts(line, "whoami"))
		write_fmt(w, "%s\n", m->device->service_account);
	else if (starts(line, "hostname"))
		write_fmt(w, "%s\n", m->host.computer);
	else if (starts(line, "ver"))
		write_fmt(w, "\nMicrosoft Windows [Version %u.%u.%u]\n", s->major, s->minor, s->build);
	else if (starts(line, "echo"))
		write_echo(line, w);
	else if (starts(line, "ipconfig"))
		write_addresses(m, w);
	else if (starts(line, "systeminfo"))
		write_systeminfo(m, w);
	else if (starts(line, "net") || starts(line, "reg") || starts(line, "sc") || starts(line, "netsh"))
		write_text(w, starts(line, "net") ? "The command completed successfully.\n\n"
						  : "The operation completed successfully.\n");
	else if (starts(line, "certutil"))
		write_text(w, "****  Online  ****\nCertUtil: -URLCache command completed successfully.\n");
	else if (starts(line, "dir"))
		write_fmt(w, " Volume in drive C has no label.\n Volume Serial Number is %04X-%04X\n\n Directory of "
			     "C:\\Windows\\system32\n\nFile Not Found\n",
			  (unsigned)(windows_number(m->session, 1) & 0xffff), (unsigned)(windows_number(m->session, 2) & 0xffff));
	else if (starts(line, "type"))
		write_text(w, "The system cannot find the file specified.\n");
	else if (starts(line, "tasklist"))
		write_text(w, "\nImage Name                     PID Session Name        Session#    Mem Usage\n"
			      "========================= ======== ================ =========== ============\n"
			      "System Idle Process              0 Services                   0          8 K\n"
			      "System                           4 Services                   0        144 K\n"
			      "sqlservr.exe                  1840 Services                   0    412,304 K\n");
	else {
		size_t n = bytes_find(line, " ");
		write_fmt(w, "'%.*s' is not recognized as an internal or external command,\noperable program or batch file.\n",
			  (int)(n < 128 ? n : 128), (const char *)line.at);
	}
}
