/* The page: six files that the linker puts into the program. */
#include "web/route.h"

#define FILE_IN_PROGRAM(symbol, path)                                                             \
	__asm__(".section .rodata\n.global " #symbol "\n" #symbol ":\n.incbin \"" path "\"\n"       \
		".global " #symbol "_end\n" #symbol "_end:\n.byte 0\n.previous\n");                 \
	extern const uint8_t symbol[], symbol##_end[]

FILE_IN_PROGRAM(ui_index, "web/ui/index.html");
FILE_IN_PROGRAM(ui_script, "web/ui/console.js");
FILE_IN_PROGRAM(ui_telescope, "web/ui/telescope.js");
FILE_IN_PROGRAM(ui_samples, "web/ui/samples.js");
FILE_IN_PROGRAM(ui_partners, "web/ui/partners.js");
FILE_IN_PROGRAM(ui_style, "web/ui/console.css");

static void index_serve(struct web_request *rq)
{
	web_reply(rq, 200, "text/html; charset=utf-8", (struct bytes){ui_index, (size_t)(ui_index_end - ui_index)});
}

static void script_serve(struct web_request *rq)
{
	web_reply(rq, 200, "text/javascript; charset=utf-8",
		  (struct bytes){ui_script, (size_t)(ui_script_end - ui_script)});
}

static void telescope_serve(struct web_request *rq)
{
	web_reply(rq, 200, "text/javascript; charset=utf-8",
		  (struct bytes){ui_telescope, (size_t)(ui_telescope_end - ui_telescope)});
}

static void samples_serve(struct web_request *rq)
{
	web_reply(rq, 200, "text/javascript; charset=utf-8",
		  (struct bytes){ui_samples, (size_t)(ui_samples_end - ui_samples)});
}

static void partners_serve(struct web_request *rq)
{
	web_reply(rq, 200, "text/javascript; charset=utf-8",
		  (struct bytes){ui_partners, (size_t)(ui_partners_end - ui_partners)});
}

static void style_serve(struct web_request *rq)
{
	web_reply(rq, 200, "text/css; charset=utf-8", (struct bytes){ui_style, (size_t)(ui_style_end - ui_style)});
}

static const struct route ui_index_route = {"GET", "/", "the page", index_serve};
static const struct route ui_script_route = {"GET", "/console.js", "its script", script_serve};
static const struct route ui_telescope_route = {"GET", "/telescope.js", "its page of dark traffic", telescope_serve};
static const struct route ui_samples_route = {"GET", "/samples.js", "its pages of samples", samples_serve};
static const struct route ui_partners_route = {"GET", "/partners.js", "its page of partners", partners_serve};
static const struct route ui_style_route = {"GET", "/console.css", "its style", style_serve};
ROUTE(ui_index_route);
ROUTE(ui_script_route);
ROUTE(ui_telescope_route);
ROUTE(ui_samples_route);
ROUTE(ui_partners_route);
ROUTE(ui_style_route);
