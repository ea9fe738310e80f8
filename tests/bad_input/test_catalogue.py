"""The catalogue of bad input, item by item (the numbers are those of the reference).

What is refused is refused with a reason in words, and nothing has changed; what is odd but possible is taken as told.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx2
import pytest

from incidents.incident import Incident
from incidents.reports import Report
from realtime.database import new_id, now, reading
from tests.bad_input.conftest import Victim, is_a_refusal, strictly
from tests.builders import City, a_sending

HERE = '{"type": "Point", "coordinates": [-60.66, -32.95]}'
JSON = {"Content-Type": "application/json"}


class Bad(NamedTuple):
    """A body that is sent as it stands; `ID` becomes a fresh UUIDv7."""

    item: str
    body: str | bytes
    status: int
    code: str = ""
    headers: dict[str, str] = JSON


def report(more: str) -> str:
    """A report with something wrong in it."""
    return '{"id": "ID", "words": "humo", %s}' % more  # noqa: UP031  braces all over


def place(coordinates: str, more: str = "", kind: str = "Point") -> str:
    """A report from somewhere strange."""
    return report(f'"location": {{"type": "{kind}", "coordinates": {coordinates}{more}}}')


def words(text: str) -> str:
    """A report in strange words."""
    return '{"id": "ID", "words": %s}' % text  # noqa: UP031


def when(text: str) -> str:
    """A report from another time."""
    return report(f'"occurred_at": {text}')


REFUSED = [
    Bad("1 NaN", place("[NaN, 1]"), 400, "BrokenJson"),
    Bad("2 Infinity", place("[-Infinity, 1]"), 400, "BrokenJson"),
    Bad("3 1e400", place("[1e400, 1]"), 422),
    Bad("4 a number in quotes", place('["nan", 1]'), 422),
    Bad("5 1e308", place("[-60.66, 1e308]"), 422),
    Bad("6 latitude and longitude swapped", place("[-34, -158]"), 422),
    Bad("7 null island", place("[0, 0]"), 422),
    Bad("7 null island below zero", place("[-0.0, 0.0]"), 422),
    Bad("9 NUL", words(r'"hu\u0000mo"'), 422),
    Bad("9 NUL alone", words(r'"\u0000"'), 422),
    Bad("9 NUL in the place", report(r'"place": "\u0000"'), 422),
    Bad("9 an escape sequence of a terminal", words(r'"\u001b[2J"'), 422),
    Bad("10 a lone surrogate", words(r'"\ud800"'), 422),
    Bad("10 a lone low surrogate", words(r'"a\udfffb"'), 422),
    Bad("10 a lone surrogate as a name", report(r'"\ud800": 1'), 422),
    Bad("11 NUL deeper", report(r'"contact": {"name": "Ana\u0000"}'), 422),
    Bad("12 NaN deeper", report('"contact": {"name": NaN}'), 400, "BrokenJson"),
    Bad("13 a longitude beyond 32 bits", place("[99999999999, 1]"), 422),
    Bad("14 five thousand digits", place(f"[{'1' * 5000}, 1]"), 400, "BrokenJson"),
    Bad("15 endless objects", '{"a":' * 10_000 + "1" + "}" * 10_000, 400, "BrokenJson"),
    Bad("16 endless lists", "[" * 30_000, 400, "BrokenJson"),
    Bad("16 more than endless", "[" * 200_000, 413),
    Bad("17 nine hundred deep", report('"contact": ' + '{"a":' * 900 + "1" + "}" * 900), 400, "BrokenJson"),
    Bad("18 a key twice", '{"id": "ID", "words": "uno", "words": "dos"}', 400, "BrokenJson"),
    Bad("18 a key twice, deeper", place("[1, 1]", ', "type": "Point"'), 400, "BrokenJson"),
    Bad("19 true as latitude", place("[-60.66, true]"), 422),
    *(
        Bad(f"20 an extra {name}", report(f'"{name}": {value}'), 422)
        for name, value in {
            "role": '"supervisor"',
            "organization_id": f'"{City.organizations["municipality"]}"',
            "status": '"accepted"',
            "created_at": '"2026-01-01T00:00:00Z"',
            "verified": "true",
            "incident_id": f'"{uuid4()}"',
            "tracking_code": '"AAA-AAA"',
            "version": "7",
            "__class__": '"x"',
        }.items()
    ),
    Bad("21 not UTF-8", b'{"id": "ID", "words": "\xff\xfe"}', 400, "BrokenJson"),
    Bad("21 an overlong form", b'{"id": "ID", "words": "\xc0\xaf"}', 400, "BrokenJson"),
    Bad("22 UTF-16", words('"humo"').encode("utf-16"), 400, "BrokenJson"),
    Bad(
        *("22 UTF-16, announced", words('"humo"').encode("utf-16"), 415, "NotJson"),
        {"Content-Type": "application/json; charset=utf-16"},
    ),
    Bad("22 UTF-32", words('"humo"').encode("utf-32"), 400, "BrokenJson"),
    Bad("23 a byte order mark", b"\xef\xbb\xbf" + words('"humo"').encode(), 400, "BrokenJson"),
    Bad("24 text/plain", words('"humo"'), 415, "NotJson", {"Content-Type": "text/plain"}),
    Bad("24 a form", "id=ID&words=humo", 415, "NotJson", {"Content-Type": "application/x-www-form-urlencoded"}),
    Bad("24 nothing said", words('"humo"'), 415, "NotJson", {}),
    Bad("25 empty", "", 422),
    Bad("25 a list", "[]", 422),
    Bad("25 null", "null", 422),
    Bad("25 a string", '"x"', 422),
    Bad("25 a number", "7", 422),
    Bad("25 half", '{"id": "ID", "words": "hu', 400, "BrokenJson"),
    Bad("25 two at once", words('"uno"') + words('"dos"'), 400, "BrokenJson"),
    Bad("26 ten megabytes", words(f'"{"x" * 10_000_000}"'), 413, "BodyTooLarge"),
    Bad("26 a little too much", words(f'"{"x" * 2001}"'), 422),
    Bad("27 zalgo", words(json.dumps("h" + "\u0301" * 4000)), 422),
    Bad("27 a million zero-width marks", words(json.dumps("\u200b" * 1_000_000, ensure_ascii=False)), 413),
    Bad("27 nothing but spaces", words('" \\n\\t "'), 422),
    Bad("31 1969", when('"1969-07-20T20:17:00Z"'), 422),
    Bad("31 9999", when('"9999-12-31T23:59:59-23:59"'), 422),
    Bad("31 year one", when('"0001-01-01T00:00:00+23:59"'), 422),
    Bad("31 2039", when('"2039-01-01T00:00:00Z"'), 422),
    Bad("31 tomorrow", when(f'"{(now() + dt.timedelta(days=1)).isoformat()}"'), 422, "InTheFuture"),
    Bad("32 without an offset", when('"2026-01-01T00:00:00"'), 422),
    Bad("32 seconds since 1970", when("1700000000"), 422),
    Bad("32 seconds since 1970, in quotes", when('"1700000000"'), 422),
    Bad("32 seconds since 1970, as a float", when("1.7e9"), 422),
    Bad("32 a date", when('"2026-01-01"'), 422),
    Bad("34 the 30th of February", when('"2026-02-30T00:00:00Z"'), 422),
    Bad("34 24:00", when('"2026-02-03T24:00:00Z"'), 422),
    Bad("34 a leap second", when('"2016-12-31T23:59:60Z"'), 422),
    Bad("34 words", when('"ayer"'), 422),
    Bad("34 a list", when("[]"), 422),
    Bad("34 true", when("true"), 422),
    Bad("36 two hundred digits", report(f'"contact": {{"phone": "{"1" * 200}"}}'), 422),
    Bad("36 letters", report('"contact": {"phone": "llamame"}'), 422),
    Bad("36 a line break", report(r'"contact": {"phone": "341\r\nBcc: x"}'), 422),
    Bad("51 null", place("[null, 1]"), 422),
    Bad("52 in quotes", place('["1", "2"]'), 422),
    Bad("53 point", place("[-60.66, -32.95]", kind="point"), 422),
    Bad("55 empty", place("[]"), 422),
    Bad("56 five numbers", place("[-60.66, -32.95, 3, 4, 5]"), 422),
    Bad("56 one number", place("[-60.66]"), 422),
    Bad("57 another reference system", place("[1, 2]", ', "crs": {"properties": {"name": "EPSG:3857"}}'), 422),
    Bad("58 a feature", report(f'"location": {{"type": "Feature", "geometry": {HERE}}}'), 422),
    Bad("58 a line", place("[[1, 2], [3, 4]]", kind="LineString"), 422),
    Bad("58 a type that is a list", report('"location": {"type": ["Point"], "coordinates": [1, 2]}'), 422),
    Bad("58 words", report('"location": "Mitre y Rioja"'), 422),
    Bad("62 nested collections", report('"location": ' + '{"type": "GeometryCollection", "geometries": [' * 12), 400),
    Bad("63 an empty collection", report('"location": {"type": "GeometryCollection", "geometries": []}'), 422),
    Bad("65 beyond the antimeridian", place("[180.1, 0]"), 422),
    Bad("65 beyond the pole", place("[0, 90.1]"), 422),
    Bad("68 four hundred digits", place(f"[-60.{'6' * 400}, {'3' * 400}]"), 422),
    Bad("114 no key", '{"words": "humo"}', 422),
    Bad("114 an empty key", '{"id": "", "words": "humo"}', 422),
    Bad("114 an enormous key", '{"id": "%s", "words": "humo"}' % ("a" * 10_000), 422),
    Bad("114 a key that anybody can guess", f'{{"id": "{uuid4()}", "words": "humo"}}', 422),
    Bad("114 a null key", f'{{"id": "{"0" * 32}", "words": "humo"}}', 422),
    Bad("114 a number as a key", '{"id": 7, "words": "humo"}', 422),
    Bad("a channel that there is not", report('"channel": "pigeon"'), 422),
    Bad("a type that there is not", report('"type_hint": "SEG-99"'), 422, "UnknownCode"),
    Bad("a type with SQL in it", report('"type_hint": "\'; DROP TABLE reports; --"'), 422),
]


@pytest.mark.parametrize("bad", REFUSED, ids=[bad.item for bad in REFUSED])
async def test_a_report_that_cannot_be_is_refused_and_leaves_nothing(victim: Victim, bad: Bad) -> None:
    before = await victim.rows()
    body = bad.body.encode("utf-8") if isinstance(bad.body, str) else bad.body
    body = body.replace(b"ID", str(new_id()).encode())
    for who in ("call_taker", "neighbour"):
        client = victim.clients[who]
        answer = await client.post("reports", content=body, headers=bad.headers)
        problem = is_a_refusal(answer)
        assert answer.status_code == bad.status, problem
        assert not bad.code or problem["code"] == bad.code
        if problem["code"] == "Malformed":
            assert all(error["field"] and error["message"] for error in problem["errors"])
    assert await victim.rows() == before


@pytest.fixture(scope="module", autouse=True)
async def _afterwards(victim: Victim) -> AsyncIterator[None]:
    yield
    await victim.is_well()


async def told(victim: Victim, body: str) -> Report:
    """The report that we took."""
    id_ = str(new_id())
    content = body.replace("ID", id_).encode("utf-8", "surrogatepass")
    answer = await victim.clients["call_taker"].post("reports", content=content, headers=JSON)
    assert answer.status_code == 201, answer.text
    async with reading(victim.sessions) as session:
        return await session.get_one(Report, strictly(answer.content)["id"])


PAYLOADS = [
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    '"><script>alert(1)</script>',
    "javascript:alert(1)",
    "{{7*7}} ${7*7} #{7*7} <%= 7*7 %>",
    "%0d%0aSet-Cookie: a=b",
    "'; DROP TABLE reports; --",
    "=HYPERLINK(1)",
    "../../etc/passwd",
    "%s %n {0} {reason} {__class__}",
    "\u202egnp.exe \u2066x\u2069",
    "áéíóú ñ ü ¿? ¡! 日本 🚒👩‍🚒",
    "a\nb\tc",
    "null",
    "🏳️‍🌈" * 100,
]


@pytest.mark.parametrize("words_", PAYLOADS)
async def test_words_are_kept_as_told(victim: Victim, words_: str) -> None:
    """28, 29: what somebody says is text, whatever it looks like; it is shown, never run and never mended."""
    taken = await told(victim, words(json.dumps(words_)))
    assert taken.words == words_
    answer = await victim.clients["call_taker"].get(f"reports/{taken.id}")
    assert strictly(answer.content)["properties"]["words"] == words_
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("box", [r'"\ud800"', str(10**30), "[1e400]", r'"\u0000"', '{"a": [[]]}'])
async def test_what_nobody_reads_breaks_nothing(victim: Victim, box: str) -> None:
    """10, 13: GeoJSON may bring a `bbox`; the place is the point, whatever the box says."""
    taken = await told(victim, place("[-60.66, -32.95]", f', "bbox": {box}'))
    assert taken.shape == City.west


async def test_a_report_from_outside_the_city_is_taken(victim: Victim) -> None:
    """8: the neighbouring town's fire is nobody's mistake."""
    taken = await told(victim, place("[-60.9, -33.4]"))
    assert taken.shape is not None
    assert taken.zone is None


@pytest.mark.parametrize(
    "coordinates", ["[180, 90]", "[-180, -90]", "[-60, -0.0]", "[-60, -32, 25.5]", "[-60.123456789, -32]"]
)
async def test_the_edges_of_the_world_are_in_it(victim: Victim, coordinates: str) -> None:
    """50."""
    taken = await told(victim, place(coordinates))
    assert taken.shape is not None
    answer = await victim.clients["call_taker"].get(f"reports/{taken.id}")
    assert "-0.0" not in json.dumps(strictly(answer.content)["geometry"]["coordinates"])


async def test_the_same_instant_in_two_spellings_is_one(victim: Victim) -> None:
    """33."""
    one = await told(victim, when('"2026-01-01T12:00:00Z"'))
    other = await told(victim, when('"2026-01-01T09:00:00-03:00"'))
    assert one.occurred_at == other.occurred_at == dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize("phone", ["+54 9 341 555-1234", "0341 15 555-1234", "(0341) 4555123", "911"])
async def test_telephones_are_written_as_people_write_them(victim: Victim, phone: str) -> None:
    """36."""
    assert (await told(victim, report(f'"contact": {{"phone": "{phone}"}}'))).contact_phone == phone


async def test_twenty_megabytes_without_a_length_are_not_read_to_their_end(victim: Victim) -> None:
    """26, 61: refused before anything is parsed, and without waiting for the rest."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(2000):
            sent += 10_000
            yield b"x" * 10_000

    answer = await victim.clients["neighbour"].post("reports", content=endless(), headers=JSON)
    assert (answer.status_code, is_a_refusal(answer)["code"]) == (413, "BodyTooLarge")


@pytest.mark.parametrize("length", ["²", "-1", "1e3", "", "9" * 5000, "0x10", "1, 2"])
async def test_a_length_that_is_no_number_is_refused(victim: Victim, length: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Length": length}
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    request = httpx2.Request("POST", "http://vigia.test/api/v1/reports", headers=encoded, content=None)
    answer = await victim.clients["neighbour"].send(request)
    assert 400 <= answer.status_code < 500


# ── Positions ─────────────────────────────────────────────────────────────────────────────────────


def fix(**changes: Any) -> str:
    """A fix of M1 with something wrong; `RAW…` is written without quotes."""
    whole = {"unit_id": str(City.units["M1"]), "location": json.loads(HERE), "fixed_at": now().isoformat()}
    return re.sub(r'"RAW(.*?)"', r"\1", json.dumps(whole | changes))


FIXES = {
    "as it should be": (fix(), "taken"),
    "39 accuracy below zero": (fix(accuracy_m=-1), "taken"),
    "39 accuracy of a continent": (fix(accuracy_m=1e9), "taken"),
    "39 accuracy beyond floats": (fix(accuracy_m="RAW1e300"), "taken"),
    "39 accuracy beyond numbers": (fix(accuracy_m="RAW1e400"), "refused"),
    "40 two thousand km/h": (fix(speed_kmh=2000), "taken"),
    "40 speed beyond floats": (fix(speed_kmh="RAW1e300"), "refused"),
    "40 standing still, backwards": (fix(speed_kmh=-1), "refused"),
    "41 heading 720": (fix(heading=720), "refused"),
    "41 heading in words": (fix(heading="N"), "refused"),
    "44 of another unit": (fix(unit_id=str(City.units["M2"])), "refused"),
    "44 of a unit that there is not": (fix(unit_id=str(uuid4())), "refused"),
    "44 of no unit": (fix(unit_id="M1"), "refused"),
    "50 at the pole": (fix(location={"type": "Point", "coordinates": [180, -90]}), "taken"),
    "7 at null island": (fix(location={"type": "Point", "coordinates": [0, 0]}), "refused"),
    "53 point": (fix(location={"type": "point", "coordinates": [1, 1]}), "refused"),
    "31 in 1970": (fix(fixed_at="1970-01-01T00:00:00Z"), "refused"),
    "31 in 2099": (fix(fixed_at="2099-01-01T00:00:00Z"), "taken"),
    "32 without an offset": (fix(fixed_at="2026-01-01T00:00:00"), "refused"),
    "49 made up": (fix(mock=True), "taken"),
    "49 made up, perhaps": (fix(mock="quizás"), "refused"),
    "20 with something extra": (fix(role="supervisor"), "refused"),
    "10 with a lone surrogate": (fix(**{"\ud800": 1}), "refused"),
    "9 with NUL": (fix(**{"\u0000": 1}), "refused"),
    "empty": ("{}", "refused"),
}


async def test_47_each_fix_is_judged_by_itself(victim: Victim) -> None:
    content = b'{"positions": [%s]}' % ",".join(fix_ for fix_, _ in FIXES.values()).encode()
    answer = await victim.clients["crew m1"].post("positions", content=content, headers=JSON)
    assert answer.status_code == 200, answer.text
    judged = strictly(answer.content)
    refused = {list(FIXES)[one["index"]] for one in judged["refused"]}
    assert refused == {name for name, (_, what) in FIXES.items() if what == "refused"}
    assert judged["accepted"] == len(FIXES) - len(refused)
    assert all(one["code"] and one["message"] for one in judged["refused"])


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (f'{{"positions": [{",".join([fix()] * 501)}]}}', 413),  # 46
        (f'{{"positions": [{",".join(["{}"] * 501)}]}}', 413),
        (f'{{"positions": [{",".join(["{}"] * 200_000)}]}}', 413),
        ('{"positions": [NaN]}', 400),
        (f'{{"positions": [{fix(heading="RAWNaN")}]}}', 400),
        ('{"positions": [1]}', 422),
        ('{"positions": [null]}', 422),
        ('{"positions": [[]]}', 422),
        ('{"positions": {}}', 422),
        ('{"positions": null}', 422),
        ("{}", 422),
        ("[]", 422),
    ],
)
async def test_a_batch_that_is_none_is_refused(victim: Victim, content: str, status: int) -> None:
    answer = await victim.clients["crew m1"].post("positions", content=content.encode(), headers=JSON)
    assert answer.status_code == status
    is_a_refusal(answer)


# ── Signing in ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"username": "dispatcher", "password": ""}', 401),
        ('{"username": "dispatcher", "password": "\\ud800"}', 422),
        ('{"username": "dispatcher", "password": "\\u0000"}', 401),
        ('{"username": "nadie", "password": "una clave de prueba"}', 401),
        ('{"username": "ｄｉｓｐａｔｃｈｅｒ", "password": "una clave de prueba"}', 401),
        ('{"username": "dispatcher\\u200b", "password": "una clave de prueba"}', 401),
        ('{"username": "dispatcher\\u0000", "password": "una clave de prueba"}', 422),
        ('{"username": "", "password": "una clave de prueba"}', 422),
        ('{"username": null, "password": null}', 422),
        ('{"username": ["dispatcher"], "password": "una clave de prueba"}', 422),
        (json.dumps({"username": "dispatcher", "password": "x" * 1025}), 422),
        (json.dumps({"username": "x" * 201, "password": "una clave de prueba"}), 422),
        (json.dumps({"username": "dispatcher", "password": "x" * 10_000_000}), 413),
        ('{"username": {"$ne": null}, "password": {"$ne": null}}', 422),
        ('{"username": "\' OR 1=1 --", "password": "x"}', 401),
    ],
)
async def test_112_no_strange_password_opens_anything(victim: Victim, body: str, status: int) -> None:
    answer = await victim.clients["neighbour"].post("session", content=body.encode(), headers=JSON)
    assert answer.status_code == status, answer.text
    assert "set-cookie" not in answer.headers
    is_a_refusal(answer)


# ── Addresses, questions, headers ─────────────────────────────────────────────────────────────────


NOBODYS_ID = UUID("0190ffff-0000-4000-8000-00000000ffff")  # fixed: every test process must collect the same names
QUESTIONS = {
    "incidents?limit=1e9": 422,
    "incidents?limit=1000000000": 422,
    "incidents?limit=0": 422,
    "incidents?limit=-1": 422,
    "incidents?limit=true": 422,
    f"incidents?limit={'9' * 5000}": 422,
    "incidents?limit=1&limit=2": 200,
    "incidents?limit=%00": 422,
    "incidents?state=all": 422,
    "incidents?state=open&state=closed": 200,
    "incidents?sort=password&order=;DROP": 200,
    "incidents?before=x": 422,
    f"incidents?before={NOBODYS_ID}": 200,
    "incidents?before=00000000-0000-0000-0000-000000000000": 200,
    "incidents?%ff=%fe": 200,
    "incidents/x": 422,
    f"incidents/{NOBODYS_ID}": 404,
    f"incidents/{str(NOBODYS_ID).upper()}": 404,
    f"incidents/{{{NOBODYS_ID}}}": 404,
    f"incidents/urn:uuid:{NOBODYS_ID}": 404,
    "incidents/%ff%fe": 422,
    "incidents/%00": 422,
    "incidents/..%2f..%2fetc%2fpasswd": 404,
    "incidents/%2e%2e%5c": 422,
    f"incidents/{'a' * 5000}": 422,
    "incidents/ /timeline": 422,
    f"units/{NOBODYS_ID}": 404,
    f"units/{City.units['M1']}/track?since=2026-01-01": 422,
    f"units/{City.units['M1']}/track?since=2026-01-01T00:00:00": 422,
    f"units/{City.units['M1']}/track?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z": 200,
    f"units/{City.units['M1']}/track?since=2000-01-01T00:00:00Z&until=2100-12-31T00:00:00Z": 200,
    f"units/{City.units['M1']}/track?since=9999-12-31T23:59:59-23:59": 422,
    "events?epoch=&after=0": 410,
    "events?epoch=%00&after=0": 410,
    "events?epoch=%ff&after=0": 410,
    f"events?epoch={'x' * 200}&after=0": 422,
    "events?epoch=x&after=-1": 422,
    f"events?epoch=x&after={2**63}": 422,
    f"events?epoch=x&after={2**63 - 1}": 410,
    "events?epoch=x&after=NaN": 422,
    "events?after=0": 422,
    "places/describe?lon=nan&lat=nan": 422,
    "places/describe?lon=inf&lat=0": 422,
    "places/describe?lon=1e400&lat=0": 422,
    "places/describe?lon=1e308&lat=1e308": 422,
    "places/describe?lon=0&lat=0": 422,
    "places/describe?lon=-60.66&lat=true": 422,
    "places/describe?lon=-60.66": 422,
    "zones?kind=x": 422,
    "zones?kind=%00": 422,
    "tiles/0/0/0.mvt": 200,
    "tiles/-1/0/0.mvt": 404,
    "tiles/99/0/0.mvt": 404,
    "tiles/12/99999/0.mvt": 404,
    f"tiles/12/{10**30}/0.mvt": 404,
    f"tiles/12/{'9' * 5000}/0.mvt": 422,
    "tiles/x/y/z.mvt": 422,
    "tiles/1.5/0/0.mvt": 422,
    "%ff": 404,
    "..%2fsession": 404,
    "nothing/here": 404,
}


@pytest.mark.parametrize("question", QUESTIONS)
async def test_115_a_strange_question_has_a_plain_answer(victim: Victim, question: str) -> None:
    answer = await victim.clients["supervisor"].get(question)
    assert answer.status_code == QUESTIONS[question], answer.text[:300]
    if answer.status_code >= 400:
        is_a_refusal(answer)


PAGES = {
    "/s/%00": 404,
    "/s/%ff%fe": 404,
    f"/s/{'A' * 3000}": 404,
    "/s/..%2f..%2fetc": 404,
    "/s?codigo=%00%ff": 422,
    "/publico/..%2f..%2fsettings.py": 404,
    "/publico/%00": 404,
    "/static/..%2f..%2fsettings.py": 404,
    "/static/%00": 404,
    "/static/%2e%2e/%2e%2e/etc/passwd": 404,
    "/%ff": 404,
    "/%00": 404,
}


@pytest.mark.parametrize("path", PAGES)
async def test_no_strange_address_of_a_page_breaks_it(victim: Victim, path: str) -> None:
    for accept in ("text/html", "*/*"):
        answer = await victim.clients["neighbour"].get(f"http://vigia.test{path}", headers={"Accept": accept})
        assert answer.status_code == PAGES[path], answer.text[:300]


VERSIONS = {
    '"7"': 412,
    "7": 412,
    'W/"7"': 412,
    "*": 422,
    '""': 422,
    '"-1"': 422,
    '"1.0"': 422,
    '"1", "2"': 422,
    '"²"': 422,
    '"٧"': 422,
    f'"{"9" * 4000}"': 422,
    '"NaN"': 422,
    '"1 OR 1=1"': 422,
    "\x00": 422,
}


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_strange_version_is_refused(victim: Victim, version: str) -> None:
    before = await victim.rows()
    answer = await victim.clients["dispatcher"].post(
        f"incidents/{victim.incident}/reclassify",
        json={"type_code": "INC-01"},
        headers=[(b"If-Match", version.encode("utf-8"))],
    )
    assert answer.status_code == VERSIONS[version], answer.text
    is_a_refusal(answer)
    assert await victim.rows() == before


@pytest.mark.parametrize(
    "name", ["Accept-Language", "Authorization", "Cookie", "X-Forwarded-For", "User-Agent", "Host"]
)
@pytest.mark.parametrize(
    "value", ["", "\x00", "é", "x" * 60_000, "../../../etc", "*;q=x", ",,,,", "es_AR.UTF-8@euro", "Bearer", "vigia=;;="]
)
async def test_no_header_breaks_an_answer(victim: Victim, name: str, value: str) -> None:
    for path in ("catalogue", "incidents/x"):
        encoded = [(name.encode(), value.encode("latin-1"))]
        answer = await victim.clients["neighbour"].get(path, headers=encoded)
        assert answer.status_code in {200, 401, 422}
        strictly(answer.content)


async def test_x_forwarded_for_does_not_make_another_address(victim: Victim) -> None:
    """115: nobody escapes the limit on guesses by saying that he is somebody else each time."""
    guess = {"username": "wall", "password": "no es esta"}
    answers = [
        (
            await victim.clients["neighbour"].post(
                "session", json=guess, headers={"X-Forwarded-For": f"10.0.0.{number}", "Forwarded": "for=1.2.3.4"}
            )
        ).status_code
        for number in range(12)
    ]
    assert answers == [401] * 10 + [429] * 2


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "CONNECT", "XYZZY"])
async def test_115_other_methods_are_refused(victim: Victim, method: str) -> None:
    before = await victim.rows()
    for path in ("reports", f"incidents/{victim.incident}", f"units/{City.units['M1']}"):
        for headers in ({}, {"X-HTTP-Method-Override": "POST", "X-Method-Override": "DELETE"}):
            answer = await victim.clients["supervisor"].request(method, path, headers=headers)
            assert answer.status_code == 405
            is_a_refusal(answer)
    assert await victim.rows() == before


# ── Ids ───────────────────────────────────────────────────────────────────────────────────────────


async def test_ids_that_there_are_not_are_not_found(victim: Victim) -> None:
    """Wherever one thing names another: refused, and nothing was begun."""
    before = await victim.rows()
    here, nowhere = f"incidents/{victim.incident}", str(uuid4())
    person = {"username": "nuevo", "password": "una clave de prueba", "name": "N", "role": "crew"}
    for path, body in (
        (f"{here}/assignments", a_sending(nowhere)),
        (f"{here}/share", {"organization_id": nowhere}),
        (f"{here}/unshare", {"organization_id": nowhere}),
        (f"{here}/refer", {"reason": "es de otro", "organization_id": nowhere}),
        (f"{here}/notes/{nowhere}/strike", {"reason": "error"}),
        (f"reports/{victim.report}/join", {"incident_id": nowhere}),
        (f"assignments/{nowhere}/status", {"status": "en_route"}),
        (f"units/{nowhere}/duty", {"duty": "break"}),
        ("units", {"id": str(new_id()), "call_sign": "Z1", "kind": "patrol", "organization_id": nowhere}),
        ("people", person | {"id": str(new_id()), "organization_id": nowhere}),
        (
            "people",
            person | {"id": str(new_id()), "organization_id": str(City.organizations["police"]), "unit_id": nowhere},
        ),
        (f"people/{nowhere}/disable", {}),
        (f"people/{nowhere}/password", {"password": "una clave de prueba"}),
    ):
        answer = await victim.clients["supervisor"].post(path, json=body)
        assert answer.status_code == 404, f"{path}: {answer.text}"
        assert is_a_refusal(answer)["code"] == "NotFound"
    assert await victim.rows() == before


async def test_114_a_key_belongs_to_one_question(victim: Victim) -> None:
    """The same id for a report and for an incident is a mistake of the client, not one thing of two kinds."""
    key = str(new_id())
    client = victim.clients["dispatcher"]
    assert (await client.post("reports", json={"id": key, "words": "humo"})).status_code == 201
    incident = {"id": key, "type_code": "SIN-01", "location": json.loads(HERE)}
    answer = await client.post("incidents", json=incident)
    assert (answer.status_code, is_a_refusal(answer)["code"]) == (422, "KeyReused")
    async with reading(victim.sessions) as session:
        assert await session.get(Incident, key) is None


async def test_ids_of_one_kind_are_not_taken_for_another(victim: Victim) -> None:
    client = victim.clients["supervisor"]
    for path in (
        f"incidents/{victim.report}",
        f"reports/{victim.incident}",
        f"units/{victim.incident}",
        f"incidents/{City.units['M1']}/timeline",
    ):
        assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize("text", ["\x00", "\ud800", "x" * 3000, "", " ", None, 7, [], {}, True])
async def test_no_verb_takes_words_that_are_none(victim: Victim, text: Any) -> None:
    before = await victim.rows()
    here = f"incidents/{victim.incident}"
    for path, body in (
        (f"{here}/notes", {"id": str(new_id()), "text": text}),
        (f"{here}/cancel", {"reason": text}),
        (f"{here}/refer", {"reason": text}),
        (f"{here}/close", {"disposition": text}),
        (f"{here}/reclassify", {"type_code": text}),
        (f"reports/{victim.report}/dismiss", {"reason": text}),
        ("units", {"id": str(new_id()), "call_sign": text, "kind": "patrol", "organization_id": str(uuid4())}),
        ("organizations", {"id": str(new_id()), "name": text, "kind": "agency"}),
        (f"people/{City.people['wall'][0]}/password", {"password": text}),
    ):
        content = json.dumps(body).encode()
        answer = await victim.clients["supervisor"].post(path, content=content, headers=JSON)
        assert answer.status_code == 422, f"{path}: {answer.text}"
        is_a_refusal(answer)
    assert await victim.rows() == before


def test_every_item_has_another_name() -> None:
    names = [bad.item for bad in REFUSED]
    assert len(names) == len(set(names))
    assert all(quote(name) for name in names)
