"""The crowd: neighbours, dispatchers, crews, and the screens that watch them. `./vigia load` runs it.

Nobody here knows more than a person in that place would: dispatchers work through what was reported, crews see
their own job. A refusal that life itself brings (taken, over already, too many) is an answer and has its own row.
"""

from __future__ import annotations

import datetime as dt
import math
import random
import time
from typing import Any, ClassVar

import gevent
from locust import between, task
from locust.contrib.fasthttp import FastHttpUser
from locust.exception import StopUser
from uuid_utils import uuid7

from loadtests.feed_user import FeedUser
from loadtests.ledger import Account, Job, Ledger, Place

LIFE = frozenset({404, 409})  # it is over, it is taken, it cannot move so: somebody else was quicker
WEATHER = frozenset({429, 503})

WORDS = (
    "Chocaron dos autos, hay gente lastimada",
    "Sale humo negro de una casa",
    "Se cayó un árbol y corta la calle",
    "Hay un cable colgando que hace chispas",
    "Un señor se descompuso en la vereda",
    "No anda el semáforo y ya hubo dos sustos",
    "Perro suelto que muerde, <b>urgente</b> & «cerca de la escuela»",
)
TYPES = ("SIN-01", "SIN-02", "INC-01", "INC-03", "MET-01", "MET-02", "SAN-01", "SAN-04", "SEG-07", "ANI-01", "SRV-01")
NEXT = {"assigned": "acknowledged", "acknowledged": "en_route", "en_route": "on_scene", "on_scene": "released"}


def new_id() -> str:
    """An id that is its own idempotency key."""
    return str(uuid7())


def point(place: Place) -> dict[str, Any]:
    """As the API takes it."""
    return {"type": "Point", "coordinates": [round(place[0], 6), round(place[1], 6)]}


def near(place: Place, metres: float) -> Place:
    """Somewhere around there."""
    turn, far = random.uniform(0, 2 * math.pi), random.uniform(0, metres)
    north = far * math.cos(turn) / 111_320
    east = far * math.sin(turn) / (111_320 * math.cos(math.radians(place[1])))
    return (place[0] + east, place[1] + north)


class Person(FastHttpUser):
    """Somebody who asks and is answered."""

    abstract = True
    ledger: ClassVar[Ledger]
    account: Account | None = None
    connection_timeout = network_timeout = 20.0
    kind = ""
    last_status = 0

    def on_start(self) -> None:
        """One more of its kind."""
        self.ledger.at_work[self.kind] += 1

    def on_stop(self) -> None:
        """One less."""
        self.ledger.at_work[self.kind] -= 1

    def ask(
        self,
        name: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        headers: dict[str, str] | None = None,
        known: str | None = None,
    ) -> Any:
        """The answer's JSON (text for a page), or None for a refusal. `known`: a refusal asked for on purpose."""
        name = f"{self.kind}: {name}"
        headers = dict(headers or {})
        if self.account is not None:
            headers["Authorization"] = f"Bearer {self.account.token}"
        began = time.perf_counter()
        answer: Any = None
        with self.client.request(
            "GET" if body is None else "POST", path, name=name, json=body, headers=headers, catch_response=True
        ) as response:
            took = (time.perf_counter() - began) * 1000
            status = int(response.status_code or 0)
            failure = None
            if 200 <= status < 300:
                is_json = "json" in (response.headers or {}).get("content-type", "")
                answer = response.json() if is_json else response.text
            elif status in WEATHER or (status in LIFE and self.account is not None):
                code = _code(response)
                name = f"{name} → {status} {code}"
                if known is not None and code != known:
                    failure = f"{status} {code} in place of {known}"
            else:
                failure = f"{status} {_code(response)} {response.error or ''}".strip()
            if failure is None:
                response.success()
            else:
                response.failure(failure)
        self.ledger.heard(name, took, failure)
        self.last_status = status
        return answer

    def complain(self, name: str, why: str) -> None:
        """An answer that was no refusal and yet wrong."""
        self.ledger.heard(f"{self.kind}: {name}", 0, why)


def _code(response: Any) -> str:
    try:
        return str(response.json().get("code", ""))
    except (ValueError, AttributeError, TypeError):
        return ""


class Neighbour(Person):
    """Reports something from some telephone in the city, and looks what becomes of it."""

    kind = "vecino"
    wait_time = between(0.8, 2.4)

    @task
    def report(self) -> None:
        """Once in ten the answer gets lost, and the telephone sends the same again."""
        if self.ledger.phase != "working":
            raise StopUser
        # The web process believes a proxy on this machine: every neighbour has his own address, as behind nginx.
        headers = {"X-Forwarded-For": f"198.18.{random.randrange(256)}.{random.randrange(1, 255)}"}
        place = near(random.choice(self.ledger.plan.places), 900)
        placed = random.random() < 0.8
        body: dict[str, Any] = {"id": new_id(), "words": random.choice(WORDS), "place": "Calle Balmaceda 1100"}
        body |= {"location": point(place)} if placed else {}
        body |= {"contact": {"name": "Ana", "phone": "341 555 0000"}} if random.random() < 0.3 else {}
        told = self.ask("avisar", "/api/v1/reports", body, headers=headers)
        if told is None:
            return
        self.ledger.promised("report", body["id"])
        if random.random() < 0.1:
            again = self.ask("avisar lo mismo otra vez", "/api/v1/reports", body, headers=headers)
            if again is not None and again != told:
                self.complain("avisar lo mismo otra vez", f"{again} is not {told}")
        self.ledger.waiting.append((body["id"], place))
        page = self.ask("seguir su aviso", f"/s/{told['tracking_code']}", headers=headers)
        if page is not None and told["tracking_code"] not in page:
            self.complain("seguir su aviso", "another page")


class Dispatcher(Person):
    """Sorts reports, sends units, writes notes, closes. Ends with an empty desk."""

    kind = "despacho"
    wait_time = between(0.4, 1.2)
    _turn = 0

    def on_start(self) -> None:
        """The dispatcher and the supervisor in turn."""
        super().on_start()
        accounts = self.ledger.plan.of_role("dispatcher", "supervisor")
        self.account = accounts[Dispatcher._turn % len(accounts)]
        Dispatcher._turn += 1
        self.mine: dict[str, list[str]] = {}  # incidents, and the units sent to each
        self.looked_for_units = 0.0

    @task(5)
    def sort(self) -> None:
        """The next report: an incident, one that we know already, or nothing."""
        if self._ending() or not self.ledger.waiting:
            return
        report, place = self.ledger.waiting.popleft()
        if self.mine and random.random() < 0.1:
            self.ask("parecidos", f"/api/v1/reports/{report}/similar")
            joined = self.ask("vincular", f"/api/v1/reports/{report}/join", {"incident_id": self._any()})
            if joined is not None:
                self._told(joined)
            return
        if random.random() < 0.1:
            self._told(self.ask("descartar", f"/api/v1/reports/{report}/dismiss", {"reason": "hoax"}))
            return
        body = {"incident_id": new_id(), "type_code": random.choice(TYPES), "location": point(place)}
        made = self.ask("aceptar", f"/api/v1/reports/{report}/accept", body)
        if made is not None:
            self._opened(made)

    @task(1)
    def open(self) -> None:
        """Somebody telephones."""
        if self._ending():
            return
        place = near(random.choice(self.ledger.plan.places), 900)
        body = {"id": new_id(), "type_code": random.choice(TYPES), "location": point(place), "summary": "Por teléfono"}
        made = self.ask("abrir", "/api/v1/incidents", body)
        if made is not None:
            self._opened(made)

    @task(5)
    def send(self) -> None:
        """The first free unit; now and then one that is taken: the refusal must name who holds it."""
        if self._ending() or not self.mine:
            return
        incident = next((id_ for id_, units in self.mine.items() if not units), self._any())
        busy = [unit for unit in self.ledger.jobs if random.random() < 0.5]
        if busy and random.random() < 0.1:
            self._send(incident, busy[0], "enviar un móvil ocupado")
        elif self.ledger.free:
            self._send(incident, self.ledger.free.pop(0), "enviar")
        elif time.monotonic() - self.looked_for_units > 5:
            self.looked_for_units = time.monotonic()
            found = self.ask("ver móviles", "/api/v1/units")
            for one in found["features"] if found else ():
                unit = one["properties"]
                known = unit["id"] in self.ledger.jobs or unit["id"] in self.ledger.free
                if unit["status"] == "available" and not known:
                    self.ledger.free.append(unit["id"])

    @task(4)
    def note(self) -> None:
        """Something worth writing down."""
        if self._ending() or not self.mine:
            return
        body = {"id": new_id(), "text": f"Novedad {random.randrange(1000)}: <i>sin</i> heridos"}
        incident = self._any()
        if self.ask("anotar", f"/api/v1/incidents/{incident}/notes", body) is not None:
            self.ledger.promised("note", body["id"])
        else:
            self._hand_over(incident)

    @task(2)
    def radio(self) -> None:
        """A crew without a telephone says on the radio how far it is."""
        if self._ending():
            return
        silent = [unit for unit in self.ledger.jobs if unit not in self.ledger.crewed]
        if silent:
            unit = random.choice(silent)
            report_next(self, unit, self.ledger.jobs[unit])

    @task(1)
    def reconsider(self) -> None:
        """Another type, with another sensitivity; or a partner is let in, or out again: rights change under way."""
        if self._ending() or not self.mine:
            return
        incident, partner = self._any(), self.ledger.plan.partner
        if partner and random.random() < 0.5:
            verb = random.choice(("share", "unshare"))
            changed = self.ask("compartir", f"/api/v1/incidents/{incident}/{verb}", {"organization_id": partner})
        else:
            body = {"type_code": random.choice(TYPES)}
            changed = self.ask("reclasificar", f"/api/v1/incidents/{incident}/reclassify", body)
        self._told(changed)

    @task(2)
    def close(self) -> None:
        """The oldest, when there are several."""
        if self._ending():
            return
        self._adopt()
        if len(self.mine) >= 4:
            self._close(next(iter(self.mine)), "resolved")

    # ── Hands ─────────────────────────────────────────────────────────────────────────────────────

    def _any(self) -> str:
        return random.choice(list(self.mine))

    def _told(self, feature: dict[str, Any] | None) -> None:
        if feature is not None:
            properties = feature["properties"]
            self.ledger.promised("line", properties["id"], line=[properties["subject"], properties["version"]])

    def _opened(self, feature: dict[str, Any]) -> None:
        properties = feature["properties"]
        self.mine[properties["id"]] = []
        subject, version = properties["subject"], properties["version"]
        self.ledger.promised("incident", properties["id"], line=[subject, version])

    def _send(self, incident: str, unit: str, name: str) -> None:
        id_ = new_id()
        body = {"id": id_, "units": [{"id": id_, "unit_id": unit}]}
        made = self.ask(name, f"/api/v1/incidents/{incident}/assignments", body)
        if made is not None:
            self.ledger.promised("assignment", id_)
            self.ledger.jobs[unit] = Job(id_, incident)
            self.mine.setdefault(incident, []).append(unit)
        elif self._hand_over(incident) and unit not in self.ledger.jobs:
            self.ledger.free.append(unit)

    def _close(self, incident: str, disposition: str) -> None:
        units = self.mine.pop(incident)
        closed = self.ask("cerrar", f"/api/v1/incidents/{incident}/close", {"disposition": disposition})
        self._told(closed)
        if closed is None:
            self.ledger.out_of_sight.append(incident)
        for unit in units:
            job = self.ledger.jobs.get(unit)
            if job is not None and job.incident == incident:
                self.ledger.release(unit)

    def _hand_over(self, incident: str) -> bool:
        """What one may not see any more is somebody else's."""
        gone = self.last_status == 404 and self.mine.pop(incident, None) is not None
        if gone:
            self.ledger.out_of_sight.append(incident)
        return gone

    def _adopt(self) -> None:
        """Supervision sees what others may not: what became too delicate for whoever opened it is closed here."""
        if self.account is not None and self.account.role == "supervisor":
            while self.ledger.out_of_sight:
                self.mine.setdefault(self.ledger.out_of_sight.pop(), [])

    def _ending(self) -> bool:
        """Home time: the desk is cleared first."""
        if self.ledger.phase == "working":
            return False
        while self.ledger.waiting:
            report, _ = self.ledger.waiting.popleft()
            self._told(self.ask("descartar", f"/api/v1/reports/{report}/dismiss", {"reason": "already_resolved"}))
        for _ in range(2):
            for incident in list(self.mine):
                self._close(incident, "no_action")
            if self.account is not None and self.account.role == "supervisor":
                gevent.sleep(3)  # the others clear theirs
            self._adopt()
        for incident in list(self.mine):
            self._close(incident, "no_action")
        raise StopUser


class Crew(Person):
    """One unit: says how far it is, and where."""

    kind = "dotación"
    wait_time = between(0.5, 1.5)
    _turn = 0

    def on_start(self) -> None:
        """Each crew its own unit."""
        super().on_start()
        accounts = self.ledger.plan.of_role("crew")
        self.account = accounts[Crew._turn % len(accounts)]
        self.place = self.ledger.plan.places[Crew._turn % len(self.ledger.plan.places)]
        Crew._turn += 1
        assert self.account.unit_id is not None  # noqa: S101  a crew has a unit
        self.unit = self.account.unit_id
        self.ledger.crewed.add(self.unit)

    @task(2)
    def go_on(self) -> None:
        """The next step of the job, if there is one."""
        self._ending()
        job = self.ledger.jobs.get(self.unit)
        if job is not None:
            report_next(self, self.unit, job)

    @task(3)
    def drive(self) -> None:
        """Fifty metres on."""
        self._ending()
        self.place = near(self.place, 50)
        milliseconds = time.time_ns() // 1_000_000
        fixed_at = dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC).isoformat(timespec="milliseconds")
        fix = {"unit_id": self.unit, "location": point(self.place), "fixed_at": fixed_at, "speed_kmh": 40.0}
        taken = self.ask("posición", "/api/v1/positions", {"positions": [fix]})
        if taken is not None and taken["accepted"] == 1:
            self.ledger.fixes[self.unit, milliseconds] = time.time()

    def _ending(self) -> None:
        if self.ledger.phase != "working":
            raise StopUser


def report_next(person: Person, unit: str, job: Job) -> None:
    """Say that a job is one step further."""
    ledger, status = person.ledger, NEXT[job.status]
    done = person.ask(f"estado {status}", f"/api/v1/assignments/{job.id}/status", {"status": status})
    if ledger.jobs.get(unit) is not job:
        return  # closed meanwhile
    if done is None or status == "released":
        ledger.release(unit)
    if done is not None:
        ledger.promised("status", job.id, status=status)
        job.status = status


class Wall(FeedUser):
    """The screen on the wall."""

    roles = ("wall",)


class Console(FeedUser):
    """Everybody else who has the map open: each sees something else."""

    roles = ("dispatcher", "supervisor", "call_taker", "government", "neighbourhood", "agency", "crew")


CLASSES: dict[str, type[Person] | type[FeedUser]] = {
    "vecino": Neighbour,
    "despacho": Dispatcher,
    "dotación": Crew,
    "pared": Wall,
    "consola": Console,
}
