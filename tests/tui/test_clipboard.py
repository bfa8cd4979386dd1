"""Copying never fails silently: each way is tried with the others out of order, and the notice says where it went."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import pytest
from sdrl_tui.clipboard import MOST_OSC52, copy

TEXT = "a spec: ünïcode\n[bold]no markup[/]"


def program(folder: Path, name: str, body: str) -> dict[str, str]:
    """A fake of a clipboard program that keeps what it is given; the environment that finds it and no other."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!{sys.executable}\nimport pathlib, sys\n{body}\n", encoding="utf-8")
    file.chmod(0o700)
    return {"PATH": str(folder), "DISPLAY": ":0", "TERM": "xterm-256color"}


def test_the_systems_clipboard_comes_first(tmp_path: Path) -> None:
    kept = tmp_path / "taken"
    environ = program(tmp_path / "bin", "xclip", f"pathlib.Path({str(kept)!r}).write_bytes(sys.stdin.buffer.read())")
    written: list[str] = []
    said, done = copy(TEXT, written.append, environ, tmp_path / "state")
    assert (said, done) == (f"copied {len(TEXT)} characters to the clipboard (xclip)", True)
    assert kept.read_text(encoding="utf-8") == TEXT
    assert written == [] and not (tmp_path / "state").exists()


@pytest.mark.parametrize("environ", [{"SSH_TTY": "/dev/pts/1"}, {}], ids=["over SSH", "a program that fails"])
def test_the_terminals_own_is_next_and_the_text_is_in_a_file_too(tmp_path: Path, environ: dict[str, str]) -> None:
    environ = program(tmp_path / "bin", "xclip", "sys.exit(1)") | environ
    written: list[str] = []
    said, done = copy(TEXT, written.append, environ, tmp_path / "state")
    kept = tmp_path / "state" / "copied.txt"
    assert done and said.startswith(f"sent {len(TEXT)} characters to the terminal's clipboard (OSC 52)")
    assert str(kept) in said and kept.read_text(encoding="utf-8") == TEXT
    assert kept.stat().st_mode & 0o777 == 0o600
    (sequence,) = written
    assert base64.b64decode(sequence.removeprefix("\x1b]52;c;").removesuffix("\x07")).decode() == TEXT


@pytest.mark.parametrize(
    ("text", "term"), [(TEXT, "linux"), ("x" * MOST_OSC52, "xterm")], ids=["a terminal that takes none", "too long"]
)
def test_a_file_is_the_last_way(tmp_path: Path, text: str, term: str) -> None:
    written: list[str] = []
    said, done = copy(text, written.append, {"PATH": "", "TERM": term}, tmp_path)
    assert done and said == f"no clipboard here: {len(text):,} characters are in {tmp_path / 'copied.txt'}"
    assert (tmp_path / "copied.txt").read_text(encoding="utf-8") == text
    assert written == []


def test_where_nothing_works_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    said, done = copy("x", None, {"PATH": "", "TERM": "dumb"}, tmp_path / "file")
    assert not done and said.startswith("nothing was copied: no clipboard here, and ")
    said, done = copy("x", [].append, {"PATH": "", "TERM": "xterm"}, tmp_path / "file")
    assert done and said == "sent 1 character to the terminal's clipboard (OSC 52)"
