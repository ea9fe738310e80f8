"""`status`: what runs, since when, and whether it answers."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

from web.launcher import pgwire, state
from web.launcher.layout import Instance, version
from web.launcher.problems import Exit
from web.launcher.progress import say
from web.launcher.up import answers


def status(instance: Instance, *, as_json: bool) -> int:
    facts = gather(instance)
    if as_json:
        print(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        _tell(facts)
    if not facts["running"]:
        return Exit.NOT_RUNNING
    return Exit.FINE if facts["ready"] else Exit.NOT_READY


def gather(instance: Instance) -> dict[str, Any]:
    """The facts, as `--json` gives them."""
    found = state.running(instance)
    if found is None:
        return {"running": False, "ready": False, "version": version(), "data": str(instance.data)}
    now = time.time()
    return {
        "running": True,
        "ready": found.phase == "ready" and answers(found.port),
        "phase": found.phase,
        "version": found.version,
        "address": found.address,
        "data": str(instance.data),
        "demo": found.demo,
        "supervisor": found.supervisor,
        "uptime_seconds": round(now - found.since),
        "processes": [
            {
                "name": one.name,
                "pid": one.pid,
                "running": one.running and bool(one.pid) and state.born(one.pid or 0) == one.born,
                "uptime_seconds": round(now - one.since) if one.running else None,
                "restarts": one.restarts,
            }
            for one in found.processes
        ],
        "database": _database(found),
        "redis": _redis(found),
    }


def _database(found: state.State) -> dict[str, Any]:
    if not found.database_socket:
        return {"private": False}
    try:
        rows = pgwire.query(
            Path(found.database_socket),
            "vigia",
            "select pg_database_size('vigia'), current_setting('server_version'), postgis_lib_version(), "
            "(select count(*) from pg_stat_activity where datname = 'vigia')",
            seconds=5,
        )
    except (OSError, pgwire.Refused) as error:
        return {"private": True, "ready": False, "why": str(error)}
    size, server, postgis, connections = rows[0]
    return {
        "private": True,
        "ready": True,
        "size_bytes": int(size or 0),
        "server_version": server,
        "postgis_version": postgis,
        "connections": int(connections or 0),
        "socket": found.database_socket,
    }


def _redis(found: state.State) -> dict[str, Any]:
    if not found.redis_socket:
        return {"private": False}
    info = _redis_info(Path(found.redis_socket))
    if not info:
        return {"private": True, "ready": False}
    return {
        "private": True,
        "ready": True,
        "server_version": info.get("valkey_version") or info.get("redis_version"),
        "memory_bytes": int(info.get("used_memory", "0")),
        "clients": int(info.get("connected_clients", "0")),
        "socket": found.redis_socket,
    }


def _redis_info(socket_file: Path) -> dict[str, str]:
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5)
            line.connect(str(socket_file))
            line.sendall(b"*1\r\n$4\r\nINFO\r\n")
            file = line.makefile("rb")
            size = int(file.readline()[1:])
            body = file.read(size).decode()
    except (OSError, ValueError):
        return {}
    return dict(pair.split(":", 1) for pair in body.split("\r\n") if ":" in pair)


def _tell(facts: dict[str, Any]) -> None:
    if not facts["running"]:
        say("status.not_running", data=facts["data"])
        return
    say("status.ready" if facts["ready"] else "status.not_ready", address=facts["address"])
    say("status.facts", version=facts["version"], data=facts["data"], since=_duration(facts["uptime_seconds"]))
    for one in facts["processes"]:
        key = "status.process" if one["running"] else "status.process_down"
        since = _duration(one["uptime_seconds"] or 0)
        say(key, name=f"{one['name']:<9}", pid=one["pid"], since=since, restarts=one["restarts"])
    database, redis = facts["database"], facts["redis"]
    if database.get("ready"):
        say(
            "status.database",
            version=database["server_version"],
            postgis=database["postgis_version"],
            size=f"{database['size_bytes'] / 1e6:.1f}",
        )
    else:
        say("status.database_down" if database["private"] else "status.database_external")
    if redis.get("ready"):
        say("status.redis", version=redis["server_version"], size=f"{redis['memory_bytes'] / 1e6:.1f}")
    else:
        say("status.redis_down" if redis["private"] else "status.redis_external")


def _duration(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minute} min"
    return f"{minute} min {second} s" if minute else f"{second} s"
