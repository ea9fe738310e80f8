"""Names for a demo city: barrios after the streets that run through them, people, and passwords one can read out."""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Sequence

import shapely

from geo.streets import Street, length_of, tidy_name
from web.demo.coquimbo import CensusZone

# Roads that only pass through, and names that are half a name, make no barrio.
PASSING_THROUGH = re.compile(
    r"^(ruta|camino|autopista|variante|enlace|acceso|caletera|lateral|callejón|salida|vuelta|complejo|cinco|nueva)\b",
    re.IGNORECASE,
)
RURAL = "Zona rural"  # a zone without a named street
PREFIX = re.compile(r"^(avenida|av\.?|calle|pasaje|pje\.?|psje\.?|boulevard|diagonal|circunvalación)\s+", re.IGNORECASE)


SIMULATED = "simulado"  # in every simulated person's name: nobody should take one for a colleague


def barrio_names(zones: Sequence[CensusZone], streets: Sequence[Street]) -> list[str]:
    """A name for each zone: its longest street that names no other zone yet."""
    tree = shapely.STRtree([zone.shape for zone in zones])
    middles = [street.shape.interpolate(0.5, normalized=True) for street in streets]
    lengths: list[Counter[str]] = [Counter() for _ in zones]
    for street, zone in tree.query(middles, predicate="within").T:
        name = tidy_name(streets[street].name)
        if name and not PASSING_THROUGH.match(name):
            bare = PREFIX.sub("", name)
            bare = name if bare[0].islower() else bare  # Avenida del Mar stays whole
            lengths[zone][bare] += round(length_of(streets[street].shape))
    names = [""] * len(zones)
    taken: set[str] = set()
    # The zone with the most streets chooses first: it is the one most people know.
    for zone in sorted(range(len(zones)), key=lambda zone: (-lengths[zone].total(), zone)):
        free = [name for name, _ in lengths[zone].most_common() if name not in taken]
        names[zone] = free[0] if free else f"{RURAL} {zones[zone].number}"
        taken.add(names[zone])
    return names


def _words(text: str) -> list[str]:
    return text.split()


FIRST_NAMES = _words(
    """
    Marta Laura Carlos Sofía Diego Natalia Hugo Carina Pablo Silvia Ramiro Julieta Gustavo Andrea Martín
    Verónica Fernando Graciela Leandro Mónica Ezequiel Paola Nicolás Rosa Damián Estela Matías Lorena
    Cristian Norma Iván Claudia Facundo Mirta Joaquín Gabriela Tomás Susana Lucas Elena Rubén Camila Ariel
    Florencia
    """
)
LAST_NAMES = _words(
    """
    Gómez Benítez Ferreyra Acosta Medina Ojeda Sánchez Romero Cabrera Molina Ríos Peralta Godoy Ledesma Vega
    Ibarra Luna Barrios Correa Villalba Maidana Quiroga Cáceres Duarte Paz Toledo Bustos Arce Figueroa
    Monzón Soria Ponce Escobar Leiva Ramallo Coria Basualdo Zárate Funes Olivera
    """
)

PASSWORD_WORDS = _words(
    """
    faro puente mate lluvia ceibo barco cerro piedra trigo viento farol plaza molino huerta garza tango
    campo nube tren patio pan arena bosque canto colina cobre duna estrella fogata gaviota harina isla kilo
    laguna lienzo luna madera manzana mar menta mimbre monte naranja nido norte oliva orilla palma pampa
    papel parra pino playa pluma pomelo prado primavera quena rama reloj remo roca rosa ruta sal sauce
    sendero sol sur talar tierra tinta torre trueno uva valle vela verano verde yerba zorzal abrigo agua
    aldea almendra amapola ancla arroyo avena azul bandera barro brisa cabra calandria camino canoa carreta
    cebada cielo cometa coral cuarzo durazno espiga establo flauta girasol bote cancha carta cauce clavel
    cuerda espejo farola fresno gorrion huella lince llave mapa marea museo nogal palta pinar rienda saco
    surco tambor tigre vagon velero violeta
    """
)


def readable_password() -> str:
    """Three words without accents and a number, about 30 bits: enough behind a rate limit, easy to read out."""
    return "-".join([*(secrets.choice(PASSWORD_WORDS) for _ in range(3)), str(secrets.randbelow(900) + 100)])
