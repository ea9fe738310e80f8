"""Mexico City, C5: traffic incidents told by 911, radio, camera or panic button; one row per report, no units.

Closing codes: A affirmed, N nobody there, D duplicate of another report, F false, I for information only.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from incidents.reports import Channel
from web.replay.log import Call, Ending, Log, Row, position_in, rows_of, stamps_in, tidy

REGION = (-99.6, 18.9, -98.7, 19.8)
PATTERN = "%Y-%m-%d %H:%M:%S"
CREATED, CLOSED = "creado", "cerrado"
NEEDED = ("folio", CREATED, CLOSED, "incidente_c4", "tipo_entrada", "codigo_cierre", "alcaldia_inicio", "lat", "lon")

TYPES: Mapping[str, str] = {
    "accidente-choque con lesionados": "SIN-01",
    "accidente-choque con prensados": "SIN-01",
    "accidente-choque sin lesionados": "SIN-02",
    "accidente-ciclista": "SIN-01",
    "accidente-ferroviario": "SIN-01",
    "accidente-monopatin": "SIN-01",
    "accidente-motociclista": "SIN-01",
    "accidente-otros": "SIN-02",
    "accidente-persona atrapada / desbarrancada": "SIN-01",
    "accidente-vehiculo atrapado": "SIN-04",
    "accidente-vehiculo atrapado-varado": "SIN-04",
    "accidente-vehiculo desbarrancado": "SIN-01",
    "accidente-volcadura": "SIN-01",
    "cadaver-accidente automovilistico": "SIN-01",
    "cadaver-atropellado": "SIN-03",
    "detencion ciudadana-accidente automovilistico": "SIN-01",
    "detencion ciudadana-atropellado": "SIN-03",
    "lesionado-accidente automovilistico": "SIN-01",
    "lesionado-atropellado": "SIN-03",
    "mi ambulancia-accidente automovilistico": "SIN-01",
    "sismo-choque con lesionados": "SIN-01",
    "sismo-choque con prensados": "SIN-01",
    "sismo-choque sin lesionados": "SIN-02",
    "sismo-persona atropellada": "SIN-03",
}
OTHER_TYPE = "SIN-02"

CHANNELS: Mapping[str, Channel] = {
    "aplicativos": Channel.APP,
    "boton de auxilio": Channel.PANIC_BUTTON,
    "camara": Channel.CAMERA,
    "llamada app911": Channel.APP,
    "llamada del 066": Channel.PHONE,
    "llamada del 911": Channel.PHONE,
    "radio": Channel.RADIO,
    "redes": Channel.WEB,
    "zello": Channel.RADIO,
}

ENDINGS: Mapping[str, tuple[Ending, str]] = {
    "a": (Ending.CLOSE, "resolved"),
    "n": (Ending.CLOSE, "unfounded"),
    "d": (Ending.DUPLICATE, "duplicate"),
    "f": (Ending.DISMISS, "hoax"),
    "i": (Ending.DISMISS, "not_emergency"),
}
OTHER_ENDING = (Ending.CLOSE, "resolved")


def read(file: Path) -> Log:
    """The log in `file`. Raises `NotThatLog`."""
    log = Log("cdmx-c5", ZoneInfo("America/Mexico_City"), "C5 Ciudad de México (registro)", "MX ")
    calls: dict[str, Call] = {}
    for line, row in rows_of(log, file, NEEDED):
        _read_row(log, line, row, calls)
    log.calls = sorted(calls.values(), key=lambda call: (call.received_at, call.key))
    return log


def _read_row(log: Log, line: int, row: Row, calls: dict[str, Call]) -> None:
    folio = row["folio"]
    if not folio:
        return log.trouble(line, "no call number", left_out=True)
    if folio in calls:
        return log.trouble(line, "repeated row", folio, left_out=True)
    stamps = stamps_in(log, line, row, (CREATED, CLOSED), PATTERN)
    if not stamps:
        return log.trouble(line, "no time at all", left_out=True)
    created = stamps.get(CREATED) or stamps[CLOSED]
    kind, channel, code = tidy(row["incidente_c4"]), tidy(row["tipo_entrada"]), tidy(row["codigo_cierre"])[:1]
    for known, what, column in (
        (kind in TYPES, "unknown kind of call", "incidente_c4"),
        (channel in CHANNELS, "unknown channel", "tipo_entrada"),
        (code in ENDINGS, "unknown ending", "codigo_cierre"),
    ):
        if not known:
            log.trouble(line, what, row[column])
    ending, word = ENDINGS.get(code, OTHER_ENDING)
    calls[folio] = Call(
        key=folio,
        line=line,
        received_at=created,
        entered_at=created,
        words=row["incidente_c4"] or "—",
        place=row["alcaldia_inicio"].title()[:200],
        position=position_in(log, line, row["lon"], row["lat"], REGION),
        channel=CHANNELS.get(channel, Channel.PHONE),
        type_code=TYPES.get(kind, OTHER_TYPE),
        priority=None,
        ending=ending,
        code=word,
        ended_at=stamps.get(CLOSED),
        rows=1,
    )
    return None
