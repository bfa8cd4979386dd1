"""A person's own colours: a line is a colour, or is told with its place and left out."""

from __future__ import annotations

import pytest

from sdrl.authoring.themes import is_theme, read_theme

MINE = 'primary: "#0178d4"\naccent: "#fa0"\ndark: false\n'


def test_a_file_of_colours_is_a_theme() -> None:
    assert read_theme(MINE, "mine.yaml") == ({"primary": "#0178d4", "accent": "#fa0", "dark": False}, ())


@pytest.mark.parametrize(
    ("text", "said", "stays"),
    [
        ("primary: #0178d4\n", "mine.yaml:1:9: 'primary' is empty, as # begins a comment; put the colour in", False),
        ("dark: true\n", "mine.yaml:1:1: a theme needs its primary colour; add primary:", False),
        (MINE + "panle: '#123456'\n", "mine.yaml:4:1: a theme has no 'panle'; did you mean 'panel'?", True),
        (MINE + "variables: {a: b}\n", "mine.yaml:4:1: a theme has no 'variables'; it has primary", True),
        (MINE + "panel: 123456\n", "mine.yaml:4:8: '123456' is no colour; write it as panel: \"#123456\"", True),
        (MINE + "panel: '#12345'\n", "mine.yaml:4:8: '#12345' is no colour; write it as panel: \"#0178d4\"", True),
        (MINE + "panel: [a]\n", "mine.yaml:4:8: a colour is one word; write panel:", True),
        ("dark: maybe\n" + MINE[:19], "mine.yaml:1:7: dark is true or false; write dark: true", True),
        ("- primary\n", "mine.yaml:1:1: no table; write lines such as primary:", False),
        ("", "mine.yaml:1:1: there is nothing in this file; write lines such as primary:", False),
        (MINE + "primary: '#000'\n", "mine.yaml:4:1: the key 'primary' appears twice; write lines such as", False),
        ("primary: [\n", "mine.yaml:1:", False),
        ("primary: !!python/name:os.system x\n", "mine.yaml:1:10: the tag", False),
    ],
)  # fmt: skip
def test_what_is_no_colour_is_told_with_its_place_and_left_out(text: str, said: str, stays: bool) -> None:
    colours, problems = read_theme(text, "mine.yaml")
    assert len(problems) == 1 and problems[0].startswith(said), problems
    assert (colours is not None) == stays
    if colours is not None:
        assert colours["primary"] == "#0178d4" and set(colours) <= {"primary", "accent", "dark"}


@pytest.mark.parametrize(
    "values",
    [
        None,
        [],
        {},
        {"dark": True},
        {"primary": "red"},
        {"primary": "#000", "dark": "#000"},
        {"primary": "#000", "a": 1},
    ],
)
def test_kept_values_that_are_no_colours_are_no_theme(values: object) -> None:
    assert not is_theme(values)
    assert is_theme({"primary": "#000", "dark": True})
