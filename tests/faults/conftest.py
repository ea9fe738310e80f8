"""One installation for all tests of this folder, on servers of its own: they are killed, hung and started again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import furnish
from tests.faults.storm import Reporters, Screen, token_of
from tests.served import Served
from web.launcher.postgres import PrivatePostgres
from web.launcher.redis import PrivateRedis


class Installation:
    """Servers and processes, all to be killed."""

    def __init__(
        self, place: Path, postgres: PrivatePostgres, redis: PrivateRedis, served: Served, database_url: str
    ) -> None:
        self.place, self.database_url = place, database_url
        self.postgres, self.redis, self.served = postgres, redis, served
        self.token = token_of(served.address, "dispatcher")

    def reporters(self) -> Reporters:
        """People who report without pause."""
        return Reporters(self.served.address, self.token)

    def screen(self) -> Screen:
        """A console that follows."""
        return Screen(self.served.address, self.token)


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A durable PostgreSQL (what it acknowledged must survive a kill), a Redis, and all processes."""
    place = tmp_path_factory.mktemp("faults")
    with PrivatePostgres(place / "pg") as postgres, PrivateRedis(place / "redis") as redis:
        postgres.ask("CREATE DATABASE vigia")
        database_url = postgres.database_url("vigia", "postgres")
        furnish(database_url)
        with Served(place, database_url, redis.url) as served:
            yield Installation(place, postgres, redis, served, database_url)
