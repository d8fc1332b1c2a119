/* Conversations with the endpoint mapper. */
#include "passive/services/msrpc/rpc.h"

const struct exchange msrpc_exchanges[] = {
	{
		.title = "bind to the endpoint mapper and look what there is",
		.peer_sends = BYTES("\x05\0\x0b\x03\x10\0\0\0H\0\0\0\x01\0\0\0\xb8\x10\xb8\x10\0\0\0\0\x01\0\0\0\0"
		"\0\x01\0\x08\x83\xaf\xe1\x1f]\xc9\x11\x91\xa4\x08\0+\x14\xa0\xfa\x03\0\0\0\x04"
		"]\x88\x8a\xeb\x1c\xc9\x11\x9f\xe8\x08\0+\x10H`\x02\0\0\0\x05\0\0\x03\x10\0\0\0"
		"@\0\0\0\x02\0\0\0(\0\0\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\x05\0\0\x03\x10\0\0\0\x18\0\0\0\x03\0"
		"\0\0\0\0\0\0\0\0\x07\0\x05\0\0\x03\x10\0\0\0\x18\0\0\0\x04\0\0\0\0\0\0\0\0\0"
		"\x63\0"),
		.we_answer = BYTES("\x05\0\x0c\x03\x10\0\0\0<\0\0\0\x01\0\0\0\xb8\x10\xb8\x10\xad\xd9\x0e\0\x04\0"
		"\x31\x33\x35\0\0\0\x01\0\0\0\0\0\0\0\x04]\x88\x8a\xeb\x1c\xc9\x11\x9f\xe8\x08"
		"\0+\x10H`\x02\0\0\0\x05\0\x02\x03\x10\0\0\0,\x01\0\0\x02\0\0\0\x14\x01\0\0\0\0"
		"\0\0\0\0\0\0\x02\x0e\0\0\x61[\"4\xf3\x91m\xf6\x01RU\xb6\x02\0\0\0\x02\0\0\0\0"
		"\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\x01\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0K\0"
		"\0\0K\0\0\0\x05\0\x13\0\x0dp\xfeZ\xd9\xd5\xa6YB\x82.,\x84\xda\x1d\xdb\x0d\x01"
		"\0\x02\0\0\0\x13\0\x0d\x04]\x88\x8a\xeb\x1c\xc9\x11\x9f\xe8\x08\0+\x10H`\x02\0"
		"\x02\0\0\0\x01\0\x0b\x02\0\0\0\x01\0\x07\x02\0\xc0\0\x01\0\x09\x04\0\xc0\0\x02"
		"\x17\0P\0\0\0P\0\0\0\x04\0\x13\0\x0dp\xfeZ\xd9\xd5\xa6YB\x82.,\x84\xda\x1d\xdb"
		"\x0d\x01\0\x02\0\0\0\x13\0\x0d\x04]\x88\x8a\xeb\x1c\xc9\x11\x9f\xe8\x08\0+\x10"
		"H`\x02\0\x02\0\0\0\x01\0\x0c\x02\0\0\0\x01\0\x10\x10\0WindowsShutdown\0\0\0\0"
		"\0\x05\0\x03#\x10\0\0\0 \0\0\0\x03\0\0\0 \0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x05"
		"\0\x03#\x10\0\0\0 \0\0\0\x04\0\0\0 \0\0\0\0\0\0\0\x02\0\x01\x1c\0\0\0\0"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"bind\",\"request.target\":\"e1af8308-5d1f-11c9-91a4-08002b14a0fa v3.0 epmapper\"}\n"
		"{\"kind\":\"command.sent\",\"command.line\":\"epmapper 2 ept_lookup\"}\n"
		"{\"kind\":\"command.sent\",\"command.line\":\"epmapper 7\"}\n"
		"{\"kind\":\"command.sent\",\"command.line\":\"epmapper 99\"}\n",
	},
	{
		.title = "an interface that nobody has registered is told and refused",
		.peer_sends = BYTES("\x05\0\x0b\x03\x10\0\0\0H\0\0\0\x01\0\0\0\xb8\x10\xb8\x10\0\0\0\0\x01\0\0\0\0"
		"\0\x01\0\xb8J\x9fM\x1c}\xcf\x11\x86\x1e\0 \xafn|W\0\0\0\0\x04]\x88\x8a\xeb\x1c"
		"\xc9\x11\x9f\xe8\x08\0+\x10H`\x02\0\0\0\x05\0\0\x03\x10\0\0\0 \0\0\0\x02\0\0\0"
		"\x08\0\0\0\0\0\0\0xxxxxxxx"),
		.we_answer = BYTES("\x05\0\x0c\x03\x10\0\0\0<\0\0\0\x01\0\0\0\xb8\x10\xb8\x10\xad\xd9\x0e\0\x04\0"
		"\x31\x33\x35\0\0\0\x01\0\0\0\x02\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\0\x05\0\x03\x03\x10\0\0\0 \0\0\0\x02\0\0\0 \0\0\0\0\0\0\0\x03\0\x01\x1c\0\0\0"
		"\0"),
		.events = "{\"kind\":\"request.seen\",\"request.method\":\"bind\",\"request.target\":\"4d9f4ab8-7d1c-11cf-861e-0020af6e7c57 v0.0\"}\n",
	},
	{
		.title = "what is no RPC of version 5",
		.peer_sends = BYTES("GET / HTTP/1.0\x0d\x0a\x0d\x0a"),
		.we_answer = BYTES("\x05\0\x0d\x03\x10\0\0\0\x18\0\0\0.0\x0d\x0a\x04\0\x01\x05\0\0\0\0"),
		.events = "",
	},
	{0},
};
