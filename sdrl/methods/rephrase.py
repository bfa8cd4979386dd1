"""WRAP (arXiv 2401.16380, section 3.1): noisy passages are written anew as clean text before examples are made of them.

Its style is the paper's 'medium': high-quality English as in an encyclopaedia, no fact added. Attempts that use the
same passage share its paraphrase.

Departures: (1) the paper trains on paraphrases; here one takes the passage's place in grounded's prompt.
(2) One style of its four. (3) A passage is rewritten whole, however long ``retrieve.passage_words`` lets it be.
"""

from __future__ import annotations

from sdrl.methods.attempt import Attempt, Draft, Example, Refusal, Writing


def write(attempt: Attempt) -> Writing:
    """Two requests: ``templates/rephrase/paraphrase.jinja``, of the passage; ``templates/grounded/generate.jinja``."""
    if attempt.passage is None:
        return Refusal("no_passage", "the search found no passage for this part")
    clean = yield Draft("paraphrase", {"passage": attempt.passage["text"]}, key=attempt.passage["id"])
    reply = yield Draft(
        "generate",
        {
            "passage": clean["text"],
            "pattern": attempt.pattern if attempt.demos else None,
            "demos": attempt.demos,
        },
    )
    return Example(reply)
