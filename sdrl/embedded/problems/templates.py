"""The sentence templates of the word problems, in three families that share no sentence.

INSTRUCTOR: what the scripted instructor writes (also met in pre-training).
HELD_OUT: met in pre-training, never written by the instructor (the first test set).
OOD: sentences met by nobody before the test, made of words that the base has met (the second test set).

A problem is one opening, one sentence per step, perhaps a distractor, and a question. Slots: {name}, {friend},
{place}, {nouns}, {other} (a second noun), {n} (the number of the sentence), {a} and {b} (an opening that already
holds a step: {a} is where the count starts, {b} what is done to it). Reads and writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

INSTRUCTOR = "instructor"
HELD_OUT = "held_out"
OOD = "ood"
FAMILIES = (INSTRUCTOR, HELD_OUT, OOD)

OPEN, STEP, DISTRACTOR, QUESTION = "open", "step", "distractor", "question"


@dataclass(frozen=True)
class Template:
    """One sentence with slots; `op` is "+", "-", "*" or "/" where the sentence is a step, and `fixed` its number."""

    id: str
    family: str
    kind: str
    text: str
    op: str | None = None
    fixed: int | None = None


Row = str | tuple[str, int]

_OPEN: dict[str, dict[str, list[str]]] = {
    INSTRUCTOR: {
        "": [
            "{name} has {n} {nouns}.",
            "{name} keeps {n} {nouns} in {place}.",
            "In {place}, {name} counts {n} {nouns}.",
            "At the start of the day {name} has {n} {nouns}.",
            "{name} and {friend} own {n} {nouns} together.",
            "A box that belongs to {name} holds {n} {nouns}.",
            "On Monday {name} writes down {n} {nouns}.",
            "{name} brings {n} {nouns} to {place}.",
            "For a lesson about {nouns}, {name} prepares {n} of them.",
            "{friend} hands {name} a bag with {n} {nouns}.",
        ],
        "+": ["{name} buys {b} {nouns} today; there were already {a} at home."],
        "-": ["{name} gives {friend} {b} {nouns} out of a set of {a}."],
        "*": ["There are {b} boxes for {name}, each with {a} {nouns}."],
    },
    HELD_OUT: {
        "": [
            "{name} owns {n} {nouns}.",
            "There are {n} {nouns} on the desk of {name}.",
            "{name} starts with {n} {nouns}.",
            "Last year {name} put {n} {nouns} in {place}.",
            "A list made by {name} names {n} {nouns}.",
            "{name} orders {n} {nouns} for {place}.",
            "In the morning {name} sees {n} {nouns}.",
            "{friend} lends {name} {n} {nouns}.",
        ],
        "+": ["{name} adds {b} {nouns} to the {a} from last week."],
        "-": ["{name} throws away {b} of {a} {nouns}."],
        "*": ["{name} fills {b} shelves with {a} {nouns} each."],
    },
    OOD: {
        "": [
            "In the morning {name} has {n} {nouns}.",
            "On the desk of {name} there are {n} {nouns}.",
            "{name} and {friend} start with {n} {nouns}.",
            "On Monday {name} brings {n} {nouns} to {place}.",
            "A bag that {name} owns holds {n} {nouns}.",
        ],
        "+": ["{name} buys {b} {nouns}; there were already {a} from last week."],
        "-": ["{name} sells {b} {nouns} out of a set of {a}."],
    },
}

_STEPS: dict[str, dict[str, list[Row]]] = {
    INSTRUCTOR: {
        "+": [
            "{name} gets {n} more.",
            "Then {friend} gives {name} {n} more {nouns}.",
            "After lunch {n} more {nouns} arrive.",
            "{name} finds {n} others.",
            "Another {n} are added to them.",
            "{name} goes to {place} and buys {n} {nouns} there.",
        ],
        "-": [
            "{name} loses {n} of them.",
            "{name} gives {n} to {friend}.",
            "{n} of the {nouns} break.",
            "Then {friend} takes {n} away.",
            "{name} sells {n} {nouns} in {place}.",
            "A storm destroys {n} of them.",
        ],
        "*": [
            ("The number then doubles.", 2),
            ("{name} then triples the number of {nouns}.", 3),
            "By the evening there are {n} times as many.",
            "Each of them is replaced by {n} new ones.",
        ],
        "/": [
            ("{name} keeps only half of them.", 2),
            "They are shared equally among {n} people, and {name} takes one share.",
            "{name} packs them into {n} equal boxes and leaves with one box.",
        ],
    },
    HELD_OUT: {
        "+": [
            "{name} receives {n} more {nouns}.",
            "{friend} brings {n} extra ones.",
            "The next day {n} new {nouns} come in.",
            "{name} then makes {n} more.",
            "{name} picks up {n} {nouns} in {place}.",
        ],
        "-": [
            "{name} drops {n} of the {nouns}.",
            "{friend} borrows {n} of them.",
            "{n} are sent to {place}.",
            "{name} uses up {n} {nouns}.",
            "Later {n} of them go missing.",
        ],
        "*": [
            ("After that there are twice as many.", 2),
            ("{name} ends the day with three times as many.", 3),
            "{name} makes the number {n} times as large.",
        ],
        "/": [
            ("Half of them are thrown out.", 2),
            "{name} divides them into {n} equal groups and keeps one group.",
        ],
    },
    OOD: {
        "+": [
            "{name} buys {n} more {nouns} in {place}.",
            "The next day {friend} gives {name} {n} others.",
            "After that {n} extra {nouns} arrive.",
            "{name} then finds {n} new ones.",
        ],
        "-": [
            "After lunch {name} sells {n} of them.",
            "{friend} takes {n} of the {nouns} to {place}.",
            "The next day {n} of the {nouns} break.",
            "Later {name} loses {n} {nouns}.",
        ],
        "*": [
            ("By the evening there are twice as many.", 2),
            "{name} then makes the number of {nouns} {n} times as large.",
        ],
        "/": [
            ("Then half of the {nouns} are thrown out.", 2),
            "{name} divides them equally among {n} people and keeps one share.",
        ],
    },
}

_DISTRACTORS: dict[str, list[str]] = {
    INSTRUCTOR: [
        "{friend} also owns {n} {other}.",
        "A ticket to {place} costs {n} dollars.",
        "The walk takes {n} minutes.",
        "{name} is {n} years old.",
        "There are also {n} {other} in {place}.",
        "It is {n} degrees outside.",
    ],
    HELD_OUT: [
        "{friend} has {n} {other} at home.",
        "The bus to {place} is number {n}.",
        "{friend} is {n} years older than {name}.",
        "A book about {other} has {n} pages.",
    ],
    OOD: [
        "{friend} owns {n} {other} at home.",
        "The walk to {place} takes {n} minutes.",
        "A book in {place} has {n} pages.",
    ],
}

_QUESTIONS: dict[str, list[str]] = {
    INSTRUCTOR: [
        "How many {nouns} does {name} have now?",
        "How many {nouns} are there in the end?",
        "How many {nouns} are left for {name}?",
        "What is the final number of {nouns}?",
        "How many {nouns} is that now?",
    ],
    HELD_OUT: [
        "How many {nouns} does {name} end up with?",
        "What number of {nouns} does {name} have at the end?",
        "Find the number of {nouns} that remain.",
        "How many {nouns} can {name} count now?",
    ],
    OOD: [
        "How many {nouns} are there now for {name}?",
        "What number of {nouns} is left in the end?",
        "Find the final number of {nouns}.",
    ],
}


def _build() -> tuple[Template, ...]:
    found: list[Template] = []

    def add(family: str, kind: str, letter: str, rows: list[Row], op: str | None) -> None:
        for row in rows:
            text, fixed = row if isinstance(row, tuple) else (row, None)
            number = sum(1 for t in found if t.id.startswith(f"{family}-{letter}")) + 1
            found.append(Template(f"{family}-{letter}{number}", family, kind, text, op, fixed))

    for family in FAMILIES:
        for op, openings in _OPEN[family].items():
            add(family, OPEN, "o", list(openings), op or None)
        for op, steps in _STEPS[family].items():
            add(family, STEP, "s", steps, op)
        add(family, DISTRACTOR, "d", list(_DISTRACTORS[family]), None)
        add(family, QUESTION, "q", list(_QUESTIONS[family]), None)
    return tuple(found)


TEMPLATES: tuple[Template, ...] = _build()


def templates(family: str, kind: str, op: str | None = None, *, any_op: bool = False) -> list[Template]:
    """The templates of one family and kind, with this `op` (or any)."""
    return [t for t in TEMPLATES if t.family == family and t.kind == kind and (any_op or t.op == op)]
