"""A plan from a stranger, whose seals are all right because he made them too, names nothing outside its own folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdrl.cli.main import main
from sdrl.compiler.canonical import digest_bytes, pretty_json
from sdrl.compiler.changes import line_digests
from sdrl.compiler.compile import compile_spec, write_plan
from sdrl.compiler.plan_file import read_plan
from sdrl.compiler.seals import seal_sections
from sdrl.spec.diagnostics import SdrlError
from tests.compiler.project import write_project

Document = dict[str, Any]


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    compiled = compile_spec(write_project(tmp_path))
    write_plan(compiled, tmp_path / "sums.plan")
    return tmp_path / "sums.plan"


def forge(plan: Path, change: Callable[[Document], None]) -> None:
    """Change the document and make every digest of it anew, as a stranger with our code would."""
    document = json.loads((plan / "plan.json").read_bytes())
    change(document)
    contents = {name: (plan / name).read_bytes() for name in document["files"] if (plan / name).is_file()}
    document["files"] = {name: digest_bytes(contents.get(name, b"")) for name in document["files"]}
    document["lines"] = line_digests(contents)
    document["seals"] = seal_sections(document)
    (plan / "plan.json").write_bytes(pretty_json(document))


def _name(document: Document) -> None:
    document["name"] = document["settings"]["name"] = "../../outside"


def _file(document: Document) -> None:
    document["files"]["../outside.txt"] = ""


def _absolute_file(document: Document) -> None:
    document["files"]["/etc/hostname"] = ""


def _evaluation_file(document: Document) -> None:
    document["evaluations"][0]["file"] = "/etc/hostname"


def _evaluation_list(document: Document) -> None:
    document["evaluations"][0]["file"] = []


def _evaluation_name(document: Document) -> None:
    document["evaluations"][0]["name"] = "../../test"


def _part_name(document: Document) -> None:
    document["parts"][0]["name"] = "../all"


FORGERIES = [_name, _file, _absolute_file, _evaluation_file, _evaluation_list, _evaluation_name, _part_name]


def test_a_plan_that_only_was_sealed_again_is_read(plan: Path) -> None:
    """The forger works: without a strange name his plan passes."""
    forge(plan, lambda document: None)
    assert read_plan(plan).name == "sums"


@pytest.mark.parametrize("change", FORGERIES, ids=lambda change: change.__name__.strip("_"))
def test_names_that_would_lead_outside_are_refused(plan: Path, change: Callable[[Document], None]) -> None:
    forge(plan, change)
    with pytest.raises(SdrlError) as refused:
        read_plan(plan)
    assert refused.value.code in ("E609", "E602", "E604")
    assert refused.value.exit == 3


@pytest.mark.parametrize("change", FORGERIES, ids=lambda change: change.__name__.strip("_"))
def test_and_running_it_writes_nothing(
    plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Document], None]
) -> None:
    forge(plan, change)
    work = tmp_path / "deep" / "work"
    work.mkdir(parents=True)
    monkeypatch.chdir(work)
    before = {path for path in tmp_path.rglob("*")}
    assert main(["run", str(plan)]) == 3
    assert {path for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_file_that_is_no_file_is_not_opened(plan: Path, tmp_path: Path, kind: str) -> None:
    target = plan / "data" / "evaluate-test.jsonl"
    content = target.read_bytes()
    target.unlink()
    if kind == "pipe":
        os.mkfifo(target)  # reading it would wait for ever
    else:
        (tmp_path / "elsewhere.jsonl").write_bytes(content)
        target.symlink_to(tmp_path / "elsewhere.jsonl")
    with pytest.raises(SdrlError, match=r"evaluate-test\.jsonl \(not a regular file\)"):
        read_plan(plan)
