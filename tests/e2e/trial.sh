#!/bin/sh
# The trial of 2015 in small: every model of its table attacks once, among two thousand other
# sources, and kansoku's table must equal the truth.
# Exit status 0: equal, 1: the last lines say what is not, 77: no right or tool for it here.
cd "$(dirname "$0")/../.." || exit 1
[ "$(id -u)" = 0 ] || { echo "trial.sh: network namespaces want root"; exit 77; }
for tool in ip nft jq awk; do
	command -v $tool > /dev/null || { echo "trial.sh: no $tool here"; exit 77; }
done
make -s bench-trial || exit 1
exec bench/trial/run --scale 0.01 --each-model --hold-out 0
