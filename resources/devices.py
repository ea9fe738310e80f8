"""Devices: what tells us where units are, each with a token of its own, and what we made of what it said.

A device is a telephone or a tracker, not a person and not a unit: it is paired with one unit at a time and the history
of its pairings stays. Its token is all that it has to show: random, told once, kept as a hash. When it is changed the
former one goes on for a day, so that a fleet can be changed over without losing anybody. What was accepted, dropped and
doubted is counted by device and day.
"""

from __future__ import annotations

import datetime as dt
import secrets
import statistics
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    delete,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import REAL
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import VIGIA, Actor, Permission, Role, require
from realtime.database import Base, Sessions, now, reading
from realtime.errors import AlreadyExists, NotFound, NotSignedIn, Refusal, VersionMismatch
from realtime.registers import Register, turn_page
from resources.sign_in import hash_of
from resources.units import Duty, Unit, access_unit

TOKEN_BYTES = 18  # 144 random bits in 24 characters: nobody guesses it, and it still fits a telephone's screen
GRACE = dt.timedelta(hours=24)  # how long a former token goes on, so that a fleet is changed over without a gap
BELIEVED = 2.0  # seconds that a process believes what it read of a device: a revoked token stops within them
MOST_BELIEVED = 20_000  # devices and wrong tokens that a process remembers for so long
ALARM_AGAIN = 30.0  # seconds in which a call for help is the same one, repeated
SKEW_FROM = 31  # messages whose median delay is a device's clock skew …
SKEW_LEAST = 5  # … and how many it takes to say one
COUNTS_KEPT = dt.timedelta(days=400)  # a year can be compared with the one before


class DeviceKind(StrEnum):
    """What it speaks."""

    OSMAND = "osmand"  # Traccar Client, OsmAnd
    OWNTRACKS = "owntracks"  # over HTTP or MQTT
    API = "api"  # batches of our own


class UnknownDevice(NotSignedIn):
    """That is not the token of a device that may report."""


class DeviceRevoked(Refusal):
    """That device was revoked: it cannot be used again. Register another."""

    status = 409


class Device(Base):
    """One telephone or tracker."""

    __tablename__ = "devices"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[DeviceKind] = mapped_column(Text)
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("units.id"), index=True)
    note: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[dt.datetime] = mapped_column(default=now)
    revoked_at: Mapped[dt.datetime | None]


class DeviceToken(Base):
    """What a device shows. `ends_at` None: until it is changed or the device revoked."""

    __tablename__ = "device_tokens"

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), index=True)
    made_at: Mapped[dt.datetime] = mapped_column(default=now)
    ends_at: Mapped[dt.datetime | None]


class Pairing(Base):
    """With which unit a device went, from when until when."""

    __tablename__ = "device_pairings"
    __table_args__ = (Index("one_unit_per_device", "device_id", unique=True, postgresql_where=text("until IS NULL")),)

    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    since: Mapped[dt.datetime] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"))
    until: Mapped[dt.datetime | None]
    made_by: Mapped[str] = mapped_column(Text)


class DeviceSign(Base):
    """When a device was last heard, with what left in its battery (0…1) and how slow its clock is (seconds)."""

    __tablename__ = "device_signs"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    seen_at: Mapped[dt.datetime]
    battery: Mapped[float | None] = mapped_column(REAL)
    skew_s: Mapped[float | None] = mapped_column(REAL)


class DeviceCount(Base):
    """What became of what a device said on a day of the city."""

    __tablename__ = "device_counts"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    what: Mapped[str] = mapped_column(Text, primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def access_device(
    session: AsyncSession, actor: Actor, device_id: UUID, *, lock: bool = False, expected: int | None = None
) -> Device:
    """The only way to a device: for those who manage them. Raises `NotFound`, `VersionMismatch`."""
    require(actor, Permission.DEVICE_MANAGE)
    query = select(Device).where(Device.id == device_id)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    device = (await session.scalars(query)).first()
    if device is None:
        raise NotFound
    if expected is not None and expected != device.version:
        raise VersionMismatch(expected=expected, current=device.version)
    return device


async def add_device(
    session: AsyncSession,
    actor: Actor,
    device_id: UUID,
    *,
    name: str,
    kind: DeviceKind,
    unit_id: UUID | None = None,
    note: str = "",
) -> Device:
    """Register a device. It has no token yet: `make_token`, apart, because a token is told once and never kept."""
    require(actor, Permission.DEVICE_MANAGE)
    if await session.get(Device, device_id):
        raise AlreadyExists
    device = Device(id=device_id, name=name, kind=kind, note=note, version=1)
    session.add(device)
    await session.flush()
    if unit_id is not None:
        await _pair(session, actor, device, unit_id)
    detail = {"device_id": str(device.id), "kind": kind.value, "unit_id": _text(unit_id)}
    await turn_page(session, actor, Register.DEVICES, "device.added", detail=detail)
    return device


async def amend_device(
    session: AsyncSession,
    actor: Actor,
    device_id: UUID,
    *,
    name: str | None = None,
    note: str | None = None,
    expected: int | None = None,
) -> Device:
    """Give a device another name or note."""
    require(actor, Permission.DEVICE_MANAGE)
    device = await access_device(session, actor, device_id, lock=True, expected=expected)
    device.name = device.name if name is None else name
    device.note = device.note if note is None else note
    device.version += 1
    await turn_page(session, actor, Register.DEVICES, "device.amended", detail={"device_id": str(device.id)})
    return device


async def pair_device(
    session: AsyncSession, actor: Actor, device_id: UUID, *, unit_id: UUID | None, expected: int | None = None
) -> Device:
    """Let a device speak for a unit from now on, or for none. Raises `DeviceRevoked`."""
    require(actor, Permission.DEVICE_MANAGE)
    device = await access_device(session, actor, device_id, lock=True, expected=expected)
    if device.revoked_at is not None and unit_id is not None:
        raise DeviceRevoked
    if device.unit_id == unit_id:
        return device
    await _pair(session, actor, device, unit_id)
    device.version += 1
    detail = {"device_id": str(device.id), "unit_id": _text(unit_id)}
    await turn_page(session, actor, Register.DEVICES, "device.paired", detail=detail)
    return device


async def _pair(session: AsyncSession, actor: Actor, device: Device, unit_id: UUID | None) -> None:
    at = now()
    if unit_id is not None:
        await access_unit(session, VIGIA, unit_id)  # who manages devices names units that he does not follow
    live = update(Pairing).where(Pairing.device_id == device.id, Pairing.until.is_(None))
    await session.execute(live.values(until=at))
    if unit_id is not None:
        session.add(Pairing(device_id=device.id, since=at, unit_id=unit_id, made_by=actor.name))
    device.unit_id = unit_id


async def make_token(session: AsyncSession, actor: Actor, device_id: UUID) -> tuple[Device, str]:
    """A new token, told once. The former goes on for a day (`GRACE`), those before it end. Raises `DeviceRevoked`."""
    require(actor, Permission.DEVICE_MANAGE)
    device = await access_device(session, actor, device_id, lock=True)
    if device.revoked_at is not None:
        raise DeviceRevoked
    at, mine = now(), DeviceToken.device_id == device.id
    await session.execute(delete(DeviceToken).where(mine, DeviceToken.ends_at.is_not(None)))
    await session.execute(update(DeviceToken).where(mine).values(ends_at=at + GRACE))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session.add(DeviceToken(hash=hash_of(token), device_id=device.id, made_at=at))
    device.version += 1
    await turn_page(session, actor, Register.DEVICES, "device.token_made", detail={"device_id": str(device.id)})
    return device, token


async def revoke_device(session: AsyncSession, actor: Actor, device_id: UUID, *, expected: int | None = None) -> Device:
    """A device is lost or out of use: its tokens end, everywhere within two seconds, and it leaves its unit."""
    require(actor, Permission.DEVICE_MANAGE)
    device = await access_device(session, actor, device_id, lock=True, expected=expected)
    if device.revoked_at is not None:
        return device
    await session.execute(delete(DeviceToken).where(DeviceToken.device_id == device.id))
    await _pair(session, actor, device, None)
    device.revoked_at = now()
    device.version += 1
    await turn_page(session, actor, Register.DEVICES, "device.revoked", detail={"device_id": str(device.id)})
    return device


def _text(id_: UUID | None) -> str | None:
    return None if id_ is None else str(id_)


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────


async def all_devices(session: AsyncSession, actor: Actor) -> list[dict[str, Any]]:
    """Every device with its unit, its last sign and the counts of its last seven days, by name."""
    require(actor, Permission.DEVICE_MANAGE)
    query = (
        select(Device, Unit.call_sign, DeviceSign)
        .outerjoin(Unit, Unit.id == Device.unit_id)
        .outerjoin(DeviceSign, DeviceSign.device_id == Device.id)
        .order_by(func.lower(Device.name), Device.id)
    )
    rows = (await session.execute(query)).all()
    week = select(DeviceCount.device_id, DeviceCount.what, func.sum(DeviceCount.count)).where(
        DeviceCount.day > now().date() - dt.timedelta(days=8)
    )
    counts: dict[UUID, dict[str, int]] = {}
    for device_id, what, count in await session.execute(week.group_by(DeviceCount.device_id, DeviceCount.what)):
        counts.setdefault(device_id, {})[what] = int(count)
    living = select(DeviceToken.device_id, func.count()).where(_living())
    tokens = {row[0]: int(row[1]) for row in await session.execute(living.group_by(DeviceToken.device_id))}
    return [
        device_document(device, call_sign, sign)
        | {"tokens": tokens.get(device.id, 0), "week": counts.get(device.id, {})}
        for device, call_sign, sign in rows
    ]


def device_document(device: Device, call_sign: str | None = None, sign: DeviceSign | None = None) -> dict[str, Any]:
    """A device as the API answers it. Never with a token."""
    return {
        "id": str(device.id),
        "version": device.version,
        "name": device.name,
        "kind": device.kind,
        "unit_id": _text(device.unit_id),
        "call_sign": call_sign,
        "note": device.note,
        "made_at": device.made_at.isoformat(),
        "revoked_at": device.revoked_at.isoformat() if device.revoked_at else None,
        "last_seen_at": sign.seen_at.isoformat() if sign else None,
        "battery": None if sign is None or sign.battery is None else round(sign.battery, 2),
        "skew_s": None if sign is None or sign.skew_s is None else round(sign.skew_s, 1),
    }


async def all_unit_names(session: AsyncSession, actor: Actor) -> list[dict[str, Any]]:
    """The units that a device can go with. Who manages devices names them, also if he follows none."""
    require(actor, Permission.DEVICE_MANAGE)
    rows = await session.execute(select(Unit.id, Unit.call_sign).order_by(Unit.call_sign))
    return [{"id": str(id_), "call_sign": call_sign} for id_, call_sign in rows]


async def quality_of(session: AsyncSession, actor: Actor, device_id: UUID, *, days: int = 14) -> dict[str, Any]:
    """What became of what a device said, day by day (newest first), and with which units it went."""
    device = await access_device(session, actor, device_id)
    since = now().date() - dt.timedelta(days=days)
    query = select(DeviceCount).where(DeviceCount.device_id == device.id, DeviceCount.day > since)
    by_day: dict[str, dict[str, int]] = {}
    for row in await session.scalars(query.order_by(DeviceCount.day.desc(), DeviceCount.what)):
        by_day.setdefault(row.day.isoformat(), {})[row.what] = row.count
    went = (
        select(Pairing, Unit.call_sign)
        .join(Unit, Unit.id == Pairing.unit_id)
        .where(Pairing.device_id == device.id)
        .order_by(Pairing.since.desc())
        .limit(50)
    )
    sign = await session.get(DeviceSign, device.id)
    return {
        "device_id": str(device.id),
        "skew_s": None if sign is None or sign.skew_s is None else round(sign.skew_s, 1),
        "days": [{"day": day, "counts": counts} for day, counts in by_day.items()],
        "pairings": [
            {
                "unit_id": str(one.unit_id),
                "call_sign": call_sign,
                "since": one.since.isoformat(),
                "until": one.until.isoformat() if one.until else None,
                "made_by": one.made_by,
            }
            for one, call_sign in await session.execute(went)
        ],
    }


# ── Who is speaking ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device that may report, and what its unit is doing."""

    id: UUID
    name: str
    kind: DeviceKind
    unit_id: UUID | None
    duty: Duty | None

    @property
    def actor(self) -> Actor:
        """The device as somebody who acts: it speaks for its unit and for nobody else."""
        return Actor(name=self.name, role=Role.CREW, id=self.id, unit_id=self.unit_id)


def _living() -> Any:
    return or_(DeviceToken.ends_at.is_(None), DeviceToken.ends_at > now())


async def device_of(session: AsyncSession, token: str) -> KnownDevice | None:
    """The device that shows this token, if it may report."""
    query = (
        select(Device.id, Device.name, Device.kind, Device.unit_id, Unit.duty)
        .join(DeviceToken, DeviceToken.device_id == Device.id)
        .outerjoin(Unit, Unit.id == Device.unit_id)
        .where(DeviceToken.hash == hash_of(token), _living(), Device.revoked_at.is_(None))
    )
    row = (await session.execute(query)).first()
    if row is None:
        return None
    return KnownDevice(
        row.id, row.name, DeviceKind(row.kind), row.unit_id, None if row.duty is None else Duty(row.duty)
    )


async def tell_alarm(session: AsyncSession, device: KnownDevice, alarm: str) -> None:
    """Record that a device calls for help."""
    detail = {"device_id": str(device.id), "unit_id": _text(device.unit_id), "alarm": alarm}
    await turn_page(session, device.actor, Register.DEVICES, "device.alarm", detail=detail)


class DeviceBook:
    """Who shows which token, believed for two seconds: a fleet asks thousands of times a second."""

    def __init__(self, sessions: Sessions) -> None:
        """Reads through `sessions`; nothing is read before somebody shows a token."""
        self._sessions = sessions
        self._known: dict[bytes, tuple[float, KnownDevice | None]] = {}
        self._alarmed: dict[UUID, float] = {}

    def is_new_alarm(self, device_id: UUID) -> bool:
        """Whether a call for help is not the same again: telephones repeat it until somebody answers."""
        return time.monotonic() - self._alarmed.get(device_id, -ALARM_AGAIN) >= ALARM_AGAIN

    def alarm_told(self, device_id: UUID) -> None:
        """A call for help is in the books: only now is the next one the same again."""
        self._alarmed[device_id] = time.monotonic()

    async def of(self, token: str) -> KnownDevice:
        """The device that shows `token`. Raises `UnknownDevice`."""
        key, at = hash_of(token), time.monotonic()
        read_at, known = self._known.get(key, (-BELIEVED, None))
        if at - read_at >= BELIEVED:
            async with reading(self._sessions) as session:
                known = await device_of(session, token)
            if len(self._known) >= MOST_BELIEVED:
                self._known.clear()
            self._known[key] = at, known
        if known is None:
            raise UnknownDevice
        return known


# ── What became of it ─────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Sign:
    seen_at: dt.datetime
    battery: float | None = None
    delays: deque[float] = field(default_factory=lambda: deque(maxlen=SKEW_FROM))

    @property
    def skew(self) -> float | None:
        return statistics.median(self.delays) if len(self.delays) >= SKEW_LEAST else None


_COUNT = text("""
    INSERT INTO device_counts (device_id, day, what, count)
    SELECT * FROM unnest(CAST(:device_id AS uuid[]), CAST(:day AS date[]), CAST(:what AS text[]),
                         CAST(:count AS bigint[])) AS told (device_id, day, what, count)
    WHERE EXISTS (SELECT FROM devices WHERE devices.id = told.device_id)
    ORDER BY 1, 2, 3
    ON CONFLICT (device_id, day, what) DO UPDATE SET count = device_counts.count + excluded.count
""")
_SIGN = text("""
    INSERT INTO device_signs (device_id, seen_at, battery, skew_s)
    SELECT * FROM unnest(CAST(:device_id AS uuid[]), CAST(:seen_at AS timestamptz[]), CAST(:battery AS float4[]),
                         CAST(:skew_s AS float4[])) AS told (device_id, seen_at, battery, skew_s)
    WHERE EXISTS (SELECT FROM devices WHERE devices.id = told.device_id)
    ORDER BY 1
    ON CONFLICT (device_id) DO UPDATE SET
        seen_at = greatest(device_signs.seen_at, excluded.seen_at),
        battery = coalesce(excluded.battery, device_signs.battery),
        skew_s = coalesce(excluded.skew_s, device_signs.skew_s)
""")


class Tally:
    """Counts in this process and writes now and then. What is not written is lost with the process: some seconds."""

    def __init__(self) -> None:
        """Nothing has been counted."""
        self._counts: Counter[tuple[UUID, dt.date, str]] = Counter()
        self._signs: dict[UUID, _Sign] = {}
        self._fresh: set[UUID] = set()

    def count(self, device_id: UUID, day: dt.date, what: str, times: int = 1) -> None:
        """It happened `times` more."""
        if times:
            self._counts[device_id, day, what] += times

    def heard(
        self, device_id: UUID, at: dt.datetime, *, battery: float | None = None, newest: dt.datetime | None = None
    ) -> None:
        """A device was heard `at`, with so much battery; the newest fix that it told was made at `newest`."""
        sign = self._signs.setdefault(device_id, _Sign(at))
        sign.seen_at = max(sign.seen_at, at)
        sign.battery = sign.battery if battery is None else battery
        if newest is not None:
            sign.delays.append((at - newest).total_seconds())
        self._fresh.add(device_id)

    async def write(self, session: AsyncSession) -> None:
        """Add what was counted to the books. `forget` afterwards, once it is committed."""
        if self._counts:
            keys = sorted(self._counts)
            columns: dict[str, list[Any]] = {
                "device_id": [key[0] for key in keys],
                "day": [key[1] for key in keys],
                "what": [key[2] for key in keys],
                "count": [self._counts[key] for key in keys],
            }
            await session.execute(_COUNT, columns)
        if self._fresh:
            fresh = sorted(self._fresh)
            signs = [self._signs[device_id] for device_id in fresh]
            columns = {
                "device_id": fresh,
                "seen_at": [sign.seen_at for sign in signs],
                "battery": [sign.battery for sign in signs],
                "skew_s": [sign.skew for sign in signs],
            }
            await session.execute(_SIGN, columns)

    def take(self) -> Tally:
        """What is to be written, apart from what is counted meanwhile."""
        taken = Tally()
        taken._counts, self._counts = self._counts, Counter()
        taken._fresh, self._fresh = self._fresh, set()
        taken._signs = self._signs
        return taken

    def give_back(self, taken: Tally) -> None:
        """It could not be written: it is counted with the next."""
        self._counts.update(taken._counts)
        self._fresh |= taken._fresh

    def __bool__(self) -> bool:
        return bool(self._counts or self._fresh)


async def tend_devices(session: AsyncSession) -> None:
    """Forget counts past keeping and tokens that have ended."""
    await session.execute(delete(DeviceCount).where(DeviceCount.day < (now() - COUNTS_KEPT).date()))
    await session.execute(delete(DeviceToken).where(DeviceToken.ends_at < now()))
