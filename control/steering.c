/* Which persona fits a class of device: the operator's list, or that of the built-in personas. */
#include "control/settings_inner.h"

struct fitting {
	const char *device_class, *persona;
};

/* The classes of the first published table of attacking devices that a built-in persona can play. */
static const struct fitting defaults[] = {
	{"DVR", "dvr"},
	{"Network Video Recorder", "dvr"},
	{"DVR Card", "dvr"},
	{"Disk Recording System", "dvr"},
	{"Digital Video Scaler", "dvr"},
	{"Solid State Recorder", "dvr"},
	{"Set Top Box", "dvr"},
	{"Digital TV Receiver", "dvr"},
	{"IP Camera", "camera"},
	{"Web Camera", "camera"},
	{"Surveillance Device", "camera"},
	{"Network Video Server", "camera"},
	{"Video Encoder/Decoder", "camera"},
	{"Router", "router"},
	{"Wireless Router", "router"},
	{"ADSL Router", "router"},
	{"ADSL Gateway", "router"},
	{"ADSL Modem", "router"},
	{"DSL Router", "router"},
	{"CPE", "router"},
	{"Broadband Access CPE", "router"},
	{"GSM Router", "router"},
	{"VoIP Router", "router"},
	{"FTTH Home Gateway", "router"},
	{"Wireless Gateway", "router"},
	{"Wireless Bridge", "router"},
	{"WiMAX MIMO Outdoor CPE", "router"},
	{"VoIP Gateway", "router"},
	{"Home Automation Gateway", "router"},
};

const char *settings_persona_for(const struct settings *s, struct bytes device_class)
{
	const struct class_option *own = s->control->steering.items;
	for (size_t i = 0; i < s->control->steering.count; i++)
		if (bytes_equal_nocase(device_class, own[i].device_class))
			return own[i].persona;
	if (s->control->steering.count)
		return NULL;
	for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
		if (bytes_equal_nocase(device_class, defaults[i].device_class))
			return defaults[i].persona;
	return NULL;
}

void settings_class_personas(struct settings *s, void (*each)(struct settings *, const char *persona))
{
	const struct class_option *own = s->control->steering.items;
	for (size_t i = 0; i < s->control->steering.count; i++)
		each(s, own[i].persona);
	for (size_t i = 0; s->control->steering.count == 0 && i < sizeof defaults / sizeof *defaults; i++)
		each(s, defaults[i].persona);
}
