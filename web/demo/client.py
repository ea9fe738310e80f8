"""The simulator's way to Vigía: the public API, with the accounts of the demo, patient while the server is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import httpx2
import structlog

from web.demo.world import Act

log = structlog.get_logger()

PATIENCE = (0.5, 1.0, 2.0, 4.0, 5.0)  # seconds between tries; the last one for ever
AGAIN = frozenset({500, 502, 503, 504})


class Refused(Exception):
    """The server understood, and said no."""

    def __init__(self, status: int, code: str) -> None:
        """`code` is the refusal's name."""
        super().__init__(f"{status} {code}")
        self.status, self.code = status, code


class Client:
    """Speaks for several accounts. The same body goes out again, with its ids, until there is an answer."""

    def __init__(self, http: httpx2.AsyncClient, passwords: Mapping[str, str]) -> None:
        """`http` has the server's address as its base."""
        self._http = http
        self._passwords = passwords
        self._tokens: dict[str, str] = {}
        self._not_before: dict[str, float] = {}

    async def get(self, who: str, path: str, **query: Any) -> Any:
        """Read something."""
        return await self._asked(who, "GET", path, params=query)

    async def do(self, act: Act) -> Any:
        """Do something. Raises `Refused`."""
        return await self._asked(act.who, "POST", act.path, json=act.body)

    async def post(self, who: str, path: str, body: dict[str, Any]) -> Any:
        """Send something that is stale a moment later: one try, and no tears."""
        return await self._answer(who, await self._send(who, "POST", path, json=body))

    async def _asked(self, who: str, method: str, path: str, **content: Any) -> Any:
        tries = 0
        while True:
            try:
                response = await self._send(who, method, path, **content)
                if response.status_code not in AGAIN:
                    return await self._answer(who, response)
                reason = str(response.status_code)
            except httpx2.TransportError as error:
                reason = type(error).__name__
            if tries == 3:
                log.warning("server away", path=path, reason=reason)
            await asyncio.sleep(PATIENCE[min(tries, len(PATIENCE) - 1)])
            tries += 1

    async def _send(self, who: str, method: str, path: str, **content: Any) -> httpx2.Response:
        token = self._tokens.get(who) or await self._sign_in(who)
        response = await self._http.request(method, path, headers={"Authorization": f"Bearer {token}"}, **content)
        if response.status_code == 401:  # the session is over: once more with a new one
            token = await self._sign_in(who)
            response = await self._http.request(method, path, headers={"Authorization": f"Bearer {token}"}, **content)
        return response

    async def _answer(self, who: str, response: httpx2.Response) -> Any:
        if response.is_success:
            return response.json() if response.content else None
        if response.status_code == 429:
            self._not_before[who] = time.monotonic() + float(response.headers.get("retry-after", 5))
        raise Refused(response.status_code, _code(response))

    async def _sign_in(self, who: str) -> str:
        if time.monotonic() < self._not_before.get(who, 0.0):
            raise Refused(429, "TooMany")
        response = await self._http.post(
            "/session",
            json={"username": who, "password": self._passwords[who]},
            headers={"X-Vigia-Token": "1"},
        )
        if response.status_code in AGAIN:
            raise httpx2.TransportError(f"sign-in: {response.status_code}")
        if not response.is_success:
            self._not_before[who] = time.monotonic() + float(response.headers.get("retry-after", 10))
            raise Refused(response.status_code, _code(response))
        self._tokens[who] = token = str(response.json()["token"])
        return token


def _code(response: httpx2.Response) -> str:
    try:
        return str(response.json().get("code", ""))
    except ValueError:
        return ""
