"""Checkpoints on the test sets, several rounds, and figures as PNG: what the page shows of them."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from sdrl.cli.main import main
from sdrl.report import build_page, png, read_figures, to_text
from sdrl.report.blocks import Table
from sdrl.report.graphs import graphs, missing
from sdrl.report.svg import columns, standalone
from sdrl.run.artifacts import Artifacts
from sdrl.run.folder import RunFolder
from sdrl.run.post_hoc import FEW_SHOT, POST_HOC
from tests.report import fixture_run


def write_post_hoc(root: Path, *, stage_hash: str = "h") -> None:
    rows = []
    for step, right in ((0, 1), (20, 3), (40, 2)):
        for problem in range(4):
            verdict = "correct" if problem < right else "incorrect"
            text = "wait, let me check: #### 1" if step else "#### 1"
            about = {"set": "test", "shift": "iid", "problem": str(problem), "run": 0, "model": f"step {step}"}
            rows.append({**about, "step": step, "verdict": verdict, "gold": "1", "completion": text})
    artifacts = Artifacts(RunFolder(root), root)
    notes = {"chosen": 40, "models": {}}
    artifacts.write(POST_HOC, stage_hash, rows, [], came_in=len(rows), seconds=1.0, notes=notes, versions={})


def test_the_curve_is_that_of_the_rows_and_marks_the_chosen_step(tmp_path: Path) -> None:
    root = fixture_run.write_run(tmp_path / "run")
    assert any("--post-hoc" in words for words in missing(read_figures(root)))
    before = read_figures(root)
    write_post_hoc(root)
    figures = read_figures(root)
    points = figures["post_hoc"]["sets"]["test"]
    assert [(each["step"], each["accuracy"]) for each in points] == [(0, 0.25), (20, 0.75), (40, 0.5)]
    assert [each["reflection_share"] for each in points] == [0.0, 1.0, 1.0]
    assert not any("--post-hoc" in words for words in missing(figures))
    picture = next(each.picture for each in graphs(figures) if each.name == "post-hoc")
    assert "chosen: step 40" in picture
    assert "test, step 20: 75 %" in picture
    assert {**figures, "post_hoc": None} == before, "a curve after the fact changes no other figure"


def test_what_was_asked_after_the_fact_stands_in_the_table_of_costs(tmp_path: Path) -> None:
    figures = read_figures(fixture_run.write_run(tmp_path / "run"))
    spent = {"requests": 7, "cached": 0, "tokens": 900, "usd": 0.5}
    by = {**figures["usage"]["by"], "post-hoc/step 20": spent}
    more = {**figures, "usage": {**figures["usage"], "by": by}}
    costs = next(each for each in build_page(more).sections if each.title == "Time and cost")
    rows = {row[0]: row for block in costs.blocks if isinstance(block, Table) for row in block.rows}
    assert rows["post-hoc"] == ("post-hoc", "–", "7", "0", "900", "0.50")
    assert list(rows)[-2:] == ["post-hoc", "all"]
    assert "post-hoc: $0.50, 900 tokens" in next(each.picture for each in graphs(more) if each.name == "cost")


def test_the_base_model_behind_demos_stands_beside_the_trained_one(tmp_path: Path) -> None:
    root = fixture_run.write_run(tmp_path / "run")
    before = read_figures(root)
    artifacts = Artifacts(RunFolder(root), root)
    rows = [{**row, "model": "few-shot"} for row in artifacts.rows("evaluate") if row["model"] == "base"]
    seal = {"came_in": len(rows), "seconds": 1.0, "notes": {"demos": {"test": 3}}, "versions": {}}
    artifacts.write(FEW_SHOT, "h", rows, [], **seal)
    figures = read_figures(root)
    beside, strict = figures["few_shot"]["test"], figures["evaluations"][0]
    assert list(figures["few_shot"]) == ["test"]
    assert beside["few_shot"] == strict["base"] and beside["gain"] == strict["gain"] and beside["demos"] == 3
    said = " ".join(to_text(build_page(figures)).split())
    assert "With up to 3 demos before each problem the base model is right in" in said
    assert f"is {100 * strict['gain']:.1f} points better (95 % interval" in said
    assert {**figures, "few_shot": None} == before, "what was asked after the fact changes no other figure"
    artifacts.write(FEW_SHOT, "of another plan", rows, [], **seal)
    assert read_figures(root)["few_shot"] is None


def test_answers_of_another_evaluation_are_not_shown(tmp_path: Path) -> None:
    root = fixture_run.write_run(tmp_path / "run")
    write_post_hoc(root, stage_hash="of another plan")
    assert read_figures(root)["post_hoc"] is None


def two_rounds(root: Path) -> dict[str, Any]:
    fixture_run.write_run(root)
    plan = json.loads((root / "plan/plan.json").read_text())
    plan["settings"]["rounds"] = 2
    (root / "plan/plan.json").write_text(json.dumps(plan))
    artifacts = Artifacts(RunFolder(root), root)
    for stage in ("score", "select", "train"):
        rows = artifacts.rows(stage)
        if stage == "score":
            rows = [{**row, "correct": row["draws"], "pass_rate": 1.0} for row in rows]
        notes = {"best_step": 20} if stage == "train" else {}
        artifacts.write(f"{stage}-2", "h", rows, [], came_in=len(rows), seconds=1.0, notes=notes, versions={})
    return read_figures(root)


def test_each_round_has_its_curve_and_its_pass_rates(tmp_path: Path) -> None:
    figures = two_rounds(tmp_path / "run")
    assert [each["round"] for each in figures["training"]["rounds"]] == [1, 2]
    assert figures["training"]["best_step"] == 20
    first, second = figures["pass_rates_by_round"]
    assert first["n"] == second["n"] == second["always"] > first["always"]
    pictures = {each.name: each.picture for each in graphs(figures)}
    for name in ("reward", "validation", "pass-rates-by-round"):
        assert "round 1" in pictures[name] and "round 2" in pictures[name]


def test_of_a_single_round_nothing_is_named_a_round(tmp_path: Path) -> None:
    figures = read_figures(fixture_run.write_run(tmp_path / "run"))
    assert figures["training"]["rounds"] == figures["pass_rates_by_round"] == []
    assert not any("round 1" in each.picture for each in graphs(figures))


def pixels(data: bytes) -> tuple[int, int, set[bytes]]:
    """Width, height and the different bytes' quadruples of an RGBA PNG whose lines are not filtered away."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert (depth, kind) == (8, 6)
    at, packed = 8, b""
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += 12 + length
    raw = zlib.decompress(packed)
    assert len(raw) == height * (1 + 4 * width)
    return width, height, {raw[n : n + 4] for n in range(1, len(raw) - 4, 4)}


def test_each_figure_is_a_png_too_and_its_words_are_drawn(tmp_path: Path) -> None:
    if (reason := png.why_not()) is not None:
        pytest.fail(f"the development environment draws PNG: {reason}")
    root = fixture_run.write_run(tmp_path / "run")
    assert main(["report", str(root), "-o", f"{tmp_path}/all/"]) == 0
    drawn = {path.stem for path in (tmp_path / "all").glob("*.png")}
    assert drawn == {path.stem for path in (tmp_path / "all").glob("*.svg")} >= {"gains", "pass-rates"}
    width, height, colours = pixels((tmp_path / "all" / "pass-rates.png").read_bytes())
    assert (width, height) == (1200, 560)
    assert len(colours) > 4
    bare = standalone(columns("t", ["", ""], [("", [0.1, 0.2])], y_label=""))
    words = standalone(columns("t", ["one", "two"], [("", [0.1, 0.2])], y_label="share"))
    assert png.to_png(bare) != png.to_png(words), "no font drew the words"


def test_the_folder_of_several_runs_holds_each_ones_figures_and_the_common_ones(tmp_path: Path) -> None:
    runs = [str(fixture_run.write_run(tmp_path / name)) for name in ("a", "b")]
    assert main(["report", *runs, "-o", f"{tmp_path}/both/"]) == 0
    for name in ("reward-of-all", "run-1/gains", "run-2/gains"):
        assert (tmp_path / "both" / f"{name}.svg").is_file()
        assert (tmp_path / "both" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
