"""MetaMath's answer augmentation (arXiv 2309.12284, section 3.1): more worked solutions of the demos' own questions.

Serves fine-tuning on solutions (``train.algorithm: sft``): one question comes with several ways to its answer. What is
learnt from rewards or from the base model's own draws never sees a written solution, only a question several times.

Departures: (1) A solution that equals an earlier one of its question is dropped, by the filter ``duplicates``. (2) The
vote must find the demo's answer too; the paper asks once.
"""

from __future__ import annotations

from sdrl.methods.attempt import Attempt, Refusal, Writing
from sdrl.methods.metamath import demo_of, example, keeps_answer, reasoned


def write(attempt: Attempt) -> Writing:
    """One request: ``templates/metamath/reason.jinja``."""
    demo = demo_of(attempt)
    output = yield from reasoned(attempt, demo.input)
    if not keeps_answer(attempt, demo.input, output):
        return Refusal("other_answer", f"{output[-200:]!r} where the demo has {demo.output[-200:]!r}")
    return example(attempt, demo.input, output)
