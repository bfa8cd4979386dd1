"""The paper's own method (section 4.1, Figure 6): passage, pattern, demos and definition make one new example.

Pattern, demos and the sentence 'same difficulty or harder' form one block of the template: without demos none of the
three appears.
"""

from __future__ import annotations

from sdrl.methods.attempt import Attempt, Draft, Example, Writing


def write(attempt: Attempt) -> Writing:
    """One request: ``templates/grounded/generate.jinja``."""
    reply = yield Draft(
        "generate",
        {
            "passage": attempt.passage["text"] if attempt.passage else None,
            "pattern": attempt.pattern if attempt.demos else None,
            "demos": attempt.demos,
        },
    )
    return Example(reply)
