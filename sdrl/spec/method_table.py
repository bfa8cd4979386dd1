"""The synthesis methods as data: which prompts each one sends, what it starts from, what a sample costs.

A method is a variant of the generate stage. What is said here decides prompts, hashes, estimate and checks at compile
time; how a method fills its prompts is a module of the same name in ``sdrl.methods``. Data only, and lookups in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

GROUNDED = "grounded"
# What every method may ask: the prompts of Algorithm 1's other stages.
PROMPT_NAMES = ("keywords", "pattern", "generate", "solve", "harder", "easier", "judge", "tags", "answer")


@dataclass(frozen=True)
class Step:
    """One prompt of a method.

    ``variables`` are those its template may use beside the common ones, ``needed`` those without which it cannot do its
    work. The reply is a sample; an attempt sends one request.
    """

    prompt: str
    variables: tuple[str, ...]
    needed: tuple[str, ...]


@dataclass(frozen=True)
class Method:
    """One synthesis method, as far as a plan knows it.

    ``needs`` is what it cannot start without: ``demos``. ``reads`` is which of passages, pattern and
    demos it uses where they are there. ``pool``: a prompt shows samples that were written before it, so that attempts
    go out in waves. ``scripted``: the scripted instructor can answer it, and what differs from grounded is something
    that this program reads, so that a figure of it says something.
    """

    name: str
    does: str
    source: str
    steps: tuple[Step, ...]
    departures: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    pool: bool = False
    scripted: bool = False

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


_GROUNDED_STEPS = (Step("generate", ("demos", "pattern", "passage"), ("task",)),)
_GROUNDED_READS = ("passages", "pattern", "demos")
_ROWS = (
    Method(
        GROUNDED,
        does="one passage, the demos' pattern, a few demos and the definition make one new example",
        source="arXiv 2505.17063, section 4.1",
        steps=_GROUNDED_STEPS,
        reads=_GROUNDED_READS,
        scripted=True,
    ),
    Method(
        "self-instruct",
        does="a pool of examples that grows with what it brings: each prompt shows a few of it and asks for a new one",
        source="arXiv 2212.10560, section 3",
        departures=(
            "the pool holds examples of one task, not tasks",
            "answers are given first in turn, so that all are as frequent, where the original lets the model choose",
            "the pool grows after a wave of attempts, not after each",
            "the label is the vote's",
        ),
        steps=(Step("generate", ("demos", "label"), ("demos",)),),
        needs=("demos",),
        reads=("demos",),
        pool=True,
    ),
    *(
        Method(
            name,
            does="accepted by the language, not built in this version",
            source=source,
            steps=_GROUNDED_STEPS,
            reads=_GROUNDED_READS,
        )
        for name, source in (("targen", "arXiv 2310.17876"), ("synthllm", "arXiv 2503.19551"))
    ),
)
METHOD_TABLE: Mapping[str, Method] = MappingProxyType({method.name: method for method in _ROWS})


def prompt_names(method: str) -> tuple[str, ...]:
    """The prompts of a plan with this method: Algorithm 1's, then the method's own."""
    return (*PROMPT_NAMES, *(name for name in METHOD_TABLE[method].prompts if name not in PROMPT_NAMES))
