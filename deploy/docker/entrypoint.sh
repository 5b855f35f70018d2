#!/bin/sh
# Reads the connection addresses, which hold passwords, from secret files, then becomes the command.
set -eu
for name in DATABASE_URL REDIS_URL; do
    eval "file=\${${name}_FILE:-}"
    if [ -n "$file" ]; then
        value=$(cat "$file")
        export "$name=$value"
    fi
done
exec "$@"
