"""Asks PostgreSQL a question over its Unix socket, with nothing but the standard library.

Only what a launcher needs: is it there, make a role, how big is the database. No passwords, no parameters.
"""

from __future__ import annotations

import socket
import struct
from pathlib import Path

Row = list[str | None]


class Refused(Exception):
    """PostgreSQL answered with an error; the words are its own."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(fields.get("M", "error"))
        self.state = fields.get("C", "")


def query(socket_file: Path, database: str, sql: str, *, user: str = "postgres", seconds: float = 30) -> list[Row]:
    """Run one or more statements; the rows of all of them, as text."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(seconds)
        line.connect(str(socket_file))
        words = f"user\0{user}\0database\0{database}\0application_name\0vigia launcher\0\0".encode()
        line.sendall(struct.pack("!II", len(words) + 8, 3 << 16) + words)
        _collect(line)
        statement = sql.encode() + b"\0"
        line.sendall(b"Q" + struct.pack("!I", len(statement) + 4) + statement)
        rows = _collect(line)
        line.sendall(b"X" + struct.pack("!I", 4))
        return rows


def literal(value: str) -> str:
    """A value as SQL text."""
    return "'" + value.replace("'", "''") + "'"


def _collect(line: socket.socket) -> list[Row]:
    """Read messages until the server is ready for the next question."""
    rows: list[Row] = []
    refusal: Refused | None = None
    while True:
        kind, size = struct.unpack("!cI", _exactly(line, 5))
        body = _exactly(line, size - 4)
        if kind == b"E":
            refusal = Refused(_fields(body))
            if refusal.state.startswith(("57P", "28", "3D", "53")):  # it hangs up after these
                raise refusal
        elif kind == b"R" and body[:4] != b"\0\0\0\0":
            raise Refused({"M": "the server asks for a password", "C": "28000"})
        elif kind == b"D":
            rows.append(_row(body))
        elif kind == b"Z":
            if refusal:
                raise refusal
            return rows


def _exactly(line: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = line.recv(size - len(found))
        if not more:
            raise ConnectionError("PostgreSQL hung up")
        found += more
    return found


def _fields(body: bytes) -> dict[str, str]:
    return {part[:1].decode(): part[1:].decode(errors="replace") for part in body.split(b"\0") if part}


def _row(body: bytes) -> Row:
    (count,) = struct.unpack_from("!H", body)
    row: Row = []
    position = 2
    for _ in range(count):
        (size,) = struct.unpack_from("!i", body, position)
        position += 4
        if size < 0:
            row.append(None)
            continue
        row.append(body[position : position + size].decode())
        position += size
    return row
