"""What happens in the demo city, and how neighbours tell it. `{place}` is where they say it is.

From its words alone the simulated desk knows a story again (`told_of`), also after a restart; what a person types
is none of these, and is left to people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Story:
    """One sort of event. `weight` is how often it comes by day, `night` how much more (or less) often by night."""

    code: str
    weight: float
    told: tuple[str, ...]
    night: float = 1.0
    echo: float = 0.05  # how likely somebody else calls about the same
    minutes: Span = (6, 15)  # a crew's work on scene
    endings: tuple[str, ...] = ("resolved", "resolved", "resolved", "unfounded")
    found: tuple[str, ...] = ()  # what a crew says when it has looked around
    transport: float = 0.0  # how likely an ambulance takes somebody away


STORIES: tuple[Story, ...] = (
    Story(
        "SIN-01",
        7,
        (
            "Chocaron dos autos en {place}, hay una señora golpeada que no puede bajar.",
            "Un choque fuerte en {place}. Una moto quedó tirada y el chico se queja de la pierna.",
            "Accidente en {place}, hay heridos. Manden una ambulancia por favor.",
            "Se dieron vuelta en {place}, hay una persona adentro del auto.",
            "En {place} un auto se llevó puesta una moto, el motociclista sangra de la cabeza.",
        ),
        night=1.2,
        echo=0.6,
        minutes=(10, 22),
        found=(
            "Dos vehículos, un lesionado consciente. Calzada cortada media mano.",
            "Motociclista con golpe en pierna, consciente y orientado. Se espera ambulancia.",
            "Sin atrapados. Un lesionado leve.",
        ),
        transport=0.7,
    ),
    Story(
        "SIN-02",
        9,
        (
            "Choque sin heridos en {place}, los autos quedaron en el medio y no se puede pasar.",
            "Se tocaron dos coches en {place}, están discutiendo y cortan el tránsito.",
            "En {place} chocaron un utilitario y un auto, nadie lastimado pero está todo trabado.",
            "Un colectivo rozó un auto estacionado en {place}.",
        ),
        night=0.5,
        echo=0.3,
        endings=("resolved", "resolved", "citation"),
        found=("Daños materiales. Se ordena el tránsito.", "Partes intercambian datos, calzada liberada."),
    ),
    Story(
        "SIN-03",
        3,
        (
            "Atropellaron a un señor en {place} y el auto se fue.",
            "Una chica atropellada en la senda peatonal de {place}, está consciente.",
            "Un auto gris atropelló a un ciclista en {place} y escapó.",
        ),
        echo=0.55,
        minutes=(10, 20),
        found=("Peatón con escoriaciones, consciente.", "Ciclista con traumatismo. Testigos aportan patente parcial."),
        transport=0.8,
    ),
    Story(
        "SIN-04",
        5,
        (
            "El semáforo de {place} no anda, es un peligro para cruzar.",
            "Hay una tapa de alcantarilla abierta en {place}, casi se mete un auto.",
            "Semáforo en intermitente en {place} desde temprano.",
            "Quedó un contenedor en el medio de la calle en {place}.",
        ),
        night=0.6,
        echo=0.25,
        found=("Se señaliza y se avisa a mantenimiento.", "Semáforo reiniciado, funciona."),
    ),
    Story(
        "INC-01",
        2,
        (
            "Se está prendiendo fuego una casa en {place}, sale humo negro por el techo.",
            "Incendio en una vivienda en {place}, hay chicos en la cuadra.",
            "Fuego en el fondo de una casa, {place}. Se escuchan explosiones chiquitas.",
        ),
        night=1.4,
        echo=0.8,
        minutes=(18, 40),
        endings=("resolved",),
        found=(
            "Fuego en una habitación, familia afuera. Sin lesionados.",
            "Foco en la cocina. Se cortó gas y luz. Bomberos trabajando.",
        ),
        transport=0.2,
    ),
    Story(
        "INC-02",
        2,
        (
            "Un auto prendido fuego en {place}.",
            "Se incendia una camioneta estacionada en {place}, está al lado de un árbol.",
            "Sale fuego del motor de un coche en {place}, el dueño está con un matafuego.",
        ),
        night=1.3,
        echo=0.5,
        minutes=(10, 20),
        endings=("resolved",),
        found=("Vehículo con daños totales, sin personas.", "Foco extinguido con matafuego. Se enfría."),
    ),
    Story(
        "INC-03",
        4,
        (
            "Quema de pastizal cerca de {place}, el humo se mete en las casas.",
            "Están quemando basura en el baldío de {place}.",
            "Fuego en los yuyos de {place}, con este viento va para las casas.",
        ),
        echo=0.4,
        minutes=(12, 25),
        found=("Quema de unos 200 metros cuadrados, sin riesgo para viviendas.", "Foco sofocado, se remoja."),
    ),
    Story(
        "INC-04",
        2,
        (
            "Hay mucho olor a gas en {place}, toda la cuadra lo siente.",
            "Una máquina rompió un caño y sale gas con ruido en {place}.",
        ),
        echo=0.5,
        minutes=(15, 30),
        found=("Pérdida en caño exterior. Perímetro de 50 metros.", "Mediciones en cero. Ventilado."),
    ),
    Story(
        "MET-01",
        5,
        (
            "Se cayó un árbol en {place}, tapa toda la calle.",
            "Una rama enorme quedó colgando sobre la vereda en {place}.",
            "Un poste de madera está por caerse en {place}, lo sostiene el cable.",
        ),
        echo=0.35,
        minutes=(15, 30),
        found=("Ejemplar de unos 8 metros sobre calzada. Se trocea.", "Rama retirada, vereda liberada."),
    ),
    Story(
        "MET-02",
        2,
        (
            "Cables tirados en {place}, tiran chispas.",
            "Un camión enganchó un cable en {place} y quedó a la altura de la cabeza.",
        ),
        echo=0.4,
        minutes=(12, 25),
        found=("Cable de telefonía, sin tensión. Se ata.", "Línea con tensión. Perímetro hasta que llegue la empresa."),
    ),
    Story(
        "MET-03",
        2,
        (
            "Está inundada la calle en {place}, el agua llega al cordón.",
            "Se tapó la boca de tormenta de {place} y los autos se quedan.",
        ),
        echo=0.3,
        found=("Boca de tormenta con residuos, se limpia.", "Agua bajando."),
    ),
    Story(
        "SAN-01",
        8,
        (
            "Hay un hombre desmayado en la vereda de {place}.",
            "Una señora mayor se cayó en {place}, no se puede levantar y le duele la cadera.",
            "Un muchacho está convulsionando en {place}, vengan rápido.",
            "A un señor le duele el pecho y está transpirado, estamos en {place}.",
        ),
        echo=0.2,
        minutes=(8, 18),
        endings=("resolved", "transported", "transported"),
        found=("Paciente consciente, signos estables.", "Caída de propia altura. Se inmoviliza.", "Episodio cedido."),
        transport=0.6,
    ),
    Story(
        "SAN-02",
        5,
        (
            "Mi papá no se despierta, respira raro. Estamos en {place}.",
            "La vecina del fondo no contesta y está en el piso, {place}.",
            "Mi mamá es diabética y no reacciona. {place}, casa de rejas verdes.",
        ),
        minutes=(10, 20),
        endings=("transported", "transported", "resolved"),
        found=("Hipoglucemia, responde a glucosa.", "Paciente inconsciente, vía aérea permeable. Se prepara traslado."),
        transport=0.75,
    ),
    Story(
        "SAN-03",
        1.5,
        (
            "Mi hermano está muy alterado, habla solo y rompe cosas. Tengo miedo. {place}.",
            "Hay un chico llorando en {place}, dice que escucha voces y no deja que nadie se acerque.",
        ),
        minutes=(15, 30),
        endings=("transported", "mediated"),
        found=("Se establece diálogo, ambiente tranquilo.",),
        transport=0.5,
    ),
    Story(
        "SEG-01",
        3,
        (
            "Están robando en el kiosco de {place}, son dos con casco.",
            "Le están robando a una pareja en {place}, uno tiene un arma.",
        ),
        night=1.6,
        echo=0.3,
        found=("Los autores ya se habían ido. Se pasa descripción.", "Víctima sin lesiones. Se preserva el lugar."),
    ),
    Story(
        "SEG-03",
        5,
        (
            "Me arrebataron el celular en {place}, se fue en moto para el lado del centro.",
            "Le sacaron la cartera a una señora en {place} y salieron corriendo.",
            "Me abrieron el auto en {place} y se llevaron la mochila.",
        ),
        found=(
            "Se toma descripción y se recorre la zona.",
            "Sin resultado en el recorrido. Se orienta para la denuncia.",
        ),
        endings=("resolved", "referred", "unfounded"),
    ),
    Story(
        "SEG-04",
        4,
        (
            "Se están peleando como diez en {place}, con botellas.",
            "Hay una pelea a la salida del boliche en {place}.",
            "Dos tipos a las piñas en {place}, hay uno en el piso.",
        ),
        night=2.5,
        echo=0.45,
        found=("Al llegar se dispersan. Sin lesionados.", "Se separa a las partes."),
        endings=("resolved", "unfounded", "mediated"),
    ),
    Story(
        "SEG-05",
        6,
        (
            "Hay un auto blanco dando vueltas despacio en {place} hace media hora.",
            "Dos personas están mirando adentro de las casas en {place}.",
            "Alguien saltó el paredón de la obra en {place}.",
        ),
        night=1.7,
        found=("Se identifica, sin novedad.", "Se recorre, no se observa a nadie."),
        endings=("unfounded", "resolved", "resolved"),
    ),
    Story(
        "SEG-06",
        2.5,
        (
            "Se activó la alarma comunitaria de {place}.",
            "Botón de pánico activado en un comercio de {place}.",
        ),
        night=1.3,
        found=("Activación accidental.", "Comerciante asustado por una persona merodeando. Ya se retiró."),
        endings=("false_alarm", "resolved"),
    ),
    Story(
        "SEG-07",
        2,
        (
            "Escucho gritos de una mujer al lado, {place}. No es la primera vez. No digan que llamé yo.",
            "Mi ex está en la puerta y tiene prohibido acercarse. {place}.",
        ),
        night=1.6,
        minutes=(12, 25),
        found=("Mujer asistida, agresor no está en el lugar.",),
    ),
    Story(
        "SEG-09",
        3,
        (
            "Están rompiendo los juegos de la plaza en {place}.",
            "Unos chicos pintan el monumento de {place}.",
            "Rompieron la parada de colectivo de {place} a piedrazos.",
        ),
        night=1.5,
        found=("Daños en mobiliario, se fotografía.", "Se retiran al ver el móvil."),
    ),
    Story(
        "CON-01",
        7,
        (
            "La música de al lado no deja dormir a nadie, {place}.",
            "Hay un festejo con parlantes en la calle en {place} desde hace horas.",
            "Un taller martilla y suelda a esta hora en {place}.",
        ),
        night=2.5,
        echo=0.3,
        minutes=(5, 10),
        found=("Se solicita bajar el volumen, acceden.", "Se labra acta."),
        endings=("resolved", "citation", "mediated"),
    ),
    Story(
        "CON-02",
        3,
        (
            "Mi vecino me amenaza por la medianera, {place}. Quiero que venga alguien.",
            "Discusión entre vecinos por un perro en {place}, se está poniendo fea.",
        ),
        found=("Se escucha a las partes, se ofrece mediación.",),
        endings=("mediated", "mediated", "no_action"),
    ),
    Story(
        "CON-03",
        2.5,
        (
            "Ocuparon toda la vereda con puestos en {place}, hay que bajar a la calle.",
            "Estacionan en la rampa de discapacitados de {place} todos los días.",
        ),
        night=0.2,
        found=("Se notifica y retiran.", "Se labra acta y se pide grúa."),
        endings=("citation", "resolved"),
    ),
    Story(
        "CON-04",
        1.5,
        (
            "Fiesta clandestina en un galpón de {place}, hay menores tomando.",
            "Un bar sin habilitación está lleno en {place}, con la puerta de atrás cerrada.",
        ),
        night=3,
        minutes=(12, 25),
        found=("Unas 60 personas. Se pide apoyo para el desalojo.",),
        endings=("citation", "resolved"),
    ),
    Story(
        "CON-05",
        3,
        (
            "Están corriendo picadas en {place}, son como veinte motos.",
            "Motos haciendo cortes y willy en {place}, pasan en rojo.",
        ),
        night=3,
        echo=0.4,
        found=("Se retienen dos motos.", "Se dispersan al llegar los móviles."),
        endings=("citation", "resolved", "unfounded"),
    ),
    Story(
        "SOC-01",
        4,
        (
            "Hay una persona durmiendo en la vereda con este frío en {place}.",
            "Una familia con chicos está en situación de calle en {place}.",
            "Un señor mayor desorientado en {place}, no sabe volver a la casa.",
        ),
        night=1.3,
        minutes=(10, 20),
        found=("Se ofrece refugio, acepta.", "Se contacta a la familia."),
        endings=("resolved", "referred"),
    ),
    Story(
        "ANI-01",
        4,
        (
            "Un perro grande suelto en {place} ya mordió a un nene.",
            "Hay un caballo suelto en {place}, en medio de los autos.",
            "Perro atropellado que todavía vive, en {place}.",
        ),
        found=("Animal resguardado.", "Mordedura leve, se indica control.", "Se ubica al dueño."),
    ),
)

# Told by nobody in need: dismissed with this reason.
NOTHING: dict[str, tuple[str, ...]] = {
    "hoax": (
        "Jaja, mandame dos pizzas a {place}.",
        "Hay un dinosaurio en {place}, traigan la jaula.",
        "Se escuchan risas de chicos y cortan. Dicen {place}.",
    ),
    "silent": (
        "(Llamada muda. Se escucha respiración y corta.)",
        "(Llamada muda. Ruido de bolsillo.)",
    ),
    "not_emergency": (
        "Hace dos semanas que no anda la luz de la esquina de {place}.",
        "Quiero saber cuándo pasa la recolección por {place}.",
        "El bache de {place} está cada vez más grande.",
    ),
}

Told = tuple[str, str]  # ("story", type code) or ("nothing", reason of dismissal)


@cache
def _patterns() -> list[tuple[re.Pattern[str], Told]]:
    told = [(words, ("story", story.code)) for story in STORIES for words in story.told]
    told += [(words, ("nothing", reason)) for reason, all_words in NOTHING.items() for words in all_words]
    return [(re.compile(re.escape(words).replace(r"\{place\}", "(.+)")), what) for words, what in told]


def told_of(words: str) -> Told | None:
    """What a report tells of, when it is one of ours; None when a person wrote it."""
    return next((what for pattern, what in _patterns() if pattern.fullmatch(words)), None)


@cache
def by_code() -> dict[str, Story]:
    """The stories by incident type."""
    return {story.code: story for story in STORIES}
