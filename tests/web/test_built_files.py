"""The front end's files: the smallest that a browser takes, under the name that it asked for."""

from __future__ import annotations

import gzip
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from web.built_files import BuiltFiles

LONG = b"const x = 1;" * 200


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """As the build leaves them."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "app-1a2b.js").write_bytes(LONG)
    (tmp_path / "assets" / "app-1a2b.js.gz").write_bytes(gzip.compress(LONG))
    (tmp_path / "assets" / "app-1a2b.js.br").write_bytes(b"brotli")
    (tmp_path / "tokens.css").write_text(":root{}")
    return tmp_path


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("identity", None),
        ("", None),
    ],
)
async def test_a_browser_gets_the_smallest_that_it_takes(files: Path, accepted: str, encoding: str | None) -> None:
    transport = httpx2.ASGITransport(app=Starlette(routes=[Mount("/static", BuiltFiles(directory=files))]))
    async with (
        httpx2.AsyncClient(transport=transport, base_url="http://vigia.test") as client,
        client.stream("GET", "/static/assets/app-1a2b.js", headers={"Accept-Encoding": accepted}) as answer,
    ):
        content = b"".join([part async for part in answer.aiter_raw()])
        assert answer.headers.get("content-encoding") == encoding
        plain = gzip.decompress(content) if encoding == "gzip" else content
        assert plain == (b"brotli" if encoding == "br" else LONG)
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["vary"] == "Accept-Encoding"
        assert "immutable" in answer.headers["cache-control"]


async def test_names_that_never_change_are_asked_for_again(files: Path) -> None:
    transport = httpx2.ASGITransport(app=Starlette(routes=[Mount("/static", BuiltFiles(directory=files))]))
    async with httpx2.AsyncClient(transport=transport, base_url="http://vigia.test") as client:
        answer = await client.get("/static/tokens.css")
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["content-type"].startswith("text/css")
        assert "content-encoding" not in answer.headers
        assert (await client.get("/static/none.js")).status_code == 404
        assert (await client.get("/static/../app.py")).status_code == 404
