"""MetaMath's rephrasing (arXiv 2309.12284, section 3.2): a demo's question in other words, checked by working it out.

The rewording sees the question and not its answer, the solution sees the new question and not the demo: what comes to
the demo's answer nevertheless still asks the same.

Departures: (1) two rephrasings of no task in particular are shown, where the paper shows many of its own. (2) The vote
must find the demo's answer too; the paper asks once.
"""

from __future__ import annotations

from sdrl.compiler.overlap import normal_form
from sdrl.compiler.prompts import options_to_show
from sdrl.methods.attempt import Attempt, Draft, Refusal, Writing
from sdrl.methods.metamath import demo_of, example, keeps_answer, reasoned


def write(attempt: Attempt) -> Writing:
    """Two requests: ``templates/metamath/reword.jinja`` and ``reason.jinja``."""
    demo = demo_of(attempt)
    reply = yield Draft("reword", {"input": demo.input, "options": options_to_show(demo.input, demo.options) or None})
    question = str(reply["question"])
    if normal_form(question) == normal_form(demo.input):
        return Refusal("unchanged", question[:200])
    output = yield from reasoned(attempt, question)
    if not keeps_answer(attempt, question, output):
        return Refusal("other_answer", f"{output[-200:]!r} where the demo has {demo.output[-200:]!r}")
    return example(attempt, question, output)
