"""A person who has never seen sdrl authors a whole spec from nothing, without a model: recordings that must replay."""

from __future__ import annotations

import io
import json
import sys
from hashlib import sha256
from pathlib import Path
from shutil import copytree

import pytest

from sdrl.authoring.events import Acted, Judged, Opened, Said
from sdrl.authoring.journal import DIGITS, Journal, Line, read_lines
from sdrl.authoring.state import State
from sdrl.authoring.workbench import Replay, opened, replay
from sdrl.cli.main import main
from sdrl.spec.loader import load_spec

FOLDER = Path(__file__).parent / "scripts"
SESSIONS = sorted((FOLDER.parent / "sessions").glob("*.journal"))
SCRIPTS = sorted([*FOLDER.glob("*.script"), *FOLDER.glob("*.journal")])
WANTED = {
    "gsm8k": {"type": "number", "extract": "marker"},
    "contract-questions": {"type": "boolean", "extract": "tag"},
    "with-a-scripted-fake-model": {"type": "number", "extract": "marker"},
    "ticket-labels": {"type": "label", "extract": "marker"},
    "word-problems": {"type": "number", "extract": "marker"},
}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_new_user_ends_with_a_spec_without_problems(script: Path, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    copytree("specs/prompts", tmp_path / "prompts")  # the toy base is asked with a prompt of its own
    assert main(["author", "--script", str(script), "-o", str(spec), "--strict"]) == 0
    assert main(["validate", "--strict", str(spec)]) == 0
    answer = load_spec(spec).require().answer
    assert {"type": answer.type, "extract": answer.extract.kind} == WANTED[script.stem]
    assert load_spec(spec).require().models is not None


def test_every_recording_was_looked_for() -> None:
    assert {path.stem for path in SCRIPTS} == set(WANTED)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_journal_of_it_replays_to_the_same_state(script: Path, tmp_path: Path) -> None:
    spec, kept = tmp_path / "spec.yaml", tmp_path / "spec.journal"
    journal = Journal(kept, clock=lambda: 0.0)
    bench = Replay(journal=journal)
    bench.dispatch(opened(spec))
    for line in read_lines(script.read_text(), script.name):
        bench.dispatch(line.event)
    journal.close()
    again = replay(read_lines(kept.read_text(), kept.name), kept.name, str(spec)).state
    assert again == bench.state
    assert any(turn.role == "guide" for turn in again.turns)


@pytest.mark.parametrize("session", SESSIONS, ids=lambda path: path.stem)
def test_a_recorded_session_of_the_app_replays_to_the_same_bytes(session: Path, tmp_path: Path) -> None:
    text = session.read_text(encoding="utf-8")
    digests = [line.digest for line in read_lines(text, session.name) if line.digest]
    spec = tmp_path / "spec.yaml"
    assert main(["author", "--script", str(session), "-o", str(spec)]) in (0, 1)
    assert spec.exists(), "where the interview or the actions changed on purpose: python -m tests.tui.sessions"
    assert sha256(spec.read_bytes()).hexdigest()[:DIGITS] == digests[-1]
    assert not [line for line in text.splitlines() if "/tmp/" in line]


def test_twenty_sessions_are_replayed_and_each_can_be_recorded_anew() -> None:
    from tests.tui.sessions import RECORDED

    assert {path.stem for path in SESSIONS} == set(RECORDED)
    assert len(SESSIONS) + len(SCRIPTS) >= 20


def test_a_journal_that_was_edited_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "a.journal"
    kept.write_text(json.dumps({"event": "said", "text": "gsm8k", "digest": "0" * 16}) + "\n")
    assert main(["author", "--script", str(kept)]) == 1
    assert "E882" in capsys.readouterr().err


def test_the_spec_goes_to_stdout_and_the_talk_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["author", "--script", str(SCRIPTS[0]), "--chat"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("sdrl: 1\n")
    assert "guide (script): What shall the spec be called?" in err


def test_a_script_that_stops_early_says_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("half-done\n"))
    assert main(["author", "--script", "-"]) == 1
    assert "E203" in capsys.readouterr().err


def test_a_script_that_is_not_there_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["author", "--script", "no-such.journal"]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_replay_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "a.script"
    script.write_text("a-name\n/save elsewhere.yaml\n")
    state = replay(read_lines(script.read_text(), "a"), "a", "a.yaml").state
    assert state.path == "a.yaml"  # a spec takes the name of a file that was written, and none was
    assert [path.name for path in tmp_path.iterdir()] == ["a.script"]


def test_a_torn_last_line_is_passed_over() -> None:
    whole = json.dumps({"event": "said", "text": "x"})
    lines = list(read_lines(f"{whole}\n{whole[:20]}", "j", is_torn=True))
    assert [line.event for line in lines] == [Said("x")]


def test_the_first_state_has_nothing() -> None:
    assert State().open_card is None
    assert State().turns == ()


def test_an_example_begins_a_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "made.script"
    script.write_text("/example word-problems\n/set seed 7\n", encoding="utf-8")
    out = tmp_path / "made.yaml"
    assert main(["author", "--script", str(script), "-o", str(out), "--strict"]) == 0
    text = out.read_text(encoding="utf-8")
    assert "name: made" in text and "seed: 7" in text
    assert (tmp_path / "passages" / "everyday.jsonl").exists()
    script.write_text("/example word-problem\n", encoding="utf-8")
    assert main(["author", "--script", str(script), "--chat"]) == 1
    assert "did you mean 'word-problems'?" in capsys.readouterr().err


def test_a_judgement_of_a_journal_is_told_as_it_was() -> None:
    lines = [
        Line(1, Opened("task.yaml", "sdrl: 1\n")),
        Line(2, Acted("judge", "yes")),
        Line(3, Judged("runs/sums", (), "the run kept it")),
        Line(4, Acted("judge", "yes")),
    ]
    told = [turn.text for turn in replay(lines, "journal", "task.yaml").state.turns]
    assert told.count("judged valid") == 1
    assert told[-1].startswith("no sample is in view")
