"""Rows of personnel: staff, shifts, swaps, attendance, on call."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from realtime.access import VIGIA
from realtime.database import new_id, now
from resources.attendance import make_point
from resources.on_call import put_on_call
from resources.shifts import Seat, accept_swap, ask_swap, draw_template
from tests.api.matrix import DESK, EVERYBODY, NEW, STAFF, Row, row
from tests.builders import City
from tests.staff.people import DAY, HOUR, a_licence, a_member, a_placement, a_slot, a_stint

RUNNERS = frozenset({"supervisor", "administrator", "government"})
ROOM = STAFF | RUNNERS
CREWS = frozenset({"crew m1", "crew m2"})
SEATS = [{"role": "chofer", "min": 1, "max": 2}]
TIME = {"starts_at": "2098-01-01T06:00:00Z", "ends_at": "2098-01-01T14:00:00Z"}
PRESENT = {"member_id": "somebody who is there"}
IN_TWO_HOURS = (now() + 2 * HOUR).isoformat()
JUST_NOW = (now() - dt.timedelta(minutes=1)).isoformat()
DAYS = "?first=2026-01-01&last=2026-01-02"

ROWS: dict[str, Row] = {
    "GET /staff": row(ROOM),
    "GET /staff/rules": row(ROOM | CREWS),
    "POST /staff/rules": row(
        RUNNERS,
        roles=[{"code": "chofer", "name": "Chofer"}, {"code": "agente", "name": "Agente"}],
        credentials=[],
        rest_hours=10,
        week_hours=48,
        grace_minutes=30,
        unplanned_hours=12,
    ),
    "POST /staff": row(RUNNERS, 201, id=NEW, file_number="L9", name="N", role="chofer", organization_id="an agency"),
    "POST /staff/import": Row(RUNNERS, content=("text/csv", b"legajo;nombre;rol\nL8;Eva Paz;Agente\n")),
    "GET /staff/{member_id}": row(RUNNERS),
    "POST /staff/{member_id}": row(RUNNERS, phone="0"),
    "POST /staff/{member_id}/standing": row(RUNNERS, status="leave", until="2098-01-01"),
    "POST /staff/{member_id}/pin": row(RUNNERS, 204, pin="2580"),
    "POST /staff/{member_id}/credentials": row(RUNNERS, 201, id=NEW, kind="licencia", valid_to="2098-01-01"),
    "POST /staff/credentials/{credential_id}/withdraw": row(RUNNERS, reason="inhabilitada"),
    "GET /shift-templates": row(ROOM),
    "POST /shift-templates": row(
        *(RUNNERS, 201), id=NEW, name="Noche", place="Base", weekdays=[1], starts="22:00", minutes=480, seats=SEATS
    ),
    "POST /shift-templates/{template_id}": row(RUNNERS, minutes=500),
    "POST /shift-templates/{template_id}/end": row(RUNNERS),
    "GET /shifts": row(ROOM | CREWS, query=DAYS),
    "GET /shifts/now": row(ROOM | CREWS),
    "POST /shifts": row(RUNNERS, 201, id=NEW, name="Clásico", place="Cancha", seats=SEATS, **TIME),
    "POST /shifts/generate": row(RUNNERS, first="2098-01-01", last="2098-01-02"),
    "POST /shifts/{slot_id}/cancel": replace(row(RUNNERS), on={"slot_id": "an empty slot"}),
    "GET /shifts/{slot_id}/candidates": row(RUNNERS, query="?role=chofer"),
    "POST /shifts/{slot_id}/placements": row(RUNNERS, 201, id=NEW, member_id="a spare member"),
    "POST /placements/{placement_id}/remove": row(RUNNERS, reason=""),
    "GET /crew-minimums": row(ROOM),
    "POST /units/{unit_id}/crew-minimums": row(RUNNERS, minimums={"chofer": 1}),
    "GET /swaps": row(RUNNERS),
    "POST /swaps": row(RUNNERS, 201, id=NEW, placement_id="a placement"),
    "POST /swaps/{swap_id}/accept": row(RUNNERS, member_id="a spare member"),
    "POST /swaps/{swap_id}/approve": replace(row(RUNNERS, reason=""), on={"swap_id": "a swap that was accepted"}),
    "POST /swaps/{swap_id}/reject": row(RUNNERS, reason=""),
    "POST /swaps/{swap_id}/withdraw": row(RUNNERS),
    "GET /attendance/points": row(RUNNERS),
    "POST /attendance/points": row(RUNNERS, 201, id=NEW, place="Base"),
    "POST /attendance/points/{point_id}/renew": row(RUNNERS),
    "POST /attendance/points/{point_id}/end": row(RUNNERS),
    "GET /attendance/points/{point_id}/qr.svg": row(RUNNERS),
    "GET /attendance/where": row(EVERYBODY, 404, query="?code=x"),
    # Nobody is told what was wrong; a fresh file number each time, so that nobody has tried too often.
    "POST /attendance/clock": row(EVERYBODY, 403, id=NEW, code="x", file_number=NEW, pin="1357"),
    "POST /attendance/in": row(DESK, 201, id=NEW, member_id="a spare member", place="Base", reason="sin teléfono"),
    "POST /attendance/{member_id}/out": replace(row(DESK, reason="se fue"), on=PRESENT),
    "POST /attendance/{member_id}/stay": replace(row(DESK, until=IN_TWO_HOURS, reason="tormenta"), on=PRESENT),
    "POST /attendance/stints/{stint_id}/end": row(RUNNERS, ended_at=JUST_NOW, reason="se olvidó"),
    "GET /attendance/hours": row(RUNNERS, query=DAYS),
    "GET /attendance/hours.csv": row(RUNNERS, query=DAYS),
    "GET /attendance/{member_id}/hours": replace(row(RUNNERS, query=DAYS), on=PRESENT),
    "GET /on-call": row(ROOM),
    "POST /on-call": row(RUNNERS, 201, id=NEW, member_id="a spare member", title="Secretaria", rank=1, **TIME),
    "POST /on-call/{duty_id}/take-off": row(RUNNERS, reason=""),
}


async def stage(session: AsyncSession, city: City) -> dict[str, UUID]:
    """Some staff, their shifts, and one who is there."""
    at = now()
    ana, eva, spare = [await a_member(session, city, name=name) for name in ("Ana", "Eva", "Luz")]
    licence = await a_licence(session, ana)
    template = await draw_template(
        session,
        VIGIA,
        new_id(),
        name="Mañana",
        weekdays=[1],
        starts=dt.time(6),
        minutes=480,
        seats=[Seat("chofer", 1, 2)],
        unit_id=city.units["M1"],
    )
    later = [await a_slot(session, city.units["M2"], at + day * DAY, at + day * DAY + 8 * HOUR) for day in (2, 4, 6, 8)]
    placements = [await a_placement(session, slot, ana) for slot in later[:3]]
    asked = await ask_swap(session, VIGIA, new_id(), placement_id=placements[0].id)
    taken = await ask_swap(session, VIGIA, new_id(), placement_id=placements[1].id)
    await accept_swap(session, VIGIA, taken.id, member_id=eva.id)
    point = await make_point(session, VIGIA, new_id(), unit_id=city.units["M2"])
    present = await a_stint(session, eva, city.units["M2"], at - HOUR)
    duty = await put_on_call(
        session, VIGIA, new_id(), member_id=ana.id, title="Director", rank=2, starts_at=at, ends_at=at + DAY
    )
    return {
        "member_id": ana.id,
        "a spare member": spare.id,
        "credential_id": licence.id,
        "template_id": template.id,
        "slot_id": later[0].id,
        "an empty slot": later[3].id,
        "placement_id": placements[2].id,
        "a placement": placements[2].id,
        "swap_id": asked.id,
        "a swap that was accepted": taken.id,
        "point_id": point.id,
        "somebody who is there": eva.id,
        "stint_id": present.id,
        "duty_id": duty.id,
    }
