"""Equipment and stock: what is on a unit or in a facility, how much of it, and how little is too little."""

from __future__ import annotations
