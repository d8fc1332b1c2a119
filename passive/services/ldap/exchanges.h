/* Conversations of the LDAP decoy: tests, fuzz seeds and manual in one. */
#pragma once
#include "passive/service.h"

static const struct exchange ldap_exchanges[] = {
	{
		.title = "everybody may read the rootDSE, nobody what is below",
		.peer_sends = BYTES("0\x0c\x02\x01\x01`\x07\x02\x01\x03\x04\0\x80\0\x30H\x02\x01\x02\x63\x43\x04\0"
		"\x0a\x01\0\x0a\x01\0\x02\x01\0\x02\x01\0\x01\x01\0\x87\x0bobjectClass0#\x04"
		"\x0b\x64nsHostName\x04\x14supportedLDAPVersion05\x02\x01\x03\x63\x30\x04\x10"
		"\x44\x43=corp,DC=local\x0a\x01\x02\x0a\x01\0\x02\x01\0\x02\x01\0\x01\x01\0\x87"
		"\x0bobjectClass0\0\x30\x05\x02\x01\x04\x42\0"),
		.we_answer = BYTES("0\x0c\x02\x01\x01\x61\x07\x0a\x01\0\x04\0\x04\0\x30V\x02\x01\x02\x64Q\x04\0"
		"\x30M0\x1e\x04\x14supportedLDAPVersion1\x06\x04\x01\x33\x04\x01\x32\x30+\x04"
		"\x0b\x64nsHostName1\x1c\x04\x1awin-4vmmlvbjq6k.corp.local0\x0c\x02\x01\x02\x65"
		"\x07\x0a\x01\0\x04\0\x04\0\x30\x81\xa1\x02\x01\x03\x65\x81\x9b\x0a\x01\x01\x04"
		"\0\x04\x81\x93\x30\x30\x30\x30\x30\x34\x44\x43: LdapErr: DSID-0C0906E8, commen"
		"t: In order to perform this operation a successful bind must be completed on t"
		"he connection., data 0, v1db1"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"search\",\"request.target\":\"\"}\n"
		"{\"kind\":\"request.seen\",\"request.method\":\"search\",\"request.target\":\"DC=corp,DC=local\"}\n",
	},
	{
		.title = "the planted password binds, another does not",
		.peer_sends = BYTES("0$\x02\x01\x01`\x1f\x02\x01\x03\x04\x12\x43ORP\\Administrator\x80\x06\x31\x32"
		"\x33\x34\x35\x36\x30!\x02\x01\x02`\x1c\x02\x01\x03\x04\x0froot@corp.local\x80"
		"\x06xc35110j\x02\x01\x03\x63\x65\x04\x10\x44\x43=corp,DC=local\x0a\x01\x02\x0a"
		"\x01\0\x02\x01\0\x02\x01\0\x01\x01\0\xa0\x30\xa3\x13\x04\x0bobjectClass\x04"
		"\x04user\xa2\x19\xa3\x17\x04\x0bobjectClass\x04\x08\x63omputer0\x10\x04\x0esAM"
		"AccountName"),
		.we_answer = BYTES("0c\x02\x01\x01\x61^\x0a\x01\x31\x04\0\x04W80090308: LdapErr: DSID-0C0903A9, co"
		"mment: AcceptSecurityContext error, data 52e, v1db10\x0c\x02\x01\x02\x61\x07"
		"\x0a\x01\0\x04\0\x04\0\x30V\x02\x01\x03\x64Q\x04*CN=Administrator,CN=Users,DC="
		"corp,DC=local0#0!\x04\x0esAMAccountName1\x0f\x04\x0d\x41\x64ministrator0\x0c"
		"\x02\x01\x03\x65\x07\x0a\x01\0\x04\0\x04\0"),
		.events = "{\"kind\":\"login.tried\",\"login.user\":\"CORP\\\\Administrator\",\"login.accepted\":false,\"login.secret\":\"123456\"}\n"
		"{\"kind\":\"login.tried\",\"login.user\":\"root@corp.local\",\"login.accepted\":true,\"login.secret\":\"xc3511\"}\n"
		"{\"kind\":\"request.seen\",\"request.method\":\"search\",\"request.target\":\"DC=corp,DC=local\"}\n",
	},
	{
		.title = "a Java server that was told to look here",
		.peer_sends = BYTES("0\x0c\x02\x01\x01`\x07\x02\x01\x03\x04\0\x80\0\x30,\x02\x01\x02\x63'\x04\x07"
		"\x45xploit\x0a\x01\0\x0a\x01\0\x02\x01\0\x02\x01\0\x01\x01\0\x87\x0bobjectClas"
		"s0\0"),
		.we_answer = BYTES("0\x0c\x02\x01\x01\x61\x07\x0a\x01\0\x04\0\x04\0\x30\x81\xa1\x02\x01\x02\x65"
		"\x81\x9b\x0a\x01\x01\x04\0\x04\x81\x93\x30\x30\x30\x30\x30\x34\x44\x43: LdapEr"
		"r: DSID-0C0906E8, comment: In order to perform this operation a successful bin"
		"d must be completed on the connection., data 0, v1db1"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"search\",\"request.target\":\"Exploit\"}\n",
	},
	{
		.title = "NTLM in SASL gets a challenge",
		.peer_sends = BYTES("0:\x02\x01\x01`5\x02\x01\x03\x04\0\xa3.\x04\x0aGSS-SPNEGO\x04 NTLMSSP\0\x01\0"
		"\0\0\x97\x82\x08\xe2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		.we_answer = BYTES("0\x81\xf6\x02\x01\x01\x61\x81\xf0\x0a\x01\x0e\x04\0\x04\0\x87\x81\xe6NTLMSSP\0"
		"\x02\0\0\0\x08\0\x08\0\x38\0\0\0\x15\x82\x89\xe2-\xdb\xbd\xaf\xa3\x36-\x08\0\0"
		"\0\0\0\0\0\0\xa6\0\xa6\0@\0\0\0\x06\x01\xb1\x1d\0\0\0\x0f\x43\0O\0R\0P\0\x02\0"
		"\x08\0\x43\0O\0R\0P\0\x01\0\x1e\0W\0I\0N\0-\0\x34\0V\0M\0M\0L\0V\0\x42\0J\0Q\0"
		"\x36\0K\0\x04\0\x14\0\x63\0o\0r\0p\0.\0l\0o\0\x63\0\x61\0l\0\x03\0\x34\0w\0i\0"
		"n\0-\0\x34\0v\0m\0m\0l\0v\0\x62\0j\0q\0\x36\0k\0.\0\x63\0o\0r\0p\0.\0l\0o\0"
		"\x63\0\x61\0l\0\x05\0\x14\0\x63\0o\0r\0p\0.\0l\0o\0\x63\0\x61\0l\0\x07\0\x08\0"
		"\0\0\xe7\xcb\x0el\xd0\x01\0\0\0\0"),
		.events = "",
	},
	{
		.title = "what is no LDAP",
		.peer_sends = BYTES("GET / HTTP/1.0\x0d\x0a\x0d\x0a"),
		.we_answer = BYTES(""),
		.events = "",
	},
	{0},
};
