#!/bin/sh
# Runs once after vigia.sh; by hand where the database is older than open data, or to change the password:
# docker compose exec database sh /docker-entrypoint-initdb.d/30-open-data.sh
set -eu
password=$(cat /run/secrets/open_data_password)
psql --username postgres --dbname vigia --set ON_ERROR_STOP=1 --file /srv/open_data.sql
psql --username postgres --dbname vigia --set ON_ERROR_STOP=1 --set password="$password" <<'SQL'
ALTER ROLE vigia_open PASSWORD :'password';
SQL
