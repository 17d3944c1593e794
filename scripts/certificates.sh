#!/bin/sh
# Certificates for sessions between controllers and agents, of a CA of their own, by OpenSSL 1.1.1 or newer.
#
#   certificates.sh FOLDER controller NAME...    one certificate for the names and addresses by which agents reach controllers
#   certificates.sh FOLDER agent NODE...         one certificate for each node
#   certificates.sh FOLDER revoke NODE...        no certificate that these nodes got so far is to be accepted any more
#
# The CA is made when FOLDER has none: FOLDER/ca.crt and FOLDER/ca.key, the key that nobody but you may have. Certificates lie
# in FOLDER/controller and FOLDER/agents/NODE, as tls.crt, tls.key and ca.crt. Run it again to renew them. They hold for
# WAYMARK_CERTIFICATE_DAYS (365), the CA for ten years. FOLDER/issued names all certificates of nodes, FOLDER/revoked those that
# controllers shall refuse (WAYMARK_GRPC_REVOKED_FILE).
set -eu
umask 077

usage() {
  sed -n 's/^# \{0,1\}//; 4,6p' "$0" >&2
  exit 2
}

[ $# -ge 3 ] || usage
folder=$1
kind=$2
shift 2
days=${WAYMARK_CERTIFICATE_DAYS:-365}
mkdir -p "$folder"
trap 'rm -f "$folder/openssl.cnf" "$folder/revoked.new" "$folder/revoked.node"' EXIT

new_key() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"
}

# issue SUBFOLDER COMMON_NAME EXTENDED_KEY_USAGE ALTERNATIVE_NAMES
issue() {
  target=$folder/$1
  mkdir -p "$target"
  new_key "$target/tls.key.new"
  printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=%s\nsubjectAltName=%s\n' \
    "$3" "$4" >"$target/extensions"
  openssl req -new -key "$target/tls.key.new" -subj "/CN=$2" -config "$folder/openssl.cnf" |
    openssl x509 -req -CA "$folder/ca.crt" -CAkey "$folder/ca.key" -set_serial "0x$(openssl rand -hex 16)" -days "$days" \
      -sha256 -extfile "$target/extensions" -out "$target/tls.crt.new" 2>/dev/null
  # Each file is old or new, never half; until both are new, what runs keeps what it has.
  mv "$target/tls.key.new" "$target/tls.key"
  mv "$target/tls.crt.new" "$target/tls.crt"
  cp "$folder/ca.crt" "$target/ca.crt.new"
  mv "$target/ca.crt.new" "$target/ca.crt"
  rm "$target/extensions"
}

printf '[req]\ndistinguished_name=name\nx509_extensions=ca\n[name]\n[ca]\nbasicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n' \
  >"$folder/openssl.cnf"
if [ ! -e "$folder/ca.crt" ]; then
  new_key "$folder/ca.key"
  openssl req -x509 -new -key "$folder/ca.key" -subj '/CN=Waymark sessions' -days 3650 -config "$folder/openssl.cnf" \
    -out "$folder/ca.crt"
fi

case $kind in
  controller)
    names=
    for name in "$@"; do
      case $name in
        *:*) names="$names,IP:$name" ;;
        *[!0-9.]*) names="$names,DNS:$name" ;;
        *) names="$names,IP:$name" ;;
      esac
    done
    issue controller waymark-controller serverAuth "${names#,}"
    ;;
  agent)
    for node in "$@"; do
      case $node in
        *[!A-Za-z0-9._-]* | [!A-Za-z0-9]*) echo "$node is no node id" >&2 && exit 2 ;;
      esac
      issue "agents/$node" waymark-agent clientAuth "URI:spiffe://waymark/waymark/node/$node"
      fingerprint=$(openssl x509 -noout -fingerprint -sha256 -in "$folder/agents/$node/tls.crt")
      echo "$fingerprint # $node" >>"$folder/issued"
    done
    ;;
  revoke)
    touch "$folder/revoked" "$folder/issued"
    cp "$folder/revoked" "$folder/revoked.new"
    for node in "$@"; do
      awk -v node="$node" '$NF == node' "$folder/issued" >"$folder/revoked.node"
      [ -s "$folder/revoked.node" ] || { echo "$folder/issued names no certificate of $node" >&2 && exit 2; }
      cat "$folder/revoked.node" >>"$folder/revoked.new"
    done
    # Never half a list, nothing twice, and comments stay where they are.
    awk '/^#/ || !listed[$0]++' "$folder/revoked.new" >"$folder/revoked.node"
    mv "$folder/revoked.node" "$folder/revoked"
    ;;
  *) usage ;;
esac
