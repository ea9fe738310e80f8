"""A state machine is a dict: `MOVES = {State.SENT: {State.ARRIVED, State.CANCELLED}}`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import TypeVar

from realtime.errors import IllegalMove

S = TypeVar("S", bound=StrEnum)


def move(current: S, wanted: S, moves: Mapping[S, Collection[S]]) -> S:
    """Return `wanted` if `moves` allows it from `current`.

    Raises `IllegalMove` naming both states otherwise; a state missing from `moves` is final.
    """
    if wanted not in moves.get(current, ()):
        raise IllegalMove(current=current.value, wanted=wanted.value)
    return wanted
