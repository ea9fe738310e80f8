"""The building: which floor stands on which, who alone may commit, and that what the code says is written down."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path

import pytest
from pwdlib import PasswordHash

from geo.closures import ClosureKind
from incidents.assignments import AssignmentStatus
from incidents.calls import Outcome
from incidents.incident import IncidentState
from incidents.premises import PremiseKind
from incidents.reports import Channel, ReportStatus
from realtime.access import Permission, Role
from resources.equipment import EquipmentState, MoveKind
from resources.facilities import FacilityKind
from resources.organizations import OrganizationKind
from resources.people import ACCOUNT_ROLES
from resources.units import Duty, UnitKind
from tests.conftest import LONG

ROOT = Path(__file__).parents[1]
FLOORS = ("realtime", "geo", "resources", "incidents", "coordination", "web")
API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of every floor, by its path from the root."""
    sources = [
        path for floor in FLOORS for path in sorted((ROOT / floor).rglob("*.py")) if "node_modules" not in path.parts
    ]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in sources}


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Each call and the last name of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                yield node.func.attr, node
            elif isinstance(node.func, ast.Name):
                yield node.func.id, node


def test_each_floor_imports_only_from_those_below() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint(['--no-cache'])"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert said.returncode == 0, said.stdout[-3000:] + said.stderr[-1000:]
    assert re.search(r"Contracts: [4-9] kept, 0 broken", said.stdout)


def test_nobody_else_commits() -> None:
    """One request is one transaction, and one place ends it: `realtime/database.py`."""
    enders = {
        path
        for path, tree in modules().items()
        for name, call in calls(tree)
        if name in {"commit", "rollback"}
        or (
            name == "begin"
            and isinstance(call.func, ast.Attribute)
            and "session" in ast.unparse(call.func.value).lower()
        )
        or (
            name == "begin"
            and isinstance(call.func, ast.Attribute)
            and "engine" in ast.unparse(call.func.value).lower()
        )
    }
    assert enders == {"realtime/database.py"}
    raw = {
        path
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.match(r"\s*(COMMIT|ROLLBACK)\b", node.value)
    }
    assert raw == set()


def test_only_the_relay_goes_past_the_session() -> None:
    """Whoever connects to PostgreSQL by itself commits by itself: the relay does, knowing why."""
    past = {
        path
        for path, tree in modules().items()
        for name, call in calls(tree)
        for keyword in call.keywords
        if keyword.arg == "autocommit" and name == "connect"
    }
    assert past == {"realtime/relay.py"}


def test_only_the_bus_speaks_redis() -> None:
    speakers = {
        path
        for path, tree in modules().items()
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        if name.split(".")[0] in {"redis", "hiredis", "valkey"}
    }
    assert speakers == {"realtime/bus.py"}


def test_imports_stand_at_the_top() -> None:
    """What a module needs is seen on its first page, and floors cannot be climbed in the dark.

    But in `web/cli.py`, where each program imports only itself: a process that died is back in half the time.
    """
    hidden = {
        f"{path}:{inner.lineno}"
        for path, tree in modules().items()
        if path != "web/cli.py"
        for function in ast.walk(tree)
        if isinstance(function, FUNCTIONS)
        for inner in ast.walk(function)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    }
    assert hidden == set()


def test_only_the_web_floor_reads_the_environment() -> None:
    readers = {
        path
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    }
    assert {path.split("/")[0] for path in readers} <= {"web"}


def test_every_refusal_says_what_it_means() -> None:
    """A refusal's docstring is its message; one without would inherit its parent's and say something else."""
    known, silent = {"Refusal"}, []
    classes = [
        (path, node) for path, tree in modules().items() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    ]
    for _ in range(4):  # as deep as they stand below each other
        known |= {node.name for _, node in classes if {ast.unparse(base) for base in node.bases} & known}
    for path, node in classes:
        if node.name in known and not ast.get_docstring(node):
            silent.append(f"{path}: {node.name}")
    assert len(known) > 30
    assert silent == []


# Who makes shapes of what is not ours beside the door, and why it may.
READERS_OF_SHAPES = {
    "geo/files.py": "reads files for the door: what it makes goes through `parse_geometry` before anybody sees it",
    "geo/osm/reading.py": "reads an extract of OSM, each coordinate checked by libosmium, behind the wall",
    "geo/network.py": "our own rows",
    "geo/street_index.py": "our own rows",
    "web/demo/coquimbo.py": "the demo's own city, which comes with the program",
}
MENDERS = {"geo/isochrones.py": "the outline of squares that it has drawn itself"}
MAKERS = {"from_geojson", "from_wkt", "from_wkb", "loads_wkb", "loads_wkt"}


def test_only_the_door_makes_shapes_of_what_comes_from_outside() -> None:
    """GeoJSON, WKT and WKB become shapes in `geo/places.py`, and nobody mends what a stranger drew."""
    makers, menders = set(), set()
    for path, tree in modules().items():
        makers |= {path for name, _ in calls(tree) if name in MAKERS}
        makers |= {
            path
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            and (
                (node.module or "").startswith(("shapely.wkt", "shapely.wkb"))
                or ((node.module or "").startswith("shapely.geometry") and {a.name for a in node.names} & {"shape"})
            )
        }
        makers |= {
            path
            for name, call in calls(tree)
            if name == "shape" and isinstance(call.func, ast.Attribute) and "shapely" in ast.unparse(call.func)
        }
        menders |= {path for name, _ in calls(tree) if name in {"make_valid", "ST_MakeValid"}}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if re.search(r"ST_Geom\w*From(GeoJSON|Text|KML|GML|WKT)|ST_GeomFromEWKT", node.value):
                    makers.add(path)
                if re.search(r"ST_MakeValid\(", node.value):
                    menders.add(path)
    assert makers == READERS_OF_SHAPES.keys()
    assert menders == MENDERS.keys()
    files = next(tree for path, tree in modules().items() if path == "geo/files.py")
    assert "parse_geometry" in {name for name, _ in calls(files)}


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────

# What changes things for a verb that has already asked: called by verbs and chores, never by an endpoint.
FOR_VERBS = {
    "geo/closures.py: expire_closure",
    "geo/closures.py: tell",
    "incidents/bonds.py: tell",
    "incidents/bonds.py: tell_of_member",
    "incidents/dispatch.py: end_incident",
    "incidents/dispatch.py: move_assignments",
    "incidents/incident.py: set_state",
    "incidents/incident.py: take_off_board",
    "incidents/incident.py: tell",
    "incidents/links.py: access_both",
    "incidents/links.py: make_link",
    "incidents/links.py: undo_link",
    "incidents/majors.py: tell",
    "incidents/radio_lines.py: tell",
    "incidents/reports.py: tell",
    "incidents/move_ups.py: tell",
    "incidents/sos.py: end_sos",
    "incidents/timeline.py: write_note",
    "incidents/triage.py: put_in",
    "incidents/undo.py: remember",
    "realtime/idempotency.py: answer_once",
    "realtime/journal.py: record",
    "realtime/registers.py: turn_page",
    "resources/units.py: engage",
    "resources/units.py: tell",
}


def changes_something(function: ast.AsyncFunctionDef) -> bool:
    """Whether it adds, tells or locks."""
    for name, call in calls(function):
        if name in {"tell", "_tell", "record", "set_state", "add", "delete", "update", "insert"}:
            return True
        if any(keyword.arg == "lock" and isinstance(keyword.value, ast.Constant) for keyword in call.keywords):
            return True
    return False


def test_every_verb_asks_whether_its_actor_may() -> None:
    unasked = set()
    for path, tree in modules().items():
        for function in tree.body:
            if not isinstance(function, ast.AsyncFunctionDef) or function.name.startswith("_"):
                continue
            words = [argument.arg for argument in function.args.args]
            if words[:2] != ["session", "actor"] or not changes_something(function):
                continue
            asked = {name for name, _ in calls(function)} & {
                "require",
                "may",
                "access_person",
                "access_kept",
                "access_stock",
                "access_subject",
                "_by_hand",
            }
            if not asked:
                unasked.add(f"{path}: {function.name}")
    assert unasked == FOR_VERBS


def test_what_is_only_for_verbs_is_not_called_over_http() -> None:
    names = {one.rpartition(" ")[2] for one in FOR_VERBS} - {"tell", "record", "answer_once"}
    imported = {
        f"{path}: {alias.name}"
        for path, tree in modules().items()
        if path.startswith(("web/api/", "web/pages/"))
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name in names
    }
    assert imported == set()


# ── Words ─────────────────────────────────────────────────────────────────────────────────────────

KIND = re.compile(
    r"^(incident|report|assignment|note|contact|unit|closure|zone|zones|fence|layer|speeds|simulation|capability|equipment"
    r"|vehicle|photo|facility|stock|staff|credential|shift|swap|attendance|on_call|device|run_card|task|coverage|move_up"
    r"|sos|alarm|watchdog|check_in|link|major|storm|circuit|caller|premise|past|radio|handover)\.[a-z_]+$"
)
TELLERS = {
    "tell_of_member",
    "turn_page",
    "tell",
    "_tell",
    "tell_of_incident",
    "record",
    "set_state",
    "_end",
    "_tell_of_visit",
}


def journal_kinds() -> set[str]:
    """Every kind of fact that the code writes into the journal."""
    kinds: set[str] = set()
    for path, tree in modules().items():
        if path.startswith("web/replay/"):
            continue  # reads the books
        for name, call in calls(tree):
            if name in TELLERS:
                kinds |= _kinds_in([*call.args, *(word.value for word in call.keywords if word.arg == "kind")])
        for function in ast.walk(tree):
            if isinstance(function, FUNCTIONS) and "kind" in {one.arg for one in function.args.kwonlyargs}:
                kinds |= _kinds_in(function.args.kw_defaults)
    return kinds


def _kinds_in(words: Sequence[ast.expr | None]) -> set[str]:
    values = [word.value for word in words if isinstance(word, ast.Constant)]
    return {value for value in values if isinstance(value, str) and KIND.match(value)}


def test_every_kind_of_fact_is_written_down() -> None:
    kinds = journal_kinds()
    assert {"incident.opened", "incident.state", "incident.reopened", "unit.duty", "contact.seen"} <= kinds
    assert {kind for kind in kinds if not re.search(rf"\b{re.escape(kind)}\b", ARCHITECTURE)} == set()


def test_every_kind_of_a_timeline_is_in_the_api() -> None:
    of_incidents = ("incident.", "assignment.", "note.", "contact.", "task.", "link.", "major.incident_", "radio.")
    told = {kind for kind in journal_kinds() if kind.startswith(of_incidents)} - {
        "link.retold",
        "radio.retold",
        "radio.off_air",
    }
    line = re.search(r"Kinds: `([^`]+)`", API)
    assert line is not None
    assert set(line[1].split()) == told | {"report.joined", "report.left", "report.fact_added"}


@pytest.mark.parametrize(
    "words",
    [
        IncidentState,
        AssignmentStatus,
        ReportStatus,
        Channel,
        Duty,
        UnitKind,
        OrganizationKind,
        Permission,
        ClosureKind,
        FacilityKind,
        EquipmentState,
        MoveKind,
        Outcome,
        PremiseKind,
    ],
)
def test_every_word_that_a_client_meets_is_in_the_api(words: type[StrEnum]) -> None:
    missing = {word.value for word in words if not re.search(rf"\b{re.escape(word.value)}\b", API)}
    assert missing == set()


def test_every_role_is_in_the_api() -> None:
    roles = re.search(r"Roles: `([^`]+)`", API)
    assert roles is not None
    assert set(roles[1].split()) == {role.value for role in ACCOUNT_ROLES}
    assert set(Role) - ACCOUNT_ROLES == {Role.NEIGHBOUR, Role.SYSTEM}


def test_passwords_cost_whoever_steals_them_what_they_should(real_hasher: PasswordHash) -> None:
    """Here they are hashed cheaply; the application's own are argon2id with 64 MiB and three passes."""
    assert real_hasher.hash("una clave de prueba").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_what_is_begun_first_is_there() -> None:
    assert [name for name in LONG if not (ROOT / name).is_file()] == []
