"""What the compiler found wrong, with places in the spec. Collects; decides nothing and prints nothing."""

from __future__ import annotations

from sdrl.spec.diagnostics import Diagnostic, has_errors
from sdrl.spec.loader import Loaded


class Findings:
    """Diagnostics of one compilation, in the order in which they were found."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self.items: list[Diagnostic] = list(loaded.diagnostics)

    def add(self, code: str, path: str, message: str, help: str | None = None) -> None:  # noqa: A002
        """Report a problem of the value at ``path`` (dotted) of the spec."""
        self.items.append(self._loaded.diagnostic(code, path, message, help=help))

    def add_at(self, diagnostic: Diagnostic) -> None:
        """Report a problem of another file (a template, a row)."""
        self.items.append(diagnostic)

    @property
    def failed(self) -> bool:
        """Whether there is an error among them."""
        return has_errors(self.items)
