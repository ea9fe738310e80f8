"""Finders of places elsewhere: Georef AR, Nominatim, Photon. Asked only when our own index is unsure.

Whatever goes wrong with them (slow, broken, lying) is no answer. Their address is the installation's, never a client's.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import structlog

from geo.addresses import Bounds, Kind, Match, Precision
from geo.places import BadGeometry, point
from web.settings import Settings

log = structlog.get_logger()

PATIENCE = 1.5  # seconds for an answer, all in all
MOST = 256 * 1024  # bytes of an answer
KEPT, KEPT_FOR = 512, 600.0  # answers, seconds
FAILURES = 3  # in a row, and it is left alone
REST = 30.0  # seconds
HERE = {"georef": "https://apis.datos.gob.ar/georef/api", "nominatim": None, "photon": None}
AGENT = "Vigia (municipal emergency coordination)"
SCORE = 0.75  # never sure: somebody else's word is a proposal


class Breaker:
    """After three failures in a row nobody asks for half a minute; then one may try."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Closed: asking is allowed."""
        self._clock = clock
        self._failures, self._until = 0, 0.0

    def allows(self) -> bool:
        """Whether to ask now. The first after the rest is the trial: the others wait for what becomes of it."""
        if self._failures < FAILURES:
            return True
        if self._clock() < self._until:
            return False
        self._until = self._clock() + REST
        return True

    def worked(self) -> None:
        """An answer came."""
        self._failures = 0

    def failed(self) -> None:
        """None came."""
        self._failures += 1
        self._until = self._clock() + REST


class Elsewhere:
    """One service of the three, with its memory and its breaker. Implements `geo.addresses.Geocoder`."""

    def __init__(self, kind: str, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`url` is where the service's own paths begin."""
        self._ask, self._read = SPEAKING[kind]
        self._url = url.rstrip("/")
        self._clock = clock
        self.breaker = Breaker(clock)
        self._known: OrderedDict[tuple[str, int], tuple[float, list[Match]]] = OrderedDict()
        self._http = httpx2.AsyncClient(
            timeout=PATIENCE, follow_redirects=False, trust_env=False, headers={"User-Agent": AGENT}
        )

    async def find(self, words: str, around: Bounds, limit: int) -> list[Match]:
        """What the service knows; nothing when it does not answer, or is being left alone."""
        key = (" ".join(words.lower().split()), limit)
        known = self._known.get(key)
        if known and known[0] > self._clock():
            return known[1]
        if not self.breaker.allows():
            return []
        try:
            answer = await self._answer(words, around, limit)
            matches = [match for one in self._read(answer) if (match := _match(words, *one))][:limit]
        except (httpx2.HTTPError, ValueError, TypeError, KeyError, AttributeError, TimeoutError) as error:
            self.breaker.failed()
            log.warning("geocoder.failed", error=type(error).__name__)  # what was asked stays out of the log
            return []
        self.breaker.worked()
        self._known[key] = self._clock() + KEPT_FOR, matches
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return matches

    async def _answer(self, words: str, around: Bounds, limit: int) -> Any:
        path, query = self._ask(words, around, limit)
        until = time.monotonic() + PATIENCE
        async with self._http.stream("GET", self._url + path, params=query) as response:
            if response.status_code != 200:
                raise ValueError(response.status_code)
            body = b""
            async for part in response.aiter_bytes():
                body += part
                if len(body) > MOST or time.monotonic() > until:
                    raise ValueError("too much, or too slow")
        return json.loads(body)

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.aclose()


Answer = tuple[Any, Any, Any, Kind, Precision, str | None, int | None]  # label, longitude, latitude, …, street, number


def _match(words: str, label: Any, lon: Any, lat: Any, kind: Kind, precision: Precision, *more: Any) -> Match | None:
    """What they say, through the one door for places; nothing where it does not pass."""
    try:
        place = point(float(lon), float(lat))
    except (BadGeometry, TypeError, ValueError):
        return None
    street, number = more
    shown = "".join(symbol for symbol in label if symbol.isprintable())[:200].strip() if isinstance(label, str) else ""
    if not shown:
        return None
    return Match(shown, kind, precision, place, SCORE, words, street, number)


def _ask_georef(words: str, around: Bounds, limit: int) -> tuple[str, dict[str, str]]:
    del around  # it knows provinces, not boxes
    return "/direcciones", {"direccion": words, "max": str(limit)}


def _read_georef(answer: Any) -> Iterator[Answer]:
    for one in answer["direcciones"]:
        place = one.get("ubicacion") or {}
        number = (one.get("altura") or {}).get("valor")
        number = number if type(number) is int else None
        street = (one.get("calle") or {}).get("nombre")
        crossing = (one.get("calle_cruce_1") or {}).get("nombre")
        kind = Kind.CORNER if crossing else Kind.ADDRESS if number else Kind.STREET
        precision = Precision.STREET if kind is Kind.STREET else Precision.INTERPOLATED
        yield one.get("nomenclatura"), place.get("lon"), place.get("lat"), kind, precision, street, number


def _ask_nominatim(words: str, around: Bounds, limit: int) -> tuple[str, dict[str, str]]:
    box = ",".join(f"{degrees:.4f}" for degrees in around)
    return "/search", {"q": words, "format": "jsonv2", "limit": str(limit), "viewbox": box, "bounded": "1"}


def _read_nominatim(answer: Any) -> Iterator[Answer]:
    for one in answer:
        exact = one.get("addresstype") in {"building", "house", "place", "amenity", "shop", "office", "tourism"}
        road = one.get("addresstype") == "road"
        kind = Kind.STREET if road else Kind.ADDRESS if exact else Kind.ZONE
        precision = Precision.STREET if road else Precision.EXACT if exact else Precision.ZONE
        yield one.get("display_name"), one.get("lon"), one.get("lat"), kind, precision, None, None


def _ask_photon(words: str, around: Bounds, limit: int) -> tuple[str, dict[str, str]]:
    return "/api", {"q": words, "limit": str(limit), "bbox": ",".join(f"{degrees:.4f}" for degrees in around)}


def _read_photon(answer: Any) -> Iterator[Answer]:
    for one in answer["features"]:
        said = one["properties"]
        lon, lat, *_ = one["geometry"]["coordinates"]
        street, door = said.get("street"), said.get("housenumber")
        label = said.get("name") or " ".join(str(part) for part in (street, door) if part)
        kind = Kind.ADDRESS if door else Kind.STREET if said.get("type") == "street" else Kind.LANDMARK
        precision = Precision.STREET if kind is Kind.STREET else Precision.EXACT
        number = int(door) if isinstance(door, str) and door.isascii() and door.isdigit() and len(door) < 7 else None
        yield label, lon, lat, kind, precision, street, number


Asking = Callable[[str, Bounds, int], tuple[str, dict[str, str]]]
SPEAKING: dict[str, tuple[Asking, Callable[[Any], Iterator[Answer]]]] = {
    "georef": (_ask_georef, _read_georef),
    "nominatim": (_ask_nominatim, _read_nominatim),
    "photon": (_ask_photon, _read_photon),
}


def geocoder_of(settings: Settings) -> Elsewhere | None:
    """The service that the installation names, if it names one. Raises `ValueError` for an address that is none."""
    if settings.geocoder is None:
        return None
    url = settings.geocoder_url or HERE[settings.geocoder]
    if url is None or httpx2.URL(url).scheme not in {"http", "https"} or not httpx2.URL(url).host:
        raise ValueError(f"VIGIA_GEOCODER={settings.geocoder} needs VIGIA_GEOCODER_URL, an http or https address")
    return Elsewhere(settings.geocoder, url)
