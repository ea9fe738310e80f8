"""The replay's way to Vigía: the public API with one account, patient while the server is away."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

# Busy, away, behind a proxy that lost its server, or broken for once: the same request goes out again, with its ids.
AGAIN = frozenset({429, 500, 502, 503, 504})
PATIENCE = 180.0  # seconds without any answer to a request before the replay gives up; a restart takes ten
BUGS = 4  # a server that breaks this often over one request will break again
AT_ONCE = 8  # requests under way; a web process has ten connections to its database, and other people
ROLES = ("supervisor",)  # who may do all that a replay does


class Refused(Exception):
    """The server understood, and said no. `repeated`: an earlier try of the same request may have been done."""

    def __init__(self, status: int, code: str, title: str, *, repeated: bool) -> None:
        """`code` is the refusal's name, `title` what a person reads."""
        super().__init__(f"{status} {code}: {title}")
        self.status, self.code, self.title, self.repeated = status, code, title, repeated


class ServerAway(Exception):
    """The server did not answer within our patience."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who replays."""

    username: str
    password: str


def account_for(data: Path, environment: os._Environ[str] | dict[str, str] = os.environ) -> Account | None:
    """The account named in the environment, else the demo's supervisor; None when there is neither."""
    if username := environment.get("VIGIA_REPLAY_USERNAME"):
        return Account(username, environment.get("VIGIA_REPLAY_PASSWORD", ""))
    try:
        accounts = json.loads((data / "demo-accounts.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    found = (one for one in accounts if one.get("role") in ROLES)
    return next((Account(one["username"], one["password"]) for one in found), None)


class Client:
    """Asks until there is an answer."""

    def __init__(
        self, http: httpx2.AsyncClient, account: Account, *, patience: float = PATIENCE, away: Callable[[], None]
    ) -> None:
        """`http` has the server as its base; `away` is told when a request waits for the server."""
        self._http, self._account = http, account
        self._patience, self._away = patience, away
        self._token = ""
        self._entering = asyncio.Lock()
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._told_away = -math.inf
        self.again = 0

    async def enter(self) -> dict[str, Any]:
        """Sign in; the session document."""
        body = {"username": self._account.username, "password": self._account.password}
        document: dict[str, Any] = await self._asked(
            lambda: self._http.post("/api/v1/session", json=body, headers={"X-Vigia-Token": "1"})
        )
        self._token = str(document.pop("token"))
        return document

    async def get(self, path: str, **query: Any) -> Any:
        """Read something. Raises `Refused`, `ServerAway`."""
        return await self._signed("GET", path, params={name: one for name, one in query.items() if one is not None})

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Do something, once: creations carry their id. Raises `Refused`, `ServerAway`."""
        return await self._signed("POST", path, json=body)

    async def _signed(self, method: str, path: str, **content: Any) -> Any:
        token = self._token

        async def ask() -> httpx2.Response:
            headers = {"Authorization": f"Bearer {token}"}
            return await self._http.request(method, f"/api/v1{path}", headers=headers, **content)

        try:
            return await self._asked(ask)
        except Refused as refused:
            if refused.status != 401:
                raise
        async with self._entering:  # the session is over: one signs in again, the others follow
            if token == self._token:
                await self.enter()
            token = self._token
        return await self._asked(ask)

    async def _asked(self, ask: Callable[[], Any]) -> Any:
        since = time.monotonic()
        for tries in itertools.count():
            pause = min(0.2 * 2**tries, 5.0) * random.uniform(0.7, 1.3)
            try:
                async with self._turn:
                    response: httpx2.Response = await ask()
                if response.status_code not in AGAIN or (response.status_code == 500 and tries >= BUGS):
                    return _answer(response, repeated=tries > 0)
                pause = max(pause, _seconds(response.headers.get("retry-after", "")))
            except httpx2.TransportError:
                pass  # refused, cut or slow: it may have been done or not, and asking again is safe
            if time.monotonic() + pause - since > self._patience:
                raise ServerAway
            self.again += 1
            if tries == 3 and time.monotonic() > self._told_away + self._patience:
                self._told_away = time.monotonic()  # once for all the requests that wait
                self._away()
            await asyncio.sleep(pause)
        raise AssertionError  # the count has no end


def _seconds(text: str) -> float:
    try:
        return min(float(text), 60.0)
    except ValueError:
        return 0.0


def _answer(response: httpx2.Response, *, repeated: bool) -> Any:
    if response.is_success:
        return response.json() if response.content else None
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    title = str(problem.get("title", response.reason_phrase))
    code = str(problem.get("code", response.status_code))
    raise Refused(response.status_code, code, title, repeated=repeated)
