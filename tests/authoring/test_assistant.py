"""A model's turn, from a scripted fake over real HTTP: streamed text, typed edits, and every way it can go wrong."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from sdrl.authoring.events import Acted, Answered, Event, Failed, Opened, Said, Streamed
from sdrl.authoring.workbench import Replay
from sdrl.models.assistant import Reply, ask
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.edits import Edit
from tests.authoring.scripted_fake_model import CUT, scripted_fake_model

PROPOSAL = {
    "text": "A spec for sums. Look at the card.",
    "why": "you asked for sums",
    "edits": [
        {"operation": "set", "path": "name", "value": "sums"},
        {"operation": "set", "path": "task.description", "value": "Question answering in arithmetic. Needs adding."},
        {"operation": "set", "path": "task.output_format", "value": "Write the number after ####."},
        {"operation": "set", "path": "answer", "value": {"type": "number", "extract": {"marker": "####"}}},
        {"operation": "insert", "path": "demos.-", "value": {"input": "1 + 1?", "output": "#### 2"}},
    ],
    "end": "end",
}


def asked(url: str, text: str = "help", key_env: str = "") -> tuple[Reply, list[str]]:
    pieces: list[str] = []
    return asyncio.run(ask(("fake", url, key_env), [("user", text)], pieces.append)), pieces


def test_the_text_streams_and_the_edits_are_typed() -> None:
    with scripted_fake_model(PROPOSAL) as (url, requests):
        reply, pieces = asked(url)
    assert "".join(pieces) == reply.text == PROPOSAL["text"]
    assert len(pieces) > 2
    assert reply.edits[0] == Edit("set", "name", "sums")
    assert [edit.operation for edit in reply.edits] == ["set"] * 4 + ["insert"]
    assert requests[0]["stream"] is True


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (401, "refused the key"),
        (429, "asks to wait"),
        (500, "answered with an error"),
        (CUT, "cut off"),
        ("I would rather not.", "not the object"),
        ({"text": "x", "edits": [{"operation": "set", "path": ""}], "end": "end"}, "an edit that is none"),
    ],
)
def test_each_failure_is_one_line_with_a_next_step(reply: Any, said: str) -> None:
    with scripted_fake_model(reply) as (url, _), pytest.raises(SdrlError) as caught:
        asked(url)
    assert said in caught.value.message
    assert caught.value.help
    assert "\n" not in caught.value.message


def test_nobody_there_is_said_so() -> None:
    with scripted_fake_model(PROPOSAL) as (url, _):
        pass
    with pytest.raises(SdrlError, match="cannot be reached"):
        asked(url)


def test_a_model_that_does_not_answer_in_time_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sdrl.models.assistant.TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(SdrlError) as caught:  # accepts, says nothing
        asked(f"http://127.0.0.1:{silent.getsockname()[1]}/v1")
    assert "did not answer in 0 s" in caught.value.message and caught.value.help == "send it again"


def test_a_key_goes_to_its_owner_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with pytest.raises(SdrlError, match=r"holds the key of openai\.com"):
        asked("https://models.example/v1", key_env="OPENAI_API_KEY")
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(SdrlError, match="is not set"):
        asked("https://api.openai.com/v1", key_env="OPENAI_API_KEY")
    with pytest.raises(SdrlError, match="needs a key"):
        asked("https://models.example/v1")


def turn_of(bench: Replay, url: str) -> Event:
    """One turn as the app makes it: ask, stream, and the event of how it ended."""
    turn = bench.state.asking
    messages = [("user", bench.state.turns[-2].text)]
    try:
        reply = asyncio.run(ask(("fake", url, ""), messages, lambda piece: void(bench.dispatch(Streamed(turn, piece)))))
    except SdrlError as error:
        return Failed(turn, error.message, error.help or "")
    return Answered(turn, reply.text, reply.edits, reply.why)


def void(_: object) -> None:
    """Nothing: a callback's result is not used."""


def test_a_whole_spec_is_authored_with_a_scripted_fake_model() -> None:
    with scripted_fake_model(500, PROPOSAL) as (url, _):
        bench = Replay()
        bench.dispatch(Opened("sums.yaml", "", exists=False))
        bench.dispatch(Acted("model", f"fake {url}"))
        bench.dispatch(Said("sums of two numbers, please"))
        failed = bench.dispatch(turn_of(bench, url))
        assert failed.draft == "sums of two numbers, please"
        bench.dispatch(Said(failed.draft))
        proposed = bench.dispatch(turn_of(bench, url))
    assert proposed.text == "sdrl: 1\n"
    assert {issue.code for issue in proposed.cards[0].removed} == {"E203"}
    done = bench.dispatch(Acted("accept"))
    assert [issue.code for issue in done.issues if issue.is_error] == []
    assert bench.dispatch(Acted("undo")).text == "sdrl: 1\n"
