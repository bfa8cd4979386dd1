"""docs/reference is what the code says, and every page of docs is found from its index and leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sdrl.cli.main import COMMANDS, ENVIRONMENT
from sdrl.spec.schema import tables
from sdrl.spec.shapes import fields_of
from sdrl.training.launch import WATCH
from tests.docs.reference import FOLDER, pages

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)(#[\w-]+)?\)")


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_reference_page_is_what_the_code_says(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == pages()[name], "run: make golden, and read the diff"


def test_the_reference_names_every_key_and_every_command() -> None:
    made = pages()
    for table in tables():
        for key in fields_of(table):
            assert f"| `{key}` |" in made["spec.md"], f"{table.__name__}.{key}"
    for name in COMMANDS:
        assert f"\n## sdrl {name}\n" in made["cli.md"]


def test_every_variable_of_our_own_that_a_person_may_set_is_named() -> None:
    ours = {
        name
        for path in (ROOT / "sdrl").rglob("*.py")
        for name in re.findall(r"SDRL_[A-Z_]+", path.read_text(encoding="utf-8"))
    }
    assert ours - {WATCH} == {name for name in ENVIRONMENT if name.startswith("SDRL_")}


def test_a_key_names_the_first_stage_that_it_makes_anew() -> None:
    rows = {}
    section = ""
    for line in pages()["spec.md"].splitlines():
        if line.startswith("## "):
            section = line.strip("# `")
        elif match := re.match(r"\| `(\w+)` \|.*", line):
            rows[f"{section}.{match[1]}"] = line.split(" | ")[3]
    assert rows["train.learning_rate"] == "train"
    assert rows["vote.draws"] == "vote"
    assert rows["models.instructor.price"] == rows["budget.usd"] == "nothing"
    assert rows["models.instructor.model"] == "keywords"
    assert rows["models.base.model"] == "probe"
    assert rows["select.samples"] == "select"


PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    for target, anchor in LINK.findall(re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
            assert not anchor or anchor[1:] in anchors(page.parent / target), f"{page.name}: {target}{anchor}"
    for anchor in re.findall(r"\]\(#([\w-]+)\)", page.read_text(encoding="utf-8")):
        assert anchor in anchors(page), f"{page.name}: #{anchor}"


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    heads = re.findall(r"^#+ +(.*)$", re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S), re.M)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def test_the_index_lists_every_page() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).as_posix()
        if name != "README.md" and not name.startswith("decisions/"):
            assert f"]({name})" in index, name
