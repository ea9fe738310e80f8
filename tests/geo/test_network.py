"""The quickest way, on a town small enough to check by eye."""

from __future__ import annotations

import pytest
import shapely

from geo.drives import Drive
from geo.network import Link, NoStreetNear, StreetNetwork
from geo.places import metres, point
from geo.routes import Route
from geo.travel import NoWay, Travel

# Four corners of a block of about 100 m by 111 m, and an island nobody can drive to.
#   4 ── Mitre ── 3          north
#   │             │
# Salta         Jujuy
#   │             │
#   1 ── Rioja ─▶ 2          Rioja is one-way, eastward; a fast road of one link joins 1 and 3 as well
A, B, C, D = (-60.650, -32.950), (-60.649, -32.950), (-60.649, -32.949), (-60.650, -32.949)
FAR = ((-60.60, -32.95), (-60.60, -32.949))


def street(a: int, b: int, *line: tuple[float, float], name: str, oneway: bool = False, kmh: float = 36) -> Link:
    return Link(a, b, shapely.LineString(line), "residential", name, oneway, kmh)


TOWN = [
    street(1, 2, A, B, name="Rioja", oneway=True),
    street(2, 3, B, C, name="Jujuy"),
    street(3, 4, C, D, name="Mitre"),
    street(4, 1, D, A, name="Salta"),
    street(8, 9, *FAR, name="Isla"),
]


def drive_in(links: list[Link], start: tuple[float, float], end: tuple[float, float], pace: float = 1.0) -> Route:
    return Travel(StreetNetwork(links)).route(point(*start), point(*end), Drive(pace=pace))


def test_a_one_way_street_is_driven_one_way() -> None:
    there = drive_in(TOWN, A, B)
    assert there.streets == ("Rioja",)
    assert there.seconds == pytest.approx(metres(point(*A), point(*B)) / 10, rel=0.01)
    back = drive_in(TOWN, B, A)
    assert back.streets == ("Jujuy", "Mitre", "Salta")
    assert back.metres == pytest.approx(3.3 * there.metres, rel=0.1)
    assert back.line[0] == pytest.approx(B, abs=1e-6)
    assert back.line[-1] == pytest.approx(A, abs=1e-6)


def test_a_place_behind_you_on_a_one_way_street_is_round_the_block() -> None:
    late, early = (-60.6492, -32.95), (-60.6498, -32.95)
    assert drive_in(TOWN, early, late).metres == pytest.approx(metres(point(*early), point(*late)), rel=0.01)
    assert drive_in(TOWN, late, early).streets == ("Rioja", "Jujuy", "Mitre", "Salta", "Rioja")


def test_of_two_streets_between_the_same_corners_the_quicker_is_taken() -> None:
    slow_and_fast = [*TOWN, street(1, 2, A, B, name="Autopista", kmh=72)]
    for links in (slow_and_fast, slow_and_fast[::-1]):
        middle = drive_in(links, (-60.65, -32.9495), (-60.649, -32.9495))
        assert "Autopista" in middle.streets or "Mitre" in middle.streets
        assert drive_in(links, D, B).seconds < 22


def test_a_drive_says_where_one_is_at_each_instant() -> None:
    drive = drive_in(TOWN, A, C, 0.5)
    start, middle, end = drive.at(0), drive.at(drive.seconds / 2), drive.at(drive.seconds + 60)
    assert (start.longitude, start.latitude) == pytest.approx(A, abs=1e-6)
    assert start.speed_kmh == pytest.approx(18, rel=0.01)
    assert middle.heading in (pytest.approx(90, abs=1), pytest.approx(0, abs=1))
    assert (end.longitude, end.latitude) == pytest.approx(C, abs=1e-6)
    assert end.speed_kmh == 0


def test_what_cannot_be_driven_to_is_said() -> None:
    town = StreetNetwork(TOWN)
    with pytest.raises(NoWay):
        drive_in(TOWN, A, FAR[0])
    with pytest.raises(NoStreetNear):
        drive_in(TOWN, A, (-60.7, -33.0))
    assert not town.well_connected(4)
    assert town.well_connected(0)
    assert town.snap(point(-60.6495, -32.9502)).metres == pytest.approx(22, abs=2)


def test_already_being_there_is_a_drive_too() -> None:
    here = drive_in(TOWN, A, A)
    assert (here.seconds, here.metres, len(here.line)) == (0.0, 0.0, 2)
    assert here.at(5).speed_kmh == 0
