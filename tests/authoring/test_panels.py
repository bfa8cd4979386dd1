"""Panels made of a spec's text and of a run's files, without an app."""

from __future__ import annotations

import json
from pathlib import Path

from sdrl.authoring.effects import Judge, Save, Show
from sdrl.authoring.events import Refused, Shown, Stored
from sdrl.authoring.services import Services
from sdrl.authoring.state import digest
from sdrl.cli.main import main

SPEC = """\
sdrl: 1
name: sums
task: {description: Question answering in arithmetic. Needs care., output_format: "Write the number after ####."}
answer: {type: number, extract: {marker: "####"}}
demos: [{input: "What is 1 + 1?", output: "#### 2"}]
corpus: [{files: [passages.jsonl], license: CC0-1.0}]
"""


def show(panel: str, argument: str = "", text: str = SPEC, folder: Path = Path()) -> Shown:
    event = Services().perform(Show(panel, 3, str(folder / "sums.yaml"), text, argument))
    assert isinstance(event, Shown)
    assert event.rev == 3
    return event


def test_a_prompt_is_the_bytes_of_sdrl_preview(tmp_path: Path, capfdbinary: object) -> None:
    (tmp_path / "passages.jsonl").write_text('{"text": "Adding makes more."}\n')
    (tmp_path / "sums.yaml").write_text(SPEC)
    panel = show("prompt", "generate", folder=tmp_path)
    assert main(["preview", str(tmp_path / "sums.yaml"), "--prompt", "generate"]) == 0
    sent = capfdbinary.readouterr().out.decode()  # type: ignore[attr-defined]
    assert "\n".join(panel.lines).endswith(sent)
    assert "What is 1 + 1?" in sent


def test_the_verifier_is_tried_though_the_rest_of_the_spec_is_wrong() -> None:
    panel = show("verify", "I think. #### 3 => 2", SPEC.replace("name: sums", "nam: sums"))
    assert "demo 1   reads '2'" in panel.lines
    assert "verdict     incorrect (differs from the gold)" in panel.lines


def test_a_spec_without_a_readable_answer_says_the_next_step() -> None:
    panel = show("verify", "", "sdrl: 1\n")
    assert panel.title == "not yet"
    assert any("/propose" in line for line in panel.lines)


def test_passages_are_found(tmp_path: Path) -> None:
    rows = [{"text": "Rain falls on the hills."}, {"text": "Adding two numbers makes a sum."}]
    (tmp_path / "passages.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    panel = show("retrieve", "sum of numbers", folder=tmp_path)
    assert "2 passages" in panel.lines[0]
    assert any("makes a sum" in line for line in panel.lines)
    assert "not yet" in show("retrieve", "sum", SPEC.replace("passages.jsonl", "none.jsonl"), tmp_path).title


def test_a_plan_has_requests_and_costs(tmp_path: Path) -> None:
    (tmp_path / "passages.jsonl").write_text('{"text": "Adding makes more."}\n')
    assert any("generate" in line for line in show("plan", folder=tmp_path).lines)
    assert show("plan", text="sdrl: 1\n").title == "not yet"


def test_samples_are_judged_one_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "artifacts").mkdir()
    rows = [{"id": name, "input": f"What is {name}?", "gold": "2", "solution": "#### 2"} for name in ("one", "two")]
    (tmp_path / "artifacts" / "review.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    first = show("review", str(tmp_path))
    assert (first.key, first.title.endswith("0 of 2 judged, 0 valid")) == ("one", True)
    services = Services()
    second = services.perform(Judge(3, str(tmp_path), "one", is_valid=True))
    assert isinstance(second, Shown)
    assert second.key == "two"
    done = services.perform(Judge(3, str(tmp_path), "two", is_valid=False, wrong=("output",), note="off by one"))
    assert isinstance(done, Shown)
    assert (done.key, done.title.endswith("2 of 2 judged, 1 valid")) == ("", True)
    judged = [json.loads(line) for line in (tmp_path / "review.jsonl").read_text().splitlines()]
    assert [(row["id"], row["valid"], row["wrong"], row["note"]) for row in judged] == [
        ("one", True, [], ""),
        ("two", False, ["output"], "off by one"),
    ]


def test_saving_is_whole_or_a_message(tmp_path: Path) -> None:
    stored = Services().perform(Save(str(tmp_path / "a.yaml"), SPEC))
    assert stored == Stored(str(tmp_path / "a.yaml"), digest(SPEC))
    assert (tmp_path / "a.yaml").read_text() == SPEC
    refused = Services().perform(Save(str(tmp_path / "a.yaml" / "b.yaml"), SPEC))
    assert isinstance(refused, Refused)
    assert "journal" in refused.help
