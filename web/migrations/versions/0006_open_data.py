"""Views for everybody: what is nobody's personal data, and nothing else

Whoever may connect may read them; a role to which nothing else was granted (`web/deploy/database/open_data.sql`) reads
these and no table. They are the collections of `web/opendata`: names and columns are what the public sees, in Spanish,
and the comments are the titles (first line) and descriptions.

`security_barrier` stands where rows are hidden, so that no function slipped into a question sees them. Streets are all
shown and the layers of the base map hide nothing from each other: without it, the index on their shapes answers.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STREETS = """
    CREATE VIEW open_data.calles AS
    SELECT id, name AS nombre, nullif(array_to_string(alt_names, ' · '), '') AS otros_nombres, kind AS clase,
           access AS acceso, oneway AS mano_unica, speed_kmh AS velocidad_kmh, length_m AS largo_m, osm_id,
           shape AS geom
    FROM street_links
"""
ZONES = """
    CREATE VIEW open_data.zonas WITH (security_barrier) AS
    SELECT id::text AS id, kind AS clase, name AS nombre, population AS poblacion, desk AS responsable,
           valid_from AS desde, valid_until AS hasta, shape AS geom
    FROM zones
    WHERE (valid_from IS NULL OR valid_from <= now()) AND (valid_until IS NULL OR valid_until > now())
"""
CLOSURES = """
    CREATE VIEW open_data.cortes WITH (security_barrier) AS
    SELECT id::text AS id, kind AS clase, valid_from AS desde, valid_until AS hasta, shape AS geom
    FROM closures
    WHERE valid_from <= now() AND (valid_until IS NULL OR valid_until > now())
      AND (lifted_at IS NULL OR lifted_at > now())
"""
LANDMARKS = """
    CREATE VIEW open_data.lugares WITH (security_barrier) AS
    SELECT id::text AS id, kind AS clase, name AS nombre,
           nullif(array_to_string(alt_names, ' · '), '') AS otros_nombres, shape AS geom
    FROM landmarks
    WHERE source = 'osm'
"""
AREAS = """
    CREATE VIEW open_data.{name} AS
    SELECT id, kind AS clase, kind_detail AS detalle, name AS nombre, shape AS geom
    FROM map_areas
    WHERE layer = '{layer}' AND ST_Dimension(shape) = {dimension}
"""
COMMENTS = {
    "calles": "Calles\nTramos de calle entre esquinas: nombre, clase de OpenStreetMap, mano y velocidad habitual. "
    "Un tramo de mano única está dibujado en el sentido en que se circula.",
    "zonas": "Zonas\nBarrios, distritos, vecinales, jurisdicciones y zonas inundables o de riesgo que rigen hoy.",
    "cortes": "Cortes\nCalles cortadas o anegadas y obras que rigen en este momento.",
    "lugares": "Lugares\nLo que la gente nombra en vez de una dirección: escuelas, hospitales, plazas, estaciones.",
    "agua": "Agua\nRíos, arroyos y lagunas que tienen superficie en el mapa base.",
    "cursos_de_agua": "Cursos de agua\nRíos, arroyos y canales del mapa base, como líneas.",
    "suelo": "Uso del suelo\nParques, plazas, cementerios, predios y otros usos del suelo del mapa base.",
}
COLUMNS = {
    "nombre": "Nombre",
    "otros_nombres": "Otros nombres que usa la gente, separados por puntos medios",
    "clase": "Clase",
    "detalle": "Clase, con más detalle",
    "acceso": "Quién puede circular: all, destination, private, bus, emergency, foot",
    "mano_unica": "Si es de mano única, en el sentido del dibujo",
    "velocidad_kmh": "Velocidad habitual, km/h",
    "largo_m": "Largo, metros",
    "osm_id": "Identificador de la vía en OpenStreetMap",
    "poblacion": "Habitantes",
    "responsable": "Mesa responsable",
    "desde": "Rige desde",
    "hasta": "Rige hasta",
}


def upgrade() -> None:
    op.execute("CREATE SCHEMA open_data")
    op.execute("COMMENT ON SCHEMA open_data IS 'Lo que cualquiera puede leer: sin datos de personas'")
    op.execute("GRANT USAGE ON SCHEMA open_data TO PUBLIC")
    op.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA open_data GRANT SELECT ON TABLES TO PUBLIC")
    op.execute("CREATE VIEW open_data.ciudad AS SELECT name AS nombre FROM cities")
    op.execute(
        "CREATE VIEW open_data.creditos AS"
        " SELECT name AS capa, attribution AS credito, changed_at AS cambiada FROM map_layers"
    )
    for view in (STREETS, ZONES, CLOSURES, LANDMARKS):
        op.execute(view)
    op.execute(AREAS.format(name="agua", layer="water", dimension=2))
    op.execute(AREAS.format(name="cursos_de_agua", layer="water", dimension=1))
    op.execute(AREAS.format(name="suelo", layer="landuse", dimension=2))
    describe(COMMENTS, COLUMNS)


def describe(views: dict[str, str], columns: dict[str, str]) -> None:
    """Titles and descriptions, for those who read them through the database."""
    for view, words in views.items():
        op.execute(f"COMMENT ON VIEW open_data.{view} IS '{words}'")
    found = op.get_bind().exec_driver_sql(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'open_data'"
    )
    for view, column in found.all():
        if view in views and column in columns:
            op.execute(f"COMMENT ON COLUMN open_data.{view}.{column} IS '{columns[column]}'")
