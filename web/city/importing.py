"""`./vigia city import`: zones, facilities, closures and hazards from a file, updated in place when it comes again.

One transaction for the whole file. What the file no longer has ends (zones), closes (facilities) or is lifted
(closures), and nothing that people drew by hand is touched.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import shapely
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from shapely.geometry.base import BaseGeometry
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from geo.city import extent
from geo.closures import ClosureKind, Validity, amend_closure, closures_in_force, draw_closure, lift_closure
from geo.difference import Move, Pair, Thing, base_key, key_of, moved, pairs, unique_keys
from geo.files import Feature, MapFile, Wishes, field_of, read_map_file
from geo.imports import record_import
from geo.places import MAX_VERTICES, METRES_PER_DEGREE, GeometryTooLarge, GeometryTypeRefused
from geo.refused import Refused, UnreadableFile
from geo.zones import Zone, ZoneKind, end_zone, lay_zones_over, multipolygon
from realtime.access import VIGIA
from realtime.database import Sessions, connect, new_id, now, reading, sessions_of, transaction
from realtime.errors import Refusal
from resources.facilities import Facility, FacilityKind, from_source, lay_facilities
from web.city.making import FINE, LEFT_OUT, NOTHING, PATIENT, POLYGONS, REFUSED, page_for
from web.city.page import Page
from web.settings import Settings

SHAPES = frozenset({"Point", "LineString", "MultiLineString", "Polygon", "MultiPolygon"})
PLACES = frozenset({"Point", "Polygon", "MultiPolygon"})
MANY, MOST = 4, 0.5  # a file that would end more than half of at least so many is perhaps another file
FAR_AWAY = 50_000.0  # metres; what lies there belongs to another city
SHOWN = 15  # changes of one sort

ADDRESS_FIELDS = ("direccion", "domicilio", "address", "ubicacion", "addr")
PEOPLE_FIELDS = ("population", "poblacion", "habitantes", "pob_total", "personas")
ABOUT_FIELDS = frozenset(  # what a facility may carry along: nothing here is about anybody
    {
        *("tipo", "subtipo", "type", "categoria", "category", "nivel", "level", "codigo", "code", "ref"),
        *("camas", "beds", "capacidad", "capacity", "horario", "opening_hours", "emergency", "guardia"),
        *("caudal", "diametro", "diameter", "presion", "pressure", "gestion", "dependencia"),
    }
)

NO_NAME = "it has no name"
NO_FIELD = "the file has no field “{field}”; it has: {fields}"
NEEDS_POLYGONS = "a zone is an area, and this file holds points or lines. Points are facilities: import facilities"
UNKNOWN_KIND = "“{kind}” is no kind of {what}; there is: {known}"
NOT_MEANT = (
    "{gone} of {there} would go, because the file does not have them. If that is meant, repeat with --replace; "
    "if the file is an addition, give it a name of its own with --source; with --keep they stay"
)


@dataclass(frozen=True, slots=True)
class Order:
    """What the operator asked for."""

    what: str  # zones, facilities, closures, hazards
    file: Path
    kind: str
    wishes: Wishes = field(default_factory=Wishes)
    key_field: str | None = None
    address_field: str | None = None
    source: str | None = None  # the same data come again under this name
    until: dt.datetime | None = None
    dry_run: bool = False
    keep: bool = False
    replace: bool = False

    @property
    def origin(self) -> str:
        """The name of these data."""
        return self.source or self.kind


@dataclass(slots=True)
class Entry:
    """One thing of the file, on its way."""

    feature: Feature
    name: str
    key: str
    shape: BaseGeometry


@dataclass(slots=True)
class Difference:
    """What the import changes; names as people read them."""

    before: int = 0
    after: int = 0
    added: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    moved: list[tuple[str, Move]] = field(default_factory=list)
    unchanged: int = 0

    def forget(self, name: str, *, new: bool) -> None:
        """One of the file was refused after all: it is not there, or stays as it was."""
        if new:
            self.added.remove(name)
            self.after -= 1
        else:
            self.renamed = [pair for pair in self.renamed if pair[1] != name]
            self.moved = [move for move in self.moved if move[0] != name]
            self.unchanged += 1

    def counts(self) -> dict[str, int]:
        """As the journal keeps it."""
        lists = {name: len(getattr(self, name)) for name in ("added", "gone", "renamed", "moved")}
        return lists | {"before": self.before, "after": self.after, "unchanged": self.unchanged}


@dataclass(slots=True)
class Plan:
    """Old and new side by side: what the verbs are then given."""

    pairs: list[Pair]
    ids: list[UUID]  # of the new ones
    keys: list[str]
    shapes: list[BaseGeometry]  # the old one where the new differs by rounding only
    changed: list[bool]
    gone: list[UUID]
    difference: Difference


class Unwanted(Exception):
    """The import cannot be what was meant; says why, as `UnreadableFile` does."""

    def __init__(self, why: str, **facts: Any) -> None:
        """Nothing was changed."""
        super().__init__(why)
        self.why, self.facts = why, facts


async def import_file(settings: Settings, order: Order, *, console: Console | None = None) -> int:
    """Import; 0 when something of the file is on the map, 1 when the file is no good, 2 when it was not meant."""
    page = page_for(settings, console)
    engine = connect(settings.database, pool=2, limits=PATIENT)
    sessions = sessions_of(engine)
    try:
        return await _import(page, settings, sessions, order)
    except Unwanted as unwanted:
        page.line(unwanted.why, "bold red", **unwanted.facts)
        page.line("Nothing was changed.")
        return REFUSED
    except UnreadableFile as unreadable:
        said = {
            name: page.reason(fact) if isinstance(fact, Refused) else fact for name, fact in unreadable.facts.items()
        }
        page.line(unreadable.why, "bold red", **said)
        page.line("Nothing was changed.")
        return NOTHING
    except SQLAlchemyError as error:
        page.line("The database did not take it: {error}", "bold red", error=str(error.__cause__ or error)[:300])
        page.line("Nothing was changed.")
        return NOTHING
    finally:
        await engine.dispose()


async def _import(page: Page, settings: Settings, sessions: Sessions, order: Order) -> int:
    laying, allowed = _laying(order)
    async with reading(sessions) as session:
        near = await extent(session)
    wishes = (
        order.wishes
        if near is None
        else Wishes(
            order.wishes.encoding,
            order.wishes.crs,
            order.wishes.layer,
            order.wishes.name_field,
            (near[0], near[1], near[2], near[3]),
        )
    )
    with page.progress("Reading {file}", file=order.file.name):
        found = await asyncio.to_thread(read_map_file, order.file, allowed, wishes)
    _tell_file(page, order, found, near)
    entries, refused = _entries(order, found)
    if not entries:
        page.left_out(refused, settings.data / LEFT_OUT)
        if order.what in {"zones", "hazards"} and all(one.why == GeometryTypeRefused().message for one in refused):
            raise UnreadableFile(NEEDS_POLYGONS)
        raise UnreadableFile("nothing of the file can be used")
    with page.progress("Comparing and laying"):
        async with transaction(sessions) as session:
            await session.execute(text("SET LOCAL statement_timeout = 0"))
            difference, more = await laying(session, order, entries)
            if not order.dry_run:
                counts = difference.counts() | {"refused": len(refused) + len(more)}
                await record_import(
                    session,
                    VIGIA,
                    layer=order.what,
                    kind=order.kind,
                    source=order.origin,
                    file=order.file.name,
                    counts=counts,
                )
    _tell(page, order, difference)
    page.left_out([*refused, *more], settings.data / LEFT_OUT)
    return FINE


Laying = Callable[[AsyncSession, Order, Sequence[Entry]], Awaitable[tuple[Difference, list[Refused]]]]


def _laying(order: Order) -> tuple[Laying, frozenset[str]]:
    """Who lays it, and which geometries it may have."""
    hazards = [kind.value for kind in (ZoneKind.FLOOD, ZoneKind.RISK)]
    table: Mapping[str, tuple[Sequence[str], Laying, frozenset[str]]] = {
        "zones": ([kind.value for kind in ZoneKind], _lay_zones, POLYGONS),
        "hazards": (hazards, _lay_zones, POLYGONS),
        "facilities": ([kind.value for kind in FacilityKind], _lay_facilities, PLACES),
        "closures": ([kind.value for kind in ClosureKind], _lay_closures, SHAPES),
    }
    kinds, laying, allowed = table[order.what]
    if order.kind not in kinds:
        raise Unwanted(UNKNOWN_KIND, kind=order.kind, what=order.what, known=", ".join(kinds))
    return laying, allowed


# --- the file -------------------------------------------------------------------------------------------


def _entries(order: Order, found: MapFile) -> tuple[list[Entry], list[Refused]]:
    """What of the file has a name and a key."""
    for wanted in (order.wishes.name_field, order.key_field, order.address_field):
        if wanted and wanted not in found.names:
            raise UnreadableFile(NO_FIELD, field=wanted, fields=", ".join(found.names) or "–")
    name_field = found.name_field
    refused, named = list(found.refused), []
    for feature in found.features:
        name = feature.fields.get(name_field or "") or (order.kind if name_field is None else None)
        if order.what == "closures":
            name = name or order.kind
        if name is None:
            refused.append(Refused("feature", str(feature.number), None, NO_NAME))
            continue
        key = key_of(feature.fields.get(order.key_field or "", "") or name)
        shape = feature.shape
        if order.what == "closures" and shapely.get_num_coordinates(shape) > MAX_VERTICES:
            large = GeometryTooLarge(limit=MAX_VERTICES, what="vertices")
            refused.append(Refused("feature", str(feature.number), name[:200], large.message, large.facts))
            continue
        if order.what == "facilities" and not isinstance(shape, shapely.Point):
            shape = shape.representative_point()
        named.append(
            Entry(
                feature,
                name[:200],
                key,
                multipolygon(shape)
                if shape.geom_type.endswith("Polygon") and order.what in {"zones", "hazards"}
                else shape,
            )
        )
    return named, refused


def _plan(order: Order, old: Sequence[Thing], known: Mapping[str, UUID], entries: Sequence[Entry]) -> Plan:
    """Compare; `old` are those in force, `known` the ids of all keys, of what is over too."""
    new = [Thing(entry.key, entry.name, entry.shape) for entry in entries]
    found = pairs([Thing(base_key(thing.key), thing.name, thing.shape, thing.id) for thing in old], new)
    difference = Difference(before=len(old))
    matched = {pair.new: pair.old for pair in found if pair.new is not None}
    kept_keys = {
        index: old[was].key
        for index, was in matched.items()
        if was is not None and base_key(old[was].key) == new[index].key
    }
    gone = [pair.old for pair in found if pair.new is None and pair.old is not None]
    taken = set(kept_keys.values()) | {old[one].key for one in range(len(old)) if order.keep or one not in gone}
    free = unique_keys([new[index].key for index in range(len(new)) if index not in kept_keys], taken)
    fresh = iter(free)
    plan = Plan(found, [], [], [], [], [], difference)
    for index, thing in enumerate(new):
        key = kept_keys.get(index) or next(fresh)
        was = matched[index]
        plan.keys.append(key)
        if was is None:
            plan.ids.append(known.get(key) or new_id())
            plan.shapes.append(thing.shape)
            plan.changed.append(True)
            difference.added.append(thing.name)
            continue
        before = old[was]
        assert before.id is not None  # noqa: S101  (it is in the database)
        move = moved(before.shape, thing.shape)
        plan.ids.append(before.id)
        plan.shapes.append(thing.shape if move else before.shape)
        if thing.name != before.name:
            difference.renamed.append((before.name, thing.name))
        if move:
            difference.moved.append((thing.name, move))
        plan.changed.append(bool(move) or thing.name != before.name or key != before.key)
        difference.unchanged += not move and thing.name == before.name
    if not order.keep:
        ids = [old[one].id for one in gone]
        plan.gone = [one for one in ids if one is not None]
        difference.gone = [old[one].name for one in gone]
    difference.after = len(new) + (len(gone) if order.keep else 0)
    if len(plan.gone) > MOST * len(old) and len(old) >= MANY and not (order.replace or order.dry_run):
        raise Unwanted(NOT_MEANT, gone=len(plan.gone), there=len(old))
    return plan


# --- laying ---------------------------------------------------------------------------------------------


async def _lay_zones(session: AsyncSession, order: Order, entries: Sequence[Entry]) -> tuple[Difference, list[Refused]]:
    prefix = f"{order.origin}/"
    query = select(Zone).where(Zone.kind == order.kind, Zone.source_key.startswith(prefix, autoescape=True))
    there = (await session.scalars(query.order_by(Zone.id))).all()
    at = now()
    in_force = [zone for zone in there if zone.valid_until is None or zone.valid_until > at]
    old = [Thing((zone.source_key or "").removeprefix(prefix), zone.name, zone.shape, zone.id) for zone in in_force]
    known = {(zone.source_key or "").removeprefix(prefix): zone.id for zone in there if zone not in in_force}
    plan = await asyncio.to_thread(_plan, order, old, known, entries)
    if order.dry_run:
        return plan.difference, []
    people = field_of([name for entry in entries for name in entry.feature.fields], PEOPLE_FIELDS)
    laid = [
        Zone(
            id=zone_id,
            kind=order.kind,
            name=entry.name,
            shape=multipolygon(shape),
            population=_whole(entry.feature.fields.get(people or "")),
            source_key=prefix + key,
        )
        for entry, zone_id, key, shape in zip(entries, plan.ids, plan.keys, plan.shapes, strict=True)
    ]
    await lay_zones_over(session, laid)
    for zone_id in plan.gone:
        await end_zone(session, VIGIA, zone_id)
    return plan.difference, []


def _whole(word: str | None) -> int | None:
    digits = re.sub(r"[.,\s]", "", word or "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


async def _lay_facilities(
    session: AsyncSession, order: Order, entries: Sequence[Entry]
) -> tuple[Difference, list[Refused]]:
    there = await from_source(session, order.kind, order.origin)
    old = [Thing(one.source_key, one.name, one.shape, one.id) for one in there if one.closed_at is None]
    known = {one.source_key: one.id for one in there if one.closed_at is not None}
    plan = await asyncio.to_thread(_plan, order, old, known, entries)
    if order.dry_run:
        return plan.difference, []
    said = {one.id: (one.address, one.attributes) for one in there}
    names = list(dict.fromkeys(name for entry in entries for name in entry.feature.fields))
    address_field = order.address_field or field_of(names, ADDRESS_FIELDS)
    laid = []
    for index, entry in enumerate(entries):
        address = entry.feature.fields.get(address_field or "")
        about = {name: value for name, value in entry.feature.fields.items() if name.lower() in ABOUT_FIELDS}
        if not plan.changed[index] and said.get(plan.ids[index]) == (address, about):
            continue
        laid.append(
            Facility(
                id=plan.ids[index],
                kind=order.kind,
                name=entry.name,
                address=address,
                shape=plan.shapes[index],
                source=order.origin,
                source_key=plan.keys[index],
                attributes=about,
                version=1,
            )
        )
    await lay_facilities(session, VIGIA, laid, closing=plan.gone)
    return plan.difference, []


async def _lay_closures(
    session: AsyncSession, order: Order, entries: Sequence[Entry]
) -> tuple[Difference, list[Refused]]:
    """What is in force of these data is amended, what the file no longer has is lifted, the rest is drawn."""
    prefix = f"{order.origin}/"
    in_force = {
        closure.id: closure
        for closure in await closures_in_force(session)
        if closure.kind == order.kind and (closure.source_key or "").startswith(prefix)
    }
    old = [
        Thing((closure.source_key or "").removeprefix(prefix), closure.reason, closure.shape, closure.id)
        for closure in in_force.values()
    ]
    plan = await asyncio.to_thread(_plan, order, old, {}, entries)
    difference = plan.difference
    refused: list[Refused] = []
    if order.dry_run:
        return difference, refused
    for index, entry in enumerate(entries):
        if not plan.changed[index]:
            continue
        try:
            if plan.ids[index] in in_force:
                await amend_closure(session, VIGIA, plan.ids[index], reason=entry.name, shape=plan.shapes[index])
            else:
                await draw_closure(
                    session,
                    VIGIA,
                    plan.ids[index],
                    kind=ClosureKind(order.kind),
                    reason=entry.name,
                    shape=plan.shapes[index],
                    validity=Validity(None, order.until),
                    source_key=prefix + plan.keys[index],
                )
        except Refusal as refusal:
            refused.append(Refused("feature", str(entry.feature.number), entry.name, refusal.message, refusal.facts))
            difference.forget(entry.name, new=plan.ids[index] not in in_force)
    if len(refused) == len(entries):
        raise UnreadableFile("nothing of the file can be used: {reason}", reason=refused[0])
    for closure_id in plan.gone:
        await lift_closure(session, VIGIA, closure_id)
    return difference, refused


# --- telling --------------------------------------------------------------------------------------------


def distance_from(frame: Sequence[float], shape: BaseGeometry) -> float:
    """Metres from the frame of the city, roughly."""
    west, south, east, north = frame
    return float(shapely.box(west, south, east, north).distance(shape)) * METRES_PER_DEGREE


def _tell_file(page: Page, order: Order, found: MapFile, near: Sequence[float] | None) -> None:
    text = "{file}: {count} things, {crs}, {encoding}"
    page.line(
        text,
        "bold",
        file=order.file.name,
        count=len(found.features) + len(found.refused),
        crs=found.crs,
        encoding=found.encoding,
    )
    if not found.crs_told:
        page.line("The file does not say its projection; its numbers are degrees, and are taken as WGS 84.", "yellow")
    if found.swapped:
        page.line("Latitude stood before longitude; they were exchanged, as all lie by the city that way.", "yellow")
    if near is not None and (far := sum(distance_from(near, one.shape) > FAR_AWAY for one in found.features)):
        text = "{count} of them lie more than {kilometres} km from the city."
        page.line(text, "yellow", count=far, kilometres=round(FAR_AWAY / 1000))
    if found.mended:
        page.line("{count} texts had been through a wrong encoding and were put right.", count=found.mended)


def _tell(page: Page, order: Order, difference: Difference) -> None:
    table = Table(title=page.say("What changes" if order.dry_run else "What changed"), title_justify="left")
    table.add_column(page.say("what"))
    table.add_column(page.say("name"), overflow="fold")
    table.add_column("")
    rows: list[tuple[str, list[tuple[str, str]]]] = [
        ("added", [(name, "") for name in difference.added] if difference.before else []),
        ("gone", [(name, "") for name in difference.gone]),
        ("renamed", [(f"{was} → {now_}", "") for was, now_ in difference.renamed]),
        ("moved", [(name, _move(page, move)) for name, move in difference.moved]),
    ]
    for what, things in rows:
        for name, how in things[:SHOWN]:
            table.add_row(page.say(what), escape(name), how)
        if len(things) > SHOWN:
            table.add_row(page.say(what), page.say("… and {more} more like these.", more=len(things) - SHOWN), "")
    if table.row_count:
        page.console.print(table)
    text = "{before} → {after}: {added} new, {gone} gone, {renamed} renamed, {moved} moved, {unchanged} unchanged."
    page.line(text, "bold green", **difference.counts())
    if order.dry_run:
        page.line("Nothing was changed: it was a rehearsal (--dry-run).")


def _move(page: Page, move: Move) -> str:
    return page.say("{metres} m, {hectares} ha", metres=f"{move.metres:.0f}", hectares=f"{move.hectares:+.1f}")
