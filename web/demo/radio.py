"""What the simulated crews say over the air, as the simulated desk writes it down now and then."""

from __future__ import annotations

import random
from collections.abc import MutableMapping

from web.demo.world import Act, World, demo_id

SHARE = 0.35  # of changes that are worth a word
SAYINGS = {
    "en_route": ("Salimos para ahí.", "En camino, hay mucho tránsito.", "Vamos por la avenida."),
    "on_scene": ("Llegando al lugar.", "En el lugar, no se ve nada todavía.", "Acá estamos, ya te paso el parte."),
    "transporting": ("Llevamos uno al hospital, estable.", "Trasladando, avisale a la guardia."),
}


def said_over_the_air(world: World, who: str, seen: MutableMapping[str, str]) -> list[Act]:
    """A line for some of the units whose status has changed since it was last looked at; `seen` keeps what it was."""
    acts = []
    for id_, unit in world.units().items():
        status, before = unit["status"], seen.get(id_)
        seen[id_] = status
        if before in {None, status} or status not in SAYINGS:
            continue
        dice = random.Random(f"{unit['assignment_id']}:{status}")
        if dice.random() < SHARE:
            words = {"id": str(demo_id(dice)), "unit_id": id_, "text": dice.choice(SAYINGS[status])}
            acts.append(Act(who, "/radio-log", words, f"radio:{id_}"))
    return acts
