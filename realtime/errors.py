"""Refusals: what Vigía answers when it will not do what it was asked.

A refusal is a class with a status and a docstring; the docstring is its message (English, and the key
under which `web/locale` holds the Spanish one). Anything that is not a `Refusal` is a bug and may crash.
"""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """The request was refused."""

    status = 400

    def __init__(self, **facts: Any) -> None:
        """`facts` fill the message's `{placeholders}` and are shown to the client beside it."""
        super().__init__(type(self).__name__)
        self.facts = facts

    @property
    def code(self) -> str:
        """The stable machine name, e.g. `UnitAlreadyAssigned`."""
        return type(self).__name__

    @property
    def message(self) -> str:
        """The English message with its placeholders still in it: the translation key."""
        return (type(self).__doc__ or "").strip().splitlines()[0]


class Malformed(Refusal):
    """The request could not be understood: {reason}."""

    status = 422


class NotSignedIn(Refusal):
    """You must sign in first."""

    status = 401


class NotAllowed(Refusal):
    """You are not allowed to do that."""

    status = 403


class NotFound(Refusal):
    """There is no such thing, or you may not see it."""

    status = 404


class IllegalMove(Refusal):
    """It cannot go from {current} to {wanted}."""

    status = 409


class AlreadyExists(Refusal):
    """That already exists."""

    status = 409


class KeyReused(Refusal):
    """That id was already used for a different request."""

    status = 422


class VersionMismatch(Refusal):
    """It has changed since you read it: you expected version {expected}, it is at {current}."""

    status = 412


class TooMany(Refusal):
    """Too many attempts. Try again in {seconds} seconds."""

    status = 429
