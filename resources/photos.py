"""Photos of units, facilities and people: never as they came, only as we have drawn them again.

What is uploaded is decoded, turned upright and encoded anew from its pixels, so that no position, serial number or
comment of a camera, and nothing that only looks like a picture, is ever kept. A photo is as visible as its subject.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import io
import struct
import warnings
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy import ForeignKey, Index, LargeBinary, Text, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from realtime.access import Actor, Permission, require
from realtime.database import Base, now
from realtime.errors import KeyReused, Malformed, NotAllowed, NotFound, Refusal
from realtime.registers import Register, turn_page
from resources.facilities import access_kept, may_keep
from resources.units import access_sheet

FORMATS = ("JPEG", "PNG", "WEBP")
MEDIA_TYPE = "image/webp"
MOST_BYTES = 12 * 1024 * 1024
MOST_PIXELS = 50_000_000  # what telephones make at most; a bomb of 20 KB has 169
LARGEST, SMALL = 1600, 320  # the longer side, in pixels
MOST_EACH = 20
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
ONE_AT_A_TIME = ThreadPoolExecutor(max_workers=1, thread_name_prefix="drawing")  # each may take 200 MB


class NotAPhoto(Malformed):
    """That is not a photo: use JPEG, PNG or WebP."""

    status = 415


class PhotoTooLarge(Refusal):
    """The photo is too large: at most {megabytes} MB and {megapixels} million pixels."""

    status = 413


class TooManyPhotos(Refusal):
    """There are already {limit} photos: delete one first."""

    status = 409


class Photo(Base):
    """One photo. `subject` is whose it is: `unit:<id>`, `facility:<id>`, `staff:<id>`; `digest` names the bytes that
    were sent."""

    __tablename__ = "photos"
    __table_args__ = (Index("ix_photos_subject", "subject"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(Text)
    caption: Mapped[str] = mapped_column(Text, default="")
    width: Mapped[int]
    height: Mapped[int]
    digest: Mapped[str] = mapped_column(Text)
    added_at: Mapped[dt.datetime] = mapped_column(default=now)
    added_by: Mapped[str] = mapped_column(Text)


class PhotoImage(Base):
    """The pixels of a photo, apart, so that lists of photos do not read them. Both are WebP."""

    __tablename__ = "photo_images"

    photo_id: Mapped[UUID] = mapped_column(ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True)
    whole: Mapped[bytes] = mapped_column(LargeBinary)
    small: Mapped[bytes] = mapped_column(LargeBinary)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture as we keep it."""

    whole: bytes
    small: bytes
    width: int
    height: int


# ── Who may see ───────────────────────────────────────────────────────────────────────────────────


async def _unit(session: AsyncSession, actor: Actor, id_: UUID, *, change: bool) -> None:
    if change:
        require(actor, Permission.UNIT_MANAGE)
    await access_sheet(session, actor, id_)


async def _facility(session: AsyncSession, actor: Actor, id_: UUID, *, change: bool) -> None:
    facility = await access_kept(session, actor, id_)
    if change and not may_keep(actor, facility):
        raise NotAllowed(permission=Permission.FACILITY_UPDATE.value)


# Who may see the photos of a thing, and (`change`) who may add and delete them. A new kind of subject is a line here.
SUBJECTS: dict[str, Callable[..., Awaitable[None]]] = {"unit": _unit, "facility": _facility}


async def access_subject(session: AsyncSession, actor: Actor, subject: str, *, change: bool = False) -> None:
    """Whether `actor` may see the photos of `subject`, or change them. Raises `NotFound`, `NotAllowed`."""
    kind, _, id_ = subject.partition(":")
    try:
        found = UUID(id_)
    except ValueError:
        raise NotFound from None
    if kind not in SUBJECTS or subject != f"{kind}:{found}":
        raise NotFound
    await SUBJECTS[kind](session, actor, found, change=change)


# ── Verbs ─────────────────────────────────────────────────────────────────────────────────────────


async def add_photo(
    session: AsyncSession, actor: Actor, photo_id: UUID, *, subject: str, raw: bytes, caption: str = ""
) -> Photo:
    """Keep a photo of a thing. The same id with the same bytes is the same photo; with others it is refused.

    Raises `NotAPhoto`, `PhotoTooLarge`, `TooManyPhotos`, `KeyReused`, and what `access_subject` raises.
    """
    await access_subject(session, actor, subject, change=True)
    digest = hashlib.sha256(raw).hexdigest()
    known = await session.get(Photo, photo_id)
    if known is not None:
        if (known.digest, known.subject) != (digest, subject):
            raise KeyReused
        return known
    if (await session.scalar(select(func.count()).where(Photo.subject == subject)) or 0) >= MOST_EACH:
        raise TooManyPhotos(limit=MOST_EACH)
    drawn = await drawn_again(raw)
    photo = Photo(
        id=photo_id,
        subject=subject,
        caption=caption,
        width=drawn.width,
        height=drawn.height,
        digest=digest,
        added_at=now(),
        added_by=actor.name,
    )
    session.add(photo)
    await session.flush()
    session.add(PhotoImage(photo_id=photo.id, whole=drawn.whole, small=drawn.small))
    await _turn(session, actor, "photo.added", photo)
    return photo


async def delete_photo(session: AsyncSession, actor: Actor, photo_id: UUID) -> None:
    """The photo is gone, its pixels too."""
    photo = await session.get(Photo, photo_id)
    if photo is None:
        raise NotFound
    await access_subject(session, actor, photo.subject, change=True)
    await session.delete(photo)
    await _turn(session, actor, "photo.deleted", photo)


async def _turn(session: AsyncSession, actor: Actor, kind: str, photo: Photo) -> None:
    of = photo.subject.partition(":")[0]
    name = {"facility": Register.FACILITIES, "staff": Register.STAFF}.get(of, Register.EQUIPMENT)
    await turn_page(session, actor, name, kind, detail={"photo_id": str(photo.id), "subject": photo.subject})


# ── Drawing again ─────────────────────────────────────────────────────────────────────────────────


async def drawn_again(raw: bytes) -> Drawn:
    """A picture from outside as we keep it, made off the event loop. Raises `NotAPhoto`, `PhotoTooLarge`."""
    if len(raw) > MOST_BYTES:
        raise PhotoTooLarge(megabytes=MOST_BYTES // 1024 // 1024, megapixels=MOST_PIXELS // 1_000_000)
    return await asyncio.get_running_loop().run_in_executor(ONE_AT_A_TIME, draw_again, raw)


_BROKEN = (
    *(UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError),
    *(OverflowError, ZeroDivisionError, NotImplementedError, AttributeError, struct.error),
)


def draw_again(raw: bytes) -> Drawn:
    """Decode, turn upright, encode: from pixels alone. Raises `NotAPhoto`, `PhotoTooLarge`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(raw), formats=FORMATS) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise Image.DecompressionBombError  # Pillow itself only warns up to twice as many
                shown = opened.convert("RGBA") if opened.mode in {"P", "PA", "1"} else opened
                shown.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)  # a JPEG is not even decoded larger
                pixels = _opaque(ImageOps.exif_transpose(shown))
        whole, size = _encoded(pixels, 82), pixels.size
        pixels.thumbnail((SMALL, SMALL), Image.Resampling.LANCZOS)
        return Drawn(whole, _encoded(pixels, 75), *size)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise PhotoTooLarge(megabytes=MOST_BYTES // 1024 // 1024, megapixels=MOST_PIXELS // 1_000_000) from None
    except _BROKEN:
        raise NotAPhoto from None


def _opaque(image: Image.Image) -> Image.Image:
    """Its pixels in a new picture that has nothing else: what was transparent is white."""
    coloured = image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")
    clean = Image.new("RGB", coloured.size, "white")
    clean.paste(coloured, mask=coloured.getchannel("A") if coloured.mode == "RGBA" else None)
    return clean


def _encoded(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "WEBP", quality=quality, method=4)
    return out.getvalue()


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────


async def photos_of(session: AsyncSession, subject: str) -> Sequence[Photo]:
    """The photos of a thing, the first first; for those who were let at it."""
    return (await session.scalars(select(Photo).where(Photo.subject == subject).order_by(Photo.added_at))).all()


async def photo_image(session: AsyncSession, actor: Actor, photo_id: UUID, *, small: bool) -> bytes:
    """The WebP of a photo. Raises `NotFound` where the actor may not see its subject."""
    photo = await session.get(Photo, photo_id)
    if photo is None:
        raise NotFound
    await access_subject(session, actor, photo.subject)
    column = PhotoImage.small if small else PhotoImage.whole
    return (await session.scalars(select(column).where(PhotoImage.photo_id == photo_id))).one()


def photo_document(photo: Photo) -> dict[str, Any]:
    """A photo as the API answers it, without its pixels."""
    return {
        "id": str(photo.id),
        "subject": photo.subject,
        "caption": photo.caption,
        "width": photo.width,
        "height": photo.height,
        "added_at": photo.added_at.isoformat(),
        "added_by": photo.added_by,
    }
