"""Telephone numbers as people dial them, in one spelling: Argentina's in full, other ones as they were given."""

from __future__ import annotations

import re

COUNTRY = "54"
NATIONAL = 10  # digits of area and number together
SHORTEST = 3  # 911, 147
# The areas of three digits; Buenos Aires has two, all others have four.
AREAS = frozenset(
    re.findall(
        r"\d+",
        "220 221 223 230 236 237 249 260 261 263 264 266 280 291 294 297 298 299 336 341 342 343 345 348 351"
        " 353 358 362 364 370 376 379 380 381 383 385 387 388",
    )
)


def normal_phone(raw: str | None, area: str = "") -> str | None:
    """`+543415550000` of `0341 15-555-0000`, `+54 9 341 555 0000` or `555 0000` in the `area` 341; None of nothing.

    What is no Argentine number keeps its digits, with a `+` where its country was said.
    """
    text = (raw or "").strip()
    digits = re.sub(r"\D", "", text)
    if len(digits) < SHORTEST:
        return None
    abroad = text.startswith("+") or digits.startswith("00")
    digits = digits.removeprefix("00") if abroad and not text.startswith("+") else digits
    if abroad and not digits.startswith(COUNTRY):
        return f"+{digits}"
    rest = digits.removeprefix(COUNTRY) if abroad or len(digits) > NATIONAL + 2 else digits
    national = _national(rest, area)
    return f"+{COUNTRY}{national}" if national else f"+{digits}" if abroad else digits


def _national(digits: str, area: str) -> str | None:
    """Area and number, ten digits, without what is dialled before them: 0, 9 and 15."""
    digits = digits.removeprefix("0")
    if len(digits) == NATIONAL + 1 and digits.startswith("9"):
        digits = digits[1:]
    if len(digits) == NATIONAL + 2:
        end = _area_length(digits)
        if digits[end : end + 2] != "15":
            return None
        return digits[:end] + digits[end + 2 :]
    local = NATIONAL - len(area)
    if area and len(digits) == local + 2 and digits.startswith("15"):
        digits = digits[2:]
    if area and len(digits) == local:
        return area + digits
    return digits if len(digits) == NATIONAL and digits[0] in "123" else None


def _area_length(digits: str) -> int:
    return 2 if digits.startswith("11") else 3 if digits[:3] in AREAS else 4
