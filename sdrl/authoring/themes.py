"""A person's own colours: a YAML file of colour names and ``#rrggbb``. Pure; nothing in it is evaluated.

A wrong line is left out and reported with its place; without a ``primary`` colour there is no theme.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sdrl.spec.nearest import closest

Colours = Mapping[str, str | bool]
NAMES = (
    "primary", "secondary", "accent", "foreground", "background", "surface", "panel", "boost", "success", "warning",
    "error",
)  # fmt: skip
LINE = 'primary: "#0178d4"'
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_BARE = re.compile(r"[0-9a-fA-F]{3}|[0-9a-fA-F]{6}")


def is_theme(values: object) -> bool:
    """Whether these are the colours of a theme, as ``read_theme`` gives them."""
    return (
        isinstance(values, dict)
        and "primary" in values
        and all(
            isinstance(value, bool)
            if name == "dark"
            else name in NAMES and isinstance(value, str) and _COLOUR.fullmatch(value) is not None
            for name, value in values.items()
        )
    )


def read_theme(text: str, name: str) -> tuple[Colours | None, tuple[str, ...]]:
    """The colours of a file, None where it is no theme; and one line for each that is wrong: place, what, one fix."""
    from sdrl.spec.nodes import Mapping as Table
    from sdrl.spec.nodes import Scalar, parse

    parsed = parse(text)
    if parsed.problems or not isinstance(parsed.root, Table):
        said = [f"{name}:{each.line or 1}:{each.column or 1}: {each.message}" for each in parsed.problems]
        return None, tuple(f"{each}; write lines such as {LINE}" for each in said or [f"{name}:1:1: no table"])
    made: dict[str, str | bool] = {}
    problems: list[str] = []
    for key, value in parsed.root.items:
        given = value.text.strip() if isinstance(value, Scalar) else None
        if key.text not in (*NAMES, "dark"):
            near = closest(key.text, (*NAMES, "dark"))
            wrong = f"a theme has no '{key.text}'; " + (f"did you mean '{near}'?" if near else f"it has {_ALL}")
            mark = key.mark
        else:
            wrong = _wrong(key.text, given)
            mark = value.mark
        if wrong:
            problems.append(f"{name}:{mark.line + 1}:{mark.column + 1}: {wrong}")
        elif given is not None:
            made[key.text] = given == "true" if key.text == "dark" else given
    if "primary" not in made and not problems:
        problems.append(f"{name}:1:1: a theme needs its primary colour; add {LINE}")
    return (made if "primary" in made else None), tuple(problems)


_ALL = f"{', '.join(NAMES)} and dark"


def _wrong(key: str, given: str | None) -> str:
    """Why a value cannot be one of this key; '' where it can."""
    if key == "dark":
        return "" if given in ("true", "false") else "dark is true or false; write dark: true"
    if given == "":
        return f"'{key}' is empty, as # begins a comment; put the colour in quotes: {key}: \"#0178d4\""
    if given is None:
        return f'a colour is one word; write {key}: "#0178d4"'
    if _COLOUR.fullmatch(given):
        return ""
    fix = f"#{given}" if _BARE.fullmatch(given) else "#0178d4"
    return f"'{given}' is no colour; write it as {key}: \"{fix}\""
