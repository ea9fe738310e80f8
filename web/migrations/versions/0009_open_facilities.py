"""Facilities for everybody: those where people go for help, and not where cameras and hydrants are"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

FACILITIES = """
    CREATE VIEW open_data.equipamientos WITH (security_barrier) AS
    SELECT id::text AS id, kind AS clase, name AS nombre, address AS direccion, shape AS geom
    FROM facilities
    WHERE closed_at IS NULL
      AND kind IN ('clinic', 'fire_station', 'hospital', 'police', 'school', 'shelter', 'vecinal')
"""
COMMENT = "Equipamientos\nHospitales, centros de salud, refugios, escuelas, comisarías, cuarteles y vecinales."
COLUMNS = {"clase": "Clase", "nombre": "Nombre", "direccion": "Dirección"}


def upgrade() -> None:
    op.execute(FACILITIES)
    op.execute(f"COMMENT ON VIEW open_data.equipamientos IS '{COMMENT}'")
    for column, words in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN open_data.equipamientos.{column} IS '{words}'")
