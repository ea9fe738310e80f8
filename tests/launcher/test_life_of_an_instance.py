"""What an operator does and what befalls him: up, twice, killed, down, two side by side."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.launcher.checkout import Checkout, alive, eventually, free_port
from web.launcher import pgwire
from web.launcher.up import answers

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

ALL = {"postgres", "redis", "relay", "feed", "worker", "serve", "opendata", "simulate"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """One that is up, for those who look, and for those who break what repairs itself."""
    made = Checkout(tmp_path_factory.mktemp("running") / "vigia")
    try:
        code, said = up(made)
        assert code == 0, said
        yield made
    finally:
        made.vigia("down")


def up(checkout: Checkout, *words: str, **env: str) -> tuple[int, str]:
    return checkout.vigia("up", "--detach", "--port", str(free_port()), *words, **env)


def ask(checkout: Checkout, sql: str, data: Path | None = None) -> list[list[str | None]]:
    state = json.loads(((data or checkout.data) / "run" / "state.json").read_text())
    return pgwire.query(Path(state["database_socket"]), "vigia", sql)


def test_up_says_where_and_who_and_down_leaves_nothing(checkout: Checkout) -> None:
    code, said = up(checkout)
    assert code == 0, said
    facts = checkout.status()
    assert facts["ready"] is True
    assert facts["address"] in said
    assert "ana" in said
    assert "clave-larga" in said
    assert {one["name"] for one in facts["processes"] if one["running"]} == ALL
    assert facts["database"]["ready"]
    assert facts["database"]["postgis_version"].startswith("3.")
    assert facts["redis"]["ready"]
    assert answers(int(facts["address"].rpartition(":")[2]))
    pids = [one["pid"] for one in facts["processes"]] + [facts["supervisor"]]

    code, said = checkout.vigia("down")
    assert code == 0, said
    assert not [pid for pid in pids if alive(pid)]
    assert checkout.vigia("status")[0] == 3
    assert checkout.vigia("down")[0] == 0


def test_no_demo_lives_in_a_real_city(checkout: Checkout) -> None:
    checkout.data.mkdir(exist_ok=True)
    (checkout.data / "own-city").write_text("Rosario\n")
    code, said = up(checkout)
    assert code == 0, said
    facts = checkout.status()
    assert {one["name"] for one in facts["processes"] if one["running"]} == ALL - {"simulate"}
    assert checkout.vigia("down")[0] == 0


def test_the_processes_are_told_where_everything_is(running: Checkout) -> None:
    told = json.loads((running.data / "environment.json").read_text())
    run = running.data / "run"
    assert told["VIGIA_DATABASE_URL"].startswith("postgresql+psycopg://vigia@/vigia?host=/")
    assert told["VIGIA_REDIS_URL"].startswith("unix:///")
    assert told["VIGIA_HOST"] == "127.0.0.1"
    assert running.status()["address"].endswith(f":{told['VIGIA_PORT']}")
    assert told["VIGIA_FEED_ADDRESS"].startswith("unix:/")
    assert told["VIGIA_FEED_ADDRESS"].endswith("/feed.sock")
    assert told["VIGIA_OPEN_ADDRESS"] == f"unix:{run / 'opendata.sock'}"
    assert told["VIGIA_DATA"] == str(running.data)
    assert told["VIGIA_DEMO"] == "1"
    assert told["VIGIA_DEMO_NETWORK"] == str(running.data / "downloads" / "coquimbo.zip")
    assert "PYTHONPATH" not in told
    assert stat.S_IMODE(run.stat().st_mode) == 0o700
    assert stat.S_IMODE((running.data / "log" / "serve.log").stat().st_mode) == 0o600


def test_the_database_is_careful_with_what_it_is_told(running: Checkout) -> None:
    wanted = {
        "data_checksums": "on",
        "synchronous_commit": "on",
        "fsync": "on",
        "full_page_writes": "on",
        "jit": "off",
        "listen_addresses": "",
        "server_encoding": "UTF8",
        "lc_collate": "C.UTF-8",
        "unix_socket_permissions": "0700",
    }
    names = ", ".join(f"'{name}'" for name in wanted)
    rows = ask(running, f"select name, setting from pg_settings where name in ({names})")  # noqa: S608
    found = {str(name): setting for name, setting in rows}
    found.setdefault("lc_collate", "C.UTF-8")  # a property of databases from PostgreSQL 16 on
    assert found == wanted
    owner = ask(running, "select pg_get_userbyid(datdba) from pg_database where datname = 'vigia'")
    assert owner == [["vigia"]]
    assert ask(running, "select rolsuper from pg_roles where rolname = 'vigia'") == [["f"]]


def test_open_data_are_read_by_a_role_that_may_nothing_else(running: Checkout) -> None:
    told = json.loads((running.data / "open-environment.json").read_text())
    assert told["VIGIA_OPEN_DATABASE_URL"].startswith("postgresql+psycopg://vigia_open@/vigia?host=/")
    assert not {"VIGIA_DATABASE_URL", "VIGIA_REDIS_URL"} & told.keys()
    assert ask(running, "select has_database_privilege('vigia_open', 'vigia', 'temporary')") == [["f"]]
    assert ask(running, "select has_schema_privilege('vigia_open', 'public', 'create')") == [["f"]]
    powers = "rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls or rolinherit"
    assert ask(running, f"select {powers} from pg_roles where rolname = 'vigia_open'") == [["f"]]  # noqa: S608


def test_up_twice_says_that_it_is_running(running: Checkout) -> None:
    address = running.status()["address"]
    code, said = up(running)
    assert code == 0
    assert address in said
    assert "Ya está andando" in said


def test_status_is_quick(running: Checkout) -> None:
    started = time.monotonic()
    running.status()
    assert time.monotonic() - started < 2


def test_a_taken_port_moves_to_the_next_and_says_so(checkout: Checkout) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        code, said = checkout.vigia("up", "--detach", "--port", str(port))
    assert code == 0, said
    assert f"El puerto {port} está ocupado" in said
    assert not checkout.status()["address"].endswith(f":{port}")


def test_without_a_demo_there_is_a_link_for_the_first_account_and_no_simulator(checkout: Checkout) -> None:
    code, said = up(checkout, "--no-demo")
    assert code == 0, said
    assert f"{checkout.status()['address']}/bienvenida" in said
    assert "ABC-123" in said
    assert set(checkout.processes()) == ALL - {"simulate"}


@pytest.mark.parametrize("victim", ["serve", "relay", "redis", "postgres"])
def test_what_dies_comes_back_and_is_counted(running: Checkout, victim: str) -> None:
    ask(running, "create table if not exists kept as select generate_series(1, 1000) n")
    before = running.processes()[victim]
    os.kill(before["pid"], signal.SIGKILL)

    def back() -> bool:
        facts = running.status()
        now = {one["name"]: one for one in facts["processes"]}[victim]
        return bool(now["running"] and now["pid"] != before["pid"] and facts["ready"])

    eventually(back)
    assert running.processes()[victim]["restarts"] == 1
    eventually(lambda: running.status()["database"].get("ready"))
    assert ask(running, "select count(*) from kept") == [["1000"]]
    assert victim in (running.data / "log" / "vigia.log").read_text()


def test_whatever_is_killed_nothing_outlives_it_and_nothing_is_lost(checkout: Checkout) -> None:
    up(checkout)
    ask(checkout, "create table kept as select generate_series(1, 1000) n")
    facts = checkout.status()
    os.kill(facts["supervisor"], signal.SIGKILL)
    eventually(lambda: not [one for one in facts["processes"] if alive(one["pid"])])
    assert checkout.vigia("status")[0] == 3

    code, said = up(checkout)
    assert code == 0, said
    assert ask(checkout, "select count(*) from kept") == [["1000"]]

    facts = checkout.status()
    for pid in [facts["supervisor"], *[one["pid"] for one in facts["processes"]]]:
        os.kill(pid, signal.SIGKILL)
    code, said = up(checkout)  # at once, while the dead may still be about
    assert code == 0, said
    assert ask(checkout, "select count(*) from kept") == [["1000"]]


def test_a_failing_first_step_is_told_with_its_own_words_and_leaves_nothing(checkout: Checkout) -> None:
    checkout.data.mkdir(exist_ok=True)
    (checkout.data / "migrate-fails").touch()
    code, said = up(checkout)
    assert code == 11
    assert "migrate: no hay caso" in said
    assert "Traceback" not in said
    assert checkout.vigia("status")[0] == 3

    (checkout.data / "migrate-fails").unlink()
    code, said = up(checkout)
    assert code == 0, said


def test_in_the_foreground_ctrl_c_stops_everything(checkout: Checkout) -> None:
    process = checkout.start("up", "--port", str(free_port()))
    try:
        facts = eventually(lambda: (found := checkout.status()).get("ready") and found)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert facts["address"] in said
    assert not [one for one in facts["processes"] if alive(one["pid"])]


def test_ctrl_c_while_starting_stops_what_had_started(checkout: Checkout) -> None:
    process = checkout.start("up", "--port", str(free_port()))
    try:
        eventually(lambda: checkout.processes().get("postgres"))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert checkout.vigia("status")[0] == 3
    eventually(lambda: not (checkout.data / "postgres" / "cluster" / "postmaster.pid").exists())


def test_two_instances_live_side_by_side(checkout: Checkout, tmp_path: Path) -> None:
    other = tmp_path / "other"
    try:
        up(checkout)
        code, said = checkout.vigia("up", "--detach", "--data", str(other), "--port", str(free_port()))
        assert code == 0, said
        ask(checkout, "create table here ()")
        assert ask(checkout, "select to_regclass('here') is null", other) == [["t"]]
        assert checkout.status()["address"] != checkout.status("--data", str(other))["address"]
        checkout.vigia("down", "--data", str(other))
        assert checkout.status()["ready"]
    finally:
        checkout.vigia("down", "--data", str(other))


def test_data_too_deep_for_a_socket_are_no_obstacle(checkout: Checkout, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    try:
        code, said = up(checkout, "--no-simulation", "--data", str(deep))
        assert code == 0, said
        assert set(checkout.processes("--data", str(deep))) == ALL - {"simulate"}
        told = json.loads((deep / "environment.json").read_text())
        assert len(told["VIGIA_FEED_ADDRESS"].removeprefix("unix:")) <= 107
        assert checkout.status("--data", str(deep))["database"]["ready"]
    finally:
        checkout.vigia("down", "--data", str(deep))


def test_servers_that_somebody_else_runs_are_used_and_not_started(checkout: Checkout) -> None:
    code, said = up(checkout, VIGIA_DATABASE_URL="postgresql+psycopg://x@db/vigia", VIGIA_REDIS_URL="redis://cache/0")
    assert code == 0, said
    told = json.loads((checkout.data / "environment.json").read_text())
    assert told["VIGIA_DATABASE_URL"] == "postgresql+psycopg://x@db/vigia"
    assert told["VIGIA_REDIS_URL"] == "redis://cache/0"
    assert set(checkout.processes()) == ALL - {"postgres", "redis", "opendata"}
    assert "VIGIA_OPEN_DATABASE_URL" in said
    assert checkout.status()["database"] == {"private": False}


def test_without_the_network_one_clear_sentence_and_a_code_of_its_own(checkout: Checkout) -> None:
    (checkout.root / "requirements.lock").write_text("six==1.17.0 --hash=sha256:" + "0" * 64 + "\n")
    nowhere = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/nonexistent", "UV_OFFLINE": "1", "PIP_CONFIG_FILE": "/dev/null"}
    code, said = up(checkout, **nowhere)
    assert code == 10
    assert "Falló una descarga" in said
    assert "Traceback" not in said
    assert checkout.vigia("status")[0] == 3


def test_a_process_that_keeps_dying_is_tried_less_and_less_often(checkout: Checkout) -> None:
    up(checkout)
    (checkout.data / "worker-fails").touch()
    os.kill(checkout.processes()["worker"]["pid"], signal.SIGKILL)
    eventually(lambda: checkout.processes()["worker"]["restarts"] >= 2)
    log = (checkout.data / "log" / "vigia.log").read_text()
    pauses = [line.rpartition(" en ")[2] for line in log.splitlines() if line.count("worker terminó")]
    assert pauses[:2] == sorted(set(pauses[:2]))
    assert checkout.status()["ready"]
    (checkout.data / "worker-fails").unlink()
    eventually(lambda: checkout.processes()["worker"]["running"])
