#!/bin/sh
# Runs the command. Dagster takes the address of its history from the environment alone: here it may
# be a file among the mounted secrets, in which the project finds its own settings by itself. A file that
# this user cannot read ends it, with the name of the file.
set -eu
url="${SECRETS_DIR:-/run/secrets}/DAGSTER_POSTGRES_URL"
if [ -z "${DAGSTER_POSTGRES_URL:-}" ] && [ -e "$url" ]; then
    DAGSTER_POSTGRES_URL=$(cat "$url")
    export DAGSTER_POSTGRES_URL
fi
exec "$@"
