"""The city of `bench console`: an installation of its own with hundreds of units that never stand still.

Everything goes over the public API with the demo's accounts, on the loopback, and is gone afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import math
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from realtime.database import new_id
from web.launcher.layout import ROOT

READY_WITHIN = 400.0  # seconds for an installation to come up, its front end built
EVERY = 0.1  # seconds between two batches of fixes
STEP_M = 25.0  # how far a unit goes between two fixes
KEEP_OFF_M = 900.0  # around the middle of the map, where the probe is looked for
PROBE_STEP_M = 140.0  # further in one fix is no step but a leap, which is not believed
TYPES = ("SIN-02", "MET-01", "CON-01", "SEG-04", "MET-03", "SRV-01")

LonLat = tuple[float, float]


@contextlib.contextmanager
def installation() -> Iterator[tuple[str, dict[str, dict[str, str]]]]:
    """A running demo city without its simulator: its address and its accounts by user name."""
    data = Path(tempfile.mkdtemp(prefix="vigia-bench-"))
    command = [
        str(ROOT / "vigia"),
        "up",
        "--data",
        str(data),
        "--port",
        str(_free_port()),
        "--no-simulation",
        "--detach",
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VIGIA_")}
    try:
        subprocess.run(command, check=True, timeout=READY_WITHIN, env=environment, stdout=subprocess.DEVNULL)
        said = subprocess.run(
            [str(ROOT / "vigia"), "status", "--data", str(data), "--json"],
            check=True, capture_output=True, text=True, timeout=60, env=environment,
        )  # fmt: skip
        accounts = json.loads((data / "demo-accounts.json").read_text(encoding="utf-8"))
        yield json.loads(said.stdout)["address"], {one["username"]: one for one in accounts}
    finally:
        subprocess.run([str(ROOT / "vigia"), "down", "--data", str(data)], check=False, timeout=120, env=environment)
        shutil.rmtree(data, ignore_errors=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@dataclass
class Fleet:
    """Units at large, and somebody who may say where they are."""

    http: httpx2.AsyncClient
    headers: dict[str, str]
    bounds: tuple[float, float, float, float]
    places: dict[str, LonLat] = field(default_factory=dict)
    headings: dict[str, float] = field(default_factory=dict)
    probe: str = ""
    sent: int = 0
    refused: int = 0
    _next: int = 0

    @property
    def middle(self) -> LonLat:
        """Where the middle of a map is that shows the bounds: Mercator's, not the parallels'."""
        west, south, east, north = self.bounds

        def up(lat: float) -> float:
            return math.log(math.tan(math.pi / 4 + math.radians(lat) / 2))

        lat = math.degrees(2 * math.atan(math.exp((up(south) + up(north)) / 2)) - math.pi / 2)
        return (west + east) / 2, lat

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Do something; it must be granted."""
        answer = await self.http.post(path, json=body, headers=self.headers)
        if answer.is_error:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    async def get(self, path: str) -> Any:
        """Read something."""
        answer = await self.http.get(path, headers=self.headers)
        answer.raise_for_status()
        return answer.json()

    async def fill(self, units: int, incidents: int) -> None:
        """So many units and open incidents."""
        snapshot = await self.get("/snapshot")
        properties = [feature["properties"] for feature in snapshot["features"]]
        there = [one for one in properties if one["subject"].startswith("unit:")]
        organization = there[0]["organization_id"]
        made = []
        for number in range(units - len(there)):
            unit = {
                "id": str(new_id()),
                "call_sign": f"B{number:03d}",
                "kind": "patrol",
                "organization_id": organization,
            }
            await self.post("/units", unit)
            made.append(unit["id"])
        self.probe = made[0]
        free = [one["id"] for one in there if one["status"] != "out_of_service"]
        for unit_id in (*free, *made[1:]):
            self.places[unit_id] = self.anywhere()
            self.headings[unit_id] = random.uniform(0, 2 * math.pi)
        for _ in range(incidents):
            await self.open_incident(self.anywhere())

    async def open_incident(self, at: LonLat, *, priority: int | None = None) -> str:
        """Open one; its id."""
        body = {
            "id": str(new_id()), "type_code": random.choice(TYPES), "place": "Prueba 100",
            "location": {"type": "Point", "coordinates": list(at)}, **({"priority": priority} if priority else {}),
        }  # fmt: skip
        return str((await self.post("/incidents", body))["properties"]["id"])

    async def close_incident(self, incident_id: str) -> None:
        """It is over."""
        await self.post(f"/incidents/{incident_id}/close", {"disposition": "no_action"})

    async def put_probe(self, *, aside: bool) -> float:
        """Move the probe to the middle of the map or a step aside. The hour at which that was said, in milliseconds."""
        lon, lat = self.middle
        at = (lon + _degrees_east(PROBE_STEP_M, lat), lat) if aside else (lon, lat)
        said = time.time() * 1000
        await self.post("/positions", {"positions": [self._fix(self.probe, at, 0.0)]})
        return said

    @contextlib.asynccontextmanager
    async def moving(self, per_second: int) -> AsyncIterator[None]:
        """Meanwhile so many fixes come every second."""
        task = asyncio.create_task(self._move(per_second))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task  # what stopped it is told

    async def _move(self, per_second: int) -> None:
        loop = asyncio.get_running_loop()
        began, turn = loop.time(), 0
        ids = list(self.places)
        while True:
            batch = [ids[(self._next + n) % len(ids)] for n in range(round(per_second * EVERY))]
            self._next += len(batch)
            for unit_id in batch:
                self._step(unit_id)
            answer = await self.post(
                "/positions",
                {"positions": [self._fix(unit_id, self.places[unit_id], 35.0) for unit_id in batch]},
            )
            self.sent += answer["accepted"]
            self.refused += len(answer["refused"])
            turn += 1
            await asyncio.sleep(max(0.0, began + turn * EVERY - loop.time()))

    def _step(self, unit_id: str) -> None:
        lon, lat = self.places[unit_id]
        heading = self.headings[unit_id] + random.uniform(-0.4, 0.4)
        next_ = (
            lon + _degrees_east(STEP_M * math.cos(heading), lat),
            lat + STEP_M * math.sin(heading) / 111_320,
        )
        if self._allowed(next_):
            self.places[unit_id] = next_
        else:
            heading += math.pi / 2
        self.headings[unit_id] = heading

    def anywhere(self) -> LonLat:
        west, south, east, north = self.bounds
        while True:
            at = (random.uniform(west, east), random.uniform(south, north))
            if self._allowed(at):
                return at

    def _allowed(self, at: LonLat) -> bool:
        west, south, east, north = self.bounds
        lon, lat = self.middle
        east_m, north_m = (at[0] - lon) / _degrees_east(1, lat), (at[1] - lat) * 111_320
        return west < at[0] < east and south < at[1] < north and math.hypot(east_m, north_m) > KEEP_OFF_M

    @staticmethod
    def _fix(unit_id: str, at: LonLat, speed: float) -> dict[str, Any]:
        fixed_at = dt.datetime.now(dt.UTC).isoformat()
        location = {"type": "Point", "coordinates": list(at)}
        return {"unit_id": unit_id, "location": location, "fixed_at": fixed_at, "speed_kmh": speed or None}


def _degrees_east(metres: float, lat: float) -> float:
    return metres / (111_320 * math.cos(math.radians(lat)))


@contextlib.asynccontextmanager
async def fleet_at(address: str, account: dict[str, str]) -> AsyncIterator[Fleet]:
    """The fleet of a running installation, in the hands of one account."""
    async with httpx2.AsyncClient(base_url=f"{address}/api/v1", timeout=60) as http:
        entry = {"username": account["username"], "password": account["password"]}
        answer = await http.post("/session", json=entry, headers={"X-Vigia-Token": "1"})
        answer.raise_for_status()
        headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        yield Fleet(http, headers, tuple(answer.json()["city"]["bounds"]))
