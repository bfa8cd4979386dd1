from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from sdrl.cli.main import main
from sdrl.report import build_page, read_figures, to_markdown, to_text
from sdrl.report.blocks import Page, Section, Table
from sdrl.report.charts import bar, curve
from sdrl.report.verdict import verdict
from tests.report import fixture_run

GOLDEN = Path(__file__).parent / "golden"
UPDATE = "SDRL_UPDATE_GOLDEN"  # set it to write the golden files anew; read the difference before you commit it


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fixture_run.write_run(tmp_path_factory.mktemp("report") / "run")


@pytest.fixture(scope="module")
def figures(run: Path) -> dict[str, Any]:
    return {**read_figures(run), "run": "runs/fixture"}


def rows(run: Path, stage: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "artifacts" / f"{stage}.jsonl").read_text().splitlines()]


def check_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get(UPDATE):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_the_text_is_the_golden_one_and_no_wider_than_a_terminal(figures: dict[str, Any]) -> None:
    text = to_text(build_page(figures))
    assert max(map(len, text.splitlines())) <= 80
    check_golden("report.txt", text)


def test_the_ascii_text_is_the_golden_one_and_ascii(figures: dict[str, Any]) -> None:
    text = to_text(build_page(figures, ascii_only=True), ascii_only=True)
    assert text.isascii()
    assert "?" not in text
    assert max(map(len, text.splitlines())) <= 80
    check_golden("report.ascii.txt", text)


def test_the_markdown_is_the_golden_one(figures: dict[str, Any]) -> None:
    check_golden("report.md", to_markdown(build_page(figures)))


def test_accuracies_are_those_of_the_evaluation_rows(run: Path, figures: dict[str, Any]) -> None:
    answers = [row for row in rows(run, "evaluate") if row["set"] == "test"]
    shares = {
        model: sum(row["verdict"] == "correct" for row in answers if row["model"] == model) / fixture_run.N_PROBLEMS
        for model in ("base", "trained")
    }
    found = figures["evaluations"][0]
    assert {model: found[model]["accuracy"] for model in shares} == shares
    assert found["gain"] == pytest.approx(shares["trained"] - shares["base"])


def test_pass_rate_histograms_count_every_scored_sample_once(run: Path, figures: dict[str, Any]) -> None:
    scores = {row["id"]: row for row in rows(run, "score")}
    rates = figures["pass_rates"]
    initial = [scores[row["id"]] for row in rows(run, "vote")]
    assert rates["before"]["n"] == len(initial)
    assert rates["after"]["n"] == len(scores)
    for name, some in (("before", initial), ("after", list(scores.values()))):
        assert rates[name]["never"] == sum(row["correct"] == 0 for row in some)
        assert rates[name]["always"] == sum(row["correct"] == row["draws"] for row in some)
        assert rates[name]["never"] + sum(rates[name]["tenths"]) + rates[name]["always"] == len(some)
        third = [row for row in some if 0.2 < row["pass_rate"] <= 0.3]
        assert rates[name]["tenths"][2] == len(third)


def test_label_noise_is_counted_against_the_truth(run: Path, figures: dict[str, Any]) -> None:
    truth = {row["input"]: row for row in map(json.loads, (run / "truth.jsonl").read_text().splitlines())}
    voted = rows(run, "vote")
    labels = figures["labels"]
    assert labels["voted"]["n"] == len(voted)
    assert labels["voted"]["wrong"] == sum(row["gold"] != truth[row["input"]]["gold"] for row in voted) > 0
    lost = rows(run, "vote.dropped")
    by_vote = [row for row in lost if row["code"] != "near_duplicate"]
    assert (labels["vote"]["dropped"], labels["vote"]["bad_dropped"]) == (7, len(by_vote))
    passed = voted + [row for row in lost if row["code"] == "near_duplicate"]
    bad = [r for r in passed if r["gold"] != truth[r["input"]]["gold"] or truth[r["input"]]["flags"]]
    assert labels["vote"]["bad_passed"] == len(bad)
    assert labels["vote"]["recall"] == pytest.approx(7 / (7 + len(bad)), abs=1e-6)


def test_a_run_without_truth_says_nothing_of_labels(tmp_path: Path) -> None:
    figures = read_figures(fixture_run.write_run(tmp_path / "run", has_truth=False))
    assert figures["labels"] is None
    assert "LABELS" not in to_text(build_page(figures))


@pytest.mark.parametrize("until", ["vote", "adapt", "score", "select", "train"])
def test_an_unfinished_run_is_reported_as_far_as_it_is_whole(tmp_path: Path, until: str) -> None:
    text = to_text(build_page(read_figures(fixture_run.write_run(tmp_path / "run", until=until))))
    assert f"not finished (status: stopped); its last whole stage is {until}" in text
    assert "Gate" not in text


def test_a_run_that_was_killed_before_any_result_is_reported_too(tmp_path: Path) -> None:
    root = fixture_run.write_run(tmp_path / "run")
    whole = read_figures(root)
    (root / "result.json").unlink()
    killed = read_figures(root)
    assert killed["evaluations"] == whole["evaluations"]
    assert killed["status"] == "unfinished"
    assert to_text(build_page(killed))


def changed(figures: dict[str, Any], **more: Any) -> str:
    first = {**figures["evaluations"][0], **more}
    return "\n".join(verdict({**figures, "evaluations": [first]}))


def test_the_verdict_never_calls_chance_a_gain(figures: dict[str, Any]) -> None:
    assert "more than chance" in changed(figures)
    assert "no gain has been shown" in changed(figures, interval=[-0.01, 0.3], p=0.07)
    assert "no gain has been shown" in changed(figures, interval=[0.01, 0.3], p=0.07)
    worse = changed(figures, gain=-0.2, interval=[-0.3, -0.1], p=0.001)
    assert "a loss of 20.0 points" in worse
    assert "made the model worse" in worse


def test_the_verdict_says_when_the_models_are_toys_and_when_the_gate_was_missed(figures: dict[str, Any]) -> None:
    assert any(line.startswith("Toy scale") for line in verdict(figures))
    assert not any("Toy scale" in line for line in verdict({**figures, "is_toy": False}))
    assert verdict({**figures, "gate": {"min_gain": 0.5, "met": False}})[-1].startswith("Gate NOT met")


def test_a_control_run_says_that_it_is_one(figures: dict[str, Any]) -> None:
    training = {**figures["training"], "reward_mode": "random"}
    assert any("control" in line for line in verdict({**figures, "training": training}))


def test_bars_grow_with_their_value_and_never_vanish() -> None:
    assert [bar(value, 8, 4) for value in (0, 0.01, 1, 4, 8, 9)] == ["", "▏", "▌", "██", "████", "████"]
    assert [bar(value, 8, 4, ascii_only=True) for value in (0, 0.01, 4, 8)] == ["", "#", "##", "####"]


def test_a_curve_runs_from_its_lowest_to_its_highest_value() -> None:
    lines, low, high = curve([(n, n * 1.0) for n in range(16)], width=8, height=2)
    assert (low, high) == (0.5, 14.5)
    assert lines == ["    ▁▃▅█", "▁▃▅▇████"]
    assert curve([], width=8, height=2) == ([], 0.0, 0.0)
    assert curve([(1, 3.0)], width=8, height=2)[0] == ["", "█"]


def test_the_command_prints_and_writes_reports(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(run)]) == 0
    assert "VERDICT" in capsys.readouterr().out
    assert main(["report", str(run), str(run), "--json"]) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == ["fixture", "fixture"]
    for name, start in (("r.md", "# fixture"), ("r.txt", "fixture\n"), ("r.json", "{")):
        assert main(["report", str(run), "-o", str(tmp_path / name)]) == 0
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)


def test_the_command_refuses_what_it_cannot_do(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(run), "-o", str(tmp_path / "r.pdf")]) == 2
    assert main(["report", str(tmp_path)]) == 1
    assert "E830" in capsys.readouterr().err


def test_a_last_column_without_room_wraps_between_words_and_not_inside_one() -> None:
    table = Table(("arm", "verdict"), (("a" * 72, "needs a real instructor"),), frozenset({0, 1}))
    assert to_text(Page("title", "", (Section("s", (table,)),))).split()[-3:] == ["a", "real", "instructor"]


def test_several_decoding_runs_show_their_deviation(figures: dict[str, Any]) -> None:
    first = figures["evaluations"][0]
    several = {**first, "n_runs": 3, "base": {**first["base"], "by_run": [0.5, 0.52, 0.54]}}
    text = to_text(build_page({**figures, "evaluations": [several]}))
    assert re.search(r"sd over decoding runs +2\.0 +–", text)
    assert "sd over decoding runs" not in to_text(build_page(figures))


def test_answers_that_the_verifier_failed_on_are_shown(figures: dict[str, Any]) -> None:
    first = figures["evaluations"][0]
    failed = {**first, "trained": {**first["trained"], "errors": 0.03}}
    assert re.search(
        r"not judged: the verifier failed +[\d.]+ % +3\.0 %", to_text(build_page({**figures, "evaluations": [failed]}))
    )
    assert "not judged" not in to_text(build_page(figures))
