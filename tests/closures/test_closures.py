"""Closures: who draws what, what is refused, and that time alone opens a street."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from typing import Any

import pytest
from shapely import LineString, MultiLineString, MultiPolygon, Point, box
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from geo.closures import (
    CLOSURES,
    Closure,
    ClosureKind,
    LargerThanTheCity,
    Validity,
    ValidityAbsurd,
    ValidityRefused,
    amend_closure,
    board,
    closures_in_force,
    draw_closure,
    lift_closure,
    sweep_closures,
)
from geo.layers import edition_of
from geo.tiles import map_edition
from realtime.database import Sessions, new_id, now, reading, transaction
from realtime.errors import AlreadyExists, IllegalMove, NotAllowed, NotSignedIn
from realtime.journal import Entry
from tests.builders import ACROSS, City, a_closure
from tests.conftest import SignIn

HOUR = dt.timedelta(hours=1)
LINE = {"type": "LineString", "coordinates": [[-60.641, -32.955], [-60.641, -32.945]]}


def body(**more: Any) -> dict[str, Any]:
    """What a console sends to close a street."""
    return {"id": str(new_id()), "kind": "closed", "reason": "choque", "shape": LINE} | more


# ── Drawing ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "shape",
    [
        Point(-60.65, -32.95),
        ACROSS,
        MultiLineString([ACROSS, LineString([(-60.65, -32.95), (-60.66, -32.95)])]),
        box(-60.65, -32.96, -60.64, -32.95),
        MultiPolygon([box(-60.65, -32.96, -60.64, -32.95), box(-60.63, -32.96, -60.62, -32.95)]),
    ],
    ids=lambda shape: shape.geom_type,
)
async def test_every_type_of_shape_closes_and_is_on_the_board(session: AsyncSession, city: City, shape: Any) -> None:
    drawn = await a_closure(session, city.actor("dispatcher"), shape=shape, passable_by=["fire", "ambulance", "fire"])
    (shown,) = await board(session, city.actor("wall"))
    assert shown["geometry"]["type"] == shape.geom_type
    assert shown["properties"] == {
        "subject": f"closure:{drawn.id}",
        "id": str(drawn.id),
        "version": 1,
        "kind": "works",
        "reason": "caño roto",
        "passable_by": ["ambulance", "fire"],
        "valid_from": drawn.valid_from.isoformat(),
        "valid_until": None,
        "lifted_at": None,
        "drawn_by": "",  # a wall names nobody
    }
    (shown,) = await board(session, city.actor("crew m1"))
    assert shown["properties"]["drawn_by"] == "dispatcher"
    assert [one.id for one in await closures_in_force(session)] == [drawn.id]


async def test_only_dispatchers_and_supervisors_close_streets(session: AsyncSession, city: City) -> None:
    drawn = await a_closure(session, city.actor("supervisor"))
    for who, actor in city.everybody.items():
        if who in {"dispatcher", "trained", "supervisor"}:
            continue
        refusal = NotSignedIn if who == "neighbour" else NotAllowed
        with pytest.raises(refusal):
            await a_closure(session, actor)
        with pytest.raises(refusal):
            await lift_closure(session, actor, drawn.id)
        with pytest.raises(refusal):
            await amend_closure(session, actor, drawn.id, reason="no")


async def test_an_id_closes_once(session: AsyncSession, city: City) -> None:
    drawn = await a_closure(session, city.actor("dispatcher"))
    with pytest.raises(AlreadyExists):
        await draw_closure(
            session, city.actor("dispatcher"), drawn.id, kind=ClosureKind.CLOSED, reason="x", shape=ACROSS
        )


async def test_every_change_is_told_and_gives_the_layer_a_new_edition_but_not_the_base_map(
    session: AsyncSession, city: City
) -> None:
    actor, tiles = city.actor("dispatcher"), await map_edition(session)
    editions = [await edition_of(session, CLOSURES)]
    drawn = await a_closure(session, actor)
    editions.append(await edition_of(session, CLOSURES))
    await amend_closure(session, actor, drawn.id, kind=ClosureKind.FLOODED, reason="zanjón desbordado")
    editions.append(await edition_of(session, CLOSURES))
    await lift_closure(session, actor, drawn.id)
    editions.append(await edition_of(session, CLOSURES))
    assert len(set(editions)) == 4
    assert await map_edition(session) == tiles
    entries = (await session.scalars(select(Entry).where(Entry.subject == drawn.subject).order_by(Entry.id))).all()
    assert [(one.kind, one.version) for one in entries] == [
        ("closure.drawn", 1),
        ("closure.amended", 2),
        ("closure.lifted", 3),
    ]
    assert entries[1].detail["fields"] == ["kind", "reason"]
    assert all("zanjón" not in str(one.detail) for one in entries)  # people's words stay out of the books
    assert entries[2].faces == []


# ── Validity ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_closure_is_in_force_from_its_beginning_until_just_before_its_end(
    session: AsyncSession, city: City
) -> None:
    start = now() + HOUR
    drawn = await a_closure(session, city.actor("dispatcher"), validity=Validity(start, start + HOUR))
    tick = dt.timedelta(microseconds=1)
    for at, wanted in ((start - tick, False), (start, True), (start + HOUR - tick, True), (start + HOUR, False)):
        assert (drawn.id in {one.id for one in await closures_in_force(session, at)}) == wanted, at
    assert await closures_in_force(session) == []
    assert [one["properties"]["id"] for one in await board(session, city.actor("wall"))] == [str(drawn.id)]


async def test_time_alone_opens_the_street_and_the_sweep_only_tells_it(sessions: Sessions, city: City) -> None:
    actor = city.actor("dispatcher")
    async with transaction(sessions) as session:
        short = await a_closure(session, actor, validity=Validity(None, now() + dt.timedelta(seconds=1)))
        other = await a_closure(session, actor)
        assert {one.id for one in await closures_in_force(session)} == {short.id, other.id}
    await asyncio.sleep(1.1)
    async with reading(sessions) as session:  # nobody has done anything meanwhile
        assert [one.id for one in await closures_in_force(session)] == [other.id]
        assert [one["properties"]["id"] for one in await board(session, actor)] == [str(other.id)]
    for _ in range(2):
        async with transaction(sessions) as session:
            await sweep_closures(session)
    async with reading(sessions) as session:
        query = select(Entry.kind, Entry.occurred_at).where(Entry.subject == short.subject).order_by(Entry.id)
        told = (await session.execute(query)).all()
        assert [one.kind for one in told] == ["closure.drawn", "closure.expired"]
        assert told[1].occurred_at == short.valid_until
        assert [one.on_board for one in (await session.scalars(select(Closure).order_by(Closure.id)))] == [False, True]


async def test_what_is_over_stays_over(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    lifted = await a_closure(session, actor)
    await lift_closure(session, actor, lifted.id)
    run_out = await a_closure(session, actor, validity=Validity(now() - HOUR, None))
    run_out.valid_until = now()
    await session.flush()
    for closure, was in ((lifted, "lifted"), (run_out, "expired")):
        with pytest.raises(IllegalMove) as refused:
            await lift_closure(session, actor, closure.id)
        assert refused.value.facts == {"current": was, "wanted": "lifted"}
        with pytest.raises(IllegalMove) as refused:
            await amend_closure(session, actor, closure.id, validity=Validity(None, now() + HOUR))
        assert refused.value.facts == {"current": was, "wanted": "in_force"}
    assert await closures_in_force(session) == []


async def test_lifting_counts_from_that_moment_and_not_before(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    drawn = await a_closure(session, actor, validity=Validity(now() - HOUR, None))
    before = now()
    lifted = await lift_closure(session, actor, drawn.id)
    assert lifted.lifted_at is not None
    assert [one.id for one in await closures_in_force(session, before)] == [drawn.id]
    assert await closures_in_force(session, lifted.lifted_at) == []


@pytest.mark.parametrize(
    ("begins", "ends", "refusal"),
    [
        (None, -HOUR, ValidityRefused),
        (None, dt.timedelta(0), ValidityRefused),
        (2 * HOUR, HOUR, ValidityRefused),
        (-2 * HOUR, -HOUR, ValidityRefused),
        (-dt.timedelta(days=31), None, ValidityAbsurd),
        (dt.timedelta(days=367), None, ValidityAbsurd),
        (None, dt.timedelta(days=6 * 366), ValidityAbsurd),
    ],
)
async def test_absurd_times_are_refused(
    session: AsyncSession, city: City, begins: dt.timedelta | None, ends: dt.timedelta | None, refusal: type[Exception]
) -> None:
    at = now()
    times = Validity(None if begins is None else at + begins, None if ends is None else at + ends)
    with pytest.raises(refusal):
        await a_closure(session, city.actor("dispatcher"), validity=times)
    drawn = await a_closure(session, city.actor("dispatcher"))
    with pytest.raises(refusal):
        await amend_closure(session, city.actor("dispatcher"), drawn.id, validity=times)
    assert await session.scalar(select(func.count()).select_from(Closure)) == 1


async def test_an_old_closure_can_still_be_made_to_last(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    drawn = await a_closure(session, actor, validity=Validity(now() - 20 * 24 * HOUR, None))
    drawn.valid_from -= dt.timedelta(days=100)  # as if it had stood for months
    await session.flush()
    until = now() + HOUR
    amended = await amend_closure(session, actor, drawn.id, validity=Validity(None, until))
    assert (amended.valid_from, amended.valid_until) == (drawn.valid_from, until)


# ── Size and geometry ─────────────────────────────────────────────────────────────────────────────


async def test_a_closure_much_larger_than_the_city_is_refused(session: AsyncSession, city: City) -> None:
    # The test city is smaller than a village's floor: 20 km, so 40 km a side.
    await a_closure(session, city.actor("dispatcher"), shape=box(-60.8, -33.1, -60.45, -32.8))
    for shape in (box(-61.2, -33.4, -60, -32.5), LineString([(-60.9, -32.95), (-60.2, -32.95)])):
        with pytest.raises(LargerThanTheCity):
            await a_closure(session, city.actor("dispatcher"), shape=shape)


BAD = [
    ({"type": "Polygon", "coordinates": [[[0.1, 0.1], [1, 1], [0.1, 1], [1, 0.1], [0.1, 0.1]]]}, "ShapeInvalid"),
    ({"type": "LineString", "coordinates": [[-60.64, -32.95], [-60.64, -32.95]]}, "ShapeInvalid"),
    ({"type": "LineString", "coordinates": [[-60.64, -32.95]]}, "CoordinatesRefused"),
    ({"type": "MultiPoint", "coordinates": [[-60.64, -32.95]]}, "GeometryTypeRefused"),
    ({"type": "GeometryCollection", "geometries": []}, "GeometryTypeRefused"),
    ({"type": "Point", "coordinates": [0, 0]}, "NullIsland"),
    ({"type": "Point", "coordinates": []}, "GeometryEmpty"),
    ({"type": "Point", "coordinates": [181, 0]}, "OutsideTheWorld"),
    ({"type": "LineString", "coordinates": [[-60 - n * 1e-5, -33] for n in range(2001)]}, "GeometryTooLarge"),
    (LINE | {"crs": {"type": "name", "properties": {"name": "EPSG:22185"}}}, "CrsRefused"),
    ({"type": "Feature", "geometry": LINE, "properties": {}}, "GeometryTypeRefused"),
    (None, "NotGeometry"),
]


async def test_bad_geometry_is_refused_in_spanish_and_nothing_is_kept(signed_in: SignIn) -> None:
    async with signed_in("dispatcher") as client:
        drawn = await client.post("/api/v1/closures", json=body())
        assert drawn.status_code == 201, drawn.text
        for shape, code in BAD:
            answer = await client.post("/api/v1/closures", json=body(shape=shape))
            assert answer.status_code in {413, 422}, code
            assert answer.json()["code"] == code
            redrawn = await client.post(
                f"/api/v1/closures/{drawn.json()['properties']['id']}/shape", json={"shape": shape}
            )
            assert redrawn.json()["code"] == code
        assert [one["geometry"] for one in (await client.get("/api/v1/closures")).json()["features"]] == [LINE]


@pytest.mark.parametrize(
    "shape",
    [
        "ST_GeomFromText('MULTIPOINT((1 1))', 4326)",
        "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1))', 4326)",
        "ST_GeomFromText('LINESTRING EMPTY', 4326)",
        "ST_GeomFromText('POINT(200 1)', 4326)",
    ],
)
async def test_the_database_refuses_what_would_get_past_the_door(session: AsyncSession, city: City, shape: str) -> None:
    drawn = await a_closure(session, city.actor("dispatcher"))
    with pytest.raises(IntegrityError):
        await session.execute(text(f"UPDATE closures SET shape = {shape} WHERE id = :id"), {"id": drawn.id})  # noqa: S608


# ── Over HTTP ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_closure_over_http_from_drawing_to_lifting(signed_in: SignIn) -> None:
    until = (now() + HOUR).isoformat()
    async with signed_in("dispatcher") as client:
        sent = body(passable_by=["ambulance"], valid_until=until)
        drawn = await client.post("/api/v1/closures", json=sent)
        assert (await client.post("/api/v1/closures", json=sent)).json() == drawn.json()
        reused = await client.post("/api/v1/closures", json=sent | {"reason": "otro"})
        assert (reused.status_code, reused.json()["code"]) == (422, "KeyReused")
        here = f"/api/v1/closures/{sent['id']}"

        amended = await client.post(f"{here}/validity", json={"valid_until": None}, headers={"If-Match": '"1"'})
        assert amended.json()["properties"]["valid_until"] is None
        assert amended.json()["properties"]["valid_from"] == drawn.json()["properties"]["valid_from"]
        late = await client.post(f"{here}/reason", json={"reason": "no"}, headers={"If-Match": '"1"'})
        assert (late.status_code, late.json()["facts"]) == (412, {"expected": 1, "current": 2})
        for field, value in (("kind", "flooded"), ("reason", "zanjón"), ("passable-by", ["fire", "police"])):
            name = field.replace("-", "_")
            answer = await client.post(f"{here}/{field}", json={name: value})
            assert answer.json()["properties"][name] == value
        moved = await client.post(f"{here}/shape", json={"shape": {"type": "Point", "coordinates": [-60.65, -32.95]}})
        assert moved.json()["geometry"]["type"] == "Point"
        forgotten = await client.post(f"{here}/validity", json={})
        assert forgotten.status_code == 422  # an end is said, even if it is "none"

        assert (await client.get("/api/v1/closures")).json()["features"] == [moved.json()]
        lifted = await client.post(f"{here}/lift")
        assert lifted.json()["properties"]["lifted_at"] is not None
        twice = await client.post(f"{here}/lift")
        assert (twice.status_code, twice.json()["title"]) == (409, "No puede pasar de «levantado» a «levantado».")
        assert (await client.get("/api/v1/closures")).json()["features"] == []
        then = {"at": drawn.json()["properties"]["valid_from"]}
        assert len((await client.get("/api/v1/closures", params=then)).json()["features"]) == 1
        assert (await client.get(here)).json() == lifted.json()


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": ""},
        {"reason": "x" * 201},
        {"kind": "sinkhole"},
        {"passable_by": ["bicycle"]},
        {"passable_by": ["fire"] * 99},
        {"valid_until": "2026-11-22T12:00:00"},
        {"valid_until": 1_900_000_000},
        {"drawn_by": "otra persona"},
    ],
    ids=str,
)
async def test_a_wrong_field_is_refused(signed_in: SignIn, wrong: dict[str, Any]) -> None:
    async with signed_in("dispatcher") as client:
        assert (await client.post("/api/v1/closures", json=body(**wrong))).status_code == 422
        assert (await client.get("/api/v1/closures")).json()["features"] == []


# ── At once ───────────────────────────────────────────────────────────────────────────────────────


async def test_of_two_who_lift_one_does_and_the_other_is_told(signed_in: SignIn, sessions: Sessions) -> None:
    async with signed_in("dispatcher") as one, signed_in("supervisor") as other:
        for _ in range(5):
            sent = body()
            await one.post("/api/v1/closures", json=sent)
            here = f"/api/v1/closures/{sent['id']}/lift"
            answers = await asyncio.gather(*(client.post(here) for client in (one, other) for _ in range(2)))
            assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 3}
    async with reading(sessions) as session:
        count = select(func.count()).where(Entry.kind == "closure.lifted")
        assert await session.scalar(count) == 5


async def test_amending_and_lifting_at_once_end_lifted(signed_in: SignIn, sessions: Sessions) -> None:
    async with signed_in("dispatcher") as one, signed_in("supervisor") as other:
        for _ in range(5):
            sent = body()
            await one.post("/api/v1/closures", json=sent)
            here = f"/api/v1/closures/{sent['id']}"
            lift, amend = await asyncio.gather(
                one.post(f"{here}/lift"), other.post(f"{here}/reason", json={"reason": "sigue"})
            )
            assert lift.status_code == 200
            assert amend.status_code in {200, 409}
            after = (await one.get(here)).json()["properties"]
            assert after["lifted_at"] is not None
            assert after["version"] == (3 if amend.status_code == 200 else 2)
    async with reading(sessions) as session:
        assert await closures_in_force(session) == []


async def test_of_two_amendments_of_the_same_version_one_is_told_that_it_moved_on(signed_in: SignIn) -> None:
    async with signed_in("dispatcher") as one, signed_in("supervisor") as other:
        sent = body()
        await one.post("/api/v1/closures", json=sent)
        answers = await asyncio.gather(
            *(
                client.post(
                    f"/api/v1/closures/{sent['id']}/reason", json={"reason": reason}, headers={"If-Match": '"1"'}
                )
                for client, reason in ((one, "uno"), (other, "otro"))
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412]
        kept = (await one.get(f"/api/v1/closures/{sent['id']}")).json()["properties"]
        winner = next(answer for answer in answers if answer.status_code == 200)
        assert kept == winner.json()["properties"]
