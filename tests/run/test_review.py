"""Review before spending: the run waits for a person, and goes on, or not, by what was judged."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sdrl.cli.main import main
from sdrl.cli.review import judge_in_terminal
from sdrl.run.folder import RunFolder
from sdrl.run.review import ReviewFiles, Standing
from sdrl.stages.statistics import wilson
from tests.compiler.project import write_project
from tests.end_to_end.fake_openai import fake_openai, is_chat

SPEC = """\
sdrl: 1
name: sums
task: {{description: Question answering about sums., output_format: "Write the number after ####.", license: CC0-1.0}}
answer: {{type: number, extract: {{marker: "####"}}}}
corpus: [{{files: [passages.jsonl], license: CC0-1.0}}]
retrieve: {{keywords: [adding]}}
synthesize: {{samples: 8, attempts: 12, pattern: never}}
vote: {{draws: 4, stop_early: false}}
filter: []
review: {{samples: 3, min_valid: 0.6}}
models:
  instructor: {{model: some-model, endpoint: "{url}"}}
  base: {{model: ./base, serve: "{url}", prompt: raw}}
"""


class Asked:
    """Every request that the fake endpoint got."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def reply(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.bodies.append(json.dumps({key: body[key] for key in body if key != "n"}, sort_keys=True))
        if is_chat(path) and "response_format" in body:
            number = len(self.bodies)
            return 200, [json.dumps({"input": f"Item {number}: what is 1 plus 2?", "output": "#### 3"})]
        return 200, ["#### 3"] * body.get("n", 1)


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def project(tmp_path: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    with fake_openai(asked.reply) as url:
        write_project(tmp_path, SPEC.format(url=url))
        passages = [json.dumps({"id": str(at), "text": f"Passage {at} is about adding."}) for at in range(20)]
        (tmp_path / "passages.jsonl").write_text("\n".join(passages))
        yield tmp_path


def go(*words: str) -> int:
    return main(["run", "sums.yaml", "--yes", "--until", "vote", *words])


def files(project: Path) -> ReviewFiles:
    return ReviewFiles(RunFolder(project / "runs/sums"))


def judge_all(project: Path, *, valid: int) -> None:
    for number, row in enumerate(files(project).samples()):
        files(project).judge(row["id"], valid=number < valid)


def test_a_run_waits_with_exit_6_before_the_rest_is_written(project: Path, asked: Asked) -> None:
    assert go() == 6
    assert len(files(project).samples()) == 3
    assert sum("response_format" in body for body in asked.bodies) == 3  # three examples, not eight
    assert not (project / "runs/sums/artifacts/generate.jsonl").exists()
    result = json.loads((project / "runs/sums/result.json").read_text())
    assert (result["status"], result["exit"]) == ("gate", 6)


def test_it_waits_again_without_asking_anybody(project: Path, asked: Asked) -> None:
    assert go() == 6
    before = len(asked.bodies)
    assert go() == 6
    assert len(asked.bodies) == before


def test_a_met_review_lets_it_go_on_and_nothing_is_paid_twice(project: Path, asked: Asked) -> None:
    assert go() == 6
    judge_all(project, valid=2)
    assert go() == 0
    paid_twice = [body for body, count in Counter(asked.bodies).items() if count > 1]
    assert paid_twice == []
    made = [json.loads(line)["id"] for line in (project / "runs/sums/artifacts/vote.jsonl").read_text().splitlines()]
    assert len(made) == 8
    assert [row["id"] for row in files(project).samples()] == made[:3]


def test_a_review_that_is_not_met_stays_exit_6(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert go() == 6
    judge_all(project, valid=1)
    assert go() == 6
    assert "E875" in capsys.readouterr().err


def test_judgements_come_from_a_file_in_the_form_that_json_prints(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert go() == 6
    capsys.readouterr()
    assert main(["review", "runs/sums", "--json"]) == 6
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["valid"] for row in rows] == [None, None, None]
    answers = [True, True, False]
    judged = [
        {**row, "valid": valid, "wrong": [] if valid else ["input"]} for row, valid in zip(rows, answers, strict=True)
    ]
    (project / "judged.jsonl").write_text("".join(json.dumps(row) + "\n" for row in judged))
    assert main(["review", "runs/sums", "--from", "judged.jsonl"]) == 0
    assert "2 of 3 valid" in capsys.readouterr().err
    assert go() == 0


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"id": "nobody", "valid": true}', "no sample 'nobody'"),
        ('{"id": "ID", "valid": "yes"}', "true, false, or null"),
        ('{"id": "ID", "valid": true, "wrong": ["taste"]}', "task, input, output"),
        ("{", "no JSON"),
        ("[]", "no object"),
    ],
)
def test_a_bad_line_is_named_and_no_line_is_taken(
    project: Path, capsys: pytest.CaptureFixture[str], line: str, says: str
) -> None:
    assert go() == 6
    first, second, _ = (row["id"] for row in files(project).samples())
    good = json.dumps({"id": first, "valid": True})
    (project / "judged.jsonl").write_text(f"{good}\n{line.replace('ID', second)}\n")
    assert main(["review", "runs/sums", "--from", "judged.jsonl"]) == 1
    error = capsys.readouterr().err
    assert "judged.jsonl:2" in error and says in error
    assert files(project).judgements() == {}


def test_keys_in_the_terminal_judge_skip_go_back_and_quit(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert go() == 6
    keys = iter(["?", "y", "n", "23", "sum is off", "b", "y", "s", "q"])
    judge_in_terminal(files(project), ask=lambda prompt: next(keys))
    judged = files(project).judgements()
    first, second, third = (row["id"] for row in files(project).samples())
    assert judged[first]["valid"] is True
    assert judged[second]["valid"] is True  # judged bad, then, after going back, good
    assert third not in judged
    lines = [json.loads(line) for line in files(project).judgements_path.read_text().splitlines()]
    assert [line["wrong"] for line in lines] == [[], ["input", "output"], []]
    assert lines[1]["note"] == "sum is off"
    shown = capsys.readouterr().out
    assert "sample 1 of 3" in shown and "what is 1 plus 2?" in shown and "answer with one of" in shown


def test_the_end_of_the_input_is_the_end_of_the_review(project: Path) -> None:
    assert go() == 6

    def nobody(prompt: str) -> str:
        raise EOFError

    judge_in_terminal(files(project), ask=nobody)
    assert files(project).judgements() == {}


def test_text_of_a_model_sends_no_control_characters(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert go() == 6
    rows = files(project).samples()
    rows[0]["input"] = "\x1b[2Jgone \x07"
    files(project).keep_samples(rows)
    judge_in_terminal(files(project), ask=lambda prompt: "q")
    shown = capsys.readouterr().out
    assert "gone" in shown and "\x1b" not in shown and "\x07" not in shown


def test_a_judgement_that_a_kill_cut_off_hides_no_other(project: Path) -> None:
    assert go() == 6
    mine = files(project)
    first, second, _ = (row["id"] for row in mine.samples())
    mine.judge(first, valid=True)
    with mine.judgements_path.open("ab") as file:
        file.write(b'{"id": "cut o')
    mine.judge(second, valid=False)
    assert {name: row["valid"] for name, row in mine.judgements().items()} == {first: True, second: False}


def test_a_folder_without_samples_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["review", str(tmp_path)]) == 2
    assert "no run folder" in capsys.readouterr().err


def test_a_run_in_a_terminal_asks_and_then_goes_on(project: Path) -> None:
    """In a real pseudo-terminal: the same command shows the samples, takes three keys, and finishes."""
    parent, child = pty.openpty()
    words = [sys.executable, "-m", "sdrl", "run", "sums.yaml", "--yes", "--until", "vote"]
    root = str(Path(__file__).parents[2])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]), "TERM": "xterm"}
    with subprocess.Popen(words, cwd=project, stdin=child, stdout=child, stderr=child, env=env) as process:
        os.close(child)
        seen, answered = b"", 0
        for _ in range(3_000):
            ready = select.select([parent], [], [], 0.2)[0]
            try:
                data = os.read(parent, 65_536) if ready else b""
            except OSError:
                break
            seen += data
            if seen.count(b"[q]uit: ") > answered:
                answered += 1
                os.write(parent, b"y\n")
            if not data and process.poll() is not None:
                break
        os.close(parent)
        assert process.wait(timeout=600) == 0, seen.decode(errors="replace")[-3000:]
    assert answered == 3
    assert b"3 of 3 valid" in seen
    assert (project / "runs/sums/artifacts/vote.jsonl").exists()


@pytest.mark.parametrize(("judged", "valid", "met"), [(20, 16, True), (20, 15, False), (19, 19, False), (0, 0, False)])
def test_a_review_is_met_by_all_samples_judged_and_enough_valid(judged: int, valid: int, met: bool) -> None:
    assert Standing(20, judged, valid, 0.8).is_met is met


def test_wilsons_interval_is_that_of_the_textbook() -> None:
    low, high = wilson(17, 20)
    assert (round(low, 4), round(high, 4)) == (0.6396, 0.9476)
    assert wilson(0, 0) == (0.0, 1.0)
