#!/bin/bash
# Runs once, when the database cluster is made: the owner that migrates and the restricted role that the desk runs as.
set -euo pipefail
owner_password=$(cat /run/secrets/owner_password)
app_password=$(cat /run/secrets/app_password)

psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    -v owner_password="$owner_password" -v app_password="$app_password" <<'SQL'
CREATE ROLE glassdesk_owner LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS PASSWORD :'owner_password';
CREATE ROLE glassdesk_app LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS PASSWORD :'app_password';
CREATE DATABASE glassdesk OWNER glassdesk_owner;
REVOKE ALL ON DATABASE glassdesk FROM PUBLIC;
GRANT CONNECT ON DATABASE glassdesk TO glassdesk_app;
\connect glassdesk
CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS citext;
-- So that an index may serve the inbox's search under row-level security; it tells nothing of rows that the reader may not see.
ALTER FUNCTION pg_catalog.ts_match_vq(tsvector, tsquery) LEAKPROOF;
ALTER SCHEMA public OWNER TO glassdesk_owner;
GRANT USAGE ON SCHEMA public TO glassdesk_app;
ALTER DEFAULT PRIVILEGES FOR ROLE glassdesk_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO glassdesk_app;
ALTER DEFAULT PRIVILEGES FOR ROLE glassdesk_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO glassdesk_app;
SQL
