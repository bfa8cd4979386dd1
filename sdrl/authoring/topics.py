"""Help for where a person is: one topic for the chat and one for each panel, with the keys that work there.

``{save}`` in a line stands for the key of an action as it is bound now. Data only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """A title, what one sees, and (key, what it does) pairs."""

    title: str
    text: str
    keys: tuple[tuple[str, str], ...] = ()


_BACK = ("escape", "back to the chat")
_SCROLL = ("j, k, space", "scroll, as up, down and pagedown do; g and G lead to the beginning and the end")
TOPICS: Mapping[str, Topic] = {
    "chat": Topic(
        "The chat",
        "Write what you want and press Enter; a line that begins with / is a command. While the guided interview is "
        "open, what you write answers its question. A model answers only where one is set (/model). A proposal is a "
        "card: it changes nothing before you accept it. Everything here can be undone.",
        (
            ("enter", "sends; ctrl+j, shift+enter or a backslash at the end add a line"),
            ("up, down", "through what was sent before; what is half written is kept"),
            ("pageup, pagedown", "scroll the chat; ctrl+home and ctrl+end lead to its ends, /earlier beyond"),
            ("/", "opens the menu of commands, and after one and a space that of what it takes"),
            ("tab", "takes the menu's first entry; up, down, Enter another one; escape closes it"),
            ("{accept}", "takes the newest card over; /accept 1 budget.usd takes one field"),
            ("{amend}", "puts what a card proposes into the prompt, to change it first"),
            ("{reject}", "rejects the newest card"),
            ("{undo}, {redo}", "one change back, and again"),
            ("escape", "stops an answer that is coming"),
        ),
    ),
    "spec": Topic(
        "The spec",
        "The file itself, to type in. What is wrong is underlined and told below, and checked again as you type; each "
        "pause is one step of undo. The file on disk changes only when you save.",
        (
            ("{save}", "writes the file, whole or not at all"),
            ("{next}", "to the next issue"),
            ("{editor}", "opens the text in $EDITOR and takes it back"),
            ("{undo}, {redo}", "one change back, and again; accepted cards too"),
            ("{copy}", "copies the selection, else the whole spec"),
            _BACK,
        ),
    ),
    "issues": Topic(
        "Issues",
        "All that is wrong (✗, no run before it is mended) or doubtful (!), each with its place, its key, and a fix. "
        "/explain CODE tells why a code is one.",
        (
            ("up, down, j, k", "through the list; g and G to its ends"),
            ("enter", "to the place in the spec"),
            ("{next}", "to the next issue"),
            _BACK,
        ),
    ),
    "prompt": Topic(
        "Prompts",
        "Byte for byte what a run would send to a model. /prompt NAME shows another one.",
        (_SCROLL, _BACK),
    ),
    "verify": Topic(
        "The verifier",
        "What decides whether an answer is right, tried on the spec's worked examples, and on what you give it: "
        "/verify COMPLETION => GOLD tells what is read from a completion and why it is right or wrong.",
        (_SCROLL, _BACK),
    ),
    "plan": Topic(
        "The plan",
        "What a run would do and cost, and what of the newest run would run again. Nothing is sent to make it.",
        (("{start}", "what starting costs; once more starts it"), _SCROLL, _BACK),
    ),
    "retrieve": Topic(
        "Passages",
        "What the keywords of a run, or a query, find in the spec's own passages, best first: /retrieve QUERY. A run "
        "grounds samples in them.",
        (_SCROLL, _BACK),
    ),
    "samples": Topic(
        "Samples on trial",
        "A few samples that the spec's instructor writes for real, with how the votes on them fell. A run finds the "
        "replies in its cache and pays nothing twice.",
        (
            ("g", "has three written, or three more"),
            ("y, n", "accepts, rejects the one in view"),
            ("d", "makes a demo of the spec of it"),
            ("left, right", "to the others"),
            ("j, k, space", "scroll"),
            _BACK,
        ),
    ),
    "run": Topic(
        "A run",
        "What a run does and did, from its own record: gain, stages, what was dropped, pass rates, curves, alarms. "
        "Looking never touches it, and leaving this app never stops it. /run RUN watches another, /stop ends this one.",
        (("{start}", "starts a run, or goes on with a stopped one"), _SCROLL, _BACK),
    ),
    "review": Topic(
        "Samples to review",
        "The samples that a run waits with, else a few of every kind. What you reject twice for the same reason is "
        "offered as a change of the spec. /judge no output NOTE says what is wrong with one.",
        (
            ("y", "the sample in view is good"),
            ("1, 2, 3", "no problem of this task; unclear; a wrong label"),
            ("n", "something else is wrong"),
            ("j, k, space", "scroll"),
            _BACK,
        ),
    ),
}
STEPS: tuple[tuple[str, str, str], ...] = (
    (
        "prompt",
        "Write here",
        "Answer the question above it, or write / for every command. The guided interview writes a whole spec with you "
        "and needs no model. Ask back with a question mark.",
    ),
    (
        "side",
        "What you say becomes a file",
        "{spec} shows the spec: you can type in it at any time. {undo} takes any change back, {save} writes the file. "
        "The line below counts what is missing or wrong; {issues} lists it, each with a fix.",
    ),
    (
        "log",
        "Proposals wait for you",
        "A card proposes and changes nothing: {accept} takes it over, {reject} rejects it, {amend} changes it first.",
    ),
    (
        "keys",
        "Look before you pay",
        "{prompt} shows what would be sent, {verify} tries how answers are judged, {plan} what a run costs. {start} "
        "shows the cost once more, asks, and starts a run; {run} watches it.",
    ),
    (
        "keys",
        "Lost?",
        "{help} explains what you see, {palette} finds any command, escape stops and leads back to the chat, {quit} "
        "leaves. Nothing is ever lost: the next start goes on where you were.",
    ),
)


def topic(where: str, action_help: str = "") -> Topic:
    """The topic of a place; a place without one is told by its action's help."""
    return TOPICS.get(where) or Topic(where.capitalize(), action_help, (_SCROLL, _BACK))
