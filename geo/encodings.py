"""The encoding of a text file that does not say it, or says it wrong; and names that went through a wrong one."""

from __future__ import annotations

import re

# What Spanish letters of CP850 (DOS) become when they are read as Latin-1 or CP1252: "CA¥ADA DE GOMEZ".
_DOS = {"¡": "í", "¢": "ó", "£": "ú", "¤": "ñ", "¥": "Ñ", "\xa0": "á", "\x81": "ü", "\x82": "é", "\x90": "É", "‚": "é"}
_IN_A_WORD = re.compile(r"(?<=[A-Za-z])[¡¢£¤¥\x81\x82\x90‚](?=[A-Za-z])|(?<=[A-Za-z])[¢¤¥\x82\x90]\b")
_TWICE_ENCODED = re.compile(r"[ÂÃ][\x80-\xbf\u0152-\u2122]")


# Controls, halves of letters, what has no width, and what turns the direction of all that follows.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f\xad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)


def visible(text: str) -> str:
    """A text without the signs that nobody sees, some of which no database takes."""
    return _INVISIBLE.sub("", text)


def mended(text: str) -> str:
    """A name put right where that is certain, else as it is.

    Two accidents are known: UTF-8 read as Latin-1 ("MartÃ\xadn"), and CP850 read as Latin-1 ("CA¥ADA"), whose
    letters have become signs that stand inside no word.
    """
    if _TWICE_ENCODED.search(text):
        for encoding in ("cp1252", "latin-1"):
            try:
                right = text.encode(encoding).decode("utf-8")
            except UnicodeError:
                continue
            if right.isprintable():
                return right
    return _IN_A_WORD.sub(lambda sign: _DOS[sign[0]], text)


_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def decoded(raw: bytes, encoding: str | None = None) -> tuple[str, str]:
    """Text and the encoding it was in. Raises `UnicodeError` and `LookupError` when a given one does not fit."""
    if encoding:
        return raw.decode(encoding), encoding
    for mark, name in _MARKS:
        if raw.startswith(mark):
            return raw.decode(name), name
    if raw[:2].count(0) == 1:  # no text begins with a NUL, or has one after its first letter
        name = "utf-16-le" if raw[0] else "utf-16-be"
        return raw.decode(name), name
    try:
        return raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        guess = guess_single_byte(raw)
        return raw.decode(guess, "replace"), guess


def guess_single_byte(raw: bytes) -> str:
    """CP1252 or CP850, by which of them makes Spanish letters of the bytes above ASCII."""
    high = [byte for byte in raw if byte > 0x7F]
    windows = sum(byte in _WINDOWS for byte in high)
    dos = sum(byte in _DOS_BYTES for byte in high)
    return "cp850" if dos > windows else "cp1252"


_LETTERS = "áéíóúüñÁÉÍÓÚÜÑçÇãõâêôàº°ª"
_WINDOWS = frozenset(_LETTERS.encode("cp1252"))
_DOS_BYTES = frozenset("áéíóúüñÁÉÍÓÚÜÑçÇãõâêôàº°ª".encode("cp850"))
