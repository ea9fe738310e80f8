"""`./vigia bench duplicates FILE`: whose word tells of a duplicate better, the open score or a fixed circle and window?

FILE is a log of the C5 of Mexico City, whose operators closed each report as a duplicate or not. What was known when
a report came in is weighed: the reports before it, near it, and whether they were still open. The baseline is what
FixMyStreet and Active911 do, a radius and minutes, the best of a grid chosen *on the very same file*: its favour, not
ours. `--fit` fits the points of `incidents/likeness.py` to the first part of a file and prints them.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial import cKDTree

from geo.places import METRES_PER_DEGREE
from incidents.catalogue import Catalogue, IncidentType, default_content
from incidents.likeness import NEAR, SOON, likeness
from web.replay.cdmx_c5 import read
from web.replay.log import Call

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

FAR, LONGEST = NEAR[-1][0], SOON[-1][0]  # windows of distance and of time: nothing beyond is weighed
RADII = (50, 100, 150, 200, 300, 400, 500, 650, 800, 1000)
MINUTES = (10, 15, 20, 30, 45, 60, 90, 120, 180, 240)
PRECISIONS = (0.80, 0.82, 0.84, 0.86, 0.88, 0.90, 0.91, 0.92, 0.93)
FITTED = 0.6  # of a file, its first part
RIDGE = 0.05


@dataclass(frozen=True)
class Told:
    """A log's reports in the order of their coming, and each pair of an earlier and a later one that lie near."""

    calls: list[Call]
    kinds: list[IncidentType]
    duplicate: Flags
    earlier: Ints
    later: Ints
    metres: Floats
    seconds: Floats
    still_open: Flags

    def window(self, pair: int) -> dict[str, int]:
        """The duplicate window of the type of the earlier one."""
        window: dict[str, int] = self.kinds[self.earlier[pair]].duplicate
        return window

    def type_is(self, pair: int) -> str:
        """What the later one's type is to the earlier one's."""
        one, other = self.kinds[self.later[pair]], self.kinds[self.earlier[pair]]
        return "same" if one.code == other.code else "family" if one.group == other.group else "other"


def told_in(file: Path) -> Told:
    """The reports of a log with a place, and their pairs."""
    calls = [call for call in read(file).calls if call.position is not None]
    types = Catalogue(0, default_content()).types
    kinds = [types[call.type_code] for call in calls]
    at = np.array([call.received_at.timestamp() for call in calls])
    over = np.array([call.ended_at.timestamp() if call.ended_at else np.inf for call in calls])
    degrees = np.array([call.position for call in calls], dtype=float).reshape(-1, 2)
    flat = np.c_[degrees[:, 0] * np.cos(np.radians(degrees[:, 1].mean())), degrees[:, 1]] * METRES_PER_DEGREE
    farthest = FAR * max(kind.duplicate["metres"] for kind in kinds)
    pairs = cKDTree(flat).query_pairs(farthest, output_type="ndarray")
    earlier, later = pairs.min(axis=1), pairs.max(axis=1)  # calls come in the order of their time
    metres = np.hypot(*(flat[earlier] - flat[later]).T)
    seconds = at[later] - at[earlier]
    windows = np.array([(kinds[n].duplicate["metres"], kinds[n].duplicate["seconds"]) for n in earlier]).reshape(-1, 2)
    near = (metres <= FAR * windows[:, 0]) & (seconds <= LONGEST * windows[:, 1])
    earlier, later = earlier[near], later[near]
    duplicate = np.array([call.code == "duplicate" for call in calls])
    return Told(calls, kinds, duplicate, earlier, later, metres[near], seconds[near], over[earlier] > at[later])


def ours(told: Told) -> Floats:
    """Of each report the chance that it was told already, by the score that the console shows."""
    chances: list[list[float]] = [[] for _ in told.calls]
    for pair, later in enumerate(told.later):
        weighed = likeness(
            metres=float(told.metres[pair]),
            seconds=float(told.seconds[pair]),
            window=told.window(pair),
            type_is=told.type_is(pair),
            channel=told.calls[later].channel,
            still_open=bool(told.still_open[pair]),
        )
        chances[later].append(weighed.chance)
    return np.array([told_already(each) for each in chances])


def told_already(chances: Sequence[float]) -> float:
    """The chance that at least one of them is the same."""
    return 1.0 - math.prod(1.0 - chance for chance in chances)


def fixed(told: Told, radius: float, minutes: float) -> Flags:
    """Which reports a fixed circle and window call duplicates."""
    flagged = np.zeros(len(told.calls), dtype=np.bool_)
    flagged[told.later[(told.metres <= radius) & (told.seconds <= minutes * 60)]] = True
    return flagged


# ── How good ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Mark:
    """How well something tells duplicates."""

    precision: float
    recall: float
    what: str

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.precision * self.recall / max(1e-9, self.precision + self.recall)


def mark(flagged: Flags, duplicate: Flags, what: str) -> Mark:
    """Of what was flagged how much was right, and of what was right how much was flagged."""
    right = float((flagged & duplicate).sum())
    return Mark(right / max(1, flagged.sum()), right / max(1, duplicate.sum()), what)


def marks_of(chances: Floats, duplicate: Flags) -> list[Mark]:
    """A mark for each hundredth of the chance."""
    return [mark(chances >= at / 100, duplicate, f"≥ {at / 100:.2f}") for at in range(5, 100)]


def at_precision(marks: Iterable[Mark], precision: float) -> Mark | None:
    """The one that finds most while this much of what it says is right."""
    return max((one for one in marks if one.precision >= precision), key=lambda one: one.recall, default=None)


def report(told: Told, among: Flags, curve: Path | None = None) -> None:
    """Print both; draw them too, where a path is given."""
    duplicate, scored = told.duplicate[among], ours(told)[among]
    circles = [mark(fixed(told, r, m)[among], duplicate, f"{r} m, {m} min") for r, m in product(RADII, MINUTES)]
    scores = marks_of(scored, duplicate)
    best, best_ours = max(circles, key=lambda one: one.f1), max(scores, key=lambda one: one.f1)
    days = {call.received_at.date() for call, here in zip(told.calls, among, strict=True) if here}
    print(f"{len(duplicate)} reports with a place, {min(days)} to {max(days)}, {duplicate.mean():.1%} duplicates")
    print(f"\n{'':34}{'precision':>10}{'recall':>10}{'F1':>8}")
    for name, one in (("best circle and window, " + best.what, best), ("open score, " + best_ours.what, best_ours)):
        print(f"{name:<34}{one.precision:>10.3f}{one.recall:>10.3f}{one.f1:>8.3f}")
    print("\nduplicates found while this much of what is said is right:")
    print(f"{'precision':>10}{'circle':>10}{'score':>10}{'more':>8}   with")
    for precision in PRECISIONS:
        circle, score = at_precision(circles, precision), at_precision(scores, precision)
        if circle and score:
            more = score.recall / circle.recall - 1
            print(
                f"{precision:>10.2f}{circle.recall:>10.3f}{score.recall:>10.3f}{more:>8.1%}",
                f"  {circle.what}; {score.what}",
            )
    if curve:
        curve.write_text(drawn(scores, circles), encoding="utf-8")
    print("\nis the chance one? (said, found, reports)")
    for low in np.arange(0.0, 1.0, 0.1):
        those = (scored >= low) & (scored < low + 0.1)
        if those.any():
            print(f"{scored[those].mean():>10.2f}{duplicate[those].mean():>10.2f}{those.sum():>10}")


def drawn(scores: Sequence[Mark], circles: Sequence[Mark]) -> str:
    """Precision over recall, as SVG: the score's line, and each circle and window a dot."""

    def spot(one: Mark) -> tuple[float, float]:
        return 60 + (one.recall - 0.3) * 1_000, 30 + (1.0 - one.precision) * 1_200

    def inside(one: Mark) -> bool:
        return 0.3 <= one.recall <= 0.9 and one.precision >= 0.7

    grid = [f'<line x1="60" x2="660" y1="{y}" y2="{y}"/>' for y in range(30, 391, 60)]
    grid += [f'<line x1="{x}" x2="{x}" y1="30" y2="390"/>' for x in range(60, 661, 100)]
    words = [f'<text x="52" y="{34 + 60 * n}" text-anchor="end">{1 - n * 0.05:.2f}</text>' for n in range(7)]
    words += [f'<text x="{60 + 100 * n}" y="408" text-anchor="middle">{0.3 + n * 0.1:.1f}</text>' for n in range(7)]
    line = " ".join(f"{x:.0f},{y:.0f}" for x, y in map(spot, filter(inside, scores)))
    dots = [f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3"/>' for x, y in map(spot, filter(inside, circles))]
    return "\n".join(
        (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 440" font-family="sans-serif" font-size="12">',
            '<rect width="700" height="440" fill="#fff"/>',
            *('<g stroke="#ddd">', *grid, "</g>"),
            *('<g fill="#444">', *words),
            '<text x="360" y="430" text-anchor="middle">recall: duplicates found</text>',
            '<text x="60" y="18">precision: of what is said, right</text>',
            *("</g>", '<g fill="#b45309">', *dots, "</g>"),
            f'<polyline points="{line}" fill="none" stroke="#1d4ed8" stroke-width="2.5"/>',
            '<text x="640" y="60" text-anchor="end" fill="#1d4ed8">the open score</text>',
            '<text x="640" y="78" text-anchor="end" fill="#b45309">circles and windows, each a dot</text>',
            "</svg>",
            "",
        )
    )


# ── Where the points come from ────────────────────────────────────────────────────────────────────


def _hats(values: Floats, knots: Sequence[float]) -> Floats:
    """How much of each knot is in each value, linearly between two."""
    return np.column_stack([np.interp(values, knots, np.eye(len(knots))[n]) for n in range(len(knots))])


def fit(told: Told, among: Flags) -> None:
    """Print the points that make what happened likeliest: each report repeats one of those near it, or none of them."""
    windows = np.array([tuple(told.window(pair).values()) for pair in range(len(told.later))], dtype=float)
    near = _hats(told.metres / windows[:, 0], [knot for knot, _ in NEAR])[:, 1:]
    soon = _hats(told.seconds / windows[:, 1], [knot for knot, _ in SOON])[:, 2:]
    same = np.array([told.type_is(pair) == "same" for pair in range(len(told.later))], dtype=float)
    channel = np.array([call.channel for call in told.calls])
    context = np.column_stack([np.isin(channel, ("radio", "camera")), channel == "panic_button"]).astype(float)
    pairs = np.column_stack([np.ones(len(same)), near, soon, same, told.still_open, context[told.later]])
    reports = np.column_stack([np.ones(len(channel)), context])  # a duplicate of what is not in the log
    many, duplicate = pairs.shape[1], told.duplicate

    def unlikely(weights: Floats) -> tuple[float, Floats]:
        points, alone = pairs @ weights[:many], reports @ weights[many:]
        none = np.bincount(told.later, -np.logaddexp(0, points), len(channel)) - np.logaddexp(0, alone)
        none = np.minimum(none, -1e-9)  # the logarithm of the chance that it is new
        some = -np.expm1(none)
        likely = np.where(duplicate, np.log(some), none)
        slope = np.where(duplicate, -np.exp(none) / some, 1.0) * among
        by_pair = -slope[told.later] / (1 + np.exp(-points))
        by_report = -slope / (1 + np.exp(-alone))
        gradient = np.concatenate([pairs.T @ by_pair, reports.T @ by_report])
        return -likely[among].sum() + RIDGE * (weights**2).sum(), 2 * RIDGE * weights - gradient

    start = np.zeros(many + reports.shape[1])
    start[many] = -1.5
    found = minimize(unlikely, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    at = iter(found)
    print(f"START = {next(at):.2f}")
    print("NEAR = (0.0, 0.0),", ", ".join(f"({knot}, {next(at):.2f})" for knot, _ in NEAR[1:]))
    # Within the first minutes the log closes now the one, now the other: sooner is held to be no less likely.
    print(f"SOON = (0.0, 0.0), ({SOON[1][0]}, 0.0),", ", ".join(f"({knot}, {next(at):.2f})" for knot, _ in SOON[2:]))
    print(f"TYPE same {next(at):.2f}\nSTILL_OPEN = {next(at):.2f}\nCHANNEL radio {next(at):.2f}, button {next(at):.2f}")
    print("of what is not in the log:", ", ".join(f"{weight:.2f}" for weight in at))


def main(arguments: Sequence[str]) -> int:
    """Read, and print."""
    parser = argparse.ArgumentParser(prog="vigia bench duplicates", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--fit", action="store_true", help=f"fit the points to the first {FITTED:.0%} of the file")
    parser.add_argument("--rest", action="store_true", help=f"judge by what comes after the first {FITTED:.0%} alone")
    parser.add_argument("--curve", type=Path, help="draw both into this SVG file")
    chosen = parser.parse_args(arguments)
    told = told_in(chosen.file)
    first = np.arange(len(told.calls)) < len(told.calls) * FITTED
    if chosen.fit:
        fit(told, first)
    else:
        report(told, ~first if chosen.rest else np.ones(len(told.calls), dtype=np.bool_), chosen.curve)
    return 0
