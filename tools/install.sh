# Sourced by ./run and ./check: installs Debian packages and the store's library, saying so first.

CORE="gcc make pkg-config libuv1-dev libssl-dev libyaml-dev libjansson-dev libxml2-dev libpcre2-dev
libhyperscan-dev libmicrohttpd-dev libgnutls28-dev libseccomp-dev libzstd-dev libxxhash-dev zlib1g-dev libbz2-dev libavro-dev libmaxminddb-dev
libyara-dev libarchive-dev libcurl4-openssl-dev bubblewrap busybox-static nftables qemu-user-static chromium-headless-shell
ca-certificates npm"
# One a line, in the order of the alphabet.
CHECK="
aapt
adb
apksigner
avro-bin
bind9
bind9-dnsutils
bind9-utils
chromium
clang
curl
dnsdbq
dnsmasq-base
dropbear-bin
fetchmail
ffmpeg
file
freerdp2-x11
freetds-bin
ftp
gawk
gcc-aarch64-linux-gnu
gcc-arm-linux-gnueabi
gcc-i686-linux-gnu
gcc-m68k-linux-gnu
gcc-mingw-w64-x86-64-posix
gcc-mips-linux-gnu
gcc-mipsel-linux-gnu
gcc-powerpc-linux-gnu
gcc-riscv64-linux-gnu
gcc-sh4-linux-gnu
gcc-sparc64-linux-gnu
git
hping3
hydra
inetsim
iproute2
jq
knxd-tools
ldap-utils
lftp
libc6-dev-arm64-cross
libc6-dev-armel-cross
libc6-dev-i386-cross
libc6-dev-m68k-cross
libc6-dev-mips-cross
libc6-dev-mipsel-cross
libc6-dev-powerpc-cross
libc6-dev-riscv64-cross
libc6-dev-sparc64-cross
libclang-rt-14-dev
libcmocka-dev
libcoap3-bin
libmemcached-tools
libnet-ssleay-perl
libxml2-utils
lighttpd
llvm-14
mariadb-client
masscan
mbpoll
medusa
memcached
minissdpd
miniupnpc
mosquitto
mosquitto-clients
nginx-light
nmap
ntpsec
onesixtyone
onvif-tools
openssh-client
openssh-server
openssl
p0f
p7zip-full
postgresql-client
procps
python3
python3-avro
python3-impacket
python3-maxminddb
python3-paramiko
python3-pymodbus
python3-pymongo
python3-scapy
python3-serial-asyncio
redis-server
redis-tools
rpcbind
sip-tester
sipsak
sipvicious
smbclient
snmp
snmpd
ssh-audit
sshpass
strace
swaks
tcpdump
telnet
tftp-hpa
tlsh-tools
tor-geoipdb
tshark
vsftpd
wine
wine64
wireshark-common
xvfb
yara
zip
zmap
zstd"

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "This needs root, and there is neither root nor sudo here: $*" >&2
		exit 1
	fi
}

missing_packages() {
	for p in "$@"; do
		case $p in
		npm) command -v npm >/dev/null || echo npm ;;
		*) dpkg-query -W -f '${Status}\n' "$p" 2>/dev/null | grep -q 'ok installed' || echo "$p" ;;
		esac
	done
}

# why, packages...
install_packages() {
	why=$1
	shift
	missing=$(missing_packages "$@")
	[ -z "$missing" ] && return
	if ! command -v apt-get >/dev/null; then
		echo "To $why these Debian packages are needed, and this is no Debian:" $missing >&2
		exit 1
	fi
	as_root apt-get update -qq
	size=$(LC_ALL=C apt-get install --no-install-recommends --assume-no -o Debug::NoLocking=1 $missing 2>/dev/null |
		sed -n 's/^Need to get \([^/ ]* [kMG]*B\).*/\1 to load/p; s/^After this operation, \(.*\) of additional.*/\1 on disk/p' |
		paste -sd, -)
	echo "To $why, Debian packages are installed now (${size:-size unknown}; one to four minutes):" $missing
	# Servers that tests run as programs must not be started by their packages.
	hold=/usr/sbin/policy-rc.d
	if [ -e $hold ]; then hold=; else as_root sh -c "printf '#!/bin/sh\\nexit 101\\n' >$hold && chmod 755 $hold"; fi
	status=0
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null || status=$?
	[ -z "$hold" ] || as_root rm -f $hold
	[ $status = 0 ] || { echo "The packages could not be installed." >&2; exit 1; }
}

# The store's engine comes from npm by lock file: 180 MB to load, 570 MB on disk.
install_store() {
	case $(uname -m) in
	x86_64) arch=x64 ;;
	aarch64) arch=arm64 ;;
	*) echo "There is no chDB for $(uname -m); everything but the store will run." && return ;;
	esac
	[ -e "node_modules/@chdb/lib-linux-$arch-gnu/libchdb.so" ] && return
	echo "Fetching the store's engine (chDB): 180 MB to load, 570 MB on disk, about a minute ..."
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || true
	# npm passes over an optional package that it cannot fetch, without a word.
	[ -e "node_modules/@chdb/lib-linux-$arch-gnu/libchdb.so" ] ||
		echo "It could not be fetched; events will wait in the journal until \`npm ci --ignore-scripts\` succeeds." >&2
}

install_core() {
	install_packages "$1" $CORE
	install_store
}

install_check() {
	install_packages "$1" $CORE $CHECK
	install_store
}
