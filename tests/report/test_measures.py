"""Lengths and likeness: what is counted, what stamp it carries, and how synthetic problems stand beside real ones."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from sdrl.cli.main import main
from sdrl.report import read_figures
from sdrl.report.graphs import graphs
from sdrl.report.measures import TF_IDF, WORDS, Measures, cosine, tf_idf
from sdrl.report.similarity import BINS, PAIRS, similarities
from tests.report import fixture_run

REAL = ["What is one and one?", "How many apples are three apples and four more apples?"]


def run_with_real_problems(folder: Path) -> Path:
    root = fixture_run.write_run(folder)
    plan = json.loads((root / "plan/plan.json").read_text())
    (root / "plan/plan.json").write_text(json.dumps(plan | {"evaluations": [{"name": "test", "rows": 2}]}))
    (root / "plan/data").mkdir()
    lines = [json.dumps({"id": str(n), "input": text, "gold": "2"}) for n, text in enumerate(REAL)]
    (root / "plan/data/evaluate-test.jsonl").write_text("\n".join(lines) + "\n")
    return root


def test_equal_texts_are_one_strange_ones_zero_and_order_does_not_matter() -> None:
    a, b, c, d = tf_idf(["red apples fall", "fall red apples", "blue birds", "red birds"])
    assert cosine(a, b) == pytest.approx(1)
    assert cosine(a, c) == 0
    assert 0 < cosine(a, d) < 1
    assert cosine(a, d) == cosine(d, a)
    assert math.isclose(cosine([0.6, 0.8], [1.0, 0.0]), 0.6)


def test_every_pair_of_a_small_set_and_a_bounded_draw_of_a_large_one() -> None:
    texts = [f"word{n} and word{n + 1}" for n in range(200)]
    found = similarities({"small": texts[:5], "large": texts, "one": texts[:1]}, Measures())
    assert found is not None
    assert set(found["groups"]) == {"small", "large"}
    assert found["groups"]["small"]["pairs"] == 10
    assert found["groups"]["large"]["pairs"] == PAIRS < 200 * 199 // 2
    for each in found["groups"].values():
        assert sum(each["counts"]) == each["pairs"]
        assert len(each["counts"]) == BINS
    assert found == similarities({"small": texts[:5], "large": texts, "one": texts[:1]}, Measures())
    assert similarities({"one": texts[:1]}, Measures()) is None


def test_a_set_that_tells_one_problem_again_is_more_alike() -> None:
    same = [f"Ada has {n} apples and buys {n + 1} more. How many apples has Ada?" for n in range(20)]
    varied = [
        "A train leaves at noon.",
        "Birds eat seeds in winter.",
        "Paint costs six coins.",
        "Two roads cross here.",
    ]
    found = similarities({"same": same, "varied": varied}, Measures())
    assert found is not None
    same_mean, varied_mean = (found["groups"][name]["mean"] for name in ("same", "varied"))
    assert same_mean > 5 * varied_mean


def test_real_problems_stand_beside_synthetic_ones_with_their_stamps(tmp_path: Path) -> None:
    figures = read_figures(run_with_real_problems(tmp_path / "run"))
    lengths, likeness = figures["lengths"], figures["likeness"]
    assert (lengths["unit"], lengths["tokenizer"], likeness["embedder"]) == ("words", WORDS, TF_IDF)
    assert lengths["problems"]["real: test"]["n"] == 2
    assert lengths["problems"]["real: test"]["longest"] == len(REAL[1].split())
    problems = lengths["problems"]
    assert problems["synthetic"]["n"] == problems["initial"]["n"] + problems["harder"]["n"] + problems["easier"]["n"]
    assert set(likeness["groups"]) == {"synthetic", "selected", "real: test"}
    captions = {each.name: each.caption for each in graphs(figures)}
    assert WORDS in captions["lengths-real"]
    assert TF_IDF in captions["likeness"]


def test_lengths_in_tokens_of_a_tokenizer_file(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    letters = Tokenizer(models.WordLevel({"?": 1, "unk": 0}, unk_token="unk"))
    letters.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    path = tmp_path / "tokenizer.json"
    letters.save(str(path))
    measures = Measures.of(str(tmp_path), None)
    assert measures.length("four") == 4
    assert measures.tokenizer.startswith("tokenizer.json ")
    figures = read_figures(run_with_real_problems(tmp_path / "run"), measures)
    assert figures["lengths"]["unit"] == "tokens"
    assert figures["lengths"]["problems"]["real: test"]["longest"] == len(REAL[1])


def test_what_is_no_tokenizer_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = fixture_run.write_run(tmp_path / "run")
    (tmp_path / "tokenizer.json").write_text("{}")
    assert main(["report", str(root), "--tokenizer", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "tokenizer.json is no tokenizer.json" in said
    assert "Traceback" not in said
