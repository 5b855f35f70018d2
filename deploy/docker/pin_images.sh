#!/bin/sh
# Prints the images that docker-compose.yml names with the digests that their tags have now, for the file `.env` beside it:
#   deploy/docker/pin_images.sh > pinned && cat pinned >> .env && rm pinned
# A tag can be given to another image later; a digest cannot. Look at what changed before you pin anew.
set -eu
compose=$(dirname "$0")/../../docker-compose.yml
# ${GLASSDESK_NGINX_IMAGE:-nginx:1.29-alpine} -> GLASSDESK_NGINX_IMAGE nginx:1.29-alpine
references=$(sed -n 's/.*\${\(GLASSDESK_[A-Z]*_IMAGE\):-\([^}]*\)}.*/\1 \2/p' "$compose" | sort -u)
printf '%s\n' "$references" | while read -r name reference; do
    digest=$(docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$reference")
    case $digest in
        sha256:*) printf '%s=%s@%s\n' "$name" "$reference" "$digest" ;;
        *) echo "$reference has no digest: $digest" >&2 && exit 1 ;;
    esac
done
