"""The role that open data is read with reads them, and nothing else; a role that may more is sent away."""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg
import pytest
from psycopg import errors

from tests.opendata.conftest import REASON, address_of, plain
from web.launcher.layout import ROOT
from web.opendata.role import TooPowerful, refuse_power
from web.settings import Settings
from web.tables import METADATA


def ask(url: str, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(plain(url)) as connection:
        return connection.execute(sql.encode()).fetchall()


def test_it_reads_every_view(as_anybody: str) -> None:
    views = ask(as_anybody, "SELECT relname FROM pg_class WHERE relnamespace = 'open_data'::regnamespace")
    assert {"calles", "zonas", "cortes", "lugares", "agua", "cursos_de_agua", "suelo", "ciudad", "creditos"} <= {
        str(name) for (name,) in views
    }
    for (name,) in views:
        ask(as_anybody, f"TABLE open_data.{name} LIMIT 1")
    assert ask(as_anybody, "SELECT count(*) FROM open_data.calles") == [(251,)]


@pytest.mark.parametrize("table", sorted(METADATA.tables))
def test_it_reads_no_table(as_anybody: str, table: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        ask(as_anybody, f"TABLE {table}")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO open_data.calles (nombre) VALUES ('x')",
        "UPDATE open_data.zonas SET nombre = 'x'",
        "DELETE FROM open_data.lugares",
        "CREATE TABLE open_data.x ()",
        "CREATE TABLE public.x ()",
        "CREATE TEMPORARY TABLE x ()",
        "CREATE SCHEMA x",
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER ROLE vigia_open SUPERUSER",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('/')",
        "SELECT lo_import('/etc/passwd')",
        "COPY open_data.calles TO '/tmp/x'",
        "COPY open_data.calles TO PROGRAM 'cat'",
        "SET ROLE postgres",
        "SELECT rolpassword FROM pg_authid",
        "SELECT * FROM pg_statistic",
    ],
)
def test_it_does_nothing_else_even_where_it_unlocks_writing(as_anybody: str, statement: str) -> None:
    with psycopg.connect(plain(as_anybody), autocommit=True) as connection:
        connection.execute(b"SET default_transaction_read_only = off")
        with pytest.raises(
            (errors.InsufficientPrivilege, errors.ObjectNotInPrerequisiteState, errors.InvalidParameterValue)
        ):
            connection.execute(statement.encode())


def test_it_only_reads_and_not_for_long(as_anybody: str) -> None:
    with psycopg.connect(plain(as_anybody)) as connection:
        told = {
            name: connection.execute(f"SHOW {name}".encode()).fetchone()
            for name in ("statement_timeout", "default_transaction_read_only")
        }
        assert told == {"statement_timeout": ("5s",), "default_transaction_read_only": ("on",)}
        with pytest.raises(errors.QueryCanceled):
            connection.execute(b"SET statement_timeout = 200; SELECT pg_sleep(30)")


def test_what_the_catalogue_of_postgresql_tells_has_nobody_in_it(as_anybody: str) -> None:
    """Statistics hold samples of the rows; those of tables that it cannot read are not shown to it."""
    shown = ask(as_anybody, "SELECT DISTINCT schemaname || '.' || tablename FROM pg_stats")
    ours = {str(name) for (name,) in shown} - {"public.spatial_ref_sys"}
    assert [name for name in ours if not name.startswith(("pg_catalog.", "information_schema."))] == []
    others = "SELECT query FROM pg_stat_activity WHERE usename <> current_user AND query NOT LIKE '<%'"
    assert ask(as_anybody, others) == []


def test_a_zone_that_has_ended_and_what_is_on_our_own_list_are_not_shown(as_anybody: str) -> None:
    assert ("Ya terminó",) not in ask(as_anybody, "SELECT nombre FROM open_data.zonas")
    assert ask(as_anybody, "SELECT nombre FROM open_data.lugares") == [("Escuela 6",)]


def test_of_closures_only_those_in_force_and_never_the_reason(as_anybody: str) -> None:
    assert ask(as_anybody, "SELECT clase, hasta FROM open_data.cortes") == [("works", None)]
    assert REASON not in str(ask(as_anybody, "TABLE open_data.cortes"))


def test_of_facilities_those_where_people_go_for_help(as_anybody: str) -> None:
    shown = ask(as_anybody, "SELECT clase, nombre, direccion FROM open_data.equipamientos")
    assert shown == [("hospital", "Hospital", "San Juan 1")]


async def test_the_process_accepts_the_role(as_anybody: str) -> None:
    await refuse_power(Settings(open_database_url=as_anybody))


def test_the_process_does_not_start_as_somebody_who_may_more(open_city: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VIGIA_")}
    started = subprocess.run(
        [sys.executable, "-m", "web.cli", "opendata"],
        env=environment | {"VIGIA_OPEN_DATABASE_URL": open_city},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert started.returncode == 1
    assert "superuser" in started.stderr
    assert "docs/operacion.md" in started.stderr
    assert "Traceback" not in started.stderr


async def test_one_table_more_is_too_much(maintenance_url: str, open_city: str) -> None:
    """A role like ours to which somebody has granted one thing too many."""
    with psycopg.connect(plain(open_city), autocommit=True) as owner:
        owner.execute(b"CREATE ROLE vigia_open_too_much LOGIN")
        try:
            owner.execute(b"GRANT SELECT (name) ON people TO vigia_open_too_much")
            owner.execute(b"GRANT INSERT ON open_data.zonas TO vigia_open_too_much")
            settings = Settings(open_database_url=address_of(maintenance_url, open_city, "vigia_open_too_much"))
            with pytest.raises(TooPowerful) as refused:
                await refuse_power(settings)
        finally:
            owner.execute(b"DROP OWNED BY vigia_open_too_much")
            owner.execute(b"DROP ROLE vigia_open_too_much")
    assert set(str(refused.value).split("; ")) == {"reads public.people", "writes open_data.zonas"}
