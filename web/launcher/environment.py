"""What the processes are told: the names are the application's settings (docs/operacion.md)."""

from __future__ import annotations

import os
from pathlib import Path

from web.launcher.demo_network import known_demo_network
from web.launcher.layout import Instance

HOST = "127.0.0.1"
DEFAULT_PORT = 8000


def for_application(instance: Instance, *, database_url: str, redis_url: str, port: int, demo: bool) -> dict[str, str]:
    """Our own environment and the addresses of this instance."""
    network = known_demo_network()
    told = {
        "VIGIA_DATABASE_URL": database_url,
        "VIGIA_REDIS_URL": redis_url,
        "VIGIA_HOST": HOST,
        "VIGIA_PORT": str(port),
        "VIGIA_FEED_ADDRESS": f"unix:{instance.socket('feed.sock')}",
        "VIGIA_OPEN_ADDRESS": f"unix:{instance.socket('opendata.sock')}",
        "VIGIA_DATA": str(instance.data),
        "VIGIA_DEMO": "1" if demo else "0",
    }
    if network:
        told["VIGIA_DEMO_NETWORK"] = str(network)
    return clean(os.environ) | told


def for_open_data(application: dict[str, str], open_database_url: str) -> dict[str, str]:
    """The same, less every way into the database but that of open data."""
    private = ("VIGIA_DATABASE_", "VIGIA_REDIS_")
    told = {name: value for name, value in application.items() if not name.startswith(private)}
    return told | {"VIGIA_OPEN_DATABASE_URL": open_database_url}


def clean(environment: os._Environ[str] | dict[str, str]) -> dict[str, str]:
    """Less what was meant for the launcher's own interpreter."""
    ours = {"PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "PYTHONSAFEPATH"}
    return {name: value for name, value in environment.items() if name not in ours} | {"PYTHONUNBUFFERED": "1"}


def external_database() -> str | None:
    """A PostgreSQL somebody else runs, when the operator names one."""
    return os.environ.get("VIGIA_DATABASE_URL") or None


def external_open_data() -> str | None:
    """The address for open data in a PostgreSQL that somebody else runs, when the operator names one."""
    return os.environ.get("VIGIA_OPEN_DATABASE_URL") or None


def external_redis() -> str | None:
    """A Redis somebody else runs, when the operator names one."""
    return os.environ.get("VIGIA_REDIS_URL") or None


def mqtt_broker() -> str | None:
    """The broker of telephones on MQTT, when the operator names one."""
    return os.environ.get("VIGIA_MQTT_URL") or None


def own_path(instance: Instance, name: str) -> Path:
    """A directory of the instance's for one of its servers."""
    return instance.data / name
