"""docker-compose.yml, Dockerfile, Caddyfile: what can be said about them where no container engine runs."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.launcher.checkout import eventually, free_port
from web.deploy import healthy
from web.launcher.postgres import PrivatePostgres
from web.launcher.redis import PrivateRedis
from web.settings import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = {name: one for name, one in COMPOSE["services"].items() if "web.cli" in one.get("command", [])}


def test_there_is_one_service_for_each_process() -> None:
    always = {"database", "redis", "migrate", "prepare", "web", "feed", "relay", "worker", "opendata", "proxy"}
    assert always == {name for name, one in COMPOSE["services"].items() if not one.get("profiles")}
    assert {"mqtt"} == set(COMPOSE["services"]) - always
    assert {one["image"] for one in OURS.values()} == {"${VIGIA_IMAGE:-vigia:latest}"}


@pytest.mark.faults
@pytest.mark.timeout(300)
def test_each_process_starts_by_its_own_command_and_says_that_it_is_healthy(tmp_path: Path) -> None:
    """As the containers do it: no supervisor, the compose file's commands and checks, one after the other."""
    with PrivatePostgres(tmp_path / "pg", durable=False) as database, PrivateRedis(tmp_path / "redis") as redis:
        database.ensure_database("vigia")
        env = {name: value for name, value in os.environ.items() if not name.startswith("VIGIA_")} | {
            "VIGIA_DATABASE_URL": database.database_url("vigia", "vigia"),
            "VIGIA_REDIS_URL": redis.url,
            "VIGIA_PORT": str(free_port()),
            "VIGIA_FEED_ADDRESS": f"127.0.0.1:{free_port()}",
            "VIGIA_OPEN_DATABASE_URL": database.ensure_open_data_role("vigia"),
            "VIGIA_OPEN_ADDRESS": f"127.0.0.1:{free_port()}",
            "VIGIA_DATA": str(tmp_path),
            "VIGIA_DEMO": "0",
        }
        for name in ("migrate", "prepare"):
            done = _run(OURS[name]["command"], env)
            assert done.returncode == 0, done.stderr
        assert (tmp_path / "first-account-code").stat().st_mode & 0o777 == 0o600

        stay = ("relay", "feed", "worker", "web", "opendata")
        with contextlib.ExitStack() as running:
            processes = [running.enter_context(_started(OURS[name]["command"], env)) for name in stay]
            for name in stay:
                eventually(partial(_healthy, name, env), seconds=90)
            for process in processes:
                process.terminate()
            assert {process.wait(60) for process in processes} <= {0, -signal.SIGTERM}
        assert not _healthy("web", env)


def _started(command: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, *command[1:]], cwd=ROOT, env=env, stderr=subprocess.DEVNULL)


def _healthy(name: str, env: dict[str, str]) -> bool:
    return _run(OURS[name]["healthcheck"]["test"][1:], env).returncode == 0


def _run(command: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, *command[1:]]
    return subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("name", sorted(set(OURS) - {"migrate", "prepare"}))
def test_every_process_that_stays_has_a_health_check_that_exists(name: str) -> None:
    kind, python, *words = OURS[name]["healthcheck"]["test"]
    assert (kind, python, words[:2]) == ("CMD", "python", ["-m", "web.deploy.healthy"])
    assert words[2] in healthy.CHECKS


@pytest.mark.parametrize("name", OURS)
def test_every_setting_is_one_the_application_reads(name: str) -> None:
    known = {f"VIGIA_{field}".upper() for field in Settings.model_fields}
    assert set(OURS[name]["environment"]) <= known


@pytest.mark.parametrize("name", sorted(set(OURS) - {"prepare"}))
def test_the_settings_are_understood(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for setting, value in OURS[name]["environment"].items():
        filled = re.sub(r"\$\{VIGIA_SITE[^}]*\}", "vigia.example.org", value)
        monkeypatch.setenv(setting, re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", filled))
    settings = Settings()
    assert settings.public_origins == ["https://vigia.example.org"]
    assert settings.secure_cookies
    assert settings.trusted_proxies == [COMPOSE["services"]["proxy"]["networks"]["inside"]["ipv4_address"]]
    assert not settings.demo


def test_no_password_stands_in_the_file_and_every_secret_is_declared() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert not re.search(r"PASSWORD: |://\w+:[^@$/]+@", text)
    used = {secret for one in COMPOSE["services"].values() for secret in one.get("secrets", [])}
    assert used == set(COMPOSE["secrets"])
    for secret in COMPOSE["secrets"].values():
        assert secret["file"].startswith("./var/")  # which git does not see
    for volume in (v for one in COMPOSE["services"].values() for v in one.get("volumes", [])):
        source = volume.split(":")[0]
        assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSE["volumes"]


def test_open_data_are_given_no_other_way_into_the_database() -> None:
    ours = COMPOSE["services"]["opendata"]
    assert ours["secrets"] == ["open_data_password"]
    assert not {"VIGIA_DATABASE_URL", "VIGIA_DATABASE_PASSWORD_FILE", "VIGIA_REDIS_URL"} & ours["environment"].keys()
    script = (ROOT / "web" / "deploy" / "database" / "open_data.sh").read_text()
    assert "/srv/open_data.sql" in script
    assert any(
        volume.endswith("/open_data.sql:/srv/open_data.sql:ro") for volume in COMPOSE["services"]["database"]["volumes"]
    )


def test_only_the_proxy_is_reached_from_outside() -> None:
    open_ones = {name for name, one in COMPOSE["services"].items() if "ports" in one}
    assert open_ones == {"proxy"}
    assert COMPOSE["networks"]["inside"]["internal"]


def test_the_database_is_given_what_it_needs() -> None:
    database = COMPOSE["services"]["database"]
    assert database["shm_size"] == "256m"
    assert "--data-checksums" in database["environment"]["POSTGRES_INITDB_ARGS"]
    assert "synchronous_commit=on" in database["command"]


def test_the_image_copies_what_exists_and_installs_from_the_lock() -> None:
    text = (ROOT / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        *sources, _target = line.split()
        assert [source for source in sources if not (ROOT / source).exists()] == []
    assert "--require-hashes" in text
    assert "npm ci" in text
    ignored = (ROOT / ".dockerignore").read_text()
    floors = {"realtime", "geo", "resources", "incidents", "coordination", "web"}
    assert all(f"!{floor}\n" in ignored and f"COPY {floor} {floor}\n" in text for floor in floors)


def test_the_proxy_sends_the_feed_to_the_feed_and_names_the_emergency_numbers_when_down() -> None:
    caddy = (ROOT / "web" / "deploy" / "Caddyfile").read_text()
    assert re.search(r"handle /feed \{\s*reverse_proxy feed:8001", caddy)
    assert re.search(r"handle \{\s*reverse_proxy web:8000", caddy)
    assert re.search(r"@datos path /datos /datos/\*\s+handle @datos \{\s*reverse_proxy opendata:8002", caddy)

    class Calls(HTMLParser):
        numbers: list[str] = []  # noqa: RUF012

        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            self.numbers += [value or "" for name, value in attributes if tag == "a" and name == "href"]

    page = (ROOT / "web" / "deploy" / "down.html").read_text()
    Calls().feed(page)
    assert {"tel:911", "tel:107", "tel:100", "tel:101", "tel:103"} <= set(Calls.numbers)
    assert not re.search(r"(src|href)=\"(http|/)", page)  # it must not need anything that may be down too


def test_health_is_about_work_done(tmp_path: Path) -> None:
    with PrivatePostgres(tmp_path, durable=False) as server:
        server.ask("create table journal (seq bigint, recorded_at timestamptz)")
        server.ask("create table reaction_cursors (seq bigint); insert into reaction_cursors values (1)")
        settings = Settings(database_url=server.url, port=1, feed_address="127.0.0.1:1")
        assert healthy.worker(settings)
        assert not healthy.relay(settings)  # nobody leads
        server.ask("insert into journal values (2, now() - interval '3 min')")
        assert not healthy.worker(settings)
        assert not healthy.web(settings)
        assert not healthy.feed(settings)
        assert not healthy.opendata(Settings(open_address="127.0.0.1:1"))
    assert not healthy.worker(settings)
