"""Mistakes that a stranger makes first: each ends in what is wrong and one thing to do, and never in a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdrl.cli.main import main

SPEC = """\
sdrl: 1
name: sums
task: {description: Add two whole numbers and give their sum., output_format: 'Write the number after ####.'}
answer: {type: number, extract: {marker: "####"}}
"""
SUITE = "suite: 1\nname: few\nspec: sums.yaml\narms: [reference, easy]\n"
MODELS = """\
models:
  instructor: {model: writer, key_env: SDRL_TEST_NO_SUCH_KEY, price: {input: 0, output: 0}}
  base: {model: toy-base, serve: embedded}
"""
FILES = {
    "sums.yaml": SPEC,
    "keyless.yaml": SPEC.replace("name: sums", "name: keyless") + MODELS,
    "rounds.yaml": SPEC.replace("name: sums", "name: keyless") + MODELS + "rounds: 2\n",
    "few.yaml": SUITE,
    "part.yaml": SUITE.split("\n", 1)[1],
    "bad.jsonl": '{"completion": "#### 3"}\n',
    "notes/a.txt": "nothing",
}
MISTAKES: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    ("sdrl valdiate sums.yaml", 2, ("there is no command 'valdiate'", "did you mean 'sdrl validate'?")),
    ("sdrl validate sum.yaml", 1, ("sum.yaml: E101 there is no such file", "help: did you mean sums.yaml?")),
    ("sdrl validate notes", 2, ("no spec there", "'sdrl init my-task' writes one")),
    ("sdrl validate few.yaml", 1, ("few.yaml:1:1: E202 this is a suite", "help: sdrl compare few.yaml runs it")),
    ("sdrl run few.yaml", 1, ("this is a suite of comparisons, not a spec", "sdrl compare few.yaml")),
    ("sdrl compare part.yaml", 1, ("E203 the key 'suite' is missing", "part.yaml has 1 error")),
    ("sdrl run sums.yaml --yes", 1, ("E846", "add models.instructor and models.base")),
    ("sdrl run keyless.yaml --yes", 1, ("plan keyless", "hash", "worst", "updates", "SDRL_TEST_NO_SUCH_KEY")),
    ("sdrl run keyless.yaml --yes --until scor", 2, ("no stage 'scor'", "did you mean 'score'?")),
    ("sdrl run keyless.yaml --yes --until score-2", 2, ("the plan has no stage 'score-2'",)),
    ("sdrl run rounds.yaml --yes --until score-2", 1, ("plan keyless", "SDRL_TEST_NO_SUCH_KEY")),
    ("sdrl runs", 0, ("no runs in runs/; 'sdrl run PLAN' begins one",)),
    ("sdrl author --script none", 2, ("none cannot be read: No such file", "help: check the path")),
    ("sdrl run", 2, ("arguments are required: PLAN", "help: write sdrl run PLAN")),
    ("sdrl run sums.plan", 2, ("there is no plan or spec at sums.plan", "help: make it first: sdrl compile sums.yaml")),
    ("sdrl status", 2, ("arguments are required: RUN", "'sdrl runs' lists the runs here")),
    ("sdrl status runs/sums", 2, ("there is no run at runs/sums", "'sdrl run PLAN' begins one")),
    ("sdrl report runs/sums", 1, ("E830: there is no run at runs/sums", "see: sdrl runs")),
    ("sdrl report notes", 1, ("E830: notes holds no run", "see: sdrl runs")),
    ("sdrl report notes -o r.pdf", 2, ("cannot write r.pdf", "help: use .html, .md, .txt or .json")),
    ("sdrl verify sums.yaml none.jsonl", 1, ("there is no file none.jsonl", "help: check the path")),
    ("sdrl verify sums.yaml bad.jsonl", 1, ("E850: bad.jsonl:1: 'gold' is missing", "help: one object a line")),
    ("sdrl export runs/sums --to trll -o out", 2, ("invalid choice: 'trll'", "did you mean 'trl'?")),
    ("sdrl search ix", 2, ("arguments are required: QUERY", "help: write sdrl search DIR QUERY")),
    ("sdrl export runs/sums", 2, ("arguments are required", "help: write sdrl export RUN --to TO -o DIR")),
    ("sdrl serve-embedded --port 99999", 2, ("there is no port 99999", "help: leave it out for a free one")),
    ("sdrl serve-embedded --port 65535", 2, ("there is no port 65535",)),
    ("sdrl serve-embedded --port -1", 2, ("there is no port -1",)),
    ("sdrl search none word", 1, ("E824: none is no passage index", "help: build one with: sdrl index")),
    ("sdrl explain E999", 2, ("there is no code 'E999'", "help: sdrl explain lists all codes")),
)


@pytest.mark.parametrize(("line", "code", "words"), MISTAKES, ids=[line for line, *_ in MISTAKES])
def test_a_first_mistake_is_named_with_one_thing_to_do(
    line: str,
    code: int,
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    try:
        ended = main(line.split()[1:])
    except SystemExit as stop:  # argparse's way out
        ended = int(stop.code or 0)
    said = capsys.readouterr()
    rest = said.out + said.err
    assert ended == code, rest
    assert "Traceback" not in rest and "0 judged" not in rest
    for each in words:
        assert each in rest, f"{each!r} is not in, or not in this order:\n{said.out + said.err}"
        rest = rest.split(each, 1)[1]
