"""Staff: the people who crew the units, with their file number, role and credentials. Not everybody has an account."""

from __future__ import annotations
