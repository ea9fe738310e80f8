"""The front end's files as the build left them: small ones beside the large, and how long a browser may keep each."""

from __future__ import annotations

import mimetypes
import os

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

SQUEEZED = {"br": ".br", "gzip": ".gz"}  # what the build makes beside a file, the smallest first
FOR_EVER = "public, max-age=31536000, immutable"  # its name has its content's hash
ASK_AGAIN = "no-cache"


class BuiltFiles(StaticFiles):
    """Serves `app.js.br` for `app.js` to a browser that takes it; a proxy in front need not compress it again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, squeezed where that was asked for and made."""
        encoding, response = await self._smallest(path, scope)
        if encoding is not None:
            response.headers["Content-Encoding"] = encoding
            response.headers["Content-Type"] = mimetypes.guess_type(path)[0] or "application/octet-stream"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = FOR_EVER if path.startswith(f"assets{os.sep}") else ASK_AGAIN
        return response

    async def _smallest(self, path: str, scope: Scope) -> tuple[str | None, Response]:
        accepted = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"accept-encoding"), "")
        takes = {
            part.partition(";")[0].strip() for part in accepted.split(",") if not part.replace(" ", "").endswith(";q=0")
        }
        for encoding, ending in SQUEEZED.items():
            if encoding in takes:
                try:
                    return encoding, await super().get_response(path + ending, scope)
                except HTTPException:
                    continue  # too small to be worth it, or not text
        return None, await super().get_response(path, scope)
