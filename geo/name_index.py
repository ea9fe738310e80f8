"""Finding names by what somebody typed of them: whole, in part, in another order, with errors.

Words are looked up one by one in a small vocabulary (equal, as prefix, by ear, by edit distance), and each name is
judged by how much of what was typed it explains and how much of it was typed. Rare words count for more.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA, Indel

from geo.street_names import LETTER, TITLES, sound_of, weight_of

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int32]

KEPT_WORDS = 4096  # words whose look-up is remembered; what is being typed comes again with the next key
BY_EAR = 0.93
WORTH_SHOWING = 0.38
AS_ONE_WORD = 0.78  # the least likeness of two names written without spaces


@dataclass(frozen=True, slots=True)
class Likeness:
    """A name, by its place in the index, and how well it fits (0..1; 1 is the very name)."""

    name: int
    score: float


class NameIndex:
    """Names as tuples of words (`words_of`), findable by any of their words."""

    def __init__(self, names: Sequence[tuple[str, ...]]) -> None:
        """Some 10,000 names take a tenth of a second."""
        self._compact = ["".join(words) for words in names]
        self._core = [_core(words) for words in names]
        self._cores_by_start: dict[tuple[str, int], list[int]] = {}  # by first letter and length
        for i, core in enumerate(self._core):
            self._cores_by_start.setdefault((core[:1], len(core)), []).append(i)
        counts: dict[str, int] = {}
        for words in names:
            for word in set(words):
                counts[word] = counts.get(word, 0) + 1
        self._words = sorted(counts)
        self._place = {word: i for i, word in enumerate(self._words)}
        self._heard: dict[str, list[int]] = {}
        for i, word in enumerate(self._words):
            self._heard.setdefault(sound_of(word), []).append(i)
        self._rare = math.log(2 + len(names))
        self._weights: Floats = np.array([self._weight(word, counts[word]) for word in self._words], dtype=np.float32)
        pairs = np.array(
            [(self._place[word], i) for i, words in enumerate(names) for word in set(words)], dtype=np.int32
        ).reshape(-1, 2)
        order = np.argsort(pairs[:, 0], kind="stable")
        self._names_with: Ints = pairs[order, 1].copy()
        self._starts: Ints = np.searchsorted(pairs[order, 0], np.arange(len(self._words) + 1)).astype(np.int32)
        self._total: Floats = np.bincount(pairs[:, 1], weights=self._weights[pairs[:, 0]], minlength=len(names)).astype(
            np.float32
        )
        self._lengths: Ints = np.array([len(word) for word in self._words], dtype=np.int32)
        self._by_length: dict[int, list[int]] = {}
        for i, word in enumerate(self._words):
            if not word[0].isdigit():
                self._by_length.setdefault(len(word), []).append(i)
        self._known: OrderedDict[tuple[str, bool], tuple[Ints, Floats]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._compact)

    def _weight(self, word: str, names: int) -> float:
        common = math.log(1 + names) / self._rare
        return weight_of(word) * (1.0 - 0.6 * min(1.0, common))

    def find(self, words: Sequence[str], *, typing: bool = True, limit: int = 40) -> list[Likeness]:
        """The names that fit best, best first. `typing`: the last word may be the beginning of one."""
        if not words or not self._compact:
            return []
        asked, said, explained = 0.0, *np.zeros((2, len(self._compact)), dtype=np.float32)
        for at, word in enumerate(words):
            ids, fits = self._words_like(word, typing and at == len(words) - 1)
            weight = self._weight(word, 1)
            if not len(ids) or fits.max() < BY_EAR:
                weight *= 0.4 if word in TITLES else 1.0  # a title that no name has is left out as often as not
            if len(ids):
                weight = float(max(self._weights[ids] * (fits >= fits.max() - 0.05)))
            asked += weight
            names, fit, own = self._names_of(ids, fits)
            best = np.zeros(len(self._compact), dtype=np.float32)
            np.maximum.at(best, names, fit)
            said += best * weight
            best = np.zeros(len(self._compact), dtype=np.float32)
            np.maximum.at(best, names, own)
            explained += best
        score = said / asked if asked else said
        score = score**1.25 * (0.87 + 0.13 * np.minimum(1.0, explained / np.maximum(self._total, 1e-6)))
        chosen = np.flatnonzero(score >= WORTH_SHOWING)
        if len(chosen) > 2 * limit:
            chosen = np.sort(chosen[np.argpartition(-score[chosen], 2 * limit)[: 2 * limit]])
        whole = "".join(words)
        found = {
            int(i): 0.92 * float(score[i]) + 0.08 * Indel.normalized_similarity(whole, self._compact[i]) for i in chosen
        }
        if not found or max(found.values()) < 0.86:
            self._as_one_word(_core(words), found)
        best_first = sorted(found.items(), key=lambda one: (-one[1], one[0]))[:limit]
        return [Likeness(name, min(1.0, score)) for name, score in best_first]

    def _as_one_word(self, whole: str, found: dict[int, float]) -> None:
        """ "Sanmartin", "bel grano": spaces put wrong are typing errors like any other."""
        if len(whole) < 5:
            return
        least, most = int(len(whole) * AS_ONE_WORD), math.ceil(len(whole) / AS_ONE_WORD)
        near = [i for size in range(least, most + 1) for i in self._cores_by_start.get((whole[0], size), ())]
        for _, fit, at in process.extract(
            whole,
            [self._core[i] for i in near],
            scorer=OSA.normalized_similarity,
            score_cutoff=AS_ONE_WORD,
            limit=12,
        ):
            found[near[at]] = max(found.get(near[at], 0.0), 0.95 * fit)

    def _names_of(self, ids: Ints, fits: Floats) -> tuple[Ints, Floats, Floats]:
        """The names with these words: the name, how well the word fits, and what that explains of the name."""
        lengths = self._starts[ids + 1] - self._starts[ids]
        if not lengths.sum():
            empty = np.zeros(0, dtype=np.float32)
            return np.zeros(0, dtype=np.int32), empty, empty
        ends = np.cumsum(lengths)
        spots = np.arange(ends[-1]) - np.repeat(ends - lengths - self._starts[ids], lengths)
        fit = np.repeat(fits, lengths)
        return self._names_with[spots], fit, fit * np.repeat(self._weights[ids], lengths)

    def _words_like(self, word: str, typing: bool) -> tuple[Ints, Floats]:
        """The vocabulary's words that may be meant by `word`, and how likely each is."""
        key = (word, typing)
        if key not in self._known:
            found: dict[int, float] = {}
            self._prefixed(word, typing, found)
            if not word[0].isdigit():
                self._misspelt(word, found)
                for i in self._heard.get(sound_of(word), ()):
                    found[i] = max(found.get(i, 0.0), BY_EAR)
                if typing and len(word) >= 4:
                    self._misspelt_so_far(word, found)
            for same in (word, word + LETTER):
                if same in self._place:
                    found[self._place[same]] = 1.0
            ids = np.fromiter(found.keys(), dtype=np.int32, count=len(found))
            self._known[key] = ids, np.fromiter(found.values(), dtype=np.float32, count=len(found))
            while len(self._known) > KEPT_WORDS:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]

    def _prefixed(self, word: str, typing: bool, found: dict[int, float]) -> None:
        if word.isdigit() and not typing:
            return
        least = 0.72 if typing else 0.6
        at = bisect_left(self._words, word)
        while at < len(self._words) and self._words[at].startswith(word):
            if len(word) > 1 or not self._words[at][0].isdigit():
                found[at] = (least if len(word) > 1 else least - 0.12) + 0.24 * len(word) / len(self._words[at])
            at += 1

    def _misspelt(self, word: str, found: dict[int, float]) -> None:
        allowed = 0 if len(word) < 3 else 1 if len(word) < 6 else 2 if len(word) < 10 else 3
        if not allowed:
            return
        near = [
            i for size in range(len(word) - allowed, len(word) + allowed + 1) for i in self._by_length.get(size, ())
        ]
        if not near:
            return
        edits = process.cdist(
            [word], [self._words[i] for i in near], scorer=OSA.distance, score_cutoff=allowed, dtype=np.uint8
        )[0]
        for at in np.flatnonzero(edits <= allowed):
            longer = max(len(word), len(self._words[near[at]]))
            fit = 1.0 - 0.7 * float(edits[at]) / longer
            if self._words[near[at]][0] != word[0]:
                fit -= 0.04  # the first letter is the one least often wrong
            found[near[at]] = max(found.get(near[at], 0.0), fit)

    def _misspelt_so_far(self, word: str, found: dict[int, float]) -> None:
        """The beginning of a word, with an error in it."""
        longer = [i for size, ids in self._by_length.items() if size > len(word) + 1 for i in ids]
        if not longer:
            return
        heads = [self._words[i][: len(word)] for i in longer]
        edits = process.cdist([word], heads, scorer=OSA.distance, score_cutoff=1, dtype=np.uint8)[0]
        for at in np.flatnonzero(edits <= 1):
            if self._words[longer[at]][0] == word[0]:
                fit = 0.62 + 0.2 * len(word) / len(self._words[longer[at]])
                found[longer[at]] = max(found.get(longer[at], 0.0), fit)


def _core(words: Sequence[str]) -> str:
    """What is left of a name without spaces, kinds and titles."""
    return "".join(word for word in words if weight_of(word) > 0.5) or "".join(words)
