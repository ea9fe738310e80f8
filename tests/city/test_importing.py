"""Making a city and importing onto it, as the operator does; and the same file again, in a newer edition."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import func, select

from geo import files as map_files
from geo.city import City, extent
from geo.closures import ClosureKind, closures_in_force, draw_closure
from geo.difference import Thing, key_of, pairs, unique_keys
from geo.files import Wishes, read_map_file
from geo.imports import latest_imports
from geo.landmarks import Landmark
from geo.layers import edition_of
from geo.numbering import AddressPoint
from geo.osm import reading, turns
from geo.places import geojson, point
from geo.streets import STREETS, StreetLink
from geo.zones import Zone, ZoneKind, zone_at, zones
from realtime.access import VIGIA
from realtime.database import Sessions, new_id, transaction
from realtime.database import reading as looking
from realtime.journal import Entry
from resources.facilities import facilities
from tests.city.conftest import Drawing
from tests.conftest import SignIn, real
from web.city.importing import Order, import_file
from web.city.making import FINE, NOTHING, POLYGONS, REFUSED, make_city
from web.city.showing import show_city
from web.city.words import SPANISH
from web.settings import Settings

Shape = dict[str, Any]


class Terminal:
    """What was printed."""

    def __init__(self) -> None:
        self.paper = io.StringIO()
        self.console = Console(file=self.paper, width=160)

    @property
    def text(self) -> str:
        return self.paper.getvalue()


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


def square(column: float, row: float, size: float = 1.0) -> Shape:
    west, south = -60.70 + column * 0.01, -32.96 + row * 0.01
    east, north = west + size * 0.01, south + size * 0.01
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def written(file: Path, *features: tuple[Shape | None, dict[str, Any]]) -> Path:
    made = [{"type": "Feature", "geometry": shape, "properties": fields} for shape, fields in features]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": made}), "utf-8")
    return file


async def zones_of(sessions: Sessions, kind: ZoneKind) -> Sequence[Zone]:
    async with looking(sessions) as session:
        return await zones(session, kind)


# ── A city ────────────────────────────────────────────────────────────────────────────────────────


async def test_porto_alegre_from_nothing(settings: Settings, sessions: Sessions, terminal: Terminal) -> None:
    file = real("osm_porto_alegre_br/poa_osm.pbf")
    assert await make_city(settings, "Porto Alegre", file, console=terminal.console) == FINE
    assert "jurisdicción" in terminal.text
    async with looking(sessions) as session:
        city = (await session.scalars(select(City))).one()
        assert (city.name, city.source) == ("Porto Alegre", "poa_osm.pbf")
        assert (await session.scalar(select(func.count()).select_from(StreetLink)) or 0) > 20_000
        frame = await extent(session)
        assert frame is not None
        assert -51.4 < frame[0] < frame[2] < -51.0
        (made,) = await latest_imports(session)
        assert made.counts["links"] > 20_000
    assert (settings.data / "own-city").read_text() == "Porto Alegre\n"
    assert await make_city(settings, "Otra", file, console=terminal.console) == REFUSED
    assert "--replace" in terminal.text
    assert await show_city(settings, terminal.console) == FINE
    assert "Porto Alegre, de poa_osm.pbf" in terminal.text


async def test_a_bad_file_changes_nothing(
    settings: Settings, sessions: Sessions, terminal: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "cut.osm.pbf"
    file.write_bytes(real("osm_small/andorra.osm.pbf").read_bytes()[:400_000])
    async with looking(sessions) as session:
        before = await edition_of(session), await session.scalar(select(func.count()).select_from(StreetLink))
    assert await make_city(settings, "Andorra", file, replace=True, console=terminal.console) == NOTHING
    assert "cortado" in terminal.text
    async with looking(sessions) as session:
        assert (await edition_of(session), await session.scalar(select(func.count()).select_from(StreetLink))) == before
        assert (await session.scalars(select(City))).first() is None


async def test_limits_from_a_file_and_from_the_map(
    settings: Settings, sessions: Sessions, terminal: Terminal, tmp_path: Path
) -> None:
    file = real("osm_small/liechtenstein.osm.pbf")
    assert await make_city(settings, "Vaduz", file, replace=True, console=terminal.console) == FINE
    assert "fuera de ella" in terminal.text
    vaduz = next(zone for zone in await zones_of(sessions, ZoneKind.JURISDICTION) if zone.name == "Vaduz")
    async with looking(sessions) as session:
        whole = await session.scalar(select(func.count()).select_from(StreetLink)) or 0
    limits = written(tmp_path / "limits.geojson", (geojson(vaduz.shape), {}))
    made = await make_city(settings, "Vaduz", file, boundary=limits, replace=True, console=terminal.console)
    assert made == FINE
    again = next(zone for zone in await zones_of(sessions, ZoneKind.JURISDICTION) if zone.name == "Vaduz")
    assert again.id == vaduz.id
    async with looking(sessions) as session:
        clipped = await session.scalar(select(func.count()).select_from(StreetLink)) or 0
        assert 0 < clipped < whole
        assert (await session.scalar(select(func.count()).select_from(AddressPoint)) or 0) > 50


async def test_the_same_city_again_keeps_its_landmarks_ids(
    settings: Settings, sessions: Sessions, drawing: Drawing, tmp_path: Path, terminal: Terminal
) -> None:
    drawing.cross().node(50, 0.5, 0.5, amenity="hospital", name="HECA")
    file = tmp_path / "map.osm"
    file.write_text(drawing.xml())
    ids, editions = set(), set()
    for _ in range(2):
        assert await make_city(settings, "Rosario", file, replace=True, console=terminal.console) == FINE
        async with looking(sessions) as session:
            ids |= set(await session.scalars(select(Landmark.id).where(Landmark.name == "HECA")))
            editions.add(await edition_of(session, STREETS))
    assert (len(ids), len(editions)) == (1, 2)


# ── Zones ─────────────────────────────────────────────────────────────────────────────────────────


async def test_barrios_from_fifty_to_fifty_three(
    settings: Settings, sessions: Sessions, terminal: Terminal, tmp_path: Path
) -> None:
    file = real("rosario_geo_ar/barrios.gml")
    found = [(geojson(one.shape), one.fields) for one in read_map_file(file, POLYGONS).features]
    known = len(await zones_of(sessions, ZoneKind.BARRIO))
    older = [(shape, dict(fields)) for shape, fields in found[3:]]
    older[0][1]["BARRIO"] = "Nombre de Antes"
    ring = older[1][0]
    assert ring is not None
    ring["coordinates"] = [[[lon + 0.002, lat] for lon, lat in part] for part in ring["coordinates"]]
    first = Order("zones", written(tmp_path / "barrios_2020.geojson", *older), "barrio")
    assert await import_file(settings, first, console=terminal.console) == FINE
    assert "0 → 50" in terminal.text
    before = {zone.id: zone for zone in await zones_of(sessions, ZoneKind.BARRIO)}
    assert len(before) == known + 50

    rehearsal = Terminal()
    second = Order("zones", file, "barrio", dry_run=True)
    assert await import_file(settings, second, console=rehearsal.console) == FINE
    assert {zone.id for zone in await zones_of(sessions, ZoneKind.BARRIO)} == before.keys()
    for paper in (rehearsal, terminal):
        if paper is terminal:
            assert await import_file(settings, Order("zones", file, "barrio"), console=paper.console) == FINE
        assert (
            "50 → 53: nuevas 3, terminadas 0, renombradas 1, movidas o con otra forma 1, sin cambios 48." in paper.text
        )
        assert "Nombre de Antes → " in paper.text
        assert re.search(r"18[5-9] m, [+-]0\.0 ha", paper.text)
    after = {zone.id: zone for zone in await zones_of(sessions, ZoneKind.BARRIO)}
    assert len(after) == known + 53
    assert before.keys() <= after.keys()
    changed = [zone.id for zone in after.values() if zone.id in before and zone.version != before[zone.id].version]
    assert len(changed) == 2
    async with looking(sessions) as session:
        told = (await session.scalars(select(Entry).where(Entry.kind == "layer.imported").order_by(Entry.id))).all()
    assert [entry.detail["counts"]["after"] for entry in told] == [50, 53]

    again = Terminal()
    assert await import_file(settings, Order("zones", file, "barrio"), console=again.console) == FINE
    assert "53 → 53: nuevas 0, terminadas 0, renombradas 0, movidas o con otra forma 0, sin cambios 53." in again.text
    assert {zone.id: zone.version for zone in await zones_of(sessions, ZoneKind.BARRIO)} == {
        zone.id: zone.version for zone in after.values()
    }


@pytest.mark.parametrize(
    ("name", "what", "kind", "count"),
    [
        ("distritos_descentralizados.gml", "zones", ZoneKind.DISTRICT, 6),
        ("zonas_inundables_saladillo.gml", "hazards", ZoneKind.FLOOD, 87),
    ],
)
async def test_districts_and_flood_zones_of_rosario(
    settings: Settings, sessions: Sessions, terminal: Terminal, name: str, what: str, kind: ZoneKind, count: int
) -> None:
    order = Order(what, real(f"rosario_geo_ar/{name}"), kind)
    for said in (f"0 → {count}: nuevas {count}", f"{count} → {count}: nuevas 0, terminadas 0"):
        assert await import_file(settings, order, console=terminal.console) == FINE
        assert said in terminal.text
    assert len([zone for zone in await zones_of(sessions, kind) if zone.source_key]) == count
    assert f"sin cambios {count}." in terminal.text


async def test_departments_in_dos_letters(settings: Settings, sessions: Sessions, terminal: Terminal) -> None:
    order = Order("zones", real("admin_ar/departamentos-santa_fe.json"), "jurisdiction", Wishes(name_field="cabecera"))
    assert await import_file(settings, order, console=terminal.console) == FINE
    assert "WGS 84" in terminal.text
    async with looking(sessions) as session:
        found = await zone_at(session, point(-61.39, -32.82), ZoneKind.JURISDICTION)
    assert found is not None
    assert found.name == "CAÑADA DE GOMEZ"


async def test_points_are_no_zones(settings: Settings, terminal: Terminal) -> None:
    order = Order("zones", real("rosario_geo_ar/geo_vecinales.gml"), "vecinal")
    assert await import_file(settings, order, console=terminal.console) == NOTHING
    assert "import facilities" in terminal.text
    assert list((settings.data / "imports").glob("*.csv"))


async def test_another_file_does_not_end_everything(
    settings: Settings, sessions: Sessions, terminal: Terminal, tmp_path: Path
) -> None:
    four = [(square(column, 0), {"nombre": f"Zona {column}"}) for column in range(4)]
    one = written(tmp_path / "one.geojson", *four)
    other = written(tmp_path / "other.geojson", (square(9, 9), {"nombre": "Lejos"}))
    assert await import_file(settings, Order("zones", one, "grid"), console=terminal.console) == FINE
    assert await import_file(settings, Order("zones", other, "grid"), console=terminal.console) == REFUSED
    assert "Se irían 4 de 4" in terminal.text
    addition = Order("zones", other, "grid", source="otra")
    assert await import_file(settings, addition, console=terminal.console) == FINE
    assert len(await zones_of(sessions, ZoneKind.GRID)) == 5
    kept = Order("zones", other, "grid", keep=True)
    assert await import_file(settings, kept, console=terminal.console) == FINE
    assert len(await zones_of(sessions, ZoneKind.GRID)) == 6
    meant = Order("zones", other, "grid", replace=True)
    assert await import_file(settings, meant, console=terminal.console) == FINE
    assert sorted(zone.name for zone in await zones_of(sessions, ZoneKind.GRID)) == ["Lejos", "Lejos"]
    assert await import_file(settings, Order("zones", one, "grid", replace=True), console=terminal.console) == FINE
    back = await zones_of(sessions, ZoneKind.GRID)
    assert sorted(zone.name for zone in back) == ["Lejos", "Zona 0", "Zona 1", "Zona 2", "Zona 3"]


async def test_what_is_wrong_is_said_and_the_rest_comes(
    settings: Settings, sessions: Sessions, terminal: Terminal, tmp_path: Path
) -> None:
    file = written(
        tmp_path / "zones.geojson",
        (square(0, 0), {"nombre": "Bien", "poblacion": "1.234"}),
        (square(1, 0), {"nombre": None}),
        (None, {"nombre": "Vacía"}),
        ({"type": "Point", "coordinates": [-60.7, -32.9]}, {"nombre": "Punto"}),
    )
    assert await import_file(settings, Order("zones", file, "risk"), console=terminal.console) == FINE
    for said in ("Vacía", "no tiene lugar", "no tiene nombre", "Punto"):
        assert said in terminal.text
    (zone,) = await zones_of(sessions, ZoneKind.RISK)
    assert (zone.name, zone.population, zone.source_key) == ("Bien", 1234, "risk/bien")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ({"what": "zones", "kind": "hospital"}, REFUSED, "no es una clase de"),
        ({"what": "hazards", "kind": "barrio"}, REFUSED, "no es una clase de"),
        ({"what": "zones", "kind": "barrio", "wishes": Wishes(name_field="apodo")}, NOTHING, "no tiene el campo"),
        ({"what": "zones", "kind": "barrio", "wishes": Wishes(crs="EPSG:1")}, NOTHING, "no conozco la proyección"),
    ],
)
async def test_orders_that_cannot_be_meant(
    settings: Settings, terminal: Terminal, tmp_path: Path, words: dict[str, Any], code: int, said: str
) -> None:
    file = written(tmp_path / "zones.geojson", (square(0, 0), {"nombre": "Bien"}))
    assert await import_file(settings, Order(file=file, **words), console=terminal.console) == code
    assert said in terminal.text
    assert "No se cambió nada." in terminal.text


# ── Facilities and closures ───────────────────────────────────────────────────────────────────────


async def test_vecinales_are_facilities_and_landmarks_without_their_presidents(
    settings: Settings, sessions: Sessions, terminal: Terminal, signed_in: SignIn
) -> None:
    order = Order("facilities", real("rosario_geo_ar/geo_vecinales.gml"), "vecinal")
    assert await import_file(settings, order, console=terminal.console) == FINE
    async with looking(sessions) as session:
        found = await facilities(session, VIGIA, "vecinal")
        marks = (await session.scalars(select(Landmark).where(Landmark.source == "facilities"))).all()
    assert len(found) == len(marks) == 88
    first = next(one for one in found if one.name.startswith("Vecinal Nuevo Alberdi Oeste"))
    assert first.address == "RAZZORI AMILCAR 3530"
    assert "resident" not in json.dumps([one.attributes for one in found]).lower()
    async with signed_in("dispatcher") as client:
        answer = (await client.get("/api/v1/facilities?kind=vecinal")).json()
    assert len(answer["features"]) == 88
    assert "Cerezo" not in json.dumps(answer, ensure_ascii=False)


async def test_hospitals_again_by_a_stable_key(
    settings: Settings, sessions: Sessions, terminal: Terminal, tmp_path: Path
) -> None:
    def place(lon: float) -> Shape:
        return {"type": "Point", "coordinates": [lon, -32.9]}

    older = [(place(-60.70), {"id": 1, "nombre": "HECA", "camas": 80}), (place(-60.60), {"id": 2, "nombre": "Roque"})]
    newer = [
        (place(-60.705), {"id": 1, "nombre": "Hospital de Emergencias", "camas": 90}),
        (square(0, 0), {"id": 3, "nombre": "Nuevo"}),
    ]
    ids: list[dict[str, Any]] = []
    for features in (older, newer):
        order = Order("facilities", written(tmp_path / "h.geojson", *features), "hospital", key_field="id")
        assert await import_file(settings, order, console=terminal.console) == FINE
        async with looking(sessions) as session:
            ids.append({one.source_key: one for one in await facilities(session, VIGIA, "hospital")})
    assert ids[0]["1"].id == ids[1]["1"].id
    assert (ids[1]["1"].name, ids[1]["1"].attributes, ids[1]["1"].version) == (
        "Hospital de Emergencias",
        {"camas": "90"},
        2,
    )
    assert ids[1].keys() == {"1", "3"}
    assert "terminadas 1, renombradas 1" in terminal.text
    assert "467 m" in terminal.text


async def test_cameras_are_only_for_who_works_with_them(
    settings: Settings, terminal: Terminal, tmp_path: Path, signed_in: SignIn
) -> None:
    file = written(
        tmp_path / "c.geojson", ({"type": "Point", "coordinates": [-60.7, -32.9]}, {"nombre": "Oroño y Salta"})
    )
    assert await import_file(settings, Order("facilities", file, "camera"), console=terminal.console) == FINE
    seen = {}
    for who in ("dispatcher", "vecinal oeste", "police"):
        async with signed_in(who) as client:
            seen[who] = len((await client.get("/api/v1/facilities")).json()["features"])
    assert seen == {"dispatcher": 1, "vecinal oeste": 0, "police": 0}


async def test_closures_come_change_and_are_not_doubled(
    settings: Settings, sessions: Sessions, terminal: Terminal, tmp_path: Path
) -> None:
    line = {"type": "LineString", "coordinates": [[-60.70, -32.95], [-60.69, -32.95]]}
    other = {"type": "LineString", "coordinates": [[-60.70, -32.95], [-60.68, -32.95]]}
    for shape in (line, line, other):
        order = Order("closures", written(tmp_path / "w.geojson", (shape, {"nombre": "Obra en Salta"})), "works")
        assert await import_file(settings, order, console=terminal.console) == FINE
    async with looking(sessions) as session:
        (closure,) = await closures_in_force(session)
    assert (closure.kind, closure.reason, closure.version) == ("works", "Obra en Salta", 2)
    assert closure.shape.coords[-1] == (-60.68, -32.95)


async def test_closures_that_a_file_no_longer_has_are_lifted_and_may_come_back(
    settings: Settings, sessions: Sessions, terminal: Terminal, tmp_path: Path
) -> None:
    salta: Shape = {"type": "LineString", "coordinates": [[-60.70, -32.95], [-60.69, -32.95]]}
    mitre: Shape = {"type": "LineString", "coordinates": [[-60.65, -32.95], [-60.64, -32.95]]}
    both = [(salta, {"nombre": "Salta"}), (mitre, {"nombre": "Mitre"})]

    async def in_force(*features: tuple[Shape, dict[str, Any]]) -> list[str]:
        order = Order("closures", written(tmp_path / "w.geojson", *features), "works")
        assert await import_file(settings, order, console=terminal.console) == FINE
        async with looking(sessions) as session:
            return sorted(closure.reason for closure in await closures_in_force(session))

    async with transaction(sessions) as session:
        await draw_closure(session, VIGIA, new_id(), kind=ClosureKind.WORKS, reason="A mano", shape=point(-60.6, -32.9))
    assert await in_force(*both) == ["A mano", "Mitre", "Salta"]
    assert await in_force(both[0]) == ["A mano", "Salta"]
    assert await in_force(*both) == ["A mano", "Mitre", "Salta"]


# ── Who is who ────────────────────────────────────────────────────────────────────────────────────


def test_keys_and_partners() -> None:
    assert key_of("  Álvarez (Norte) ") == key_of("ALVAREZ NORTE") == "alvarez norte"
    assert key_of("東京") == "東京"
    assert unique_keys(["a", "a", "b", "a"], {"b"}) == ["a", "a~2", "b~2", "a~3"]
    here, there = point(-60.7, -32.9), point(-60.6, -32.9)
    old = [Thing("2", "2", here), Thing("2", "2", there), Thing("x", "X", here)]
    new = [Thing("2", "2", there), Thing("2", "2", here), Thing("y", "Y", here)]
    found = {(pair.old, pair.new) for pair in pairs(old, new)}
    assert found == {(1, 0), (0, 1), (2, 2)}


def test_every_reason_has_its_spanish() -> None:
    every = {*map_files.WHYS, *map_files.FEATURE_WHYS, *reading.WHYS, *turns.WHYS}
    assert every - SPANISH.keys() == set()
    for english, spanish in SPANISH.items():
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", spanish))


@pytest.mark.parametrize("name", ["", " \n", "\u202e", "x" * 200])
async def test_a_city_has_a_name(
    settings: Settings, terminal: Terminal, drawing: Drawing, tmp_path: Path, name: str
) -> None:
    (tmp_path / "map.osm").write_text(drawing.cross().xml())
    assert await make_city(settings, name, tmp_path / "map.osm", replace=True, console=terminal.console) == REFUSED
    assert "lleva un nombre" in terminal.text


async def test_limits_that_are_elsewhere_or_no_area(
    settings: Settings, sessions: Sessions, terminal: Terminal, drawing: Drawing, tmp_path: Path
) -> None:
    (tmp_path / "map.osm").write_text(drawing.cross().xml())
    async with looking(sessions) as session:
        before = await edition_of(session)
    far = written(tmp_path / "far.geojson", (square(500, 0), {"nombre": "Lejos"}))
    dot = written(tmp_path / "dot.geojson", ({"type": "Point", "coordinates": [-60.66, -32.96]}, {"nombre": "Punto"}))
    for boundary, why in ((far, "dentro del límite"), (dot, "Acá no va Point")):
        made = await make_city(
            settings, "Rosario", tmp_path / "map.osm", boundary=boundary, replace=True, console=terminal.console
        )
        assert made == NOTHING
        assert why in terminal.text
    async with looking(sessions) as session:
        assert await edition_of(session) == before


async def test_a_closure_of_too_many_corners_is_left_out_alone_and_reasons_are_in_spanish(
    settings: Settings, sessions: Sessions, terminal: Terminal, tmp_path: Path
) -> None:
    zigzag = {"type": "LineString", "coordinates": [[-60.66 + n * 1e-6, -32.95 + n % 2 * 1e-4] for n in range(2500)]}
    plain = {"type": "LineString", "coordinates": [[-60.66, -32.95], [-60.65, -32.95]]}
    file = written(tmp_path / "works.geojson", (zigzag, {"nombre": "Zigzag"}), (plain, {"nombre": "Rioja"}))
    assert await import_file(settings, Order("closures", file, "works"), console=terminal.console) == FINE
    assert "Zigzag" in terminal.text
    assert "2.000" in terminal.text or "2000" in terminal.text
    async with looking(sessions) as session:
        assert [one.reason for one in await closures_in_force(session)].count("Rioja") == 1
    past = Order("closures", file, "works", source="pasado", until=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    assert await import_file(settings, past, console=terminal.console) == NOTHING
    assert "A closure ends" not in terminal.text
