#include "active/reading/favicon_inner.h"
#include "active/reading/page_inner.h"
#include "active/reading/unpack_inner.h"
#include "tests/test.h"
#include <stdlib.h>
#include <zlib.h>

static uint8_t kept[65536];

static struct page page_of(struct bytes raw)
{
	struct page p;
	struct writer room = writer_of(kept, sizeof kept);
	CHECK(page_read(raw, &room, &p));
	return p;
}

TEST(page_is_complete_by_its_own_word)
{
	CHECK(!page_is_complete(BYTES("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n1")));
	CHECK(page_is_complete(BYTES("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n12")));
	CHECK(page_is_complete(BYTES("HTTP/1.1 204 No\n\n")));
	CHECK(!page_is_complete(BYTES("HTTP/1.1 200 OK\r\n\r\n12")));
	CHECK(!page_is_complete(BYTES("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n12\r\n")));
	CHECK(page_is_complete(BYTES("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n12\r\n0\r\n")));
	CHECK(!page_is_complete(BYTES("HTTP/1.1 100 Continue\r\n\r\n")));
	CHECK(page_is_complete(BYTES("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 304 Not\r\n\r\n")));
}

TEST(page_reads_what_devices_really_send)
{
	struct page p = page_of(BYTES("HTTP/1.0 401\nwww-authenticate:Basic realm=Broadband Router\n\n"));
	CHECK(p.status == 401 && bytes_equal_text(p.realm, "Broadband Router"));
	p = page_of(BYTES("HTTP/1.1 200 OK\r\n: x\r\nnocolon\r\nServer:\r\nContent-Length: -1\r\n\r\nbody"));
	CHECK(!p.has_length && bytes_equal_text(p.body, "body") && p.server.len == 0);
	p = page_of(BYTES("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nbody"));
	CHECK(p.body.len == 0);
	p = page_of(BYTES("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\nbody"));
	CHECK(bytes_equal_text(p.body, "body") && !p.whole);
	struct writer room = writer_of(kept, sizeof kept);
	CHECK(!page_read(BYTES("HTTP/1.1 xx\r\n\r\n"), &room, &p));
	CHECK(!page_read(BYTES(""), &room, &p));
}

TEST(page_titles_and_icons)
{
	struct writer w = writer_of(kept, sizeof kept);
	CHECK(bytes_equal_text(page_title(BYTES("<Title\n>\n A\t\n B </tITLE>"), &w), "A B"));
	CHECK(page_title(BYTES("<title"), &w).len == 0 && page_title(BYTES(""), &w).len == 0);
	CHECK(bytes_equal_text(page_title(BYTES("<title>open end"), &w), "open end"));
	CHECK(bytes_equal_text(page_icon(BYTES("<link rel=stylesheet href=a><link rel='shortcut icon' "
					       "data-href=no href = /f.ico>")), "/f.ico"));
	CHECK(page_icon(BYTES("<link rel=icon")).len == 0 && page_icon(BYTES("<link")).len == 0);
}

TEST(page_has_the_hash_of_its_icon_that_others_list)
{
	uint8_t icon[512];
	for (size_t i = 0; i < sizeof icon; i++)
		icon[i] = (uint8_t)i;
	CHECK(favicon_hash((struct bytes){icon, sizeof icon}) == -1173581353);
	CHECK(favicon_hash(BYTES("abc")) == -868969266);
}

/* Thirty megabytes of one letter: what comes out ends with the room. */
TEST(page_bodies_are_unpacked_up_to_their_room)
{
	size_t n = 30u << 20;
	uLongf packed_len = compressBound(n);
	uint8_t *bomb = malloc(n), *packed = malloc(packed_len), room[4096];
	CHECK(bomb && packed);
	memset(bomb, 'a', n);
	CHECK(compress2(packed, &packed_len, bomb, n, 9) == Z_OK && packed_len < 65536);
	struct writer w = writer_of(room, sizeof room);
	CHECK(!unpack((struct bytes){packed, packed_len}, &w) && writer_used(&w) == sizeof room);
	w = writer_of(room, sizeof room);
	CHECK(!unpack(BYTES("this is not packed"), &w) && writer_used(&w) == 0);
	free(bomb);
	free(packed);
}
