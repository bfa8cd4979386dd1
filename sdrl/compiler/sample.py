"""One sample of a task, and the id that follows from its content. Knows nothing of stages or files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sdrl.compiler.canonical import digest


@dataclass(frozen=True)
class Sample:
    """An input, the output that answers it, and for lettered tasks the text of each option.

    ``output`` is a whole completion in the task's output format (a demo, a written example), or a bare gold value
    where a stage says so. ``options`` maps a label (``"A"``) to its text.
    """

    input: str
    output: str
    options: dict[str, str] | None = field(default=None)

    def to_dict(self) -> dict[str, Any]:
        """As a JSON object; no ``options`` key when there are none."""
        row: dict[str, Any] = {"input": self.input, "output": self.output}
        if self.options is not None:
            row["options"] = dict(self.options)
        return row

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Sample:
        """The inverse of ``to_dict``; other keys are ignored."""
        options = row.get("options")
        return cls(str(row["input"]), str(row["output"]), None if options is None else dict(options))


def carried_options(
    answer_type: str,
    input: str,  # noqa: A002
    options: Mapping[str, str] | None,
) -> dict[str, str] | None:
    """What a sample brings to its verifier besides the completion: its option texts; for ``program`` its input.

    A verifier program may need what the input holds (a database, a grid, unit tests). It goes the way of the option
    texts, which reach every judgement already, and is never shown twice: the prompts leave it out.
    """
    if answer_type == "program":
        return {"input": input}
    return None if options is None else dict(options)


def sample_id(input: str, options: Mapping[str, str] | None = None, parents: Sequence[str] = ()) -> str:  # noqa: A002
    """16 hex digits of sha256 over content and parents: equal content from equal parents has one id."""
    return digest({"input": input, "options": dict(options) if options else None, "parents": list(parents)})[:16]
