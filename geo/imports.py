"""Imports: which file was laid on the map, by whom, and what that changed. One fact each in the journal."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import Actor, Permission, require
from realtime.database import Base, new_id, now
from realtime.journal import Told, record


class LayerImport(Told, Base):
    """One file laid on the map. `layer` is streets, zones, facilities or closures; `kind` what of it.

    `counts` says what it held and what became of that. It is on nobody's board: the layers it changed are.
    """

    __tablename__ = "layer_imports"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    layer: Mapped[str]
    kind: Mapped[str]
    source: Mapped[str]  # the name under which the same data come again
    file: Mapped[str]
    counts: Mapped[dict[str, Any]]
    made_by: Mapped[str]
    made_at: Mapped[dt.datetime]

    @property
    def subject(self) -> str:
        """`import:<id>`."""
        return f"import:{self.id}"


async def record_import(
    session: AsyncSession, actor: Actor, *, layer: str, kind: str, source: str, file: str, counts: dict[str, Any]
) -> LayerImport:
    """Write down that a file was laid on the map, in the transaction that laid it."""
    require(actor, Permission.ZONE_EDIT)
    made = LayerImport(
        id=new_id(),
        layer=layer,
        kind=kind,
        source=source,
        file=file,
        counts=counts,
        made_by=actor.name,
        made_at=now(),
        version=1,
        told_to=[],
    )
    session.add(made)
    detail = {"layer": layer, "kind": kind, "source": source, "file": file, "counts": counts}
    await record(session, actor, "layer.imported", made, (), detail=detail)
    return made


async def latest_imports(session: AsyncSession) -> list[LayerImport]:
    """The last import of each layer, kind and source, by their names."""
    parts = (LayerImport.layer, LayerImport.kind, LayerImport.source)
    query = select(LayerImport).ext(distinct_on(*parts)).order_by(*parts, LayerImport.made_at.desc())
    return list((await session.scalars(query)).all())
