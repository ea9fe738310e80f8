"""`up`: prepare everything, start it, wait until it is ready, say where, and look after it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from web.launcher import chromium, environment, front_end, gdal, node, postgres, python_env, redis, state
from web.launcher.demo_network import demo_network
from web.launcher.layout import PREPARATION_LOCK, PYTHON, ROOT, Instance, version
from web.launcher.locks import try_lock, waiting_for
from web.launcher.messages import text
from web.launcher.problems import Exit, Problem
from web.launcher.progress import Step, say
from web.launcher.supervisor import Program, Stopped, Supervisor, rotate

_PORTS_TRIED = 50
_READY_WITHIN = 300.0  # a small machine under load reads its programs slowly


@dataclass(frozen=True)
class Wishes:
    """What was asked for on the command line."""

    port: int = environment.DEFAULT_PORT
    demo: bool = True
    simulation: bool = True
    detach: bool = False
    introduce: bool = True  # say the address and how to get in; not for one that ends with its errand


def prepare(*, development: bool, demo: bool, browser: bool = False, build: bool = True) -> None:
    """Everything that is fetched or built, shared by all instances; one launcher at a time does it."""
    with waiting_for(PREPARATION_LOCK):
        python_env.ensure(development=development)
        if build:
            front_end.ensure_built()
        if demo:
            demo_network()
        if browser:
            node.node()  # what drives the browser
            chromium.chromium()
            gdal.ensure()
        if not environment.external_database():
            postgres.find_or_fetch()
        if not environment.external_redis():
            redis.find_or_fetch()


def up(instance: Instance, wishes: Wishes) -> int:
    """Exit code of the command; in the foreground it returns when everything has stopped."""
    instance.make()
    lock = try_lock(instance.lock_file)
    if lock is None:
        return _already_running(instance)
    prepare(development=False, demo=wishes.demo)
    state.sweep(instance)
    return _detached(instance, wishes, lock) if wishes.detach else _supervise(instance, wishes, announce=None)


def _already_running(instance: Instance) -> int:
    found = state.read(instance)
    if found is None or found.phase != "ready":
        say("up.already_starting", data=instance.data)
        return Exit.BUSY
    say("up.already", address=found.address, pid=found.supervisor, data=instance.data)
    return Exit.FINE


def _detached(instance: Instance, wishes: Wishes, lock: int) -> int:
    """Fork; the child becomes the supervisor, with the lock, and tells through a pipe when it is ready."""
    sys.stdout.flush()
    hear, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hear)
        os.setsid()
        code = Exit.FAILED
        try:
            code = Exit(_supervise(instance, wishes, announce=tell))
        except Problem as problem:
            print(problem, file=sys.stderr, flush=True)
            code = problem.code
        finally:
            os._exit(code)
    os.close(tell)
    os.close(lock)  # the child's alone from here on: an errand that goes on must not look like a running instance
    try:
        if os.read(hear, 1):
            if wishes.introduce:
                say("up.detached", data=instance.data, where=instance.words)
            return Exit.FINE
    except KeyboardInterrupt:
        os.kill(child, signal.SIGTERM)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _supervise(instance: Instance, wishes: Wishes, announce: int | None) -> int:
    """The supervisor's life, from starting the servers to stopping them."""
    boot = _Boot(instance, wishes)
    try:
        boot.start()
        if wishes.introduce:
            boot.introduce()
        if announce is not None:
            _let_go_of_terminal(instance)
            os.write(announce, b"+")
            os.close(announce)
        boot.supervisor.run()
    except Stopped:
        return Exit.INTERRUPTED
    finally:
        boot.stop()
    return Exit.FINE


def _let_go_of_terminal(instance: Instance) -> None:
    sink = os.open(instance.log / "vigia.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    empty = os.open(os.devnull, os.O_RDONLY)
    sys.stdout.flush()
    for source, target in ((empty, 0), (sink, 1), (sink, 2)):
        os.dup2(source, target)


class _Boot:
    """One start, in order: database, Redis, migrations, first data, the processes, and the first answer."""

    def __init__(self, instance: Instance, wishes: Wishes) -> None:
        self._instance = instance
        self._wishes = wishes
        self._state = state.State(
            supervisor=os.getpid(),
            since=time.time(),
            phase="starting",
            address="",
            version=version(),
            demo=wishes.demo,
            database_url=environment.external_database() or "",
            redis_url=environment.external_redis() or "",
            port=wishes.port,
            database_socket="",
            redis_socket="",
        )
        self._open_database_url = environment.external_open_data() if self._state.database_url else None
        self.supervisor = Supervisor(self._tell, self._publish)

    def start(self) -> None:
        self.supervisor.obey_signals()
        self._publish([])
        self._start_database()
        self._start_redis()
        self._choose_port()
        python = str(PYTHON)
        with Step("up.migrate"):
            self.supervisor.run_once(self._program("migrate"), problem="up.migrate_failed")
        with Step("up.prepare"):
            self.supervisor.run_once(self._program("prepare"), problem="up.prepare_failed")
        if self._instance.own_city_file.exists():
            self._state.demo = False  # a real city: no demo lives in it
        names = ["relay", "feed", "worker", "serve"]
        if self._state.demo and self._wishes.simulation:
            names.append("simulate")
        if environment.mqtt_broker():
            names.append("mqtt")
        for name in names:
            self.supervisor.add(self._program(name, python))
        if self._open_database_url:
            self.supervisor.add(self._open_data(self._open_database_url))
        else:
            say("up.no_open_data")
        with Step("up.waiting"):
            self.supervisor.wait(self._answers, self._never_ready, _READY_WITHIN)
        self._state.phase = "ready"
        self._publish(self._state.processes)

    def introduce(self) -> None:
        """What a newcomer needs next: the address, and how to get in."""
        say("up.ready", address=self._state.address)
        if self._wishes.demo and self._instance.accounts_file.exists():
            accounts = json.loads(self._instance.accounts_file.read_text())
            say("up.accounts")
            width = max((len(one["username"]) for one in accounts), default=0)
            wide = max((len(one["password"]) for one in accounts), default=0)
            for one in accounts:
                what = one.get("what") or one.get("role", "")
                print(f"  {one['username']:<{width}}  {one['password']:<{wide}}  {one['name']}: {what}")
        elif self._instance.first_account_file.exists():
            code = self._instance.first_account_file.read_text().strip()
            say("up.first_account", link=f"{self._state.address}/bienvenida", code=code)
        if not self._wishes.detach:
            say("up.stop_hint")
        sys.stdout.flush()

    def stop(self) -> None:
        self._state.phase = "stopping"
        if not self._wishes.detach:
            say("up.stopping")
        self.supervisor.stop_all()
        self._instance.state_file.unlink(missing_ok=True)
        self._log(text("down.done"))

    def _start_database(self) -> None:
        if self._state.database_url:
            return
        server = postgres.PrivatePostgres(environment.own_path(self._instance, "postgres"))
        with Step("up.postgres"):
            server.create()
            self._state.database_socket = str(server.socket)
            self.supervisor.add(
                Program(
                    "postgres",
                    server.command(),
                    server.environment(),
                    self._instance.log / "postgres.log",
                    Path("/"),
                    identity=server.identity.prefix,
                    farewell="INT",
                    stop_with=signal.SIGINT,
                    patience=60,
                    before=server.clear_stale_lock,
                    answers=lambda: server.ready(2),
                )
            )
            self.supervisor.wait(lambda: server.ready(1), lambda: self._dead("postgres"), 120)
            server.ensure_database("vigia")
            self._open_database_url = server.ensure_open_data_role("vigia")
        self._state.database_url = server.database_url("vigia", "vigia")

    def _start_redis(self) -> None:
        if self._state.redis_url:
            return
        server = redis.PrivateRedis(environment.own_path(self._instance, "redis"))
        server.create()
        self._state.redis_socket = str(server.socket)
        self.supervisor.add(
            Program(
                "redis",
                server.command(),
                server.environment(),
                self._instance.log / "redis.log",
                server.socket.parent,
                farewell="TERM",
                answers=lambda: redis.ready(server.socket, 2),
            )
        )
        self.supervisor.wait(lambda: server.ready(1), lambda: self._dead("redis"), 30)
        self._state.redis_url = server.url

    def _choose_port(self) -> None:
        wanted = self._wishes.port
        port = next((one for one in range(wanted, wanted + _PORTS_TRIED) if _free(one)), None)
        if port is None:
            raise Problem("up.no_port", Exit.MACHINE_LACKS, first=wanted, last=wanted + _PORTS_TRIED - 1)
        if port != wanted:
            say("up.port_taken", wanted=wanted, port=port)
        self._state.port = port
        self._state.address = f"http://{environment.HOST}:{port}"

    def _program(self, name: str, python: str = str(PYTHON)) -> Program:
        env = environment.for_application(
            self._instance,
            database_url=self._state.database_url,
            redis_url=self._state.redis_url,
            port=self._state.port,
            demo=self._state.demo,
        )
        return Program(name, [python, "-m", "web.cli", name], env, self._instance.log / f"{name}.log", ROOT)

    def _open_data(self, url: str) -> Program:
        program = self._program("opendata")
        return replace(program, env=environment.for_open_data(dict(program.env), url))

    def _answers(self) -> bool:
        return answers(self._state.port)

    def _never_ready(self) -> None:
        raise Problem("up.never_ready", Exit.PROCESS_FAILED, seconds=int(_READY_WITHIN), log=self._instance.log)

    def _dead(self, name: str) -> None:
        log = self._instance.log / f"{name}.log"
        raise Problem("up.server_dead", Exit.PROCESS_FAILED, name=name, log=log)

    def _tell(self, line: str) -> None:
        if not self._wishes.detach or self._state.phase == "starting":
            print(f"{time.strftime('%H:%M:%S')}  {line}", flush=True)
        self._log(line)

    def _log(self, line: str) -> None:
        log = self._instance.log / "vigia.log"
        rotate(log)
        with log.open("a") as file:
            file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {line}\n")

    def _publish(self, processes: list[state.ProcessState]) -> None:
        self._state = replace(self._state, processes=processes)
        state.write(self._instance, self._state)


def answers(port: int, path: str = "/ready", seconds: float = 2) -> bool:
    """Whether our own web process says it is ready."""
    line = http.client.HTTPConnection(environment.HOST, port, timeout=seconds)
    try:
        line.request("GET", path)
        return line.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((environment.HOST, port))
        except OSError:
            return False
    return True
