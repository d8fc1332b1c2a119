/* Conversations with Remote Desktop: guesses, scans, NLA. */
#include "passive/rdp/rdp.h"

const struct exchange rdp_exchanges[] = {
	{
		.title = "a guesser names the account in its cookie; without NLA and TLS the old encryption",
		.peer_sends = BYTES("\x03\0\0#\x1e\xe0\0\0\0\0\0\x43ookie: mstshash=hello\x0d\x0a"),
		.we_answer = BYTES("\x03\0\0\x0b\x06\xd0\0\0\x12\x34\0"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"cookie\",\"request.target\":\"Cookie: mstshash=hello\",\"login.user\":\"hello\"}\n",
	},
	{
		.title = "a scanner of CVE-2019-0708 asks for MS_T120; then the password comes in clear inside TLS",
		.peer_sends = BYTES("\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x01\0\0\0\x03\0\x01<\x02\xf0\x80"
		"\x7f\x65\x82\x01\xbe\x04\x01\x01\x04\x01\x01\x01\x01\xff\0\x05\0\x14|\0\x01"
		"\x81H\0\x08\0\x10\0\x01\xc0\0\x44uca\x81\x10\x01\xc0\xd8\0\x04\0\x08\0\0\x04\0"
		"\x03\x01\xca\x03\xaa\x09\x04\0\0(\x0a\0\0\x65\0l\0t\0o\0n\0s\0-\0\x64\0\x65\0v"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\xc0\x0c\0\x01\0\0\0\0\0\0\0\x03\xc0,\0"
		"\x03\0\0\0rdpdr\0\0\0\0\0\0\xc0MS_T120\0\0\0\0\xc0rdpsnd\0\0\0\0\0\xc0\x03\0\0"
		"\x0c\x02\xf0\x80\x04\x01\0\x01\0\x03\0\0\x08\x02\xf0\x80(\x03\0\0\x0c\x02\xf0"
		"\x80\x38\0\x06\x03\xef\x03\0\0\x43\x02\xf0\x80\x64\0\x06\x03\xebp\x80\x34@\0\0"
		"\0\0\0\0\0\x10\0\0\0\0\0\x08\0\x0c\0\0\0\0\0\0\0r\0o\0o\0t\0\0\0x\0\x63\0\x33"
		"\0\x35\0\x31\0\x31\0\0\0\0\0\0\0\x03\0\0U\x02\xf0\x80\x64\0\x06\x03\xebp\x80"
		"\x46@\0\0\0\0\0\0\0\x10\0\0\0\0\0\x1a\0\x0c\0\0\0\0\0\0\0\x41\0\x64\0m\0i\0n\0"
		"i\0s\0t\0r\0\x61\0t\0o\0r\0\0\0\x31\0\x32\0\x33\0\x34\0\x35\0\x36\0\0\0\0\0\0"
		"\0"),
		.we_answer = BYTES("\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\x01\x08\0\x01\0\0\0\x03\0\0u\x02\xf0"
		"\x80\x7f\x66\x82\0i\x0a\x01\0\x02\x01\0\x30\x1a\x02\x01\"\x02\x01\x03\x02\x01"
		"\0\x02\x01\x01\x02\x01\0\x02\x01\x01\x02\x03\0\xff\xf8\x02\x01\x02\x04\x82\0"
		"\x43\0\x05\0\x14|\0\x01*\x14v\x0a\x01\x01\0\x01\xc0\0McDn\x80,\x01\x0c\x10\0"
		"\x04\0\x08\0\x01\0\0\0\x01\0\0\0\x03\x0c\x10\0\xeb\x03\x03\0\xec\x03\xed\x03"
		"\xee\x03\0\0\x02\x0c\x0c\0\0\0\0\0\0\0\0\0\x03\0\0\x0b\x02\xf0\x80.\0\0\x06"
		"\x03\0\0\x0f\x02\xf0\x80>\0\0\x06\x03\xef\x03\xef\x03\0\0\"\x02\xf0\x80h\0\x01"
		"\x03\xebp\x14\x80\0\0\0\xff\x03\x10\0\x07\0\0\0\x02\0\0\0\x04\0\0\0\x03\0\0\""
		"\x02\xf0\x80h\0\x01\x03\xebp\x14\x80\0\0\0\xff\x03\x10\0\x07\0\0\0\x02\0\0\0"
		"\x04\0\0\0"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"connect\",\"request.agent\":\"eltons-dev\"}\n"
		"{\"kind\":\"request.seen\",\"request.method\":\"channels\",\"request.target\":\"rdpdr,MS_T120,rdpsnd\",\"rule\":\"bluekeep\"}\n"
		"{\"kind\":\"login.tried\",\"login.user\":\"root\",\"login.accepted\":true,\"login.secret\":\"xc3511\"}\n"
		"{\"kind\":\"login.tried\",\"login.user\":\"Administrator\",\"login.accepted\":false,\"login.secret\":\"123456\"}\n",
	},
	{
		.title = "NLA: the planted password is proved, and answered with the binding",
		.peer_sends = BYTES("\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0\x30\x37\xa0\x03\x02\x01"
		"\x06\xa1\x30\x30.0,\xa0*\x04(NTLMSSP\0\x01\0\0\0\x97\x82\x08\xe2\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\x0a\0\x63\x45\0\0\0\x0f\x30\x82\x01\x81\xa0\x03\x02\x01\x06"
		"\xa1\x82\x01x0\x82\x01t0\x82\x01p\xa0\x82\x01l\x04\x82\x01hNTLMSSP\0\x03\0\0\0"
		"\x18\0\x18\0L\0\0\0\xf4\0\xf4\0\x64\0\0\0\0\0\0\0@\0\0\0\x08\0\x08\0@\0\0\0"
		"\x04\0\x04\0H\0\0\0\x10\0\x10\0X\x01\0\0\x15\x82\x88\xe0r\0o\0o\0t\0W\0S\0\x02"
		"\xdd\x01M\x19\xb5\xd7-\x04\x8d\x03Rc\x14~\xb4\x38\x41SPM4g7]\xfeSI\x8a=\xa7"
		"\x88m\x9f\x04\xdd\x93\x04\xc2!\x01\x01\0\0\0\0\0\0\0\0\xe7\xcb\x0el\xd0\x01"
		"\x38\x41SPM4g7\0\0\0\0\x02\0\x1e\0W\0I\0N\0-\0\x34\0V\0M\0M\0L\0V\0\x42\0J\0Q"
		"\0\x36\0K\0\x01\0\x1e\0W\0I\0N\0-\0\x34\0V\0M\0M\0L\0V\0\x42\0J\0Q\0\x36\0K\0"
		"\x04\0\x1e\0W\0I\0N\0-\0\x34\0V\0M\0M\0L\0V\0\x42\0J\0Q\0\x36\0K\0\x03\0\x1e\0"
		"W\0I\0N\0-\0\x34\0V\0M\0M\0L\0V\0\x42\0J\0Q\0\x36\0K\0\x07\0\x08\0\0\0\xe7\xcb"
		"\x0el\xd0\x01\x09\0(\0\x63\0i\0\x66\0s\0/\0W\0I\0N\0-\0\x34\0V\0M\0M\0L\0V\0"
		"\x42\0J\0Q\0\x36\0K\0\0\0\0\0\0\0\0\0l\xc6|\xa6\x30\xc2l\xafn\x8c_`\x93\xbc"
		"\xf4\x03"),
		.we_answer = BYTES("\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\x01\x08\0\x02\0\0\0\x30\x82\x01\x02\xa0"
		"\x03\x02\x01\x06\xa1\x81\xfa\x30\x81\xf7\x30\x81\xf4\xa0\x81\xf1\x04\x81\xeeNT"
		"LMSSP\0\x02\0\0\0\x1e\0\x1e\0\x38\0\0\0\x15\x82\x8a\xe2-\xdb\xbd\xaf\xa3\x36-"
		"\x08\0\0\0\0\0\0\0\0\x98\0\x98\0V\0\0\0\x06\x01\xb1\x1d\0\0\0\x0fW\0I\0N\0-\0"
		"\x34\0V\0M\0M\0L\0V\0\x42\0J\0Q\0\x36\0K\0\x02\0\x1e\0W\0I\0N\0-\0\x34\0V\0M\0"
		"M\0L\0V\0\x42\0J\0Q\0\x36\0K\0\x01\0\x1e\0W\0I\0N\0-\0\x34\0V\0M\0M\0L\0V\0"
		"\x42\0J\0Q\0\x36\0K\0\x04\0\x1e\0W\0I\0N\0-\0\x34\0V\0M\0M\0L\0V\0\x42\0J\0Q\0"
		"\x36\0K\0\x03\0\x1e\0W\0I\0N\0-\0\x34\0V\0M\0M\0L\0V\0\x42\0J\0Q\0\x36\0K\0"
		"\x07\0\x08\0\0\0\xe7\xcb\x0el\xd0\x01\0\0\0\0\x30\x19\xa0\x03\x02\x01\x06\xa3"
		"\x12\x04\x10\x01\0\0\0\x8a\xd4\0\x95\xa8\xf2>\x8e\0\0\0\0"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"nla\",\"request.agent\":\"WS\"}\n"
		"{\"kind\":\"login.tried\",\"login.user\":\"root\",\"login.proof\":\"root:::2ddbbdafa3362d08:5dfe53498a3da7886d9f04dd9304c221:01010000000000000000e7cb0e6cd001384153504d3467370000000002001e00570049004e002d00340056004d004d004c00560042004a00510036004b0001001e00570049004e002d00340056004d004d004c00560042004a00510036004b0004001e00570049004e002d00340056004d004d004c00560042004a00510036004b0003001e00570049004e002d00340056004d004d004c00560042004a00510036004b00070008000000e7cb0e6cd0010900280063006900660073002f00570049004e002d00340056004d004d004c00560042004a00510036004b000000000000000000\",\"login.accepted\":true,\"login.secret\":\"xc3511\"}\n",
	},
	{
		.title = "NLA: another is refused, its proof kept",
		.peer_sends = BYTES("\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0\x30\x37\xa0\x03\x02\x01"
		"\x06\xa1\x30\x30.0,\xa0*\x04(NTLMSSP\0\x01\0\0\0\x97\x82\x08\xe2\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\x0a\0\x63\x45\0\0\0\x0f\x30\x82\x01\x93\xa0\x03\x02\x01\x06"
		"\xa1\x82\x01\x8a\x30\x82\x01\x86\x30\x82\x01\x82\xa0\x82\x01~\x04\x82\x01zNTLM"
		"SSP\0\x03\0\0\0\x18\0\x18\0^\0\0\0\xf4\0\xf4\0v\0\0\0\0\0\0\0@\0\0\0\x1a\0\x1a"
		"\0@\0\0\0\x04\0\x04\0Z\0\0\0\x10\0\x10\0j\x01\0\0\x15\x82\x88\xe0\x41\0\x64\0m"
		"\0i\0n\0i\0s\0t\0r\0\x61\0t\0o\0r\0W\0S\0\x42\x1eK3\x1e\xf5\xf7\x41\x8e\x84M"
		"\x15\xb2\x62\x95\x0f\x38\x41SPM4g7\x0d\x1eH\xe6\x37\x84j\xfa\xf4\x10\x3f'\xeb"
		"\xeb\xc2\x1a\x01\x01\0\0\0\0\0\0\0\0\xe7\xcb\x0el\xd0\x01\x38\x41SPM4g7\0\0\0"
		"\0\x02\0\x1e\0W\0I\0N\0-\0\x34\0V\0M\0M\0L\0V\0\x42\0J\0Q\0\x36\0K\0\x01\0\x1e"
		"\0W\0I\0N\0-\0\x34\0V\0M\0M\0L\0V\0\x42\0J\0Q\0\x36\0K\0\x04\0\x1e\0W\0I\0N\0-"
		"\0\x34\0V\0M\0M\0L\0V\0\x42\0J\0Q\0\x36\0K\0\x03\0\x1e\0W\0I\0N\0-\0\x34\0V\0M"
		"\0M\0L\0V\0\x42\0J\0Q\0\x36\0K\0\x07\0\x08\0\0\0\xe7\xcb\x0el\xd0\x01\x09\0(\0"
		"\x63\0i\0\x66\0s\0/\0W\0I\0N\0-\0\x34\0V\0M\0M\0L\0V\0\x42\0J\0Q\0\x36\0K\0\0"
		"\0\0\0\0\0\0\0\xd2\x0d\xf4\x04\x9e\xda\x9e\xb6\xe7\x0d\xdes*\xaf\xe6\xee"),
		.we_answer = BYTES("\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\x01\x08\0\x02\0\0\0\x30\x82\x01\x02\xa0"
		"\x03\x02\x01\x06\xa1\x81\xfa\x30\x81\xf7\x30\x81\xf4\xa0\x81\xf1\x04\x81\xeeNT"
		"LMSSP\0\x02\0\0\0\x1e\0\x1e\0\x38\0\0\0\x15\x82\x8a\xe2-\xdb\xbd\xaf\xa3\x36-"
		"\x08\0\0\0\0\0\0\0\0\x98\0\x98\0V\0\0\0\x06\x01\xb1\x1d\0\0\0\x0fW\0I\0N\0-\0"
		"\x34\0V\0M\0M\0L\0V\0\x42\0J\0Q\0\x36\0K\0\x02\0\x1e\0W\0I\0N\0-\0\x34\0V\0M\0"
		"M\0L\0V\0\x42\0J\0Q\0\x36\0K\0\x01\0\x1e\0W\0I\0N\0-\0\x34\0V\0M\0M\0L\0V\0"
		"\x42\0J\0Q\0\x36\0K\0\x04\0\x1e\0W\0I\0N\0-\0\x34\0V\0M\0M\0L\0V\0\x42\0J\0Q\0"
		"\x36\0K\0\x03\0\x1e\0W\0I\0N\0-\0\x34\0V\0M\0M\0L\0V\0\x42\0J\0Q\0\x36\0K\0"
		"\x07\0\x08\0\0\0\xe7\xcb\x0el\xd0\x01\0\0\0\0\x30\x0d\xa0\x03\x02\x01\x06\xa4"
		"\x06\x02\x04\xc0\0\0m"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"nla\",\"request.agent\":\"WS\"}\n"
		"{\"kind\":\"login.tried\",\"login.user\":\"Administrator\",\"login.proof\":\"Administrator:::2ddbbdafa3362d08:0d1e48e637846afaf4103f27ebebc21a:01010000000000000000e7cb0e6cd001384153504d3467370000000002001e00570049004e002d00340056004d004d004c00560042004a00510036004b0001001e00570049004e002d00340056004d004d004c00560042004a00510036004b0004001e00570049004e002d00340056004d004d004c00560042004a00510036004b0003001e00570049004e002d00340056004d004d004c00560042004a00510036004b00070008000000e7cb0e6cd0010900280063006900660073002f00570049004e002d00340056004d004d004c00560042004a00510036004b000000000000000000\",\"login.accepted\":false}\n",
	},
	{
		.title = "what is no X.224",
		.peer_sends = BYTES("GET / HTTP/1.0\x0d\x0a\x0d\x0a"),
		.we_answer = BYTES(""),
		.events = "",
	},
	{0},
};
