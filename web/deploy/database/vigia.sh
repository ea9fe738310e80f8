#!/bin/sh
# Runs once, when the database's volume is empty: the application's own role, which is no superuser, and its
# database with PostGIS.
set -eu
password=$(cat /run/secrets/application_password)
psql --username postgres --set ON_ERROR_STOP=1 --set password="$password" <<'SQL'
CREATE ROLE vigia LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE vigia OWNER vigia;
\connect vigia
CREATE EXTENSION IF NOT EXISTS postgis;
SQL
