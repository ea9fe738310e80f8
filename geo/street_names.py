"""Street names as people say and write them: one form for "Avda. Gral. San Martín" and "san martin av".

A name becomes words without accents, abbreviations written out and numbers in figures. No word is thrown away:
what says little ("avenida", "general", "de") weighs little, so that it tells two streets apart and hides none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

# The kinds of way, by every short form that people use for them.
KINDS: dict[str, str] = {
    short: kind
    for kind, shorts in {
        "avenida": "av avda aven avd avenidas",
        "bulevar": "bv bvar blvd boulevard bvd bulev blv blvr boulevar",
        "pasaje": "pje psje pas pasj psj pjes",
        "calle": "c cll cl calles",
        "diagonal": "diag dg",
        "camino": "cno cmno cam",
        "ruta": "rta rtas rutas",
        "autopista": "au aut autop autovia",
        "colectora": "col colec",
        "cortada": "cda cort cortd",
        "peatonal": "peat",
        "circunvalacion": "circ",
        "rua": "r",
        "travessa": "trav tv",
        "alameda": "al",
        "estrada": "estr est",
        "rodovia": "rod",
        "praca": "pca",
        "beco": "bc",
        "largo": "lgo",
        "acesso": "",
        "viaduto": "vd",
        "acceso": "acc",
        "puente": "",
        "plaza": "pza plza",
        "sendero": "",
        "strasse": "str",
        "rue": "",
        "chemin": "ch",
        "place": "",
        "carrer": "",
    }.items()
    for short in (kind, *shorts.split())
}

# What stands before a person's name, and is left out as often as not.
TITLES: dict[str, str] = {
    short: title
    for title, shorts in {
        "general": "gral gen grl",
        "brigadier": "brig bdier",
        "gobernador": "gdor gob gov governador gober",
        "doctor": "dr doutor",
        "doctora": "dra doutora",
        "coronel": "cnel cel cnl",
        "teniente": "tte ten tenente",
        "sargento": "sgto sarg sgt",
        "presidente": "pte pres pdte presid",
        "ingeniero": "ing eng engenheiro ingen",
        "profesor": "prof professor",
        "profesora": "profa professora",
        "almirante": "alte alm",
        "comandante": "cte cmte comte",
        "capitan": "cap cptn capitao",
        "comodoro": "com cmdro",
        "mayor": "myr major maj",
        "soldado": "sold",
        "cabo": "",
        "intendente": "int intte",
        "maestro": "mtro mestre",
        "monsenor": "mons monsenhor",
        "padre": "pe pbro presbitero pdre",
        "fray": "fr frei",
        "obispo": "bispo",
        "arquitecto": "arq arquiteto",
        "senador": "sen",
        "diputado": "dip deputado",
        "don": "dn dom",
        "dona": "dna",
        "virrey": "virr",
        "marechal": "mal mariscal mcal",
        "desembargador": "des",
        "vereador": "ver",
        "ministro": "min",
        "hermano": "hno irmao",
        "hermana": "hna",
        "marques": "mq",
        "barao": "",
        "baron": "",
        "visconde": "visc",
        "conde": "",
        "duque": "",
        "principe": "",
        "princesa": "",
    }.items()
    for short in (title, *shorts.split())
}

OTHERS: dict[str, str] = {
    short: word
    for word, shorts in {
        "santa": "sta",
        "santo": "sto",
        "san": "s sn sao",
        "nuestra": "ntra nra nossa nsa",
        "senora": "sra senhora",
        "senor": "sr senhor",
        "maria": "ma",
        "republica": "rep repca",
        "provincia": "pcia",
        "nacional": "nac",
        "provincial": "prov",
        "martires": "",
        "francisco": "fco fsco",
        "domingo": "dgo",
        "guillermo": "gmo",
        "fernandez": "fdez",
        "rodriguez": "rdguez",
        "gonzalez": "gzlez",
        "esquina": "esq",
        "estados": "ee",
        "unidos": "uu",
        "norte": "nte",
        "oeste": "oe",
        "edificio": "edif",
        "departamento": "dpto depto dto",
    }.items()
    for short in (word, *shorts.split())
}
OTHERS |= {"primer": "1", "primero": "1", "primera": "1", "primeiro": "1", "primeira": "1"}

LITTLE = frozenset(
    "de del la las los el lo da das do dos d y e en al a o no na di du des van von".split()  # noqa: SIM905
)

LETTER = "·"  # behind a letter that is the whole name of a street

# Short forms that mean one thing at the start of a name ("R. Mitre", "Pte. Roca") and another inside it.
ONLY_FIRST = frozenset("c r al est ch str tv bc vd col cam pas com int ver des ma".split())  # noqa: SIM905

UNITS = {
    word: number
    for number, words in enumerate(
        """cero zero|uno un una um uma|dos dois duas|tres|cuatro quatro|cinco|seis|siete sete|ocho oito|nueve nove
        |diez dez|once onze|doce doze|trece treze|catorce quatorze|quince quinze|dieciseis dezesseis
        |diecisiete dezessete|dieciocho dezoito|diecinueve dezenove|veinte vinte|veintiuno veintiun veintiuna
        |veintidos|veintitres|veinticuatro|veinticinco|veintiseis|veintisiete|veintiocho|veintinueve""".split("|")  # noqa: SIM905
    )
    for word in words.split()
}
TENS = {
    "veinte": 20,
    "vinte": 20,
    "treinta": 30,
    "trinta": 30,
    "cuarenta": 40,
    "quarenta": 40,
    "cincuenta": 50,
    "sesenta": 60,
    "setenta": 70,
    "ochenta": 80,
    "noventa": 90,
}
_FIGURES = "ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx xxi xxii xxiii"
ROMAN = {figure: str(number) for number, figure in enumerate(_FIGURES.split(), 2) if len(figure) > 1}

_ORDINAL = re.compile(r"^(\d{1,4})(?:ro|ra|er|do|da|to|ta|mo|ma|no|na|vo|va|o|a)$")
_APART = re.compile(r"[^\w]+|_+")


def fold(text: str) -> str:
    """Lower case, without accents; "1º" and "1°" are "1". An ñ is an n: half of the keyboards have none."""
    text = re.sub(r"(?<=\d)\s?[ºª°]", "", text)
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).lower()
    return "".join(symbol for symbol in plain if not unicodedata.combining(symbol))


def split(text: str) -> list[str]:
    """Folded words. "R.P. 21" is "rp 21", "RN9" is "rn 9", "O'Higgins" is "ohiggins"."""
    plain = re.sub(r"(?<=\w)['’´`](?=\w)", "", fold(text))
    plain = re.sub(r"\b(r|e|u)\.?\s?(p|n|e|u)\.", r"\1\2 ", plain)
    plain = re.sub(r"\b(rn|rp|ruta|km|br|rs)[\s-]*(?=\d)", r"\1 ", plain)
    return [word for word in _APART.split(plain) if word]


def words_of(name: str | Sequence[str]) -> tuple[str, ...]:
    """A name's words in the one form that all ways of writing it share."""
    given = split(name) if isinstance(name, str) else list(name)
    found: list[str] = []
    at = 0
    while at < len(given):
        number, took = _number(given, at)
        if took:
            found.append(number)
            at += took
            continue
        found.extend(_written_out(given[at], first=not found, alone=len(given) == 1))
        at += 1
    if len(found) > 1 and found[-1] in LITTLE and len(found[-1]) == 1 and found[-2] in KINDS:
        found[-1] += LETTER  # "Rua E" is not "Rua e"
    return tuple(found)


def _written_out(word: str, *, first: bool, alone: bool) -> list[str]:
    """One word without its abbreviation."""
    if word in {"rn", "rp"}:
        return ["ruta", "nacional" if word == "rn" else "provincial"]
    if alone or (word in ONLY_FIRST and not first):
        return [word]
    if word == "s" and not first:
        return [word]
    return [KINDS.get(word) or TITLES.get(word) or OTHERS.get(word) or word]


def _number(words: Sequence[str], at: int) -> tuple[str, int]:
    """The number that begins here, in figures, and how many words it takes; none where there is none."""
    word = words[at]
    if found := _ORDINAL.match(word):
        return found[1], 1
    if word.isascii() and word.isdigit():
        return word.lstrip("0") or "0", 1
    return (ROMAN[word], 1) if word in ROMAN and at > 0 else _number_in_words(words, at)


def _number_in_words(words: Sequence[str], at: int) -> tuple[str, int]:
    word = words[at]
    if word in TENS:
        joined = at + 2 < len(words) and words[at + 1] in {"y", "e"} and 1 <= UNITS.get(words[at + 2], 0) <= 9
        return (str(TENS[word] + UNITS[words[at + 2]]), 3) if joined else (str(TENS[word]), 1)
    # An article as often as a number: "Una Nueva Esperanza", "Rua dos Andradas", but "2 de Mayo".
    if word in {"un", "una", "uma", "um", "dos"} and words[at + 1 : at + 2] != ["de"]:
        return "", 0
    if word in UNITS:
        return str(UNITS[word]), 1
    return "", 0


def weight_of(word: str) -> float:
    """How much a word says about which street is meant, before how rare it is in the city is known (0..1)."""
    if word in LITTLE:
        return 0.03
    if word in KINDS:
        return 0.12
    if word in TITLES:
        return 0.15
    return 1.0


def sound_of(word: str) -> str:
    """The word as it is heard: b and v, s, c and z, ll and y, silent h are one to who writes by ear."""
    heard = word.replace("ch", "x").replace("ll", "y").replace("qu", "k").replace("gue", "ge").replace("gui", "gi")
    heard = re.sub(r"c(?=[ei])", "s", heard).replace("c", "k").replace("z", "s").replace("v", "b").replace("h", "")
    heard = re.sub(r"g(?=[ei])", "j", heard).replace("w", "b").replace("ss", "s").replace("ph", "f")
    return re.sub(r"(.)\1+", r"\1", heard)
