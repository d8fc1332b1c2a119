/*
 * The labels of device classes, as the first published table of attacking devices
 * printed them, spelling included, so that tables compare; and a few of our own
 * for what is often met and must not be pressed into one of those.
 */
#include "active/identify/verdict.h"

static const struct device_class classes[] = {
	{"DVR", DEVICE_VIDEO, false},
	{"DVR Card", DEVICE_VIDEO, false},
	{"Surveillance Device", DEVICE_VIDEO, true},
	{"Web Camera", DEVICE_VIDEO, false},
	{"IP Camera", DEVICE_VIDEO, false},
	{"Network Video Recorder", DEVICE_VIDEO, false},
	{"Network Video Server", DEVICE_VIDEO, false},
	{"Video Encoder/Decoder", DEVICE_VIDEO, false},
	{"Disk Recording System", DEVICE_OTHER, false},

	{"Router", DEVICE_GATEWAY, true},
	{"CPE", DEVICE_GATEWAY, true},
	{"Broadband Access CPE", DEVICE_GATEWAY, false},
	{"Wireless Router", DEVICE_GATEWAY, false},
	{"Wireless Gateway", DEVICE_GATEWAY, false},
	{"Wireless Bridge", DEVICE_GATEWAY, false},
	{"ADSL Router", DEVICE_GATEWAY, false},
	{"ADSL Gateway", DEVICE_GATEWAY, false},
	{"ADSL Modem", DEVICE_GATEWAY, false},
	{"DSL Router", DEVICE_GATEWAY, true},
	{"FTTH Home Gateway", DEVICE_GATEWAY, false},
	{"GSM Router", DEVICE_GATEWAY, false},
	{"VoIP Router", DEVICE_GATEWAY, false},
	{"WiMAX MIMO Outdoor CPE", DEVICE_GATEWAY, false},
	{"Smart Box", DEVICE_GATEWAY, false},
	{"Security Appliance", DEVICE_OTHER, false},

	{"VoIP Gateway", DEVICE_VOICE, false},
	{"VoIP Telephony System", DEVICE_VOICE, false},
	{"Telephone Gateway", DEVICE_VOICE, false},
	{"Telephony Modem", DEVICE_VOICE, false},
	{"IP Phone", DEVICE_VOICE, false},
	{"Analog Phone Adapter", DEVICE_VOICE, false},
	{"OfficeServ Device Manager System", DEVICE_VOICE, false},

	{"NAS", DEVICE_STORAGE, false},
	{"Digital Attached Storage", DEVICE_STORAGE, false},

	{"Set Top Box", DEVICE_TELEVISION, false},
	{"Digital TV Receiver", DEVICE_TELEVISION, false},
	{"Digital Video Broadcaster", DEVICE_OTHER, false},
	{"Digital Video Scaler", DEVICE_OTHER, false},
	{"Multiplexer Scrambler", DEVICE_OTHER, false},
	{"Black Box Media Player", DEVICE_OTHER, false},
	{"Music Player", DEVICE_OTHER, false},
	{"Wifi Audio Receiver", DEVICE_OTHER, false},
	{"Solid State Recorder", DEVICE_OTHER, false},

	{"Heat Pump", DEVICE_OTHER, false},
	{"Environment Monitoring Unit", DEVICE_OTHER, false},
	{"Optical Imaging Facility of The Canada–France–Hawaii Telescope", DEVICE_OTHER, false},
	{"Metrological Satellite", DEVICE_OTHER, false},
	{"Web Point of Sale Device", DEVICE_OTHER, false},
	{"Parking Management System", DEVICE_OTHER, false},
	{"LED display control system", DEVICE_OTHER, false},
	{"iPad", DEVICE_OTHER, false},
	{"Internet communication Module", DEVICE_OTHER, false},
	{"Home Automation Gateway", DEVICE_OTHER, false},
	{"Fire Alarm System", DEVICE_OTHER, false},
	{"Data Acquisition Server (ICS)", DEVICE_OTHER, false},

	{"Printer", DEVICE_OTHER, false},
	{"Switch", DEVICE_OTHER, false},
	{"Wireless Access Point", DEVICE_GATEWAY, false},
	{"Server Management Controller", DEVICE_OTHER, false},
	{"Power Distribution Unit", DEVICE_OTHER, false},
	{"Uninterruptible Power Supply", DEVICE_OTHER, false},
	{"Programmable Logic Controller", DEVICE_OTHER, false},
	{"Solar Inverter", DEVICE_OTHER, false},
	{"Access Control System", DEVICE_OTHER, false},

	/* Of plants and buildings. */
	{"Remote Terminal Unit", DEVICE_OTHER, false},
	{"Building Controller", DEVICE_OTHER, false},
	{"HMI", DEVICE_OTHER, false},
	{"Tank Gauge", DEVICE_OTHER, false},
	{"Power Meter", DEVICE_OTHER, false},
	{"Protection Relay", DEVICE_OTHER, false},
	{"Motor Drive", DEVICE_OTHER, false},
	{"Remote I/O", DEVICE_OTHER, false},
	{"Robot Controller", DEVICE_OTHER, false},
	{"Lighting Controller", DEVICE_OTHER, false},
	{"Protocol Gateway", DEVICE_OTHER, false},
	{"Serial Device Server", DEVICE_OTHER, false},

	{"Wireless Controller", DEVICE_OTHER, false},
	{"Load Balancer", DEVICE_OTHER, false},
	{"Video Conferencing System", DEVICE_OTHER, false},
	{"Intercom", DEVICE_OTHER, false},
	{"Smart TV", DEVICE_TELEVISION, false},
	{"Network Time Server", DEVICE_OTHER, false},
	{"KVM Switch", DEVICE_OTHER, false},
	{"Tape Library", DEVICE_OTHER, false},
	{"Projector", DEVICE_OTHER, false},
	{"Hypervisor", DEVICE_OTHER, false},
};

/* What a device does in a plant or a building; what is in neither has no role. */
static const struct {
	const char *label, *role;
} roles[] = {
	{"Programmable Logic Controller", "PLC"},
	{"Remote Terminal Unit", "RTU"},
	{"Building Controller", "building controller"},
	{"HMI", "HMI"},
	{"Tank Gauge", "tank gauge"},
	{"Power Meter", "meter"},
	{"Protection Relay", "protection relay"},
	{"Motor Drive", "drive"},
	{"Remote I/O", "remote I/O"},
	{"Robot Controller", "robot"},
	{"Lighting Controller", "lighting"},
	{"Protocol Gateway", "gateway"},
	{"Serial Device Server", "gateway"},
	{"Solar Inverter", "inverter"},
	{"Heat Pump", "heating"},
	{"Fire Alarm System", "safety"},
	{"Access Control System", "access control"},
	{"Data Acquisition Server (ICS)", "data acquisition"},
	{"Environment Monitoring Unit", "sensor"},
	{"Uninterruptible Power Supply", "power supply"},
	{"Power Distribution Unit", "power supply"},
	{"Parking Management System", "building controller"},
};

const struct device_class *device_class_at(size_t i)
{
	return i < sizeof classes / sizeof *classes ? &classes[i] : NULL;
}

const struct device_class *device_class_find(const char *label)
{
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
		if (strcmp(classes[i].label, label) == 0)
			return &classes[i];
	return NULL;
}

const char *device_role(const char *label)
{
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (strcmp(roles[i].label, label) == 0)
			return roles[i].role;
	return "";
}
