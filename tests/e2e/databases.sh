#!/bin/bash
# The decoys' database servers met with their own clients, nmap, hydra and medusa.
# Exit status 0: all held, 1: the last lines say what did not, 77: a client is missing.
. "$(dirname "$0")/lib.sh"
for client in nmap hydra medusa redis-cli mariadb psql tsql; do
	command -v $client >/dev/null || skip "$client is missing"
done
DECOY=127.24.0.1 LOCKED=127.24.0.2
REDIS_PORT=$BASE_PORT MYSQL_PORT=$((BASE_PORT + 1)) POSTGRES_PORT=$((BASE_PORT + 3)) MONGO_PORT=$((BASE_PORT + 4))
MSSQL_PORT=$((BASE_PORT + 1000))

mkdir "$WORK/personas"
cat >"$WORK/personas/open.yaml" <<-EOT
	name: open
	hostname: db1
	arch: x86
	machine: x86_64
	kernel: 5.10.0-28-amd64
	services:
	  redis: {ports: [$REDIS_PORT], version: 6.0.16}
	  mysql: {ports: [$MYSQL_PORT], accounts: [{user: root, password: planted7}]}
	  postgresql: {ports: [$POSTGRES_PORT], accounts: [{user: postgres, password: planted7}]}
	  mongodb: {ports: [$MONGO_PORT], collections: [{database: shop, collection: users, documents: 7}]}
	  mssql: {ports: [$MSSQL_PORT], accounts: [{user: sa, password: planted7}]}
EOT
cat >"$WORK/personas/locked.yaml" <<-EOT
	name: locked
	hostname: db2
	arch: x86
	machine: x86_64
	kernel: 5.10.0-28-amd64
	services:
	  redis: {ports: [$REDIS_PORT], password: planted7}
	  mysql: {ports: [$MYSQL_PORT], flavour: mysql8, version: 8.0.36, accounts: [{user: root, password: planted7}]}
	  postgresql:
	    ports: [$POSTGRES_PORT]
	    version: "15.18"
	    package: "Debian 15.18-0+deb12u1"
	    auth: scram-sha-256
	    startup-line: 2222
	    accounts: [{user: postgres, password: planted7}]
	  mongodb: {ports: [$MONGO_PORT], auth: yes, accounts: [{user: admin, password: planted7}]}
EOT
loopback_config <<-EOT
	passive:
	  personas_dir: $WORK/personas
	  decoys:
	    - {prefix: $DECOY, personas: [open]}
	    - {prefix: $LOCKED, personas: [locked]}
	  services: {redis: {ports: [$REDIS_PORT]}, mysql: {ports: [$MYSQL_PORT]}, postgresql: {ports: [$POSTGRES_PORT]},
	    mongodb: {ports: [$MONGO_PORT]}, mssql: {ports: [$MSSQL_PORT]}}
	  workers: 1
EOT
printf '%s\n' admin1 root1 planted7 qwerty letmein >"$WORK/passwords"
start_kansoku

# is WHAT EXPECTED GOT
is() { [ "$2" = "$3" ] || fail "$1: \"$3\", expected \"$2\""; }
# identified WHAT PATTERN ADDRESS PORT SCRIPTS
identified() {
	nmap -n -Pn -sV -p "$4" ${5:+--script "$5"} "$3" >"$WORK/nmap" 2>&1
	grep -qE "$2" "$WORK/nmap" || fail "$1: nmap says $(cat "$WORK/nmap")"
	grep -qi honeypot "$WORK/nmap" && fail "$1: nmap calls it a honeypot"
	echo "$1: nmap says $(grep "^$4/tcp" "$WORK/nmap")"
}
# found WHAT HYDRA-ARGUMENTS...: only the planted password
guessed() {
	local what=$1
	shift
	is "$what: hydra" planted7 "$(hydra -q -I -t 2 -P "$WORK/passwords" "$@" 2>&1 | sed -n 's/.*password: *//p')"
}

redis_met() {
	local cli="redis-cli -h $DECOY -p $REDIS_PORT"
	is 'redis: ping' PONG "$($cli ping)"
	is 'redis: set' OK "$($cli set key 'a value')"
	is 'redis: three in one session' $'OK\na b\n1' "$(printf 'set x "a b"\nget x\ndel x\n' | $cli)"
	is 'redis: RESP 3' $'OK\ndir /tmp' "$(printf 'config set dir /tmp\nconfig get dir\n' | $cli -3)"
	is 'redis: version' 'redis_version:6.0.16' "$($cli info server | tr -d '\r' | grep redis_version)"
	identified redis 'Redis key-value store 6.0.16' $DECOY $REDIS_PORT redis-info
	is 'redis: locked' 'NOAUTH Authentication required.' "$(redis-cli -h $LOCKED -p $REDIS_PORT ping 2>&1)"
	is 'redis: unlocked' PONG "$(redis-cli -h $LOCKED -p $REDIS_PORT --no-auth-warning -a planted7 ping 2>&1)"
	guessed redis -s $REDIS_PORT $LOCKED redis
}

# medusa_found MODULE ADDRESS PORT USER: only the planted password
medusa_found() {
	local found
	found=$(medusa -h "$2" -n "$3" -u "$4" -P "$WORK/passwords" -M "$1" -t 1 2>&1 | grep FOUND)
	[[ $found == *"Password: planted7 [SUCCESS]"* ]] || fail "$1: medusa found \"$found\""
	[ "$(wc -l <<<"$found")" = 1 ] || fail "$1: medusa found a false password: $found"
}

mysql_met() {
	local to="-h $DECOY -P $MYSQL_PORT -uroot" got
	is 'mysql: version' 10.11.6-MariaDB-0+deb12u1 "$(mariadb $to -pplanted7 -N -e 'select version()')"
	is 'mysql: a table' $'1\tx\n2\ty' "$(mariadb $to -pplanted7 -N -e \
		"create database w; use w; create table t (a int, b text); insert into t values (1,'x'),(2,'y'); select * from t")"
	is 'mysql: the table, in another session' $'1\tx\n2\ty' "$(mariadb $to -pplanted7 -N -e 'select * from w.t')"
	is 'mysql: dump and function' hi "$(mariadb $to -pplanted7 -N -e "select 0x7f454c46 into dumpfile '/tmp/u.so';
		create function sys_eval returns string soname 'u.so'; select trim(sys_eval('echo hi'))")"
	got=$(mariadb $to -pwrong -e 'select 1' 2>&1)
	is 'mysql: wrong password' "ERROR 1045 (28000): Access denied for user 'root'@'127.0.0.1' (using password: YES)" "$got"
	is 'mysql 8: log-in' 8.0.36 "$(mariadb -h $LOCKED -P $MYSQL_PORT -uroot -pplanted7 -N -e 'select version()')"
	identified mysql 'MySQL 5.5.5-10.11.6-MariaDB-0\+deb12u1' $DECOY $MYSQL_PORT mysql-info
	identified 'mysql 8' 'MySQL 8.0.36' $LOCKED $MYSQL_PORT mysql-info
	guessed mysql -l root -s $MYSQL_PORT $DECOY mysql
	medusa_found mysql $DECOY $MYSQL_PORT root
}

postgresql_met() {
	local to="host=$DECOY port=$POSTGRES_PORT user=postgres" got
	got=$(PGPASSWORD=planted7 psql "$to" -Atc 'create table c(o text)' -c "copy c from program 'echo hi'" -c 'select * from c' -c 'show server_version_num' 2>&1)
	is 'postgresql: a program' $'CREATE TABLE\nCOPY 1\nhi\n130008' "$got"
	is 'postgresql: the table, in another session' hi "$(PGPASSWORD=planted7 psql "$to" -Atc 'select * from c')"
	got=$(PGPASSWORD=wrong psql "$to" -c 'select 1' 2>&1)
	[[ $got == *'FATAL:  password authentication failed for user "postgres"' ]] || fail "postgresql: wrong password: $got"
	got=$(PGPASSWORD=planted7 psql "host=$LOCKED port=$POSTGRES_PORT user=postgres" -Atc 'select 1+1')
	is 'postgresql: SCRAM' 2 "$got"
	got=$(PGPASSWORD=planted7 psql "host=$LOCKED port=$POSTGRES_PORT user=postgres sslmode=require" -Atc "select 1+2")
	is "postgresql: TLS" 3 "$got"
	identified postgresql 'PostgreSQL DB 13.5 - 13.8' $DECOY $POSTGRES_PORT
	identified 'postgresql 15' 'PostgreSQL DB 9.6.0 or later' $LOCKED $POSTGRES_PORT
	# Both leave the port to libpq.
	export PGPORT=$POSTGRES_PORT
	guessed postgresql -l postgres -s $POSTGRES_PORT $DECOY postgres
	guessed 'postgresql, SCRAM' -l postgres -s $POSTGRES_PORT $LOCKED postgres
	medusa_found postgres $DECOY $POSTGRES_PORT postgres
}

mongodb_met() {
	local got
	# On another port than 27017 nmap -sV does not ask what MongoDB answers.
	nmap -n -Pn -p $MONGO_PORT --script +mongodb-info,+mongodb-databases $DECOY >"$WORK/nmap" 2>&1
	grep -q 'version = 4.4.29' "$WORK/nmap" && grep -q 'name = shop' "$WORK/nmap" || fail "mongodb: nmap says $(cat "$WORK/nmap")"
	guessed mongodb -l admin -t 4 -s $MONGO_PORT $LOCKED mongodb
	/usr/bin/python3 -c 'import pymongo' 2>/dev/null || { echo "mongodb: pymongo is missing"; return; }
	got=$(timeout 30 /usr/bin/python3 - $DECOY $LOCKED $MONGO_PORT 2>&1 <<-'EOP'
	import pymongo, sys
	decoy, locked, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
	c = pymongo.MongoClient(decoy, port, serverSelectionTimeoutMS=5000)
	print(len(list(c.shop.users.find())), c.shop.users.count_documents({}))
	c.drop_database("shop")
	c.READ__ME.README.insert_one({"content": "send 0.01 BTC"})
	print(c.list_database_names(), c.READ__ME.README.find_one()["content"])
	again = pymongo.MongoClient(decoy, port, serverSelectionTimeoutMS=5000)
	print(again.list_database_names(), again.READ__ME.README.find_one()["content"])
	for user, secret, way in (("admin", "planted7", "SCRAM-SHA-256"), ("admin", "planted7", "SCRAM-SHA-1"),
	                          ("admin", "wrong", "SCRAM-SHA-256")):
	    try:
	        pymongo.MongoClient(locked, port, username=user, password=secret, authMechanism=way,
	                            serverSelectionTimeoutMS=5000).list_database_names()
	        print("in")
	    except pymongo.errors.OperationFailure as e:
	        print(e.code)
	EOP
	)
	is 'mongodb: pymongo' $'7 7\n[\'READ__ME\', \'admin\', \'config\', \'local\'] send 0.01 BTC\n[\'READ__ME\', \'admin\', \'config\', \'local\'] send 0.01 BTC\nin\nin\n18' "$got"
}

mssql_met() {
	local got
	got=$(timeout 20 tsql -H $DECOY -p $MSSQL_PORT -U sa -P planted7 -o q 2>&1 <<-'EOS'
	select 'spid', 1 + 1, serverproperty('productversion')
	go
	exec master..xp_cmdshell 'whoami'
	go
	select * from nosuch
	go
	exit
	EOS
	)
	for want in $'spid\t2\t14.0.1000.169' 'nt service\mssqlserver' "Invalid object name 'nosuch'"; do
		[[ $got == *"$want"* ]] || fail "mssql: no \"$want\" in $got"
	done
	got=$(timeout 20 tsql -H $DECOY -p $MSSQL_PORT -U sa -P wrong </dev/null 2>&1)
	[[ $got == *"Login failed for user 'sa'."* ]] || fail "mssql: wrong password: $got"
	guessed mssql -l sa -s $MSSQL_PORT $DECOY mssql
	medusa_found mssql $DECOY $MSSQL_PORT sa
}

redis_met
mysql_met
postgresql_met
mongodb_met
mssql_met
