"""Every fenced block of the docs is run or parsed: shell by tests/test_docs.py, everything else here.

A block in a language that nothing checks fails, so that a new kind comes with its check. Blocks with a title in the
how-tos are specs, or parts of one, and must be accepted.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from sdrl.compare.loading import load_suite
from sdrl.spec.loader import load_spec
from sdrl.spec.locate import specs_dir

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))]
GENERATED = frozenset({"diagnostics.md"})  # made of scenes that are played
FENCE = re.compile(r"^```([\w+-]*)(?: title=(\S+))?\n(.*?)^```$", re.M | re.S)
SHELL = frozenset({"bash", "sh", "shell", "console"})


def _json(text: str) -> None:
    for line in text.splitlines() if text.count("\n{") else [text]:
        json.loads(line)


PARSERS: dict[str, Callable[[str], object]] = {
    "json": _json,
    "jsonl": _json,
    "yaml": lambda text: yaml.safe_load(text.replace("…", "")),
    "toml": tomllib.loads,
    "python": ast.parse,
}
SHOWN = frozenset({"text", "", "jinja", "diff"})  # output and figures, for a reader


def blocks() -> list[tuple[str, str, str, str]]:
    found = []
    for page in PAGES:
        if page.name not in GENERATED:
            for language, title, text in FENCE.findall(page.read_text(encoding="utf-8")):
                found.append((str(page.relative_to(ROOT)), language, title, text))
    return found


@pytest.mark.parametrize("page", sorted({page for page, *_ in blocks()}))
def test_every_block_of_a_page_is_in_its_language(page: str) -> None:
    for where, language, _, text in blocks():
        if where == page and language not in SHELL | SHOWN:
            assert language in PARSERS, f"{page}: nothing checks blocks of {language!r}"
            PARSERS[language](text)


HOW_TO = [
    (page, title, text) for page, language, title, text in blocks() if "how-to" in page and title.endswith("yaml")
]


@pytest.mark.parametrize(("page", "title", "text"), HOW_TO, ids=[title for _, title, _ in HOW_TO])
def test_a_spec_of_a_how_to_is_accepted(page: str, title: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / title
    path.write_text(text, encoding="utf-8")
    assert [each for each in load_spec(path).diagnostics if each.code.startswith("E")] == []
    assert yaml.safe_load(text)["name"] == title.removesuffix(".yaml")


def test_the_sources_of_the_corpus_how_to_are_accepted(tmp_path: Path) -> None:
    spec = yaml.safe_load(next(text for _, _, title, text in blocks() if title == "laptop.yaml"))
    sources = yaml.safe_load(next(text for _, _, title, text in blocks() if title == "sources"))
    path = tmp_path / "corpus.yaml"
    path.write_text(yaml.safe_dump(spec | sources), encoding="utf-8")
    assert [each for each in load_spec(path).diagnostics if each.code.startswith("E")] == []
    assert len(sources["corpus"]) == 3


def test_the_suite_of_the_tables_how_to_is_accepted(tmp_path: Path) -> None:
    text = next(text for _, _, title, text in blocks() if title == "my-table.suite")
    path = tmp_path / "my-table.yaml"
    path.write_text(text.replace("my-task.yaml", str(specs_dir() / "gsm8k.yaml")), encoding="utf-8")
    loaded = load_suite(path)
    arms = {arm.name: arm for arm in loaded.arms}
    assert set(arms) - loaded.optional == {"m-100", "demos-20", "one-shot"}
    assert (arms["m-100"].set, arms["one-shot"].updates) == ({"select.samples": 50}, "reference")
    assert [(each.arm, each.against) for each in loaded.suite.compare][-2:] == [
        ("no-adaptation", "full-set"),
        ("demos-20", None),
    ]
