"""A small city of Argentine manners: a grid of known names, an avenue of two carriageways, two streets of one name."""

from __future__ import annotations

import shapely

from geo.numbering import AddressPoint
from geo.places import metres, point
from geo.street_index import Area, Door, Named, Piece, StreetIndex
from geo.streets import Street

WEST, SOUTH = -60.66, -32.96
BLOCK_LON, BLOCK_LAT = 0.00107, 0.0009  # a hundred metres

UP = ["Bartolomé Mitre", "Italia", "Bulevar Oroño", "Avenida San Martín", "Moreno", "Calle 5", "Martín Fierro"]
ACROSS = ["Rioja", "San Juan", "9 de Julio", "27 de Febrero", "1º de Mayo", "Salta", "Jujuy", "General Paz", "Hierro"]
OTHER_NAMES = {"Bulevar Oroño": ["Bulevar Santafesino"], "Salta": ["Ayacucho"]}
FAR = 40  # blocks east: another quarter with a San Martín of its own


def corner(up: str, across: str) -> shapely.Point:
    """Where two streets of the grid meet."""
    return point(WEST + UP.index(up) * BLOCK_LON, SOUTH + ACROSS.index(across) * BLOCK_LAT)


def _node(column: float, row: float) -> tuple[float, float]:
    return (WEST + column * BLOCK_LON, SOUTH + row * BLOCK_LAT)


def _streets() -> list[tuple[str, str, int, int, shapely.LineString]]:
    found: list[tuple[str, str, int, int, shapely.LineString]] = []

    def lay(name: str, kind: str, one: tuple[float, float], other: tuple[float, float], ends: tuple[int, int]) -> None:
        found.append((name, kind, *ends, shapely.LineString([_node(*one), _node(*other)])))

    for column, name in enumerate(UP):
        twice = name == "Bulevar Oroño"
        for row in range(len(ACROSS) - 1):
            for lane, aside in ((0, 0.0), (1, 0.2)) if twice else ((0, 0.0),):
                ends = (_number(column, row, lane), _number(column, row + 1, lane))
                kind = "primary" if twice else "residential"
                lay(name, kind, (column + aside, row), (column + aside, row + 1), ends)
    for row, name in enumerate(ACROSS):
        for column in range(len(UP) - 1):
            if UP[column] == "Bulevar Oroño":  # between its two carriageways is a bit of the cross street
                lay(
                    name,
                    "residential",
                    (column, row),
                    (column + 0.2, row),
                    (_number(column, row), _number(column, row, 1)),
                )
                lay(
                    *(name, "residential", (column + 0.2, row), (column + 1, row)),
                    (_number(column, row, 1), _number(column + 1, row)),
                )
            else:
                lay(
                    name,
                    "residential",
                    (column, row),
                    (column + 1, row),
                    (_number(column, row), _number(column + 1, row)),
                )
    for row in range(3):
        lay("San Martín", "residential", (FAR, row), (FAR, row + 1), (9000 + row, 9001 + row))
    lay("Pasaje Mitre", "living_street", (FAR, 1), (FAR + 1, 1), (9001, 9101))
    lay("Las Heras", "residential", (FAR + 1.4, 1), (FAR + 1.4, 3), (9201, 9202))  # forty metres short of the passage
    return found


def _number(column: int, row: int, lane: int = 0) -> int:
    return 1 + (column * 100 + row) * 2 + lane


def _doors() -> list[tuple[str, int, str | None, float, float]]:
    """San Martín: from 1000 at Rioja, a hundred for each block, even numbers in the west, two blocks unknown."""
    found: list[tuple[str, int, str | None, float, float]] = []
    column = UP.index("Avenida San Martín")
    for number in (1002, 1090, 1110, 1188, 1205, 1290, 1403, 1480):
        x, y = _node(column + (0.05 if number % 2 else -0.05), (number - 1000) / 100)
        found.append(("Av. San Martin", number, None, x, y))
    x, y = _node(column + 0.05, 1.5)
    found += [("Avenida San Martín", 1151, "bis", x, y)]
    x, y = _node(FAR + 0.05, 1.5)
    return [*found, ("San Martín", 151, None, x, y)]


CENTRO = Area("Centro", "barrio", shapely.box(*_node(-1, -1), *_node(len(UP), len(ACROSS))))
ESTE = Area("Villa del Este", "barrio", shapely.box(*_node(FAR - 2, -2), *_node(FAR + 4, 5)))
HOSPITAL = Named("Hospital de Emergencias Clemente Álvarez", ["HECA"], "hospital", "Pellegrini 3205", *_node(5.5, 5.5))


def index() -> StreetIndex:
    """The city in memory."""
    pieces = [
        Piece(at, name, OTHER_NAMES.get(name, []), kind, a, b, line)
        for at, (name, kind, a, b, line) in enumerate(_streets())
    ]
    return StreetIndex(pieces, [Door(*door) for door in _doors()], [HOSPITAL], [CENTRO, ESTE], "Rosario")


def rows() -> tuple[list[Street], list[AddressPoint]]:
    """The city on its way into the database."""
    streets = [
        Street(a, b, line, kind, name, alt_names=tuple(OTHER_NAMES.get(name, ())))
        for name, kind, a, b, line in _streets()
    ]
    doors = [
        AddressPoint(street=street, number=number, suffix=suffix, shape=point(x, y))
        for street, number, suffix, x, y in _doors()
    ]
    return streets, doors


def apart(one: shapely.Point, other: shapely.Point) -> float:
    """Metres between two points."""
    return metres(one, other)
