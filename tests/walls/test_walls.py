"""A wall's link: what its session may ask, whom it names, and how it ends."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.crisis import crisis, hour_beside_hour
from incidents.majors import MajorKind, add_incidents, open_major
from incidents.sos import raise_sos
from incidents.storm import begin_storm
from realtime.access import Permission, Role
from realtime.catch_up import snapshot
from realtime.database import new_id
from realtime.errors import NotAllowed, NotFound
from resources.positions import positions_now
from resources.sign_in import actor_of, still_signed_in
from resources.walls import (
    CrisisNeedsSubject,
    NotOnThisWall,
    WallView,
    WrongWallToken,
    amend_wall,
    board,
    make_wall,
    open_wall,
    renew_wall,
    revoke_wall,
    show_on_wall,
)
from tests.api.desks import desk
from tests.api.matrix import NOBODY
from tests.api.stage import MATRIX
from tests.builders import City, a_closure, an_assignment, an_incident
from tests.conftest import Client
from tests.scenes.walls import a_wall, eyes_of
from web.boards import BOARDS
from web.context import WALL_MAY

OPEN, SECRET = "MET-01", "SEG-07"


async def a_link(session: AsyncSession, city: City) -> tuple[UUID, str]:
    """A wall and its token."""
    boss = city.actor("supervisor")
    wall = await make_wall(session, boss, new_id(), name="Pared norte")
    token, _ = await renew_wall(session, boss, wall.id)
    return wall.id, token


async def test_a_link_opens_a_session_that_only_its_end_ends(session: AsyncSession, city: City) -> None:
    wall_id, token = await a_link(session, city)
    opened, found = await open_wall(session, token)
    assert (found.actor.role, found.actor.id, found.standing) == (Role.WALL, wall_id, True)
    kept = (await session.execute(text("SELECT encode(token_hash, 'escape') FROM walls"))).scalars().all()
    assert token not in "".join(kept)

    await session.execute(
        text("UPDATE sign_ins SET created_at = now() - interval '50 days', last_seen_at = now() - interval '40 days'")
    )
    assert (await actor_of(session, opened)) is not None  # no month of shifts ends it …
    await revoke_wall(session, city.actor("supervisor"), wall_id)
    assert (await actor_of(session, opened)) is None  # … but this does, and the hub asks the same each second
    assert await still_signed_in(session, [found.token_hash]) == {}
    with pytest.raises(WrongWallToken):
        await open_wall(session, token)


async def test_a_new_link_voids_the_former(session: AsyncSession, city: City) -> None:
    wall_id, token = await a_link(session, city)
    opened, _ = await open_wall(session, token)
    fresh, _ = await renew_wall(session, city.actor("supervisor"), wall_id)
    assert await actor_of(session, opened) is None
    with pytest.raises(WrongWallToken):
        await open_wall(session, token)
    await open_wall(session, fresh)


async def test_who_makes_walls_and_who_steers_them(session: AsyncSession, city: City) -> None:
    wall = await a_wall(session, city)
    with pytest.raises(NotAllowed):
        await make_wall(session, city.actor("dispatcher"), new_id(), name="x")
    with pytest.raises(NotAllowed):
        await show_on_wall(session, city.actor("call_taker"), wall.id, view=WallView.BOARD)
    with pytest.raises(CrisisNeedsSubject):
        await show_on_wall(session, city.actor("dispatcher"), wall.id, view=WallView.CRISIS)
    await amend_wall(session, city.actor("supervisor"), wall.id, views=[WallView.BOARD])
    assert wall.view == WallView.BOARD
    with pytest.raises(NotOnThisWall):
        await show_on_wall(session, city.actor("dispatcher"), wall.id, view=WallView.SITUATION)
    for other in (city.actor("wall"), eyes_of(await a_wall(session, city))):
        assert not any(other.may(permission) for permission in Permission)


async def test_no_name_of_anybody_reaches_a_wall(session: AsyncSession, city: City) -> None:
    """Whoever did something is called by a name that nothing else is called by."""
    wall = await a_wall(session, city)
    name = "Zoraida Quiroga"
    await session.execute(text("UPDATE people SET name = :name WHERE role <> 'wall'"), {"name": name})
    boss = city.actor("trained")
    boss = type(boss)(name, boss.role, boss.id, boss.organization_id, None, boss.zone_ids, boss.clearance)
    chief = type(boss)(name, Role.SUPERVISOR, boss.id, boss.organization_id, None, boss.zone_ids, boss.clearance)
    seen = await an_incident(session, boss, type_code=OPEN)
    hidden = await an_incident(session, boss, type_code=SECRET)
    await an_assignment(session, boss, seen, city.units["M1"])
    await a_closure(session, boss)
    await raise_sos(session, boss, city.units["M1"], message=f"lo dice {name}")
    await begin_storm(session, chief, new_id(), reason=f"lo dice {name}")
    major = await open_major(session, boss, new_id(), kind=MajorKind.STORM, name="Temporal", level=2)
    await add_incidents(session, boss, major.id, incident_ids=[seen.id, hidden.id])

    told = await snapshot(session, eyes_of(wall), BOARDS, positions_now)
    about = await crisis(session, eyes_of(wall), major.subject)
    one = await crisis(session, eyes_of(wall), seen.subject)
    everything = json.dumps([told.message, about, one], default=str)
    subjects = {feature["properties"]["subject"].partition(":")[0] for feature in told.message["features"]}
    assert {"incident", "sos", "storm", "closure", "wall"} <= subjects
    assert name not in everything
    assert str(hidden.id) not in everything
    assert hidden.code not in everything
    assert [unit["call_sign"] for unit in one["resources"]] == ["M1"]
    assert [row["code"] for row in about["incidents"]] == [seen.code]
    with pytest.raises(NotFound):
        await crisis(session, eyes_of(wall), hidden.subject)


async def test_an_hour_is_compared_only_with_what_was_written_down(session: AsyncSession, city: City) -> None:
    wall, actor = await a_wall(session, city), city.actor("trained")
    before = await hour_beside_hour(session, eyes_of(wall))
    old, _, _ = [await an_incident(session, actor, type_code=kind) for kind in (OPEN, OPEN, SECRET)]
    await session.execute(
        text("UPDATE incidents SET opened_at = now() - interval '90 minutes' WHERE id = :id"), {"id": old.id}
    )
    after = await hour_beside_hour(session, eyes_of(wall))
    assert after["open"]["now"] - before["open"]["now"] == 2  # the secret one is not counted
    assert after["open"]["then"] - before["open"]["then"] == 1
    assert after["came"]["now"] - before["came"]["now"] == 1
    assert after["came"]["then"] - before["came"]["then"] == 1


async def test_a_wall_is_seen_by_the_room_and_by_itself(session: AsyncSession, city: City) -> None:
    mine, other = await a_wall(session, city), await a_wall(session, city)

    async def walls(actor: Any) -> set[str]:
        return {one["properties"]["id"] for one in await board(session, actor)}

    assert await walls(city.actor("dispatcher")) == {str(mine.id), str(other.id)}
    assert await walls(eyes_of(mine)) == {str(mine.id)}
    for stranger in ("government", "crew m1", "police", "administrator", "wall"):
        assert await walls(city.actor(stranger)) == set()


# ── Over HTTP ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[Client]:
    """Somebody at the REST API."""
    async with desk(app) as found:
        yield found


async def test_a_link_may_look_and_nothing_else(client: Client, city: City) -> None:
    """Every route there is, asked with a wall's session: what it needs is answered, all else is refused."""
    boss = await _badge(client, "supervisor")
    made = await client.post("walls", json={"id": str(new_id()), "name": "Pared"}, headers=boss)
    assert made.status_code == 201
    link = (await client.post(f"walls/{made.json()['id']}/link", headers=boss)).json()
    answer = await client.post("session/wall", json={"token": link["token"]}, headers={"X-Vigia-Token": "1"})
    assert answer.status_code == 200
    assert answer.json()["permissions"] == []
    wall = {"Authorization": f"Bearer {answer.json()['token']}"}

    wrong = {}
    for route, row in MATRIX.items():
        method, _, path = route.partition(" /")
        if route in WALL_MAY or NOBODY in row.done:
            continue
        where = path.replace("{", "").replace("}", "") if "_id}" not in path else path
        answer = await client.request(method, where, headers=wall, json={} if method != "GET" else None)
        if answer.status_code not in {403, 415}:  # an upload of JSON is refused before anybody is asked for
            wrong[route] = answer.status_code
    assert wrong == {}
    for path in ("session", "snapshot", "walls/own/crisis", "walls/own/numbers"):
        assert (await client.get(path, headers=wall)).status_code == 200
    heard = {"view": "board", "width": 1920, "height": 1080, "page": "x", "up_s": 3, "heap_mb": 40.5}
    assert (await client.post("walls/own/heard", json=heard, headers=wall)).status_code == 200
    [shown] = (await client.get("walls", headers=boss)).json()["walls"]
    assert (shown["heard"]["heap_mb"], shown["silent"], "token" in shown) == (40.5, False, False)

    await client.post(f"walls/{made.json()['id']}/revoke", headers=boss)
    assert (await client.get("session", headers=wall)).status_code == 401
    refused = await client.post("session/wall", json={"token": link["token"]})
    assert (refused.status_code, refused.json()["code"]) == (401, "WrongWallToken")


async def test_what_is_too_sensitive_is_not_put_on_a_wall(client: Client, city: City) -> None:
    boss = await _badge(client, "supervisor")
    made = (await client.post("walls", json={"id": str(new_id()), "name": "Pared"}, headers=boss)).json()
    place = {"type": "Point", "coordinates": [city.east.x, city.east.y]}
    ids = {}
    for kind in (OPEN, SECRET):
        body = {"id": str(new_id()), "type_code": kind, "location": place}
        ids[kind] = (await client.post("incidents", json=body, headers=boss)).json()["properties"]["subject"]
    show = f"walls/{made['id']}/show"
    refused = await client.post(show, json={"view": "crisis", "about": ids[SECRET]}, headers=boss)
    assert (refused.status_code, refused.json()["code"]) == (409, "NotForWalls")
    shown = await client.post(show, json={"view": "crisis", "about": ids[OPEN]}, headers=boss)
    assert (shown.status_code, shown.json()["about"]) == (200, ids[OPEN])


async def test_a_wall_does_not_take_the_place_of_somebody_at_work(client: Client, city: City) -> None:
    boss = await _badge(client, "supervisor")
    made = (await client.post("walls", json={"id": str(new_id()), "name": "Pared"}, headers=boss)).json()
    token = (await client.post(f"walls/{made['id']}/link", headers=boss)).json()["token"]
    client.cookies.set("vigia", boss["Authorization"].removeprefix("Bearer "))
    refused = await client.post(
        "session/wall", json={"token": token}, headers={"Origin": str(client.base_url).split("/api")[0]}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "SomebodyIsHere")


async def _badge(client: Client, who: str) -> dict[str, str]:
    body = {"username": who, "password": City.password}
    answer = await client.post("session", json=body, headers={"X-Vigia-Token": "1"})
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}
