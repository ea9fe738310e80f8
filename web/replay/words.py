"""Every sentence that a replay prints: English is the key, the Spanish stands here until `web/locale` has it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from web.language import translations

Say = Callable[..., str]

SPANISH: dict[str, str] = {
    # What can be wrong with a row. First the reasons to leave it out, then what is kept in spite of it.
    "not as many fields as columns": "no tiene tantos campos como columnas",
    "no call number": "sin número de llamada",
    "repeated row": "fila repetida",
    "no time at all": "sin ninguna hora",
    "no unit: only its call is kept": "sin móvil: queda solo su llamada",
    "not UTF-8: read as Windows-1252": "no es UTF-8: se leyó como Windows-1252",
    "time not understood": "hora que no se entiende",
    "implausible time": "hora inverosímil",
    "an hour that happened twice": "una hora que ocurrió dos veces",
    "an hour that the clocks skipped": "una hora que los relojes saltearon",
    "times out of order, kept as they are": "horas desordenadas; quedan como están",
    "no time of sending: the call's is taken": "sin hora de despacho: vale la de la llamada",
    "no time of release: released when the call ends": "sin hora de liberación: se libera al terminar la llamada",
    "a step that cannot follow the one before it": "un paso que no puede seguir al anterior",
    "sent elsewhere before it was free: released then": "enviado a otra llamada antes de quedar libre: se libera ahí",
    "a step after the unit was sent elsewhere": "un paso posterior a su envío a otra llamada",
    "no place": "sin lugar",
    "no place: dismissed for lack of data": "sin lugar: se descarta por falta de datos",
    "a place outside the log's region": "un lugar fuera de la región del registro",
    "differs from its call's first row, which counts": "difiere de la primera fila de su llamada, que vale",
    "unknown kind of call": "tipo de llamada desconocido",
    "unknown kind of unit": "tipo de móvil desconocido",
    "unknown ending": "cierre desconocido",
    "unknown channel": "canal desconocido",
    # Stopping before anything was done.
    "There is no replay of “{source}”; there is: {known}.": "No sé reproducir «{source}»; sé: {known}.",
    "{file} does not look like {source}: it has no column {columns}.": (
        "{file} no parece ser de {source}: no tiene la columna {columns}."
    ),
    "{file} holds no call that can be replayed.": "{file} no tiene ninguna llamada que se pueda reproducir.",
    "No account to sign in with: set VIGIA_REPLAY_USERNAME and VIGIA_REPLAY_PASSWORD.": (
        "No hay cuenta con la que entrar: definí VIGIA_REPLAY_USERNAME y VIGIA_REPLAY_PASSWORD."
    ),
    "The account {username} may not {missing}: a supervisor's may.": (
        "La cuenta {username} no tiene permiso para {missing}: la de supervisión sí."
    ),
    "This city has no map to lay the log on.": "Esta ciudad no tiene mapa sobre el que tender el registro.",
    "{address} did not answer for {seconds} s. Run the same command again: it continues where it stopped.": (
        "{address} no respondió durante {seconds} s. Repetí la orden: sigue donde quedó."
    ),
    "Interrupted. Run the same command again: it continues where it stopped.": (
        "Interrumpido. Repetí la orden: sigue donde quedó."
    ),
    "{address} refused to let us in: {reason}": "{address} no nos dejó entrar: {reason}",
    # On the way.
    "{file}: {rows} rows, {calls} calls, {units} units, {since} – {until} ({zone})": (
        "{file}: {rows} filas, {calls} llamadas, {units} móviles, {since} – {until} ({zone})"
    ),
    "Only the first {calls} calls ({rows} rows).": "Solo las primeras {calls} llamadas ({rows} filas).",
    "The log's {width_a} × {height_a} km are laid over this city's {width_b} × {height_b} km": (
        "Los {width_a} × {height_a} km del registro se tienden sobre los {width_b} × {height_b} km de esta ciudad"
    ),
    ", and every place moved to the nearest street ({metres} m on average).": (
        ", y cada lugar se lleva a la calle más cercana ({metres} m en promedio)."
    ),
    ", without streets to move them to.": ", sin calles a las que llevarlos.",
    "Places stay where the log has them.": "Los lugares quedan donde los tiene el registro.",
    "The simulation is paused meanwhile.": "La simulación queda en pausa mientras tanto.",
    "The simulation goes on.": "La simulación continúa.",
    "Already in this city from an earlier run: {reports} reports, {incidents} incidents, "
    "{assignments} assignments, {statuses} statuses; they are not made again.": (
        "Ya estaban en esta ciudad por una reproducción anterior: {reports} avisos, {incidents} incidentes, "
        "{assignments} asignaciones, {statuses} estados; no se hacen de nuevo."
    ),
    "Replaying": "Reproduciendo",
    "{done} of {total} acts ({rate}/s)": "{done} de {total} actos ({rate}/s)",
    "The server is away; waiting.": "El servidor no responde; se espera.",
    "{minutes}:{seconds} for {acts} acts, {rate} per second; asked again {again} times.": (
        "{minutes}:{seconds} para {acts} actos, {rate} por segundo; se volvió a pedir {again} veces."
    ),
    # The account of it.
    "Rows that are not as they should be": "Filas que no están como deberían",
    "line": "línea",
    "what": "qué",
    "value": "valor",
    "left out": "queda afuera",
    "kept": "se conserva",
    "… and {more} more like these.": "… y {more} más como estas.",
    "What was read": "Lo leído",
    "rows in the file": "filas del archivo",
    "beyond --limit": "más allá de --limit",
    "became a unit's answer to a call": "son la respuesta de un móvil a una llamada",
    "became only a call": "son solo una llamada",
    "calls": "llamadas",
    "What became of it": "En qué quedó",
    "asked": "pedido",
    "made now": "hecho ahora",
    "there before": "ya estaba",
    "refused": "rechazado",
    "in the database": "en la base",
    "in the API": "en la API",
    "difference": "diferencia",
    "rows": "filas",
    "units": "móviles",
    "reports": "avisos",
    "reports that opened an incident": "avisos que abrieron un incidente",
    "reports joined to one": "avisos unidos a uno",
    "reports dismissed": "avisos descartados",
    "incidents closed": "incidentes cerrados",
    "assignments": "asignaciones",
    "statuses": "estados",
    "facts in the journal": "hechos en el diario",
    "Refused, by reason": "Rechazado, por motivo",
    "somebody handled its call otherwise": "alguien resolvió su llamada de otra manera",
    "not tried": "no se intentó",
    "its call was refused": "su llamada fue rechazada",
    "its unit was refused": "su móvil fue rechazado",
    "its assignment was refused": "su asignación fue rechazada",
    "{count} units were sent on before they were free; they were released at that moment.": (
        "{count} móviles fueron enviados a otra llamada antes de quedar libres; se liberaron en ese momento."
    ),
    "The units of the log are out of service now, so that nobody sends them.": (
        "Los móviles del registro quedan fuera de servicio para que nadie los despache."
    ),
    "Reconciled: everything read is accounted for, and the database holds exactly that.": (
        "Conciliado: todo lo leído tiene su cuenta, y la base tiene exactamente eso."
    ),
    "NOT reconciled: {count} differences.": "NO concilia: {count} diferencias.",
    "expected": "se esperaba",
    "found": "se encontró",
    # What can differ; field names and ids stand as they are.
    "missing in the database": "falta en la base",
    "missing in the API's lists": "falta en las listas de la API",
    "twice in the API's lists": "dos veces en las listas de la API",
    "nobody of this run made it": "no lo hizo esta reproducción",
    "still waiting": "sigue esperando",
    "rows without account": "filas sin cuenta",
}


def spoken(language: str) -> Say:
    """`say("… {n} …", n=3)` in a language."""
    return partial(_say, language)


def _say(language: str, text: str, **facts: Any) -> str:
    told = translations(language).gettext(text)
    if told == text and language.startswith("es"):
        told = SPANISH.get(text, text)
    return told.format_map(facts) if facts else told
