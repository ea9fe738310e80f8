"""Whether a browser's request comes from our own pages: for unsafe methods with a cookie, and for the feed."""

from __future__ import annotations

from collections.abc import Mapping

from web.settings import Settings


def is_ours(settings: Settings, headers: Mapping[str, str]) -> bool:
    """True for our own origin, and for programs that are no browser (they send neither header).

    With `public_origins` set (production) the list is exact; without it the page's origin must be the very host
    that was asked, whatever name or port the operator reached this machine by.
    """
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") in {"same-origin", "none"}
    return origin_is_ours(settings, origin, headers.get("host", ""))


def origin_is_ours(settings: Settings, origin: str, host: str) -> bool:
    """The same question about an Origin header that is there."""
    if settings.public_origins:
        return origin in settings.public_origins
    return bool(host) and origin in {f"http://{host}", f"https://{host}"}
