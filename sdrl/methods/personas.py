"""Cosmopedia (Hugging Face 2024, https://huggingface.co/blog/cosmopedia): topic, audience and form make prompts differ.

The instructor names audiences that the task can be written for, and forms in which its matter comes up. Each attempt
takes one audience and one form, so that neighbours differ in both and each pairing comes once before any comes again.
A passage, where there is a corpus, stands for the web extract and its topic. When the pairings of a list are used up,
another list is asked for, which is shown the audiences that were named before.

Departures: (1) The original's audiences and forms are a fixed few, whatever the topic; here they are named for the
task. (2) It writes textbooks, posts and stories; here an example of the task. (3) Without a corpus there is no topic
beside audience and form. (4) The form of telling yields to the task's input form, and the label is the vote's.
"""

from __future__ import annotations

from collections.abc import Generator

from sdrl.methods.attempt import Attempt, Draft, Example, Reply, Writing, id_of
from sdrl.spec.method_table import METHOD_TABLE

TURNS = METHOD_TABLE["personas"].step("personas").serves  # attempts that one list serves
FORMS = 6
AUDIENCES = TURNS // FORMS  # as the template asks for
LISTS = 6  # then the first one comes round again


def write(attempt: Attempt) -> Writing:
    """Two requests of ``templates/personas/``: ``personas.jinja``, of a list, shared; and ``generate.jinja``."""
    batch, place = divmod(attempt.turn, TURNS)
    audiences, forms = yield from _listed(attempt, batch % LISTS)
    row, at = divmod(place, len(audiences))
    chosen = {"audience": audiences[at], "form": forms[(at + row) % len(forms)]}
    reply = yield Draft(
        "generate",
        {
            **chosen,
            "passage": attempt.passage["text"] if attempt.passage else None,
            "pattern": attempt.pattern if attempt.demos else None,
            "demos": attempt.demos,
        },
    )
    return Example(reply, parents=tuple(id_of(demo) for demo in attempt.demos), notes=chosen)


def _listed(attempt: Attempt, batch: int) -> Generator[Draft, Reply, tuple[list[str], list[str]]]:
    """Audiences and forms of one list; each list is shown the audiences of those before it."""
    named: list[str] = []
    for at in range(batch + 1):
        values = {"earlier_audiences": "\n".join(named) or None}
        reply = yield Draft("personas", values, key=f"{attempt.part.name}/{at}")
        audiences = reply["audiences"][:AUDIENCES]
        named += audiences
    return audiences, reply["forms"][:FORMS]
