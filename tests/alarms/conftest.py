"""An incident with a unit on its way, and the worker's clockwork in the same transaction."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.alarms.clock import Clockwork


@pytest.fixture
async def clockwork(session: AsyncSession) -> Clockwork:
    """The worker's part; what the template's making left in the journal is passed over."""
    work = Clockwork(session)
    await work.settle()
    return work
