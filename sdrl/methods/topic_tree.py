"""UltraChat (arXiv 2305.14233, section 3.1): topics, sub-topics under each, and examples for each sub-topic.

The instructor names the task's topics once a part, and the sub-topics of a topic once a topic. Attempts take the leaves
in turn, each from the next topic, so that the first ones are spread over all topics. The tree is so wide and deep that
each attempt has a leaf of its own, up to 30 by 30; then the leaves come round again.

Departures: (1) The original's topics are those of daily life; here they are the task's. (2) It has 30 to 50 sub-topics
a topic, and 20 questions of each. (3) Its entities, its writing tasks, its given materials and its dialogues of several
turns are left out. (4) No passage is read: it would be about something else than the leaf. (5) The label is the
vote's.
"""

from __future__ import annotations

from sdrl.compiler.schedule import topics_for
from sdrl.methods.attempt import Attempt, Draft, Example, Writing, id_of

SHOWN = 3  # demos beside the request for topics: enough to say what the task is, too few to draw its limits


def write(attempt: Attempt) -> Writing:
    """Three requests of ``templates/topic-tree/``: ``topics.jinja``, ``subtopics.jinja``, ``generate.jinja``; the first
    shared by the part, the second by the topic."""
    part = attempt.part
    width = topics_for(attempt.plan.settings.synthesize, part.share)
    topics = (yield Draft("topics", {"count": str(width), "demos": part.demos[:SHOWN]}, key=part.name))["topics"][
        :width
    ]
    cycle, at = divmod(attempt.turn, len(topics))
    others = "\n".join(topic for topic in topics if topic != topics[at])
    values = {"topic": topics[at], "other_topics": others or None, "count": str(width)}
    leaves = (yield Draft("subtopics", values, key=f"{part.name}/{at}"))["subtopics"][:width]
    chosen = {"topic": topics[at], "subtopic": leaves[cycle % len(leaves)]}
    reply = yield Draft(
        "generate",
        {**chosen, "pattern": attempt.pattern if attempt.demos else None, "demos": attempt.demos},
    )
    return Example(reply, parents=tuple(id_of(demo) for demo in attempt.demos), notes=chosen)
