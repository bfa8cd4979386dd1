"""A plan folder round-trips, and a changed byte is named by its field."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from sdrl.compiler.canonical import pretty_json
from sdrl.compiler.compile import compile_spec, write_plan
from sdrl.compiler.plan import Plan
from sdrl.compiler.plan_file import copy_plan, read_plan
from sdrl.compiler.seals import seal_sections
from sdrl.spec.diagnostics import Exit, SdrlError
from tests.compiler.project import write_project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    spec = write_project(tmp_path)
    write_plan(compile_spec(spec), tmp_path / "sums.plan")
    return tmp_path / "sums.plan"


def tampered(folder: Path) -> SdrlError:
    with pytest.raises(SdrlError) as caught:
        read_plan(folder)
    assert caught.value.exit == Exit.STALE
    return caught.value


def test_a_plan_reads_back_as_it_was_written(folder: Path) -> None:
    compiled = compile_spec(folder.parent / "sums.yaml").plan
    plan = read_plan(folder)
    assert compiled == plan
    assert plan.folder == folder
    assert plan.base_dir == folder.parent.resolve()
    assert plan.evaluation_path(plan.evaluations[0]).read_text().count("\n") == 6


@pytest.mark.parametrize(
    ("pattern", "replacement", "named"),
    [
        (r'"draws": 8', '"draws": 9', "settings.vote.draws"),
        (r'"license": "CC0-1.0",\n      "path"', '"license": "MIT",\n      "path"', "corpus.0.license"),
        (r'"learning_rate": 1e-06', '"learning_rate": 1e-05', "settings.train.learning_rate"),
        (r'"name": "sums"', '"name": "subs"', "name"),
        (r'"output": 10.0', '"output": 0.0', "settings.models.instructor.price.output"),
        (r'1(\n +},\n +"name": "probe")', '2\n      },\n      "name": "probe"', "stages.5.identity.version"),
        (r'"trl": ">=1.16,<1.17"', '"trl": ">=1.15,<1.17"', "requires.trl"),
        (r'"vote.draws": "spec:\d+"', '"vote.draws": "default"', "origins.vote.draws"),
    ],
)  # fmt: skip
def test_a_changed_value_is_named_by_its_path(folder: Path, pattern: str, replacement: str, named: str) -> None:
    path = folder / "plan.json"
    text, count = re.subn(pattern, lambda _: replacement, path.read_text(), count=1)
    assert count == 1, "the pattern must be in the plan"
    path.write_text(text)
    assert named in tampered(folder).message


def test_a_changed_stage_hash_is_named(folder: Path) -> None:
    document = json.loads((folder / "plan.json").read_text())
    hash_ = document["stages"][4]["hash"]
    text = (folder / "plan.json").read_text().replace(hash_, "0" * 64)
    (folder / "plan.json").write_text(text)
    assert "stages.4.hash" in tampered(folder).message


def test_a_forged_plan_whose_seals_hold_is_found_by_deriving_its_stages_again(folder: Path) -> None:
    path = folder / "plan.json"
    document = json.loads(path.read_text())
    document["settings"]["vote"]["draws"] = 9
    document["seals"] = seal_sections(document)
    path.write_bytes(pretty_json(document))
    error = tampered(folder)
    assert error.code == "E604"
    assert "stages.vote.identity.settings.vote.draws" in error.message


def test_a_removed_value_and_a_changed_seal_are_named(folder: Path) -> None:
    path = folder / "plan.json"
    whole = path.read_text()
    path.write_text(re.sub(r'  "pending": \[\],\n', "", whole))
    assert "pending" in tampered(folder).message
    path.write_text(whole.replace('"sha256": "', '"sha256": "0', 1))
    assert tampered(folder).code == "E602"


def test_white_space_in_plan_json_is_a_change_too(folder: Path) -> None:
    path = folder / "plan.json"
    path.write_text(path.read_text() + "\n")
    assert "layout of plan.json" in tampered(folder).message


@pytest.mark.parametrize("name", ["prompts/generate.jinja", "data/evaluate-test.jsonl", "data/demos.jsonl"])
def test_a_changed_file_is_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes().replace(b"1", b"2", 1) + b" ")
    assert name in tampered(folder).message


def test_the_changed_field_of_the_verifier_is_named(folder: Path) -> None:
    path = folder / "verifier.json"
    path.write_text(path.read_text().replace('"last"', '"first"'))
    assert 'verifier.json:8: verifier.take (compiled "last", now "first")' in tampered(folder).message


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "data" / "evaluate-test.jsonl").unlink()
    assert "data/evaluate-test.jsonl (missing)" in tampered(folder).message


def test_every_single_changed_byte_of_plan_json_is_found(folder: Path) -> None:
    path = folder / "plan.json"
    whole = path.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 150)):
        changed = bytes([whole[at] ^ 1])
        path.write_bytes(whole[:at] + changed + whole[at + 1 :])
        assert tampered(folder).code in ("E602", "E604"), at


def test_a_folder_without_a_plan_and_a_plan_of_another_version_are_refused(folder: Path, tmp_path: Path) -> None:
    assert tampered(tmp_path).code == "E601"
    path = folder / "plan.json"
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 2', 1))
    assert tampered(folder).code in ("E602", "E604")


def test_a_folder_with_other_things_is_never_written_into(tmp_path: Path) -> None:
    compiled = compile_spec(write_project(tmp_path))
    other = tmp_path / "data"
    other.mkdir()
    (other / "data").mkdir()
    (other / "data" / "mine.txt").write_text("mine")
    with pytest.raises(SdrlError) as caught:
        write_plan(compiled, other)
    assert caught.value.code == "E608"
    assert (other / "data" / "mine.txt").read_text() == "mine"


def test_compiling_again_into_a_plan_folder_leaves_no_old_files(folder: Path) -> None:
    (folder / "prompts" / "old.jinja").write_text("old")
    write_plan(compile_spec(folder.parent / "sums.yaml"), folder)
    assert not (folder / "prompts" / "old.jinja").exists()
    assert read_plan(folder).pending == ()


def test_a_copied_plan_still_finds_the_spec_folder(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "runs" / "sums" / "plan"
    copy_plan(read_plan(folder), target)
    copied = read_plan(target)
    assert copied.hash == read_plan(folder).hash
    assert copied.base_dir == tmp_path.resolve()
    again = tmp_path / "elsewhere" / "plan"
    copy_plan(copied, again)
    assert read_plan(again).base_dir == tmp_path.resolve()


def test_seeds_follow_from_the_plan_and_the_words_alone(folder: Path) -> None:
    plan = read_plan(folder)
    assert plan.seed_for("vote", 3) == plan.seed_for("vote", 3)
    assert plan.seed_for("vote", 3) != plan.seed_for("vote", 4)
    assert 0 <= plan.seed_for("x") < 2**31
    other = replace(plan, settings=plan.settings.model_copy(update={"seed": 8}))
    assert isinstance(other, Plan) and other.seed_for("vote", 3) != plan.seed_for("vote", 3)
