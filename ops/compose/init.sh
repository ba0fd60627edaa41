#!/bin/sh
# What an operator does before a network starts, for compose.yaml: a folder with keys for every node, and from their
# public halves the configuration of the NATS server. What is there already stays as it is.
#
#   sh ops/compose/init.sh DATA CONFIG STORE NODE...
#
# NODE is a role and a number, or `operator`, `observer`, `client`; its keys go to DATA/NODE. CONFIG gets `members` and
# `nats.conf`, in which the server's store is STORE.
set -eu
data=$1 config=$2 store=$3
shift 3
pouw="$(dirname "$0")/../../bin/pouw.js"

mkdir -p "$config"
: >"$config/members.new"
for node in "$@"; do
  node "$pouw" keys --role "${node%-*}" --data "$data/$node" --json >>"$config/members.new"
  # The nodes run as a user of their own. Elsewhere than in the container nobody has to be given anything.
  if [ "$(id -u)" = 0 ] && id node >/dev/null 2>&1; then chown -R node:node "$data/$node"; fi
done
mv "$config/members.new" "$config/members"
node "$pouw" nats-config --members "$config/members" --host 0.0.0.0 --store "$store" >"$config/nats.conf"
