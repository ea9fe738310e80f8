"""Small logs to replay, in the words of their sources."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

SF_COLUMNS = [
    "Call Number",
    "Unit ID",
    "Incident Number",
    "Call Type",
    "Call Date",
    "Watch Date",
    "Received DtTm",
    "Entry DtTm",
    "Dispatch DtTm",
    "Response DtTm",
    "On Scene DtTm",
    "Transport DtTm",
    "Hospital DtTm",
    "Call Final Disposition",
    "Available DtTm",
    "Address",
    "City",
    "Zipcode of Incident",
    "Battalion",
    "Station Area",
    "Box",
    "Original Priority",
    "Priority",
    "Final Priority",
    "ALS Unit",
    "Call Type Group",
    "Number of Alarms",
    "Unit Type",
    "Unit sequence in call dispatch",
    "Fire Prevention District",
    "Supervisor District",
    "Neighborhood  District",
    "Location",
    "RowID",
]
CDMX_COLUMNS = [
    "folio",
    "creado",
    "cerrado",
    "incidente_c4",
    "tipo_entrada",
    "clasificacion",
    "codigo_cierre",
    "alcaldia_inicio",
    "alcaldia_cierre",
    "lat",
    "lon",
]
Fields = Mapping[str, str]


def sf_row(**changes: str) -> dict[str, str]:
    """An engine that answered a medical call in the Marina; `On_Scene_DtTm="…"` changes a column."""
    row = dict.fromkeys(SF_COLUMNS, "") | {
        "Call Number": "163664036",
        "Unit ID": "E38",
        "Call Type": "Medical Incident",
        "Received DtTm": "12/31/2016 11:52:01 PM",
        "Entry DtTm": "12/31/2016 11:55:04 PM",
        "Dispatch DtTm": "12/31/2016 11:55:20 PM",
        "Response DtTm": "12/31/2016 11:55:34 PM",
        "On Scene DtTm": "01/01/2017 12:00:32 AM",
        "Call Final Disposition": "Code 2 Transport",
        "Available DtTm": "01/01/2017 12:06:02 AM",
        "Address": "0 Block of MARINA BLVD",
        "Final Priority": "3",
        "Call Type Group": "Potentially Life-Threatening",
        "Unit Type": "ENGINE",
        "Neighborhood  District": "Marina",
        "Location": "(37.8051625655624, -122.432957440518)",
    }
    return row | {name.replace("__", "  ").replace("_", " "): value for name, value in changes.items()}


def cdmx_row(**changes: str) -> dict[str, str]:
    """A collision that was affirmed."""
    row = {
        "folio": "C5/200207/09738",
        "creado": "2020-02-08 00:56:08",
        "cerrado": "2020-02-08 01:20:34",
        "incidente_c4": "accidente-choque sin lesionados",
        "tipo_entrada": "LLAMADA DEL 911",
        "clasificacion": "EMERGENCIA",
        "codigo_cierre": "A",
        "alcaldia_inicio": "TLALPAN",
        "alcaldia_cierre": "TLALPAN",
        "lat": "19.29277998",
        "lon": "-99.12574008",
    }
    return row | changes


def text_of(rows: Iterable[Fields], columns: Iterable[str]) -> str:
    """The rows as their city publishes them."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def sf_file(directory: Path, rows: Iterable[Fields]) -> Path:
    """A file of the fire department's."""
    file = directory / "sf.csv"
    file.write_text(text_of(rows, SF_COLUMNS), encoding="utf-8")
    return file


def cdmx_file(directory: Path, rows: Iterable[Fields]) -> Path:
    """A file of the C5's."""
    file = directory / "cdmx.csv"
    file.write_text(text_of(rows, CDMX_COLUMNS), encoding="utf-8")
    return file


# Two calls and three units: E38 and a medic to one; E38, before it was free, and a chief to the other.
SMALL_SF = (
    sf_row(),
    sf_row(
        Unit_ID="AM30",
        Unit_Type="PRIVATE",
        On_Scene_DtTm="01/01/2017 12:00:47 AM",
        Transport_DtTm="01/01/2017 12:25:07 AM",
        Hospital_DtTm="01/01/2017 12:24:13 AM",  # a minute before it left: as the city has it
        Available_DtTm="01/01/2017 01:12:11 AM",
    ),
    sf_row(
        Call_Number="170010001",
        Call_Type="Alarms",
        Call_Type_Group="Alarm",
        Call_Final_Disposition="Fire",
        Received_DtTm="01/01/2017 12:01:00 AM",
        Entry_DtTm="01/01/2017 12:01:30 AM",
        Dispatch_DtTm="01/01/2017 12:02:00 AM",
        Response_DtTm="01/01/2017 12:03:00 AM",
        On_Scene_DtTm="",
        Available_DtTm="01/01/2017 12:09:00 AM",
        Location="(37.79, -122.41)",
    ),
    sf_row(
        Call_Number="170010001",
        Unit_ID="B04",
        Unit_Type="CHIEF",
        Call_Type="Alarms",
        Call_Type_Group="Alarm",
        Call_Final_Disposition="Fire",
        Received_DtTm="01/01/2017 12:01:00 AM",
        Entry_DtTm="01/01/2017 12:01:30 AM",
        Dispatch_DtTm="01/01/2017 12:02:00 AM",
        Response_DtTm="",
        On_Scene_DtTm="",
        Available_DtTm="",
        Location="(37.79, -122.41)",
    ),
)

# A collision told four times, nearby and soon; a false alarm; a duplicate of nothing; and somebody without a place.
SMALL_CDMX = (
    cdmx_row(),
    cdmx_row(folio="C5/2", creado="2020-02-08 00:57:00", codigo_cierre="D", lat="19.2931"),
    cdmx_row(folio="C5/3", creado="2020-02-08 01:05:00", codigo_cierre="D", tipo_entrada="BOTÓN DE AUXILIO"),
    cdmx_row(folio="C5/4", creado="2020-02-08 01:21:00", cerrado="2020-02-08 01:30:00", codigo_cierre="D"),
    cdmx_row(folio="C5/5", creado="2020-02-08 01:00:00", codigo_cierre="F", lat="19.4"),
    cdmx_row(folio="C5/6", creado="2020-02-08 01:01:00", codigo_cierre="A", lat="nan", lon=""),
)
