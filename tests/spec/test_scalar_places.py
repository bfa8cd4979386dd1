r"""Where a part of a text stands in the file, whatever way the text is written."""

from __future__ import annotations

import textwrap

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from sdrl.spec.nodes import Mapping, Scalar, parse
from sdrl.spec.scalar_places import place_of

VALUE = "one 'two' \"three\"\n\n#### four\n"
STYLES = {
    "plain": "key: one two #### four\n",
    "plain, folded": "key: one two\n  three\n  #### four\n".replace("#### ", "+### "),
    "single": "key: 'it''s\n  #### four'\n",
    "double": 'key: "a\\tb \\u00e9\\n#### four"\n',
    "double, continued": 'key: "a \\\n  b\\n\n  #### four"\n',
    "literal": "key: |\n  one\n\n    two\n  #### four\n",
    "folded": "key: >-\n  one\n  two\n\n  #### four\n",
    "indented": "key: |2\n    one\n  #### four\n",
    "flow": 'key: {input: x, output: "1\\n#### four"}\n',
    "windows": "key: |\r\n  one\r\n  #### four\r\n",
}


def scalar(text: str) -> Scalar:
    root = parse(text).root
    assert isinstance(root, Mapping)
    node = root.items[0][1]
    if isinstance(node, Mapping):
        node = node.items[-1][1]
    assert isinstance(node, Scalar)
    return node


@pytest.mark.parametrize("style", STYLES)
def test_a_word_is_found_where_it_is_written(style: str) -> None:
    text = STYLES[style].replace("two #### four", "two four")
    node = scalar(text)
    start = node.text.index("four")
    mark = place_of(text, node.mark, node.text, start, start + 4)
    assert text[mark.index : mark.end_index] == "four"
    assert text.split("\n")[mark.line][mark.column : mark.end_column] == "four"


def test_a_part_of_several_lines_is_marked_up_to_its_first_line_end() -> None:
    text = "key: |\n  one\n  two\n"
    node = scalar(text)
    mark = place_of(text, node.mark, node.text, 0, 7)
    assert (mark.line, mark.column, mark.end_column) == (1, 2, 5)


def test_what_does_not_fit_is_marked_as_a_whole() -> None:
    node = scalar("key: one\n")
    assert place_of("key: one\n", node.mark, "other", 0, 3) == node.mark
    assert place_of("key: one\n", node.mark, "one", 2, 2) == node.mark


@given(
    st.lists(st.text("ab '\"\\#:-é\t", min_size=1, max_size=8).map(str.strip).filter(bool), min_size=1, max_size=5),
    st.sampled_from(["'", '"', "|", ">"]),
)
def test_every_character_but_blanks_is_found(lines: list[str], style: str) -> None:
    value = "\n".join(lines)
    text = yaml.safe_dump({"key": value}, default_style=style, allow_unicode=True, width=20)
    text = text.replace('"key"', "key").replace("'key'", "key")
    if style in "|>":
        text = f"key: {style}-\n" + textwrap.indent(value.replace("\n", "\n" if style == "|" else "\n\n"), "  ") + "\n"
    parsed = parse(text)
    assume(parsed.root is not None and not parsed.problems)
    node = scalar(text)
    assume(node.text == value)
    for at, character in enumerate(value):
        if character.isspace():
            continue
        mark = place_of(text, node.mark, node.text, at, at + 1)
        written = text[mark.index : mark.end_index]
        assert written in (character, "''", "\\" + character) or written.startswith("\\x")
