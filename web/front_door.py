"""One port for everything in `./vigia up`: the web process hands WebSocket upgrades of `/feed` to the feed process.

It pumps bytes both ways, as the reverse proxy does in production, and knows nothing of what they mean. Give the
class to uvicorn: `uvicorn.run(app, ws=FrontDoor.towards(settings), …)`. Uvicorn calls it with the whole request
head once it has seen an upgrade, and from then on the socket is ours.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, cast

import structlog
from uvicorn.server import ServerState

from web.settings import Settings

log = structlog.get_logger()

FEED = b"/feed"
GOODBYE = 5.0  # seconds to deliver what is on its way when the other side has closed
CONNECT = 3.0  # seconds
WAITING = 64 * 1024  # bytes held here for either side; beyond that the other is not read
UNANSWERED = 20_000  # milliseconds that sent bytes may go without an answer

_NOT_HERE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_AWAY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_OURS_TO_SAY = (b"x-forwarded-for", b"forwarded", b"x-real-ip")


class Side(asyncio.Protocol):
    """One end of the pump: what arrives here is written to `other`."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: Side | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The end is open."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(WAITING)

    def data_received(self, data: bytes) -> None:
        """Pass it on."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        """This end does not keep up: stop reading the other."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """It does again."""
        if self.other is not None and self.other.transport is not None and not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def eof_received(self) -> bool:
        """This end has said all it had to say; the other may still be speaking."""
        if self.other is not None and self.other.transport is not None and self.other.transport.can_write_eof():
            self.other.transport.write_eof()
        return True

    def connection_lost(self, _exc: Exception | None) -> None:
        """Close the other too, after what it still has to be told."""
        self.transport = None
        if self.other is not None:
            self.other.close()

    def close(self) -> None:
        """Deliver what is on its way, but do not wait long for somebody who does not read."""
        if self.transport is not None:
            self.transport.close()
            asyncio.get_running_loop().call_later(GOODBYE, self.transport.abort)


class FrontDoor(Side):
    """The client's end, in the place of uvicorn's WebSocket protocol."""

    settings: Settings

    @classmethod
    def towards(cls, settings: Settings) -> type[FrontDoor]:
        """The protocol class for `uvicorn.run(ws=…)` that leads to the feed process of `settings`."""
        return type("FrontDoor", (cls,), {"settings": settings})

    def __init__(self, server_state: ServerState, **_: Any) -> None:
        super().__init__()
        self._state = server_state
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Uvicorn hands the socket over."""
        super().connection_made(transport)
        self._state.connections.add(self)  # type: ignore[arg-type]  # it only asks for `shutdown`
        connection: socket.socket | None = transport.get_extra_info("socket")
        if connection is not None and connection.family in {socket.AF_INET, socket.AF_INET6}:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNANSWERED)

    def data_received(self, data: bytes) -> None:
        """First the request's head, from uvicorn; then whatever the client sends."""
        if self._connecting is not None:
            super().data_received(data)
        elif data.split(b" ", 2)[1].partition(b"?")[0] != FEED:
            self._refuse(_NOT_HERE)
        else:
            assert self.transport is not None  # noqa: S101  data comes from somewhere
            self.transport.pause_reading()  # nothing overtakes the head
            self._connecting = asyncio.create_task(self._connect(self._head(data)))

    def _head(self, data: bytes) -> bytes:
        """The head with the client's address in it, which only we, or a proxy that we trust, can say."""
        peer = self.transport.get_extra_info("peername") if self.transport is not None else None
        if not isinstance(peer, tuple) or peer[0] in self.settings.trusted_proxies:
            return data
        lines = data.removesuffix(b"\r\n\r\n").split(b"\r\n")
        lines = [line for line in lines if line.partition(b":")[0].strip().lower() not in _OURS_TO_SAY]
        lines.append(b"x-forwarded-for: " + str(peer[0]).encode())
        return b"\r\n".join(lines) + b"\r\n\r\n"

    async def _connect(self, head: bytes) -> None:
        feed = Side()
        try:
            async with asyncio.timeout(CONNECT):
                await _open(self.settings.feed_address, feed)
        except OSError as failure:
            log.warning("front_door.feed_away", reason=repr(failure))
            self._refuse(_AWAY)
            return
        if self.transport is None or feed.transport is None:
            feed.close()  # one of the two left meanwhile
            return
        self.other, feed.other = feed, self
        feed.transport.write(head)
        self.transport.resume_reading()

    def _refuse(self, answer: bytes) -> None:
        if self.transport is not None:
            self.transport.write(answer)
            self.close()

    def connection_lost(self, _exc: Exception | None) -> None:
        """The client is gone."""
        self._state.connections.discard(self)
        super().connection_lost(_exc)

    def shutdown(self) -> None:
        """Uvicorn is stopping. The client will come back by itself."""
        self.close()


async def _open(address: str, feed: Side) -> None:
    loop = asyncio.get_running_loop()
    if address.startswith("unix:"):
        await loop.create_unix_connection(lambda: feed, address.removeprefix("unix:"))
    else:
        host, _, port = address.rpartition(":")
        await loop.create_connection(lambda: feed, host.strip("[]"), int(port))
