"""Photos: kept as pixels that we drew ourselves, and whatever only looks like a picture is refused."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy.ext.asyncio import AsyncSession

from realtime.database import new_id
from realtime.errors import KeyReused, NotAllowed, NotFound
from resources.photos import (
    LARGEST,
    MOST_BYTES,
    MOST_EACH,
    SMALL,
    NotAPhoto,
    PhotoTooLarge,
    TooManyPhotos,
    add_photo,
    delete_photo,
    draw_again,
    photo_image,
    photos_of,
)
from tests.api.rows.units import multipart
from tests.builders import City
from tests.conftest import SignIn
from tests.scenes.units import a_facility, a_photo, a_picture

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><rect width="9" height="9"/></svg>'


def a_bomb(side: int) -> bytes:
    """A PNG of `side` × `side` black pixels, in a few kilobytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(1 + (side + 7) // 8)
    rows = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def with_position(orientation: int = 6) -> bytes:
    """A JPEG with a position, a camera and a way to be turned in its EXIF, and a comment."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Cámara de Ana".encode().decode("latin-1")
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "S", (32.0, 57.0, 1.0), "W", (60.0, 39.0, 1.0)
    return a_picture(80, 40, exif=exif.tobytes(), comment=b"33 Orientales 1234")


def test_nothing_of_the_camera_is_kept_and_it_stands_upright() -> None:
    raw = with_position()
    assert b"Exif" in raw
    drawn = draw_again(raw)
    assert (drawn.width, drawn.height) == (40, 80)
    for kept in (drawn.whole, drawn.small):
        image = Image.open(io.BytesIO(kept))
        assert image.format == "WEBP"
        assert not image.getexif()
        assert not {"exif", "xmp", "icc_profile", "comment"} & image.info.keys()
        assert b"EXIF" not in kept
        assert b"Orientales" not in kept
    top, bottom = (Image.open(io.BytesIO(drawn.whole)).getpixel((20, y)) for y in (8, 72))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert top[0] > 150 > bottom[0]  # red was left, and is above now


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_large_pictures_become_small_ones(kind: str) -> None:
    drawn = draw_again(a_picture(3000, 1500, kind))
    assert (drawn.width, drawn.height) == (LARGEST, LARGEST // 2)
    assert Image.open(io.BytesIO(drawn.small)).size == (SMALL, SMALL // 2)


def test_what_is_transparent_is_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(out, "PNG")
    assert Image.open(io.BytesIO(draw_again(out.getvalue()).whole)).getpixel((5, 5)) == (255, 255, 255)


def a_gif() -> bytes:
    return a_picture(kind="GIF")


BAD = {
    "nothing": b"",
    "text called .jpg": b"hola, soy una foto",
    "an SVG": SVG,
    "a GIF": a_gif(),
    "half a JPEG": a_picture(400, 300)[:700],
    "a PNG without pixels": a_bomb(8)[:40],
    "PHP behind the mark of a JPEG": b"\xff\xd8\xff\xe0<?php system($_GET[0]); ?>",
    "a zip": b"PK\x03\x04" + bytes(200),
    "a TIFF": a_picture(kind="TIFF"),
    "zeros": bytes(5000),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_photo_is_refused(what: str) -> None:
    with pytest.raises(NotAPhoto):
        draw_again(BAD[what])


@pytest.mark.parametrize("side", [7_100, 13_000, 30_000])
def test_a_bomb_is_refused_before_it_is_unpacked(side: int) -> None:
    bomb = a_bomb(side)
    assert len(bomb) < 200_000
    with pytest.raises(PhotoTooLarge):
        draw_again(bomb)


async def test_a_photo_is_kept_once_and_as_visible_as_its_unit(session: AsyncSession, city: City) -> None:
    boss, raw, id_ = city.actor("supervisor"), a_picture(), new_id()
    subject = f"unit:{city.units['M1']}"
    first = await add_photo(session, boss, id_, subject=subject, raw=raw, caption="frente")
    assert await add_photo(session, boss, id_, subject=subject, raw=raw) is first
    with pytest.raises(KeyReused):
        await add_photo(session, boss, id_, subject=subject, raw=a_picture(9, 9))
    assert len(await photos_of(session, subject)) == 1
    seeing = set()
    for who, actor in city.everybody.items():
        try:
            await photo_image(session, actor, id_, small=True)
        except NotFound:
            continue
        seeing.add(who)
    staff = {"call_taker", "dispatcher", "trained", "supervisor"}
    assert seeing == staff | {"crew m1", "government", "administrator"}
    with pytest.raises(NotAllowed):
        await delete_photo(session, city.actor("dispatcher"), id_)
    await delete_photo(session, boss, id_)
    with pytest.raises(NotFound):
        await photo_image(session, boss, id_, small=False)


async def test_a_facilitys_photos_are_its_keepers(session: AsyncSession, city: City) -> None:
    hospital = await a_facility(session, city, owner="ambulances")
    subject = f"facility:{hospital.id}"
    await add_photo(session, city.actor("ambulances"), new_id(), subject=subject, raw=a_picture())
    with pytest.raises(NotAllowed):
        await add_photo(session, city.actor("police"), new_id(), subject=subject, raw=a_picture())
    for strange in ("unit:x", "person:" + str(new_id()), f"facility:{new_id()}", f"unit:{{{city.units['M1']}}}"):
        with pytest.raises(NotFound):
            await add_photo(session, city.actor("supervisor"), new_id(), subject=strange, raw=a_picture())


async def test_there_is_an_end_to_photos(session: AsyncSession, city: City) -> None:
    for _ in range(MOST_EACH):
        await a_photo(session, city)
    with pytest.raises(TooManyPhotos):
        await a_photo(session, city)


async def test_over_http(signed_in: SignIn, city: City, tmp_path: Path) -> None:
    subject, id_ = f"unit:{city.units['M1']}", new_id()
    async with signed_in("supervisor") as boss, signed_in("police") as police:

        async def send(raw: bytes, name: str = "foto.jpg", **more: str) -> tuple[int, dict[str, object]]:
            kind, content = multipart(raw, name)
            query = {"id": str(new_id()), "subject": subject} | more
            answer = await boss.post("/api/v1/photos", params=query, content=content, headers={"Content-Type": kind})
            return answer.status_code, answer.json()

        status, made = await send(with_position(), "../../etc/passwd\u202e.php", id=str(id_), caption="frente")
        assert (status, made["width"], made["caption"]) == (201, 40, "frente")
        assert "name" not in made
        for raw, wanted in ((SVG, 415), (b"texto", 415), (a_bomb(13_000), 413), (bytes(MOST_BYTES + 1), 413)):
            status, said = await send(raw)
            assert (status, bool(said["title"])) == (wanted, True)
        picture = await boss.get(f"/api/v1/photos/{id_}?size=small")
        assert picture.headers["content-type"] == "image/webp"
        assert picture.headers["x-content-type-options"] == "nosniff"
        assert picture.headers["cache-control"] == "private, no-cache"
        again = await boss.get(f"/api/v1/photos/{id_}?size=small", headers={"If-None-Match": picture.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        hidden = await police.get(f"/api/v1/photos/{id_}", headers={"If-None-Match": picture.headers["etag"]})
        assert hidden.status_code == 404
        wrong = await boss.post(f"/api/v1/photos?id={new_id()}&subject={subject}", json={"file": "x"})
        assert (wrong.status_code, wrong.json()["code"]) == (415, "NotThatType")
        bare = await boss.post(
            f"/api/v1/photos?id={new_id()}&subject={subject}",
            content=b"nothing of a form",
            headers={"Content-Type": "multipart/form-data"},
        )
        assert 400 <= bare.status_code < 500
