"""What a call-taker asks, by type: short questions with answers that may say how grave it is, and what it is after all.

Data of the catalogue, never code: a question names the types of which it is asked; an answer may carry a priority with
its reason, and another type. Of what was answered the gravest counts, and it counts instead of the type's own priority.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from realtime.errors import Malformed

MOST_ANSWERS = 9  # each has a key: 1–9


class BadCatalogue(Malformed):
    """The catalogue is not right: {where}."""


class NotAsked(Malformed):
    """That type is not asked “{question}”."""


class NoSuchAnswer(Malformed):
    """“{question}” has no answer “{answer}”."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `priority` and `why` go together; `type` is what it is after all."""

    code: str
    words: str
    priority: int | None = None
    why: str = ""
    type: str | None = None


@dataclass(frozen=True, slots=True)
class TypeQuestion:
    """One question, the types of which it is asked, and its answers by code."""

    code: str
    words: str
    types: tuple[str, ...]
    answers: dict[str, Answer]


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered to what."""

    question: TypeQuestion
    answer: Answer

    def shown(self) -> dict[str, Any]:
        """As the timeline keeps it: codes, and the catalogue's words of that day."""
        told = {
            "question": self.question.code,
            "asked": self.question.words,
            "answer": self.answer.code,
            "said": self.answer.words,
        }
        return told | ({"priority": self.answer.priority, "why": self.answer.why} if self.answer.priority else {})


def read_questions(content: Mapping[str, Any]) -> tuple[TypeQuestion, ...]:
    """The questions of a catalogue, in the order in which they are asked."""
    return tuple(
        TypeQuestion(
            one["code"], one["words"], tuple(one["types"]), {each["code"]: Answer(**each) for each in one["answers"]}
        )
        for one in content.get("questions", ())
    )


def answered(questions: Sequence[TypeQuestion], type_code: str, given: Mapping[str, str]) -> list[Answered]:
    """The answers `{question: answer}` to a type's questions, in order. Raises `NotAsked`, `NoSuchAnswer`."""
    asked = {one.code: one for one in questions if type_code in one.types}
    for code, answer in given.items():
        if code not in asked:
            raise NotAsked(question=code)
        if answer not in asked[code].answers:
            raise NoSuchAnswer(question=code, answer=answer)
    return [Answered(one, one.answers[given[code]]) for code, one in asked.items() if code in given]


def gravest(said: Iterable[Answered]) -> Answered | None:
    """The answer that sets the priority: the gravest, and of equals the one that was asked first."""
    weighty = [(one.answer.priority, place, one) for place, one in enumerate(said) if one.answer.priority]
    return min(weighty, key=lambda each: each[:2])[2] if weighty else None


# ── Checking what is published ────────────────────────────────────────────────────────────────────


def check_questions(content: Mapping[str, Any]) -> None:
    """Whether a catalogue's questions can be asked. Raises `BadCatalogue`.

    An answer that makes it another type is one that is asked of that type too: what was answered stays answered.
    """
    types = {one["code"] for one in content["types"]}
    levels = {one["level"] for one in content["priorities"]}
    seen: set[str] = set()
    for number, one in enumerate(_list(content.get("questions", []), "questions")):
        where = f"questions.{one.get('code') if isinstance(one, Mapping) else number}"
        if not isinstance(one, Mapping) or not one.keys() == {"code", "words", "types", "answers"}:
            raise BadCatalogue(where=where)
        _words(one, where)
        if one["code"] in seen:
            raise BadCatalogue(where=where)
        seen.add(one["code"])
        asked_of = _list(one["types"], where)
        if not asked_of or not set(asked_of) <= types or len(set(asked_of)) < len(asked_of):
            raise BadCatalogue(where=f"{where}.types")
        _check_answers(one, where, asked_of, levels)


def _check_answers(question: Mapping[str, Any], where: str, asked_of: list[Any], levels: Collection[int]) -> None:
    answers = _list(question["answers"], where)
    if not 2 <= len(answers) <= MOST_ANSWERS:
        raise BadCatalogue(where=f"{where}.answers")
    codes = set()
    for each in answers:
        if not isinstance(each, Mapping) or not {"code", "words"} <= each.keys() <= {*Answer.__slots__}:
            raise BadCatalogue(where=f"{where}.answers")
        here = f"{where}.{each['code']}"
        _words(each, here)
        codes.add(each["code"])
        priority, why, type_code = each.get("priority"), each.get("why", ""), each.get("type")
        if priority is not None and (isinstance(priority, bool) or priority not in levels):
            raise BadCatalogue(where=f"{here}.priority")
        if not isinstance(why, str) or bool(why.strip()) != (priority is not None):
            raise BadCatalogue(where=f"{here}.why")
        if type_code is not None and type_code not in asked_of:
            raise BadCatalogue(where=f"{here}.type")
    if len(codes) < len(answers):
        raise BadCatalogue(where=f"{where}.answers")


def check_channels(content: Mapping[str, Any]) -> None:
    """Whether a catalogue's channels for what is no emergency can be named. Raises `BadCatalogue`."""
    types = {one["code"] for one in content["types"]}
    seen: set[str] = set()
    for number, one in enumerate(_list(content.get("channels", []), "channels")):
        where = f"channels.{one.get('code') if isinstance(one, Mapping) else number}"
        if not isinstance(one, Mapping) or one.keys() != {"code", "name", "phone", "say", "types"}:
            raise BadCatalogue(where=where)
        if not all(isinstance(one[name], str) for name in ("code", "name", "phone", "say")):
            raise BadCatalogue(where=where)
        if not one["code"] or not one["name"] or not one["say"] or one["code"] in seen:
            raise BadCatalogue(where=where)
        seen.add(one["code"])
        if not set(_list(one["types"], where)) <= types:
            raise BadCatalogue(where=f"{where}.types")
    area = content.get("area_code", "")
    if not isinstance(area, str) or not (area == "" or (area.isdecimal() and area.isascii() and 2 <= len(area) <= 4)):
        raise BadCatalogue(where="area_code")


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise BadCatalogue(where=where)
    return value


def _words(one: Mapping[str, Any], where: str) -> None:
    if not all(isinstance(one[name], str) and one[name].strip() for name in ("code", "words")):
        raise BadCatalogue(where=where)
