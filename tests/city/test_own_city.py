"""`./vigia up` on an installation whose city is a real one: no demo, and a way in."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from rich.console import Console
from sqlalchemy import func, select, text

from geo.city import present_city
from realtime.database import Sessions, reading, transaction
from resources.units import Unit
from tests.city.conftest import Drawing
from web.city.making import FINE, make_city
from web.prepare import FIRST_ACCOUNT_CODE, OWN_CITY, prepare
from web.settings import Settings


@pytest.fixture
async def own_city(app: FastAPI, settings: Settings, sessions: Sessions, drawing: Drawing, tmp_path: Path) -> Settings:
    """A city of four streets, of an installation in which nobody has an account."""
    async with transaction(sessions) as session:
        await session.execute(text("TRUNCATE people, organizations CASCADE"))
    file = tmp_path / "map.osm"
    file.write_text(drawing.cross().xml())
    assert await make_city(settings, "Rosario", file, replace=True, console=Console(quiet=True)) == FINE
    return settings


async def test_the_demo_is_not_loaded_and_the_first_account_can_be_made(own_city: Settings, sessions: Sessions) -> None:
    nowhere = own_city.data / "coquimbo.zip"  # would be read if the demo were loaded
    await prepare(own_city.model_copy(update={"demo": True, "demo_network": nowhere}))
    async with reading(sessions) as session:
        city = await present_city(session)
        assert city is not None
        assert (city.name, await session.scalar(select(func.count()).select_from(Unit))) == ("Rosario", 0)
    assert (own_city.data / OWN_CITY).read_text() == "Rosario\n"
    assert (own_city.data / FIRST_ACCOUNT_CODE).exists()


async def test_the_marker_goes_with_the_city(own_city: Settings, sessions: Sessions) -> None:
    async with transaction(sessions) as session:
        await session.execute(text("DELETE FROM cities"))
    await prepare(own_city.model_copy(update={"demo": False}))
    assert not (own_city.data / OWN_CITY).exists()
