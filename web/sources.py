"""What a search looks through. A new kind of thing to be found is a line here."""

from __future__ import annotations

from incidents.search import search_incidents
from realtime.looking import Source
from resources.search import search_facilities, search_staff, search_units

SOURCES: tuple[Source, ...] = (search_incidents, search_units, search_facilities, search_staff)
