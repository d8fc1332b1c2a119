/* Conversations with the file server: scans, exploits, log-ins, and greetings gone wrong. */
#include "passive/smb/smb.h"

const struct exchange smb_exchanges[] = {
	{
		.title = "a scan asks for MS17-010 and for DoublePulsar",
		.peer_sends = BYTES("\0\0\0/\xffSMBr\0\0\0\0\x18\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\0"
		"\x01\0\0\x0c\0\x02NT LM 0.12\0\0\0\0\x88\xffSMBs\0\0\0\0\x18\x01\xc0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\xff\xfe\0\0\x02\0\x0d\xff\0\0\0\x04\x11\x0a\0\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\xd4\0\0\0K\0\0\0\0\0\0W\0i\0n\0\x64\0o\0w\0s\0 \0\x32\0\x30\0"
		"\x30\0\x30\0 \0\x32\0\x31\0\x39\0\x35\0\0\0W\0i\0n\0\x64\0o\0w\0s\0 \0\x32\0"
		"\x30\0\x30\0\x30\0 \0\x35\0.\0\x30\0\0\0\0\0\0V\xffSMBu\0\0\0\0\x18\x01\xc0\0"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\x08\x03\0\x04\xff\0\0\0\0\0\x01\0+\0\0\\"
		"\0\\\0\x31\0\x39\0\x32\0.\0\x30\0.\0\x32\0.\0\x32\0\x33\0\\\0I\0P\0\x43\0$\0\0"
		"\0\x3f\x3f\x3f\x3f\x3f\0\0\0\0J\xffSMB%\0\0\0\0\x18\x01@\0\0\0\0\0\0\0\0\0\0\0"
		"\0\x01\0\xff\xfe\0\x08\x04\0\x10\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0"
		"\0J\0\0\0J\0\x02\0#\0\0\0\x07\0\\PIPE\\\0\0\0\0M\xffSMB2\0\0\0\0\x18\x07\xc0\0"
		"\0\0\0\0\0\0\0\0\0\0\0\x01\0\xff\xfe\0\x08\x41\0\x0f\x0c\0\0\0\x01\0\0\0\0\0\0"
		"\0\x01\x34\xee\0\0\0\x0c\0\x41\0\0\0M\0\x01\0\x0e\0\x0c\0\0\0\0\0\0\0\0\0\0\0"
		"\0\0"),
		.we_answer = BYTES("\0\0\0\x81\xffSMBr\0\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\0"
		"\x01\0\x11\0\0\x03\x32\0\x01\0\x04\x11\0\0\0\0\x01\0\0\0\0\0\xfc\xe3\x01\0\0\0"
		"\xe7\xcb\x0el\xd0\x01\0\0\x08<\0-\xdb\xbd\xaf\xa3\x36-\x08W\0O\0R\0K\0G\0R\0O"
		"\0U\0P\0\0\0W\0I\0N\0-\0\x34\0V\0M\0M\0L\0V\0\x42\0J\0Q\0\x36\0K\0\0\0\0\0\0"
		"\xca\xffSMBs\0\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\x08\x02"
		"\0\x03\xff\0\0\0\0\0\xa1\0\0W\0i\0n\0\x64\0o\0w\0s\0 \0\x37\0 \0P\0r\0o\0\x66"
		"\0\x65\0s\0s\0i\0o\0n\0\x61\0l\0 \0\x37\0\x36\0\x30\0\x31\0 \0S\0\x65\0r\0v\0i"
		"\0\x63\0\x65\0 \0P\0\x61\0\x63\0k\0 \0\x31\0\0\0W\0i\0n\0\x64\0o\0w\0s\0 \0"
		"\x37\0 \0P\0r\0o\0\x66\0\x65\0s\0s\0i\0o\0n\0\x61\0l\0 \0\x36\0.\0\x31\0\0\0W"
		"\0O\0R\0K\0G\0R\0O\0U\0P\0\0\0\0\0\0\x30\xffSMBu\0\0\0\0\x98\x01\xc0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\x01\0\xff\xfe\0\x08\x03\0\x03\xff\0\0\0\x01\0\x07\0IPC\0\0\0\0"
		"\0\0\0#\xffSMB%\x05\x02\0\xc0\x98\x01@\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\xff\xfe\0"
		"\x08\x04\0\0\0\0\0\0\0#\xffSMB2\x02\0\0\xc0\x98\x03\xc0\0\0\xa9\xa2\xc0\xef"
		"\x01\0\0\0\0\0\x01\0\xff\xfe\0\x08Q\0\0\0\0"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"negotiate\",\"request.target\":\"NT LM 0.12\"}\n"
		"{\"kind\":\"login.tried\",\"login.user\":\"\",\"login.secret\":\"\",\"login.accepted\":true}\n"
		"{\"kind\":\"request.seen\",\"request.method\":\"tree-connect\",\"request.target\":\"\\\\\\\\192.0.2.23\\\\IPC$\"}\n"
		"{\"kind\":\"request.seen\",\"request.method\":\"peek-named-pipe\",\"rule\":\"ms17-010-probe\"}\n"
		"{\"kind\":\"request.seen\",\"request.method\":\"trans2-session-setup\",\"request.target\":\"ping\",\"rule\":\"doublepulsar\"}\n",
	},
	{
		.title = "what DoublePulsar is given lies under its key, and is captured",
		.peer_sends = BYTES("\0\0\0/\xffSMBr\0\0\0\0\x18\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\0"
		"\x01\0\0\x0c\0\x02NT LM 0.12\0\0\0\0\x88\xffSMBs\0\0\0\0\x18\x01\xc0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\xff\xfe\0\0\x02\0\x0d\xff\0\0\0\x04\x11\x0a\0\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\xd4\0\0\0K\0\0\0\0\0\0W\0i\0n\0\x64\0o\0w\0s\0 \0\x32\0\x30\0"
		"\x30\0\x30\0 \0\x32\0\x31\0\x39\0\x35\0\0\0W\0i\0n\0\x64\0o\0w\0s\0 \0\x32\0"
		"\x30\0\x30\0\x30\0 \0\x35\0.\0\x30\0\0\0\0\0\0V\xffSMBu\0\0\0\0\x18\x01\xc0\0"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\x08\x03\0\x04\xff\0\0\0\0\0\x01\0+\0\0\\"
		"\0\\\0\x31\0\x39\0\x32\0.\0\x30\0.\0\x32\0.\0\x32\0\x33\0\\\0I\0P\0\x43\0$\0\0"
		"\0\x3f\x3f\x3f\x3f\x3f\0\0\0\0\x61\xffSMB2\0\0\0\0\x18\x07\xc0\0\0\0\0\0\0\0\0"
		"\0\0\0\0\x01\0\xff\xfe\0\x08\x41\0\x0f\x0c\0\x14\0\x01\0\0\0\0\0\0\0%\x89\x1a"
		"\0\0\0\x0c\0\x41\0\x14\0M\0\x01\0\x0e\0 \0\x98\xc4\xc4\x8c\x98\xc4\xc4\x8c\x8c"
		"\xc4\xc4\x8c\xc1\x9e\xe4\xfc\xed\xbd\xa8\xe3\xed\xa0\xe4\xe3\xea\xe4\xa5\xac"
		"\xfb\xab\xb6\xe1"),
		.we_answer = BYTES("\0\0\0\x81\xffSMBr\0\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\0"
		"\x01\0\x11\0\0\x03\x32\0\x01\0\x04\x11\0\0\0\0\x01\0\0\0\0\0\xfc\xe3\x01\0\0\0"
		"\xe7\xcb\x0el\xd0\x01\0\0\x08<\0-\xdb\xbd\xaf\xa3\x36-\x08W\0O\0R\0K\0G\0R\0O"
		"\0U\0P\0\0\0W\0I\0N\0-\0\x34\0V\0M\0M\0L\0V\0\x42\0J\0Q\0\x36\0K\0\0\0\0\0\0"
		"\xca\xffSMBs\0\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\x08\x02"
		"\0\x03\xff\0\0\0\0\0\xa1\0\0W\0i\0n\0\x64\0o\0w\0s\0 \0\x37\0 \0P\0r\0o\0\x66"
		"\0\x65\0s\0s\0i\0o\0n\0\x61\0l\0 \0\x37\0\x36\0\x30\0\x31\0 \0S\0\x65\0r\0v\0i"
		"\0\x63\0\x65\0 \0P\0\x61\0\x63\0k\0 \0\x31\0\0\0W\0i\0n\0\x64\0o\0w\0s\0 \0"
		"\x37\0 \0P\0r\0o\0\x66\0\x65\0s\0s\0i\0o\0n\0\x61\0l\0 \0\x36\0.\0\x31\0\0\0W"
		"\0O\0R\0K\0G\0R\0O\0U\0P\0\0\0\0\0\0\x30\xffSMBu\0\0\0\0\x98\x01\xc0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\x01\0\xff\xfe\0\x08\x03\0\x03\xff\0\0\0\x01\0\x07\0IPC\0\0\0\0"
		"\0\0\0#\xffSMB2\x02\0\0\xc0\x98\x03\xc0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\xff\xfe"
		"\0\x08Q\0\0\0\0"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"negotiate\",\"request.target\":\"NT LM 0.12\"}\n"
		"{\"kind\":\"login.tried\",\"login.user\":\"\",\"login.secret\":\"\",\"login.accepted\":true}\n"
		"{\"kind\":\"request.seen\",\"request.method\":\"tree-connect\",\"request.target\":\"\\\\\\\\192.0.2.23\\\\IPC$\"}\n"
		"{\"kind\":\"request.seen\",\"request.method\":\"trans2-session-setup\",\"request.target\":\"execute\",\"rule\":\"doublepulsar\"}\n"
		"{\"kind\":\"file.captured\",\"file.how\":\"doublepulsar\",\"file.size\":20}\n",
	},
	{
		.title = "the planted password is proved in NTLMv1, another not",
		.peer_sends = BYTES("\0\0\0/\xffSMBr\0\0\0\0\x18\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\0"
		"\x01\0\0\x0c\0\x02NT LM 0.12\0\0\0\0\xd2\xffSMBs\0\0\0\0\x18\x01\xc0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\xff\xfe\0\0\x02\0\x0d\xff\0\0\0\x04\x11\x0a\0\0\0\0\0\0\0"
		"\x18\0\x18\0\0\0\0\0\xd4\0\0\0\x95\0\x0c\x15\xbbQm\xc5\x32\x02\xf0\xe5\xfb*A"
		"\x02W\xc4\x18\x9bR7\xc6\xc6\x62\x66\xe2\xa5\xc5h\x1f\x87\xec\x11\x1e!\x08)."
		"\xf2]F\x98L\x9e\x81\xdf]\xf8\xdc\0r\0o\0o\0t\0\0\0W\0O\0R\0K\0G\0R\0O\0U\0P\0"
		"\0\0W\0i\0n\0\x64\0o\0w\0s\0 \0\x32\0\x30\0\x30\0\x30\0 \0\x32\0\x31\0\x39\0"
		"\x35\0\0\0W\0i\0n\0\x64\0o\0w\0s\0 \0\x32\0\x30\0\x30\0\x30\0 \0\x35\0.\0\x30"
		"\0\0\0\0\0\0\xe4\xffSMBs\0\0\0\0\x18\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff"
		"\xfe\0\0\x02\0\x0d\xff\0\0\0\x04\x11\x0a\0\0\0\0\0\0\0\x18\0\x18\0\0\0\0\0\xd4"
		"\0\0\0\xa7\0\x66\x62\xc6\xc6\x37R\x9b\x18\xc4W\x02\x41*\xfb\xe5\xf0\x02\x32"
		"\xc5mQ\xbb\x15\x0c\xdc\xf8]\xdf\x81\x9eL\x98\x46]\xf2.)\x08!\x1e\x11\xec\x87"
		"\x1fh\xc5\xa5\xe2\0\x41\0\x64\0m\0i\0n\0i\0s\0t\0r\0\x61\0t\0o\0r\0\0\0W\0O\0R"
		"\0K\0G\0R\0O\0U\0P\0\0\0W\0i\0n\0\x64\0o\0w\0s\0 \0\x32\0\x30\0\x30\0\x30\0 \0"
		"\x32\0\x31\0\x39\0\x35\0\0\0W\0i\0n\0\x64\0o\0w\0s\0 \0\x32\0\x30\0\x30\0\x30"
		"\0 \0\x35\0.\0\x30\0\0\0"),
		.we_answer = BYTES("\0\0\0\x81\xffSMBr\0\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\0"
		"\x01\0\x11\0\0\x03\x32\0\x01\0\x04\x11\0\0\0\0\x01\0\0\0\0\0\xfc\xe3\x01\0\0\0"
		"\xe7\xcb\x0el\xd0\x01\0\0\x08<\0-\xdb\xbd\xaf\xa3\x36-\x08W\0O\0R\0K\0G\0R\0O"
		"\0U\0P\0\0\0W\0I\0N\0-\0\x34\0V\0M\0M\0L\0V\0\x42\0J\0Q\0\x36\0K\0\0\0\0\0\0"
		"\xca\xffSMBs\0\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\x08\x02"
		"\0\x03\xff\0\0\0\0\0\xa1\0\0W\0i\0n\0\x64\0o\0w\0s\0 \0\x37\0 \0P\0r\0o\0\x66"
		"\0\x65\0s\0s\0i\0o\0n\0\x61\0l\0 \0\x37\0\x36\0\x30\0\x31\0 \0S\0\x65\0r\0v\0i"
		"\0\x63\0\x65\0 \0P\0\x61\0\x63\0k\0 \0\x31\0\0\0W\0i\0n\0\x64\0o\0w\0s\0 \0"
		"\x37\0 \0P\0r\0o\0\x66\0\x65\0s\0s\0i\0o\0n\0\x61\0l\0 \0\x36\0.\0\x31\0\0\0W"
		"\0O\0R\0K\0G\0R\0O\0U\0P\0\0\0\0\0\0#\xffSMBsm\0\0\xc0\x98\x01\xc0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\xff\xfe\0\0\x02\0\0\0\0"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"negotiate\",\"request.target\":\"NT LM 0.12\"}\n"
		"{\"kind\":\"login.tried\",\"login.user\":\"root\",\"login.secret\":\"xc3511\",\"login.proof\":\"root::WORKGROUP:0c15bb516dc53202f0e5fb2a410257c4189b5237c6c66266:e2a5c5681f87ec111e2108292ef25d46984c9e81df5df8dc:2ddbbdafa3362d08\",\"login.accepted\":true}\n"
		"{\"kind\":\"login.tried\",\"login.user\":\"Administrator\",\"login.proof\":\"Administrator::WORKGROUP:6662c6c637529b18c45702412afbe5f00232c56d51bb150c:dcf85ddf819e4c98465df22e2908211e11ec871f68c5a5e2:2ddbbdafa3362d08\",\"login.accepted\":false}\n",
	},
	{
		.title = "an exploit of MS17-010: a transaction larger than it can be",
		.peer_sends = BYTES("\0\0\0/\xffSMBr\0\0\0\0\x18\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\0"
		"\x01\0\0\x0c\0\x02NT LM 0.12\0\0\0\0\x88\xffSMBs\0\0\0\0\x18\x01\xc0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\xff\xfe\0\0\x02\0\x0d\xff\0\0\0\x04\x11\x0a\0\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\xd4\0\0\0K\0\0\0\0\0\0W\0i\0n\0\x64\0o\0w\0s\0 \0\x32\0\x30\0"
		"\x30\0\x30\0 \0\x32\0\x31\0\x39\0\x35\0\0\0W\0i\0n\0\x64\0o\0w\0s\0 \0\x32\0"
		"\x30\0\x30\0\x30\0 \0\x35\0.\0\x30\0\0\0\0\0\0V\xffSMBu\0\0\0\0\x18\x01\xc0\0"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\x08\x03\0\x04\xff\0\0\0\0\0\x01\0+\0\0\\"
		"\0\\\0\x31\0\x39\0\x32\0.\0\x30\0.\0\x32\0.\0\x32\0\x33\0\\\0I\0P\0\x43\0$\0\0"
		"\0\x3f\x3f\x3f\x3f\x3f\0\0\0\0n\xffSMB\xa0\0\0\0\0\x18\x07\xc0\0\0\0\0\0\0\0\0"
		"\0\0\0\0\x01\0\xff\xfe\0\x08@\0\x14\x01\0\0\x1e\0\0\0\xd0\x03\x01\0\x1e\0\0\0"
		"\0\0\0\0\x1e\0\0\0K\0\0\0\x04\0\0\0h\0\0\0\x01\0\0\0\0#\0\0\0\0\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x41\x41\x41\x41"),
		.we_answer = BYTES("\0\0\0\x81\xffSMBr\0\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\0"
		"\x01\0\x11\0\0\x03\x32\0\x01\0\x04\x11\0\0\0\0\x01\0\0\0\0\0\xfc\xe3\x01\0\0\0"
		"\xe7\xcb\x0el\xd0\x01\0\0\x08<\0-\xdb\xbd\xaf\xa3\x36-\x08W\0O\0R\0K\0G\0R\0O"
		"\0U\0P\0\0\0W\0I\0N\0-\0\x34\0V\0M\0M\0L\0V\0\x42\0J\0Q\0\x36\0K\0\0\0\0\0\0"
		"\xca\xffSMBs\0\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\x08\x02"
		"\0\x03\xff\0\0\0\0\0\xa1\0\0W\0i\0n\0\x64\0o\0w\0s\0 \0\x37\0 \0P\0r\0o\0\x66"
		"\0\x65\0s\0s\0i\0o\0n\0\x61\0l\0 \0\x37\0\x36\0\x30\0\x31\0 \0S\0\x65\0r\0v\0i"
		"\0\x63\0\x65\0 \0P\0\x61\0\x63\0k\0 \0\x31\0\0\0W\0i\0n\0\x64\0o\0w\0s\0 \0"
		"\x37\0 \0P\0r\0o\0\x66\0\x65\0s\0s\0i\0o\0n\0\x61\0l\0 \0\x36\0.\0\x31\0\0\0W"
		"\0O\0R\0K\0G\0R\0O\0U\0P\0\0\0\0\0\0\x30\xffSMBu\0\0\0\0\x98\x01\xc0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\x01\0\xff\xfe\0\x08\x03\0\x03\xff\0\0\0\x01\0\x07\0IPC\0\0\0\0"
		"\0\0\0#\xffSMB\xa0\0\0\0\0\x98\x03\xc0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\xff\xfe\0"
		"\x08@\0\0\0\0"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"negotiate\",\"request.target\":\"NT LM 0.12\"}\n"
		"{\"kind\":\"login.tried\",\"login.user\":\"\",\"login.secret\":\"\",\"login.accepted\":true}\n"
		"{\"kind\":\"request.seen\",\"request.method\":\"tree-connect\",\"request.target\":\"\\\\\\\\192.0.2.23\\\\IPC$\"}\n"
		"{\"kind\":\"request.seen\",\"request.method\":\"nt-transact\",\"rule\":\"eternalblue\"}\n"
		"{\"kind\":\"file.captured\",\"file.how\":\"smb-transaction\",\"file.size\":4}\n",
	},
	{
		.title = "SMB 2: the highest dialect that both have",
		.peer_sends = BYTES("\0\0\0n\xfeSMB@\0\0\0\0\0\0\0\0\0\x1f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff"
		"\xfe\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0$\0\x05\0\x01"
		"\0\0\0\x7f\0\0\0\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
		"\x01\0\0\0\0\0\0\0\0\x02\x02\x10\x02\0\x03\x02\x03\x11\x03"),
		.we_answer = BYTES("\0\0\0\xaa\xfeSMB@\0\0\0\0\0\0\0\0\0\x1f\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\xff\xfe\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x41\0\x01"
		"\0\x10\x02\0\0\x1b\xe4\x18\x63\xc3\xbf\xe3}\xc7\xe8*{\x8d\x42\x8d\xcb\x07\0\0"
		"\0\0\0\x10\0\0\0\x10\0\0\0\x10\0\0\0\xe7\xcb\x0el\xd0\x01\0L#\xac|E\xd0\x01"
		"\x80\0*\0\0\0\0\0`(\x06\x06+\x06\x01\x05\x05\x02\xa0\x1e\x30\x1c\xa0\x1a\x30"
		"\x18\x06\x0a+\x06\x01\x04\x01\x82\x37\x02\x02\x1e\x06\x0a+\x06\x01\x04\x01\x82"
		"\x37\x02\x02\x0a"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"negotiate\",\"request.target\":\"SMB 2.1\"}\n",
	},
	{
		.title = "before a log-in there is no tree",
		.peer_sends = BYTES("\0\0\0/\xffSMBr\0\0\0\0\x18\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\0"
		"\x01\0\0\x0c\0\x02NT LM 0.12\0\0\0\0@\xffSMBu\0\0\0\0\x18\x01\xc0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\xff\xfe\0\0\x03\0\x04\xff\0\0\0\0\0\x01\0\x15\0\0\\\0\\\0x\0"
		"\\\0\x43\0$\0\0\0\x3f\x3f\x3f\x3f\x3f\0\0\0\0#\xffSMB\x99\0\0\0\0\x18\x01\xc8"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\0\x01\0\0\0\0"),
		.we_answer = BYTES("\0\0\0\x81\xffSMBr\0\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\0"
		"\x01\0\x11\0\0\x03\x32\0\x01\0\x04\x11\0\0\0\0\x01\0\0\0\0\0\xfc\xe3\x01\0\0\0"
		"\xe7\xcb\x0el\xd0\x01\0\0\x08<\0-\xdb\xbd\xaf\xa3\x36-\x08W\0O\0R\0K\0G\0R\0O"
		"\0U\0P\0\0\0W\0I\0N\0-\0\x34\0V\0M\0M\0L\0V\0\x42\0J\0Q\0\x36\0K\0\0\0\0\0\0#"
		"\xffSMBu\x02\0[\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\0\x03\0\0"
		"\0\0\0\0\0#\xffSMB\x99\x02\0[\0\x98\x01\xc8\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff"
		"\xfe\0\0\x01\0\0\0\0"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"negotiate\",\"request.target\":\"NT LM 0.12\"}\n",
	},
	{
		.title = "NetBIOS session first, then what is no SMB",
		.peer_sends = BYTES("\x81\0\0\x44 CKFDENECFDEFFCFGEFFCCACACACACACA\0 EMEPEDEBEMEIEPFDFECACACACACACA"
		"AA\0GET / HTTP/1.0\x0d\x0a\x0d\x0a"),
		.we_answer = BYTES("\x82\0\0\0"),
		.events = "",
	},
	{
		.title = "MS08-067: a path that climbs above its root is refused and kept",
		.peer_sends = BYTES(
		"\0\0\0/\xffSMBr\0\0\0\0\x18\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\0"
		"\x01\0\0\x0c\0\x02NT LM 0.12\0\0\0\0\x88\xffSMBs\0\0\0\0\x18\x01\xc0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\xff\xfe\0\0\x02\0\x0d\xff\0\0\0\x04\x11\x0a\0\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\xd4\0\0\0K\0\0\0\0\0\0W\0i\0n\0d\0o\0w\0s\0 \x00\x32\x00\x30"
		"\x00\x30\x00\x30\0 \x00\x32\x00\x31\09\x00\x35\0\0\0W\0i\0n\0d\0o\0w\0s\0 \x00"
		"\x32\x00\x30\x00\x30\x00\x30\0 \x00\x35\0.\x00\x30\0\0\0\0\0\0V\xffSMBu\0\0\0"
		"\0\x18\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\x08\x03\0\x04\xff\0\0\0\0"
		"\0\x01\0+\0\0\\\0\\\x00\x31\09\x00\x32\0.\x00\x30\0.\x00\x32\0.\x00\x32\x00"
		"\x33\0\\\0I\0P\0C\0$\0\0\0\x3f\x3f\x3f\x3f\x3f\0\0\0\0f\xffSMB\xa2\0\0\0\0\x18"
		"\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\xff\xfe\0\x08\x04\0\x18\xff\0\0\0\0\x12"
		"\0\0\0\0\0\0\0\0\0\x9f\x01\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x03\0\0\0\x01\0\0\0@"
		"\0\0\0\x02\0\0\0\0\x13\0\0\\\0b\0r\0o\0w\0s\0e\0r\0\0\0\0\0\0\x9c\xffSMB%\0\0"
		"\0\0\x18\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\xff\xfe\0\x08\x05\0\x10\0\0H\0"
		"\0\0\xb8\x10\0\0\0\0\0\0\0\0\0\0\0\0T\0H\0T\0\x02\0&\0\x01\0Y\0\0\\\0P\0I\0P\0"
		"E\0\\\0\0\0\0\0\x05\0\x0b\x03\x10\0\0\0H\0\0\0\x01\0\0\0\xb8\x10\xb8\x10\0\0\0"
		"\0\x01\0\0\0\0\0\x01\0\xc8O2Kp\x16\xd3\x01\x12xZG\xbfn\xe1\x88\x03\0\0\0\x04]"
		"\x88\x8a\xeb\x1c\xc9\x11\x9f\xe8\x08\0+\x10H`\x02\0\0\0\0\0\x01\x04\xffSMB%\0"
		"\0\0\0\x18\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\xff\xfe\0\x08\x06\0\x10\0\0"
		"\xb0\0\0\0\xb8\x10\0\0\0\0\0\0\0\0\0\0\0\0T\0\xb0\0T\0\x02\0&\0\x01\0\xc1\0\0"
		"\\\0P\0I\0P\0E\0\\\0\0\0\0\0\x05\0\0\x03\x10\0\0\0\xb0\0\0\0\x02\0\0\0\x98\0\0"
		"\0\0\0\x1f\0\0\0\x02\0\x0b\0\0\0\0\0\0\0\x0b\0\0\x00\x31\09\x00\x32\0.\x00\x30"
		"\0.\x00\x32\0.\x00\x32\x00\x33\0\0\0\0\0#\0\0\0\0\0\0\0#\0\0\0\\\0AAAAAAAAAAAA"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAA\\\0.\0.\0\\\0.\0.\0\\\0A\0B\0C\0D\0\x90\x90\xeb"
		"\x02\0\0\0\0\xc0\x02\0\0\x02\0\0\0\0\0\0\0\x02\0\0\0\\\0\0\0\x01\0\0\0\0\0\0\0"),
		.we_answer = BYTES(
		"\0\0\0\x81\xffSMBr\0\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\0"
		"\x01\0\x11\0\0\x03\x32\0\x01\0\x04\x11\0\0\0\0\x01\0\0\0\0\0\xfc\xe3\x01\0\0\0"
		"\xe7\xcb\x0el\xd0\x01\0\0\x08<\0-\xdb\xbd\xaf\xa3\x36-\x08W\0O\0R\0K\0G\0R\0O"
		"\0U\0P\0\0\0W\0I\0N\0-\x00\x34\0V\0M\0M\0L\0V\0B\0J\0Q\x00\x36\0K\0\0\0\0\0\0"
		"\xca\xffSMBs\0\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\x08\x02"
		"\0\x03\xff\0\0\0\0\0\xa1\0\0W\0i\0n\0d\0o\0w\0s\0 \x00\x37\0 \0P\0r\0o\0f\0e\0"
		"s\0s\0i\0o\0n\0a\0l\0 \x00\x37\x00\x36\x00\x30\x00\x31\0 \0S\0e\0r\0v\0i\0c\0e"
		"\0 \0P\0a\0c\0k\0 \x00\x31\0\0\0W\0i\0n\0d\0o\0w\0s\0 \x00\x37\0 \0P\0r\0o\0f"
		"\0e\0s\0s\0i\0o\0n\0a\0l\0 \x00\x36\0.\x00\x31\0\0\0W\0O\0R\0K\0G\0R\0O\0U\0P"
		"\0\0\0\0\0\x00\x30\xffSMBu\0\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0"
		"\xff\xfe\0\x08\x03\0\x03\xff\0\0\0\x01\0\x07\0IPC\0\0\0\0\0\0\0g\xffSMB\xa2\0"
		"\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\xff\xfe\0\x08\x04\0\"\xff\0\0"
		"\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\0\0\0\x80\0\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\xff\x05\0\0\0\0\0\0|"
		"\xffSMB%\0\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\xff\xfe\0\x08\x05\0"
		"\x0a\0\0D\0\0\0\0\08\0\0\0D\08\0\0\0\0\0E\0\0\x05\0\x0c\x03\x10\0\0\0D\0\0\0"
		"\x01\0\0\0\xb8\x10\xb8\x10\xc4+\x08\0\x0e\0\\PIPE\\browser\0\x01\0\0\0\0\0\0\0"
		"\x04]\x88\x8a\xeb\x1c\xc9\x11\x9f\xe8\x08\0+\x10H`\x02\0\0\0\0\0\0\\\xffSMB%\0"
		"\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\xff\xfe\0\x08\x06\0\x0a\0\0$"
		"\0\0\0\0\08\0\0\0$\08\0\0\0\0\0%\0\0\x05\0\x02\x03\x10\0\0\0$\0\0\0\x02\0\0\0"
		"\x0c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0{\0\0\0"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"negotiate\",\"request.target\":\"NT LM 0.12\"}\n"
		"{\"kind\":\"login.tried\",\"login.user\":\"\",\"login.secret\":\"\",\"login.accepted\":true}\n"
		"{\"kind\":\"request.seen\",\"request.method\":\"tree-connect\",\"request.target\":\"\\\\\\\\192.0.2.23\\\\IPC$\"}\n"
		"{\"kind\":\"request.seen\",\"request.method\":\"pipe-open\",\"request.target\":\"browser\"}\n"
		"{\"kind\":\"request.seen\",\"request.method\":\"bind\",\"request.target\":\"4b324fc8-1670-01d3-1278-5a47bf6ee188 v3.0 srvsvc\"}\n"
		"{\"kind\":\"command.sent\",\"command.line\":\"srvsvc 31 NetprPathCanonicalize\"}\n"
		"{\"kind\":\"command.sent\",\"command.line\":\"srvsvc: a path with \\\"\\\\..\\\"\",\"rule\":\"ms08-067\"}\n"
		"{\"kind\":\"file.captured\",\"file.size\":70,\"file.how\":\"ms08-067\"}\n",
	},
	{
		.title = "EternalRomance: a raw write into an open transaction, a rename by transaction",
		.peer_sends = BYTES(
		"\0\0\0/\xffSMBr\0\0\0\0\x18\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\0"
		"\x01\0\0\x0c\0\x02NT LM 0.12\0\0\0\0\x88\xffSMBs\0\0\0\0\x18\x01\xc0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\xff\xfe\0\0\x02\0\x0d\xff\0\0\0\x04\x11\x0a\0\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\xd4\0\0\0K\0\0\0\0\0\0W\0i\0n\0d\0o\0w\0s\0 \x00\x32\x00\x30"
		"\x00\x30\x00\x30\0 \x00\x32\x00\x31\09\x00\x35\0\0\0W\0i\0n\0d\0o\0w\0s\0 \x00"
		"\x32\x00\x30\x00\x30\x00\x30\0 \x00\x35\0.\x00\x30\0\0\0\0\0\0V\xffSMBu\0\0\0"
		"\0\x18\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\x08\x03\0\x04\xff\0\0\0\0"
		"\0\x01\0+\0\0\\\0\\\x00\x31\09\x00\x32\0.\x00\x30\0.\x00\x32\0.\x00\x32\x00"
		"\x33\0\\\0I\0P\0C\0$\0\0\0\x3f\x3f\x3f\x3f\x3f\0\0\0\0f\xffSMB\xa2\0\0\0\0\x18"
		"\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\xff\xfe\0\x08\x04\0\x18\xff\0\0\0\0\x12"
		"\0\0\0\0\0\0\0\0\0\x9f\x01\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x03\0\0\0\x01\0\0\0@"
		"\0\0\0\x02\0\0\0\0\x13\0\0\\\0b\0r\0o\0w\0s\0e\0r\0\0\0\0\0\0d\xffSMB%\0\0\0\0"
		"\x18\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\xff\xfe\0\x08\x01\0\x10\0\0@\0\0\0"
		"\xb8\x10\0\0\0\0\0\0\0\0\0\0\0\0T\0\x10\0T\0\x02\0&\0\x01\0!\0\0\\\0P\0I\0P\0E"
		"\0\\\0\0\0\0\0AAAAAAAAAAAAAAAA\0\0\0M\xffSMB/\0\0\0\0\x18\x01\xc0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\x01\0\xff\xfe\0\x08\x07\0\x0c\xff\0\0\0\x01\0\0\0\0\0\0\0\0\0\x04"
		"\0\0\0\0\0\x12\0;\0\x12\0\x12\x12\x12\x12\x12\x12\x12\x12\x12\x12\x12\x12\x12"
		"\x12\x12\x12\x12\x12\0\0\0c\xffSMB&\0\0\0\0\x18\x01\xc0\0\0\0\0\0\0\0\0\0\0\0"
		"\0\x01\0\xff\xfe\0\x08\x01\0\x08\0\0@\0\0\0\0\0\0\x00\x30\x00\x33\0\x10\x00"
		"\x30\0BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB\0\0\0[\xffSMB\xa0\0\0\0"
		"\0\x18\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\xff\xfe\0\x08\x08\0\x13\x01\0\0\0"
		"\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0\0\0K\0\0\0\0\x05\0\x12"
		"\0\0\0LEAKLEAKLEAKLEAK"),
		.we_answer = BYTES(
		"\0\0\0\x81\xffSMBr\0\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\0"
		"\x01\0\x11\0\0\x03\x32\0\x01\0\x04\x11\0\0\0\0\x01\0\0\0\0\0\xfc\xe3\x01\0\0\0"
		"\xe7\xcb\x0el\xd0\x01\0\0\x08<\0-\xdb\xbd\xaf\xa3\x36-\x08W\0O\0R\0K\0G\0R\0O"
		"\0U\0P\0\0\0W\0I\0N\0-\x00\x34\0V\0M\0M\0L\0V\0B\0J\0Q\x00\x36\0K\0\0\0\0\0\0"
		"\xca\xffSMBs\0\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xfe\0\x08\x02"
		"\0\x03\xff\0\0\0\0\0\xa1\0\0W\0i\0n\0d\0o\0w\0s\0 \x00\x37\0 \0P\0r\0o\0f\0e\0"
		"s\0s\0i\0o\0n\0a\0l\0 \x00\x37\x00\x36\x00\x30\x00\x31\0 \0S\0e\0r\0v\0i\0c\0e"
		"\0 \0P\0a\0c\0k\0 \x00\x31\0\0\0W\0i\0n\0d\0o\0w\0s\0 \x00\x37\0 \0P\0r\0o\0f"
		"\0e\0s\0s\0i\0o\0n\0a\0l\0 \x00\x36\0.\x00\x31\0\0\0W\0O\0R\0K\0G\0R\0O\0U\0P"
		"\0\0\0\0\0\x00\x30\xffSMBu\0\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0"
		"\xff\xfe\0\x08\x03\0\x03\xff\0\0\0\x01\0\x07\0IPC\0\0\0\0\0\0\0g\xffSMB\xa2\0"
		"\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\xff\xfe\0\x08\x04\0\"\xff\0\0"
		"\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\0\0\0\x80\0\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\xff\x05\0\0\0\0\0\0#"
		"\xffSMB%\0\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\xff\xfe\0\x08\x01\0"
		"\0\0\0\0\0\0/\xffSMB/\0\0\0\0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\xff"
		"\xfe\0\x08\x07\0\x06\xff\0\0\0\x12\0\xff\xff\0\0\0\0\0\0\0\0\0#\xffSMB&\x0d\0"
		"\0\xc0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\xff\xfe\0\x08\x01\0\0\0\0\0\0"
		"\0#\xffSMB\xa0\xbb\0\0\xc0\x98\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\xff\xfe\0"
		"\x08\x08\0\0\0\0"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"negotiate\",\"request.target\":\"NT LM 0.12\"}\n"
		"{\"kind\":\"login.tried\",\"login.user\":\"\",\"login.secret\":\"\",\"login.accepted\":true}\n"
		"{\"kind\":\"request.seen\",\"request.method\":\"tree-connect\",\"request.target\":\"\\\\\\\\192.0.2.23\\\\IPC$\"}\n"
		"{\"kind\":\"request.seen\",\"request.method\":\"pipe-open\",\"request.target\":\"browser\"}\n"
		"{\"kind\":\"request.seen\",\"request.method\":\"write-raw\",\"rule\":\"eternalromance\"}\n"
		"{\"kind\":\"file.captured\",\"file.size\":82,\"file.how\":\"smb-transaction\"}\n"
		"{\"kind\":\"request.seen\",\"request.method\":\"nt-transact\",\"rule\":\"eternalromance\"}\n"
		"{\"kind\":\"file.captured\",\"file.size\":16,\"file.how\":\"eternalromance\"}\n",
	},
	{
		.title = "SMBGhost: a compressed message whose lengths do not fit together",
		.peer_sends = BYTES(
		"\0\0\0\xb2\xfeSMB@\0\0\0\0\0\0\0\0\0\x1f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff"
		"\xfe\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0$\0\x05\0\x01"
		"\0\0\0\x7f\0\0\0\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
		"\x01p\0\0\0\x02\0\0\0\x02\x02\x10\x02\0\x03\x02\x03\x11\x03\0\0\x01\0&\0\0\0\0"
		"\0\x01\0 \0\x01\0\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11"
		"\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\0\0\x03\0"
		"\x0a\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\x00\x30\xfcSMB\xff\xff\xff\xff\x01"
		"\0\0\0 \0\0\0shellcode and what it overwrites"),
		.we_answer = BYTES(
		"\0\0\0\xaa\xfeSMB@\0\0\0\0\0\0\0\0\0\x1f\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\xff\xfe\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0A\0\x01\0"
		"\x10\x02\0\0\x1b\xe4\x18\x63\xc3\xbf\xe3}\xc7\xe8*{\x8d\x42\x8d\xcb\x07\0\0\0"
		"\0\0\x10\0\0\0\x10\0\0\0\x10\0\0\0\xe7\xcb\x0el\xd0\x01\0L#\xac|E\xd0\x01\x80"
		"\0*\0\0\0\0\0`(\x06\x06+\x06\x01\x05\x05\x02\xa0\x1e\x30\x1c\xa0\x1a\x30\x18"
		"\x06\x0a+\x06\x01\x04\x01\x82\x37\x02\x02\x1e\x06\x0a+\x06\x01\x04\x01\x82\x37"
		"\x02\x02\x0a"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"negotiate\",\"request.target\":\"SMB 2.1\"}\n"
		"{\"kind\":\"request.seen\",\"request.method\":\"compressed\",\"rule\":\"smbghost\"}\n"
		"{\"kind\":\"file.captured\",\"file.size\":32,\"file.how\":\"smbghost\"}\n",
	},
	{0},
};
