"""The form of an answer: what the output format asks for, and writing worked lines and an answer in that form.

Knows four ways to state an answer (after a marker, in a tag, in a box, nothing else) and three kinds of answer
(number, choice of a letter, label). Reads the text of the output format only; guesses by its wording.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

Style = Literal["marker", "tag", "boxed", "whole"]
Kind = Literal["number", "choice", "label"]

COMPARISON = ("more", "fewer", "equal")
_LABEL_SETS: tuple[tuple[str, ...], ...] = (COMPARISON, ("yes", "no"), ("true", "false"))
_THOUGHTS = ("think", "thinking", "thought", "reasoning", "work", "scratchpad")
_TAG = re.compile(r"<([A-Za-z_][\w-]*)>(?=.*</\1>|.*\btags?\b)", re.DOTALL)
_AFTER = re.compile(r"\bafter (?:the (?:marker|words?|text) )?[\"'“‘`]?([^\s\"'”’`.,;]+(?: (?:answer|is|result)\b:?)*)")
_WRITTEN = re.compile(r"((?:final )?answer(?: is)?:|the (?:final )?answer is)", re.IGNORECASE)
_ALONE = re.compile(r"\b(?:nothing else|nothing but|only the|just the|a single (?:word|letter|number))\b")


@dataclass(frozen=True, slots=True)
class Form:
    """How an answer is stated.

    `mark` is the marker or the tag's name, `labels` are the words of a label answer, `thought` is the name of the tag
    that the worked lines go into, if they do.
    """

    style: Style
    mark: str = ""
    labels: tuple[str, ...] = ()
    thought: str = ""

    def write(self, steps: Sequence[str], answer: str) -> str:
        """Worked lines and the answer: "12 + 7 = 19\\n#### 19"."""
        if self.style == "whole":
            return answer
        return "\n".join((*self.work(steps), self.statement(answer)))

    def work(self, steps: Sequence[str]) -> tuple[str, ...]:
        """The worked lines, in their tag where they have one."""
        return (f"<{self.thought}>", *steps, f"</{self.thought}>") if self.thought else tuple(steps)

    def statement(self, answer: str) -> str:
        """The line that states the answer."""
        if self.style == "boxed":
            return f"\\boxed{{{answer}}}"
        if self.style == "tag":
            return f"<{self.mark}>{answer}</{self.mark}>"
        return f"{self.mark} {answer}" if self.style == "marker" else answer


def read_form(output_format: str, task: str = "") -> Form:
    """The form asked for; "#### ANSWER" where the text names none."""
    labels = _labels(output_format) or _labels(task)
    tags = list(dict.fromkeys(_TAG.findall(output_format)))
    thought = next((name for name in tags if name.lower() in _THOUGHTS), "")
    form = _statement_form(output_format, [name for name in tags if name != thought])
    return replace(form, labels=labels, thought=thought)


def _statement_form(output_format: str, tags: Sequence[str]) -> Form:
    if "\\boxed" in output_format:
        return Form("boxed")
    if "####" in output_format:
        return Form("marker", "####")
    if tags:
        return Form("tag", tags[-1])
    written = _WRITTEN.search(output_format) or _AFTER.search(output_format)
    if written:
        return Form("marker", written.group(1))
    return Form("whole") if _ALONE.search(output_format.lower()) else Form("marker", "####")


def _labels(text: str) -> tuple[str, ...]:
    """The label words of a known set as the text spells them, if it names them all; else none."""
    for words in _LABEL_SETS:
        spelled = [re.search(rf"\b{word}\b", text, re.IGNORECASE) for word in words]
        if all(spelled):
            return tuple(match.group() for match in spelled if match)
    return ()
