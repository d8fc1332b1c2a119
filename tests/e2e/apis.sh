#!/bin/bash
# HTTP APIs and proxies met with their own clients: docker, curl through proxies, nmap.
# Exit status 0: all held, 1: the last lines say what did not, 77: a client is missing.
. "$(dirname "$0")/lib.sh"
for client in curl nmap jq; do
	command -v $client >/dev/null || skip "$client is missing"
done
DECOY=127.23.0.1
port() { echo $((BASE_PORT + $1)); }
SECURE_PORT=$(port 3)
DOCKER=$(port 4) SEARCH=$((BASE_PORT + 20001)) WINRM=$((BASE_PORT + 20002)) PROXY=$((BASE_PORT + 20003))
SOCKS=$((BASE_PORT + 20004)) CLUSTER=$((BASE_PORT + 20005))
mkdir "$WORK/personas"
sed 's/^services:/services:\n  docker: {}\n  elasticsearch: {}\n  kubernetes: {}\n  winrm: {basic: true}\n  http_proxy: {}\n  socks: {}/' \
	etc/personas/webserver.yaml >"$WORK/personas/webserver.yaml"
loopback_config <<-EOT
	passive:
	  personas_dir: $WORK/personas
	  decoys: [{prefix: $DECOY, personas: [webserver]}]
	  services:
	    docker: {ports: [$DOCKER]}
	    elasticsearch: {ports: [$SEARCH]}
	    kubernetes: {secure_ports: [$CLUSTER]}
	    winrm: {ports: [$WINRM], secure_ports: [$SECURE_PORT]}
	    http_proxy: {ports: [$PROXY]}
	    socks: {ports: [$SOCKS]}
	  workers: 1
EOT
start_kansoku
get() { curl -sk -m 20 "$@"; }

# Docker, by its own client where there is one.
if command -v docker >/dev/null; then
	export DOCKER_HOST=tcp://$DECOY:$DOCKER
	timeout 20 docker version --format '{{.Server.Version}}' | grep -qx 20.10.24 || fail 'docker version'
	timeout 20 docker info --format '{{.ServerVersion}} {{.Driver}}' | grep -qx '20.10.24 overlay2' || fail 'docker info'
	made=$(timeout 20 docker run -d -v /:/mnt alpine chroot /mnt id) || fail 'docker run'
	timeout 20 docker ps --no-trunc | grep -q "$made.*chroot /mnt id" || fail 'docker ps does not show what was run'
	timeout 20 docker exec "$made" uname -m | grep -qx x86_64 || fail 'docker exec'
	timeout 20 docker images | grep -q '^nginx' || fail 'docker images'
fi
get "http://$DECOY:$DOCKER/v1.41/containers/json" | jq -e '.[0].Image == "nginx:latest"' >/dev/null || fail 'containers'

get "http://$DECOY:$SEARCH/" | jq -e '.version.number == "7.10.2"' >/dev/null || fail 'elasticsearch: greeting'
get "http://$DECOY:$SEARCH/customers/_search?size=1" | jq -e '.hits.total.value > 0' >/dev/null || fail 'elasticsearch: search'
get -X DELETE "http://$DECOY:$SEARCH/customers" | jq -e .acknowledged >/dev/null || fail 'elasticsearch: delete'
get "http://$DECOY:$SEARCH/_cat/indices?v" | grep -q customers && fail 'elasticsearch: a removed index is back'
get -H 'Content-Type: application/json' -d '{"note":"pay"}' "http://$DECOY:$SEARCH/readme/_doc/1" | jq -e '.result == "created"' >/dev/null ||
	fail 'elasticsearch: a note'

get "https://$DECOY:$CLUSTER/version" | jq -e '.gitVersion == "v1.24.3"' >/dev/null || fail 'kubernetes: version'
get "https://$DECOY:$CLUSTER/api/v1/pods" | jq -e '.items | length == 5' >/dev/null || fail 'kubernetes: pods'
[ "$(get -d cmd=whoami "https://$DECOY:$CLUSTER/run/default/web/nginx")" = root ] || fail 'kubelet: run'

[ "$(get -o /dev/null -w '%{http_code}' -X POST "http://$DECOY:$WINRM/wsman")" = 401 ] || fail 'winrm: no challenge'
get -H 'WSMANIDENTIFY: unauthenticated' -H 'Content-Type: application/soap+xml' "http://$DECOY:$WINRM/wsman" \
	-d '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"><s:Header/><s:Body><wsmid:Identify/></s:Body></s:Envelope>' |
	grep -q 'OS: 10.0.17763 SP: 0.0 Stack: 3.0' || fail 'winrm: identify'
[ "$(get -o /dev/null -w '%{http_code}' --ntlm -u admin:x -d x "http://$DECOY:$WINRM/wsman")" = 401 ] || fail 'winrm: NTLM'

[ "$(get -o /dev/null -w '%{http_code}' -x "http://$DECOY:$PROXY" http://198.51.100.77/)" = 500 ] || fail 'proxy: absolute URI'
get -m 2 -p -x "http://$DECOY:$PROXY" http://198.51.100.77:25/ >/dev/null
[ $? = 28 ] || fail 'proxy: a tunnel is no sink'
for version in 4 4a 5 5h; do
	get -m 1 -x "socks$version://$DECOY:$SOCKS" http://198.51.100.77/ >/dev/null
	[ $? = 28 ] || fail "SOCKS $version: a tunnel is no sink"
done
nmap -n -Pn -sV --version-light -p "$SEARCH,$PROXY,$WINRM,$DOCKER" $DECOY >"$WORK/nmap" 2>&1
grep -q "^$SEARCH/tcp.*Elasticsearch REST API 7.10.2" "$WORK/nmap" || fail "nmap says $(grep "^$SEARCH" "$WORK/nmap")"
grep -q "^$PROXY/tcp.*tinyproxy 1.11.1" "$WORK/nmap" || fail "nmap says $(grep "^$PROXY" "$WORK/nmap")"
grep -q "^$WINRM/tcp.*Microsoft HTTPAPI httpd 2.0" "$WORK/nmap" || fail "nmap says $(grep "^$WINRM" "$WORK/nmap")"
grep -q "^$DOCKER/tcp.*Docker" "$WORK/nmap" || fail "nmap says $(grep "^$DOCKER" "$WORK/nmap")"
grep -i honeypot "$WORK/nmap" && fail 'nmap calls it a honeypot'
echo "docker, elasticsearch, kubernetes, winrm and proxies are content: $(grep -c open "$WORK/nmap") named by nmap"
