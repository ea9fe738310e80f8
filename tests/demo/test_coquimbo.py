"""The demo's streets and zones, as they come out of their file."""

from __future__ import annotations

import struct
from collections import Counter
from pathlib import Path

import pytest
import shapely

from geo.drives import Drive
from geo.network import StreetNetwork
from geo.places import metres, point
from geo.streets import USUAL_SPEED
from geo.travel import Travel
from web.demo.coquimbo import from_spatialite, land, network_database, read_streets, read_zones
from web.demo.names import PASSWORD_WORDS, barrio_names, readable_password
from web.demo.simulation import link_of


def blob(body: bytes, order: str = "<") -> bytes:
    mark = b"\x01" if order == "<" else b"\x00"
    return b"\x00" + mark + struct.pack(f"{order}I4d", 4326, 0, 0, 1, 1) + b"\x7c" + body + b"\xfe"


@pytest.mark.parametrize("order", ["<", ">"])
def test_spatialite_blobs_of_every_plain_class(order: str) -> None:
    def pack(form: str, *numbers: float) -> bytes:
        return struct.pack(f"{order}{form}", *numbers)

    assert from_spatialite(blob(pack("I2d", 1, -71, -30), order)) == shapely.Point(-71, -30)
    assert from_spatialite(blob(pack("II4d", 2, 2, 0, 0, 1, 1), order)) == shapely.LineString([(0, 0), (1, 1)])
    ring = pack("I8d", 4, 0, 0, 1, 0, 1, 1, 0, 0)
    polygon = pack("II", 3, 1) + ring
    assert from_spatialite(blob(polygon, order)) == shapely.Polygon([(0, 0), (1, 0), (1, 1)])
    several = pack("II", 6, 2) + (b"\x69" + polygon) * 2
    assert len(shapely.get_parts(from_spatialite(blob(several, order)))) == 2


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"POINT(1 1)",
        blob(struct.pack("<II4d", 1000002, 2, 0, 0, 1, 1)),
        blob(struct.pack("<I2d", 1, -71, -30) + b"more"),
        blob(struct.pack("<II", 6, 1) + b"\x01" + struct.pack("<II", 3, 0)),
        blob(struct.pack("<I2d", 1, -71, -30))[:-1],
    ],
)
def test_what_is_no_blob_is_refused(bad: bytes) -> None:
    with pytest.raises(ValueError, match="SpatiaLite"):
        from_spatialite(bad)


def test_the_real_city(network_file: Path) -> None:
    with network_database(network_file) as database:
        streets, zones = read_streets(database), read_zones(database)
    assert (len(streets), len(zones)) == (19_846, 133)  # 19,983 links less 137 centroid connectors
    assert sum(zone.population for zone in zones) == pytest.approx(451_900, abs=100)
    assert all(street.kind in USUAL_SPEED for street in streets)
    assert Counter(street.oneway for street in streets)[True] > 5000
    names = barrio_names(zones, streets)
    assert len(set(names)) == 133
    assert "Huanhualí" in {street.name for street in streets}
    ground = land(zones)
    assert ground.is_valid
    assert ground.contains(point(-71.2519, -29.9027)), "the main square of La Serena is on land"
    assert not ground.contains(point(-71.33, -29.90)), "the bay is not"
    network = StreetNetwork([link_of(street) for street in streets])
    square, harbour = point(-71.2519, -29.9027), point(-71.3375, -29.9533)
    drive = Travel(network).route(square, harbour, Drive())
    assert 1.05 * metres(square, harbour) < drive.metres < 1.6 * metres(square, harbour)
    assert 6 * 60 < drive.seconds < 25 * 60
    back = Travel(network).route(harbour, square, Drive())
    assert back.streets != drive.streets[::-1], "one-ways make the way back another"


def test_passwords_can_be_read_out_and_are_never_the_same() -> None:
    made = {readable_password() for _ in range(200)}
    assert len(made) == 200
    assert all(password.isascii() and len(password) >= 12 for password in made)
    assert len(set(PASSWORD_WORDS)) == len(PASSWORD_WORDS) >= 100
