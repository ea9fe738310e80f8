"""Every sentence that making and importing print: English is the key, the Spanish stands here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from web.language import translations

Say = Callable[..., str]

SPANISH: dict[str, str] = {
    # The terminal.
    "Reading {file}": "Leyendo {file}",
    "Laying the city": "Tendiendo la ciudad",
    "Comparing and laying": "Comparando y tendiendo",
    "What there is": "Lo que hay",
    "What there is now": "Lo que hay ahora",
    "Left out, and kept in spite of something": "Lo que quedó afuera, y lo que se tomó con reparos",
    "what": "qué",
    "number": "número",
    "name": "nombre",
    "why": "por qué",
    "kept: {reason}": "se tomó: {reason}",
    "… and {more} more like these.": "… y {more} más como estos.",
    "All of them: {file}": "La lista completa: {file}",
    "Nothing was changed.": "No se cambió nada.",
    "The database did not take it: {error}": "La base no lo aceptó: {error}",
    "node": "nodo",
    "way": "vía",
    "relation": "relación",
    "feature": "elemento",
    # Making a city.
    "{name} is there, in {seconds} s.": "{name} está lista, en {seconds} s.",
    "This installation has a city already. To put another in its place, repeat with --replace.": (
        "Esta instalación ya tiene una ciudad. Para poner otra en su lugar, repetí la orden con --replace."
    ),
    "Streets, base map, landmarks and house numbers would be replaced; zones, facilities and closures stay.": (
        "Se reemplazarían las calles, el mapa base, los lugares y las alturas; zonas, instalaciones y cortes quedan."
    ),
    "If Vigía is running with the demo's simulator, restart it: ./vigia down, ./vigia up.": (
        "Si Vigía está andando con el simulador de la demostración, reiniciala: ./vigia down, ./vigia up."
    ),
    "The file has no administrative boundary named “{name}”: there is no zone of jurisdiction. Say --boundary.": (
        "El archivo no tiene un límite administrativo llamado «{name}»: no hay zona de jurisdicción. Indicala con "
        "--boundary."
    ),
    "The zone of jurisdiction is the one of --boundary.": "La zona de jurisdicción es la de --boundary.",
    "The zone of jurisdiction is the administrative boundary “{name}” of the file.": (
        "La zona de jurisdicción es el límite administrativo «{name}» del archivo."
    ),
    "{percent} % of the streets lie beyond it; with --boundary they are left out.": (
        "El {percent} % de las calles queda fuera de ella; con --boundary no se toman."
    ),
    "{count} names had been through a wrong encoding and were put right.": (
        "{count} nombres habían pasado por una codificación equivocada y se corrigieron."
    ),
    "{count} landmarks have no name and are only drawn.": "{count} lugares no tienen nombre y sólo se dibujan.",
    "a city has a name, of at most {limit} letters": "una ciudad lleva un nombre, de hasta {limit} letras",
    "the boundary file holds no polygon that can be used": (
        "el archivo del límite no tiene ningún polígono que se pueda usar"
    ),
    "city": "ciudad",
    "street links": "tramos de calle",
    "of them with a name": "de ellos con nombre",
    "kilometres": "kilómetros",
    "turn restrictions": "giros restringidos",
    "landmarks": "lugares",
    "house numbers": "alturas conocidas",
    "landuse": "usos del suelo",
    "water": "aguas",
    "buildings": "edificios",
    "places": "localidades y barrios con nombre",
    "boundaries": "límites",
    "roads": "vías, senderos y muelles",
    "zones": "zonas",
    # Importing.
    "What changes": "Lo que cambiaría",
    "What changed": "Lo que cambió",
    "added": "nueva",
    "gone": "terminada",
    "renamed": "renombrada",
    "moved": "movida",
    "{metres} m, {hectares} ha": "{metres} m, {hectares} ha",
    "{before} → {after}: {added} new, {gone} gone, {renamed} renamed, {moved} moved, {unchanged} unchanged.": (
        "{before} → {after}: nuevas {added}, terminadas {gone}, renombradas {renamed}, "
        "movidas o con otra forma {moved}, sin cambios {unchanged}."
    ),
    "Nothing was changed: it was a rehearsal (--dry-run).": "No se cambió nada: fue un ensayo (--dry-run).",
    "{file}: {count} things, {crs}, {encoding}": "{file}: {count} elementos, {crs}, {encoding}",
    "The file does not say its projection; its numbers are degrees, and are taken as WGS 84.": (
        "El archivo no dice su proyección; sus números son grados y se toman como WGS 84."
    ),
    "Latitude stood before longitude; they were exchanged, as all lie by the city that way.": (
        "La latitud (o el norte) estaba antes que la longitud; se invirtieron, porque así todo cae en su lugar."
    ),
    "{count} texts had been through a wrong encoding and were put right.": (
        "{count} textos habían pasado por una codificación equivocada y se corrigieron."
    ),
    "{count} of them lie more than {kilometres} km from the city.": (
        "{count} de ellos están a más de {kilometres} km de la ciudad."
    ),
    "it has no name": "no tiene nombre",
    "the file has no field “{field}”; it has: {fields}": "el archivo no tiene el campo «{field}»; tiene: {fields}",
    "a zone is an area, and this file holds points or lines. Points are facilities: import facilities": (
        "una zona es un área, y este archivo tiene puntos o líneas. Los puntos son instalaciones: "
        "./vigia city import facilities"
    ),
    "“{kind}” is no kind of {what}; there is: {known}": "«{kind}» no es una clase de {what}; hay: {known}",
    "{gone} of {there} would go, because the file does not have them. If that is meant, repeat with --replace; "
    "if the file is an addition, give it a name of its own with --source; with --keep they stay": (
        "Se irían {gone} de {there}, porque el archivo no los tiene. Si es lo que querés, repetí con --replace; "
        "si el archivo es un agregado, dale un nombre propio con --source; con --keep quedan."
    ),
    "nothing of the file can be used": "no se puede usar nada del archivo",
    "nothing of the file can be used: {reason}": "no se puede usar nada del archivo: {reason}",
    # Showing.
    "There is no city yet.": "Todavía no hay ciudad.",
    "{name}, from {source}, {made}": "{name}, de {source}, {made}",
    "From {west}, {south} to {east}, {north}": "De {west}, {south} a {east}, {north}",
    "Layers": "Capas",
    "Imported files": "Archivos importados",
    "layer": "capa",
    "kind": "clase",
    "source": "conjunto",
    "file": "archivo",
    "edition": "edición",
    "since": "desde",
    "credit": "crédito",
    "streets": "calles",
    "numbering": "alturas",
    "facilities": "instalaciones",
    "closures": "cortes",
    "hazards": "peligros",
    "earth": "tierra",
    "zone:barrio": "zonas: barrios",
    "zone:district": "zonas: distritos",
    "zone:vecinal": "zonas: vecinales",
    "zone:jurisdiction": "zonas: jurisdicción",
    "zone:grid": "zonas: cuadrículas",
    "zone:flood": "zonas: inundables",
    "zone:risk": "zonas: de riesgo",
    # Why an OpenStreetMap file, or something in it, is refused.
    "there is no such file: {file}": "no existe el archivo {file}",
    "the file may not be read: {file}": "no hay permiso para leer el archivo {file}",
    "the name of an OpenStreetMap file ends in {endings}": (
        "el nombre de un archivo de OpenStreetMap termina en {endings}"
    ),
    "the file is empty": "el archivo está vacío",
    "the file is cut or damaged, or is not OpenStreetMap: {error}": (
        "el archivo está cortado o dañado, o no es de OpenStreetMap: {error}"
    ),
    "the file declares a document type (DOCTYPE); OpenStreetMap files have none": (
        "el archivo declara un tipo de documento (DOCTYPE); los de OpenStreetMap no lo llevan"
    ),
    "the file holds history: several versions of things, or deleted ones": (
        "el archivo es un historial: tiene varias versiones de las cosas, o cosas borradas"
    ),
    "the file holds changes, not a map": "el archivo tiene cambios (osmChange), no un mapa",
    "{what} {which} stands in the file twice": "{what} {which} está dos veces en el archivo",
    "{what} {which} has a negative number: it was drawn but never uploaded": (
        "{what} {which} tiene número negativo: se dibujó pero nunca se subió"
    ),
    "the file holds more than {limit} things: cut out your city first": (
        "el archivo tiene más de {limit} elementos: recortá antes tu ciudad"
    ),
    "there is no street in the file": "no hay ninguna calle en el archivo",
    "no street of the file lies within the boundary or near it": (
        "ninguna calle del archivo está dentro del límite ni cerca"
    ),
    "its streets lie on both sides of the 180th meridian, over which no map here reaches": (
        "sus calles están a ambos lados del meridiano 180, que estos mapas no cruzan"
    ),
    "{missing} of its {nodes} nodes are not in the file": "{missing} de sus {nodes} nodos no están en el archivo",
    "fewer than two of its nodes are in the file": "menos de dos de sus nodos están en el archivo",
    "a speed limit that cannot be understood: {word}": "un límite de velocidad que no se entiende: {word}",
    "{missing} of the ways of its outline are not in the file, or not whole": (
        "{missing} de las vías de su contorno no están en el archivo, o no enteras"
    ),
    "its outline is not closed, or crosses itself": "su contorno no cierra, o se cruza a sí mismo",
    "its direction changes with the hour; taken as open both ways": (
        "su sentido cambia con la hora; se toma como de doble mano"
    ),
    "a house number that cannot be understood: {word}": "una altura que no se entiende: {word}",
    "a house number without a street": "una altura sin calle",
    "fewer than two of its house numbers are known": "se conocen menos de dos de sus alturas",
    "a sign that holds at certain hours only; not enforced": "un cartel que vale sólo a ciertas horas; no se aplica",
    "a sign for {traffic} only": "un cartel sólo para {traffic}",
    "an unknown sign: {sign}": "un cartel desconocido: {sign}",
    "it does not say from where, over what and to where": "no dice desde dónde, por dónde y hacia dónde",
    "way {way} is not in the file, or no street": "la vía {way} no está en el archivo, o no es calle",
    "way {way} does not meet the crossing": "la vía {way} no llega al cruce",
    "way {way} runs through the crossing, so it is unclear from which side": (
        "la vía {way} atraviesa el cruce, y no se sabe de qué lado"
    ),
    "its ways in the middle do not lead from the first to the last": (
        "sus vías intermedias no llevan de la primera a la última"
    ),
    "it speaks of driving against a one-way street": "habla de circular a contramano",
    # Why any other map file, or something in it, is refused.
    "files that end in {ending} cannot be read; what can: {endings}": (
        "los archivos {ending} no se leen; se leen: {endings}"
    ),
    "the file is larger than {limit} MB": "el archivo pasa de {limit} MB",
    "the file holds more than {limit} things": "el archivo tiene más de {limit} elementos",
    "the file does not hold what its name says: {error}": "el archivo no contiene lo que dice su nombre: {error}",
    "the file is cut: it holds {size} of {said} bytes": "el archivo está cortado: tiene {size} de {said} bytes",
    "the file declares a document type (DOCTYPE), which map files have no use for": (
        "el archivo declara un tipo de documento (DOCTYPE), que un mapa no necesita"
    ),
    "the file is not in {encoding}": "el archivo no está en {encoding}",
    "the archive is damaged: {error}": "el archivo comprimido está dañado: {error}",
    "the archive wants to write outside its folder: {member}": (
        "el archivo comprimido quiere escribir fuera de su carpeta: {member}"
    ),
    "the archive unpacks to more than {limit} MB, or to more than {ratio} times its size": (
        "el archivo comprimido se expande a más de {limit} MB, o a más de {ratio} veces su tamaño"
    ),
    "the archive holds no map file": "el archivo comprimido no trae ningún mapa",
    "the archive holds several map files: {members}. Give them one by one": (
        "el archivo comprimido trae varios mapas: {members}. Importalos de a uno"
    ),
    "the file holds several layers: {layers}. Choose one with --layer": (
        "el archivo tiene varias capas: {layers}. Elegí una con --layer"
    ),
    "the file holds no layer “{layer}”; it holds: {layers}": "el archivo no tiene la capa «{layer}»; tiene: {layers}",
    "the file holds no places": "el archivo no tiene ningún lugar",
    "the table has no columns for longitude and latitude (lon, lat), nor one with WKT": (
        "la tabla no tiene columnas de longitud y latitud (lon, lat), ni una con WKT"
    ),
    "the coordinates are not degrees, and the file does not say in which projection they are. "
    "Say it with --crs (in Argentina often one of {candidates})": (
        "las coordenadas no son grados y el archivo no dice en qué proyección están. "
        "Indicala con --crs (en la Argentina suele ser una de {candidates})"
    ),
    "the projection {crs} is not known": "no conozco la proyección {crs}",
    "it has no place": "no tiene lugar",
    "its shape cannot be read": "su forma no se puede leer",
    "its coordinates are no numbers": "sus coordenadas no son números",
}


def spoken(language: str) -> Say:
    """`say("… {n} …", n=3)` in a language."""
    return partial(_say, language)


def _say(language: str, text: str, /, **facts: Any) -> str:
    told = translations(language).gettext(text)
    if told == text and language.startswith("es"):
        told = SPANISH.get(text, text)
    return told.format_map(facts) if facts else told
