"""Every table there is. A table is known once its module is imported, so each module with tables stands here."""

from __future__ import annotations

from geo import city, closures, fences, imports, landmarks, layers, numbering, speeds, streets, zones
from incidents import (
    alarms,
    assignments,
    bonds,
    catalogue,
    circuits,
    coverage_targets,
    dispatch_policy,
    incident,
    links,
    major_log,
    majors,
    move_ups,
    reports,
    run_cards,
    sos,
    soundings,
    storm,
    tasks,
    timeline,
    tracking,
    undo,
    watchdogs,
)
from realtime import idempotency, journal, past, reactions, registers
from realtime.database import Base
from resources import (
    attendance,
    capabilities,
    crews,
    devices,
    equipment,
    facilities,
    fence_watch,
    on_call,
    organizations,
    people,
    photos,
    positions,
    preferences,
    shifts,
    sign_in,
    staff,
    tracks,
    units,
    vehicles,
)
from web import throttle
from web.demo import control

MODULES = (
    *(journal, idempotency, past, reactions, registers),
    *(zones, streets, layers, landmarks, numbering, city, closures, fences, imports, speeds),
    *(organizations, facilities, people, sign_in, units, positions, tracks, fence_watch),
    *(capabilities, equipment, vehicles, photos, staff, shifts, attendance, crews, on_call, devices, preferences),
    *(assignments, catalogue, incident, reports, timeline, tracking, tasks, undo, sos),
    *(bonds, links, majors, major_log),
    *(run_cards, coverage_targets, dispatch_policy, move_ups, alarms, watchdogs, storm, circuits, soundings),
    *(throttle, control),
)
METADATA = Base.metadata
