"""The one table of actions: slash commands, palette, keys, help and scripts are all made from it.

An action is data; what it does stands in ``commands``. ``keys`` are defaults that an app may bind otherwise; an action
without one is reached by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sdrl.authoring.events import Acted, Event, Said
from sdrl.spec.nearest import closest


@dataclass(frozen=True)
class Action:
    """One thing a person can do. ``usage`` shows its argument, '' where it takes none; ``group`` orders the help."""

    id: str
    title: str
    help: str
    usage: str = ""
    keys: tuple[str, ...] = ()
    group: str = "edit"


_ROWS = (
    Action("example", "Begin with an example", "A whole spec that ships with sdrl; without a name it lists them all.",
           "[NAME]", group="author"),
    Action("interview", "Start or go on with the guided interview",
           "Asks for one thing after the other; scripted, needs no model. A dash skips a question.", group="author"),
    Action("skip", "Leave the open question out", "The interview goes on with the next question.", group="author"),
    Action("back", "Ask the last question again", "Undoes the last answer of the interview.", group="author"),
    Action("propose", "Propose how answers are read",
           "From task.output_format, or from what you say of the answer; tried with the real verifier.",
           "[WORDS]", group="author"),
    Action("demo", "Add a worked example", "Input and output, parted by =>; the verifier reads it at once.",
           "INPUT => OUTPUT", group="author"),
    Action("set", "Set a value of the spec", "The value is read as the key's type: /set budget.usd 150",
           "PATH VALUE"),
    Action("add", "Add an item to a list", "At the end: /add corpus {files: [passages/*.jsonl]}", "PATH VALUE"),
    Action("remove", "Remove a key or an item", "/remove demos.0", "PATH"),
    Action("move", "Move an item of a list", "/move filter.2 0", "PATH INDEX"),
    Action("accept", "Accept a proposed change", "The newest card, or one by number; further words name its fields.",
           "[CARD] [FIELD…]", ("ctrl+t",)),
    Action("reject", "Reject a proposed change", "The newest card, or one by number.", "[CARD]", ("ctrl+r",)),
    Action("amend", "Change what a card proposes", "Before it is accepted: /amend 1 budget.usd 80",
           "CARD FIELD VALUE", ("ctrl+e",)),
    Action("undo", "Undo", "One change of the spec back, accepted cards included.", keys=("ctrl+z",)),
    Action("redo", "Redo", "One undone change again.", keys=("ctrl+y",)),
    Action("spec", "Show the spec", "The text, with what is wrong beside it.", group="look", keys=("f2",)),
    Action("issues", "Show all problems", "Code, place, message and a fix; Enter goes there.", group="look",
           keys=("f3",)),
    Action("next", "Go to the next problem", "The cursor of the spec moves there.", group="look", keys=("ctrl+n",)),
    Action("explain", "Explain a code", "What it means, why it is refused, how to mend it.", "CODE", group="look"),
    Action("prompt", "Show the exact prompts", "Byte for byte what a run sends.", "[NAME]", group="look",
           keys=("f8",)),
    Action("verify", "Try the verifier", "Judge a completion against a gold, parted by =>.", "[COMPLETION => GOLD]",
           group="look", keys=("f5",)),
    Action("plan", "Show the plan", "Stages, requests, tokens and cost.", group="look", keys=("f6",)),
    Action("retrieve", "Search the corpus", "The passages that a query finds in the spec's local files.", "[QUERY]",
           group="look", keys=("f7",)),
    Action("run", "Watch a run", "Follows RUN/events.jsonl; leaving it never stops a run.", "[RUN]", group="look",
           keys=("f9",)),
    Action("samples", "Try samples for real", "/samples 3 has three written and voted on, +3 three more.",
           "[N]", ("f10",), "look"),
    Action("sample", "Judge the sample on trial", "yes, demo, or no, what is wrong (task, input, output), and a note.",
           "yes|no|demo [WHAT] [NOTE]", group="author"),
    Action("start", "Start a run", "Shows what it costs; asked once more it starts, and goes on without this app.",
           "[RUN]", ("ctrl+g",), group="author"),
    Action("review", "Review samples of a run", "The first, or a few of every kind; y and n judge the one in view.",
           "[RUN]", group="look"),
    Action("judge", "Judge the sample in view",
           "yes, or no with what is wrong (task, input, output) and a note: /judge no output off by one.",
           "yes|no [WHAT] [NOTE]", group="author"),
    Action("model", "Choose the model that helps here",
           "Any OpenAI-compatible endpoint; the key stays in its variable. 'off' goes back to none.",
           "MODEL [ENDPOINT] [KEY_ENV]", group="author"),
    Action("stop", "Stop what is under way",
           "The assistant's answer, whose beginning is kept; else the run in view, which can go on.", "[RUN]",
           group="author"),
    Action("save", "Save the spec", "Writes the file whole or not at all.", "[PATH]", ("ctrl+s",), "file"),
    Action("reload", "Take the file's text", "Where the file was changed by another program; can be undone.",
           group="file"),
    Action("diff", "Compare with the file", "What another program changed in it, line by line.", group="file"),
    Action("keep", "Keep your own text", "Where the file was changed by another program; saving writes over it.",
           group="file"),
    Action("open", "Open another spec", "This one's text is kept, saved or not.", "PATH", group="file"),
    Action("editor", "Edit the spec in $EDITOR", "Its text comes back when the editor ends, and can be undone.",
           keys=("f4",), group="file"),
    Action("copy", "Copy to the clipboard",
           "The selection or what is in view, or by name: /copy spec, issues, panel, message, code, chat, budget.usd.",
           "[WHAT]",
           ("alt+c",), "file"),
    Action("earlier", "Show earlier turns", "Fifty more of the chat, above those that are there.", group="file"),
    Action("theme", "Choose the colours", "Also those of themes/*.yaml (/settings); without a name it lists them.",
           "[NAME]",
           group="file"),
    Action("settings", "Show what is your own", "Where keys, themes, memory and journal lie, and what is set there.",
           group="file"),
    Action("wider", "Give the chat more room", "Of a wide terminal, also by dragging the line; /wider 60: 60 % of it.",
           "[PERCENT]", ("alt+right",), "file"),
    Action("narrower", "Give the panel more room", "The chat takes less; /narrower 40: 40 % of a wide terminal.",
           "[PERCENT]", ("alt+left",), "file"),
    Action("quit", "Leave", "Asks once where something is not saved.", keys=("ctrl+q",), group="file"),
    Action("help", "Help for where you are", "And all commands with their keys.", "[COMMAND]", ("f1",), "file"),
    Action("tour", "A tour in five steps", "Escape ends it.", group="file"),
    Action("palette", "Find any command", "By its name or what it does.", keys=("ctrl+p",), group="file"),
)  # fmt: skip
ACTIONS: Mapping[str, Action] = {action.id: action for action in _ROWS}

# single keys of a panel, where nothing is written into: the action and its argument
PANEL_KEYS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "review": {
        "y": ("judge", "yes"), "n": ("judge", "no"),
        "1": ("judge", "no task"), "2": ("judge", "no input"), "3": ("judge", "no output"),
    },
    "samples": {
        "y": ("sample", "yes"), "n": ("sample", "no"), "d": ("sample", "demo"), "g": ("samples", "go"),
        "right": ("sample", "next"), "left": ("sample", "back"),
    },
}  # fmt: skip


def event_of(line: str) -> Event:
    """What a line sent from the prompt means: ``/name argument`` is an action, ``//`` a text that begins with a slash.

    A name that the table does not have stays an action: the reducer says so and names the nearest.
    """
    if line.startswith("//"):
        return Said(line[1:])
    if not line.startswith("/"):
        return Said(line)
    name, _, argument = line[1:].partition(" ")
    return Acted(name.strip().lower(), argument.strip())


def nearest(name: str) -> str | None:
    """The action that a mistyped name most likely means."""
    return closest(name, ACTIONS)


def matching(prefix: str) -> list[Action]:
    """Actions for what is typed after the slash: the one of that name, those that begin with it, those that hold it."""
    word = prefix.lower()
    starts = [action for action in ACTIONS.values() if action.id.startswith(word)]
    starts.sort(key=lambda action: action.id != word)
    holds = [
        action
        for action in ACTIONS.values()
        if action not in starts and (word in action.id or word in action.title.lower())
    ]
    return starts + holds
