"""Where units are: the lane that may lose a line, because the next one replaces it.

Every fix is kept in the history as it came; only a newer and plausible one moves the marker. Nothing here is
recorded in the journal, and nobody waits: a process gathers fixes and writes them together a few times a second.
The markers have plain columns and no index but the key, so that an update stays on its page (13 ms for 5,000).

What a device says is counted by device and day (`resources/devices.py`). A clock that is wrong is shown and not put
right: a telephone that empties its queue with a steady delay looks just like one whose clock is slow, and correcting it
would make an old place look fresh. Only what would lie in the future is taken as of now.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import math
import time
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import CheckConstraint, Double, ForeignKey, select, text
from sqlalchemy.dialects.postgresql import REAL
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from geo.places import haversine
from realtime.access import Actor, Permission, Role, require
from realtime.bus import Bus, Moved
from realtime.database import Base, Sessions, transaction
from realtime.errors import Malformed, NotAllowed, NotFound, Refusal, TooMany
from resources.devices import KnownDevice, Tally
from resources.tracks import ASTRAY, ON_EARTH, SURE, Doubt, Fix, milliseconds, tend_history, write_history
from resources.units import Duty, Unit, visible_to

log = structlog.get_logger()

EVERY = 0.1  # seconds between two writings: after a quiet time the first fix is written at once, then they gather
AGAIN = 0.5  # seconds until it is tried again, while the database is away
MOST_WAITING = 20_000  # fixes kept while the database is away; then the oldest go, they are the least missed
FASTEST_KMH = 300.0  # nothing that a city sends is faster, and GPS among buildings says so often
SHORTEST_JUMP_M = 150.0  # a jump shorter than this is no jump, however soon it comes
STANDING_KMH = 3.0  # slower than this it stands, if it says how fast it is …
TREMBLE_M, MOST_TREMBLE_M = 8.0, 25.0  # … and so near to where it stood that GPS alone explains it
COARSE_M = 200.0  # a fix from a telephone mast, not from satellites …
COARSE_WAITS = dt.timedelta(minutes=2)  # … which the marker follows only when nothing better is as fresh as this
REMEMBERED = 200_000  # fixes of which a process knows that it has had them: half an hour of 100 a second, 30 MB
TALLY_EVERY = 5.0  # seconds between two writings of the counts
BURST, PER_SECOND = 5_000, 1_000  # fixes from one sender: a whole fleet each second, but no flood
FUTURE = dt.timedelta(minutes=2)
PAST = dt.timedelta(days=7)  # a phone that was off may tell its week; a wrong clock tells 1970
LEAST_ACCURATE_M = 10_000.0

# What of the doubts is counted by device and day, and under which word; "accepted" is all that was kept.
COUNTED = {
    Doubt.LATE: "late",
    Doubt.IMPLAUSIBLE: "teleport",
    Doubt.JITTER: "jitter",
    Doubt.CLOCK: "clock",
    Doubt.ACCURACY: "inaccurate",
    Doubt.COARSE: "coarse",
    Doubt.MOCK: "mock",
}

_LOCK = text("SELECT pg_advisory_xact_lock(7316002)")
_MOVE = text("""
    UPDATE unit_positions AS here
    SET lon = fix.lon, lat = fix.lat, heading = fix.heading, speed_kmh = fix.speed_kmh,
        accuracy_m = fix.accuracy_m, fixed_at = fix.fixed_at, received_at = fix.received_at,
        battery = coalesce(fix.battery, here.battery)
    FROM unnest(CAST(:unit_id AS uuid[]), CAST(:lon AS float8[]), CAST(:lat AS float8[]), CAST(:heading AS float4[]),
                CAST(:speed_kmh AS float4[]), CAST(:accuracy_m AS float4[]), CAST(:fixed_at AS timestamptz[]),
                CAST(:received_at AS timestamptz[]), CAST(:battery AS float4[]))
         AS fix (unit_id, lon, lat, heading, speed_kmh, accuracy_m, fixed_at, received_at, battery)
    WHERE here.unit_id = fix.unit_id AND here.fixed_at < fix.fixed_at
    RETURNING here.unit_id
""")
_PLACE = text("""
    INSERT INTO unit_positions (unit_id, lon, lat, heading, speed_kmh, accuracy_m, fixed_at, received_at,
                                battery)
    SELECT * FROM unnest(CAST(:unit_id AS uuid[]), CAST(:lon AS float8[]), CAST(:lat AS float8[]),
                         CAST(:heading AS float4[]), CAST(:speed_kmh AS float4[]), CAST(:accuracy_m AS float4[]),
                         CAST(:fixed_at AS timestamptz[]), CAST(:received_at AS timestamptz[]),
                         CAST(:battery AS float4[]))
    ON CONFLICT DO NOTHING
    RETURNING unit_id
""")


class OffDuty(Refusal):
    """That unit is out of service: its position is not kept."""

    status = 403


class BadFix(Malformed):
    """That is not a position: {reason}."""


class UnitPosition(Base):
    """Where a unit was last seen."""

    __tablename__ = "unit_positions"
    __table_args__ = (
        CheckConstraint(ON_EARTH, name="on_earth"),
        {"postgresql_with": {"fillfactor": 50}},  # room to update in place
    )

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id", ondelete="CASCADE"), primary_key=True)
    lon: Mapped[float] = mapped_column(Double)
    lat: Mapped[float] = mapped_column(Double)
    heading: Mapped[float | None] = mapped_column(REAL)
    speed_kmh: Mapped[float | None] = mapped_column(REAL)
    accuracy_m: Mapped[float | None] = mapped_column(REAL)
    fixed_at: Mapped[dt.datetime]
    received_at: Mapped[dt.datetime]
    battery: Mapped[float | None] = mapped_column(REAL)  # 0…1, the last that was told


@dataclass(frozen=True, slots=True)
class Claim:
    """What a device says: WGS 84, degrees from north, km/h, metres; `battery` 0…1."""

    unit_id: UUID
    lon: float
    lat: float
    fixed_at: dt.datetime
    heading: float | None = None
    speed_kmh: float | None = None
    accuracy_m: float | None = None
    mock: bool = False
    battery: float | None = None


async def positions_now(session: AsyncSession, unit_ids: Collection[UUID] | None = None) -> list[Moved]:
    """`[unit_id, lon, lat, heading, speed_kmh, fixed_at_ms]` of all units, or of these. Who may see is asked before."""
    query = select(UnitPosition)
    if unit_ids is not None:
        query = query.where(UnitPosition.unit_id.in_(unit_ids))
    return [_told(position) for position in await session.scalars(query)]


async def may_send(session: AsyncSession, actor: Actor, unit_ids: Collection[UUID]) -> dict[UUID, Refusal | None]:
    """For each unit, None, or why `actor` may not say where it is. A crew speaks for its own unit, on duty."""
    require(actor, Permission.POSITION_SEND)
    query = select(Unit.id, Unit.duty).where(Unit.id.in_(unit_ids), Unit.retired_at.is_(None))
    if actor.role is not Role.SYSTEM:
        query = query.where(visible_to(actor))
    duties = {row.id: row.duty for row in await session.execute(query)}

    def why_not(unit_id: UUID) -> Refusal | None:
        if actor.role is Role.CREW and unit_id != actor.unit_id:
            return NotAllowed(permission=Permission.POSITION_SEND.value)
        if unit_id not in duties:
            return NotFound()
        return OffDuty() if duties[unit_id] == Duty.OUT_OF_SERVICE else None

    return {unit_id: why_not(unit_id) for unit_id in unit_ids}


def judged(claim: Claim, received_at: dt.datetime, *, device_id: UUID | None = None) -> Fix:
    """A claim as we take it. Raises `BadFix` for what cannot be; what is only odd is kept and marked."""
    if not (math.isfinite(claim.lon) and math.isfinite(claim.lat) and abs(claim.lon) <= 180 and abs(claim.lat) <= 90):
        raise BadFix(reason="location")
    if claim.fixed_at < received_at - PAST:
        raise BadFix(reason="fixed_at")
    if claim.heading is not None and not 0 <= claim.heading <= 360:
        raise BadFix(reason="heading")
    if claim.speed_kmh is not None and not 0 <= claim.speed_kmh < 1e5:
        raise BadFix(reason="speed_kmh")
    if claim.battery is not None and not 0 <= claim.battery <= 1:
        raise BadFix(reason="battery")
    doubt, fixed_at, accuracy = SURE, claim.fixed_at, claim.accuracy_m
    if fixed_at > received_at + FUTURE:
        doubt, fixed_at = doubt | Doubt.CLOCK, received_at  # else it would be the newest for ever
    if accuracy is not None and not 0 <= accuracy <= LEAST_ACCURATE_M:
        doubt, accuracy = doubt | Doubt.ACCURACY, None
    if claim.mock:
        doubt |= Doubt.MOCK
    if (claim.speed_kmh or 0) > FASTEST_KMH:
        doubt |= Doubt.IMPLAUSIBLE
    return Fix(
        claim.unit_id,
        claim.lon + 0.0,  # −0.0 becomes 0.0
        claim.lat + 0.0,
        fixed_at,
        received_at,
        None if claim.heading is None else claim.heading % 360,
        claim.speed_kmh,
        accuracy,
        doubt,
        claim.battery,
        device_id,
    )


class PositionLane:
    """Gathers fixes in this process and writes them together. What waits here is lost with the process.

    Days of counts are the city's: `timezone`.
    """

    def __init__(self, sessions: Sessions, bus: Bus, *, timezone: str = "UTC") -> None:
        self._sessions = sessions
        self._bus = bus
        self._timezone = ZoneInfo(timezone)
        self._stirred, self._writing, self._closing = asyncio.Event(), asyncio.Lock(), False
        self._history: list[Fix] = []
        self._markers: dict[UUID, Fix] = {}  # to be written
        self._last: dict[UUID, Fix] = {}  # the newest that moved the marker …
        self._doubted: dict[UUID, Fix] = {}  # … and the last that was too far from it to be believed
        self._placed: set[UUID] = set()  # units that have a row
        self._had: tuple[set[int], set[int]] = set(), set()  # fixes that were here: the latest, and those before
        self._tally = Tally()
        self._allowances: dict[UUID | None, tuple[float, float]] = {}  # by sender: what is left, and since when

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[PositionLane]:
        """Write while the block lasts, and once more at its end."""
        try:
            async with transaction(self._sessions) as session:
                await tend_history(session)
        except SQLAlchemyError as failure:  # the worker tends it too
            log.warning("positions.history_untended", reason=str(failure)[:200])
        writing = asyncio.create_task(self._write_until_closed())
        try:
            yield self
        finally:
            self._closing = True  # a writing that is under way is let finish
            self._stirred.set()
            await asyncio.gather(writing, return_exceptions=True)
            await self.flush()
            await self.write_tally()

    def room_for(self, actor: Actor, count: int) -> bool:
        """Whether `actor` may send `count` fixes more just now, and if so, count them."""
        left, at = self._allowances.get(actor.id, (BURST, 0.0))
        left = min(BURST, left + (time.monotonic() - at) * PER_SECOND) - count
        if left < 0:
            return False
        self._allowances[actor.id] = (left, time.monotonic())
        return True

    def hear(
        self,
        device: KnownDevice,
        claims: Sequence[Claim],
        received_at: dt.datetime,
        *,
        battery: float | None = None,
    ) -> list[Refusal]:
        """Take what a device says of its unit; what was refused of it, in the order of `claims`.

        Of a device without a unit and of a unit out of service nothing is kept, and that is no refusal: a telephone
        that is refused keeps its fixes and would tell them once the shift begins. Raises `TooMany`.
        """
        refused: list[Refusal] = []
        newest = max((claim.fixed_at for claim in claims), default=None)
        batteries = [battery, *(claim.battery for claim in claims)]
        battery = next((one for one in reversed(batteries) if one is not None and 0 <= one <= 1), None)
        self._tally.heard(device.id, received_at, battery=battery, newest=newest)
        if not self.room_for(device.actor, len(claims)):
            self._count(device.id, received_at, "refused.flood", len(claims))
            raise TooMany(seconds=1)
        if device.unit_id is None or device.duty == Duty.OUT_OF_SERVICE:
            self._count(device.id, received_at, "unpaired" if device.unit_id is None else "off_duty", len(claims))
            return refused
        fixes = []
        for claim in claims:
            try:
                fixes.append(judged(replace(claim, unit_id=device.unit_id), received_at, device_id=device.id))
            except BadFix as refusal:
                self._count(device.id, received_at, f"refused.{refusal.facts['reason']}")
                refused.append(refusal)
        self.put(sorted(fixes, key=lambda fix: fix.fixed_at))
        return refused

    def misheard(self, device: KnownDevice, received_at: dt.datetime) -> None:
        """A device said something that nobody understands."""
        self._tally.heard(device.id, received_at)
        self._count(device.id, received_at, "refused.message")

    def put(self, fixes: Iterable[Fix]) -> None:
        """Take fixes, oldest first, of any units."""
        for fix in fixes:
            if self._was_here(fix):
                self._count(fix.device_id, fix.received_at, "duplicate")
                continue
            last = self._last.get(fix.unit_id)
            taken = self._weighed(fix, last)
            self._history.append(taken)
            self._count_taken(taken)
            if not taken.doubt & (ASTRAY | Doubt.LATE):
                if taken.doubt & Doubt.JITTER and last is not None:
                    # It is as fresh as it says and has not moved: the place stays, the time goes on.
                    taken = replace(taken, lon=last.lon, lat=last.lat, heading=last.heading, accuracy_m=last.accuracy_m)
                if taken.battery is None and last is not None and last.battery is not None:
                    taken = replace(taken, battery=last.battery)
                self._last[fix.unit_id] = self._markers[fix.unit_id] = taken
        self._stirred.set()
        if len(self._history) > MOST_WAITING:
            log.warning("positions.forgotten", count=len(self._history) - MOST_WAITING)
            del self._history[:-MOST_WAITING]

    def _was_here(self, fix: Fix) -> bool:
        """Whether the same sender told the same time and place before: telephones send again what was not answered."""
        latest, before = self._had
        key = hash((fix.device_id or fix.unit_id, fix.fixed_at, fix.lon, fix.lat))
        if key in latest or key in before:
            return True
        latest.add(key)
        if len(latest) >= REMEMBERED:
            self._had = set(), latest
        return False

    def _weighed(self, fix: Fix, last: Fix | None) -> Fix:
        if last is None:
            return fix
        if fix.fixed_at <= last.fixed_at:
            return replace(fix, doubt=fix.doubt | Doubt.LATE)
        if (fix.accuracy_m or 0) > COARSE_M >= (last.accuracy_m or 0) and fix.fixed_at - last.fixed_at < COARSE_WAITS:
            return replace(fix, doubt=fix.doubt | Doubt.COARSE)
        doubted = self._doubted.get(fix.unit_id)
        if _jumped(last, fix) and (doubted is None or _jumped(doubted, fix)):
            # One leap is an error of GPS; a second fix beside the first leap means that the marker was wrong.
            self._doubted[fix.unit_id] = fix
            return replace(fix, doubt=fix.doubt | Doubt.IMPLAUSIBLE)
        self._doubted.pop(fix.unit_id, None)
        return replace(fix, doubt=fix.doubt | Doubt.JITTER) if _trembles(last, fix) else fix

    def _count(self, device_id: UUID | None, at: dt.datetime, what: str, times: int = 1) -> None:
        if device_id is not None:
            self._tally.count(device_id, at.astimezone(self._timezone).date(), what, times)

    def _count_taken(self, fix: Fix) -> None:
        if fix.device_id is None:
            return
        day = fix.received_at.astimezone(self._timezone).date()
        self._tally.count(fix.device_id, day, "accepted")
        for doubt, what in COUNTED.items():
            if fix.doubt & doubt:
                self._tally.count(fix.device_id, day, what)

    async def write_tally(self) -> None:
        """Write what was counted since the last time."""
        if not self._tally:
            return
        taken = self._tally.take()
        try:
            async with transaction(self._sessions) as session:
                await taken.write(session)
        except (SQLAlchemyError, OSError) as failure:
            log.warning("devices.not_counted", reason=str(failure)[:200])
            self._tally.give_back(taken)

    async def _write_until_closed(self) -> None:
        tallied = time.monotonic()
        while not self._closing:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TALLY_EVERY):
                    await self._stirred.wait()
            self._stirred.clear()
            if not await self.flush():
                self._stirred.set()
                await asyncio.sleep(AGAIN)
            await asyncio.sleep(EVERY)
            if time.monotonic() - tallied >= TALLY_EVERY:
                tallied = time.monotonic()
                await self.write_tally()

    async def flush(self) -> bool:
        """Write what has gathered, then tell everybody; False while the database is away."""
        async with self._writing:  # whoever asks for it finds written what was put before
            return await self._flush()

    async def _flush(self) -> bool:
        if not self._history:
            return True
        history, self._history = self._history, []
        markers, self._markers = self._markers, {}
        try:
            moved = await self._write(history, list(markers.values()))
        except (IntegrityError, DataError) as failure:
            log.error("positions.refused", reason=str(failure)[:200], count=len(history))
            self._placed.clear()
            return True
        except (SQLAlchemyError, OSError) as failure:
            log.warning("positions.not_written", reason=str(failure)[:200], count=len(history))
            self._history = (history + self._history)[-MOST_WAITING:]
            self._markers = markers | self._markers
            return False
        await self._bus.publish_positions([_told(markers[unit_id]) for unit_id in moved])
        return True

    async def _write(self, history: Sequence[Fix], markers: Sequence[Fix]) -> list[UUID]:
        async with transaction(self._sessions) as session:
            await session.execute(_LOCK)  # two web processes over the same units would lock each other out
            moved = list(await session.scalars(_MOVE, _columns(markers))) if markers else []
            unplaced = [fix for fix in markers if fix.unit_id not in self._placed and fix.unit_id not in moved]
            if unplaced:
                moved += await session.scalars(_PLACE, _columns(unplaced))
            await write_history(session, history)
        self._placed.update(fix.unit_id for fix in markers)
        return moved


def _columns(fixes: Sequence[Fix]) -> dict[str, list[Any]]:
    names = ("unit_id", "lon", "lat", "heading", "speed_kmh", "accuracy_m", "fixed_at", "received_at", "battery")
    return {name: [getattr(fix, name) for fix in fixes] for name in names}


def _told(where: Fix | UnitPosition) -> Moved:
    heading = None if where.heading is None else round(where.heading)
    speed = None if where.speed_kmh is None else round(where.speed_kmh, 1)
    place = [round(where.lon, 6), round(where.lat, 6)]  # 11 cm
    return [str(where.unit_id), *place, heading, speed, milliseconds(where.fixed_at)]


def _jumped(one: Fix, other: Fix) -> bool:
    metres = haversine(one.lon, one.lat, other.lon, other.lat)
    seconds = max((other.fixed_at - one.fixed_at).total_seconds(), 0.1)
    return metres > SHORTEST_JUMP_M and metres / seconds * 3.6 > FASTEST_KMH


def _trembles(stood: Fix, fix: Fix) -> bool:
    """Whether a fix is the same place told again with GPS's error: it stands, and the error explains the distance."""
    if (fix.speed_kmh or 0) >= STANDING_KMH or (fix.lon, fix.lat) == (stood.lon, stood.lat):
        return False
    reach = max(TREMBLE_M, min(fix.accuracy_m or 0, MOST_TREMBLE_M))
    return haversine(stood.lon, stood.lat, fix.lon, fix.lat) < reach
