"""Photos over HTTP: one comes in as it is and goes out as we have drawn it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Query, Request, UploadFile
from starlette.responses import Response

from resources.photos import (
    MEDIA_TYPE,
    MOST_BYTES,
    access_subject,
    add_photo,
    delete_photo,
    photo_document,
    photo_image,
    photos_of,
)
from web.bodies import NewId, Short
from web.context import CurrentActor, Session

router = APIRouter(prefix="/photos", tags=["photos"])

Subject = Annotated[str, Query(pattern=r"^[a-z]{1,20}:[0-9a-f\-]{36}$")]


class Size(StrEnum):
    """How large it is wanted: 1600 or 320 pixels at most."""

    WHOLE = "whole"
    SMALL = "small"


@router.get("")
async def get_photos(subject: Subject, session: Session, actor: CurrentActor) -> dict[str, Any]:
    """The photos of a thing."""
    await access_subject(session, actor, subject)
    return {"photos": [photo_document(photo) for photo in await photos_of(session, subject)]}


@router.post("", status_code=201)
async def post_photo(
    *,
    id: Annotated[NewId, Query()],  # noqa: A002  the API's word
    subject: Subject,
    caption: Annotated[Short, Query()] = "",
    file: Annotated[UploadFile, File()],
    session: Session,
    actor: CurrentActor,
) -> dict[str, Any]:
    """Keep a photo; `id` is the key of this request. The file's own name and type are not believed."""
    raw = await file.read(MOST_BYTES + 1)
    return photo_document(await add_photo(session, actor, id, subject=subject, raw=raw, caption=caption))


@router.get("/{photo_id}", response_class=Response, responses={200: {"content": {MEDIA_TYPE: {}}}})
async def get_photo(
    photo_id: UUID, request: Request, session: Session, actor: CurrentActor, size: Size = Size.WHOLE
) -> Response:
    """The picture. Browsers keep it and ask each time whether they still may show it."""
    image = await photo_image(session, actor, photo_id, small=size is Size.SMALL)
    headers = {"Cache-Control": "private, no-cache", "ETag": f'"{photo_id}-{size}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = "inline"
    return Response(image, headers=headers, media_type=MEDIA_TYPE)


@router.delete("/{photo_id}", status_code=204)
async def delete(photo_id: UUID, session: Session, actor: CurrentActor) -> None:
    """The photo is gone."""
    await delete_photo(session, actor, photo_id)
