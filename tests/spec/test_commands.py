"""validate, explain, schema and init through the command line: streams and exit codes."""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path

import pytest

from sdrl.authoring.examples import example
from sdrl.cli.explain import page
from sdrl.cli.main import main
from sdrl.spec.codes import CODES
from sdrl.spec.loader import load_spec
from sdrl.spec.locate import specs_dir

GOOD = (specs_dir() / "gsm8k.yaml").read_text(encoding="utf-8")
BAD = GOOD.replace("type: number", "type: nummber")
WARNS = GOOD.replace("  license: CC-BY-SA-4.0\n", "")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (("good", GOOD), ("bad", BAD), ("warns", WARNS)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_good_spec_exits_zero_and_prints_nothing_on_stdout(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "good.yaml"]) == 0
    assert capsys.readouterr() == ("", "1 spec, 0 errors, 0 warnings\n")


def test_a_bad_spec_exits_one_with_the_report_on_stdout(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "bad.yaml"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("bad.yaml:14:9: E205 answer.type cannot be 'nummber'\n")
    assert err == "1 spec, 1 error, 0 warnings; sdrl explain E205 tells more\n"


def test_warnings_fail_only_when_strict(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "warns.yaml"]) == 0
    assert main(["validate", "warns.yaml", "--strict"]) == 1
    assert "W302" in capsys.readouterr().out


def test_folders_globs_and_files_are_each_read_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "good.yaml", "*.yaml", "."]) == 1
    assert capsys.readouterr().err.startswith("3 specs, 1 error, 1 warning")


def test_a_missing_file_is_a_problem_like_any_other(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "none.yaml", "good.yaml"]) == 1
    assert capsys.readouterr().out.startswith("none.yaml: E101 there is no such file\n")


def test_a_folder_without_specs_is_wrong_usage(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "empty").mkdir()
    assert main(["validate", "empty"]) == 2
    assert capsys.readouterr().out == ""


def test_a_file_is_read_once_however_it_is_spelt(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "link.yaml").symlink_to("good.yaml")
    assert main(["validate", "good.yaml", "./good.yaml", str(here / "good.yaml"), "link.yaml"]) == 0
    assert capsys.readouterr().err == "1 spec, 0 errors, 0 warnings\n"


def test_other_yaml_files_of_a_folder_are_passed_over_and_said_so(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "docker-compose.yml").write_text("services: {web: {image: nginx}}\n")
    (here / ".github").mkdir()
    (here / ".github" / "ci.yaml").write_text("on: push\n")
    os.mkfifo(here / "pipe.yaml")
    (here / "circle").symlink_to(here)
    (here / "gone.yaml").symlink_to("nowhere.yaml")
    (here / "nameless.yaml").write_text(GOOD.replace("sdrl: 1\n", ""))
    assert main(["validate", "."]) == 1
    out, err = capsys.readouterr()
    assert err.startswith("passed over 1 YAML file without 'sdrl:': docker-compose.yml\n5 specs, 3 errors")
    assert "gone.yaml: E101 there is no such file" in out
    assert re.search(r"nameless\.yaml:\d+:1: E203 the key 'sdrl' is missing", out)
    assert main(["validate", "docker-compose.yml"]) == 1
    assert "E202 unknown key 'services'" in capsys.readouterr().out


def test_a_hook_may_hand_over_any_yaml_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "docker-compose.yml").write_text("services: {web: {image: nginx}}\n")
    assert main(["validate", "--skip-others", "docker-compose.yml"]) == 0
    assert main(["validate", "--skip-others", "docker-compose.yml", "bad.yaml"]) == 1
    assert "docker-compose" not in capsys.readouterr().out


def test_a_folder_of_other_yaml_files_holds_no_spec(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "other").mkdir()
    (here / "other" / "docker-compose.yml").write_text("services: {}\n")
    assert main(["validate", "other"]) == 2
    assert "no spec there (passed over 1 YAML file without 'sdrl:'" in capsys.readouterr().err


@pytest.mark.parametrize("format_", ["text", "json", "github", "sarif", "junit"])
def test_stdin_may_stand_for_a_file_in_every_format(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(BAD.encode())))
    assert main(["validate", "-", "--stdin-filename", "edited/x.yaml", "--format", format_]) == 1
    out = capsys.readouterr().out
    assert "edited/x.yaml" in out and "E205" in out
    assert "<stdin>" not in out


@pytest.mark.parametrize(
    ("variables", "colored"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"FORCE_COLOR": "0"}, False),
    ],
)
def test_colour_follows_the_environment(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    colored: bool,
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    main(["validate", "bad.yaml"])
    assert ("\x1b[" in capsys.readouterr().out) == colored


@pytest.mark.parametrize(("terminal", "colored"), [("xterm-256color", True), ("dumb", False)])
def test_a_terminal_gets_colour_and_a_dumb_one_none(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: str, colored: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", terminal)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    main(["validate", "bad.yaml"])
    assert ("\x1b[" in capsys.readouterr().out) == colored


def test_stdin_is_a_spec_too(here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(BAD.encode())))
    assert main(["validate", "-"]) == 1
    assert capsys.readouterr().out.startswith("<stdin>:14:9: E205")


@pytest.mark.parametrize(
    ("format_", "start"), [("json", "{"), ("github", "::error"), ("sarif", "{"), ("junit", "<?xml")]
)
def test_every_format_writes_only_itself(
    here: Path, capsys: pytest.CaptureFixture[str], format_: str, start: str
) -> None:
    assert main(["validate", "bad.yaml", "--format", format_]) == 1
    out, err = capsys.readouterr()
    assert out.startswith(start)
    assert err == ""


def test_no_colour_without_a_terminal(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["validate", "bad.yaml"])
    assert "\x1b" not in capsys.readouterr().out


def test_explain_shows_a_bad_and_a_good_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "e205"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("E205 (error): not one of the allowed words\n")
    assert f"  {CODES['E205'].bad}\n" in out
    assert f"  {CODES['E205'].good}\n" in out


def test_explain_lists_all_codes_by_group(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    blocks = capsys.readouterr().out.split("\n\n")
    listed = {line.split()[0] for block in blocks for line in block.splitlines()[1:]}
    assert set(CODES) <= listed
    syntax = next(block for block in blocks if block.startswith("Syntax of a spec\n"))
    assert {line.split()[0][:2] for line in syntax.splitlines()[1:]} == {"E1"}


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("E2055", "did you mean E205 (not one"),
        ("unknown key", "E202 (an unknown key)"),
        ("nonsense", "lists all codes"),
    ],
)
def test_explain_refuses_other_codes_and_names_the_nearest(
    wanted: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", wanted]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert hint in err


@pytest.mark.parametrize("code", CODES)
def test_a_page_fits_a_narrow_terminal_and_colour_adds_nothing_but_escapes(code: str) -> None:
    plain = page(CODES[code], width=60)
    texts = plain.split("\nNot so:\n")[0].splitlines()[1:]
    assert max(map(len, texts)) <= 60
    assert re.sub(r"\x1b\[\d+m", "", page(CODES[code], width=60, color=True)) == plain


def test_schema_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "sdrl spec, version 1"


def test_init_lists_the_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert {"gsm8k", "word-problems", "_reference"} <= set(listed)


@pytest.mark.parametrize("example", [path.stem for path in sorted(specs_dir().glob("*.yaml"))])
def test_init_writes_a_spec_that_validates(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "my-task", "--from", example]) == 0
    loaded = load_spec("my-task.yaml")
    assert loaded.diagnostics == ()
    assert loaded.require().name == "my-task"
    assert (tmp_path / "sdrl.schema.json").is_file()
    assert capsys.readouterr().out == ""


def test_init_brings_the_files_of_its_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "demo", "--from", "word-problems"]) == 0
    for name in ("passages/everyday.jsonl", "prompts/word-problems.answer.jinja", "data/word-problems-test.jsonl"):
        assert (tmp_path / name).read_bytes() == (specs_dir() / name).read_bytes()


def test_init_takes_the_name_of_an_example_at_its_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "word-problems"]) == 0
    assert (tmp_path / "word-problems.yaml").read_text() == example("word-problems", "word-problems").text
    assert "the example word-problems (" in capsys.readouterr().err
    assert main(["init", "cqa", "--from", "word-problems"]) == 0
    assert "model: toy-base" in (tmp_path / "cqa.yaml").read_text()


def test_init_overwrites_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "good"]) == 1
    assert "good.yaml is already there" in capsys.readouterr().err
    assert (here / "good.yaml").read_text(encoding="utf-8") == GOOD


@pytest.mark.parametrize(("arguments", "code"), [(["x", "--from", "gsm9k"], 2), (["My Task"], 1), (["../up"], 1)])
def test_init_refuses_what_it_cannot_name(arguments: list[str], code: int, here: Path) -> None:
    before = sorted(here.iterdir())
    assert main(["init", *arguments]) == code
    assert sorted(here.iterdir()) == before
