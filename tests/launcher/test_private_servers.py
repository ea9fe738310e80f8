"""The servers tests may start for themselves: killed, hung, restarted, two at once."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from web.launcher import pgwire
from web.launcher.postgres import PrivatePostgres
from web.launcher.redis import PrivateRedis

pytestmark = pytest.mark.faults


def test_what_a_durable_server_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    with PrivatePostgres(tmp_path) as server:
        assert server.url.startswith("postgresql+psycopg://postgres@/postgres?host=/")
        server.ask("create table kept as select generate_series(1, 5000) n")
        server.kill()
        assert not server.ready(1)
        server.start()
        assert server.ask("select count(*) from kept") == [["5000"]]
    assert server.pid is None


def test_a_hung_server_is_not_ready_and_wakes_again(tmp_path: Path) -> None:
    with PrivatePostgres(tmp_path, durable=False) as server:
        server.pause()
        assert not server.ready(0.3)
        server.resume()
        assert server.ready(10)


def test_a_lock_file_of_the_dead_stands_in_nobodys_way(tmp_path: Path) -> None:
    with PrivatePostgres(tmp_path, durable=False) as server:
        pass
    lock = server.cluster / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{server.cluster}\n")  # a living process that is no PostgreSQL
    with server:
        assert server.ready()


def test_a_database_is_made_once_with_postgis_and_its_own_role(tmp_path: Path) -> None:
    with PrivatePostgres(tmp_path, durable=False) as server:
        server.ensure_database("vigia")
        server.ensure_database("vigia")
        point = server.ask("select st_asewkt(st_transform('srid=4326;point(-71.3 -29.9)'::geometry, 32719))", "vigia")
        assert (point[0][0] or "").startswith("SRID=32719;POINT(")
        with pytest.raises(pgwire.Refused) as refused:
            pgwire.query(server.socket, "vigia", "create role other", user="vigia")
        assert refused.value.state == "42501"
        server.destroy()
    assert not server.cluster.exists()


def test_redis_hangs_wakes_dies_and_comes_back_empty(tmp_path: Path) -> None:
    with PrivateRedis(tmp_path) as server:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(server.socket))
            line.sendall(b"SET k v\r\n")
            assert line.recv(16) == b"+OK\r\n"
        server.pause()
        assert not server.ready(0.3)
        server.resume()
        assert server.ready(5)
        server.kill()
        assert not server.ready(0.3)
        server.start()
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(server.socket))
            line.sendall(b"GET k\r\n")
            assert line.recv(16) == b"$-1\r\n"


def test_questions_and_refusals_come_back_as_they_are(tmp_path: Path) -> None:
    with PrivatePostgres(tmp_path, durable=False) as server:
        assert server.ask("select null, 'ñ''\u20ac', 1; select 2") == [[None, "ñ'€", "1"], ["2"]]
        with pytest.raises(pgwire.Refused, match="does not exist"):
            server.ask("select * from nothing")
        with pytest.raises(pgwire.Refused):
            server.ask("select 1", database="nowhere")
        assert pgwire.literal("o'higgins") == "'o''higgins'"
