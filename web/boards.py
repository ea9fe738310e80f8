"""Every kind of thing that is live, and where its board is. A new kind on the map is a line here."""

from __future__ import annotations

from geo import closures, fences, zones
from incidents import alarms, bonds, circuits, incident, majors, move_ups, radio_lines, reports, sos, storm
from realtime import registers
from realtime.catch_up import Boards
from resources import units, walls
from web.demo import control

BOARDS: Boards = {
    "report": reports.board,
    "incident": incident.board,
    "alarm": alarms.board,
    "link": bonds.board,
    "major": majors.board,
    "member": bonds.board_of_members,
    "storm": storm.board,
    "circuit": circuits.board,
    "radio": radio_lines.board,
    "unit": units.board,
    "wall": walls.board,
    "move_up": move_ups.board,
    "sos": sos.board,
    "closure": closures.board,
    "zones": zones.board,
    "fence": fences.board,
    "visit": fences.board_of_visits,
    "register": registers.board,
    "simulation": control.board,
}
