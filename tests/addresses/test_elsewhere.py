"""Another finder of places, by its contract and at its worst: a real server that is slow, broken or lies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import shapely
from sqlalchemy.ext.asyncio import AsyncSession

from geo.addresses import Kind, Precision, find_further, is_sure
from tests.addresses.test_city import lay
from tests.conftest import SHARED_DATA
from web.geocoders import FAILURES, REST, Elsewhere, geocoder_of
from web.settings import Settings

CONTRACT = SHARED_DATA / "standards" / "georef" / "openapi.json"
AROUND = (-61.0, -33.5, -60.0, -32.5)
GEOREF = {
    "cantidad": 1,
    "total": 1,
    "inicio": 0,
    "parametros": {},
    "direcciones": [
        {
            "altura": {"valor": 400, "unidad": None},
            "calle": {"id": "8208416001280", "nombre": "URQUIZA", "categoria": "CALLE"},
            "calle_cruce_1": {"id": None, "nombre": None, "categoria": None},
            "nomenclatura": "URQUIZA 400, Rosario, Santa Fe",
            "ubicacion": {"lat": -32.932417, "lon": -60.688217},
        }
    ],
}


class Server:
    """An HTTP server of the standard library's streams; what it answers is set from outside."""

    def __init__(self) -> None:
        self.status, self.body, self.delay, self.headers = 200, json.dumps(GEOREF).encode(), 0.0, b""
        self.asked: list[dict[str, list[str]]] = []
        self.paths: list[str] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer."""
        head = await reader.readuntil(b"\r\n\r\n")
        target = urlsplit(head.split(b" ")[1].decode())
        self.asked.append(parse_qs(target.query))
        self.paths.append(target.path)
        await asyncio.sleep(self.delay)
        writer.write(b"HTTP/1.1 %d Said\r\nContent-Length: %d\r\n%s" % (self.status, len(self.body), self.headers))
        writer.write(b"Connection: close\r\n\r\n" + self.body)
        writer.close()


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Server, str]]:
    """The server and its address."""
    server = Server()
    listening = await asyncio.start_server(server.answer, "127.0.0.1", 0)
    try:
        yield server, f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/georef/api"
    finally:
        listening.close()


@asynccontextmanager
async def finder(
    kind: str = "georef", clock: Callable[[], float] | None = None
) -> AsyncIterator[tuple[Server, Elsewhere]]:
    """A service of that kind, and somebody who asks it."""
    async with serving() as (server, url):
        elsewhere = Elsewhere(kind, url, clock=clock) if clock else Elsewhere(kind, url)
        yield server, elsewhere
        await elsewhere.close()


async def test_georef_is_asked_and_read_by_its_contract() -> None:
    if not CONTRACT.is_file():
        pytest.skip("the Georef contract is in ../shared/data, which is not here")
    contract = json.loads(CONTRACT.read_text())
    async with finder() as (server, georef):
        (match,) = await georef.find("Urquiza 400", AROUND, 5)
        assert server.paths == ["/georef/api/direcciones"]
        allowed = {one["$ref"].split("/")[-1] for one in contract["paths"]["/direcciones"]["get"]["parameters"]}
        assert server.asked[0].keys() <= allowed
        assert server.asked[0]["direccion"] == ["Urquiza 400"]
    assert (match.label, match.kind, match.precision) == (
        "URQUIZA 400, Rosario, Santa Fe",
        Kind.ADDRESS,
        Precision.INTERPOLATED,
    )
    assert (match.place.x, match.place.y, match.number) == (-60.688217, -32.932417, 400)
    assert not is_sure([match]), "somebody else's word is a proposal"


async def test_nominatim_and_photon() -> None:
    nominatim = [{"display_name": "Monumento, Rosario", "lat": "-32.9477", "lon": "-60.6305", "addresstype": "tourism"}]
    photon = {
        "features": [
            {
                "geometry": {"type": "Point", "coordinates": [-60.64, -32.95]},
                "properties": {"street": "Rioja", "housenumber": "1230", "type": "house"},
            }
        ]
    }
    for kind, answer, label in (("nominatim", nominatim, "Monumento, Rosario"), ("photon", photon, "Rioja 1230")):
        async with finder(kind) as (server, elsewhere):
            server.body = json.dumps(answer).encode()
            (match,) = await elsewhere.find("algo", AROUND, 3)
            assert (match.label, match.precision) == (label, Precision.EXACT)
            assert server.asked[0]["q"] == ["algo"]


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"",
        b"[]",
        b"null",
        b'{"direcciones": 7}',
        b'{"direcciones": [{"ubicacion": {"lat": NaN, "lon": -60.6}, "nomenclatura": "x"}]}',
        b'{"direcciones": [{"ubicacion": {"lat": "a", "lon": []}, "nomenclatura": "x"}]}',
        b'{"direcciones": [{"ubicacion": {"lat": null, "lon": null}, "nomenclatura": "x"}]}',
        b'{"direcciones": [{"ubicacion": {"lat": 1e400, "lon": 0}, "nomenclatura": "x"}]}',
        b'{"direcciones": [{"ubicacion": {"lat": 0, "lon": 0}, "nomenclatura": "x"}]}',
        b'{"direcciones": [{"ubicacion": {"lat": -32.9, "lon": -60.6}, "nomenclatura": "\\u0000\\u0007"}]}',
        b'{"direcciones": [{"ubicacion": {"lat": -32.9, "lon": -60.6}, "nomenclatura": 7}]}',
        b'{"direcciones": ["x"]}',
        b" " * 300_000 + b"{}",
    ],
)
async def test_rubbish_is_no_answer(body: bytes) -> None:
    async with finder() as (server, georef):
        server.body = body
        assert await georef.find("Urquiza 400", AROUND, 5) == []


async def test_it_is_not_waited_for_and_then_left_alone_and_then_tried_again() -> None:
    hour = [0.0]
    async with finder(clock=lambda: hour[0]) as (server, georef):
        loop = asyncio.get_running_loop()
        server.delay, began = 5.0, loop.time()
        assert await georef.find("lento", AROUND, 5) == []
        assert loop.time() - began < 4.5, "it gave up before the answer came"
        server.delay, server.status = 0.0, 500
        for turn in range(FAILURES - 1):
            assert await georef.find(f"roto {turn}", AROUND, 5) == []
        asked = len(server.asked)
        server.status = 200
        assert await georef.find("ahora sí", AROUND, 5) == []
        assert len(server.asked) == asked, "the breaker is open: nobody asks"
        hour[0] += REST + 1
        server.status = 503
        assert await georef.find("una prueba", AROUND, 5) == []
        assert await georef.find("otra", AROUND, 5) == []
        assert len(server.asked) == asked + 1, "one trial, and it failed"
        hour[0] += REST + 1
        server.status = 200
        assert len(await georef.find("otra prueba", AROUND, 5)) == 1
        assert len(await georef.find("y otra", AROUND, 5)) == 1, "closed again"


async def test_an_answer_is_remembered_for_a_while() -> None:
    hour = [0.0]
    async with finder(clock=lambda: hour[0]) as (server, georef):
        for said in ("Urquiza 400", " urquiza  400 "):
            assert len(await georef.find(said, AROUND, 5)) == 1
        assert len(server.asked) == 1
        hour[0] += 3600
        await georef.find("Urquiza 400", AROUND, 5)
        assert len(server.asked) == 2


async def test_it_is_not_led_elsewhere() -> None:
    async with serving() as (victim, address), finder() as (server, georef):
        server.status, server.headers = 302, f"Location: {address}/secret\r\n".encode()
        assert await georef.find("Urquiza 400", AROUND, 5) == []
        assert victim.asked == []


async def test_the_local_index_answers_first_and_the_rest_is_clipped_to_the_city(session: AsyncSession) -> None:
    await lay(session)
    async with finder() as (server, georef):
        assert (await find_further(session, georef, "Moreno y Rioja"))[0].label == "Moreno y Rioja"
        assert server.asked == [], "it was sure by itself"
        found = await find_further(session, georef, "Urquiza 400")
        assert found[0].label == "URQUIZA 400, Rosario, Santa Fe"
        assert not is_sure(found)
        far: dict[str, Any] = json.loads(json.dumps(GEOREF))
        far["direcciones"][0]["ubicacion"] = {"lat": -24.78, "lon": -65.41}  # Salta
        server.body = json.dumps(far).encode()
        found = await find_further(session, georef, "Urquiza 401")
        assert all(match.place.distance(shapely.Point(-60.66, -32.95)) < 2 for match in found)


def test_only_the_installation_says_where_it_is() -> None:
    assert geocoder_of(Settings()) is None
    assert geocoder_of(Settings(geocoder="georef")) is not None
    for wrong in (None, "file:///etc/passwd", "ftp://x", "photon"):
        with pytest.raises(ValueError, match="VIGIA_GEOCODER_URL"):
            geocoder_of(Settings(geocoder="photon", geocoder_url=wrong))
