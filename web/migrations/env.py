"""Alembic's way in: online only, the address handed over by `web.cli`."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from geoalchemy2 import alembic_helpers
from sqlalchemy import create_engine

from geo.places import Shape
from web.tables import METADATA

PARTITIONS = ("position_history_", "past_hours_")  # days are made as they come, not by migrations


def ours(thing: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
    """Whether autogenerate should look at a thing: PostGIS's tables, the jobs' and daily partitions are not ours."""
    table = name if kind == "table" else getattr(getattr(thing, "table", None), "name", "")
    if reflected and other is None and table and table.startswith(("spatial_ref", "procrastinate_", *PARTITIONS)):
        return False
    return bool(alembic_helpers.include_object(thing, name, kind, reflected, other))  # type: ignore[no-untyped-call]


def spelled(kind: str, thing: Any, generator: Any) -> str | Literal[False]:
    """A migration spells our column types as PostGIS's own: it must outlive our code."""
    if kind == "type" and isinstance(thing, Shape):
        generator.imports.add("import geoalchemy2")
        drawn: Any = thing.impl_instance
        return f"geoalchemy2.Geometry({drawn.geometry_type!r}, 4326, spatial_index=False)"
    return False


# Another process may hold a row for a moment; a migration waits two seconds for a table, never longer.
engine = create_engine(context.config.attributes["database"], connect_args={"options": "-c lock_timeout=2000"})
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=METADATA, include_object=ours, render_item=spelled)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
