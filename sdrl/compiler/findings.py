"""What the compiler found wrong, with places in the spec, less what the spec silences. Prints nothing."""

from __future__ import annotations

from sdrl.spec.diagnostics import Diagnostic, has_errors
from sdrl.spec.loader import Loaded
from sdrl.spec.silences import Silences

MINE = ("W4", "W5", "W7")
BY_MACHINE = frozenset(("W501", "W510", "W511"))  # follow from what a machine has: their silence is never idle


class Findings:
    """Diagnostics of one compilation, in the order in which they were found."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._silences = Silences(loaded)
        self.items: list[Diagnostic] = list(loaded.diagnostics)

    def add(
        self,
        code: str,
        path: str,
        message: str,
        help: str | None = None,  # noqa: A002
        *,
        part: tuple[int, int] | None = None,
    ) -> None:
        """Report a problem of the value at ``path`` (dotted) of the spec; of ``part`` of it, in its characters."""
        self.add_at(self._loaded.diagnostic(code, path, message, help=help, part=part))

    def add_at(self, diagnostic: Diagnostic) -> None:
        """Report a problem of another file (a template, a row)."""
        if not self._silences.hides(diagnostic):
            self.items.append(diagnostic)

    def judge_silences(self) -> None:
        """Report silences of the compiler's own warnings that had no effect; once, at the end."""
        unused = self._silences.unused(lambda code: code.startswith(MINE) and code not in BY_MACHINE)
        self.items += self._silences.kept(unused)

    @property
    def failed(self) -> bool:
        """Whether there is an error among them."""
        return has_errors(self.items)
