"""The crowd's own process: `python -m loadtests.crowd PLAN RESULT`. Locust comes first: it patches the network."""

# isort: off
from locust import User  # before anything that knows TLS
import gevent

# isort: on
import json
import sys
import time
from pathlib import Path
from typing import Any

from locust.env import Environment

from loadtests.ledger import Ledger, Plan
from loadtests.locustfile import CLASSES, Person

A_SECOND = 10  # users that arrive in one
DESK_CLEARED = 60.0  # seconds that people get to finish what they have in hand
COMPARED = 45.0  # seconds that screens get to compare


def run(plan: Plan) -> dict[str, Any]:
    """Let them in, let them work, let them finish, let the screens compare. What they have seen, as JSON."""
    ledger = Ledger(plan, free=list(plan.units))
    present: list[type[User]] = []
    for name, count in plan.users.items():
        kind = CLASSES[name]
        kind.ledger = ledger
        kind.fixed_count = count
        present.append(kind)
    environment = Environment(user_classes=present, host=plan.address, stop_timeout=5)
    runner = environment.create_local_runner()
    people = sorted({kind.kind for kind in present if issubclass(kind, Person)})
    runner.start(sum(plan.users.values()), spawn_rate=A_SECOND)
    began = time.monotonic()
    _wait(ledger, plan.seconds, lambda: ledger.phase != "working", "trabajando")
    worked = time.monotonic() - began
    ledger.phase = "closing"
    _wait(ledger, DESK_CLEARED, lambda: not any(ledger.at_work[kind] for kind in people), "terminando lo empezado")
    ledger.phase = "settling"
    _wait(ledger, COMPARED, lambda: not ledger.at_work["screens"], "comparando las pantallas")
    ledger.phase = "over"
    runner.quit()
    exceptions = [f"{one['count']}× {one['msg']}" for one in runner.exceptions.values()]
    return {
        "seconds": worked,
        "requests": ledger.requests,
        "acts": ledger.acts,
        "feeds": ledger.feeds,
        "fix_delays": ledger.fix_delays,
        "exceptions": exceptions,
    }


def _wait(ledger: Ledger, seconds: float, over: Any, what: str) -> None:
    began, told = time.monotonic(), 0
    while time.monotonic() - began < seconds and not over():
        gevent.sleep(0.1)
        passed = int(time.monotonic() - began)
        if passed >= told + 10:
            told = passed
            print(f"  {what}, {passed} s: {len(ledger.requests)} pedidos, {ledger.lines} líneas", flush=True)


if __name__ == "__main__":
    found = run(Plan.read(json.loads(Path(sys.argv[1]).read_text())))
    Path(sys.argv[2]).write_text(json.dumps(found))
