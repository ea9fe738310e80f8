"""`./vigia load --users N --time T`: a crowd on a running demo, and a reckoning of every promise afterwards.

Only against this machine and only against a demo city: the crowd makes reports and incidents. It clears its desk
at the end, but what happened stays in the books.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from loadtests.ledger import Account, Place, Plan
from loadtests.reckoning import Reckoning, reckon
from web.launcher.processes import tied_to_us

SHARES = {"vecino": 6, "despacho": 6, "dotación": 5, "pared": 2, "consola": 7}
MOST_USERS, MOST_SECONDS, MOST_REQUESTS = 300, 1800.0, 200_000
SHOWN = 8  # of each sort of fault


class Hopeless(Exception):
    """Why there is nothing to measure."""


def main() -> int:
    """Exit code: 0 when every promise was kept, 1 when one was not, 2 when there was nothing to measure."""
    wishes = _wishes()
    try:
        address = _loopback(os.environ.get("VIGIA_ADDRESS", "http://127.0.0.1:8000"))
        plan, since, simulated = _prepare(address, wishes)
        print(_introduction(plan, simulated), flush=True)
        before = processor_seconds()
        seen = _let_loose(plan)
        spent = {name: used - before.get(name, 0.0) for name, used in processor_seconds().items()}
    except Hopeless as why:
        print(f"vigia load: {why}", file=sys.stderr)
        return 2
    found = asyncio.run(reckon(os.environ["VIGIA_DATABASE_URL"], plan, seen, since))
    return _tell(seen, found, spent)


def _wishes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./vigia load",
        description="Pone gente a trabajar sobre la demostración y después hace las cuentas: qué tardó, qué se perdió.",
    )
    parser.add_argument("--users", type=_between(5, MOST_USERS), default=30, help=f"cuántos (30); de 5 a {MOST_USERS}")
    parser.add_argument("--time", type=_seconds, default=60.0, help="cuánto tiempo: 60s, 2m (60s); hasta 30m")
    parser.add_argument(
        "--requests",
        type=_between(1, MOST_REQUESTS),
        default=MOST_REQUESTS,
        help=f"después de cuántos pedidos parar, como mucho ({MOST_REQUESTS})",
    )
    return parser.parse_args()


def _between(least: int, most: int) -> Any:
    def number(word: str) -> int:
        if not word.isdigit() or not least <= int(word) <= most:
            raise argparse.ArgumentTypeError(f"de {least} a {most}")
        return int(word)

    return number


def _seconds(word: str) -> float:
    found = re.fullmatch(r"(\d+)(s|m)?", word)
    seconds = float(found[1]) * (60 if found[2] == "m" else 1) if found else 0.0
    if not 1 <= seconds <= MOST_SECONDS:
        raise argparse.ArgumentTypeError("por ejemplo 60s o 2m; hasta 30m")
    return seconds


# ── Before ────────────────────────────────────────────────────────────────────────────────────────


def _loopback(address: str) -> str:
    parts = urlsplit(address)
    host = parts.hostname or ""
    try:
        ours = ipaddress.ip_address(host).is_loopback
    except ValueError:
        ours = host == "localhost"
    if not ours or parts.scheme != "http":
        raise Hopeless(f"sólo contra esta misma máquina; {address} no lo es.")
    return address.rstrip("/")


def _prepare(address: str, wishes: argparse.Namespace) -> tuple[Plan, int, bool]:
    data = Path(os.environ.get("VIGIA_DATA", "var"))
    if "VIGIA_DATABASE_URL" not in os.environ:
        raise Hopeless("falta VIGIA_DATABASE_URL: para hacer las cuentas hay que leer el diario.")
    try:
        people = json.loads((data / "demo-accounts.json").read_text())
    except OSError:
        raise Hopeless("sólo sobre una ciudad de demostración, y ésta no lo es.") from None
    crews = data / "demo-simulator.json"
    if crews.exists():
        people += [one for one in json.loads(crews.read_text()) if one["role"] == "crew"]
    users = _shared_out(wishes.users)
    with httpx2.Client(base_url=f"{address}/api/v1", timeout=30) as http:
        accounts = _signed_in(http, people, crews=users["dotación"])
        desk = next((one for one in accounts if one.role == "supervisor"), None)
        if desk is None or not any(one.role == "crew" for one in accounts):
            raise Hopeless("faltan cuentas: al menos supervisión y una dotación.")
        headers = {"Authorization": f"Bearer {desk.token}"}
        snapshot = _answer(http.get("/snapshot", headers=headers))
        simulated = _simulated(data, _answer(http.get("/simulation", headers=headers)))
        partners = _answer(http.get("/organizations", headers=headers))
    units = [one["properties"] for one in snapshot["features"] if one["properties"]["subject"].startswith("unit:")]
    plan = Plan(
        address=address,
        seconds=wishes.time,
        most_requests=wishes.requests,
        users=users,
        accounts=accounts,
        units=[unit["id"] for unit in units if unit["status"] == "available"],
        places=_places(snapshot),
        partner=next((one["id"] for one in _listed(partners) if one["kind"] == "agency"), None),
    )
    return plan, int(snapshot["seq"]), simulated


def _listed(answer: Any) -> list[dict[str, Any]]:
    if isinstance(answer, dict):
        answer = next((value for value in answer.values() if isinstance(value, list)), [])
    return list(answer)


def _simulated(data: Path, simulation: dict[str, Any]) -> bool:
    """Whether the simulator runs beside us: its process is there, and nobody paused it."""
    try:
        processes = json.loads((data / "run" / "state.json").read_text())["processes"]
    except (OSError, ValueError, KeyError):
        return bool(simulation["properties"]["running"])
    return any(one["name"] == "simulate" for one in processes) and bool(simulation["properties"]["running"])


def _places(snapshot: dict[str, Any]) -> list[Place]:
    """Where units stand, there is a street; where none has been seen yet, the middle of the demo city."""
    return [(row[1], row[2]) for row in snapshot["positions"]] or [(-71.2519, -29.9045)]


def _signed_in(http: httpx2.Client, people: list[dict[str, str]], *, crews: int) -> list[Account]:
    """Once for each account: the password is hashed slowly on purpose, and tries are counted."""
    accounts: list[Account] = []
    for one in people:
        if one["role"] == "administrator" or (one["role"] == "crew" and crews <= 0):
            continue
        answer = http.post(
            "/session",
            json={"username": one["username"], "password": one["password"]},
            headers={"X-Vigia-Token": "1"},
        )
        if answer.status_code == 429:
            raise Hopeless("demasiados ingresos desde esta máquina: esperá 15 minutos.")
        found = _answer(answer)
        person = found["person"]
        if person["role"] == "crew":
            if any(account.unit_id == person["unit_id"] for account in accounts):
                continue  # somebody drives that unit already
            crews -= 1
        accounts.append(Account(one["username"], person["role"], found["token"], person["unit_id"]))
    return accounts


def _answer(answer: httpx2.Response) -> Any:
    if answer.status_code != 200:
        raise Hopeless(f"la instancia contestó {answer.status_code} a {answer.request.url.path}.")
    return answer.json()


def _shared_out(users: int) -> dict[str, int]:
    """By share, at least one of each."""
    whole = sum(SHARES.values())
    counts = {name: max(1, users * share // whole) for name, share in SHARES.items()}
    for name in sorted(SHARES, key=lambda name: -(users * SHARES[name] % whole)):
        if sum(counts.values()) < users:
            counts[name] += 1
    return counts


def processor_seconds() -> dict[str, float]:
    """What each process of the instance has used so far, its children included: a figure that neighbours on the
    machine do not change. Empty where the instance is not run by `./vigia up`."""
    try:
        state = json.loads(Path(os.environ.get("VIGIA_DATA", "var"), "run", "state.json").read_text())
    except (OSError, ValueError):
        return {}
    groups = {one["pid"]: one["name"] for one in state["processes"] if one["running"]}
    used = dict.fromkeys(groups.values(), 0.0)
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            told = file.read_text().rpartition(")")[2].split()  # from the third field on
        except OSError:
            continue
        # Its own group, or its child: the database's workers are groups of their own.
        if name := groups.get(int(told[2])) or groups.get(int(told[1])):
            used[name] += (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
    return used


def _let_loose(plan: Plan) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="vigia-load-") as place:
        wish, result = Path(place, "plan.json"), Path(place, "seen.json")
        wish.touch(0o600)  # it holds tokens
        wish.write_text(json.dumps(asdict(plan)))
        command = [sys.executable, "-m", "loadtests.crowd", str(wish), str(result)]
        code = subprocess.run(tied_to_us(command, "TERM"), check=False).returncode
        if code != 0 or not result.exists():
            raise Hopeless(f"la gente no llegó al final (código {code}).")
        seen: dict[str, Any] = json.loads(result.read_text())
        return seen


# ── After ─────────────────────────────────────────────────────────────────────────────────────────


def _introduction(plan: Plan, simulated: bool) -> str:
    who = ", ".join(f"{name} {count}" for name, count in plan.users.items())
    lines = [
        f"{sum(plan.users.values())} usuarios ({who}) durante {plan.seconds:.0f} s contra {plan.address}",
        (
            f"Esta máquina: {os.cpu_count()} núcleos, carga {os.getloadavg()[0]:.1f} antes de empezar "
            "(la gente y el servidor los comparten)."
        ),
    ]
    if simulated:
        lines.append("La simulación de la demostración está andando: agrega tráfico y a veces se adelanta (409).")
    return "\n".join(lines)


def _tell(seen: dict[str, Any], found: Reckoning, spent: dict[str, float]) -> int:
    by_name: defaultdict[str, list[tuple[float, str | None]]] = defaultdict(list)
    for name, milliseconds, failure in seen["requests"]:
        by_name[name].append((milliseconds, failure))
    print(f"\n{'Pedidos, en ms':<58}{'n':>7}{'fallos':>8}{'p50':>8}{'p95':>8}{'p99':>8}")
    for name in sorted(by_name):
        _row(name, [one for one, _ in by_name[name]], sum(failure is not None for _, failure in by_name[name]))
    answered = [(ms, failure) for name, ms, failure in seen["requests"] if not name.startswith("pantalla")]
    failures = [f"{name}: {failure}" for name, _, failure in seen["requests"] if failure is not None]
    _row("en total, sin pantallas", [ms for ms, _ in answered], sum(failure is not None for _, failure in answered))
    print(f"  {len(answered) / seen['seconds']:.1f} pedidos por segundo")
    if spent:
        each = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in spent.items())
        print(f"  Procesador: {each}; en total {sum(spent.values()) / len(answered) * 1000:.0f} ms por pedido")

    print(f"\n{'Del hecho a la pantalla, en ms':<58}{'n':>7}{'':>8}{'p50':>8}{'p95':>8}{'p99':>8}")
    _row("desde el 2xx hasta la línea (0: llegó antes)", [max(0.0, one) * 1000 for one in found.from_answer])
    _row("desde el asiento en el diario (recorded_at)", [one * 1000 for one in found.from_journal])
    _row("posiciones, desde el 2xx hasta el mapa", [max(0.0, one) * 1000 for one in seen["fix_delays"]])

    screens, returns = len(seen["feeds"]), sum(len(feed["resumptions"]) for feed in seen["feeds"])
    sorts = {
        "perdidas": found.lost,
        "repetidas": found.duplicated,
        "fuera de orden": found.disordered,
        "ajenas o cambiadas": found.foreign,
    }
    print(
        f"\nLíneas: {found.delivered} entregadas a {screens} pantallas (esperadas {found.expected}), "
        f"y {found.resumed} más en {returns} regresos; "
        + ", ".join(f"{name} {len(faults)}" for name, faults in sorts.items())
    )
    print(f"Al final, pantallas iguales a un snapshot nuevo: {screens - _screens(found.different)} de {screens}")
    names = {"report": "avisos", "incident": "incidentes", "assignment": "envíos", "note": "notas"}
    kept = ", ".join(f"{names[what]} {count}" for what, count in found.promised.items())
    print(f"Confirmado con 2xx y buscado en la base: {kept}; faltan {len(found.missing)}")
    _tell_limits(by_name)
    _tell_faults({**sorts, "diferencias": found.different, "faltan": found.missing, "pedidos fallidos": failures})
    _tell_faults({"errores de la propia carga": seen["exceptions"]})
    if found.unnumbered:
        print(f"Quedaron {found.unnumbered} asientos sin número.")
    return 0 if found.good and not failures and not seen["exceptions"] else 1


def _row(name: str, values: Sequence[float], failures: int | None = None) -> None:
    told = "" if failures is None else str(failures)
    if not values:
        print(f"  {name:<56}{0:>7}{told:>8}")
        return
    parts = "".join(f"{percentile(values, part):>8.0f}" for part in (50, 95, 99))
    print(f"  {name:<56}{len(values):>7}{told:>8}{parts}")


def percentile(values: Iterable[float], part: float) -> float:
    """The nearest rank: a value that really occurred."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * part // 100).__int__() - 1)]


def _screens(differences: Sequence[str]) -> int:
    return len({one.partition(":")[0] for one in differences})


def _tell_limits(by_name: dict[str, list[tuple[float, str | None]]]) -> None:
    limited = sum(len(values) for name, values in by_name.items() if "→ 429" in name)
    busy = sum(len(values) for name, values in by_name.items() if "→ 503" in name)
    if limited:
        print(
            f"{limited} pedidos chocaron con el límite por dirección (429): no son fallos, pero tampoco carga. "
            "Arrancá la instancia con VIGIA_PUBLIC_REPORTS_PER_HOUR=100000."
        )
    if busy:
        print(f"{busy} pedidos recibieron 503 (ocupado).")


def _tell_faults(sorts: dict[str, list[str]]) -> None:
    for name, faults in sorts.items():
        for fault in faults[:SHOWN]:
            print(f"  {name}: {fault}")
        if len(faults) > SHOWN:
            print(f"  {name}: y {len(faults) - SHOWN} más")


if __name__ == "__main__":
    sys.exit(main())
