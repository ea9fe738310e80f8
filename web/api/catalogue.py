"""The catalogue over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from incidents.catalogue import catalogue
from web.context import Session

router = APIRouter(prefix="/catalogue", tags=["catalogue"])


@router.get("")
async def get_catalogue(session: Session) -> dict[str, Any]:
    """Types, priorities, dispositions and dismissals in force. No secret: the report page shows its types."""
    return (await catalogue(session)).as_document()
