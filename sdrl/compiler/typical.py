"""What models usually do, where a forecast needs it and no plan can know: how often, and how long.

``USUAL`` holds for any model. The two models that ship with sdrl write in forms of their own whatever the spec shows
them, so they have entries of their own, taken from the scripted instructor's declared rates and measured over other
seeds and sample counts than any test uses (docs/experiments.md). Data only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sdrl.compiler.sample import Sample


@dataclass(frozen=True)
class Writing:
    """How an instructor writes and votes. Shares lie in [0, 1]; factors are of the length of the sample changed."""

    readable: float = 0.975
    """Share of written replies from which a sample with an answer can be read."""
    outvoted: float = 0.012
    """Share of voted samples without a sufficient majority."""
    favoured: float = 0.06
    """Share of samples that are one of a few favourites written once more, which a filter drops."""
    favourites: int = 8
    """How many favourites there are."""
    close: float = 0.02
    """Share of harder and easier forms that a filter drops."""
    agreement: float = 0.9
    """Share of the draws behind a label."""
    harder: float = 1.12
    """Length of a harder form."""
    easier: float = 0.85
    """Length of an easier form."""
    keywords_tokens: int = 60
    """Length of a keywords reply: 15 terms."""
    pattern_tokens: int = 85
    """Length of a pattern: a short paragraph."""
    output_tokens: int = 300
    """Length of a worked output, where nothing shows one."""
    input_tokens: int = 150
    """Length of an input, where nothing shows one."""

    def repeated(self, samples: int) -> float:
        """Share of ``samples`` that repeat an earlier one."""
        written = self.favoured * samples
        different: float = self.favourites * (1 - (1 - 1 / self.favourites) ** written)
        return max(0.0, written - different) / samples


@dataclass(frozen=True)
class Answering:
    """How a base model answers: lengths as shares of a worked output, and the share of samples it solves greedily."""

    greedy: float = 1.0
    sampled: float = 1.0
    trained: float = 1.0
    solved: float = 0.5
    spread: float = 1.0
    """How pass rates are spread about ``solved``: the sum of a beta distribution's parameters; 1 is U-shaped."""


USUAL_WRITING = Writing()
# Length of a grade with its reason, and of a list of tags; the scripted instructor's are short.
USUAL_REMARKS = {"judge": 45, "tags": 30}
SCRIPTED_REMARKS = {"judge": 15, "tags": 16}
USUAL_ANSWERING = Answering()

# The toy base guesses half of its answers; it was taught numbers after ####, and breaks off at anything else.
TOY_AT_HOME = Answering(greedy=0.48, sampled=0.55, trained=1.0, solved=0.35)
TOY_LETTERS = Answering(greedy=0.36, sampled=0.36, trained=1.0, solved=0.0)
TOY_WORDS = Answering(greedy=0.22, sampled=0.22, trained=1.0, solved=0.0)

_WORK = "6+15=21\n21-9=12\n12/2=6\n6-5=1"
_STORY = (
    "Gina has 6 buyers. Gina goes to the office and buys 15 buyers there. A storm destroys 9 of them. "
    "Gina gives away half of the rest. Then 5 more are lost. How many buyers does Gina have now?"
)
_COMPARED = (
    "Gina has 6 buyers. Gina goes to the office and buys 15 buyers there. A storm destroys 9 of them. Gina gives away "
    "half of the rest. Then 5 more are lost. Is the final number of buyers more than, fewer than or equal to 17?"
)
_NUMBERS = ("19", "12", "38", "9")


def scripted_sample(answer: Any) -> Sample:
    """A sample of usual length, as the scripted instructor writes it for the spec's ``answer``."""
    options = [str(option) for option in answer.options or ()]
    if answer.type == "choice":
        texts = {label: _NUMBERS[at % len(_NUMBERS)] for at, label in enumerate(options)}
        return Sample(_STORY, f"{_WORK}\n{stated(answer, options[0])}", texts)
    if answer.type == "number":
        return Sample(_STORY, f"{_WORK}\n{stated(answer, '19')}", None)
    return Sample(_COMPARED, f"{_WORK}\n{stated(answer, options[0] if options else 'more')}", None)


def stated(answer: Any, value: str) -> str:
    """The line that states ``value`` in the form that ``answer.extract`` reads."""
    extract = answer.extract
    forms = {"marker": f"{extract.marker} {value}", "tag": f"<{extract.tag}>{value}</{extract.tag}>"}
    return forms.get(extract.kind, f"\\boxed{{{value}}}" if extract.kind == "boxed" else value)
