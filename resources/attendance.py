"""Attendance: who came, by QR and PIN, and the hours and rests that follow."""

from __future__ import annotations
