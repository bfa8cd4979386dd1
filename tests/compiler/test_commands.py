"""compile, plan, preview, verify and diff: data on stdout, talk on stderr, the documented exit codes."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sdrl.cli.main import main
from tests.compiler.project import SPEC, write_project

Captured = pytest.CaptureFixture[str]


def test_compile_writes_beside_the_spec_and_prints_the_folder(tmp_path: Path, capsys: Captured) -> None:
    spec = write_project(tmp_path)
    assert main(["compile", str(spec)]) == 0
    shown = capsys.readouterr()
    assert shown.out == f"{tmp_path / 'sums.plan'}\n"
    assert "ready" in shown.err
    assert (tmp_path / "sums.plan" / "README.md").read_text().startswith("# Plan sums")
    assert main(["compile", str(spec), "-o", str(tmp_path / "other")]) == 0
    plans = [(tmp_path / name / "plan.json").read_bytes() for name in ("sums.plan", "other")]
    assert plans[0] == plans[1]


def test_compile_check_tells_a_stale_plan(tmp_path: Path, capsys: Captured) -> None:
    spec = write_project(tmp_path)
    assert main(["compile", str(spec), "--check"]) == 3
    main(["compile", str(spec)])
    assert main(["compile", str(spec), "--check"]) == 0
    write_project(tmp_path, SPEC.replace("epochs: 2", "epochs: 3"))
    capsys.readouterr()
    assert main(["compile", str(spec), "--check"]) == 3
    assert "train, evaluate" in capsys.readouterr().err


def test_a_wrong_spec_ends_with_exit_1_and_writes_nothing(tmp_path: Path, capsys: Captured) -> None:
    spec = write_project(tmp_path, SPEC.replace("#### 5", "5"))
    assert main(["compile", str(spec)]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "E410" in shown.err and "sums.yaml:12" in shown.err
    assert not (tmp_path / "sums.plan").exists()


def test_plan_shows_stages_costs_and_prompts_of_a_spec_and_of_its_plan(tmp_path: Path, capsys: Captured) -> None:
    spec, folder = write_project(tmp_path), tmp_path / "sums.plan"
    main(["compile", str(spec)])
    capsys.readouterr()
    shown = []
    for source in (spec, tmp_path / "sums.plan"):
        assert main(["plan", str(source)]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]
    for word in ("keywords", "at most 10 updates", "answer", "self-test", "test", "budget      at most $5.00", "hours"):
        assert word in shown[0]
    assert max(map(len, shown[0].split("\n"))) <= 80
    for line in (
        "vote.draws +8 +spec:16",
        "answer.extract.marker +#### +spec:9",
        "vote.min_agreement +0.5 +preset",
    ):
        assert re.search(f"\n  {line}", shown[0])
        assert re.search(line.replace(" +", r"` \| `", 1).replace(" +", r"` \| "), (folder / "README.md").read_text())
    assert "vote.tie" not in shown[0]
    values = [json.loads(row) for row in (folder / "data" / "values.jsonl").read_text().splitlines()]
    assert {"path": "settings.vote.tie", "value": "drop", "origin": "default"} in values
    assert main(["plan", str(spec), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "sums"


def test_plan_refuses_a_tampered_plan_with_exit_3(tmp_path: Path, capsys: Captured) -> None:
    main(["compile", str(write_project(tmp_path))])
    path = tmp_path / "sums.plan" / "plan.json"
    path.write_text(path.read_text().replace('"draws": 8', '"draws": 9'))
    assert main(["plan", str(tmp_path / "sums.plan")]) == 3
    assert "settings.vote.draws" in capsys.readouterr().err


def test_preview_prints_exactly_the_prompt(tmp_path: Path) -> None:
    spec = write_project(tmp_path)
    words = [sys.executable, "-m", "sdrl", "preview", str(spec), "--prompt"]
    answer = subprocess.run([*words, "answer"], capture_output=True, check=True)
    assert answer.stdout.startswith(b"### Problem\nWhat is 1 + 1?\n") and answer.stdout.endswith(b"### Solution\n")
    assert b"stop strings: '\\n### Problem\\n'" in answer.stderr
    generate = subprocess.run([*words, "generate"], capture_output=True, check=True)
    assert b"<passage>\nPassage 0 about adding.\n</passage>" in generate.stdout
    assert b"the first passage of passages.jsonl" in generate.stderr
    assert b'"required": ["input", "output"]' in generate.stderr


def test_diff_says_what_would_run_again(tmp_path: Path, capsys: Captured) -> None:
    a = write_project(tmp_path / "a")
    b = write_project(tmp_path / "b", SPEC.replace("epochs: 2", "epochs: 3"))
    assert main(["diff", str(a), str(b)]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^changed\n  ~ train.epochs  2 -> 3 +spec:21\n", shown)
    assert "    score     stays\n    select    stays\n  ~ train     runs again  train.epochs\n" in shown
    assert "2 stages to run again, 9 to stay\n" in shown
    assert re.search(r"\n  expected +0 +0 +\$0.00 +12 +15\n", shown)
    assert "\x1b" not in shown and max(map(len, shown.split("\n"))) <= 80
    assert main(["diff", str(a), str(b), "--exit-code"]) == 1
    assert main(["diff", str(a), str(a), "--exit-code"]) == 0


ROWS = [
    {"completion": "1 + 1 = 2\n#### 2", "gold": "2"},
    {"id": "b", "completion": "#### 1,800", "gold": "1800"},
    {"id": 7, "completion": "#### 3", "gold": "4"},
    {"completion": "no answer", "gold": "4"},
]


def judged(text: str) -> list[tuple[object, str]]:
    return [(row["id"], row["verdict"]) for row in map(json.loads, text.splitlines())]


def test_verify_judges_in_order_and_gates_on_request(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    spec = write_project(tmp_path)
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, ROWS)) + "\n\n")
    words = ["verify", str(spec), str(tmp_path / "in.jsonl")]
    assert main(words) == 0
    expected = [(1, "correct"), ("b", "correct"), (7, "incorrect"), (4, "unparsable")]
    assert judged(capsysbinary.readouterr().out.decode()) == expected
    assert main([*words, "--gate", "-o", str(tmp_path / "out.jsonl")]) == 6
    assert judged((tmp_path / "out.jsonl").read_text()) == expected
    (tmp_path / "in.jsonl").write_text(json.dumps(ROWS[0]) + "\n")
    assert main([*words, "--gate"]) == 0
    (tmp_path / "empty.jsonl").write_text("")
    assert main(["verify", str(spec), str(tmp_path / "empty.jsonl"), "--gate"]) == 6
    main(["compile", str(spec)])
    capsysbinary.readouterr()
    assert main(["verify", str(tmp_path / "sums.plan"), str(tmp_path / "in.jsonl")]) == 0
    assert judged(capsysbinary.readouterr().out.decode()) == [(1, "correct")]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[1]",
        '{"gold": "1"}',
        '{"completion": 3, "gold": "1"}',
        '{"completion": "", "gold": "1", "options": ["a"]}',
    ],
)
def test_verify_names_the_line_it_cannot_read(
    tmp_path: Path, line: str, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = write_project(tmp_path)
    text = json.dumps(ROWS[0]) + "\n" + line + "\n" + json.dumps(ROWS[1]) + "\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main(["verify", str(spec)]) == 1
    shown = capsysbinary.readouterr()
    assert judged(shown.out.decode()) == [(1, "correct")]
    assert b"E850" in shown.err and b"<stdin>:2" in shown.err


def test_compiling_a_number_spec_loads_no_heavy_library(tmp_path: Path) -> None:
    spec = write_project(tmp_path)
    program = (
        "import sys; from sdrl.cli.main import main; main(['compile', sys.argv[1]]);"
        "print(sorted(name for name in ('torch', 'openai', 'tantivy', 'math_verify', 'sympy', 'datasets', 'pyarrow',"
        " 'transformers', 'huggingface_hub', 'rich') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program, spec], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
