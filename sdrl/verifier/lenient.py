"""A second, generous reading of a completion: the answer wherever it may stand, not where the task asked for it.

The last number (number, math), the last letter of an option that stands alone (choice), the last of the declared words
(boolean, label). Thought and comparison are the strict program's own. It decides nothing: it stands beside a strict
accuracy and tells how much of what is wrong is form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SPECIAL = frozenset(r"\.+*?()|[]{}^$")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def lenient_program(program: Mapping[str, Any]) -> dict[str, Any] | None:
    """The program that reads leniently; None where a type has no such place, or the strict one looks there already."""
    kind = program["type"]
    if kind in ("number", "math"):
        extract: dict[str, Any] = {"kind": "last_number"}
    elif kind == "choice":
        letters = "".join(letter for letter in program.get("options") or _LETTERS if letter in _LETTERS)
        extract = {"kind": "regex", "pattern": rf"\b([{letters or _LETTERS}])\b"}
    elif kind in ("boolean", "label") and program.get("options"):
        words = "|".join(_quoted(word) for word in sorted(_words(program["options"]), key=len, reverse=True))
        case = "(?i)" if program.get("ignore_case", True) else ""
        extract = {"kind": "regex", "pattern": rf"{case}\b({words})\b"}
    else:
        return None
    strict = {key: value for key, value in program["extract"].items() if value is not None}
    return None if strict == extract else {**program, "extract": extract, "take": "last"}


def _words(options: Any) -> set[str]:
    """Every spelling of every declared answer."""
    if not isinstance(options, Mapping):
        return set(options)
    forms = {name: (own,) if isinstance(own, str) else tuple(own or ()) for name, own in options.items()}
    is_boolean = set(forms) == {"true", "false"}
    return {word for name, own in forms.items() for word in (own if is_boolean and own else (name, *own))}


def _quoted(word: str) -> str:
    return "".join(f"\\{sign}" if sign in _SPECIAL else sign for sign in word)
