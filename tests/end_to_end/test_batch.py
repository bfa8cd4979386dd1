"""A run whose instructor is asked by batch has the rows of one that asks directly."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sdrl.cli.main import main
from sdrl.run.events import read_events
from tests.compiler.project import write_project
from tests.diagnostics.scenes_run import SPEC
from tests.models.imitation_batch import ImitationBatchApi, serving
from tests.models.test_batches import QUICK


def says(body: dict[str, Any], place: int) -> str:
    """Writes readable examples; every third problem splits its votes, so that votes go out in several waves."""
    text = str(body["messages"])
    if "response_format" in body:
        item = text[text.index("Passage ") :][:9]
        return json.dumps({"input": f"{item}: what is 1 plus 2?", "output": "#### 3"})
    (number,) = re.findall(r"Passage (\d)", text)
    return "#### 4" if int(number) % 3 == 0 and place == 1 else "#### 3"


def rows_of(folder: Path, api: ImitationBatchApi, *, batch: bool) -> dict[str, bytes]:
    spec = SPEC.format(url=api.url).replace("some-model,", f"some-model, batch: {str(batch).lower()},")
    write_project(folder, spec.replace("stop_early: false", "stop_early: true"))
    words = ["--run", str(folder / "run"), "--store", str(folder / "store"), "--until", "vote", "--yes"]
    assert main(["run", str(folder / "sums.yaml"), *words]) == 0
    return {path.name: path.read_bytes() for path in (folder / "run" / "artifacts").glob("*.jsonl")}


def test_a_run_by_batch_has_the_rows_of_one_that_asks_directly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sdrl.models.batches.Pace", lambda: QUICK)
    with serving(ImitationBatchApi(says=says)) as api:
        directly = rows_of(tmp_path / "directly", api, batch=False)
        assert api.batches == {}
        by_batch = rows_of(tmp_path / "by batch", api, batch=True)
    assert directly == by_batch
    assert len(by_batch["vote.jsonl"].splitlines()) == 4
    assert 3 <= len(api.batches) <= 6  # generate, and some waves of votes
    states = [
        event for event in read_events(tmp_path / "by batch" / "run" / "events.jsonl") if event["type"] == "batch"
    ]
    assert {event["batch"] for event in states} == set(api.batches)
