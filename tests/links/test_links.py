"""Links: who may make them, what they may not be, and that nobody learns of an incident through one."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from coordination.sharing import share_incident
from incidents import bonds
from incidents.bonds import Link, LinkKind, shared_audience
from incidents.incident import Incident, reclassify
from incidents.links import (
    DEEPEST,
    AlreadyLinked,
    AlreadyUndone,
    HasAParent,
    LinkToItself,
    MoreThanALink,
    ParentOfItself,
    TooDeep,
    incident_by_code,
    lineage,
    link_incidents,
    links_of,
    near_incidents,
    unlink_incidents,
)
from incidents.merging import merge_incidents
from incidents.timeline import timeline
from realtime.access import VIGIA, Actor, face_for
from realtime.database import new_id
from realtime.errors import NotAllowed, NotFound, VersionMismatch
from tests.builders import City, an_assignment, an_incident

OPEN, SECRET = "MET-01", "SEG-07"


async def link(
    session: AsyncSession, actor: Actor, one: Incident, other: Incident, kind: LinkKind = LinkKind.PARENT, **words: Any
) -> Link:
    return await link_incidents(session, actor, one.id, link_id=new_id(), other_id=other.id, kind=kind, **words)


async def some(session: AsyncSession, actor: Actor, number: int) -> list[Incident]:
    return [await an_incident(session, actor, type_code=OPEN) for _ in range(number)]


async def test_a_link_reads_from_both_ends_with_the_codes_of_each(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    parent, child = await some(session, actor, 2)
    await link(session, actor, child, parent, other_is_parent=True, reason="mismo frente")

    for end in (parent, child):
        [found] = await links_of(session, actor, [end.id])
        told = bonds.shown(found)
        assert (told["from"]["code"], told["from"]["eido"]) == (parent.code, "CHILD")
        assert (told["to"]["code"], told["to"]["eido"]) == (child.code, "PARENT")
        lines = (await timeline(session, actor, end.id))[1:]
        kinds = [(line["kind"], line["link"]["reason"]) for line in lines]
        assert kinds == [("link.made", "mismo frente")]


async def test_what_a_link_may_not_be(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    one, two, three = await some(session, actor, 3)
    made = await link(session, actor, one, two)
    with pytest.raises(LinkToItself):
        await link(session, actor, one, one)
    with pytest.raises(AlreadyLinked) as refused:
        await link(session, actor, two, one, LinkKind.RELATED)
    assert refused.value.facts == {"one": two.code, "other": one.code}
    with pytest.raises(HasAParent) as taken:
        await link(session, actor, three, two)
    assert taken.value.facts == {"incident_code": two.code, "parent_code": one.code}
    await link(session, actor, two, three)
    with pytest.raises(ParentOfItself):
        await link(session, actor, three, one)
    with pytest.raises(MoreThanALink):
        await link(session, actor, one, three, LinkKind.MERGED)
    with pytest.raises(VersionMismatch):
        await link(session, actor, one, three, LinkKind.RELATED, expected=one.version + 1)
    with pytest.raises(NotFound):
        await link_incidents(session, actor, one.id, link_id=new_id(), other_id=new_id(), kind=LinkKind.RELATED)
    with pytest.raises(NotAllowed):
        await link(session, city.actor("government"), one, three, LinkKind.RELATED)

    undone = await unlink_incidents(session, actor, made.id, reason="no era")
    assert bonds.shown(undone)["from"]["eido"] == bonds.shown(undone)["to"]["eido"] == "UNLINK"
    with pytest.raises(AlreadyUndone):
        await unlink_incidents(session, actor, made.id)
    await link(session, actor, three, one)  # free to be somebody else's child
    assert [found.undone_reason for found in await links_of(session, actor, [one.id], undone=True)] == ["no era", None]


async def test_families_end_somewhere(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    line = await some(session, actor, DEEPEST + 1)
    for above, below in itertools.pairwise(line[:-1]):
        await link(session, actor, above, below)
    with pytest.raises(TooDeep):
        await link(session, actor, line[-2], line[-1])


async def test_a_merge_is_not_unlinked(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    one, two = await some(session, actor, 2)
    merged = await merge_incidents(session, actor, one.id, link_id=new_id(), into_id=two.id)
    with pytest.raises(MoreThanALink):
        await unlink_incidents(session, actor, merged.id)


# ── Who may know ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ({"ops:0", "government:0"}, {"ops:3", "government:3"}, {"ops:3", "government:3"}),
        ({"ops:1", "government:1", "unit:a"}, {"ops:0", "government:0", "unit:b"}, {"ops:1", "government:1"}),
        ({"ops:0", "unit:a", "org:x"}, {"ops:2", "unit:a", "org:y"}, {"ops:2", "unit:a"}),
        ({"ops:0"}, {"government:0"}, set()),
    ],
)
def test_a_link_is_for_those_who_hold_a_key_of_each_end(one: set[str], other: set[str], both: set[str]) -> None:
    assert shared_audience(one, other) == shared_audience(other, one) == both


@pytest.mark.parametrize("kinds", [(OPEN, OPEN), (OPEN, SECRET), (SECRET, SECRET)], ids=str)
async def test_whoever_does_not_see_both_ends_whole_learns_nothing(
    kinds: tuple[str, str], session: AsyncSession, city: City
) -> None:
    """Board, faces, links, lineage, timeline and searches, asked by everybody."""
    trained = city.actor("trained")
    one, other = [await an_incident(session, trained, type_code=code) for code in kinds]
    for incident in (one, other):
        await an_assignment(session, trained, incident, city.units["M1" if incident is one else "M2"])
    await share_incident(session, trained, one.id, organization_id=city.organizations["police"])
    made = await link(session, trained, one, other, LinkKind.RELATED, reason="un secreto")
    merged = await merge_incidents(session, trained, one.id, link_id=new_id(), into_id=other.id, reason="un secreto")
    whole = {"trained", "supervisor"}
    whole |= {"call_taker", "dispatcher", "government"} if SECRET not in kinds else set()
    # Moved with its unit, the crew of M1 is on the survivor, and on the duplicate no longer.
    for who, actor in city.everybody.items():
        on_board = {feature["properties"]["id"] for feature in await bonds.board(session, actor)}
        by_faces = {str(x.id) for x in (made, merged) if face_for(actor.keys, bonds.faces_of(x))}
        by_query = {str(x.id) for x in await links_of(session, actor, [one.id, other.id])}
        assert on_board == by_faces == by_query == ({str(made.id), str(merged.id)} if who in whole else set()), who
        if who in whole:
            assert len(await lineage(session, actor, one.id)) == 1
            continue
        for incident, hidden in ((one, other), (other, one)):
            try:
                told: list[Any] = [
                    await timeline(session, actor, incident.id),
                    await lineage(session, actor, incident.id),
                    await near_incidents(session, actor, incident.id),
                    await incident_by_code(session, actor, incident.id, hidden.code),
                ]
            except NotFound:
                continue
            assert hidden.code not in str(told), who
            assert str(hidden.id) not in str(told), who
            assert "link.made" not in str(told), who


async def test_a_link_leaves_with_what_becomes_protected(session: AsyncSession, city: City) -> None:
    trained, dispatcher = city.actor("trained"), city.actor("dispatcher")
    one, other = await some(session, trained, 2)
    made = await link(session, trained, one, other, LinkKind.RELATED)
    assert len(await bonds.board(session, dispatcher)) == 1
    await reclassify(session, trained, other.id, type_code=SECRET)
    assert await bonds.board(session, dispatcher) == []
    assert await links_of(session, dispatcher, [one.id]) == []
    with pytest.raises(NotFound):
        await unlink_incidents(session, dispatcher, made.id)
    assert len(await bonds.board(session, trained)) == 1
    stored = await session.scalar(select(Link.audience).where(Link.id == made.id, bonds.visible_to(VIGIA)))
    assert stored == ["government:3", "ops:3"]


async def test_what_is_near_and_what_ends_so(session: AsyncSession, city: City) -> None:
    actor = city.actor("dispatcher")
    here, near = await some(session, actor, 2)
    await an_incident(session, actor, type_code=OPEN, place=city.east)
    secret = await an_incident(session, city.actor("trained"), type_code=SECRET)
    found = await near_incidents(session, actor, here.id)
    assert [(one["code"], one["metres"], one["same_type"]) for one in found if one["code"] >= here.code] == [
        (near.code, 0, True)
    ]
    [by_code] = await incident_by_code(session, actor, here.id, f"#{near.code[-6:]}")
    assert by_code["incident_id"] == str(near.id)
    assert await incident_by_code(session, actor, here.id, secret.code) == []
    assert await incident_by_code(session, actor, here.id, "%") == []
