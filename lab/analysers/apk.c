/*
 * Android packages: what the manifest says that the program is and may do, and who signed it.
 *
 * The manifest is a zip member in Android's binary XML (frameworks/base, ResourceTypes.h): a pool of strings
 * and elements that point into it.  Packers remove names of attributes there, since Android itself goes by
 * the number of the resource; so does this.  Signatures: JAR's in META-INF, and the signing block in front of the
 * zip's directory (APK Signature Scheme v2 and v3).
 */
#include "lab/analyser.h"
#include "lab/axml_inner.h"
#include "lab/certificates_inner.h"
#include "base/little.h"

#define VALUE_MAX 256
#define COMPONENTS_MAX 512

enum { NAME = 0x01010003, VERSION_CODE = 0x0101021b, VERSION_NAME = 0x0101021c, MIN_SDK = 0x0101020c, TARGET_SDK = 0x01010270,
       DEBUGGABLE = 0x0101000f, EXPORTED = 0x01010010, PERMISSION = 0x01010006 };

/* What permissions allow that malware for telephones asks for. */
static const struct power {
	const char *permission, *allows;
} powers[] = {
	{"READ_SMS", "read messages"}, {"RECEIVE_SMS", "intercept messages"}, {"SEND_SMS", "send messages that cost money"},
	{"BIND_ACCESSIBILITY_SERVICE", "read the screen and press buttons"}, {"SYSTEM_ALERT_WINDOW", "draw over other programs"},
	{"BIND_DEVICE_ADMIN", "administer the device"}, {"REQUEST_INSTALL_PACKAGES", "install programs"},
	{"READ_CONTACTS", "read contacts"}, {"RECORD_AUDIO", "listen"}, {"CAMERA", "take pictures"},
	{"ACCESS_FINE_LOCATION", "know where the device is"}, {"READ_CALL_LOG", "read who was called"}, {"CALL_PHONE", "call numbers"},
	{"PROCESS_OUTGOING_CALLS", "redirect calls"}, {"BIND_NOTIFICATION_LISTENER_SERVICE", "read notifications"},
	{"RECEIVE_BOOT_COMPLETED", "start with the device"}, {"REQUEST_IGNORE_BATTERY_OPTIMIZATIONS", "run for ever"},
	{"QUERY_ALL_PACKAGES", "see which programs are installed"}, {"GET_ACCOUNTS", "read accounts"},
	{"BIND_VPN_SERVICE", "see all traffic"}, {"DISABLE_KEYGUARD", "unlock the screen"}, {"READ_PHONE_STATE", "read the device's numbers"},
};

static const char *text_of(const struct axml *x, const struct axml_element *e, uint32_t resource, const char *name, char out[VALUE_MAX])
{
	struct axml_attribute at;
	if (!axml_attribute_find(x, e, resource, name, &at))
		return NULL;
	axml_value_text(x, &at, out, VALUE_MAX);
	return out;
}

static void fact_of(struct analysis *a, const struct axml *x, const struct axml_element *e, const char *fact, uint32_t resource,
		    const char *name)
{
	char text[VALUE_MAX];
	if (text_of(x, e, resource, name, text))
		analysis_fact(a, fact, "%s", text);
}

static void permission_tell(struct analysis *a, const char *permission)
{
	const char *base = strrchr(permission, '.');
	analysis_fact(a, "apk.permission", "%s", permission);
	for (size_t i = 0; base && i < sizeof powers / sizeof *powers; i++)
		if (!strcmp(base + 1, powers[i].permission))
			analysis_fact(a, "apk.may", "%s", powers[i].allows);
}

static void component_tell(struct analysis *a, const struct axml *x, const struct axml_element *e, const char *kind)
{
	char name[VALUE_MAX], exported[VALUE_MAX], guard[VALUE_MAX], fact[32];
	if (!text_of(x, e, NAME, "name", name))
		return;
	bool open = text_of(x, e, EXPORTED, "exported", exported) && !strcmp(exported, "true");
	const char *permission = text_of(x, e, PERMISSION, "permission", guard);
	snprintf(fact, sizeof fact, "apk.%s", kind);
	analysis_fact(a, fact, "%s%s", name, open ? " (exported)" : "");
	/* A service that asks for such a permission is one of accessibility, administration and the like. */
	if (permission)
		permission_tell(a, permission);
}

static void element_tell(struct analysis *a, const struct axml *x, const struct axml_element *e)
{
	static const char *const components[] = {"activity", "service", "receiver", "provider", "activity-alias", NULL};
	char name[VALUE_MAX];
	struct bytes tag = e->name;
	if (bytes_equal_text(tag, "manifest")) {
		fact_of(a, x, e, "apk.package", 0, "package");
		fact_of(a, x, e, "apk.version", VERSION_NAME, "versionName");
		fact_of(a, x, e, "apk.version-code", VERSION_CODE, "versionCode");
	} else if (bytes_equal_text(tag, "uses-sdk")) {
		fact_of(a, x, e, "apk.sdk-min", MIN_SDK, "minSdkVersion");
		fact_of(a, x, e, "apk.sdk-target", TARGET_SDK, "targetSdkVersion");
	} else if (bytes_start_with(tag, "uses-permission")) {
		if (text_of(x, e, NAME, "name", name))
			permission_tell(a, name);
	} else if (bytes_equal_text(tag, "application")) {
		fact_of(a, x, e, "apk.application", NAME, "name");
		fact_of(a, x, e, "apk.debuggable", DEBUGGABLE, "debuggable");
	} else if (bytes_equal_text(tag, "action")) {
		fact_of(a, x, e, "apk.action", NAME, "name");
	}
	for (const char *const *kind = components; *kind; kind++)
		if (bytes_equal_text(tag, *kind))
			component_tell(a, x, e, *kind);
}

static void manifest_analyse(struct analysis *a, const struct part *part)
{
	struct axml x;
	struct axml_element e;
	size_t count = 0;
	axml_open(&x, part->content);
	while (axml_next(&x, &e)) {
		if (count++ == COMPONENTS_MAX) {
			analysis_limit(a, "apk.elements");
			break;
		}
		element_tell(a, &x, &e);
	}
	if (x.damaged)
		analysis_fact(a, "apk.damaged", "the manifest ends early or points nowhere");
	/* All of its strings: other files of binary XML hold addresses as well. */
	for (uint32_t i = 0; i < x.string_count && i < AXML_STRINGS_MAX; i++) {
		uint8_t room[AXML_STRING_MAX];
		analysis_text(a, axml_string(&x, i, room), UINT64_MAX, "axml", 60);
	}
}

/* Length-prefixed pieces within pieces: signers, their signed content, in it digests and certificates. */
static struct bytes piece(struct reader *r)
{
	uint32_t n = read_le32(r);
	return reader_ok(r) ? read_bytes(r, n) : (struct bytes){0};
}

static void scheme_look(struct analysis *a, struct bytes value)
{
	struct reader block = reader_of_bytes(value), signers = reader_of_bytes(piece(&block));
	for (unsigned i = 0; i < CERTIFICATES_MAX && reader_left(&signers); i++) {
		struct reader signer = reader_of_bytes(piece(&signers)), content = reader_of_bytes(piece(&signer));
		piece(&content); /* digests */
		struct reader certificates = reader_of_bytes(piece(&content));
		for (unsigned k = 0; k < CERTIFICATES_MAX && reader_left(&certificates); k++)
			if (!certificate_look(a, piece(&certificates)))
				break;
		if (!reader_ok(&signers))
			return;
	}
}

/* In front of the zip's directory, which its end record points to: size, pairs, size, magic. */
static void signing_block_look(struct analysis *a, struct bytes b)
{
	const uint8_t *end = NULL;
	for (size_t at = b.len >= 22 ? b.len - 22 : 0; b.len >= 22 && at + 65557 > b.len; at--) {
		if (!memcmp(b.at + at, "PK\5\6", 4)) {
			end = b.at + at;
			break;
		}
		if (!at)
			break;
	}
	uint64_t directory = end ? little_get(end + 16, 4) : 0;
	if (directory < 32 || directory > b.len || memcmp(b.at + directory - 16, "APK Sig Block 42", 16))
		return;
	uint64_t size = bytes_little(b, directory - 24, 8);
	if (size < 24 || size > directory - 8)
		return;
	struct reader r = reader_of(b.at + directory - size, size - 24);
	while (reader_left(&r) > 12) {
		uint64_t len = read_le64(&r);
		struct bytes pair = len <= reader_left(&r) ? read_bytes(&r, len) : (struct bytes){0};
		uint32_t id = (uint32_t)bytes_little(pair, 0, 4);
		if (pair.len < 4)
			return;
		if (id == 0x7109871a || id == 0xf05368c0 || id == 0x1b93ad61) {
			analysis_fact(a, "apk.signature", "scheme v%s", id == 0x7109871a ? "2" : id == 0xf05368c0 ? "3" : "3.1");
			scheme_look(a, (struct bytes){pair.at + 4, pair.len - 4});
		}
	}
}

static void apk_analyse(struct analysis *a, const struct part *part)
{
	signing_block_look(a, part->content);
}

static bool ends_with(const char *name, const char *ending)
{
	struct bytes b = bytes_of_text(name);
	size_t n = strlen(ending);
	return b.len > n && bytes_equal_nocase((struct bytes){b.at + b.len - n, n}, ending);
}

static void signature_analyse(struct analysis *a, const struct part *part)
{
	if (strstr(part->name, "META-INF/") && (ends_with(part->name, ".RSA") || ends_with(part->name, ".DSA") || ends_with(part->name, ".EC")) &&
	    certificates_of_pkcs7(a, part->content))
		analysis_fact(a, "apk.signature", "scheme v1 (JAR)");
}

/* Classes that a package loads, hides or sends with, by the names that stay when all else is obfuscated. */
static void dex_analyse(struct analysis *a, const struct part *part)
{
	static const char *const marks[][2] = {
		{"Ldalvik/system/DexClassLoader;", "loads further code from a file"},
		{"Ldalvik/system/InMemoryDexClassLoader;", "loads further code from memory"},
		{"sendTextMessage", "sends messages"}, {"Landroid/accessibilityservice/AccessibilityService;", "is an accessibility service"},
		{"Landroid/app/admin/DeviceAdminReceiver;", "administers the device"}, {"getDeviceId", "reads the device's number"},
		{"Ljava/lang/Runtime;", "may run programs"}, {"Ljavax/crypto/Cipher;", "encrypts or decrypts"},
		{"setComponentEnabledSetting", "hides its icon"}, {"Landroid/media/projection/MediaProjection;", "records the screen"},
		{"addJavascriptInterface", "lets pages call it"}, {"Ljava/net/Socket;", "opens connections of its own"}};
	struct bytes b = part->content;
	if (b.len >= 0x70)
		analysis_fact(a, "dex.classes", "%u", (unsigned)bytes_little(b, 0x60, 4));
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
		if (bytes_find(b, marks[i][0]) < b.len)
			analysis_fact(a, "dex.does", "%s", marks[i][1]);
}

static const char *const axml_types[] = {"axml", NULL}, *const apk_types[] = {"apk", NULL}, *const dex_types[] = {"dex", NULL},
	*const signature_types[] = {"data", NULL};

static const struct analyser manifest = {
	.name = "manifest",
	.summary = "Android's manifest: package, permissions, components",
	.reference = "Android, frameworks/base/libs/androidfw/include/androidfw/ResourceTypes.h",
	.types = axml_types,
	.analyse = manifest_analyse,
};
ANALYSER(manifest);

static const struct analyser apk = {
	.name = "apk",
	.summary = "certificates in the signing block of Android packages",
	.reference = "Android, APK Signature Scheme v2 and v3",
	.types = apk_types,
	.analyse = apk_analyse,
};
ANALYSER(apk);

static const struct analyser jar_signature = {
	.name = "jar-signature",
	.summary = "certificates of signed JAR files and Android packages",
	.reference = "JAR File Specification; RFC 2315",
	.types = signature_types,
	.analyse = signature_analyse,
};
ANALYSER(jar_signature);

static const struct analyser dex = {
	.name = "dex",
	.summary = "what Android code uses, by the names that obfuscation leaves",
	.reference = "Android, Dalvik executable format",
	.types = dex_types,
	.analyse = dex_analyse,
};
ANALYSER(dex);
