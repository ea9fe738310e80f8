"""The fence watch: follows the history of positions, unit by unit, and writes down what happens at geofences.

Each unit has its own cursor, the fix that was looked at last: history has no order of its own, because commits have
none, and a fix that comes after a newer one of the same unit tells nothing about a fence any more. Whoever holds the
cursor's lock watches the unit; cursor, standing and visit change in one transaction, so that any number of workers
may run, die and come back, and each thing is told once.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import shapely
import structlog
from sqlalchemy import BigInteger, CheckConstraint, Double, ForeignKey, SmallInteger, delete, select, text, tuple_
from sqlalchemy.dialects.postgresql import REAL, insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.fences import FENCES, Ending, Fence, FenceVisit, close_visit, fences_with_places, mark_dwell, open_visit
from geo.layers import edition_of
from geo.passage import Ground, Passage, Sight, Standing, What, look
from geo.zones import ZONES
from realtime.access import VIGIA
from realtime.database import Base, Sessions, now, transaction
from resources.tracks import ASTRAY, ON_EARTH, Doubt

log = structlog.get_logger()

EVERY = 0.5  # seconds
UNITS_AT_ONCE = 500
FIXES_AT_ONCE = 20_000
LOOK_BACK = dt.timedelta(days=1)  # a worker that was away catches up a day; older news is no news
LOST = dt.timedelta(hours=6)  # silent for so long, it is nowhere
AROUND = 0.001  # degrees, a hundred metres: as far as a fix may be wrong
UNBELIEVABLE = int(ASTRAY | Doubt.MOCK | Doubt.LATE)


class FenceCursor(Base):
    """How far a unit's positions have been looked at. Place and accuracy are None until one has been believed."""

    __tablename__ = "fence_cursors"
    __table_args__ = (CheckConstraint(ON_EARTH, name="on_earth"),)

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id", ondelete="CASCADE"), primary_key=True)
    fixed_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime | None]
    lon: Mapped[float | None] = mapped_column(Double)
    lat: Mapped[float | None] = mapped_column(Double)
    accuracy_m: Mapped[float | None] = mapped_column(REAL)


class FenceStanding(Base):
    """How a unit stands to a fence, where there is anything to remember: it is inside, or may be."""

    __tablename__ = "fence_standings"

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id", ondelete="CASCADE"), primary_key=True)
    fence_id: Mapped[UUID] = mapped_column(ForeignKey("fences.id", ondelete="CASCADE"), primary_key=True)
    watched_since: Mapped[dt.datetime]
    since: Mapped[dt.datetime | None]
    dwelled: Mapped[bool]
    doubts: Mapped[int] = mapped_column(BigInteger)
    doubted_since: Mapped[dt.datetime | None]
    sure: Mapped[int] = mapped_column(BigInteger)
    net: Mapped[int] = mapped_column(SmallInteger)
    crossed_at: Mapped[dt.datetime | None]


STANDING = ("since", "dwelled", "doubts", "doubted_since", "sure", "net", "crossed_at")

_NEW_UNITS = text("""
    INSERT INTO fence_cursors (unit_id, fixed_at)
    SELECT unit_id, fixed_at - interval '10 minutes' FROM unit_positions AS here
    WHERE NOT EXISTS (SELECT FROM fence_cursors WHERE unit_id = here.unit_id)
    ON CONFLICT DO NOTHING
""")
_NEWS = text("""
    SELECT seen.unit_id, seen.fixed_at, seen.seen_at, seen.lon, seen.lat, seen.accuracy_m, here.fixed_at AS newest,
           units.kind, units.call_sign
    FROM fence_cursors AS seen JOIN unit_positions AS here USING (unit_id) JOIN units ON units.id = seen.unit_id
    WHERE here.fixed_at > seen.fixed_at
    ORDER BY seen.unit_id LIMIT :limit
    FOR UPDATE OF seen SKIP LOCKED
""")
_FIXES = text("""
    SELECT fix.unit_id, fix.fixed_at, fix.lon, fix.lat, fix.accuracy_m
    FROM unnest(CAST(:units AS uuid[]), CAST(:after AS timestamptz[])) AS seen (unit_id, after)
    JOIN position_history AS fix ON fix.unit_id = seen.unit_id AND fix.fixed_at > seen.after
    WHERE fix.received_at >= :received AND fix.doubt & :unbelievable = 0
    ORDER BY fix.fixed_at, fix.unit_id LIMIT :limit
""")
_MOVE = text("""
    UPDATE fence_cursors AS seen
    SET fixed_at = new.fixed_at, seen_at = new.seen_at, lon = new.lon, lat = new.lat, accuracy_m = new.accuracy_m
    FROM unnest(CAST(:unit_id AS uuid[]), CAST(:fixed_at AS timestamptz[]), CAST(:seen_at AS timestamptz[]),
                CAST(:lon AS float8[]), CAST(:lat AS float8[]), CAST(:accuracy_m AS float4[]))
         AS new (unit_id, fixed_at, seen_at, lon, lat, accuracy_m)
    WHERE seen.unit_id = new.unit_id
""")


@dataclass(frozen=True, slots=True)
class Post:
    """A fence with its ground, ready to be watched."""

    fence: Fence
    ground: Ground

    @property
    def dwell(self) -> dt.timedelta | None:
        """How long a stay is worth telling."""
        return dt.timedelta(seconds=self.fence.dwell_seconds) if self.fence.dwell_seconds else None


class Posts:
    """The fences that watch units, in memory, of one edition of fences and zones."""

    def __init__(self, posts: Sequence[Post], places: Sequence[Any]) -> None:
        """`places` are their shapes in WGS 84."""
        self.by_id = {post.fence.id: post for post in posts}
        self._posts = posts
        self._tree = shapely.STRtree(places)
        self.since = min((post.fence.watched_since for post in posts), default=None)

    def near(self, ways: Sequence[tuple[float, float, float, float]]) -> list[set[UUID]]:
        """For each box (west, south, east, north) the fences that reach into it or near it."""
        found: list[set[UUID]] = [set() for _ in ways]
        if not ways or not self._posts:
            return found
        edges = np.array(ways)
        boxes = shapely.box(edges[:, 0] - AROUND, edges[:, 1] - AROUND, edges[:, 2] + AROUND, edges[:, 3] + AROUND)
        for way, post in zip(*self._tree.query(boxes), strict=True):
            found[int(way)].add(self._posts[int(post)].fence.id)
        return found


@dataclass(slots=True)
class Kept:
    """How a unit stands to a fence as it was at `watched_since`, and what of it was `read` from the database."""

    standing: Standing
    watched_since: dt.datetime
    read: Standing | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """A passage of a unit (a row with `unit_id` and `call_sign`) at a fence."""

    unit: Any
    fence_id: UUID
    post: Post | None
    passage: Passage
    ending: Ending


class FenceWatch:
    """What a worker keeps between two looks: the fences, and in which zone of time the city lives."""

    def __init__(self, timezone: str) -> None:
        """Nothing is known yet."""
        self._timezone = ZoneInfo(timezone)
        self._edition = ""
        self._posts = Posts([], [])

    async def look(self, session: AsyncSession) -> int:
        """Look at what units have sent since the last time; returns how many fixes were looked at."""
        posts = await self._present(session)
        if posts.since is None:
            return 0
        await session.execute(_NEW_UNITS)
        news = (await session.execute(_NEWS, {"limit": UNITS_AT_ONCE})).all()
        if not news:
            return 0
        earliest = max(posts.since - dt.timedelta(minutes=10), now() - LOOK_BACK)
        asked = {
            "units": [row.unit_id for row in news],
            "after": [max(row.fixed_at, earliest) for row in news],
            "received": earliest - dt.timedelta(minutes=5),  # only to pass over older partitions
            "unbelievable": UNBELIEVABLE,
            "limit": FIXES_AT_ONCE,
        }
        fixes = (await session.execute(_FIXES, asked)).all()
        sights: dict[UUID, list[Sight]] = defaultdict(list)
        for fix in fixes:
            sights[fix.unit_id].append(Sight(fix.lon, fix.lat, fix.fixed_at, fix.accuracy_m))
        kept = await self._standings(session, [row.unit_id for row in news])
        await _write_visits(session, self._judge(news, sights, kept, posts))
        await _keep_standings(session, kept)
        whole = len(fixes) < FIXES_AT_ONCE  # else a unit's newest may be beyond what was read
        await _move_cursors(session, news, sights, whole=whole)
        return len(fixes)

    async def _present(self, session: AsyncSession) -> Posts:
        edition = f"{await edition_of(session, FENCES)} {await edition_of(session, ZONES)}"
        if edition != self._edition:
            watched = [(fence, place) for fence, place in await fences_with_places(session) if fence.watches_units]
            for fence, _ in watched:
                session.expunge(fence)  # kept beyond this transaction, to be read only
            posts = await asyncio.to_thread(lambda: [Post(fence, Ground(place)) for fence, place in watched])
            self._posts, self._edition = Posts(posts, [place for _, place in watched]), edition
        return self._posts

    async def _standings(self, session: AsyncSession, unit_ids: Sequence[UUID]) -> dict[UUID, dict[UUID, Kept]]:
        """By unit and fence."""
        kept: dict[UUID, dict[UUID, Kept]] = {unit_id: {} for unit_id in unit_ids}
        for row in await session.scalars(select(FenceStanding).where(FenceStanding.unit_id.in_(unit_ids))):
            standing = Standing(**{name: getattr(row, name) for name in STANDING})
            kept[row.unit_id][row.fence_id] = Kept(standing, row.watched_since, replace(standing))
        return kept

    def _judge(
        self, news: Sequence[Any], sights: Mapping[UUID, list[Sight]], kept: dict[UUID, dict[UUID, Kept]], posts: Posts
    ) -> list[Happened]:
        """Everything that the new fixes tell; what is `kept` is brought up to them."""
        ways, steps = [], []
        for row in news:
            before = _last_sight(row)
            for sight in sights.get(row.unit_id, ()):
                start = before or sight
                south_west = min(start.lon, sight.lon), min(start.lat, sight.lat)
                ways.append((*south_west, max(start.lon, sight.lon), max(start.lat, sight.lat)))
                steps.append((row, before, sight))
                before = sight
        happened: list[Happened] = []
        for (row, before, sight), near in zip(steps, posts.near(ways), strict=True):
            mine = kept[row.unit_id]
            for fence_id in sorted(near | mine.keys()):
                post = posts.by_id.get(fence_id)
                one = mine.setdefault(fence_id, Kept(Standing(), post.fence.watched_since if post else sight.at))
                if post is None or one.watched_since != post.fence.watched_since:
                    # It is not the fence that it was: what was known of it ended with it.
                    if one.standing.inside:
                        happened.append(Happened(row, fence_id, post, Passage(What.EXITED, sight.at), Ending.UNWATCHED))
                    one.standing = Standing()
                    if post is None:
                        continue
                    one.watched_since = post.fence.watched_since
                for passage, ending in self._at(post, row.kind, one.standing, before, sight):
                    happened.append(Happened(row, fence_id, post, passage, ending))
        return happened

    def _at(
        self, post: Post, kind: str, standing: Standing, before: Sight | None, sight: Sight
    ) -> Iterable[tuple[Passage, Ending]]:
        fence = post.fence
        watched = (not fence.unit_kinds or kind in fence.unit_kinds) and fence.counts(sight.at, self._timezone)
        if not watched:
            if standing.inside:
                yield Passage(What.EXITED, sight.at), Ending.UNWATCHED
            standing.since, standing.dwelled, standing.net = None, False, 0
            standing.settle()
            return
        if before is not None and not fence.counts(before.at, self._timezone):
            before = None  # its hours have just begun: what was before was not watched
        since = max(fence.watched_since, fence.valid_from)
        for passage in look(post.ground, standing, sight, before, watched_since=since, dwell=post.dwell):
            yield passage, Ending.LEFT


def _last_sight(row: Any) -> Sight | None:
    return None if row.seen_at is None else Sight(row.lon, row.lat, row.seen_at, row.accuracy_m)


async def _write_visits(session: AsyncSession, happened: Sequence[Happened]) -> None:
    for one in happened:
        visit = await _open_visit_of(session, one.unit.unit_id, one.fence_id)
        if one.passage.what is What.CROSSED or (one.passage.what is What.ENTERED and visit is None):
            assert one.post is not None  # noqa: S101  (only a fence that is watched is entered)
            await open_visit(session, one.post.fence, one.passage, who=one.unit.call_sign, unit_id=one.unit.unit_id)
        elif one.passage.what is What.DWELLED and visit is not None:
            await mark_dwell(session, visit, one.passage.at)
        elif one.passage.what is What.EXITED and visit is not None:  # else it was ended with its fence
            unseen = round(one.passage.unseen.total_seconds()) if one.passage.unseen else None
            await close_visit(session, VIGIA, visit, one.passage.at, one.ending, unseen=unseen)


async def _open_visit_of(session: AsyncSession, unit_id: UUID, fence_id: UUID) -> FenceVisit | None:
    query = select(FenceVisit).where(
        FenceVisit.unit_id == unit_id, FenceVisit.fence_id == fence_id, FenceVisit.exited_at.is_(None)
    )
    return (
        await session.scalars(query.with_for_update(key_share=True).execution_options(populate_existing=True))
    ).first()


async def _keep_standings(session: AsyncSession, kept: Mapping[UUID, Mapping[UUID, Kept]]) -> None:
    changed = [
        (unit_id, fence_id, one)
        for unit_id, mine in sorted(kept.items())
        for fence_id, one in sorted(mine.items())
        if one.standing != (one.read or Standing())
    ]
    gone = [(unit_id, fence_id) for unit_id, fence_id, one in changed if one.standing.blank]
    rows = [
        {"unit_id": unit_id, "fence_id": fence_id, "watched_since": one.watched_since}
        | {name: getattr(one.standing, name) for name in STANDING}
        for unit_id, fence_id, one in changed
        if not one.standing.blank
    ]
    if gone:
        here = tuple_(FenceStanding.unit_id, FenceStanding.fence_id)
        await session.execute(delete(FenceStanding).where(here.in_(gone)))
    if rows:
        put = insert(FenceStanding).values(rows)
        await session.execute(
            put.on_conflict_do_update(
                index_elements=[FenceStanding.unit_id, FenceStanding.fence_id],
                set_={name: put.excluded[name] for name in (*STANDING, "watched_since")},
            )
        )


async def _move_cursors(
    session: AsyncSession, news: Sequence[Any], sights: Mapping[UUID, list[Sight]], *, whole: bool
) -> None:
    columns: dict[str, list[Any]] = defaultdict(list)
    for row in news:
        mine = sights.get(row.unit_id, [])
        last = mine[-1] if mine else _last_sight(row)
        looked_at = mine[-1].at if mine else row.fixed_at
        columns["unit_id"].append(row.unit_id)
        columns["fixed_at"].append(max(looked_at, row.newest) if whole else looked_at)
        columns["seen_at"].append(last.at if last else None)
        columns["lon"].append(last.lon if last else None)
        columns["lat"].append(last.lat if last else None)
        columns["accuracy_m"].append(last.accuracy_m if last else None)
    await session.execute(_MOVE, columns)


async def give_up_the_lost(session: AsyncSession) -> None:
    """End the visits of units that have been silent for hours: nobody knows that they are there."""
    query = (
        select(FenceVisit, FenceCursor)
        .join(FenceCursor, FenceCursor.unit_id == FenceVisit.unit_id)
        .where(FenceVisit.exited_at.is_(None), FenceCursor.fixed_at < now() - LOST)
        .order_by(FenceVisit.id)
        .limit(200)
        .with_for_update(of=FenceCursor, skip_locked=True)
    )
    for visit, cursor in (await session.execute(query)).all():
        await session.refresh(visit, with_for_update={"key_share": True})
        if visit.exited_at is not None:
            continue
        silent = round((now() - cursor.fixed_at).total_seconds())
        await close_visit(session, VIGIA, visit, cursor.seen_at or cursor.fixed_at, Ending.LOST, unseen=silent)
        await session.execute(
            delete(FenceStanding).where(
                FenceStanding.unit_id == visit.unit_id, FenceStanding.fence_id == visit.fence_id
            )
        )


async def run_fence_watch(sessions: Sessions, timezone: str, *, every: float = EVERY) -> None:
    """Watch for ever, `every` seconds when there is nothing new."""
    watch = FenceWatch(timezone)
    while True:
        try:
            async with transaction(sessions) as session:
                looked_at = await watch.look(session)
        except (SQLAlchemyError, OSError):
            log.exception("fence watch failed; it will look again")
            looked_at = 0
        if looked_at < FIXES_AT_ONCE:
            await asyncio.sleep(every)
