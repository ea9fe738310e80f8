"""Doing the acts of a plan through the public verbs, each in its turn, and remembering what became of it."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from incidents.reports import ReportStatus
from resources.units import Duty
from web.replay.books import Books
from web.replay.client import Client, Refused, ServerAway
from web.replay.log import Ending, LoggedUnit, Position
from web.replay.plan import Act, Kind, Story

WINDOW = 48  # acts begun and not done; most of them wait for the one before them on the same call
OPEN_AGAIN = frozenset({"IncidentOver", "NotFound"})  # somebody was quicker: the report joins another one


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group that ends with one `ServerAway`, however many of its tasks were waiting for the server."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as several:
        if several.subgroup(ServerAway):
            raise ServerAway from several
        raise


class Outcome(StrEnum):
    """What became of an act."""

    MADE = "made"
    FOUND = "found"  # an earlier run did it
    REFUSED = "refused"
    NOT_NEEDED = "not needed"  # the call joined another one, which ends by itself


@dataclass(frozen=True, slots=True)
class Fate:
    """An outcome, and why."""

    outcome: Outcome
    reason: str = ""

    @property
    def done(self) -> bool:
        """Whether it is in the books."""
        return self.outcome in {Outcome.MADE, Outcome.FOUND}


MADE, FOUND, NOT_NEEDED = Fate(Outcome.MADE), Fate(Outcome.FOUND), Fate(Outcome.NOT_NEEDED)


@dataclass(frozen=True, slots=True)
class Triage:
    """What became of a call's report: `incident_id` is the one that it opened or joined."""

    status: ReportStatus
    incident_id: UUID | None


@dataclass(slots=True)
class Fleet:
    """The log's units in this city."""

    organization_id: UUID
    ids: dict[UUID, LoggedUnit]
    fates: dict[UUID, Fate]
    prefix: str


class Run:
    """One replay. `fates` and `triages` say what became of everything."""

    def __init__(
        self,
        client: Client,
        acts: Sequence[Act],
        before: Books,
        *,
        speed: float = 0,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`before` is what an earlier run left; `progress` is told how many acts are done."""
        self.client, self.acts, self.before, self.speed = client, acts, before, speed
        self.fates: dict[Act, Fate] = {}
        self.triages: dict[str, Triage] = {}
        self._reached = before.reached()
        self._wanted = {act.sending.unit_id for act in acts if act.sending is not None and not self._was_done(act)}
        self._refusals: set[tuple[str, Kind, UUID | None]] = set()
        self._ours = {act.story.incident_id for act in acts}
        self._progress = progress
        self.units: dict[UUID, Fate] = {}

    # ── Units ──────────────────────────────────────────────────────────────────────────────────────

    async def station(self, fleet: Fleet) -> None:
        """Every unit of the log exists, or is refused; those of an earlier run that have more to do are woken up."""
        known = {
            UUID(one["properties"]["id"]): one["properties"]["status"]
            for one in (await self.client.get("/units"))["features"]
        }
        async with together() as group:
            for unit_id, unit in fleet.ids.items():
                group.create_task(self._station(fleet, unit_id, unit, known.get(unit_id)))
        self.units = fleet.fates

    async def _station(self, fleet: Fleet, unit_id: UUID, unit: LoggedUnit, status: str | None) -> None:
        if status is not None:
            fleet.fates[unit_id] = FOUND
            if status == Duty.OUT_OF_SERVICE and unit_id in self._wanted:
                await self.client.post(f"/units/{unit_id}/duty", {"duty": Duty.ON_DUTY})
            return
        body = {
            "id": str(unit_id),
            "call_sign": fleet.prefix + unit.key,
            "kind": unit.kind,
            "organization_id": str(fleet.organization_id),
            "capabilities": unit.capabilities,
        }
        fleet.fates[unit_id] = await self._tried(self.client.post("/units", body))

    async def send_home(self, fleet: Fleet) -> bool:
        """Nobody drives the log's units from now on: take those that did something out of service.

        Says whether there were any.
        """
        working = [unit_id for unit_id, fate in fleet.fates.items() if fate.done and unit_id in self._wanted]
        body = {"duty": Duty.OUT_OF_SERVICE, "reason": "replay"}
        async with together() as group:
            for unit_id in working:
                group.create_task(self._tried(self.client.post(f"/units/{unit_id}/duty", body)))
        return bool(working)

    # ── Acts ───────────────────────────────────────────────────────────────────────────────────────

    async def perform(self) -> None:
        """Everything, in order. Raises a group of `ServerAway` when the server stays away."""
        last: dict[object, asyncio.Event] = {}
        window = asyncio.Semaphore(WINDOW)
        begun = time.monotonic()
        async with together() as group:
            for act in self.acts:
                await self._hour_of(act, begun)
                await window.acquire()
                waiting, done = [last[lane] for lane in act.lanes if lane in last], asyncio.Event()
                last.update(dict.fromkeys(act.lanes, done))
                group.create_task(self._in_turn(act, waiting, done, window))

    async def _hour_of(self, act: Act, begun: float) -> None:
        if self.speed > 0:
            due = begun + (act.hour - self.acts[0].hour).total_seconds() / self.speed
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _in_turn(
        self, act: Act, waiting: Sequence[asyncio.Event], done: asyncio.Event, window: asyncio.Semaphore
    ) -> None:
        try:
            for event in waiting:
                await event.wait()
            self.fates[act] = fate = await self._do(act)
            if not fate.done:
                self._refusals.add((act.story.call.key, act.kind, act.sending.id if act.sending else None))
            self._progress(len(self.fates))
        finally:
            done.set()
            window.release()

    async def _do(self, act: Act) -> Fate:
        try:
            match act.kind:
                case Kind.REPORT:
                    return await self._report(act.story)
                case Kind.TRIAGE:
                    return await self._triage(act)
                case Kind.ASSIGN:
                    return await self._assign(act)
                case Kind.STATUS:
                    return await self._status(act)
                case Kind.CLOSE:
                    return await self._close(act)
        except Refused as refused:
            return Fate(Outcome.REFUSED, f"{refused.code}: {refused.title}")

    async def _tried(self, asking: Any) -> Fate:
        try:
            await asking
        except Refused as refused:
            return Fate(Outcome.REFUSED, f"{refused.code}: {refused.title}")
        return MADE

    async def _report(self, story: Story) -> Fate:
        if story.report_id in self.before.reports:
            return FOUND
        call = story.call
        body: dict[str, Any] = {
            "id": str(story.report_id),
            "channel": call.channel,
            "words": call.words[:2000],
            "type_hint": call.type_code,
            "place": call.place,
            "occurred_at": call.received_at.isoformat(),
        }
        if story.position is not None:
            body["location"] = _geojson(story.position)
        await self.client.post("/reports", body)
        return MADE

    async def _triage(self, act: Act) -> Fate:
        story = act.story
        if (found := self.before.reports.get(story.report_id)) and found.status != ReportStatus.RECEIVED:
            self.triages[story.call.key] = Triage(ReportStatus(found.status), found.incident_id)
            return FOUND
        if self._not_there(story, Kind.REPORT):
            return Fate(Outcome.REFUSED, "its call was refused")
        if story.ending is Ending.DISMISS:
            await self._dismiss(story, act.occurred_at)
            self.triages[story.call.key] = Triage(ReportStatus.DISMISSED, None)
            return MADE
        joined = await self._join(story, act.occurred_at) if story.ending is Ending.DUPLICATE else None
        if joined is None:
            await self._accept(story, act.occurred_at)
            self.triages[story.call.key] = Triage(ReportStatus.ACCEPTED, story.incident_id)
        else:
            self.triages[story.call.key] = Triage(ReportStatus.JOINED, joined)
        return MADE

    async def _accept(self, story: Story, at: dt.datetime) -> None:
        body: dict[str, Any] = {
            "incident_id": str(story.incident_id),
            "type_code": story.call.type_code,
            "place": story.place,
            "occurred_at": at.isoformat(),
        }
        if story.call.priority is not None:
            body["priority"] = story.call.priority
        await self.client.post(f"/reports/{story.report_id}/accept", body)

    async def _join(self, story: Story, at: dt.datetime) -> UUID | None:
        """Join the report to the nearest open incident of this log that may be the same; None when there is none."""
        for like in await self.client.get(f"/reports/{story.report_id}/similar"):
            incident_id = UUID(like["incident_id"])
            if incident_id not in self._ours:
                continue
            body = {"incident_id": str(incident_id), "occurred_at": at.isoformat()}
            try:
                await self.client.post(f"/reports/{story.report_id}/join", body)
            except Refused as refused:
                if refused.code in OPEN_AGAIN:
                    continue
                if not await self._handled(story, ReportStatus.JOINED, incident_id):
                    raise
            return incident_id
        return None

    async def _dismiss(self, story: Story, at: dt.datetime) -> None:
        body = {"reason": story.code, "occurred_at": at.isoformat()}
        try:
            await self.client.post(f"/reports/{story.report_id}/dismiss", body)
        except Refused:
            if not await self._handled(story, ReportStatus.DISMISSED, None):
                raise

    async def _handled(self, story: Story, status: ReportStatus, incident_id: UUID | None) -> bool:
        """Whether the report already is what we wanted: an answer was lost on its way, and we asked again."""
        told = (await self.client.get(f"/reports/{story.report_id}"))["properties"]
        wanted = str(incident_id) if incident_id else None
        return bool(told["status"] == status and told["incident_id"] == wanted)

    async def _assign(self, act: Act) -> Fate:
        sending, story = act.sending, act.story
        assert sending is not None  # noqa: S101  (an assignment has one)
        if self._was_done(act):
            return FOUND
        triage = self.triages.get(story.call.key)
        if triage is None:
            return Fate(Outcome.REFUSED, "its call was refused")
        if triage.incident_id is None:
            return Fate(Outcome.REFUSED, "no place: dismissed for lack of data")
        if triage.incident_id != story.incident_id:
            return Fate(Outcome.REFUSED, "somebody handled its call otherwise")
        if not self.units[sending.unit_id].done:
            return Fate(Outcome.REFUSED, "its unit was refused")
        body = {
            "id": str(sending.id),
            "units": [{"id": str(sending.id), "unit_id": str(sending.unit_id)}],
            "occurred_at": act.occurred_at.isoformat(),
        }
        await self.client.post(f"/incidents/{triage.incident_id}/assignments", body)
        return MADE

    async def _status(self, act: Act) -> Fate:
        sending, status = act.sending, act.status
        assert sending is not None  # noqa: S101  (a status has both)
        assert status is not None  # noqa: S101
        if self._was_done(act):
            return FOUND
        if self._not_there(act.story, Kind.ASSIGN, sending.id):
            return Fate(Outcome.REFUSED, "its assignment was refused")
        body = {"status": status, "occurred_at": act.occurred_at.isoformat()}
        await self.client.post(f"/assignments/{sending.id}/status", body)
        return MADE

    async def _close(self, act: Act) -> Fate:
        story = act.story
        if self.before.closed(story.incident_id):
            return FOUND
        triage = self.triages.get(story.call.key)
        if triage is None:
            return Fate(Outcome.REFUSED, "its call was refused")
        if triage.status is not ReportStatus.ACCEPTED:
            return NOT_NEEDED
        body = {"disposition": story.code, "occurred_at": act.occurred_at.isoformat()}
        try:
            await self.client.post(f"/incidents/{story.incident_id}/close", body)
        except Refused:
            told = (await self.client.get(f"/incidents/{story.incident_id}"))["properties"]
            closed_at = dt.datetime.fromisoformat(told["closed_at"]) if told.get("closed_at") else None
            if (told.get("disposition"), closed_at) != (story.code, act.occurred_at):
                raise
        return MADE

    def _was_done(self, act: Act) -> bool:
        """Whether an earlier run did what a unit is to do."""
        assert act.sending is not None  # noqa: S101  (asked of a unit's acts only)
        if act.status is None:
            return act.sending.id in self.before.assignments
        return (act.sending.id, act.status) in self._reached

    def _not_there(self, story: Story, kind: Kind, sending_id: UUID | None = None) -> bool:
        """Whether the act that must have gone before was refused."""
        return (story.call.key, kind, sending_id) in self._refusals


def _geojson(position: Position) -> dict[str, Any]:
    return {"type": "Point", "coordinates": position}
