#!/bin/sh
# Makes certificates for NATS servers and for the nodes that connect to them, below a folder; needs openssl.
#
#   sh ops/certificates.sh server FOLDER NAME HOST...   a server, and every name and address it is reached by
#   sh ops/certificates.sh client FOLDER NAME           a node, an operator, an observer
#
# The first call makes the authority that vouches for all of them, FOLDER/authority.pem. Its key, authority.key, belongs
# on no server and no node: whoever has it can pass for any of them.
set -eu
kind=$1 folder=$2 name=$3
shift 3
umask 077
mkdir -p "$folder"
cd "$folder"
key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'

if [ ! -f authority.key ]; then
  # shellcheck disable=SC2086 # The options of the key are several words.
  openssl req -x509 $key -days 3650 -subj '/CN=pouw NATS authority' -keyout authority.key -out authority.pem 2>/dev/null
fi

case $kind in
  server)
    names=
    for host in "$@"; do
      case $host in
        *[!0-9.]*) names="$names,DNS:$host" ;;
        *) names="$names,IP:$host" ;;
      esac
    done
    # Servers of a cluster are each other's clients too.
    printf 'subjectAltName = %s\nextendedKeyUsage = serverAuth, clientAuth\n' "${names#,}" >"$name.ext"
    ;;
  client) printf 'extendedKeyUsage = clientAuth\n' >"$name.ext" ;;
  *) echo "what is $kind? server or client" >&2 && exit 2 ;;
esac

# shellcheck disable=SC2086
openssl req -new $key -subj "/CN=$name" -keyout "$name.key" -out "$name.csr" 2>/dev/null
openssl x509 -req -in "$name.csr" -CA authority.pem -CAkey authority.key -CAcreateserial -days 825 \
  -extfile "$name.ext" -out "$name.pem" 2>/dev/null
rm "$name.csr" "$name.ext"
openssl verify -CAfile authority.pem "$name.pem"
