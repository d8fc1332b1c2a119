#!/bin/bash
# A package for Android, built and signed by the SDK's programs: manifest, permissions, certificates, code.
. "$(dirname "$0")/lib.sh"
for program in jq aapt apksigner keytool zip; do
	command -v $program >/dev/null || skip "$program is missing"
done
cd "$WORK" || exit 2
mkdir -p framework/res/values app
space='xmlns:android="http://schemas.android.com/apk/res/android"'
echo "<manifest $space package=\"android\"/>" >framework/AndroidManifest.xml
# The few attributes of the platform that are used, with the numbers that they have there.
{
	echo '<resources>'
	for a in name:string:0x01010003 permission:string:0x01010006 debuggable:boolean:0x0101000f exported:boolean:0x01010010 \
		minSdkVersion:integer:0x0101020c versionCode:integer:0x0101021b versionName:string:0x0101021c; do
		IFS=: read -r name type id <<<"$a"
		echo "<attr name=\"$name\" format=\"$type\"/><public type=\"attr\" name=\"$name\" id=\"$id\"/>"
	done
	echo '</resources>'
} >framework/res/values/attributes.xml
cat >app/AndroidManifest.xml <<EOT
<manifest $space package="org.example.update" android:versionCode="7" android:versionName="1.2">
<uses-sdk android:minSdkVersion="19"/>
<uses-permission android:name="android.permission.RECEIVE_SMS"/>
<application android:debuggable="true">
<service android:name=".Watcher" android:exported="true" android:permission="android.permission.BIND_ACCESSIBILITY_SERVICE">
<intent-filter><action android:name="android.accessibilityservice.AccessibilityService"/></intent-filter></service>
</application></manifest>
EOT
aapt package -x -f -M framework/AndroidManifest.xml -S framework/res -F framework.apk >aapt.log 2>&1 &&
	aapt package -f -M app/AndroidManifest.xml -I framework.apk -F app.apk >>aapt.log 2>&1 || fail "aapt: $(cat aapt.log)"
printf 'dex\n035\0%0120d\0https://gate.evil.example/panel/api.php\0Ldalvik/system/DexClassLoader;\0' 0 >classes.dex
zip -q app.apk classes.dex
timeout 60 keytool -genkeypair -keystore keys -storepass kansoku1 -alias k -dname "CN=Evil Maker, O=Nobody" -keyalg EC \
	-groupname secp256r1 -validity 900 >keytool.log 2>&1 || fail "keytool: $(cat keytool.log)"
timeout 60 apksigner sign --ks keys --ks-pass pass:kansoku1 --min-sdk-version 18 --out signed.apk app.apk >sign.log 2>&1 ||
	fail "apksigner: $(cat sign.log)"
cd - >/dev/null || exit 2
timeout 20 "$KANSOKU" analyse --json "$WORK/signed.apk" >"$WORK/json" || fail "analyse"
fact() { jq -r --arg n "$1" '.facts[] | select(.name == $n) | .value' "$WORK/json"; }
[ "$(jq -r .type "$WORK/json")" = apk ] || fail "type $(jq -r .type "$WORK/json")"
[ "$(fact apk.package)" = org.example.update ] || fail "package $(fact apk.package)"
[ "$(fact apk.version-code)" = 7 ] || fail "version $(fact apk.version-code)"
fact apk.permission | grep -qx android.permission.RECEIVE_SMS || fail "permissions: $(fact apk.permission)"
fact apk.may | grep -qx 'intercept messages' || fail "what it may: $(fact apk.may)"
fact apk.may | grep -qx 'read the screen and press buttons' || fail "what its service may: $(fact apk.may)"
fact apk.service | grep -qx '.Watcher (exported)' || fail "services: $(fact apk.service)"
fact dex.does | grep -q 'further code' || fail "code: $(fact dex.does)"
for scheme in 'scheme v1 (JAR)' 'scheme v2' 'scheme v3'; do
	fact apk.signature | grep -qxF "$scheme" || fail "$scheme is not told: $(fact apk.signature)"
done
digest=$(timeout 60 apksigner verify --print-certs "$WORK/signed.apk" | sed -n 's/.*certificate SHA-256 digest: //p' | head -1)
jq -e --arg v "certificate sha256 $digest" '.indicators[] | select(.type == "key" and .value == $v)' "$WORK/json" >/dev/null ||
	fail "the certificate is not the one that apksigner tells: $digest"
jq -e '.indicators[] | select(.value == "https://gate.evil.example/panel/api.php")' "$WORK/json" >/dev/null || fail "its URL was not found"
