"""Who may do what with walls. What a wall may ask itself is in `tests/walls`."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from resources.walls import Wall, WallView
from tests.api.matrix import BOSSES, DESK, EVERYBODY, NEW, PEOPLE, row
from tests.builders import City
from tests.scenes.walls import a_wall

ITSELF = frozenset({"wall"})
OTHERS = tuple(PEOPLE - ITSELF)

ROWS = {
    "POST /session/wall": row(EVERYBODY, 401, token="no es ninguno"),
    "GET /walls": row(DESK),
    "POST /walls": row(BOSSES, 201, id=NEW, name="Pared nueva"),
    "POST /walls/{wall_id}/link": row(BOSSES),
    "POST /walls/{wall_id}/revoke": row(BOSSES),
    "POST /walls/{wall_id}/amend": row(BOSSES, name="Pared del fondo"),
    "POST /walls/{wall_id}/show": row(DESK, view="board"),
    "POST /walls/{wall_id}/centre": row(DESK, zoom=14),
    "POST /walls/{wall_id}/brightness": row(DESK, brightness=0.5),
    "POST /walls/{wall_id}/reload": row(DESK),
    "POST /walls/{wall_id}/calibrate": row(DESK, metres=6.0),
    "GET /walls/own/crisis": row(ITSELF, 200, *OTHERS),
    "GET /walls/own/numbers": row(ITSELF, 200, *OTHERS),
    "POST /walls/own/heard": row(ITSELF, 200, *OTHERS, view="board", width=1920, height=1080, page="x", up_s=5),
}


async def stage(session: AsyncSession, city: City) -> dict[str, UUID]:
    """A wall hangs, and the account of another one is a wall too."""
    own = city.people["wall"][0]
    session.add(
        Wall(
            id=own, name="Pared", views=list(WallView), made_by="", view=WallView.BOARD, heard={}, version=0, told_to=[]
        )
    )
    await session.flush()
    return {"wall_id": (await a_wall(session, city)).id}
