#!/bin/sh
# Starts a worker on each host, in the folder of the same name, and waits for all of them.
set -eu
: "${ALLOMETRY_STORAGE:?set it to the URL of a PostgreSQL database}"
folder=$(pwd)
for host in "$@"; do
    # Both are expanded here on purpose: the remote shell knows neither.
    # shellcheck disable=SC2029
    ssh "$host" "cd '$folder' && ALLOMETRY_STORAGE='$ALLOMETRY_STORAGE' allometry worker --quiet" &
done
wait
