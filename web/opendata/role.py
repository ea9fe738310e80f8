"""The role that open data is read with, and the proof that it can do nothing else."""

from __future__ import annotations

from typing import Any

import asyncpg
import orjson
from sqlalchemy import make_url

from web.opendata.layers import SCHEMA
from web.settings import Settings

AT_ONCE = 6  # connections
PATIENCE = 5.0  # seconds for one question; the role's own setting says the same, and this one stands in front
CONNECT = 5.0

# What it may that it should not. The tables and views of PostGIS itself hold nothing of ours.
_TOO_MUCH = """
    SELECT 'is ' || what FROM pg_roles,
        LATERAL (VALUES ('superuser', rolsuper), ('createrole', rolcreaterole), ('createdb', rolcreatedb),
                        ('replication', rolreplication), ('bypassrls', rolbypassrls)) AS powers(what, has)
    WHERE rolname = current_user AND has
    UNION ALL
    SELECT 'member of ' || rolname FROM pg_roles
    WHERE rolname <> current_user AND pg_has_role(current_user, oid, 'MEMBER')
    UNION ALL
    SELECT lower(power) || ' on database ' || current_database() FROM (VALUES ('CREATE'), ('TEMPORARY')) AS p(power)
    WHERE has_database_privilege(current_database(), power)
    UNION ALL
    SELECT 'create in schema ' || nspname FROM pg_namespace
    WHERE nspname !~ '^pg_' AND has_schema_privilege(oid, 'CREATE')
    UNION ALL
    SELECT CASE WHEN writes THEN 'writes ' ELSE 'reads ' END || nspname || '.' || relname
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace,
        LATERAL (SELECT has_any_column_privilege(c.oid, 'SELECT') AS reads,
                        has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') AS writes) AS rights
    WHERE relkind IN ('r', 'v', 'm', 'f', 'p') AND nspname NOT IN ('pg_catalog', 'information_schema')
      AND nspname !~ '^pg_(toast|temp)' AND (writes OR (reads AND nspname <> $1))
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
"""


class TooPowerful(Exception):
    """The role may more than read open data; the words say what."""


def address(settings: Settings) -> dict[str, Any]:
    """What asyncpg wants to know. Raises `ValueError` when no address was given."""
    if settings.open_database_url is None:
        raise ValueError("VIGIA_OPEN_DATABASE_URL is not set")
    url = make_url(settings.open_database_url).set(drivername="postgresql")
    password = settings.open_database_password
    return {"dsn": url.render_as_string(hide_password=False), **({"password": password} if password else {})}


async def open_pool(settings: Settings) -> asyncpg.Pool:
    """Connections that only read, and not for long."""
    return await asyncpg.create_pool(
        **address(settings),
        min_size=0,
        max_size=AT_ONCE,
        timeout=CONNECT,
        init=_prepared,
        statement_cache_size=0,  # no two filters are alike
        server_settings={
            "application_name": "vigia-opendata",
            "default_transaction_read_only": "on",
            "statement_timeout": str(int(PATIENCE * 1000)),
            "jit": "off",
        },
    )


async def _prepared(connection: asyncpg.Connection) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=orjson.dumps, decoder=orjson.loads, schema="pg_catalog")


async def refuse_power(settings: Settings) -> None:
    """Raise `TooPowerful` when the role could read or do anything but open data."""
    connection = await asyncpg.connect(**address(settings), timeout=CONNECT)
    try:
        found = [row[0] for row in await connection.fetch(_TOO_MUCH, SCHEMA)]
    finally:
        await connection.close()
    if found:
        more = f" … ({len(found)})" if len(found) > 8 else ""
        raise TooPowerful("; ".join(found[:8]) + more)
