"""The map in the database: streets, zones, words for a point, tiles, and the wall behind the door."""

from __future__ import annotations

import datetime as dt
import gzip
import math

import mapbox_vector_tile
import pytest
import shapely
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from geo.addresses import describe_place
from geo.drives import Drive
from geo.layers import MapArea, lay_areas
from geo.places import metres, metres_to, near, point
from geo.streets import Street, StreetLink, lay_streets
from geo.tiles import Tiles, cut_tile, map_edition
from geo.travel import travel
from geo.zones import Zone, ZoneKind, lay_zones, zone_at, zones, zones_at
from realtime.database import new_id, now
from tests.conftest import Client

SALTA, JUJUY = -60.650, -60.649
RIOJA, MITRE = -32.950, -32.949


def line(*positions: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString(positions)


STREETS = [
    Street(1, 2, line((SALTA, RIOJA), (JUJUY, RIOJA)), "primary", "Rioja", 11, True, 60),
    Street(2, 3, line((JUJUY, RIOJA), (JUJUY, MITRE)), "residential", " Jujuy "),
    Street(3, 4, line((JUJUY, MITRE), (SALTA, MITRE)), "residential", "Mitre"),
    Street(4, 1, line((SALTA, MITRE), (SALTA, RIOJA)), "residential", "Salta"),
]


A_LINK = """
    INSERT INTO street_links (kind, alt_names, access, ramp, oneway, speed_kmh, length_m, a_node, b_node, shape)
    VALUES ('primary', '{}', 'all', false, false, 1, 1, 1, 2,"""


def a_zone(name: str, size: float, **more: object) -> Zone:
    shape = shapely.MultiPolygon([shapely.box(SALTA - size, RIOJA - size, JUJUY + size, MITRE + size)])
    return Zone(**({"id": new_id(), "kind": ZoneKind.BARRIO, "name": name, "shape": shape, "population": 9} | more))


def tile_over(longitude: float, latitude: float, z: int) -> tuple[int, int, int]:
    x = int((longitude + 180) / 360 * 2**z)
    y = int((1 - math.asinh(math.tan(math.radians(latitude))) / math.pi) / 2 * 2**z)
    return z, x, y


def layers_of(tile: bytes) -> dict[str, int]:
    """The layers of a vector tile and how many features each has."""
    return {name: len(layer["features"]) for name, layer in mapbox_vector_tile.decode(tile).items()}


async def test_streets_are_laid_at_once_and_driven_in_memory(session: AsyncSession) -> None:
    assert await lay_streets(session, STREETS, "© somebody") == 4
    assert await lay_streets(session, STREETS, "© somebody") == 4, "laid again, they replace the old ones"
    rows = (await session.scalars(select(StreetLink).order_by(StreetLink.id))).all()
    assert [row.name for row in rows] == ["Rioja", "Jujuy", "Mitre", "Salta"]
    assert [row.speed_kmh for row in rows] == [60, 35, 35, 35]
    assert rows[0].length_m == pytest.approx(93.3, abs=0.5)
    town = await travel(session)
    assert town.network is not None
    drive = town.route(point(JUJUY, RIOJA), point(SALTA, RIOJA), Drive())
    assert drive.streets == ("Jujuy", "Mitre", "Salta")


async def test_a_point_in_words(session: AsyncSession) -> None:
    await lay_streets(session, STREETS, "© somebody")
    await lay_zones(session, [a_zone("Centro", 0.005)])
    words = await describe_place(session, point(-60.64902, -32.95002))
    assert (words.place, words.zone) == ("Rioja y Jujuy", "Centro")
    assert (await describe_place(session, point(-60.9, -32.5))).place == "-32.50000, -60.90000"


async def test_the_smallest_zone_in_force_names_a_place(session: AsyncSession) -> None:
    past = now() - dt.timedelta(days=1)
    big, small = a_zone("Distrito", 0.02), a_zone("Barrio", 0.005)
    over, flood = a_zone("Viejo", 0.001, valid_until=past), a_zone("Bañado", 0.003, kind=ZoneKind.FLOOD)
    assert await lay_zones(session, [big, small, over, flood]) == 4
    place = point(-60.6495, -32.9495)
    found = await zone_at(session, place)
    assert found is not None
    assert (found.name, found.version) == ("Barrio", 1)
    assert [zone.name for zone in await zones_at(session, place) if zone.kind != ZoneKind.VECINAL] == [
        "Bañado",
        "Barrio",
        "Distrito",
    ]
    small.name = "Barrio Nuevo"
    await lay_zones(session, [small])
    session.expire_all()
    renamed = await zone_at(session, place)
    assert renamed is not None
    assert (renamed.name, renamed.version) == ("Barrio Nuevo", 2)
    assert "Viejo" not in [zone.name for zone in await zones(session)]


async def test_near_and_how_far(session: AsyncSession) -> None:
    await lay_streets(session, STREETS, "© somebody")
    here = point(-60.6495, -32.9505)
    query = select(StreetLink.name, metres_to(StreetLink.shape, here)).where(near(StreetLink.shape, here, 100))
    found = {row[0]: row[1] for row in await session.execute(query)}
    assert set(found) == {"Rioja", "Salta", "Jujuy"}
    assert found["Rioja"] == pytest.approx(metres(here, point(-60.6495, RIOJA)), rel=0.01)


@pytest.mark.parametrize(
    "shape",
    [
        "ST_GeomFromText('LINESTRING EMPTY', 4326)",
        "ST_GeomFromText('LINESTRING(0 0, 200 0)', 4326)",
        "ST_GeomFromText('LINESTRING(0 0, 0 91)', 4326)",
        "ST_GeomFromText('POINT(1 1)', 4326)",
        "ST_GeomFromText('LINESTRING(0 0, 1 1)', 3857)",
        "ST_SetSRID(ST_MakeLine(ST_MakePoint('NaN', 1), ST_MakePoint('NaN', 2)), 4326)",
        "ST_SetSRID(ST_MakeLine(ST_MakePoint('Infinity', 1), ST_MakePoint(1, 2)), 4326)",
        "ST_SetSRID(ST_MakeLine(ARRAY(SELECT ST_MakePoint(1, i/1000.0) FROM generate_series(1, 20001) i)), 4326)",
    ],
)
async def test_the_wall_behind_the_door(session: AsyncSession, shape: str) -> None:
    with pytest.raises(DBAPIError, match=r"shape|Geometry"):
        await session.execute(text(f"{A_LINK} {shape})"))


async def test_a_tile_has_the_layers_a_style_expects(session: AsyncSession) -> None:
    await lay_streets(session, STREETS, "© somebody")
    await lay_zones(session, [a_zone("Centro", 0.005)])
    near_by = layers_of(await cut_tile(session, *tile_over(-60.6495, -32.9495, 14)))
    assert near_by["roads"] == 4
    assert near_by["places"] == 1
    assert near_by["earth"] == 1
    far_off = layers_of(await cut_tile(session, *tile_over(-60.6495, -32.9495, 8)))
    assert far_off["roads"] == 1, "from afar only the avenue is drawn"
    sea = layers_of(await cut_tile(session, *tile_over(-40, -40, 14)))
    assert sea == {"earth": 1}, "a city that knows no coast is on land everywhere"
    await lay_areas(
        session, "earth", [MapArea(layer="earth", kind="earth", shape=shapely.box(-61, -33, -60, -32))], "©"
    )
    await session.flush()
    assert layers_of(await cut_tile(session, *tile_over(-40, -40, 14))) == {}


async def test_tiles_are_cut_once_for_each_edition(session: AsyncSession) -> None:
    await lay_streets(session, STREETS, "© somebody")
    where, kept = tile_over(-60.6495, -32.9495, 14), Tiles()
    edition = await map_edition(session)
    first = await kept.tile(session, edition, *where)
    assert await kept.tile(session, edition, *where) is first
    assert gzip.decompress(first.gzipped) == first.plain
    await lay_streets(session, STREETS[:2], "© somebody")
    renewed = await map_edition(session)
    assert renewed != edition
    assert layers_of((await kept.tile(session, renewed, *where)).plain)["roads"] == 2
    narrow = Tiles(kept_bytes=1)
    for z in (12, 13, 14):
        await narrow.tile(session, renewed, *tile_over(-60.6495, -32.9495, z))
    assert len(narrow._kept) == 1


async def test_tiles_over_http(client: Client) -> None:
    z, x, y = tile_over(-60.66, -32.95, 13)
    found = await client.get(f"/api/v1/tiles/{z}/{x}/{y}.mvt", headers={"Accept-Encoding": "gzip"})
    assert found.status_code == 200
    assert found.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert found.headers["content-encoding"] == "gzip"
    assert "max-age" in found.headers["cache-control"]
    assert "earth" in layers_of(found.content)
    plain = await client.get(f"/api/v1/tiles/{z}/{x}/{y}.mvt", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == found.content
    again = await client.get(f"/api/v1/tiles/{z}/{x}/{y}.mvt", headers={"If-None-Match": found.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for nowhere in ("3/8/0", "25/0/0", "-1/0/0", f"3/{10**30}/0"):
        assert (await client.get(f"/api/v1/tiles/{nowhere}.mvt")).status_code in {404, 422}


async def test_zones_and_words_over_http(client: Client) -> None:
    found = (await client.get("/api/v1/zones", params={"kind": "vecinal"})).json()
    assert {feature["properties"]["name"] for feature in found["features"]} == {"Oeste", "Este"}
    assert found["features"][0]["geometry"]["type"] == "MultiPolygon"
    assert (await client.get("/api/v1/zones", params={"kind": "x"})).status_code == 422
    words = (await client.get("/api/v1/places/describe", params={"lon": -60.66, "lat": -32.95})).json()
    assert words["place"] == words["address"] == "-32.95000, -60.66000"
    assert (words["street"], words["corner"], words["zone"], words["number"]) == (None, None, None, None)
    for lon, lat in (("nan", "1"), ("inf", "1"), ("200", "1"), ("0", "0"), ("", ""), ("a", "b")):
        answer = await client.get("/api/v1/places/describe", params={"lon": lon, "lat": lat})
        assert answer.status_code == 422, answer.text
