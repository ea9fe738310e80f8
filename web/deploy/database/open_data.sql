-- The role that open data is read with (python -m web.cli opendata). A superuser runs this in Vigía's database, as often
-- as he likes: psql -d vigia -f open_data.sql. Where connections need a password: ALTER ROLE vigia_open PASSWORD '…'.
-- Nothing is granted here: the views of the schema open_data are everybody's, and nothing else is.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'vigia_open') THEN
        CREATE ROLE vigia_open LOGIN;
    END IF;
    EXECUTE format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO vigia_open', current_database());
END
$$;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
ALTER ROLE vigia_open NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT CONNECTION LIMIT 20;
ALTER ROLE vigia_open SET default_transaction_read_only = on;
ALTER ROLE vigia_open SET statement_timeout = '5s';
ALTER ROLE vigia_open SET lock_timeout = '1s';
ALTER ROLE vigia_open SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE vigia_open SET temp_file_limit = '256MB';
