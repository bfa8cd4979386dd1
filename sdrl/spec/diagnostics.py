"""What can go wrong, as data, and the one exception a user ever meets.

A wrong spec is a list of ``Diagnostic``: collected, never raised one by one. Everything that stops a command for a
reason the user can mend is an ``SdrlError`` with a code of ``sdrl.spec.codes`` and an exit code of ``Exit``. A bug of
ours is any other exception. Reads and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a diagnostic weighs."""

    ERROR = "error"
    WARNING = "warning"


class Exit(IntEnum):
    """Exit codes of every command: the contract of the command line (docs/reference/exit-codes.md is made of it)."""

    OK = 0
    """Done; warnings at most."""
    PROBLEMS = 1
    """Diagnostics, a refused key, a missing extra, a stage that failed for good; differences or failures asked for."""
    USAGE = 2
    """Wrong usage of the command; nothing was begun."""
    STALE = 3
    """The plan is changed, stale or pending, or the run folder holds another plan; says what would run again."""
    BUDGET = 4
    """A cap of the budget is reached; raise it with --budget and give the same command."""
    STOPPED = 5
    """Stopped by a signal, a dead endpoint or a full disk; the same command goes on."""
    GATE = 6
    """A gate of the spec is not met, or samples wait for a person's review."""
    INTERNAL = 70
    """A mistake of sdrl itself; the message names a log to report."""


@dataclass(frozen=True)
class Diagnostic:
    """One problem of one spec: a stable code, what was found, where, and one way to mend it.

    ``line`` and ``column`` count from 1, in characters; ``end_column`` is the first column after the value.
    ``path`` is the dotted key path (``evaluate.0.gold``).
    """

    code: str
    message: str
    path: str = ""
    file: str | None = None
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
    found: str | None = None
    help: str | None = None
    source_line: str | None = field(default=None, compare=False)

    @property
    def severity(self) -> Severity:
        """Warnings have a code that begins with W; everything else is an error."""
        return Severity.WARNING if self.code.startswith("W") else Severity.ERROR

    @property
    def is_error(self) -> bool:
        """Whether the spec cannot be used as it is."""
        return self.severity is Severity.ERROR


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them is an error."""
    return any(item.is_error for item in diagnostics)


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By place in the file, then by code, then as found: the order a person reads them in."""
    return tuple(sorted(diagnostics, key=lambda d: (d.file or "", d.line or 0, d.column or 0, d.code)))


class SdrlError(Exception):
    """A command cannot go on, for a reason the user can mend.

    ``diagnostics`` carries the details where the reason is a spec; ``exit`` is the process's exit code.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        help: str | None = None,  # noqa: A002 - the word users see
        exit: Exit = Exit.PROBLEMS,  # noqa: A002 - the word users see
        diagnostics: Iterable[Diagnostic] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help
        self.exit = exit
        self.diagnostics = tuple(diagnostics)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.code else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        """Picklable, so that it crosses process borders whole."""
        return (_rebuild_error, (self.code, self.message, self.help, self.exit, self.diagnostics))


def _rebuild_error(
    code: str, message: str, help_: str | None, exit_: Exit, diagnostics: tuple[Diagnostic, ...]
) -> SdrlError:
    return SdrlError(code, message, help=help_, exit=exit_, diagnostics=diagnostics)
