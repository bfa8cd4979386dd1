"""Files that are no specs: one diagnostic each, at once, whatever they hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sdrl.compiler.compile import compile_spec
from sdrl.spec.loader import load_spec
from sdrl.spec.locate import specs_dir

GOOD = (specs_dir() / "gsm8k.yaml").read_text(encoding="utf-8")


def codes(path: Path) -> list[str]:
    return [item.code for item in load_spec(path).diagnostics]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    [problem] = load_spec(tmp_path / "none.yaml").diagnostics
    assert (problem.code, problem.file) == ("E101", str(tmp_path / "none.yaml"))


def test_a_folder_is_no_spec(tmp_path: Path) -> None:
    assert codes(tmp_path) == ["E101"]


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to(tmp_path / "b.yaml")
    (tmp_path / "b.yaml").symlink_to(tmp_path / "a.yaml")
    assert codes(tmp_path / "a.yaml") == ["E101"]


def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert codes(tmp_path / "pipe.yaml") == ["E101"]


def test_a_path_with_a_nul_is_refused() -> None:
    assert [item.code for item in load_spec("a\0b.yaml").diagnostics] == ["E101"]


# name, content, the code it earns; ``make bench`` times each
HOSTILE: list[tuple[str, bytes, str]] = [
    ("huge", b"#" * 100_000_000, "E102"),
    ("nested lists", b"[" * 100_000, "E106"),
    ("nested tables", b"{a: " * 100_000, "E106"),
    ("nested by indentation", b"\n".join(b" " * i + b"a:" for i in range(200)), "E106"),
    ("many values", b"a: [" + b"1," * 200_000 + b"]", "E107"),
    ("billion laughs", b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "E110"),
    ("python object", b"a: !!python/object/apply:os.system [echo]", "E109"),
    ("latin-1", "name: café".encode("latin-1"), "E103"),
    ("utf-16", "name: a".encode("utf-16"), "E103"),
    ("NUL", b"name: a\0b", "E104"),
    ("escape sequence", b"name: \x1b[31m", "E104"),
    ("nothing", b"", "E112"),
    ("a byte order mark alone", b"\xef\xbb\xbf", "E112"),
    ("a text", b"hello", "E201"),
    ("two documents", b"a: 1\n---\nb: 2", "E111"),
    ("a merge key", b"<<: {a: 1}", "E202"),
    ("a directive", b"%YAML 9.9\n---\na: 1", "E105"),
    ("one line of a megabyte", b"name: " + b"x" * 999_000, "E207"),
    ("millions of colons", b":" * 999_999, "E105"),
    ("colons with blanks", b": " * 499_999, "E105"),
    ("a key of a megabyte", b"x" * 999_000 + b": 1", "E105"),
    ("a quoted key of a megabyte", b'"' + b"x" * 999_000 + b'": 1', "E105"),
    ("a long unknown key", b"x" * 1000 + b": 1", "E202"),
    ("thousands of unknown keys", b"".join(b"k%d: 1\n" % n for n in range(4000)), "E202"),
    ("thousands of equal keys", b"a: 1\n" * 4000, "E108"),
    ("blank lines", b"\n" * 999_999, "E112"),
    ("an open quote", b'a: "' + b"x\n" * 400_000, "E105"),
    ("an open bracket", b"a: [" + b"1,\n" * 9_000, "E105"),
    ("comments", b"# x\n" * 249_000, "E112"),
    ("Windows file with a NUL at its end", b"sdrl: 1\r\n" * 3 + b"\0", "E104"),
    ("a lone surrogate", b"name: \xed\xa0\x80", "E103"),
    ("an overlong sequence", b"name: \xc0\xaf", "E103"),
    ("an anchor bomb of tables", b"a: &a {x: 1}\n" + b"b: {<<: *a}\n" * 5000, "E110"),
    ("a long tag", b"a: !<" + b"x" * 500_000 + b"> 1", "E109"),
    ("a deep block list", b"- " * 50_000 + b"x", "E106"),
    ("escapes in a quoted text", b'name: "' + b"\\x41" * 200_000 + b'"', "E207"),
]


@pytest.mark.parametrize(("name", "content", "code"), HOSTILE, ids=[row[0] for row in HOSTILE])
def test_a_hostile_file_earns_its_code(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_bytes(content)
    assert code in codes(path)


def test_a_byte_order_mark_shifts_no_position(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("name: gsm8k", "nmae: gsm8k").encode())
    [unknown] = [item for item in load_spec(path).diagnostics if item.code == "E202"]
    assert (unknown.column, unknown.source_line) == (1, "nmae: gsm8k")


@pytest.mark.parametrize("end", ["\r", "\r\n", "\x85", "\u2028"])
def test_positions_follow_every_kind_of_line_end(tmp_path: Path, end: str) -> None:
    path = tmp_path / "ends.yaml"
    path.write_bytes(GOOD.replace("  type: number", "  type: nummer").replace("\n", end).encode())
    [wrong] = load_spec(path).diagnostics
    assert (wrong.code, wrong.line, wrong.column, wrong.source_line) == ("E205", 14, 9, "  type: nummer")
    path.write_bytes(GOOD.partition("answer:")[0].replace("\n", end).encode() + b"answer: {type")
    [cut] = load_spec(path).diagnostics
    assert (cut.code, cut.line, cut.source_line) == ("E105", 13, "answer: {type")
    path.write_bytes(GOOD.replace("Think", "Th\0nk").replace("\n", end).encode())
    [nul] = load_spec(path).diagnostics
    assert (nul.code, nul.line) == ("E104", GOOD[: GOOD.index("Think")].count("\n") + 1)


@pytest.mark.parametrize("text", ["a: {b: ", "answer: {type: [", "a:\n  - {", "a: [1, 2\n\n\n"])
def test_a_file_that_ends_too_early_is_shown_where_it_ends(text: str) -> None:
    [problem] = load_spec("a.yaml", text=text).diagnostics
    assert problem.code == "E105" and problem.source_line
    assert problem.line is not None and problem.line <= len(text.rstrip().splitlines())


def test_a_refused_text_is_shown_on_one_line() -> None:
    text = GOOD.replace("name: gsm8k", 'name: "My\\nTask"')
    assert [item.message for item in load_spec("a.yaml", text=text).diagnostics] == ["name cannot be 'My Task'"]


@pytest.mark.parametrize("name", ["x" * 300 + ".jsonl", "a/" * 3000 + "b", '"a\\nb.jsonl"'])
@pytest.mark.parametrize(
    "place",
    [
        "corpus: [{files: [NAME]}]",
        "corpus: [{dataset: NAME}]",
        "evaluate: [{name: t, file: NAME}]",
        "demos: {files: [NAME]}",
        "prompts: {answer: {file: NAME}}",
        "models: {instructor: {model: m}, base: {model: NAME}}",
    ],
)
def test_a_name_that_no_system_holds_is_refused_before_it_is_opened(name: str, place: str, tmp_path: Path) -> None:
    head = "sdrl: 1\nname: a\ntask: {description: d, output_format: o}\nanswer: {type: number, extract: {marker: o}}\n"
    path = tmp_path / "a.yaml"
    path.write_text(head + place.replace("NAME", name) + "\n", encoding="utf-8")
    assert "E207" in codes(path)
    assert compile_spec(path).plan is None


def test_windows_line_endings_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "crlf.yaml"
    path.write_bytes(GOOD.replace("\n", "\r\n").encode())
    loaded = load_spec(path)
    assert loaded.diagnostics == ()
    assert loaded.spec == load_spec("x.yaml", text=GOOD).spec


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text())
@example("a: !<x> 1")
@example("? |\n x\n: 1")
@example("!")
def test_no_text_crashes_the_loader(text: str) -> None:
    loaded = load_spec("fuzz.yaml", text=text)
    assert loaded.spec is None
    assert loaded.diagnostics


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(GOOD)), st.integers(0, 12), st.text(alphabet="{}[]:-#&*!|>'\"%@,\n\t ~aß1", max_size=4))
def test_no_mutation_of_a_good_spec_crashes_the_loader(start: int, length: int, insert: str) -> None:
    loaded = load_spec("fuzz.yaml", text=GOOD[:start] + insert + GOOD[start + length :])
    assert (loaded.spec is None) == any(item.is_error for item in loaded.diagnostics)
    for item in loaded.diagnostics:
        assert item.line is not None and item.line >= 1
