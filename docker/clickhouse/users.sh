#!/bin/bash
# Runs users.sql with the passwords in /run/secrets. They stand on no command line, and the server hides them in its log
# where they are part of a statement like these.
set -euo pipefail

statements=$(<"${STATEMENTS:-/etc/clickhouse-server/simplicity-users.sql}")
for user in publisher api analyst; do
    password=$(<"${SECRETS:-/run/secrets}/clickhouse_$user")
    # Of characters that need no quoting, in SQL or in an address.
    if ! [[ $password =~ ^[A-Za-z0-9_-]{16,}$ ]]; then
        echo "the password of $user needs 16 characters or more, all of A-Z a-z 0-9 _ -" >&2
        exit 1
    fi
    statements=${statements//"{${user}_password:String}"/"'$password'"}
done
clickhouse-client --host 127.0.0.1 <<<"$statements"
