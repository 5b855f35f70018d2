#!/bin/sh
# Makes the secret files that docker-compose.yml mounts, once: deploy/secrets/*. Existing files are kept.
# The folder is closed to other users; the files are readable because containers run as another user.
set -eu
cd "$(dirname "$0")/.."
umask 077
mkdir -p secrets/tls
cd secrets

random_text() { openssl rand -hex 32; }
make() { # name, content
    [ -s "$1" ] || printf '%s\n' "$2" > "$1"
    chmod 0444 "$1"
}

make postgres_password "$(random_text)"
make owner_password "$(random_text)"
make app_password "$(random_text)"
make valkey_password "$(random_text)"
make secret_key "$(random_text)"
make master_key "$(openssl rand -base64 32)"
make database_url "postgresql://glassdesk_app:$(cat app_password)@postgres:5432/glassdesk"
make database_owner_url "postgresql://glassdesk_owner:$(cat owner_password)@postgres:5432/glassdesk"
make redis_url "redis://:$(cat valkey_password)@valkey:6379/0"

if [ ! -s tls/fullchain.pem ]; then
    name=${GLASSDESK_HOST:-localhost}
    openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj "/CN=$name" -addext "subjectAltName=DNS:$name" \
        -keyout tls/privkey.pem -out tls/fullchain.pem 2> /dev/null
    echo "Made a self-signed certificate for $name; put a real one in $(pwd)/tls before customers come."
fi
echo "Secrets are in $(pwd). Keep a copy of master_key elsewhere: without it no trace can be read."
