"""What an export holds, that it works without sdrl, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sdrl.cli.main import main
from sdrl.compiler.plan_file import read_plan
from sdrl.compiler.prompts import Prompts
from sdrl.export import TARGETS, export_run
from sdrl.export.hub import push
from sdrl.run.artifacts import Artifacts
from sdrl.run.folder import RunFolder
from sdrl.spec.diagnostics import SdrlError
from tests.export.agreement import HERE, ours, root_of, theirs, work_of
from tests.export.made_run import ROOT, TOY_BASE, write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("made") / "run")


@pytest.fixture(scope="module")
def exports(run: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("exports")
    for target in TARGETS:
        export_run(run, target, root / target)
    return {target: root / target for target in TARGETS}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_rows_carry_the_exact_prompt_of_the_training_and_their_provenance(run: Path, exports: dict[str, Path]) -> None:
    plan = read_plan(run / "plan")
    selected = [row for row in lines(run / "artifacts/select.jsonl") if row["split"] == "train"]
    rows = lines(exports["verifier"] / "data/train.jsonl")
    assert len(rows) == len(selected) == 9
    for row, chosen in zip(rows, selected, strict=True):
        assert row["prompt"] == Prompts(plan).answer(plan.parts[0], chosen["input"], None)
        assert row["messages"] == [{"role": "user", "content": row["prompt"]}]
        assert (row["gold"], row["passage"], row["correct"]) == (chosen["gold"], chosen["passage"], 2)
    assert json.loads((exports["verifier"] / "provenance.json").read_text())["plan"] == plan.hash


def test_test_rows_are_the_frozen_evaluation_sets_and_stay_out_of_what_is_published(
    run: Path, exports: dict[str, Path]
) -> None:
    sets = read_plan(run / "plan").evaluations
    rows = lines(exports["trl"] / "data/test.jsonl")
    assert {row["set"] for row in rows} == {each.name for each in sets}
    assert len(rows) == sum(each.rows for each in sets)
    assert not (exports["hf"] / "dataset/data/test.jsonl").exists()


def test_no_shipped_file_names_a_module_of_sdrl_in_an_import(exports: dict[str, Path]) -> None:
    files = [path for root in exports.values() for path in root.rglob("*.py")]
    assert len(files) > 100
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not line.strip().startswith(("from sdrl.", "import sdrl.", "from sdrl import")), path


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_each_exported_verifier_gives_our_verdicts_without_sdrl(target: str, run: Path, tmp_path: Path) -> None:
    export_run(run, target, tmp_path / "out")
    # forms of mathematics that need worker processes, seconds each, are left to ``python -m tests.export.agreement``
    work = work_of(300, every=5, without="math")
    mathematics = {"version": 1, "type": "math", "extract": {"kind": "boxed"}}
    work.append({"program": mathematics, "items": [(r"so \boxed{\frac12}", "0.5", None), (r"\boxed{3}", "4", None)]})
    found = theirs(target, root_of(target, tmp_path / "out"), work)
    assert found == ours(work)
    assert len({verdict for group in found for verdict in group}) >= 3


def test_a_verifier_that_is_a_program_of_ours_is_shipped_whole(exports: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(exports["verifier"], tmp_path / "out")
    program = {"version": 1, "type": "program", "extract": {"kind": "whole"}, "entry_point": "sql-sqlite"}
    database = {"input": "<database>CREATE TABLE t (a); INSERT INTO t VALUES (1), (2);</database>\nHow many?"}
    gold = "SELECT COUNT(*) FROM t"
    items = [("select count(a) from t", gold, database), ("SELECT 2 WHERE 0", gold, database), ("DROP", gold, database)]
    found = theirs("verifier", tmp_path / "out", [{"program": program, "items": items}])
    assert found == ours([{"program": program, "items": items}]) and found[0][0] == "correct"
    assert set(found[0][1:]) & {"incorrect", "unparsable"}


def test_stop_strings_and_weights_are_those_of_the_training(exports: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(exports["verifier"], tmp_path / "out")
    weights = {"correct": 1.0, "wrong": -0.25, "parsable": 0.5, "truncated": -1.0}
    (tmp_path / "out/settings.json").write_text(json.dumps({"stop": ["\n\nQ:"], "reward": weights}))
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'out')!r}); from verifier import reward\n"
        "print([reward('#### 3\\n\\nQ: x #### 4', '3'), reward('#### 4', '3'), reward('?', '3', truncated=True)])"
        "; print(reward('#### 3', 'no number'))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[1.0, 0.25, -1.25]", "None"]


def test_trl_trains_two_steps_with_the_shipped_verifier_and_no_sdrl(exports: dict[str, Path], tmp_path: Path) -> None:
    words = ["--model", str(TOY_BASE), "-o", str(tmp_path / "trained"), "--max-steps", "2", "--cpu"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-I", str(HERE / "without_sdrl.py"), str(exports["trl"] / "train.py"), *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**environment, "HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE"},
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["steps"] == 2 and len(told["rewards"]) == 2
    assert max(told["rewards"]) > 0  # the base solves some of these sums, so a verifier at work gives some reward
    before = (TOY_BASE / "model.safetensors").read_bytes()
    assert (tmp_path / "trained/model.safetensors").read_bytes() != before


def test_verl_rows_have_its_schema(exports: dict[str, Path]) -> None:
    import pyarrow.parquet as pq

    rows = pq.read_table(exports["verl"] / "train.parquet").to_pylist()
    plain = lines(exports["verl"] / "data/train.jsonl")
    assert set(rows[0]) == {"data_source", "prompt", "ability", "reward_model", "extra_info"}
    for row, one in zip(rows, plain, strict=True):
        assert row["prompt"] == [{"role": "user", "content": one["prompt"]}]
        assert row["reward_model"] == {"style": "rule", "ground_truth": one["gold"]}
        assert json.loads(row["extra_info"]["options"]) == one["options"]


@pytest.mark.parametrize("name", ["grpo.sh", "ppo.sh"])
def test_verl_is_launched_with_keys_of_its_published_configuration(
    name: str, exports: dict[str, Path], tmp_path: Path
) -> None:
    words = launched(exports["verl"] / name, tmp_path, "trainer.save_freq=7")
    known = (HERE / "verl_keys.txt").read_text(encoding="utf-8").split("\n")
    keys = [word.partition("=")[0] for word in words[2:]]
    assert words[:2] == ["-m", "verl.trainer.main_ppo"]
    assert not set(keys) - set(known)
    assert len(keys) == len(set(keys)) and keys[-1] == "trainer.save_freq"
    assert f"algorithm.adv_estimator={'gae' if name == 'ppo.sh' else 'grpo'}" in words
    assert ("critic.optim.lr=1e-05" in words) == (name == "ppo.sh")


def launched(script: Path, tmp_path: Path, *more: str) -> list[str]:
    """The words that a launch script gives to Python; a python3 that prints them stands in for it."""
    fake = tmp_path / "bin/python3"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\ncase "$1" in *raw_template.py) echo TEMPLATE;; *) printf "%s\\n" "$@";; esac\n')
    fake.chmod(0o755)
    environment = {**os.environ, "PATH": f"{fake.parent}:{os.environ['PATH']}", "MODEL": "some/base"}
    done = subprocess.run(["bash", str(script), *more], capture_output=True, text=True, check=True, env=environment)
    return done.stdout.splitlines()


def test_the_data_set_card_states_terms_and_splits(exports: dict[str, Path]) -> None:
    import yaml

    _, head, body = (exports["hf"] / "dataset/README.md").read_text(encoding="utf-8").split("---\n", 2)
    card = yaml.safe_load(head)
    paths = [each["path"] for each in card["configs"][0]["data_files"]]
    assert paths == ["data/train.jsonl", "data/validation.jsonl"]
    assert all((exports["hf"] / "dataset" / path).is_file() for path in paths)
    assert "terms for its outputs" in body and "passages the rows were written from" in body
    assert "9 train, 3 validation rows" in body and "0 test" not in body
    assert "of a test row" not in body, "a data set without test rows explains none"
    assert "Question answering about everyday arithmetic" in body
    assert (exports["hf"] / "model/README.md").is_file() and (exports["hf"] / "model/config.json").is_file()


def test_a_push_sends_data_set_and_model_and_needs_a_token(
    run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    export_run(run, "hf", tmp_path / "hub")
    sent: list[tuple[str, str, str]] = []

    def upload_to_nowhere(kind: str, repository: str, folder: Path, token: str) -> None:
        sent.append((kind, folder.name, token))

    monkeypatch.setenv("HF_TOKEN", "hf_made_up")
    addresses = push(tmp_path / "hub", "me/sums", upload=upload_to_nowhere)
    card = (tmp_path / "hub/dataset/README.md").read_text(encoding="utf-8")
    assert 'load_dataset("me/sums", split="train")' in card and "OWNER/NAME" not in card
    assert sent == [("dataset", "dataset", "hf_made_up"), ("model", "model", "hf_made_up")]
    assert addresses == ["https://huggingface.co/datasets/me/sums", "https://huggingface.co/me/sums"]
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "none"))
    monkeypatch.setattr("sdrl.export.hub._saved_token", lambda: None)
    with pytest.raises(SdrlError, match="no Hugging Face token") as refused:
        push(tmp_path / "hub", "me/sums", upload=upload_to_nowhere)
    assert "HF_TOKEN" in (refused.value.help or "") and len(sent) == 2


def test_a_command_that_cannot_be_done_says_why_and_writes_nothing(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    assert main(["export", str(run), "--to", "trl", "-o", str(full)]) == 2
    assert main(["export", str(tmp_path / "none"), "--to", "trl", "-o", str(tmp_path / "new")]) == 2
    assert main(["export", str(run), "--to", "trl", "-o", str(tmp_path / "new"), "--push", "me/sums"]) == 2
    assert main(["export", str(run), "--to", "hf", "-o", str(tmp_path / "new"), "--push", "sums"]) == 2
    told = capsys.readouterr().err
    for words in ("is not empty", "there is no run", "--push goes with --to hf", "not OWNER/NAME"):
        assert words in told
    assert [path.name for path in full.iterdir()] == ["mine.txt"] and not (tmp_path / "new").exists()


def test_of_several_rounds_the_last_one_s_samples_are_exported(tmp_path: Path) -> None:
    spec = (ROOT / "specs/word-problems.yaml").read_text(encoding="utf-8")
    for folder in ("passages", "data", "prompts"):
        (tmp_path / folder).symlink_to(ROOT / "specs" / folder)
    (tmp_path / "twice.yaml").write_text(spec + "\nrounds: 2\n", encoding="utf-8")
    run = write_run(tmp_path / "run", tmp_path / "twice.yaml")
    with pytest.raises(SdrlError, match="has not selected"):
        export_run(run, "verifier", tmp_path / "early")
    folder, plan = RunFolder(run), read_plan(run / "plan")
    rows = Artifacts(folder, run).rows("select")[:4]
    Artifacts(folder, run).write(
        "select-2", plan.stage("select-2").hash, rows, [], came_in=4, seconds=1.0, notes={}, versions={}
    )
    export_run(run, "verifier", tmp_path / "out")
    assert [row["id"] for row in lines(tmp_path / "out/data/train.jsonl")] == [row["id"] for row in rows[:3]]


def test_the_environment_s_readme_names_commands_that_verifiers_has(exports: dict[str, Path]) -> None:
    text = (exports["verifiers"] / "README.md").read_text(encoding="utf-8")
    commands = [line.split()[0] for line in text.splitlines() if line.startswith("    ")]
    assert commands == ["pip", "vf-validate", "vf-eval"]  # of verifiers 0.4.0; ``eval`` is a word of the shell


def test_a_run_without_selected_samples_is_refused(run: Path, tmp_path: Path) -> None:
    unfinished = tmp_path / "run"
    (unfinished / "artifacts").mkdir(parents=True)
    (unfinished / "plan").symlink_to(run / "plan")
    with pytest.raises(SdrlError, match="has not selected"):
        export_run(unfinished, "verifier", tmp_path / "out")
