"""Every command of the README and docs is a real one: parsed by the real parsers, make targets and files looked up."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from pathlib import Path

import pytest

from sdrl.cli.main import COMMANDS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(?:bash|sh|console|shell)\n(.*?)^```", re.M | re.S)
INLINE = re.compile(r"`(sdrl [a-z-]+[^`\n]*|make [a-z]+)`")
PLACEHOLDER = re.compile(r"[A-Z_]{3,}|…|\.\.\.|\[|\||NAME|<")


def commands() -> list[tuple[str, str]]:
    """(page, command) of every command in a fenced shell block or in inline code."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in FENCE.findall(text):
            joined = block.replace("\\\n", " ")
            lines = (line.strip().removeprefix("$ ") for line in joined.splitlines())
            found += [(page.name, line) for line in lines if re.match(r"(sdrl|make) ", line)]
        found += [(page.name, line) for line in INLINE.findall(text) if not PLACEHOLDER.search(line)]
    return found


def without_comment_and_redirect(line: str) -> list[str]:
    return shlex.split(re.split(r"\s[>|#]|\s2>|;|&&", line)[0])


@pytest.mark.parametrize(("page", "line"), commands())
def test_the_command_exists_and_takes_these_arguments(page: str, line: str) -> None:
    words = without_comment_and_redirect(line)
    if words[0] == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M)
        assert words[1] in targets, f"{page}: {line}"
        return
    if words[1].startswith("-"):
        assert words[1] in ("--version", "--help"), f"{page}: {line}"
        return
    assert words[1] in COMMANDS, f"{page}: {line}"
    if len(words) == 2:
        return
    parser = argparse.ArgumentParser(exit_on_error=False)
    importlib.import_module(f"sdrl.cli.{COMMANDS[words[1]][0]}").configure(parser)
    parser.parse_args(words[2:])


def test_there_are_commands_to_check() -> None:
    assert len(commands()) >= 10


def test_files_named_in_the_architecture_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    for name in re.findall(r"`((?:sdrl|docs|specs|templates)/[a-z_/]+(?:\.[a-z]+)?/?)`", text):
        assert (ROOT / name).exists(), name
