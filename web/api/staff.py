"""Staff over HTTP. Dates are days of the city: a credential that is valid to a day is valid on it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from pydantic import Field

from realtime.database import now
from realtime.errors import NotFound
from resources.attendance import on_duty_members
from resources.crews import call_signs
from resources.organizations import municipality
from resources.shifts import own_slots
from resources.staff import (
    Credential,
    CredentialKind,
    JobRole,
    Member,
    Seen,
    StaffRules,
    StaffStatus,
    access_member,
    add_credential,
    add_member,
    all_members,
    amend_member,
    credentials_of,
    import_staff,
    require_sight,
    rules_at,
    seen_by,
    set_pin,
    set_rules,
    set_standing,
    withdraw_credential,
)
from web.bodies import Body, Code, Name, NewId, Phone, Short, Text
from web.city_days import Day, begins, clock_of, ends, last_day
from web.context import CurrentActor, Expected, Machines, OnceOnly, Session
from web.rows import RowError, errors_document, read_rows
from web.staff_rows import COLUMNS, staff_rows

router = APIRouter(prefix="/staff", tags=["staff"])

FileNumber = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9./\-]+$")]


class MemberBody(Body):
    """Somebody of the staff."""

    id: NewId
    file_number: FileNumber
    name: Name
    role: Code
    organization_id: UUID
    person_id: UUID | None = None
    phone: Phone = ""
    notes: Text = ""


class AmendBody(Body):
    """What is to change; the rest stays."""

    name: Name | None = None
    role: Code | None = None
    phone: Phone | None = None
    notes: Text | None = None
    person_id: UUID | None = None


class StandingBody(Body):
    """Whether somebody works here, from a day on, and on leave up to a day."""

    status: StaffStatus
    since: Day | None = None
    until: Day | None = None


class PinBody(Body):
    """The PIN with which somebody clocks in."""

    pin: Annotated[str, Field(max_length=8)]


class CredentialBody(Body):
    """A paper, valid from a day to a day, both included."""

    id: NewId
    kind: Code
    number: Short = ""
    valid_from: Day | None = None
    valid_to: Day | None = None


class ReasonBody(Body):
    """Why."""

    reason: Name


class RoleBody(Body):
    """A role, and the credentials without which nobody may do it."""

    code: Code
    name: Name
    credentials: Annotated[tuple[Code, ...], Field(max_length=20)] = ()


class KindBody(Body):
    """A kind of credential."""

    code: Code
    name: Name


class RulesBody(Body):
    """The rules for the staff: hours and minutes are whole."""

    roles: Annotated[tuple[RoleBody, ...], Field(min_length=1, max_length=60)]
    credentials: Annotated[tuple[KindBody, ...], Field(max_length=60)]
    rest_hours: Annotated[int, Field(strict=True, ge=0, le=72)]
    week_hours: Annotated[int, Field(strict=True, ge=1, le=168)]
    grace_minutes: Annotated[int, Field(strict=True, ge=0, le=720)]
    unplanned_hours: Annotated[int, Field(strict=True, ge=1, le=36)]


@router.get("")
async def get_staff(session: Session, actor: CurrentActor, machines: Machines) -> dict[str, Any]:
    """Everybody: names, roles and whether on duty for the room; all of it for who runs the staff."""
    members, here = await all_members(session, actor), await on_duty_members(session, actor, now())
    whole = seen_by(actor) == Seen.ALL
    held = await credentials_of(session, [member.id for member in members]) if whole else {}
    clock = clock_of(machines)
    return {
        "members": [
            (_whole(member, held[member.id], clock) if whole else _bare(member)) | {"on_duty": member.id in here}
            for member in members
        ]
    }


@router.get("/rules")
async def get_rules(session: Session, actor: CurrentActor) -> dict[str, Any]:
    """Roles, kinds of credentials, rest and hours."""
    require_sight(actor, Seen.OWN_UNIT)
    return _rules(await rules_at(session))


@router.post("/rules")
async def post_rules(body: RulesBody, session: Session, actor: CurrentActor, expected: Expected) -> dict[str, Any]:
    """Another edition of the rules."""
    rules = StaffRules(
        roles=tuple(JobRole(one.code, one.name, one.credentials) for one in body.roles),
        credentials=tuple(CredentialKind(one.code, one.name) for one in body.credentials),
        rest_hours=body.rest_hours,
        week_hours=body.week_hours,
        grace_minutes=body.grace_minutes,
        unplanned_hours=body.unplanned_hours,
    )
    return _rules(await set_rules(session, actor, rules, expected=expected))


@router.post("", status_code=201)
async def post_member(
    body: MemberBody, session: Session, actor: CurrentActor, machines: Machines, once: OnceOnly
) -> dict[str, Any]:
    """Take somebody on."""

    async def do() -> dict[str, Any]:
        member = await add_member(
            session,
            actor,
            body.id,
            file_number=body.file_number,
            name=body.name,
            role=body.role,
            organization_id=body.organization_id,
            person_id=body.person_id,
            phone=body.phone,
            notes=body.notes,
        )
        return _whole(member, [], clock_of(machines))

    return await once(body.id, do)


CSV = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}}}}


@router.post("/import", openapi_extra=CSV)
async def post_import(request: Request, session: Session, actor: CurrentActor, machines: Machines) -> dict[str, Any]:
    """A list of staff as CSV, by file number; a line that is wrong is left out alone and says why."""
    require_sight(actor, Seen.ALL)
    sheet, rules = read_rows(await request.body(), COLUMNS), await rules_at(session)
    rows = staff_rows(sheet, rules, clock_of(machines))
    ours = await municipality(session)
    if ours is None:
        raise NotFound
    done = await import_staff(session, actor, rows, organization_id=ours.id)
    for line, why in done.refused:
        sheet.errors.append(RowError(line, "", why))
    return {
        "added": done.added,
        "amended": done.amended,
        "same": done.same,
        "errors": errors_document(request, sheet.errors, machines.settings.timezone),
        "ignored": sheet.ignored,
    }


@router.get("/{member_id}")
async def get_member(member_id: UUID, session: Session, actor: CurrentActor, machines: Machines) -> dict[str, Any]:
    """Somebody's file, with their shifts from a week ago on: for who runs the staff, and one's own."""
    shown = await _shown(session, await access_member(session, actor, member_id), machines)
    slots = await own_slots(session, actor, member_id)
    signs = await call_signs(session, [slot.unit_id for slot, _ in slots])
    return shown | {
        "slots": [
            {
                "where": signs.get(slot.unit_id, slot.place),
                "slot_id": str(slot.id),
                "placement_id": str(placement.id),
                "unit_id": str(slot.unit_id) if slot.unit_id else None,
                "place": slot.place,
                "starts_at": slot.starts_at,
                "ends_at": slot.ends_at,
                "role": placement.role,
            }
            for slot, placement in slots
        ]
    }


@router.post("/{member_id}")
async def post_amend(
    member_id: UUID,
    body: AmendBody,
    session: Session,
    actor: CurrentActor,
    machines: Machines,
    expected: Expected,
) -> dict[str, Any]:
    """Change what is said."""
    member = await amend_member(session, actor, member_id, **body.model_dump(exclude_none=True), expected=expected)
    return await _shown(session, member, machines)


@router.post("/{member_id}/standing")
async def post_standing(
    member_id: UUID,
    body: StandingBody,
    session: Session,
    actor: CurrentActor,
    machines: Machines,
    expected: Expected,
) -> dict[str, Any]:
    """On leave, back, or gone."""
    clock = clock_of(machines)
    member = await set_standing(
        session,
        actor,
        member_id,
        status=body.status,
        since=begins(body.since, clock) if body.since else None,
        until=ends(body.until, clock) if body.until else None,
        expected=expected,
    )
    return await _shown(session, member, machines)


@router.post("/{member_id}/pin", status_code=204)
async def post_pin(member_id: UUID, body: PinBody, session: Session, actor: CurrentActor) -> None:
    """Give somebody a PIN. Only its hash is kept."""
    await set_pin(session, actor, member_id, pin=body.pin)


@router.post("/{member_id}/credentials", status_code=201)
async def post_credential(
    member_id: UUID,
    body: CredentialBody,
    session: Session,
    actor: CurrentActor,
    machines: Machines,
    once: OnceOnly,
) -> dict[str, Any]:
    """Note a credential, or its renewal."""
    clock = clock_of(machines)

    async def do() -> dict[str, Any]:
        credential = await add_credential(
            session,
            actor,
            body.id,
            member_id=member_id,
            kind=body.kind,
            number=body.number,
            valid_from=begins(body.valid_from, clock) if body.valid_from else None,
            valid_until=ends(body.valid_to, clock) if body.valid_to else None,
        )
        return _credential(credential, clock)

    return await once(body.id, do)


@router.post("/credentials/{credential_id}/withdraw")
async def post_withdraw(
    credential_id: UUID, body: ReasonBody, session: Session, actor: CurrentActor, machines: Machines
) -> dict[str, Any]:
    """It no longer counts."""
    credential = await withdraw_credential(session, actor, credential_id, reason=body.reason)
    return _credential(credential, clock_of(machines))


async def _shown(session: Session, member: Member, machines: Machines) -> dict[str, Any]:
    held = await credentials_of(session, [member.id])
    return _whole(member, held[member.id], clock_of(machines))


def _bare(member: Member) -> dict[str, Any]:
    return {"id": str(member.id), "name": member.name, "role": member.role, "status": member.standing(now())}


def _whole(member: Member, credentials: list[Credential], clock: ZoneInfo) -> dict[str, Any]:
    return _bare(member) | {
        "version": member.version,
        "file_number": member.file_number,
        "organization_id": str(member.organization_id),
        "person_id": str(member.person_id) if member.person_id else None,
        "phone": member.phone,
        "notes": member.notes,
        "has_pin": member.pin_hash is not None,
        "status_since": member.status_since.isoformat(),
        "status_to": last_day(member.status_until, clock),
        "credentials": [_credential(one, clock) for one in credentials],
    }


def _credential(credential: Credential, clock: ZoneInfo) -> dict[str, Any]:
    return {
        "id": str(credential.id),
        "kind": credential.kind,
        "number": credential.number,
        "valid_from": credential.valid_from.astimezone(clock).date().isoformat(),
        "valid_to": last_day(credential.valid_until, clock),
        "valid": credential.in_force(now()),
        "withdrawn": credential.withdrawn_for if credential.withdrawn_at else None,
    }


def _rules(rules: StaffRules) -> dict[str, Any]:
    return rules.content() | {"number": rules.number}
