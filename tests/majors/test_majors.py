"""Major incidents: who commands and who did, what belongs to it, its log, and that it names nobody it should not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from incidents import bonds, majors
from incidents.assignments import AssignmentStatus
from incidents.bonds import MajorMember
from incidents.closing import close_incident
from incidents.dispatch import report_status, stage
from incidents.incident import Incident, reclassify
from incidents.major_log import log_of, strike_entry, write_entry
from incidents.majors import (
    HolderNeeded,
    InAnotherMajor,
    MajorClosed,
    MajorKind,
    MajorOpen,
    MajorRole,
    NotAMember,
    PeriodRefused,
    SectorColour,
    StillOpenInside,
    add_incidents,
    add_sector,
    amend_major,
    close_major,
    end_sector,
    give_post,
    members,
    open_major,
    place_incident,
    posts,
    proposed,
    remove_incident,
    reopen_major,
    resource_board,
    set_objective,
)
from incidents.merging import merge_incidents, unmerge_incident
from incidents.timeline import AlreadyStruck, timeline
from realtime.access import face_for
from realtime.database import new_id, now
from realtime.errors import NotAllowed, NotFound
from tests.builders import City, an_assignment, an_incident
from tests.scenes.majors import WESTERN, a_major, a_sector, with_members

OPEN, SECRET = "MET-01", "SEG-07"


async def test_who_commanded_at_half_past_two_is_in_the_book(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    start = now() - dt.timedelta(hours=3)
    major = await a_major(session, actor, occurred_at=start)
    assert major.code.startswith(f"MI-{start.year}-")
    for hours, holder in ((0, "Rita Paz"), (1, "Inés Duarte")):
        await give_post(
            *(session, actor, major.id),
            role=MajorRole.COMMAND,
            post_id=new_id(),
            holder=holder,
            occurred_at=start + dt.timedelta(hours=hours),
        )
    supervisor = city.people["supervisor"][0]
    await give_post(session, actor, major.id, role=MajorRole.SAFETY, post_id=new_id(), person_id=supervisor)
    at_half_past = await posts(session, actor, major.id, at=start + dt.timedelta(minutes=30))
    assert [(one["role"], one["holder"]) for one in at_half_past] == [("command", "Rita Paz")]
    shown = (await majors.feature(session, major))["properties"]["posts"]
    assert [(one["role"], one["holder"]) for one in shown] == [("command", "Inés Duarte"), ("safety", "supervisor")]
    with pytest.raises(HolderNeeded):
        await give_post(session, actor, major.id, role=MajorRole.LIAISON, post_id=new_id())
    await close_major(session, actor, major.id, outcome="pasó")
    assert all(one["until"] for one in await posts(session, actor, major.id))
    assert len(await posts(session, actor, major.id)) == 3


async def test_what_lies_in_the_perimeter_is_proposed_and_belongs_to_one_only(
    session: AsyncSession, city: City
) -> None:
    actor, trained = city.actor("dispatcher"), city.actor("trained")
    major, other = await a_major(session, actor), await a_major(session, actor, perimeter=None)
    inside = await an_incident(session, actor, type_code=OPEN)
    outside = await an_incident(session, actor, type_code=OPEN, place=city.east)
    secret = await an_incident(session, trained, type_code=SECRET)
    ours = {inside.code, outside.code, secret.code}
    assert {one["code"] for one in await proposed(session, actor, major.id)} & ours == {inside.code}
    assert {one["code"] for one in await proposed(session, trained, other.id)} & ours == ours
    assert await proposed(session, actor, major.id, types=["SIN"]) == []
    sector_id = new_id()
    await add_sector(
        *(session, actor, major.id), sector_id=sector_id, name="Oeste", colour=SectorColour.SKY, shape=WESTERN
    )
    [member] = await add_incidents(session, actor, major.id, incident_ids=[inside.id])
    assert member.sector_id == sector_id
    assert await add_incidents(session, actor, major.id, incident_ids=[inside.id]) == []
    with pytest.raises(InAnotherMajor):
        await add_incidents(session, actor, other.id, incident_ids=[inside.id])
    with pytest.raises(NotFound):
        await add_incidents(session, actor, other.id, incident_ids=[secret.id])
    with pytest.raises(NotAMember):
        await remove_incident(session, actor, major.id, incident_id=outside.id, reason="no es")
    await end_sector(session, actor, major.id, sector_id=sector_id)
    assert member.sector_id is None
    with pytest.raises(NotFound):
        await place_incident(session, actor, major.id, incident_id=inside.id, sector_id=sector_id)
    await remove_incident(session, actor, major.id, incident_id=inside.id, reason="no es")
    [line] = await members(session, actor, major.id)
    assert line["removed"]["reason"] == "no es"
    await add_incidents(session, actor, other.id, incident_ids=[inside.id])


async def test_closing_says_what_is_open_and_reopening_takes_back_what_is_free(
    session: AsyncSession, city: City
) -> None:
    actor = city.actor("dispatcher")
    major, inside = await a_major(session, actor), await an_incident(session, actor, type_code=OPEN)
    done = await an_incident(session, actor, type_code=OPEN)
    await add_incidents(session, actor, major.id, incident_ids=[inside.id, done.id])
    await close_incident(session, actor, done.id, disposition="resolved")
    with pytest.raises(StillOpenInside) as refused:
        await close_major(session, actor, major.id, outcome="pasó")
    assert refused.value.facts == {"count": 1, "codes": inside.code}
    with pytest.raises(MajorOpen):
        await reopen_major(session, actor, major.id, reason="volvió")
    await close_major(session, actor, major.id, outcome="pasó", with_open=True)
    with pytest.raises(MajorClosed):
        await amend_major(session, actor, major.id, name="otro")
    assert await majors.board(session, actor, [major.id]) == []
    other = await a_major(session, actor)
    await add_incidents(session, actor, other.id, incident_ids=[inside.id])
    await reopen_major(session, actor, major.id, reason="volvió")
    live = await session.scalars(
        select(MajorMember.incident_id).where(MajorMember.major_id == major.id, MajorMember.removed_at.is_(None))
    )
    assert set(live) == {done.id}
    at = now()
    with pytest.raises(PeriodRefused):
        await set_objective(
            *(session, actor, major.id), objective_id=new_id(), text="x", period_from=at, period_until=at
        )
    with pytest.raises(NotAllowed):
        await a_major(session, city.actor("government"))


async def test_the_log_tells_what_was_written_decided_and_done_while_under_command(
    session: AsyncSession, city: City
) -> None:
    actor, trained = city.actor("dispatcher"), city.actor("trained")
    major = await a_major(session, actor)
    before = await an_incident(session, actor, type_code=OPEN)
    early = await an_assignment(session, actor, before, city.units["M1"])
    secret = await an_incident(session, trained, type_code=SECRET)
    await add_incidents(session, trained, major.id, incident_ids=[before.id, secret.id])
    await report_status(session, actor, early.id, status=AssignmentStatus.ON_SCENE)
    await an_assignment(session, trained, secret, city.units["M2"])
    entry = await write_entry(session, actor, major.id, entry_id=new_id(), text="sin energía")
    quoted = (await timeline(session, trained, secret.id))[0]
    await write_entry(
        *(session, trained, major.id), entry_id=new_id(), text="lo de ella", incident_id=secret.id, quotes=quoted["id"]
    )
    with pytest.raises(NotFound):
        await write_entry(
            *(session, actor, major.id), entry_id=new_id(), text="x", incident_id=before.id, quotes=quoted["id"]
        )
    await strike_entry(session, actor, major.id, entry_id=entry.id, reason="volvió la luz")
    with pytest.raises(AlreadyStruck):
        await strike_entry(session, actor, major.id, entry_id=entry.id, reason="x")
    await remove_incident(session, actor, major.id, incident_id=before.id, reason="no es")
    await close_incident(session, actor, before.id, disposition="resolved")

    told = await log_of(session, actor, major.id)
    kinds = [line["kind"] for line in told]
    assert kinds.count("assignment.made") == 0  # before it was under command, and of the protected one
    assert kinds.count("assignment.status") == 1
    assert "incident.closed" not in kinds
    assert kinds[0] == "major.opened"
    [written] = [line for line in told if line["kind"] == "written"]
    assert (written["text"], written["struck"]["reason"]) == ("sin energía", "volvió la luz")
    assert secret.code not in str(told)
    assert str(secret.id) not in str(told)
    assert "lo de ella" not in str(told)

    whole = await log_of(session, trained, major.id)
    [quote] = [line["quotes"] for line in whole if line.get("quotes")]
    assert (quote["kind"], quote["incident"]["code"]) == ("incident.opened", secret.code)
    assert [line["kind"] for line in whole].count("assignment.made") == 1
    assert [line["kind"] for line in await log_of(session, trained, major.id, by_hand=True)] == ["written"] * 2


async def test_the_resource_board_tells_who_is_where_and_what_is_missing(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    major = await a_major(session, actor)
    sector_id = await a_sector(session, actor, major)
    one, two, bare = [await an_incident(session, actor, type_code=OPEN) for _ in range(3)]
    await add_incidents(session, actor, major.id, incident_ids=[one.id, two.id, bare.id], sector_id=sector_id)
    there = await an_assignment(session, actor, one, city.units["M1"])
    waiting = await an_assignment(session, actor, two, city.units["M2"])
    await report_status(session, actor, there.id, status=AssignmentStatus.ON_SCENE)
    await stage(session, actor, waiting.id, name="Plaza", place=city.west)
    told = await resource_board(session, actor, major.id, now())
    assert {(line["call_sign"], line["sector_id"], line["status"]) for line in told["units"]} == {
        ("M1", str(sector_id), "on_scene"),
        ("M2", str(sector_id), "assigned"),
    }
    by_sign = {line["call_sign"]: line for line in told["units"]}
    assert by_sign["M1"]["checked_in"] == there.stamps["T9"]
    assert (by_sign["M2"]["checked_in"], by_sign["M2"]["staging"]["name"]) == (None, "Plaza")
    assert [(gap["what"], gap.get("code")) for gap in told["gaps"]] == [
        ("nobody_there", bare.code),
        ("no_lead", "Norte"),
        ("no_commander", None),
    ]


@pytest.mark.parametrize("sensitivity", [1, 3])
async def test_nobody_learns_of_a_member_that_he_may_not_see(
    sensitivity: int, session: AsyncSession, city: City
) -> None:
    trained = city.actor("trained")
    major, sector_id, [public, secret] = await with_members(session, trained)
    major.sensitivity = sensitivity
    await majors.tell(session, trained, "major.amended", major)
    await an_assignment(session, trained, secret, city.units["M2"])
    sees = {"trained", "supervisor"} | ({"call_taker", "dispatcher", "government"} if sensitivity < 3 else set())
    for who, actor in city.everybody.items():
        on_board = await majors.board(session, actor, [major.id])
        parts = await majors._parts(session, [major.id])
        by_face = face_for(actor.keys, majors.faces_of(major, *parts[major.id]))
        assert on_board == ([by_face] if by_face else []), who
        assert bool(on_board) == (who in sees), who
        inside = {one["properties"]["incident_id"] for one in await bonds.board_of_members(session, actor)}
        rows = (await session.scalars(select(MajorMember).where(MajorMember.major_id == major.id))).all()
        assert inside == {str(row.incident_id) for row in rows if face_for(actor.keys, bonds.faces_of_member(row))}, who
        assert (str(secret.id) in inside) == (who in {"trained", "supervisor"}), who
        if who not in sees:
            with pytest.raises(NotFound):
                await members(session, actor, major.id)
            continue
        told = [
            on_board,
            await members(session, actor, major.id),
            await resource_board(session, actor, major.id, now()),
            await log_of(session, actor, major.id),
            await proposed(session, actor, major.id),
        ]
        assert public.code in str(told), who
        assert (secret.code in str(told)) == (who in {"trained", "supervisor"}), who
    assert sector_id is not None


async def test_a_member_that_becomes_protected_leaves_the_boards_of_most(session: AsyncSession, city: City) -> None:
    trained, dispatcher = city.actor("trained"), city.actor("dispatcher")
    _, _, [public, _] = await with_members(session, trained)
    assert [one["properties"]["code"] for one in await bonds.board_of_members(session, dispatcher)] == [public.code]
    await reclassify(session, trained, public.id, type_code=SECRET)
    assert await bonds.board_of_members(session, dispatcher) == []


async def test_a_merge_hands_the_place_to_the_survivor_and_back(session: AsyncSession, city: City) -> None:
    trained = city.actor("trained")
    major, sector_id, [gone, _] = await with_members(session, trained)
    kept = await an_incident(session, trained, type_code=OPEN)

    async def places() -> dict[Any, Any]:
        live = select(MajorMember).where(MajorMember.major_id == major.id, MajorMember.removed_at.is_(None))
        found = await session.scalars(live)
        return {one.incident_id: one.sector_id for one in found if one.incident_id in {gone.id, kept.id}}

    link = await merge_incidents(session, trained, gone.id, link_id=new_id(), into_id=kept.id)
    assert await places() == {kept.id: sector_id}
    await unmerge_incident(session, trained, link.id)
    assert await places() == {gone.id: sector_id}


async def test_nobody_opens_one_that_he_could_not_see(session: AsyncSession, city: City) -> None:
    major = await open_major(
        session, city.actor("dispatcher"), new_id(), name="Temporal", kind=MajorKind.STORM, sensitivity=3
    )
    assert major.sensitivity == 2
    assert len(await majors.board(session, city.actor("dispatcher"), [major.id])) == 1
    assert await session.get(Incident, major.id) is None
