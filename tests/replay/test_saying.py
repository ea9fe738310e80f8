"""Everything that a replay prints has its Spanish."""

from __future__ import annotations

import ast
from pathlib import Path
from string import Formatter

import pytest

import web.replay
from web.replay.reconcile import _LINES
from web.replay.words import SPANISH, spoken

FOLDER = Path(web.replay.__file__).parent


def _sentences() -> set[str]:
    """What the modules say: the texts that stand where a sentence is wanted."""
    found = set(_LINES.values())
    for module in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                wanted = {"say": 0, "trouble": 1, "Difference": 0, "Tally": 0}.get(name)
                if wanted is not None and len(node.args) > wanted:
                    text = node.args[wanted]
                    if isinstance(text, ast.Constant) and isinstance(text.value, str):
                        found.add(text.value)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                names = {target.id for target in node.targets if isinstance(target, ast.Name)}
                if names & {"text", "snapped"} and isinstance(node.value.value, str):
                    found.add(node.value.value)
    return {text for text in found if text and text not in {"assignment.status", "journal"}}


@pytest.mark.parametrize("sentence", sorted(_sentences()))
def test_every_sentence_is_there_in_spanish(sentence: str) -> None:
    assert sentence in SPANISH


@pytest.mark.parametrize(("english", "spanish"), SPANISH.items())
def test_both_languages_name_the_same_facts(english: str, spanish: str) -> None:
    facts = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (english, spanish)]
    assert facts[0] == facts[1]


def test_english_speaks_for_itself() -> None:
    assert spoken("en")("Only the first {calls} calls ({rows} rows).", calls=2, rows=3).startswith("Only the first 2")
    assert spoken("es_AR")("Only the first {calls} calls ({rows} rows).", calls=2, rows=3).startswith("Solo las")
