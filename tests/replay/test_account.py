"""Who replays: the account of the environment, else the demo's supervisor."""

from __future__ import annotations

import json
from pathlib import Path

from web.replay.client import Account, account_for


def test_the_environment_names_the_account(tmp_path: Path) -> None:
    (tmp_path / "demo-accounts.json").write_text(json.dumps([{"username": "s", "password": "p", "role": "supervisor"}]))
    environment = {"VIGIA_REPLAY_USERNAME": "ana", "VIGIA_REPLAY_PASSWORD": "clave"}
    assert account_for(tmp_path, environment) == Account("ana", "clave")
    assert account_for(tmp_path, {}) == Account("s", "p")


def test_without_accounts_there_is_nobody(tmp_path: Path) -> None:
    assert account_for(tmp_path, {}) is None
    (tmp_path / "demo-accounts.json").write_text("[")
    assert account_for(tmp_path, {}) is None
    (tmp_path / "demo-accounts.json").write_text(json.dumps([{"username": "d", "password": "p", "role": "dispatcher"}]))
    assert account_for(tmp_path, {}) is None
