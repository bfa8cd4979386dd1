"""Panels made of a spec's text and of a run's files, without an app."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from sdrl.authoring.effects import Save, Show
from sdrl.authoring.events import Acted, Refused, Shown, Stored
from sdrl.authoring.services import Services
from sdrl.authoring.sheet import COLUMNS
from sdrl.authoring.state import digest
from sdrl.authoring.workbench import Workbench, opened
from sdrl.cli.main import main
from sdrl.compiler.compile import compile_spec, write_plan
from sdrl.compiler.readme import dollars
from tests.authoring.small_spec import SMALL

SPEC = SMALL + "corpus: [{files: [passages.jsonl], license: CC0-1.0}]\n"


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
    assert "2 passages, the best 1 for 'sum of numbers'" in panel.lines
    (line,) = [at for at, line in enumerate(panel.lines) if "makes a sum" in line]
    marked = [panel.lines[line][mark.start : mark.end] for mark in panel.marks if mark.line == line]
    assert marked == ["numbers"]  # 'sum' is as short as 'the'
    given = show("retrieve", text=f"{SPEC}retrieve: {{keywords: [rain, hills]}}\n", folder=tmp_path)
    assert given.lines[0] == "keywords (of the spec): rain, hills"
    assert any("Rain falls" in line for line in given.lines)
    assert any("makes a sum" in line for line in panel.lines)
    assert "not yet" in show("retrieve", "sum", SPEC.replace("passages.jsonl", "none.jsonl"), tmp_path).title


def test_a_plan_has_requests_and_costs(tmp_path: Path) -> None:
    (tmp_path / "passages.jsonl").write_text('{"text": "Adding makes more."}\n')
    assert any("generate" in line for line in show("plan", folder=tmp_path).lines)
    assert show("plan", text="sdrl: 1\n").title == "not yet"


def test_a_panel_that_cannot_be_shown_yet_says_what_to_do() -> None:
    told = "\n".join(show("plan", text=SPEC.replace("type: number", "type: nummer")).lines)
    assert "E205 answer.type" in told and "help: did you mean 'number'?" in told


def test_saving_is_whole_or_a_message(tmp_path: Path) -> None:
    stored = Services().perform(Save(str(tmp_path / "a.yaml"), SPEC))
    assert stored == Stored(str(tmp_path / "a.yaml"), digest(SPEC))
    assert (tmp_path / "a.yaml").read_text() == SPEC
    refused = Services().perform(Save(str(tmp_path / "a.yaml" / "b.yaml"), SPEC))
    assert isinstance(refused, Refused)
    assert "journal" in refused.help


def test_the_plan_panel_says_what_sdrl_plan_says_and_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "passages.jsonl").write_text('{"text": "Adding makes more."}\n')
    price = (
        "models: {instructor: {model: m-2024-08-06, endpoint: 'http://127.0.0.1:9/v1', price: {input: 9, output: 99}}, "
    )
    text = SPEC + price + "base: {model: toy-base, serve: embedded}}\nbudget: {usd: 1000}\n"
    (tmp_path / "sums.yaml").write_text(text)
    panel = show("plan", text=text, folder=tmp_path)
    plan = compile_spec(tmp_path / "sums.yaml").require()
    asked = plan.estimate["instructor"]
    assert panel.title == f"plan sums {plan.hash[:12]}"
    assert (
        f"requests   {asked['expected']['requests']:,} expected, {asked['worst']['requests']:,} at worst"
        in "\n".join(panel.lines)
    )
    assert f"cost       {dollars(asked['expected']['microusd'])} expected" in panel.lines[0]
    assert "no run of sums lies here yet" in "\n".join(panel.lines)
    assert max(map(len, panel.lines)) <= COLUMNS


def test_the_plan_panel_says_what_of_the_last_run_would_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "passages.jsonl").write_text('{"text": "Adding makes more."}\n')
    for number, seed in (("", 1), ("-2", 0)):  # the run written last counts
        run = tmp_path / "runs" / f"sums{number}"
        (tmp_path / "sums.yaml").write_text(f"{SPEC}seed: {seed}\n")
        write_plan(compile_spec(tmp_path / "sums.yaml"), run / "plan")
        (run / "events.jsonl").write_text("")
        os.utime(run / "events.jsonl", (len(number), len(number)))
    assert "runs again nothing: runs/sums-2 ran this very plan" in show("plan", folder=tmp_path).lines
    changed = show("plan", text=f"{SPEC}train: {{epochs: 3}}\n", folder=tmp_path)
    assert "runs again train, evaluate (beside runs/sums-2)" in changed.lines
    (line,) = [line for line in changed.lines if line.startswith("~ train.epochs")]
    at = changed.lines.index(line)
    assert [mark.style for mark in changed.marks if mark.line == at] == ["warn"]


def test_a_run_that_is_not_there_names_those_that_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "runs" / "other"
    run.mkdir(parents=True)
    started = {"type": "run_started", "name": "other", "plan_hash": "ab" * 32, "stages": ["train"], "pid": 1}
    (run / "events.jsonl").write_text(json.dumps(started) + "\n")
    assert "  /run runs/other" in show("run", "runs/none").lines
    assert show("run", "other").title == "run runs/other"
    assert "its process is gone" in show("run", "other").lines[0]


def test_the_prediction_is_marked_in_the_completion_and_needs_no_colour() -> None:
    panel = show("verify", "I think.\\nSo it is: #### 3 => 3")
    (slot,) = [mark for mark in panel.marks if mark.style == "slot"]
    line = panel.lines[slot.line]
    assert (line, line[slot.start : slot.end]) == ("So it is: #### 3", "3")
    assert panel.lines[slot.line + 1] == " " * line.index("3") + "^"
    assert "verdict     correct (equals the gold)" in panel.lines
    assert not [mark for mark in show("verify", "nothing => 3").marks if mark.style == "slot"]


def test_a_prompt_shows_its_tokens_and_what_of_it_is_not_saved(tmp_path: Path) -> None:
    bench = Workbench()
    (tmp_path / "passages.jsonl").write_text('{"text": "Adding makes more."}\n')
    (tmp_path / "sums.yaml").write_text(SPEC)
    bench.dispatch(opened(tmp_path / "sums.yaml"))
    before = bench.dispatch(Acted("prompt", "solve")).panels["prompt"]
    assert re.fullmatch(r"# [\d,]+ bytes, about [\d,]+ tokens \(.*\)", before.lines[0])
    assert not any(line.startswith("+") for line in before.lines)
    after = bench.dispatch(Acted("set", "task.output_format Write the number after #### and nothing else.")).panels[
        "prompt"
    ]
    assert any(re.fullmatch(r"not saved yet: \+\d tokens", line) for line in after.lines)
    (gone, new) = [line for line in after.lines if line[:1] in "+-" and "after ####" in line]
    assert (gone[0], new[0]) == ("-", "+")
    assert "and nothing else." in new
    kept = bench.dispatch(Acted("save")).panels["prompt"]
    assert kept is after  # drawn anew when it is looked at
    assert not any(line.startswith("+") for line in bench.dispatch(Acted("prompt", "solve")).panels["prompt"].lines)
