"""Bringing a database to this version. There is no alembic.ini: the address comes from whoever asks."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

MIGRATIONS = Path(__file__).with_name("migrations")


def alembic_config(database_url: str) -> Config:
    """Alembic's configuration for one database."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["database"] = database_url
    return config


def upgrade(database_url: str) -> None:
    """Bring it up to the newest migration; nothing happens when it is there already."""
    command.upgrade(alembic_config(database_url), "head")
