"""Rows of search."""

from __future__ import annotations

from tests.api.matrix import PEOPLE, Row, row

ROWS: dict[str, Row] = {"GET /search": row(PEOPLE, query="?q=mitre")}
