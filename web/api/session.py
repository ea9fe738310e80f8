"""Signing in and out, and the document that tells a screen who it works for."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from geo.city import attribution, extent
from realtime.access import GRANTS
from realtime.database import now
from resources.organizations import municipality
from resources.sign_in import SignedIn, sign_in, sign_out
from web.bodies import Body, Name
from web.context import Machinery, Machines, Session, Signed, cookie_name
from web.throttle import attempt, forgive

router = APIRouter(prefix="/session", tags=["session"])

WINDOW = dt.timedelta(minutes=15)
PER_ACCOUNT = 10  # wrong passwords; a right one forgives them
PER_ADDRESS = 100  # an operations room signs in from one address


class Credentials(Body):
    """What somebody signs in with."""

    username: Name
    password: Annotated[str, Field(max_length=1024)]


@router.post("")
async def post_session(
    body: Credentials,
    request: Request,
    response: Response,
    session: Session,
    machines: Machines,
    x_vigia_token: Annotated[str | None, Header()] = None,
) -> dict[str, Any]:
    """Sign in. Sets the cookie; a machine that asks for it (`X-Vigia-Token: 1`) gets the token in the answer."""
    address = request.client.host if request.client else "?"
    account = body.username.casefold()
    await attempt(machines.sessions, "account", account, limit=PER_ACCOUNT, within=WINDOW, in_turn=True)
    await attempt(machines.sessions, "address", address, limit=PER_ADDRESS, within=WINDOW)
    agent = request.headers.get("user-agent", "")
    token, found = await sign_in(
        machines.sessions, session, username=body.username, password=body.password, user_agent=agent
    )
    await forgive(session, "account", account)
    await forgive(session, "address", address)
    document = await session_document(session, found, machines)
    if x_vigia_token:
        return document | {"token": token}
    response.set_cookie(
        cookie_name(machines.settings),
        token,
        httponly=True,
        samesite="lax",
        secure=machines.settings.secure_cookies,
        path="/",
    )
    return document


@router.get("")
async def get_session(session: Session, found: Signed, machines: Machines) -> dict[str, Any]:
    """Who is signed in, what they may do, and for which city."""
    return await session_document(session, found, machines)


@router.delete("", status_code=204)
async def delete_session(response: Response, session: Session, found: Signed, machines: Machines) -> None:
    """Sign out: the session ends everywhere, open feeds included."""
    await sign_out(session, found.token_hash)
    response.delete_cookie(
        cookie_name(machines.settings), path="/", httponly=True, samesite="lax", secure=machines.settings.secure_cookies
    )
    response.headers["Clear-Site-Data"] = '"cache"'


async def session_document(session: AsyncSession, found: SignedIn, machines: Machinery) -> dict[str, Any]:
    """The session document of docs/api.md."""
    city = await municipality(session)
    bounds = await extent(session)
    return {
        "person": {
            "id": str(found.person.id),
            "name": found.person.name,
            "username": found.person.username,
            "role": found.actor.role,
            "unit_id": str(found.actor.unit_id) if found.actor.unit_id else None,
            "organization": {
                "id": str(found.organization.id),
                "name": found.organization.name,
                "kind": found.organization.kind,
            },
        },
        "permissions": sorted(GRANTS[found.actor.role]),
        "city": {
            "name": city.name if city else "",
            "bounds": bounds,
            "centre": [(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2] if bounds else None,
            "phones": [{"number": number, "name": name} for number, name in city.phones] if city else [],
            "attribution": await attribution(session),
        },
        "demo": machines.settings.demo,
        "feed": "/feed",
        "server_time": now(),
    }
