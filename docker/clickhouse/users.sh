#!/bin/bash
# Makes the users with the passwords in /run/secrets. They stand in addresses and in SQL, and on no command line.
set -euo pipefail

parameters() {
    local user password
    for user in publisher api analyst; do
        password=$(<"${SECRETS:-/run/secrets}/clickhouse_$user")
        if ! [[ $password =~ ^[A-Za-z0-9_-]{16,}$ ]]; then
            echo "the password of $user needs 16 characters or more, all of A-Z a-z 0-9 _ -" >&2
            return 1
        fi
        printf "SET param_%s_password = '%s';\n" "$user" "$password"
    done
}

given=$(parameters)
{
    printf '%s\n' "$given"
    cat "${STATEMENTS:-/etc/clickhouse-server/simplicity-users.sql}"
} | clickhouse-client --host 127.0.0.1 --multiquery
