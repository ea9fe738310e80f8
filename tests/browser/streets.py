"""Streets for the test city: a chessboard, so that a way around a closure can be counted in blocks."""

from __future__ import annotations

import asyncio
import itertools

from shapely import LineString

from geo.streets import Street, StreetKind, lay_streets
from realtime.database import connect, sessions_of, transaction

WEST, SOUTH = -60.668, -32.966
COLUMNS, ROWS = 15, 9
STEP = 0.004  # degrees: blocks of 374 by 445 metres


def corner(column: int, row: int) -> tuple[float, float]:
    """Where two streets meet, longitude first."""
    return round(WEST + column * STEP, 6), round(SOUTH + row * STEP, 6)


def lay_chessboard(database_url: str) -> None:
    """Fifteen streets up, nine across, in both directions; both places of the test city lie on a crossing."""

    async def lay() -> None:
        engine = connect(database_url, pool=1)
        async with transaction(sessions_of(engine)) as session:
            await lay_streets(session, list(_chessboard()), "Calles de prueba")
        await engine.dispose()

    asyncio.run(lay())


def _chessboard() -> list[Street]:
    def node(column: int, row: int) -> int:
        return column * 100 + row

    def street(one: tuple[int, int], other: tuple[int, int], name: str) -> Street:
        line = LineString([corner(*one), corner(*other)])
        return Street(a_node=node(*one), b_node=node(*other), shape=line, kind=StreetKind.RESIDENTIAL, name=name)

    across = [
        street((column, row), (column + 1, row), f"Calle {row + 1}")
        for column, row in itertools.product(range(COLUMNS - 1), range(ROWS))
    ]
    up = [
        street((column, row), (column, row + 1), f"Avenida {column + 1}")
        for column, row in itertools.product(range(COLUMNS), range(ROWS - 1))
    ]
    return across + up
