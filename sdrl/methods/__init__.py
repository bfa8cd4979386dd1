"""Synthesis methods: each a variant of the generate stage, named in ``synthesize.method``; one module a method.

What a method is (its prompts, what it needs, what a sample costs) is data and stands in
``sdrl.spec.method_table``, because a plan is made of it; how it fills its prompts is here. A method is a generator:
it yields what to ask (``Draft``) and is sent the parsed replies. It asks no model and reads no file, so that every
request is a function of the plan, of the attempt's number and of earlier replies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sdrl.methods import (
    back_translation,
    extract_and_refine,
    grounded,
    metamath_answers,
    metamath_fobar,
    metamath_rephrase,
    metamath_self_verification,
    personas,
    rephrase,
    self_instruct,
    synthllm,
    targen,
    topic_tree,
)
from sdrl.methods.attempt import Attempt, Draft, Example, Refusal, Reply, Writing
from sdrl.spec.method import Method
from sdrl.spec.method_table import METHOD_TABLE


@dataclass(frozen=True)
class Registered:
    """The code of a method: ``write`` makes one attempt.

    ``most_alike``: ROUGE-L with an earlier sample of its part at which a new one is dropped, for methods with a pool.
    """

    facts: Method
    write: Callable[[Attempt], Writing]
    most_alike: float | None = None


_CODE: Mapping[str, tuple[Callable[[Attempt], Writing], float | None]] = {
    "grounded": (grounded.write, None),
    "self-instruct": (self_instruct.write, self_instruct.MOST_ALIKE),
    "metamath-rephrase": (metamath_rephrase.write, None),
    "metamath-answers": (metamath_answers.write, None),
    "metamath-self-verification": (metamath_self_verification.write, None),
    "metamath-fobar": (metamath_fobar.write, None),
    "rephrase": (rephrase.write, None),
    "back-translation": (back_translation.write, None),
    "personas": (personas.write, None),
    "topic-tree": (topic_tree.write, None),
    "extract-and-refine": (extract_and_refine.write, None),
    "targen": (targen.write, None),
    "synthllm": (synthllm.write, None),
}
METHODS: Mapping[str, Registered] = MappingProxyType(
    {name: Registered(METHOD_TABLE[name], write, most_alike) for name, (write, most_alike) in _CODE.items()}
)


__all__ = [
    "METHODS",
    "Attempt",
    "Draft",
    "Example",
    "Refusal",
    "Registered",
    "Reply",
    "Writing",
]
