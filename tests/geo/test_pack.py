"""The map pack for field phones: the same tiles as the server's, in one file, whole or by pieces."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import pytest
from fastapi import FastAPI
from pmtiles.reader import MemorySource, Reader, all_tiles
from pmtiles.tile import Compression, TileType
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from geo.tiles import LAYERS, cut_tile, map_edition, tiles_over
from realtime.database import Sessions, reading, transaction
from tests.conftest import Client
from tests.geo.test_tiles import HERE, lay
from web.city.pack import PACK, NothingToPack, make_pack, write_pack
from web.settings import Settings


def opened(pack: bytes) -> tuple[dict[str, Any], dict[str, Any], dict[tuple[int, int, int], bytes]]:
    """Header, metadata and every tile, read as any PMTiles client does."""
    source: Any = MemorySource(pack)  # type: ignore[no-untyped-call]
    reader: Any = Reader(source)  # type: ignore[no-untyped-call]
    return reader.header(), reader.metadata(), dict(all_tiles(source))  # type: ignore[no-untyped-call]


async def test_a_pack_holds_the_tiles_that_are_served(session: AsyncSession, tmp_path: Path) -> None:
    await lay(session)
    file, heard = tmp_path / "field.pmtiles", []
    packed = await write_pack(session, file, told=lambda done, total: heard.append((done, total)))
    header, about, there = opened(file.read_bytes())
    assert (header["tile_type"], header["tile_compression"]) == (TileType.MVT, Compression.GZIP)
    assert (header["min_zoom"], header["max_zoom"]) == (0, 15)
    assert header["min_lon_e7"] / 1e7 <= HERE[0] <= header["max_lon_e7"] / 1e7
    assert about["version"] == await map_edition(session)
    assert about["attribution"] == "©"
    assert [layer["id"] for layer in about["vector_layers"]] == [layer.name for layer in LAYERS]
    frame = [header[side] / 1e7 for side in ("min_lon_e7", "min_lat_e7", "max_lon_e7", "max_lat_e7")]
    assert set(there) == set(tiles_over(frame))
    assert heard[-1] == (len(there), len(there)) == (packed.tiles, packed.tiles)
    for place, tile in there.items():
        served = await cut_tile(session, *place)
        assert gzip.decompress(tile) == served
        assert "earth" in mapbox_vector_tile.decode(served)
    assert packed.size == file.stat().st_size
    assert os.listdir(tmp_path) == [file.name], "nothing is left beside it"


async def test_the_same_tile_is_kept_once(session: AsyncSession, tmp_path: Path) -> None:
    packed = await write_pack(session, tmp_path / PACK, max_zoom=13)  # two zones on a plain
    assert packed.different < packed.tiles


async def test_no_city_no_pack(session: AsyncSession, tmp_path: Path) -> None:
    await session.execute(text("DELETE FROM zones"))
    (tmp_path / PACK).write_text("the old one")
    with pytest.raises(NothingToPack):
        await write_pack(session, tmp_path / PACK)
    assert (tmp_path / PACK).read_text() == "the old one"


async def test_a_pack_over_http(app: FastAPI, client: Client, settings: Settings, sessions: Sessions) -> None:
    absent = await client.get("/api/v1/city.pmtiles", headers={"Accept-Language": "es"})
    assert absent.status_code == 404
    assert absent.json()["code"] == "NoPack"
    assert "vigia city pack" in absent.json()["title"]
    async with transaction(sessions) as session:
        await lay(session)
    copy = settings.data / "teléfono.pmtiles"
    packed = await make_pack(settings, copy, max_zoom=12)
    assert copy.read_bytes() == (settings.data / PACK).read_bytes()
    whole = await client.get("/api/v1/city.pmtiles")
    assert (whole.status_code, len(whole.content)) == (200, packed.size)
    assert whole.headers["content-type"] == "application/vnd.pmtiles"
    assert whole.content == copy.read_bytes()
    head = await client.get("/api/v1/city.pmtiles", headers={"Range": "bytes=0-126"})
    assert (head.status_code, head.content) == (206, whole.content[:127])
    assert head.headers["content-range"] == f"bytes 0-126/{packed.size}"
    assert head.headers["etag"] == whole.headers["etag"]
    same = await client.get("/api/v1/city.pmtiles", headers={"If-None-Match": whole.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    beyond = await client.get("/api/v1/city.pmtiles", headers={"Range": f"bytes={packed.size + 1}-"})
    assert beyond.status_code == 416
    torn = await client.get("/api/v1/city.pmtiles", headers={"Range": "bytes=0-9", "If-Range": '"an older pack"'})
    assert (torn.status_code, len(torn.content)) == (200, packed.size), "pieces of two packs never meet"
    async with reading(sessions) as session:
        for place, tile in opened(whole.content)[2].items():
            assert gzip.decompress(tile) == await cut_tile(session, *place)
