"""Run cards, alarm levels and tasks."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from incidents.alarm_levels import raise_alarm_level
from incidents.card_trials import ask_trial
from incidents.run_cards import CardLevel, Need
from incidents.tasks import add_task, complete_task
from realtime.database import new_id
from tests.api.matrix import BOSSES, HERE_AND_NOW, MANAGERS, NEW, SHARED, STAFF, UNAWARE, Row, row
from tests.builders import City, an_incident
from tests.scenes.cards import an_edition

READERS = STAFF | {"government", "administrator"}
A_TASK = "POST /incidents/{incident_id}/tasks/{task_id}"
A_LEVEL = {"needs": [{"capability": "TRA"}]}

ROWS: dict[str, Row] = {
    "GET /run-cards": row(READERS),
    "GET /run-cards/in-force": row(READERS, query="?type_code=SIN-01&priority=1"),
    "GET /run-cards/{type_code}": row(READERS),
    "POST /run-cards": row(MANAGERS, 201, id=NEW, type_code="SIN-03", levels=[A_LEVEL], seen=1),
    "POST /run-cards/editions/{edition_id}/withdraw": row(MANAGERS, reason="no alcanza"),
    "POST /run-cards/trials": row(BOSSES, 201, id=NEW, type_code="SIN-01", levels=[A_LEVEL]),
    "GET /run-cards/trials/{trial_id}": row(BOSSES),
    "POST /run-cards/preview": row(BOSSES, type_code="SIN-01", priority=1, levels=[A_LEVEL], location=HERE_AND_NOW),
    "POST /incidents/{incident_id}/alarm/raise": row(STAFF, level=2),
    "POST /incidents/{incident_id}/alarm/lower": row(STAFF, on="grown", level=1, reason="fue un error"),
    "GET /incidents/{incident_id}/tasks": row(SHARED | {"government"}, 200, *UNAWARE, "wall"),
    "POST /incidents/{incident_id}/tasks": row(STAFF, 201, id=NEW, text="Avisá a la escuela"),
    f"{A_TASK}/tick": row(STAFF, on="grown", step=0),
    f"{A_TASK}/done": row(STAFF, on="grown"),
    f"{A_TASK}/not-needed": row(STAFF, on="grown", reason="ya lo hizo Policía"),
    f"{A_TASK}/reopen": Row(STAFF, on={"incident_id": "grown", "task_id": "done task"}),
}


async def stage(session: AsyncSession, city: City) -> dict[str, UUID | str]:
    """An incident at its second alarm with two tasks, one of them done; an edition of a card."""
    trained = city.actor("trained")
    grown = await an_incident(session, trained)
    await raise_alarm_level(session, trained, grown.id, level=2)
    tasks = [
        await add_task(session, trained, grown.id, new_id(), text="Avisá", checklist=["a uno", "a otro"])
        for _ in range(2)
    ]
    await complete_task(session, trained, grown.id, tasks[1].id)
    edition = await an_edition(session, city.actor("supervisor"))
    trial = await ask_trial(
        session,
        city.actor("supervisor"),
        new_id(),
        type_code="SIN-01",
        priority=None,
        levels=[CardLevel(needs=(Need("TRA"),))],
    )
    return {
        "trial_id": trial.id,
        "grown": grown.id,
        "task_id": tasks[0].id,
        "done task": tasks[1].id,
        "edition_id": edition.id,
        "type_code": "SIN-02",
    }
