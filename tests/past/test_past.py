"""Any past hour is as it was: a replayed board equals the snapshot that was taken then, archived or not."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

import tests.test_feeds_agree  # noqa: F401  its scenes are played here too
from incidents.closing import close_incident
from incidents.incident import Incident, reclassify, take_off_board, visible_whole_to
from incidents.past import (
    BadInterval,
    BadStretch,
    BeforeThePast,
    NotYet,
    Past,
    look_at_past,
    look_at_past_positions,
)
from incidents.reports import Report
from incidents.triage import accept_report
from realtime.access import Actor
from realtime.catch_up import snapshot
from realtime.database import new_id, now
from realtime.errors import NotAllowed, Refusal
from realtime.journal import Entry
from realtime.past import (
    PastHead,
    archive_past,
    forget_faces,
    forget_subjects,
    past_begins,
    past_board,
    past_hours,
    tend_past,
)
from resources.positions import positions_now
from resources.tracks import Doubt, Fix, write_history
from tests.builders import City, a_report, an_incident
from tests.scenes import SCENES
from web.boards import BOARDS

WATCHING = ("call_taker", "dispatcher", "trained", "supervisor")
A_WHILE = dt.timedelta(microseconds=1)
DAY = dt.timedelta(days=1)
Board = dict[str, dict[str, Any]]


async def live(session: AsyncSession, actor: Actor) -> Board:
    """What somebody sees now."""
    caught = await snapshot(session, actor, BOARDS, positions_now)
    return {feature["properties"]["subject"]: feature for feature in caught.message["features"]}


async def past_of(session: AsyncSession, actor: Actor, at: dt.datetime) -> Board:
    """What the same sees of a past moment."""
    past = await look_at_past(session, actor, since=at, until=at + A_WHILE)
    assert past.board is not None
    return {feature["properties"]["subject"]: feature for feature in past.board}


def carried_on(board: Board, pages: list[Past], until: dt.datetime) -> Board:
    """A board with the lines after it."""
    board = dict(board)
    for line in (line for page in pages for line in page.lines if line.at <= until):
        if line.feature is None:
            board.pop(line.subject, None)
        else:
            board[line.subject] = line.feature
    return board


async def numbered(session: AsyncSession) -> None:
    """As the relay leaves the journal."""
    await session.flush()
    await session.execute(update(Entry).where(Entry.seq.is_(None)).values(seq=Entry.id))


async def archive_all(session: AsyncSession, *, older_than: dt.timedelta = dt.timedelta(0)) -> None:
    """Let the chore work until nothing is left for it."""
    await numbered(session)
    while await archive_past(session, older_than=older_than):
        pass


async def seen_whole(session: AsyncSession, actor: Actor) -> set[str]:
    """The incidents that somebody may know whole now."""
    return {str(id_) for id_ in await session.scalars(select(Incident.id).where(visible_whole_to(actor)))}


class Day:
    """A day of verbs by chance, with what everybody who watches saw in between."""

    def __init__(self, session: AsyncSession, city: City, seed: int) -> None:
        """Nothing has happened yet."""
        self.session, self.city, self.chance = session, city, random.Random(seed)
        self.seen: list[tuple[dt.datetime, dict[str, Board]]] = []

    async def live_through(self, acts: int) -> None:
        """Play scenes in the order that chance gives; what the city refuses by now is left out."""
        await self._look()
        for name in self.chance.sample(sorted(SCENES), acts):
            _, stage = SCENES[name]
            try:
                async with self.session.begin_nested():
                    await (await stage(self.session, self.city.actor("trained"), self.city))()
            except (Refusal, AssertionError, SQLAlchemyError, ValueError, LookupError):
                self.session.expunge_all()
                continue
            await self._look()
        assert len(self.seen) > acts / 3

    async def _look(self) -> None:
        await self.session.flush()
        boards = {who: await live(self.session, self.city.actor(who)) for who in WATCHING}
        self.seen.append((now(), boards))

    async def stretch(self, days: int, *, back: dt.timedelta) -> None:
        """Put it all so far back, and as if it had lasted for days."""
        await self.session.flush()
        begins = await past_begins(self.session)
        lasted = self.seen[-1][0] - begins
        times = (days * DAY) // lasted
        start = now() - back

        def moved(moment: dt.datetime) -> dt.datetime:
            return start + (moment - begins) * times

        rows = (await self.session.execute(select(Entry.id, Entry.recorded_at))).all()
        await self.session.execute(
            text("UPDATE journal SET recorded_at = :at WHERE id = :id"),
            [{"id": row.id, "at": moved(row.recorded_at)} for row in rows],
        )
        await self.session.execute(update(PastHead).values(begins_at=start))
        self.seen = [(moved(moment), boards) for moment, boards in self.seen]

    async def is_remembered(self) -> None:
        """Whoever looks at one of its moments sees what he saw then, but for what he may not know by now."""
        for who in WATCHING:
            actor = self.city.actor(who)
            whole = await seen_whole(self.session, actor)
            for moment, boards in self.seen:
                was, seen = boards[who], await past_of(self.session, actor, moment)
                secret = {name.partition(":")[2] for name in was if name.startswith("incident:")} - whole
                for subject in was.keys() | seen.keys():
                    kind, _, id_ = subject.partition(":")
                    told = orjson.dumps(was.get(subject)).decode()
                    if kind == "incident" and id_ in secret:
                        assert seen[subject]["properties"]["masked"], subject
                    elif kind not in {"unit", "sos"} and any(one in told for one in secret):
                        shown = orjson.dumps(seen.get(subject)).decode()
                        assert not any(one in shown for one in secret), subject
                    else:
                        assert seen.get(subject) == was.get(subject), (who, subject)


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_past_board_is_the_snapshot_that_was_taken_then(session: AsyncSession, city: City, seed: int) -> None:
    day = Day(session, city, seed)
    await day.live_through(24)
    await day.stretch(3, back=12 * DAY)
    await day.is_remembered()

    halfway = day.seen[len(day.seen) // 2][0]
    await archive_all(session, older_than=now() - halfway)
    await day.is_remembered()

    await archive_all(session)
    await forget_faces(session)
    left = select(func.count()).where(Entry.faces != [], Entry.recorded_at < now() - 8 * DAY)
    assert await session.scalar(left) == 0
    await day.is_remembered()


async def test_a_board_and_its_lines_give_every_later_board(session: AsyncSession, city: City) -> None:
    day = Day(session, city, 3)
    await day.live_through(16)
    await day.stretch(1, back=3 * DAY)
    await archive_all(session, older_than=now() - day.seen[len(day.seen) // 2][0])
    actor, began, ended = city.actor("trained"), day.seen[0][0], day.seen[-1][0]
    pages = [await look_at_past(session, actor, since=began, until=ended, limit=7)]
    while pages[-1].complete_to < ended:
        page = await look_at_past(session, actor, since=pages[-1].complete_to, until=ended, board=False, limit=7)
        assert page.board is None
        pages.append(page)
    assert len(pages) > 5
    first = await past_of(session, actor, began)
    moments = [line.at for page in pages for line in page.lines]
    assert moments == sorted(moments)
    for moment, _ in day.seen:
        assert carried_on(first, pages, moment) == await past_of(session, actor, moment)


async def test_what_became_secret_is_secret_in_the_past_too(session: AsyncSession, city: City) -> None:
    trained, dispatcher = city.actor("trained"), city.actor("dispatcher")
    report = await a_report(session, dispatcher, words="golpes en el 4B")
    before = now()
    incident_id = new_id()
    await accept_report(session, dispatcher, report.id, incident_id=incident_id, type_code="MET-01")
    await session.flush()
    between = now()
    await reclassify(session, trained, incident_id, type_code="SEG-07")
    await close_incident(session, trained, incident_id, disposition="resolved")
    await take_off_board(session, trained, await session.get_one(Incident, incident_id))
    await archive_all(session)

    subject = f"incident:{incident_id}"
    for actor, whole in ((trained, True), (dispatcher, False)):
        waiting = await past_of(session, actor, before)
        opened = await past_of(session, actor, between)
        assert (report.subject in waiting) is whole
        assert opened[subject]["properties"]["masked"] is not whole
        assert ("Mitre y Rioja" in orjson.dumps(opened[subject]).decode()) is whole
        page = await look_at_past(session, actor, since=before, until=now())
        assert ("MET-01" in orjson.dumps([line.feature for line in page.lines]).decode()) is whole


async def test_what_was_erased_does_not_come_back(session: AsyncSession, city: City) -> None:
    dispatcher = city.actor("dispatcher")
    blanked, gone, forgotten = [await a_report(session, dispatcher, words="soy Ana Ruiz, DNI 1") for _ in range(3)]
    incident = await an_incident(session, dispatcher, summary="vive Ana Ruiz")
    await session.flush()
    then = now()
    await archive_all(session)
    await session.execute(update(Report).where(Report.id == blanked.id).values(words=""))
    await session.execute(update(Incident).where(Incident.id == incident.id).values(summary=""))
    await session.execute(text("DELETE FROM tracking WHERE report_id = :id"), {"id": gone.id})
    await session.execute(text("DELETE FROM reports WHERE id = :id"), {"id": gone.id})
    await forget_subjects(session, [forgotten.subject])
    board = await past_of(session, dispatcher, then)
    assert {blanked.subject, incident.subject} <= board.keys()
    assert not {gone.subject, forgotten.subject} & board.keys()
    assert "Ruiz" not in orjson.dumps(board).decode()


async def test_the_past_is_forgotten_after_the_days_that_the_city_keeps(session: AsyncSession, city: City) -> None:
    day = Day(session, city, 4)
    await day.live_through(12)
    await day.stretch(4, back=20 * DAY)
    await archive_all(session)
    await day.is_remembered()
    await tend_past(session, kept_days=18)
    begins = await past_begins(session)
    assert begins > now() - 19 * DAY
    assert await session.scalar(select(func.min(past_hours.c.hour))) >= begins
    day.seen = [(moment, boards) for moment, boards in day.seen if moment >= begins]
    await day.is_remembered()
    with pytest.raises(BeforeThePast):
        await look_at_past(session, city.actor("dispatcher"), since=begins - A_WHILE, until=now() - 18 * DAY)
    await tend_past(session, kept_days=8)  # the last day stays: the next begins with it
    assert await past_board(session, now())


async def test_only_what_is_an_interval_of_the_past_is_answered(session: AsyncSession, city: City) -> None:
    dispatcher, begins, second = city.actor("dispatcher"), await past_begins(session), dt.timedelta(seconds=1)
    with pytest.raises(NotYet):
        await look_at_past(session, dispatcher, since=now() + second, until=now() + 2 * second)
    for until in (begins, begins - second, begins + DAY + second):
        with pytest.raises(BadInterval):
            await look_at_past(session, dispatcher, since=begins, until=until)
    with pytest.raises(BadStretch):
        await look_at_past_positions(session, dispatcher, since=begins, until=begins + dt.timedelta(minutes=16))
    past = await look_at_past(session, dispatcher, since=begins, until=begins + DAY)
    assert past.until <= now(), "what has not been is not promised"


async def test_each_look_is_recorded_and_only_operations_may(session: AsyncSession, city: City) -> None:
    begins = await past_begins(session)
    until = begins + dt.timedelta(minutes=1)
    await look_at_past(session, city.actor("dispatcher"), since=begins, until=until)
    await look_at_past_positions(session, city.actor("dispatcher"), since=begins, until=until)
    looks = (await session.scalars(select(Entry).where(Entry.kind == "past.seen").order_by(Entry.id))).all()
    assert [one.actor_name for one in looks] == ["dispatcher"] * 2
    assert looks[0].detail["since"] == begins.isoformat()
    for who, actor in city.everybody.items():
        if who not in WATCHING:
            with pytest.raises(NotAllowed if who != "neighbour" else Refusal):
                await look_at_past(session, actor, since=begins, until=until)


async def test_past_positions_are_those_that_moved_the_marker(session: AsyncSession, city: City) -> None:
    unit, other = city.units["M1"], city.units["M2"]
    start = now() - dt.timedelta(minutes=10)
    await session.execute(update(PastHead).values(begins_at=start - DAY))

    def fix(unit_id: Any, second: float, lon: float, doubt: Doubt = Doubt(0)) -> Fix:
        at = start + dt.timedelta(seconds=second)
        return Fix(unit_id, lon, -32.95, at, at, doubt=doubt)

    fixes = [fix(unit, second, -60.66 + second / 1e5) for second in range(-60, 61)]
    fixes += [fix(unit, 30.5, -60.0, Doubt.IMPLAUSIBLE), fix(unit, 31.5, -60.1, Doubt.LATE)]
    await write_history(session, [*fixes, fix(other, -3600, -60.7)])
    found = await look_at_past_positions(
        session, city.actor("dispatcher"), since=start, until=start + dt.timedelta(minutes=1)
    )
    assert found.keys() == {unit, other}
    assert [(one.seen_at - start).total_seconds() for one in found[other]] == [-3600]
    seconds = [(one.seen_at - start).total_seconds() for one in found[unit]]
    assert seconds[0] == 0
    assert len(seconds) <= 6
    assert all(one.lon < -60.6 for one in found[unit])


async def test_what_a_city_keeps_of_its_past_is_small(session: AsyncSession, city: City) -> None:
    """Bytes, not times: an entry in the archive is a small part of what its faces are in the journal."""
    day = Day(session, city, 5)
    await day.live_through(16)
    await numbered(session)
    faces = text("SELECT sum(length(faces::text)), count(*) FROM journal WHERE faces <> '[]'")
    written, entries = (await session.execute(faces)).one()
    await archive_all(session)
    kept = await session.scalar(select(func.sum(func.length(past_hours.c.body))))
    assert entries > 0
    assert kept < written / 3
