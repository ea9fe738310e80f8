"""San Francisco Fire Department, calls for service (DataSF nuek-vuh3): one row per unit and call."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from incidents.assignments import AssignmentStatus as A
from incidents.reports import Channel
from resources.units import UnitKind
from web.replay.log import Answer, Call, Ending, Log, LoggedUnit, Position, Row, position_in, rows_of, stamps_in, tidy

REGION = (-123.2, 37.4, -122.0, 38.0)  # the city with its islands and its airport, and some bay
PATTERN = "%m/%d/%Y %I:%M:%S %p"
RECEIVED, ENTERED, SENT, RESPONSE, ON_SCENE, TRANSPORT, HOSPITAL, FREE = (
    "Received DtTm",
    "Entry DtTm",
    "Dispatch DtTm",
    "Response DtTm",
    "On Scene DtTm",
    "Transport DtTm",
    "Hospital DtTm",
    "Available DtTm",
)
TIMES = (RECEIVED, ENTERED, SENT, RESPONSE, ON_SCENE, TRANSPORT, HOSPITAL, FREE)
MOVES = {RESPONSE: A.EN_ROUTE, ON_SCENE: A.ON_SCENE, TRANSPORT: A.TRANSPORTING, HOSPITAL: A.AT_DESTINATION}
NEEDED = ("Call Number", "Unit ID", "Call Type", "Call Final Disposition", "Unit Type", "Address", "Location", *TIMES)

# Every kind of call that the city's dictionary names, and the nearest of our types.
TYPES: Mapping[str, str] = {
    "administrative": "SRV-01",
    "aircraft emergency": "SAN-05",
    "alarms": "INC-01",  # a fire alarm is a fire until somebody has looked
    "assist police": "SEG-05",
    "citizen assist / service call": "SRV-01",
    "confined space / structure collapse": "INC-06",
    "electrical hazard": "MET-02",
    "elevator / escalator rescue": "SAN-01",
    "explosion": "INC-06",
    "extrication / entrapped (machinery, vehicle)": "SIN-01",
    "fuel spill": "INC-05",
    "gas leak (natural and lp gases)": "INC-04",
    "hazmat": "INC-05",
    "high angle rescue": "SAN-01",
    "industrial accidents": "SAN-01",
    "lightning strike (investigation)": "MET-02",
    "marine fire": "INC-02",
    "medical incident": "SAN-01",
    "mutual aid / assist outside agency": "SRV-01",
    "odor (strange / unknown)": "INC-05",
    "oil spill": "INC-05",
    "other": "SRV-01",
    "outside fire": "INC-03",
    "smoke investigation (outside)": "INC-03",
    "structure fire": "INC-01",
    "structure fire / smoke in structure": "INC-01",
    "suspicious package": "SEG-10",
    "traffic collision": "SIN-01",
    "train / rail fire": "INC-02",
    "train / rail incident": "SIN-01",
    "transfer": "SRV-01",
    "vehicle fire": "INC-02",
    "water rescue": "AGU-01",
    "watercraft in distress": "AGU-01",
}
OTHER_TYPE = "SRV-01"

# The log's own groups say more than its 2 and 3 (without and with lights and siren).
PRIORITIES: Mapping[str, int] = {
    "potentially life-threatening": 1,
    "fire": 1,
    "alarm": 2,
    "non life-threatening": 3,
}
BY_SIREN: Mapping[str, int] = {"3": 2, "2": 3}

DISPOSITIONS: Mapping[str, str] = {
    "against medical advice": "no_action",
    "admin": "no_action",
    "cancelled": "cancelled",
    "chp": "referred",
    "code 2 transport": "transported",
    "code 3 transport": "transported",
    "duplicate": "duplicate",
    "fire": "resolved",
    "gone on arrival": "unfounded",
    "medical examiner": "referred",
    "multi-casualty incident": "transported",
    "no merit": "unfounded",
    "other": "resolved",
    "patient declined transport": "no_action",
    "sfpd": "referred",
    "unable to locate": "unfounded",
}
OTHER_DISPOSITION = "resolved"

UNITS: Mapping[str, tuple[UnitKind, tuple[str, ...]]] = {
    "airport": (UnitKind.FIRE, ("BOM", "CISTERNA")),
    "chief": (UnitKind.FIRE, ("BOM", "JEFATURA")),
    "engine": (UnitKind.FIRE, ("BOM", "CISTERNA")),
    "investigation": (UnitKind.FIRE, ("BOM", "PERICIA")),
    "medic": (UnitKind.AMBULANCE, ("AMB", "TRASLADO")),
    "private": (UnitKind.AMBULANCE, ("AMB", "TRASLADO")),
    "rescue captain": (UnitKind.AMBULANCE, ("AMB", "JEFATURA")),
    "rescue squad": (UnitKind.FIRE, ("BOM", "EXCARCELACION")),
    "support": (UnitKind.FIRE, ("BOM", "APOYO")),
    "truck": (UnitKind.FIRE, ("BOM", "ALTURA")),
}
OTHER_UNIT = (UnitKind.FIRE, ("BOM",))

_LOCATION = re.compile(r"\(\s*([^,()]+?)\s*,\s*([^,()]+?)\s*\)")
_POINT = re.compile(r"POINT\s*\(\s*(\S+)\s+(\S+)\s*\)", re.IGNORECASE)  # how later exports write it


def read(file: Path) -> Log:
    """The log in `file`. Raises `NotThatLog`."""
    log = Log("sf-fire", ZoneInfo("America/Los_Angeles"), "San Francisco Fire Department (registro)", "SF ")
    calls: dict[str, Call] = {}
    answered: set[tuple[str, str]] = set()
    for line, row in rows_of(log, file, NEEDED):
        _read_row(log, line, row, calls, answered)
    log.calls = sorted(calls.values(), key=lambda call: (call.received_at, call.key))
    return log


def _read_row(log: Log, line: int, row: Row, calls: dict[str, Call], answered: set[tuple[str, str]]) -> None:
    number, unit_id = row["call number"], row["unit id"]
    if not number:
        return log.trouble(line, "no call number", left_out=True)
    if (number, unit_id) in answered:
        return log.trouble(line, "repeated row", f"{number} {unit_id}", left_out=True)
    stamps = stamps_in(log, line, row, TIMES, PATTERN)
    if not stamps:
        return log.trouble(line, "no time at all", left_out=True)
    answered.add((number, unit_id))
    received = stamps.get(RECEIVED) or stamps.get(ENTERED) or stamps.get(SENT) or min(stamps.values())
    position = _position(log, line, row["location"])
    call = calls.get(number)
    if call is None:
        call = calls[number] = _call(log, line, row, received, stamps.get(ENTERED, received))
    elif RECEIVED in stamps and (received, *_told(row)) != (call.received_at, call.words, call.place):
        log.trouble(line, "differs from its call's first row, which counts", number)
    call.position = call.position or position
    call.rows += 1
    if not unit_id:
        return log.trouble(line, "no unit: only its call is kept", number)
    if SENT not in stamps:
        log.trouble(line, "no time of sending: the call's is taken", f"{number} {unit_id}")
    moves = [(MOVES[column], stamps[column]) for column in MOVES if column in stamps]
    sent = stamps.get(SENT) or stamps.get(ENTERED) or received
    call.answers.append(Answer(line, _unit(log, line, row), sent, moves, stamps.get(FREE)))
    return None


def _told(row: Row) -> tuple[str, str]:
    """What was told, and where, in the log's own words."""
    place = ", ".join(part for part in (row["address"], row.get("neighborhood district", "")) if part)
    words = ". ".join(part for part in (row["call type"], row.get("call type group", "")) if part)
    return words or "—", place[:200]


def _call(log: Log, line: int, row: Row, received_at: dt.datetime, entered_at: dt.datetime) -> Call:
    kind, final = tidy(row["call type"]), tidy(row["call final disposition"])
    if kind not in TYPES:
        log.trouble(line, "unknown kind of call", row["call type"])
    if final not in DISPOSITIONS:
        log.trouble(line, "unknown ending", row["call final disposition"])
    words, place = _told(row)
    siren = row.get("final priority") or row.get("priority", "")
    return Call(
        key=row["call number"],
        line=line,
        received_at=received_at,
        entered_at=entered_at,
        words=words,
        place=place,
        position=None,
        channel=Channel.PHONE,
        type_code=TYPES.get(kind, OTHER_TYPE),
        priority=PRIORITIES.get(tidy(row.get("call type group", "")), BY_SIREN.get(siren)),
        ending=Ending.CLOSE,
        code=DISPOSITIONS.get(final, OTHER_DISPOSITION),
        ended_at=None,
    )


def _unit(log: Log, line: int, row: Row) -> LoggedUnit:
    kind = tidy(row["unit type"])
    if kind not in UNITS:
        log.trouble(line, "unknown kind of unit", f"{row['unit id']}: {row['unit type']}")
    drawing, capabilities = UNITS.get(kind, OTHER_UNIT)
    return LoggedUnit(row["unit id"], drawing, capabilities)


def _position(log: Log, line: int, text: str) -> Position | None:
    if found := _POINT.search(text):
        return position_in(log, line, found[1], found[2], REGION)
    found = _LOCATION.search(text)
    return position_in(log, line, found[2] if found else text, found[1] if found else "", REGION)
