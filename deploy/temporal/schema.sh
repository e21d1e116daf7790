#!/bin/sh
# Both databases of the Temporal server, created or brought up to date. Safe to run again.
# temporal-sql-tool reads SQL_PLUGIN, SQL_HOST, SQL_PORT, SQL_USER and SQL_PASSWORD from the environment.
set -eu

schema() {
    temporal-sql-tool --database "$1" create-database
    temporal-sql-tool --database "$1" setup-schema -v 0.0
    temporal-sql-tool --database "$1" update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$2/versioned"
}

schema "$DBNAME" temporal
schema "$VISIBILITY_DBNAME" visibility
