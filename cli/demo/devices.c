#include "cli/demo/devices.h"

/* BusyBox telnetd opens with DO ECHO, DO NAWS, WILL ECHO, WILL SGA; others with the latter two. */
#define BUSYBOX "\xff\xfd\x01\xff\xfd\x1f\xff\xfb\x01\xff\xfb\x03"
#define PLAIN   "\xff\xfb\x01\xff\xfb\x03"
#define PAGE(head, title, body)                                                                    \
	BYTES("HTTP/1.0 200 OK\r\n" head "Content-Type: text/html\r\n\r\n<html><head><title>" title \
	      "</title></head><body>" body "</body></html>\r\n")
#define REFUSAL(head, realm)                                                                       \
	BYTES("HTTP/1.0 401 Unauthorized\r\n" head "WWW-Authenticate: Basic realm=\"" realm        \
	      "\"\r\nContent-Type: text/html\r\n\r\n<html><head><title>401 Unauthorized</title>"   \
	      "</head><body></body></html>\r\n")

const struct demo_device demo_devices[DEMO_DEVICES] = {
	{"DVR", "Hikvision DS-7200", BYTES(BUSYBOX "\r\ndvrdvs login: "),
	 PAGE("Server: DVRDVS-Webs\r\n", "Digital Video Recorder",
	      "<script src=\"doc/script/lib/jquery.js\"></script>")},
	{"DVR", "AVTECH AVC760", BYTES(BUSYBOX "\r\n(none) login: "),
	 PAGE("Server: Linux/2.x UPnP/1.0 Avtech/1.0\r\n", "--- VIDEO WEB SERVER ---", "")},
	{"DVR", "Xiongmai NETSurveillance", BYTES(BUSYBOX "LocalHost login: "),
	 PAGE("Server: uc-httpd 1.0.0\r\n", "NETSurveillance WEB", "")},
	{"IP Camera", "Foscam FI8918W", BYTES(BUSYBOX "\r\n(none) login: "),
	 PAGE("Server: Netwave IP Camera\r\n", "IPCam Client", "")},
	{"IP Camera", "D-Link DCS-932L", BYTES(BUSYBOX "\r\n(none) login: "),
	 REFUSAL("Server: alphapd/2.1.7\r\n", "DCS-932L")},
	{"Wireless Router", "TP-LINK TL-WR841N", BYTES(PLAIN "\r\nlogin: "),
	 REFUSAL("Server: Router Webserver\r\n", "TP-LINK Wireless N Router WR841N")},
	{"Wireless Router", "D-Link DIR-615", BYTES(BUSYBOX "\r\n(none) login: "),
	 PAGE("Server: Linux, HTTP/1.1, DIR-615 Ver 4.13\r\n",
	      "D-LINK SYSTEMS, INC. | WIRELESS ROUTER | HOME", "")},
	{"Router", "MikroTik RouterOS", BYTES(PLAIN "\r\nMikroTik v6.27\r\nLogin: "),
	 PAGE("", "RouterOS router configuration page", "")},
	{"ADSL Router", "D-Link DSL-2540U", BYTES(PLAIN "BCM96338 ADSL Router\r\nLogin: "),
	 REFUSAL("Server: micro_httpd\r\n", "DSL-2540U")},
	{"FTTH Home Gateway", "Huawei EchoLife HG8245",
	 BYTES(PLAIN "\r\nWelcome Visiting Huawei Home Gateway\r\n"
		     "Copyright by Huawei Technologies Co., Ltd.\r\n\r\nLogin:"),
	 PAGE("", "HG8245", "")},
	{"Set Top Box", "Dreambox DM500",
	 BYTES(BUSYBOX "\r\nwelcome on your dreambox! - Kernel 2.6.9 (00:12:00).\r\ndm500 login: "),
	 REFUSAL("Server: Enigma/1.0\r\n", "dreambox")},
	{"NAS", "Synology DS212", BYTES(BUSYBOX "\r\nDiskStation login: "),
	 PAGE("Server: Apache\r\n", "Synology DiskStation - DS212", "")},
};
