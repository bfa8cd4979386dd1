"""A rehearsal on the CPU, end to end: random weights served, scored, trained, killed, resumed, evaluated."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from sdrl.cli.main import main
from sdrl.cli.rehearse import report
from sdrl.compiler.compile import compile_spec, write_plan
from sdrl.compiler.identities import embedded_folder
from sdrl.compiler.model_shape import FAMILIES, known_shape, read_shape
from sdrl.compiler.plan_file import read_plan
from sdrl.run.peak_memory import PeakMemory
from sdrl.run.random_weights import config_of
from sdrl.run.rehearsal_forecast import forecast
from sdrl.run.rehearse import Measured, Rehearsal
from tests.compiler.project import SPEC, write_project
from tests.waiting import comes_true

PARTS = ["weights", "serve", "score", "free", "train", "resume", "evaluate"]


def children() -> set[int]:
    """Processes below this one."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    tree = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in tree} - tree:
        tree |= more
    return tree - {os.getpid()}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("train", "said"),
    [
        ("learning_rate: 1e-6", "grpo, killed after the first checkpoint (0.00 GB on disk)"),
        (
            "algorithm: rft, lora: {rank: 8, alpha: 16}, learning_rate: 2e-4",
            "rft, adapters of rank 8, killed after the first checkpoint (0.00 GB on disk)",
        ),
    ],
)
def test_every_part_is_played_on_a_cpu_and_nothing_is_left_running(
    train: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = write_project(tmp_path, SPEC.replace("learning_rate: 1e-6", train))
    shutil.rmtree(tmp_path / "base")
    shutil.copytree(embedded_folder() / "toy_base", tmp_path / "base")
    compiled = compile_spec(spec)
    compiled.require()
    write_plan(compiled, tmp_path / "plan")
    before = children()
    assert main(["rehearse", str(tmp_path / "plan"), "--small", "--run", str(tmp_path / "out"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert children() <= before
    assert [part["stage"] for part in found["parts"]] == PARTS
    parts = {part["stage"]: part for part in found["parts"]}
    assert all(part["seconds"] > 0 and part["peak_gb"] > 0 for part in parts.values())
    assert all(parts[stage]["tokens_per_second"] > 0 for stage in ("score", "train", "resume", "evaluate"))
    assert parts["resume"]["note"] == "from step 1 to 3"
    assert parts["train"]["note"] == said
    rows = (tmp_path / "out" / "training" / "train.jsonl").read_text().splitlines()
    learned = [json.loads(row).get("completion") for row in rows]
    assert all(learned) if "rft" in train else not any(learned)
    assert (found["memory_of"], found["tokenizer"], found["is_small"]) == ("RSS", "the model's own", True)
    assert found["forecast"] is None
    assert json.loads((tmp_path / "out" / "rehearsal.json").read_text()) == found
    assert (tmp_path / "out" / "model" / "model.safetensors").is_file()
    assert "no forecast" in report(found)
    assert read_plan(tmp_path / "plan").hash == found["plan_hash"]


def rehearsed(**rates: float) -> Rehearsal:
    """What a rehearsal at full shape might have measured."""
    parts = [Measured(stage, seconds=1.0, tokens=int(rates.get(stage, 0))) for stage in PARTS]
    return Rehearsal(parts, step_seconds=[9.0, 11.0], completion_tokens=100.0)


def test_the_forecast_is_tokens_over_rates_and_updates_times_seconds(tmp_path: Path) -> None:
    plan = compile_spec(write_project(tmp_path, SPEC + "hardware: {gpus: 4, nodes: 2}\n")).require()
    found = forecast(plan, rehearsed(score=500, evaluate=100), 2.0)
    assert found is not None
    stages = {entry["stage"]: entry for entry in plan.estimate["stages"]}
    scored = stages["score"]["worst"]["completion_tokens"]
    assert found["stages_hours"]["score"]["worst"] == pytest.approx(scored / 500 / 3600, abs=1e-4)
    updates = plan.estimate["training"]["updates"]
    assert found["stages_hours"]["train"]["worst"] == pytest.approx(updates * 10 / 3600, abs=1e-4)
    assert found["stages_hours"]["train"]["expected"] <= found["stages_hours"]["train"]["worst"]
    assert found["gpu_hours"]["worst"] == pytest.approx(8 * found["hours"]["worst"], abs=1e-3)
    assert found["gpus_microusd"]["worst"] == pytest.approx(2e6 * found["gpu_hours"]["worst"], rel=0.01)
    assert found["instructor_microusd"]["worst"] == plan.estimate["instructor"]["worst"]["microusd"]


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_known_shape_makes_a_configuration_of_that_shape(name: str) -> None:
    shape = known_shape(name)
    assert shape is not None
    assert read_shape(config_of(shape)) == shape


def test_a_folder_with_other_things_is_not_written_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compiled = compile_spec(write_project(tmp_path / "project"))
    write_plan(compiled, tmp_path / "plan")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("…")
    assert main(["rehearse", str(tmp_path / "plan"), "--run", str(tmp_path / "mine")]) == 2
    assert "holds other things" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


def test_a_model_that_is_none_is_one_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compiled = compile_spec(write_project(tmp_path))  # its base is a folder whose config.json says nothing
    write_plan(compiled, tmp_path / "plan")
    assert main(["rehearse", str(tmp_path / "plan"), "--small", "--run", str(tmp_path / "out")]) == 1
    assert "E883: no random model could be made" in capsys.readouterr().err


def test_the_peak_is_of_this_process_and_its_children() -> None:
    with PeakMemory() as peak:
        held = bytearray(200_000_000)
        comes_true(lambda: peak.gb > 0.2)  # the watching thread alone writes the figure
        del held
    assert peak.of in ("RSS", "GPU")
    assert peak.gb > 0.2
