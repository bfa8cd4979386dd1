"""What a synthesis method is, as far as a plan must know it: its prompts, their replies, what they cost. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# text: a text that is not empty. list: texts. whole: a whole number. pairs: objects {question, answer}, perhaps none.
# options: the options' texts by letter, asked for where the task has letters.
FIELD_KINDS = ("text", "list", "whole", "pairs", "options")


@dataclass(frozen=True)
class Step:
    """One prompt of a method.

    ``variables`` are those its template may use beside the common ones, ``needed`` those without which it cannot do its
    work. ``reply`` says what the reply's JSON object holds, a kind of ``FIELD_KINDS`` by field, in order; empty: a
    sample (input, output, and the options' texts where the task has letters).

    What it costs: an attempt asks it ``asks`` times on average, ``most_asks`` at most. ``shared_by`` is who has one
    request in common: nobody (``attempt``), ``serves`` attempts of a part in a row (``turns``), all attempts that
    use the same passage (``passage``; each of ``serves`` in a row may use those of the others), all of a part
    (``part``), or those of a part whose sample belongs to the same topic (``topic``; ``schedule.topics_for`` says how
    many topics). ``tries`` is how often a reply that cannot be read is asked for, where many attempts hang on it.
    ``size`` is the usual length of its reply, in written samples.

    Every variable but ``demos`` (samples), ``sample`` and ``options`` is a text, or None where there is nothing.
    """

    prompt: str
    variables: tuple[str, ...]
    needed: tuple[str, ...]
    reply: Mapping[str, str] = field(default_factory=dict)
    asks: float = 1.0
    most_asks: int = 1
    shared_by: Literal["attempt", "turns", "passage", "part", "topic"] = "attempt"
    serves: int = 1
    tries: int = 1
    size: float = 1.0


@dataclass(frozen=True)
class Method:
    """One synthesis method, as far as a plan knows it.

    ``folder`` holds its templates where it shares them with its kin, else they lie in one of its name. ``answers`` and
    ``languages`` are the answer types and languages that it can write for, empty: all.
    ``needs`` is what it cannot start without: ``demos``, ``corpus``. ``reads`` is which of passages, pattern and demos
    it uses where they are there. ``pool``: a prompt shows samples that were written before it, so that attempts
    go out in waves. ``scripted``: the scripted instructor can answer it, and what differs from grounded is something
    that this program reads, so that a figure of it says something.

    ``of_demo``: each sample is a form of one demo, the first of its parents, and was kept because its output has an
    answer that is known without asking: a vote for another drops it. ``repeats``: its input is the demo's own, so that
    what is new in it is the output. ``once``: it asks for each number of a demo once, so that the demos bring no more.
    """

    name: str
    does: str
    source: str
    steps: tuple[Step, ...]
    departures: tuple[str, ...] = ()
    needs: tuple[Literal["demos", "corpus"], ...] = ()
    reads: tuple[str, ...] = ()
    pool: bool = False
    scripted: bool = False
    of_demo: bool = False
    repeats: bool = False
    once: bool = False
    folder: str = ""
    answers: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    def step(self, prompt: str) -> Step:
        """The step that sends ``prompt``; KeyError when there is none."""
        for step in self.steps:
            if step.prompt == prompt:
                return step
        raise KeyError(prompt)

    @property
    def prompts(self) -> tuple[str, ...]:
        """The prompts that writing a sample sends, in order."""
        return tuple(step.prompt for step in self.steps)
