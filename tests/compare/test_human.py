"""Arms on human data: what is read, what is left out, what is refused, and what training takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sdrl.compare.cells import cells_of
from sdrl.compare.loading import load_suite
from sdrl.compare.running import Planned, freeze, plan_cells
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.stages.controls import FILE, HUMAN_FILE, Controls, human_rows, read_control
from tests.compiler.project import write_project, write_rows

HUMAN = 'human: {file: people.jsonl, input: "{question}", gold: {field: answer, extract: {marker: "####"}}}\n'


def problem(n: int, answer: str = "{n} + 5 = {sum}\n#### {sum}") -> dict[str, object]:
    return {"question": f"What is {n} + 5?", "answer": answer.format(n=n, sum=n + 5)}


def planned(folder: Path, arm: str, people: list[dict[str, object]], human: str = HUMAN) -> Planned:
    """The one cell of a suite with this arm over these human rows."""
    write_project(folder)
    write_rows(folder / "people.jsonl", people)
    path = folder / "suite.yaml"
    path.write_text(
        f"suite: 1\nname: s\nspec: sums.yaml\nset: {{select.samples: 6}}\nseeds: [0]\narms: [{arm}]\n{human}"
    )
    loaded = load_suite(path)
    [cell] = plan_cells(loaded, cells_of(loaded))
    return cell


def rows_of(cell: Planned) -> list[dict[str, Any]]:
    assert cell.human is not None
    return [json.loads(line) for line in cell.human.content.splitlines()]


def test_human_rows_have_golds_and_solutions_and_none_that_a_test_asks(tmp_path: Path) -> None:
    people = [*map(problem, range(30, 42)), {"question": "what is 4 + 1 ?", "answer": "#### 5"}]
    cell = planned(tmp_path, "rl-human-whole", people)
    rows = rows_of(cell)
    assert cell.human is not None
    assert (cell.human.rows, cell.human.overlapping) == (12, 1)
    assert {row["input"] for row in rows} == {f"What is {n} + 5?" for n in range(30, 42)}
    assert all(row["solution"].endswith(f"#### {row['gold']}") and row["options"] is None for row in rows)


def test_every_arm_takes_them_in_the_same_order_and_not_that_of_the_file(tmp_path: Path) -> None:
    people = [*map(problem, range(30, 60))]
    same = planned(tmp_path, "sft-human-same", people)
    assert same.human == planned(tmp_path, "rl-human-same", people).human
    assert [row["input"] for row in rows_of(same)] != [row["question"] for row in people]


def test_fine_tuning_takes_only_solutions_that_give_their_own_gold(tmp_path: Path) -> None:
    right = [problem(n, "{n} + 5, Answer: {sum}\n#### {sum}") for n in range(30, 36)]
    wrong = [problem(n, "{n} + 5, Answer: {sum}\n#### {n}") for n in (50, 51)]
    human = HUMAN.replace("####", "Answer:")
    learned = rows_of(planned(tmp_path, "sft-human-whole", right + wrong, human))
    assert {row["input"] for row in learned} == {row["question"] for row in right}
    rewarded = rows_of(planned(tmp_path, "rl-human-whole", right + wrong, human))
    assert {row["gold"] for row in rewarded} == {str(n + 5) for n in (*range(30, 36), 50, 51)}


def test_fine_tuning_needs_a_solution(tmp_path: Path) -> None:
    people: list[dict[str, object]] = [{**problem(n), "sum": n + 5} for n in range(30, 36)]
    human = 'human: {file: people.jsonl, input: "{question}", gold: sum}\n'
    assert len(rows_of(planned(tmp_path, "rl-human-same", people, human))) == 6
    with pytest.raises(SdrlError, match="0 of 6 human samples can be trained on") as refused:
        planned(tmp_path, "sft-human-whole", people, human)
    assert refused.value.code == "E352"


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        ("rl-human-same", "4 of 4 human samples can be trained on, 6 are needed"),
        ("{baseline: rl-human-whole, name: a, set: {train.algorithm: rft}}", "rft learns from the base model's draws"),
    ],
)
def test_what_human_data_cannot_give_is_refused(tmp_path: Path, arm: str, message: str) -> None:
    with pytest.raises(SdrlError, match=message):
        planned(tmp_path, arm, [*map(problem, range(30, 34))])


def test_a_bad_row_and_a_missing_table_are_named(tmp_path: Path) -> None:
    with pytest.raises(SdrlError, match=r"human\.gold: people\.jsonl:2") as refused:
        planned(tmp_path, "rl-human-whole", [problem(30), {"question": "?", "answer": "none"}])
    assert refused.value.code == "E544"
    with pytest.raises(SdrlError) as refused:
        planned(tmp_path, "rl-human-whole", [problem(30)], human="")
    assert [item.code for item in refused.value.diagnostics] == ["E350"]


def test_other_human_data_are_another_suite(tmp_path: Path) -> None:
    people = [*map(problem, range(30, 42))]
    suite = tmp_path / "suite.yaml"
    first = planned(tmp_path, "rl-human-whole", people)
    freeze(load_suite(suite), [first], tmp_path / "run")
    freeze(load_suite(suite), [planned(tmp_path, "rl-human-whole", people)], tmp_path / "run")
    with pytest.raises(SdrlError, match="another plan") as refused:
        freeze(load_suite(suite), [planned(tmp_path, "rl-human-whole", people[1:])], tmp_path / "run")
    assert refused.value.exit == Exit.STALE


def test_training_takes_as_many_as_were_selected_or_all_and_nothing_altered(tmp_path: Path) -> None:
    cell = planned(tmp_path, "rl-human-same", [*map(problem, range(30, 42))])
    assert cell.human is not None
    run = tmp_path / "run"
    run.mkdir()
    (run / HUMAN_FILE).write_bytes(cell.human.content)
    (run / FILE).write_text(json.dumps(cell.controls.as_json()))
    control = read_control(run)
    assert (control.samples, control.human) == ("human-same", cell.human.sha256)
    assert [row["id"] for row in human_rows(run, control, 4, "main")] == [row["id"] for row in rows_of(cell)][:4]
    whole = Controls(samples="human-whole", human=control.human)
    assert [row["part"] for row in human_rows(run, whole, 4, "main")] == ["main"] * 12
    (run / HUMAN_FILE).write_bytes(cell.human.content.replace(b"+ 5", b"+ 6"))
    with pytest.raises(SdrlError, match="not what it was"):
        human_rows(run, control, 4, "main")
