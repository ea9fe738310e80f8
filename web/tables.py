"""Every table there is. A table is known once its module is imported, so each module with tables stands here."""

from __future__ import annotations

from geo import city, closures, fences, imports, landmarks, layers, numbering, speeds, streets, zones
from incidents import assignments, catalogue, incident, reports, timeline, tracking
from realtime import idempotency, journal, reactions
from realtime.database import Base
from resources import facilities, fence_watch, organizations, people, positions, sign_in, tracks, units
from web import throttle
from web.demo import control

MODULES = (
    *(journal, idempotency, reactions),
    *(zones, streets, layers, landmarks, numbering, city, closures, fences, imports, speeds),
    *(organizations, facilities, people, sign_in, units, positions, tracks, fence_watch),
    *(assignments, catalogue, incident, reports, timeline, tracking),
    *(throttle, control),
)
METADATA = Base.metadata
