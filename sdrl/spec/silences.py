"""``lint.ignore``: which warnings a spec silences, whether each silence has an effect, and whether it says why.

One list serves every layer that warns. A layer asks for the problems of the codes it gives itself, because only it
knows whether the warning would have been given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from sdrl.spec.diagnostics import Diagnostic

if TYPE_CHECKING:
    from sdrl.spec.loader import Loaded


class Silences:
    """The silences of one spec, and which of them had an effect so far."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        items = loaded.spec.lint.ignore if loaded.spec is not None else ()
        self._given = [(item, None) if isinstance(item, str) else (item.code, item.reason) for item in items]
        self._codes = {code for code, _ in self._given}
        self._used: set[str] = set()

    def kept(self, found: Iterable[Diagnostic]) -> list[Diagnostic]:
        """What is not silenced; errors never are."""
        return [item for item in found if not self.hides(item)]

    def hides(self, item: Diagnostic) -> bool:
        """Whether a diagnostic is silenced; remembers that the silence had an effect."""
        if item.is_error or item.code not in self._codes:
            return False
        self._used.add(item.code)
        return True

    def problems(self) -> list[Diagnostic]:
        """What the list itself shows to be wrong: a code twice (W323), a silence without a reason (W324)."""
        found = []
        seen: set[str] = set()
        for index, (code, reason) in enumerate(self._given):
            if code in seen:
                found.append(self._about("W323", index, f"{code} is silenced twice", "remove this one"))
            elif reason is None:
                advice = f"say why it does not apply: {{code: {code}, reason: …}}"
                found.append(self._about("W324", index, f"{code} is silenced without a reason", advice))
            seen.add(code)
        return found

    def unused(self, mine: Callable[[str], bool]) -> list[Diagnostic]:
        """W323 for silences without an effect, of the codes that the caller gives."""
        first = {code: index for index, (code, _) in reversed(list(enumerate(self._given)))}
        advice = "remove it from lint.ignore: it would hide the next mistake of this kind"
        return [
            self._about("W323", index, f"{code} is silenced and would not be given", advice)
            for code, index in sorted(first.items(), key=lambda item: item[1])
            if mine(code) and code not in self._used and code not in _OWN
        ]

    def _about(self, code: str, index: int, message: str, advice: str) -> Diagnostic:
        silenced = self._given[index][0]
        return self._loaded.diagnostic(code, f"lint.ignore.{index}", message, help=advice, found=silenced)


_OWN = frozenset(("W323", "W324"))  # about silences themselves: whether these have an effect is known only afterwards
