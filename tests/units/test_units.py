"""Units: what they may say of themselves, who hears of it, and how they come and go."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from incidents.dispatch import Sending, dispatch_units
from realtime.access import face_for
from realtime.database import new_id, now
from realtime.errors import AlreadyExists, IllegalMove, NotAllowed, NotFound, VersionMismatch
from resources.capabilities import (
    NoAmount,
    UnknownCapability,
    add_capability,
    capabilities,
    default_capabilities,
    publish_capabilities,
    retire_capability,
)
from resources.equipment import MoveKind, NotThatMuch, add_equipment, move_stock, moves_of, stock
from resources.facilities import (
    CountRefused,
    FacilityClosed,
    FacilityKind,
    capacities_of,
    change_capacity,
    close_facility,
    facilities,
    set_capacity,
)
from resources.readiness import readiness_of
from resources.units import (
    CallSignTaken,
    Skills,
    Station,
    StillSent,
    UnitKind,
    access_unit,
    add_unit,
    amend_unit,
    board,
    faces_of,
    reinstate_unit,
    retire_unit,
)
from resources.vehicles import (
    PlateTaken,
    add_vehicle,
    amend_vehicle,
    papers_of,
    post_vehicle,
    postings_of_unit,
    vehicles_of,
)
from tests.builders import City, an_incident
from tests.scenes.units import a_facility, a_piece, a_stock, a_vehicle
from web.demo.fleet import FLEET


async def test_a_unit_has_only_capabilities_that_exist(session: AsyncSession, city: City) -> None:
    boss, m1 = city.actor("supervisor"), city.units["M1"]
    unit = await amend_unit(session, boss, m1, skills=Skills(["GUM", "MOTOBOMBA", "GUM"], {"MOTOBOMBA": 600}))
    assert (unit.capabilities, unit.amounts) == (["GUM", "MOTOBOMBA"], {"MOTOBOMBA": 600.0})
    for codes in (["motobomba"], ["GUM", "NADA"]):
        with pytest.raises(UnknownCapability):
            await amend_unit(session, boss, m1, skills=Skills(codes))
    for amounts in ({"GUM": 2.0}, {"CISTERNA": 5.0}, {"MOTOBOMBA": 0.0}, {"MOTOBOMBA": float("nan")}, {"X": 1.0}):
        with pytest.raises(NoAmount):
            await amend_unit(session, boss, m1, skills=Skills(["GUM", "MOTOBOMBA"], amounts))


async def test_what_is_retired_is_kept_and_not_given(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    await amend_unit(session, boss, city.units["M1"], skills=Skills(["GUM", "DEA"]))
    await retire_capability(session, boss, "DEA")
    await amend_unit(session, boss, city.units["M1"], skills=Skills(["DEA", "GUM"]))
    with pytest.raises(UnknownCapability):
        await amend_unit(session, boss, city.units["M2"], skills=Skills(["DEA"]))


async def test_the_default_capabilities_cover_the_demo_and_leave_the_citys_own(
    session: AsyncSession, city: City
) -> None:
    codes = {one["code"] for one in default_capabilities()}
    assert {code for unit in FLEET for code in unit.capabilities} <= codes
    assert len({code.casefold() for code in codes}) == len(codes)
    measured = {one["code"] for one in default_capabilities() if one["measure"]}
    assert {code for unit in FLEET for code in unit.amounts} <= measured
    with pytest.raises(AlreadyExists):
        await add_capability(session, city.actor("supervisor"), "gum", name="otra")
    assert await publish_capabilities(session, city.actor("supervisor"), default_capabilities()) == 0
    assert codes == (await capabilities(session)).keys()


async def test_a_call_sign_is_one_in_service(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    with pytest.raises(CallSignTaken):
        await amend_unit(session, boss, city.units["M1"], call_sign="m2")
    await retire_unit(session, boss, city.units["M2"])
    await amend_unit(session, boss, city.units["M1"], call_sign="M2")
    with pytest.raises(CallSignTaken):
        await reinstate_unit(session, boss, city.units["M2"])
    await amend_unit(session, boss, city.units["M1"], call_sign="M1")
    back = await reinstate_unit(session, boss, city.units["M2"])
    assert back.status == "out_of_service"


async def test_a_unit_on_an_incident_is_not_retired_and_a_retired_one_is_not_sent(
    session: AsyncSession, city: City
) -> None:
    boss = city.actor("supervisor")
    incident = await an_incident(session, boss)
    await dispatch_units(session, boss, incident.id, [Sending(new_id(), city.units["M1"])])
    with pytest.raises(StillSent):
        await retire_unit(session, boss, city.units["M1"])
    await retire_unit(session, boss, city.units["M2"])
    with pytest.raises(NotFound):
        await access_unit(session, boss, city.units["M2"])
    assert str(city.units["M2"]) not in {one["properties"]["id"] for one in await board(session, boss)}
    with pytest.raises(Exception, match=r"NotFound|UnitNotAvailable|OffDuty|OutOfService|Unit"):
        await dispatch_units(session, boss, incident.id, [Sending(new_id(), city.units["M2"])])


async def test_notes_are_for_who_sees_it_whole_and_for_who_keeps_it(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    unit = await amend_unit(session, boss, city.units["M1"], notes="el chofer conoce la villa")
    seen = {who: face_for(actor.keys, faces_of(unit, "Municipality")) for who, actor in city.everybody.items()}
    told = {who: face["properties"]["notes"] for who, face in seen.items() if face is not None}
    reading = {who for who, notes in told.items() if notes}
    assert reading == {"call_taker", "dispatcher", "trained", "supervisor", "crew m1", "administrator"}
    assert told["government"] is told["wall"] is None


async def test_a_base_is_a_facility_or_words(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    base = await a_facility(session, city, kind=FacilityKind.BASE)
    unit = await amend_unit(session, boss, city.units["M1"], station=Station(facility_id=base.id))
    assert (unit.base, unit.base_id, unit.base_place) == ("Hospital Oeste", base.id, base.shape)
    unit = await amend_unit(session, boss, city.units["M1"], station=Station("en la plaza"))
    assert (unit.base, unit.base_id, unit.base_place) == ("en la plaza", None, None)
    await close_facility(session, boss, base.id)
    with pytest.raises(FacilityClosed):
        await amend_unit(session, boss, city.units["M1"], station=Station(facility_id=base.id))


async def test_fields_change_one_by_one_and_not_over_what_was_not_read(session: AsyncSession, city: City) -> None:
    boss, m1 = city.actor("supervisor"), city.units["M1"]
    before = await access_unit(session, boss, m1)
    version = before.version
    await amend_unit(session, boss, m1, home_zone_id=city.zones["Este"], expected=version)
    with pytest.raises(VersionMismatch):
        await amend_unit(session, boss, m1, notes="tarde", expected=version)
    unit = await access_unit(session, boss, m1)
    assert (unit.home_zone, unit.notes, unit.capabilities) == ("Este", "", ["GUM"])
    with pytest.raises(NotAllowed):
        await amend_unit(session, city.actor("dispatcher"), m1, notes="no")


# ── Vehicles ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_vehicle_moves_and_its_history_stays(session: AsyncSession, city: City) -> None:
    boss = city.actor("supervisor")
    first = await a_vehicle(session, city, plate="AB123CD", unit="M1")
    second = await a_vehicle(session, city, plate="AC123CD", unit="M2")
    await post_vehicle(session, boss, first.id, unit_id=city.units["M2"])
    later = now() + dt.timedelta(seconds=1)
    assert await vehicles_of(session, [city.units["M1"], city.units["M2"]], later) == {city.units["M2"]: first}
    history = await postings_of_unit(session, city.units["M2"])
    assert [(one["plate"], one["until"] is None) for one in history] == [("AB123CD", True), ("AC123CD", False)]
    await post_vehicle(session, boss, second.id, unit_id=city.units["M1"])
    await post_vehicle(session, boss, second.id, unit_id=None)
    assert city.units["M1"] not in await vehicles_of(session, [city.units["M1"]], later)
    with pytest.raises(PlateTaken):
        await add_vehicle(session, boss, new_id(), plate="ab123cd")


@pytest.mark.parametrize(
    ("days", "code", "blocks"),
    [(-1, "expired", True), (0, "expiring", False), (30, "expiring", False), (31, None, None)],
)
async def test_a_paper_holds_through_its_last_day(
    session: AsyncSession, city: City, days: int, code: str | None, blocks: bool | None
) -> None:
    vehicle = await a_vehicle(session, city)
    noon = dt.datetime(2027, 3, 10, 15, tzinfo=dt.UTC)
    day = noon.date() + dt.timedelta(days=days)
    vehicle = await amend_vehicle(session, city.actor("supervisor"), vehicle.id, inspection_until=day)
    expected = [] if code is None else [(f"inspection_{code}", blocks)]
    assert [(gap.code, gap.blocks) for gap in papers_of(vehicle, noon)] == expected
    midnight = dt.datetime(2027, 3, 11, 2, 59, tzinfo=dt.UTC)  # still the 10th in Argentina
    assert [(gap.code, gap.blocks) for gap in papers_of(vehicle, midnight)] == expected


async def test_what_a_vehicle_lacks_its_unit_lacks(session: AsyncSession, city: City) -> None:
    vehicle = await a_vehicle(session, city)
    at, m1 = now() + dt.timedelta(seconds=1), city.units["M1"]
    assert await readiness_of(session, [m1, city.units["M2"]], at) == {}
    long_ago = dt.date(2020, 1, 1)
    await amend_vehicle(session, city.actor("supervisor"), vehicle.id, insurance_until=long_ago)
    gaps = (await readiness_of(session, [m1], at))[m1]
    assert [gap.shown() for gap in gaps] == [
        {"code": "insurance_expired", "blocks": True, "plate": "AB123CD", "until": "2020-01-01"}
    ]
    assert await readiness_of(session, [m1], at - dt.timedelta(days=1)) == {}  # it was not its vehicle yet


# ── Equipment, facilities, stock ──────────────────────────────────────────────────────────────────


async def test_equipment_is_for_a_unit_in_service(session: AsyncSession, city: City) -> None:
    piece = await a_piece(session, city)
    assert (piece.state, piece.quantity) == ("working", 1)
    await retire_unit(session, city.actor("supervisor"), city.units["M2"])
    with pytest.raises(NotFound):
        await add_equipment(session, city.actor("supervisor"), new_id(), unit_id=city.units["M2"], name="X")


async def test_two_who_count_at_once_are_both_right(session: AsyncSession, city: City) -> None:
    hospital = await a_facility(session, city, owner="ambulances")
    owner, dispatcher = city.actor("ambulances"), city.actor("dispatcher")
    await set_capacity(session, owner, hospital.id, "UTI", total=4, free=3, note="una en obra")
    await change_capacity(session, owner, hospital.id, "UTI", by=-1)
    told = await change_capacity(session, dispatcher, hospital.id, "UTI", by=-1)
    assert (told.free, told.updated_by, told.note) == (1, "dispatcher", "una en obra")
    for by in (-2, 4):
        with pytest.raises(CountRefused):
            await change_capacity(session, owner, hospital.id, "UTI", by=by)
    with pytest.raises(CountRefused):
        await set_capacity(session, owner, hospital.id, "guardia", total=2, free=3)
    with pytest.raises(NotAllowed):
        await set_capacity(session, city.actor("police"), hospital.id, "UTI", total=4, free=4)
    assert hospital.id in await capacities_of(session, city.actor("crew m1"), [hospital.id])
    assert await capacities_of(session, city.actor("vecinal oeste"), [hospital.id]) == {}


async def test_cameras_are_for_who_works_with_them(session: AsyncSession, city: City) -> None:
    camera = await a_facility(session, city, kind=FacilityKind.CAMERA)
    seeing = set()
    for who, actor in city.everybody.items():
        if camera.id in {one.id for one in await facilities(session, actor)}:
            seeing.add(who)
    assert seeing == {"call_taker", "dispatcher", "trained", "supervisor", "administrator"}


async def test_stock_moves_with_reasons_and_what_runs_low_is_first(session: AsyncSession, city: City) -> None:
    desk = city.actor("dispatcher")
    shelter = await a_facility(session, city, kind=FacilityKind.SHELTER, owner="ambulances")
    low = await a_stock(session, city, shelter)  # 10, of which 20 should be there
    assert low.low
    move = {"kind": MoveKind.IN, "quantity": Decimal("15.5"), "reason": "donación"}
    full = await move_stock(session, desk, low.id, move_id=new_id(), **move)  # type: ignore[arg-type]
    assert (full.quantity, full.low) == (Decimal("25.5"), False)
    with pytest.raises(NotThatMuch):
        await move_stock(session, desk, low.id, move_id=new_id(), kind=MoveKind.OUT, quantity=Decimal(26))
    await move_stock(session, desk, low.id, move_id=new_id(), kind=MoveKind.ADJUST, quantity=Decimal(30))
    other = await a_stock(session, city, shelter)
    assert [item.id for item, _ in await stock(session, desk)] == [other.id, low.id]
    moves = await moves_of(session, desk, low.id)
    assert [(one.kind, float(one.left)) for one in moves] == [("adjust", 30.0), ("in", 25.5), ("adjust", 10.0)]
    assert len(await stock(session, city.actor("ambulances"))) == 2
    assert await stock(session, city.actor("police")) == []


async def test_a_unit_is_made_by_its_verb_alone(session: AsyncSession, city: City) -> None:
    made = await add_unit(
        session,
        city.actor("administrator"),
        new_id(),
        call_sign="Z1",
        kind=UnitKind.WORKS,
        organization_id=city.organizations["municipality"],
        home_zone_id=city.zones["Oeste"],
        notes="llave en guardia",
    )
    assert (made.home_zone, made.notes, made.version) == ("Oeste", "llave en guardia", 1)
    with pytest.raises((AlreadyExists, IllegalMove)):
        await add_unit(
            session,
            city.actor("administrator"),
            made.id,
            call_sign="Z2",
            kind=UnitKind.WORKS,
            organization_id=city.organizations["municipality"],
        )
