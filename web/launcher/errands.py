"""Commands that are the application's own, run with the environment of the running instance.

`city`, `replay` and `load` need it running: when it is not, it is started for them and stopped afterwards. `bench`
measures on servers of its own and only needs their programs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from web.launcher import environment, postgres, redis, state
from web.launcher.down import down
from web.launcher.layout import PYTHON, ROOT, Instance
from web.launcher.problems import Exit
from web.launcher.progress import say
from web.launcher.testing import binaries_environment, foreground
from web.launcher.up import Wishes, prepare, up

ERRANDS = {
    "city": ["web.cli", "city"],
    "replay": ["web.cli", "replay"],
    "load": ["loadtests.load"],
    "bench": ["loadtests.bench"],
}
_NEEDS_INSTANCE = {"city", "replay", "load"}
_OWN_CITY = {"city"}  # started for these without the demo: they bring a real one
_AT_WORK = {"load", "bench"}  # these are tools of those who build Vigía


def run_errand(instance: Instance, name: str, arguments: Sequence[str]) -> int:
    """The errand's own exit code."""
    if name not in _NEEDS_INSTANCE or set(arguments) & {"-h", "--help"}:
        return _alone(instance, name, arguments)
    found = state.running(instance)
    if found is not None and found.phase == "ready":
        return _beside(instance, found, name, arguments)
    say("errand.starting", name=name)
    asked = time.time()
    code = up(instance, Wishes(demo=name not in _OWN_CITY, simulation=False, detach=True, introduce=False))
    found = state.running(instance)
    if code != Exit.FINE or found is None:
        return code
    try:
        return _beside(instance, found, name, arguments)
    finally:
        if found.since > asked:  # ours, not one that somebody started meanwhile
            down(instance)
            if name in _OWN_CITY:
                say("errand.open", where=instance.words)


def _beside(instance: Instance, found: state.State, name: str, arguments: Sequence[str]) -> int:
    prepare(development=name in _AT_WORK, demo=False, build=False)
    env = environment.for_application(
        instance,
        database_url=found.database_url,
        redis_url=found.redis_url,
        port=found.port,
        demo=found.demo,
    )
    env |= {"VIGIA_ADDRESS": found.address, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
    # Files are named from where the operator stands, and a tool's own lie in the checkout.
    return foreground([str(PYTHON), "-m", *ERRANDS[name], *arguments], env, ROOT if name in _AT_WORK else Path.cwd())


def _alone(instance: Instance, name: str, arguments: Sequence[str]) -> int:
    prepare(development=name in _AT_WORK, demo=False, build=False)
    servers = binaries_environment(postgres.find_or_fetch(), redis.find_or_fetch())
    env = environment.clean(os.environ) | servers | {"VIGIA_DATA": str(instance.data)}
    return foreground([str(PYTHON), "-m", *ERRANDS[name], *arguments], env, ROOT)
