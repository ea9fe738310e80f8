"""What a new installation needs before anybody can work: the catalogue, capabilities, a city or its first account."""

from __future__ import annotations

import secrets

from geo.city import present_city
from incidents.catalogue import default_content, publish_catalogue
from incidents.run_cards import lay_default_cards
from realtime.access import VIGIA
from realtime.database import Sessions, connect, reading, sessions_of, transaction
from resources.capabilities import default_capabilities, publish_capabilities
from resources.people import anybody_there
from web.demo.city import DEMO_SOURCE, prepare_demo
from web.settings import Settings

FIRST_ACCOUNT_CODE = "first-account-code"
OWN_CITY = "own-city"  # the demo is not loaded where this is, and its simulator does not run


async def prepare(settings: Settings) -> None:
    """Idempotent; runs before every start."""
    engine = connect(settings.database, pool=4, limits="-c lock_timeout=10000")
    sessions = sessions_of(engine)
    async with transaction(sessions) as session:
        await publish_catalogue(session, VIGIA, default_content())
        await lay_default_cards(session, VIGIA)
        await publish_capabilities(session, VIGIA, default_capabilities())
    own = await note_whose_city(sessions, settings)
    if settings.demo and settings.demo_network is not None and not own:
        await prepare_demo(sessions, settings.demo_network, settings.data)
    await _first_account(sessions, settings)
    await engine.dispose()


async def note_whose_city(sessions: Sessions, settings: Settings) -> bool:
    """Whether the city in the database is a real one and not the demo's; `OWN_CITY` tells the launcher."""
    async with reading(sessions) as session:
        city = await present_city(session)
    own = city is not None and city.source != DEMO_SOURCE
    place = settings.data / OWN_CITY
    if city is not None and own:
        settings.data.mkdir(parents=True, exist_ok=True)
        place.write_text(city.name + "\n", encoding="utf-8")
    else:
        place.unlink(missing_ok=True)
    return own


async def _first_account(sessions: Sessions, settings: Settings) -> None:
    """The one-time code that makes the first account, in a file only the operator can read; gone once used."""
    place = settings.data / FIRST_ACCOUNT_CODE
    async with reading(sessions) as session:
        wanted = not await anybody_there(session)
    if wanted and not place.exists():
        settings.data.mkdir(parents=True, exist_ok=True)
        place.touch(mode=0o600)
        place.write_text(secrets.token_urlsafe(16))
    elif not wanted:
        place.unlink(missing_ok=True)
