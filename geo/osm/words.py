"""What OpenStreetMap's tags mean here: classes, access, speeds and names of streets; kinds of the base map."""

from __future__ import annotations

import re
from collections.abc import Mapping

from geo.encodings import mended, visible
from geo.streets import Access, StreetKind, Structure

Tags = Mapping[str, str]

# --- streets --------------------------------------------------------------------------------------------

_KINDS = {kind.value: kind for kind in StreetKind if kind is not StreetKind.FOOTWAY} | {
    "road": StreetKind.UNCLASSIFIED,
    "busway": StreetKind.SERVICE,
    "pedestrian": StreetKind.FOOTWAY,
}
_PATHS = frozenset({"footway", "path", "cycleway"})
_DRIVEN = frozenset({"yes", "designated", "permissive", "official", "destination", "private"})
_SIDE_OF_A_STREET = frozenset({"sidewalk", "crossing", "traffic_island", "access_aisle", "link"})


def street_kind(tags: Tags) -> StreetKind | None:
    """The class of a way on which vehicles may have business; None for everything else.

    A pedestrian street is kept, as an ambulance enters it. Of footpaths only those are that carry a name or that
    vehicles are let onto: sidewalks would stand beside every street and take its addresses.
    """
    highway = tags.get("highway", "")
    if tags.get("area") == "yes" or tags.get("indoor") == "yes":
        return None
    if highway in _PATHS:
        driven = any(tags.get(key) in _DRIVEN for key in ("motor_vehicle", "motorcar", "emergency"))
        side = tags.get("footway") in _SIDE_OF_A_STREET or tags.get("path") in _SIDE_OF_A_STREET
        return StreetKind.FOOTWAY if driven or ("name" in tags and not side) else None
    return _KINDS.get(highway.removesuffix("_link"))


_EVERYBODY = frozenset({"yes", "permissive", "designated", "official", "public"})
_SOME = frozenset({"destination", "delivery", "customers", "permit", "residents"})
_OWNERS = frozenset({"private", "agricultural", "forestry", "military", "employees"})
_SAID = ((_EVERYBODY, Access.ALL), (_SOME, Access.DESTINATION), (_OWNERS, Access.PRIVATE))
_SERVICES = {
    "driveway": Access.DESTINATION,
    "parking_aisle": Access.DESTINATION,
    "drive-through": Access.DESTINATION,
    "emergency_access": Access.EMERGENCY,
}


def street_access(tags: Tags, kind: StreetKind) -> Access:
    """Who may drive there. The narrowest tag counts: `motorcar` before `motor_vehicle`, `vehicle` and `access`."""
    keys = ("motorcar", "motor_vehicle", "vehicle", "access")
    key = next((one for one in keys if tags.get(one)), None)
    word = tags[key] if key else ""
    if kind is StreetKind.FOOTWAY and key == "access":  # it speaks of those on foot
        word = "" if word in _EVERYBODY else word
    if word == "no":
        return _in_spite_of_no(tags) or (Access.PRIVATE if key == "access" else Access.FOOT)
    if access := next((access for words, access in _SAID if word in words), None):
        return access
    if kind is StreetKind.FOOTWAY:
        return Access.EMERGENCY if tags.get("emergency") in _EVERYBODY else Access.FOOT
    return Access.BUS if tags.get("highway") == "busway" else _SERVICES.get(tags.get("service", ""), Access.ALL)


def _in_spite_of_no(tags: Tags) -> Access | None:
    if tags.get("bus") in _EVERYBODY or tags.get("psv") in _EVERYBODY:
        return Access.BUS
    return Access.EMERGENCY if tags.get("emergency") in _EVERYBODY else None


def street_direction(tags: Tags) -> int:
    """1 along the way only, -1 against it only, 0 both. What is said of motor vehicles counts before the rest."""
    keys = ("oneway:motorcar", "oneway:motor_vehicle", "oneway:vehicle", "oneway")
    word = next((tags[key] for key in keys if key in tags), "").lower()
    if word in {"yes", "true", "1"}:
        return 1
    if word in {"-1", "reverse"}:
        return -1
    if word in {"no", "false", "0", "reversible", "alternating"}:
        return 0
    implied = tags.get("junction") in {"roundabout", "circular"} or tags.get("highway") == "motorway"
    return 1 if implied else 0


def street_structure(tags: Tags) -> str | None:
    """Bridge, tunnel, or neither."""
    if tags.get("bridge", "no") != "no":
        return Structure.BRIDGE
    return Structure.TUNNEL if tags.get("tunnel", "no") != "no" else None


_SPEED = re.compile(r"(\d{1,3})(?:[.,]\d+)?\s*(km/?h|kmh|kph|mph|knots)?")
_UNITS = {"mph": 1.609344, "knots": 1.852}
_ZONES = {  # km/h where a sign names a zone instead of a number; Argentina's law 24.449, then the usual elsewhere
    "AR:urban": 40.0,
    "AR:rural": 110.0,
    "AR:trunk": 120.0,
    "AR:motorway": 130.0,
}
_USUAL_ZONES = {"urban": 50.0, "rural": 90.0, "trunk": 100.0, "motorway": 120.0, "living_street": 20.0}
UNLIMITED, WALK = 130.0, 6.0
SLOWEST, FASTEST = 5.0, 150.0


def parse_speed(word: str) -> float | None:
    """km/h of a `maxspeed`; of several the lowest; None when it says nothing that can be understood."""
    found = [speed for part in re.split(r"[;,|]", word) if (speed := _one_speed(part.strip())) is not None]
    return min(found, default=None)


def _one_speed(word: str) -> float | None:
    if word == "none":
        return UNLIMITED
    if word == "walk":
        return WALK
    if number := _SPEED.fullmatch(word):
        speed = int(number[1]) * _UNITS.get(number[2] or "", 1.0)
        return round(speed, 1) if SLOWEST <= speed <= FASTEST else None
    if zone := re.fullmatch(r"(?:[A-Z]{2}:)?zone:?(\d{1,3})", word):
        return float(zone[1]) if SLOWEST <= float(zone[1]) <= FASTEST else None
    if zone := re.fullmatch(r"([A-Z]{2}):(\w+)(?::\w+)?", word):
        return _ZONES.get(f"{zone[1]}:{zone[2]}") or _USUAL_ZONES.get(zone[2])
    return None


def street_speed(tags: Tags) -> tuple[float | None, str | None]:
    """km/h as signed, and the sign's words where they could not be understood."""
    keys = ("maxspeed", "maxspeed:forward", "maxspeed:backward")
    words = [tags[key] for key in keys[:1] if key in tags] or [tags[key] for key in keys[1:] if key in tags]
    speeds = [speed for word in words if (speed := parse_speed(word)) is not None]
    if speeds:
        return min(speeds), None
    if zone := next((tags[key] for key in ("maxspeed:type", "zone:maxspeed", "source:maxspeed") if key in tags), None):
        return _one_speed(zone), None
    return None, words[0] if words else None


# --- barriers -------------------------------------------------------------------------------------------

_SHUT = {
    "block": Access.FOOT,
    "bollard": Access.FOOT,
    "bus_trap": Access.BUS,
    "chain": Access.PRIVATE,
    "cycle_barrier": Access.FOOT,
    "debris": Access.FOOT,
    "full-height_turnstile": Access.FOOT,
    "jersey_barrier": Access.FOOT,
    "kissing_gate": Access.FOOT,
    "log": Access.FOOT,
    "motorcycle_barrier": Access.FOOT,
    "planter": Access.FOOT,
    "stile": Access.FOOT,
    "sump_buster": Access.BUS,
    "swing_gate": Access.PRIVATE,
    "turnstile": Access.FOOT,
}


def barrier_access(tags: Tags) -> Access | None:
    """Who passes a barrier on a street; None where anybody does, as at a toll or an open gate."""
    kind = tags.get("barrier")
    if kind is None:
        return None
    if any(tags.get(key) for key in ("motorcar", "motor_vehicle", "vehicle", "access")):
        access = street_access(tags, StreetKind.SERVICE)
        return None if access in {Access.ALL, Access.DESTINATION} else access
    shut = _SHUT.get(kind)
    if shut is None and tags.get("locked") == "yes":
        shut = Access.PRIVATE
    return Access.EMERGENCY if shut and tags.get("emergency") in _EVERYBODY else shut


# --- names ----------------------------------------------------------------------------------------------

_ALTERNATIVES = ("alt_name", "old_name", "official_name", "short_name", "loc_name", "name:es")


def name_of(tags: Tags) -> str | None:
    """The name people use, without stray spaces."""
    name = tags.get("name") or tags.get("name:es") or tags.get("official_name") or ""
    return mended(" ".join(visible(name).split())) or None


def other_names(tags: Tags, *, ref: bool = False) -> tuple[str, ...]:
    """Old, short, official and Spanish names, each once; with `ref` the numbers of routes too."""
    keys = (*_ALTERNATIVES, "ref", "int_ref") if ref else _ALTERNATIVES
    found = [mended(" ".join(visible(part).split())) for key in keys for part in tags.get(key, "").split(";")]
    name = name_of(tags)
    return tuple(dict.fromkeys(one for one in found if one and one != name))


# --- the base map: words of the Protomaps schema --------------------------------------------------------

_LANDUSE = {
    "landuse": {
        "allotments": "allotments",
        "brownfield": "brownfield",
        "cemetery": "cemetery",
        "commercial": "commercial",
        "farmland": "farmland",
        "farmyard": "farmyard",
        "forest": "forest",
        "grass": "grass",
        "industrial": "industrial",
        "meadow": "meadow",
        "military": "military",
        "orchard": "orchard",
        "railway": "railway",
        "recreation_ground": "recreation_ground",
        "residential": "residential",
        "retail": "commercial",
        "village_green": "village_green",
        "vineyard": "farmland",
    },
    "leisure": {
        "dog_park": "dog_park",
        "garden": "garden",
        "golf_course": "golf_course",
        "nature_reserve": "nature_reserve",
        "park": "park",
        "pitch": "pitch",
        "playground": "playground",
        "recreation_ground": "recreation_ground",
        "sports_centre": "recreation_ground",
        "stadium": "stadium",
        "common": "village_green",
    },
    "natural": {
        "beach": "beach",
        "bare_rock": "bare_rock",
        "glacier": "glacier",
        "grassland": "grassland",
        "heath": "scrub",
        "sand": "sand",
        "scree": "bare_rock",
        "scrub": "scrub",
        "wetland": "wetland",
        "wood": "wood",
    },
    "amenity": {
        "college": "college",
        "hospital": "hospital",
        "clinic": "hospital",
        "kindergarten": "kindergarten",
        "school": "school",
        "university": "university",
        "grave_yard": "cemetery",
    },
    "aeroway": {"aerodrome": "aerodrome", "runway": "runway", "taxiway": "taxiway", "apron": "other"},
    "boundary": {"national_park": "national_park", "protected_area": "protected_area"},
    "tourism": {"zoo": "zoo", "camp_site": "camp_site", "attraction": "attraction"},
    "railway": {"platform": "platform"},
    "public_transport": {"platform": "platform"},
    "man_made": {"pier": "pier", "bridge": "pedestrian"},
    "place": {"square": "pedestrian"},
    "highway": {"pedestrian": "pedestrian", "footway": "pedestrian", "platform": "platform"},
}
_WATER = {
    "natural": {"water", "bay"},
    "waterway": {"riverbank", "dock", "canal", "river", "stream", "ditch", "drain"},
    "landuse": {"reservoir", "basin"},
    "leisure": {"swimming_pool"},
    "amenity": {"fountain"},
}
WATERWAYS = frozenset({"river", "stream", "canal", "ditch", "drain"})


_RAILS = frozenset({"rail", "light_rail", "tram", "narrow_gauge", "subway", "funicular"})
_WALKED = _PATHS | {"steps", "bridleway"}


def drawn_road(tags: Tags) -> tuple[str, str] | None:
    """Kind and detail of a line that is no street but drawn like one: rails, footpaths, runways, piers."""
    if tags.get("railway") in _RAILS and tags.get("tunnel", "no") == "no":
        return "rail", tags["railway"]
    if tags.get("aeroway") in {"runway", "taxiway"}:
        return "aeroway", tags["aeroway"]
    if tags.get("man_made") == "pier":
        return "other", "pier"
    side = tags.get("footway") in _SIDE_OF_A_STREET or tags.get("path") in _SIDE_OF_A_STREET
    if tags.get("highway") in _WALKED and not side and tags.get("area") != "yes" and tags.get("indoor") != "yes":
        return "path", tags["highway"]
    return None


def landuse_kind(tags: Tags) -> str | None:
    """Parks, woods, schools' grounds and what else is drawn flat."""
    return next((words[tags[key]] for key, words in _LANDUSE.items() if tags.get(key) in words), None)


def water_kind(tags: Tags) -> tuple[str, str | None] | None:
    """The kind and detail of an area of water."""
    key = next((key for key, words in _WATER.items() if tags.get(key) in words), None)
    if key is None:
        return None
    word = tags[key]
    if word in {"swimming_pool", "fountain", "bay"}:
        return ("water" if word == "bay" else word), word
    return "water", tags.get("water") or (None if word == "water" else word)


def building_height(tags: Tags) -> int | None:
    """Metres, from the height or from the floors; None when neither is known."""
    if number := re.match(r"\s*(\d{1,3})(?:[.,]\d+)?\s*m?\s*$", tags.get("height", "")):
        return int(number[1]) or None
    if number := re.match(r"\s*(\d{1,3})(?:[.,]\d+)?\s*$", tags.get("building:levels", "")):
        return int(number[1]) * 3 or None
    return None


PLACES = {
    "city": "locality",
    "town": "locality",
    "village": "locality",
    "hamlet": "locality",
    "locality": "locality",
    "isolated_dwelling": "locality",
    "borough": "macrohood",
    "quarter": "macrohood",
    "suburb": "neighbourhood",
    "neighbourhood": "neighbourhood",
    "city_block": "neighbourhood",
    "island": "island",
}
BOUNDARIES = {"2": "country", "4": "region", "6": "county", "8": "locality"}


def population_of(tags: Tags) -> int | None:
    """People, as far as a number can be read."""
    digits = re.sub(r"[.,\s]", "", tags.get("population", ""))
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


# --- landmarks ------------------------------------------------------------------------------------------

_LANDMARKS = {
    "amenity": {
        "bank",
        "bus_station",
        "cinema",
        "clinic",
        "college",
        "community_centre",
        "courthouse",
        "doctors",
        "ferry_terminal",
        "fire_station",
        "fuel",
        "grave_yard",
        "hospital",
        "kindergarten",
        "library",
        "marketplace",
        "nursing_home",
        "pharmacy",
        "place_of_worship",
        "police",
        "post_office",
        "prison",
        "school",
        "shelter",
        "social_facility",
        "theatre",
        "townhall",
        "university",
    },
    "emergency": {"ambulance_station"},
    "healthcare": {"hospital", "clinic", "centre"},
    "landuse": {"cemetery"},
    "leisure": {"park", "stadium", "sports_centre", "garden", "nature_reserve", "marina"},
    "tourism": {"attraction", "hotel", "hostel", "museum", "viewpoint", "zoo", "theme_park", "gallery", "camp_site"},
    "historic": {"monument", "memorial", "castle"},
    "shop": {"mall", "supermarket", "department_store"},
    "aeroway": {"aerodrome", "terminal", "helipad"},
    "railway": {"station", "halt", "tram_stop"},
    "public_transport": {"station"},
    "place": {"square"},
    "man_made": {"bridge", "lighthouse", "tower", "water_works"},
    "office": {"government"},
}
_RENAMED = {
    "grave_yard": "cemetery",
    "halt": "station",
    "centre": "clinic",
    "memorial": "monument",
    "department_store": "mall",
}


def landmark_kind(tags: Tags) -> str | None:
    """What people name instead of an address: the kind, or None."""
    for key, words in _LANDMARKS.items():
        word = tags.get(key)
        if word in words:
            return _RENAMED.get(word, word)
    return None


# --- doors ----------------------------------------------------------------------------------------------

Door = tuple[int, str | None]
_DOOR = re.compile(r"(\d{1,6})\s*[-/ ]?\s*([A-Za-z]|bis|ter|quater|int\.?)?", re.IGNORECASE)
_RANGE = re.compile(r"(\d{1,6})\s*[-–]\s*(\d{1,6})")
LONGEST_RANGE = 60  # numbers; what claims more is two numbers far apart


def doors_of(word: str) -> list[Door]:
    """The numbers that one `addr:housenumber` names, with their suffixes; none when it holds no number."""
    found: list[Door] = []
    for part in re.split(r"[;,]", word):
        text = " ".join(part.split())
        if span := _RANGE.fullmatch(text):
            found += _range(int(span[1]), int(span[2]))
        elif number := _DOOR.fullmatch(text):
            suffix = (number[2] or "").lower().rstrip(".")
            found.append((int(number[1]), (suffix if len(suffix) > 1 else suffix.upper()) or None))
    return list(dict.fromkeys(found))


def _range(first: int, last: int) -> list[Door]:
    step = 2 if (last - first) % 2 == 0 else 1
    if first < last and (last - first) // step < LONGEST_RANGE:
        return [(number, None) for number in range(first, last + 1, step)]
    return [(first, None), (last, None)]


def bridge_name(tags: Tags) -> str | None:
    """The name of the bridge that a street runs over, where the bridge has one."""
    if tags.get("bridge", "no") == "no":
        return None
    name = tags.get("bridge:name") or tags.get("name", "")
    called = "bridge:name" in tags or re.match(r"(puente|viaducto|ponte|viaduto|pont|bridge)\b", name, re.IGNORECASE)
    return mended(" ".join(visible(name).split())) or None if called else None
