"""The command line of `./vigia`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from web.launcher import checks, doctor, errands, status, testing
from web.launcher.down import down
from web.launcher.environment import DEFAULT_PORT
from web.launcher.layout import SHARED, Instance, version
from web.launcher.messages import text
from web.launcher.problems import Exit, Problem
from web.launcher.up import Wishes, up

_PASSES_ON = {"test", *errands.ERRANDS}


def main(words: list[str]) -> int:
    parser = _parser()
    chosen, rest = parser.parse_known_args(words)
    if rest and chosen.command not in _PASSES_ON:
        parser.error(text("cli.unknown", words=" ".join(rest)))
    instance = Instance(Path(chosen.data).expanduser().resolve())
    try:
        return _run(chosen, rest, instance)
    except Problem as problem:
        print(f"vigia: {problem}", file=sys.stderr)
        return problem.code
    except KeyboardInterrupt:
        print(f"\nvigia: {text('interrupted')}", file=sys.stderr)
        return Exit.INTERRUPTED


def _run(chosen: argparse.Namespace, rest: list[str], instance: Instance) -> int:
    command: str = chosen.command
    commands: dict[str, Callable[[], int]] = {
        "up": lambda: up(instance, Wishes(chosen.port, chosen.demo, chosen.simulation, chosen.detach)),
        "down": lambda: down(instance),
        "status": lambda: status.status(instance, as_json=chosen.json),
        "test": lambda: testing.test(instance, rest),
        "check": lambda: checks.check(instance),
        "doctor": lambda: doctor.doctor(instance),
    }
    return commands.get(command, lambda: errands.run_errand(instance, command, rest))()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./vigia",
        description=text("cli.description"),
        epilog=text("cli.epilog"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=version())
    common = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    common.add_argument("--data", metavar="DIR", default=str(SHARED), help=text("cli.data"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="ORDEN")
    made = {
        name: commands.add_parser(
            name,
            parents=[common],
            help=text(f"cli.{name}"),
            description=text(f"cli.{name}"),
            allow_abbrev=False,
            add_help=name not in errands.ERRANDS,  # they show their own
        )
        for name in ("up", "down", "status", "test", "check", "doctor", *errands.ERRANDS)
    }
    start = made["up"]
    start.add_argument("--port", type=_port, default=DEFAULT_PORT, help=text("cli.port"))
    start.add_argument("--no-demo", dest="demo", action="store_false", help=text("cli.no_demo"))
    start.add_argument("--no-simulation", dest="simulation", action="store_false", help=text("cli.no_simulation"))
    start.add_argument("--detach", action="store_true", help=text("cli.detach"))
    made["status"].add_argument("--json", action="store_true", help=text("cli.json"))
    made["test"].usage = "./vigia test [--data DIR] [argumentos de pytest]"
    return parser


def _port(word: str) -> int:
    number = int(word)
    if not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError(text("cli.port_range"))
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
