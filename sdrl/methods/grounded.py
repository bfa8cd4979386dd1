"""The paper's own method (section 4.1, Figure 6): passage, pattern, demos and definition make one new example.

Pattern, demos and the sentence 'same difficulty or harder' form one block of the template: without demos none of the
three appears.
"""

from __future__ import annotations

from sdrl.methods.attempt import Attempt, Draft


def grounded(attempt: Attempt) -> Draft:
    """The values of ``templates/grounded/generate.jinja``."""
    return Draft(
        "generate",
        {
            "passage": attempt.passage["text"] if attempt.passage else None,
            "pattern": attempt.pattern if attempt.demos else None,
            "demos": attempt.demos,
        },
    )
