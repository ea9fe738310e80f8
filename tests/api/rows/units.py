"""Units, capabilities, vehicles, equipment, photos, facilities, stock: who may call what."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from realtime.database import new_id
from resources.facilities import FacilityKind, set_capacity
from resources.units import UnitKind, add_unit, retire_unit
from tests.api.matrix import DESK, HERE_AND_NOW, MANAGERS, NEW, OTHERS_UNIT, OWN_UNIT, PEOPLE, STAFF, Row, row
from tests.builders import City
from tests.scenes.units import a_facility, a_photo, a_picture, a_piece, a_stock, a_vehicle

SHEET = OWN_UNIT - {"wall"}
NO_SHEET = (*OTHERS_UNIT, "wall")
KEEPERS = DESK | {"administrator", "ambulances"}  # the hospital of the stage is the ambulances'
COUNTERS = STAFF | {"government", "administrator", "ambulances"}
BLIND = tuple(PEOPLE - COUNTERS)  # who does not see what is in store
BOUNDARY = "a-line-between"


def multipart(raw: bytes, name: str = "foto.jpg") -> tuple[str, bytes]:
    """A body as a form with a file sends it, with its type."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return f"multipart/form-data; boundary={BOUNDARY}", head.encode() + raw + f"\r\n--{BOUNDARY}--\r\n".encode()


ROWS: dict[str, Row] = {
    "GET /units/retired": row(PEOPLE),
    "GET /units/export": row(MANAGERS),
    "POST /units/import": Row(MANAGERS, content=("text/csv", "móvil;tipo\nZ1;patrulla\n".encode())),
    "GET /units/{unit_id}/sheet": row(SHEET, 200, *NO_SHEET),
    "POST /units/{unit_id}/call-sign": row(MANAGERS, call_sign="Z2"),
    "POST /units/{unit_id}/kind": row(MANAGERS, kind="works"),
    "POST /units/{unit_id}/organization": row(MANAGERS, organization_id="an agency"),
    "POST /units/{unit_id}/capabilities": row(MANAGERS, capabilities=["GUM", "DEA"]),
    "POST /units/{unit_id}/base": row(MANAGERS, base="Corralón"),
    "POST /units/{unit_id}/home-zone": row(MANAGERS, home_zone_id="zone_id"),
    "POST /units/{unit_id}/notes": row(MANAGERS, notes="sin radio"),
    "POST /units/{unit_id}/retire": Row(MANAGERS, on={"unit_id": "idle_unit_id"}),
    "POST /units/{unit_id}/reinstate": Row(MANAGERS, on={"unit_id": "retired_unit_id"}),
    "GET /capabilities": row(PEOPLE),
    "POST /capabilities": row(MANAGERS, 201, id=NEW, code="dron", name="Dron"),
    "POST /capabilities/{capability_code}/name": row(MANAGERS, name="Otro"),
    "POST /capabilities/{capability_code}/description": row(MANAGERS, description="Otra"),
    "POST /capabilities/{capability_code}/measure": row(MANAGERS, measure="l"),
    "POST /capabilities/{capability_code}/crew": row(MANAGERS, crew=[{"role": "agente", "count": 2}]),
    "POST /capabilities/{capability_code}/retire": row(MANAGERS),
    "POST /capabilities/{capability_code}/restore": row(MANAGERS),
    "POST /units/{unit_id}/equipment": row(MANAGERS, 201, id=NEW, name="Matafuego"),
    "POST /equipment/{equipment_id}": row(MANAGERS, quantity=2),
    "POST /equipment/{equipment_id}/move": row(MANAGERS, unit_id="a free unit"),
    "POST /equipment/{equipment_id}/remove": row(MANAGERS),
    "GET /vehicles": row(MANAGERS),
    "GET /vehicles/{vehicle_id}/postings": row(MANAGERS),
    "POST /vehicles": row(MANAGERS, 201, id=NEW, plate="AC987ZX", unit_id="a free unit"),
    "POST /vehicles/{vehicle_id}": row(MANAGERS, notes="pinchada"),
    "POST /vehicles/{vehicle_id}/unit": row(MANAGERS, unit_id="a free unit"),
    "POST /vehicles/{vehicle_id}/retire": row(MANAGERS),
    "GET /photos": row(SHEET, 200, *NO_SHEET, query="?subject=unit:{unit_id}"),
    "POST /photos": Row(
        MANAGERS, query="?id={fresh_id}&subject=unit:{unit_id}", status=201, content=multipart(a_picture())
    ),
    "GET /photos/{photo_id}": row(SHEET, 200, *NO_SHEET),
    "DELETE /photos/{photo_id}": row(MANAGERS, 204),
    "GET /facilities": row(PEOPLE),
    "GET /facilities/{facility_id}": row(PEOPLE),
    "POST /facilities": row(DESK | {"administrator"}, 201, id=NEW, kind="shelter", name="Club", location=HERE_AND_NOW),
    "POST /facilities/{facility_id}": row(KEEPERS, note="entrar por atrás"),
    "POST /facilities/{facility_id}/service": row(KEEPERS, out_of_service="sin luz"),
    "POST /facilities/{facility_id}/close": row(DESK | {"administrator"}),
    "POST /facilities/{facility_id}/capacities/{capacity}": row(KEEPERS, total=10, free=4),
    "POST /facilities/{facility_id}/capacities/{capacity}/change": row(KEEPERS, by=-1),
    "POST /facilities/{facility_id}/capacities/{capacity}/drop": row(KEEPERS, 204),
    "GET /stock": row(PEOPLE),
    "POST /stock": row(KEEPERS, 201, id=NEW, facility_id="facility_id", item="Agua", unit="bidones"),
    "GET /stock/{item_id}/moves": row(COUNTERS, 200, *BLIND),
    "POST /stock/{item_id}/moves": row(KEEPERS, 201, *BLIND, id=NEW, kind="out", quantity=2),
    "POST /stock/{item_id}": row(KEEPERS, 200, *BLIND, minimum=3),
    "POST /stock/{item_id}/remove": row(KEEPERS, 200, *BLIND),
}


async def stage(session: AsyncSession, city: City) -> dict[str, UUID | str]:
    """A hospital of the ambulances with beds and stock; M1 with a vehicle, equipment and a photo; a retired unit."""
    boss = city.actor("supervisor")
    hospital = await a_facility(session, city, kind=FacilityKind.HOSPITAL, owner="ambulances")
    await set_capacity(session, boss, hospital.id, "UTI", total=10, free=3)
    municipality = city.organizations["municipality"]
    made = {
        name: await add_unit(
            session, boss, new_id(), call_sign=name, kind=UnitKind.PATROL, organization_id=municipality
        )
        for name in ("Viejo", "Ocioso")
    }
    await retire_unit(session, boss, made["Viejo"].id)
    return {
        "facility_id": hospital.id,
        "retired_unit_id": made["Viejo"].id,
        "idle_unit_id": made["Ocioso"].id,
        "vehicle_id": (await a_vehicle(session, city)).id,
        "equipment_id": (await a_piece(session, city)).id,
        "photo_id": (await a_photo(session, city)).id,
        "item_id": (await a_stock(session, city, hospital)).id,
        "fresh_id": new_id(),
        "capability_code": "DEA",
        "capacity": "UTI",
    }
