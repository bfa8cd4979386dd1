"""What a person asks the app in their own words, and what it can say without a model: which command does that. Pure.

Reads a few English cues. It never guesses at a spec: what is taken for a question here is not written anywhere.
"""

from __future__ import annotations

import re

MOST_WORDS = 14
_BEGINS = re.compile(
    r"(?:how|where|why|what(?:'s| is| does| do| are| now| next| happens)|(?:do|can|should|may|must) i|is it|tell me|"
    r"help|explain)\b"
)
_BARE = re.compile(
    r"(?:help|\?+|h|quit|exit|q|:q!?|:wq!?|:x|bye|save|undo|back|go back|start|run|menu|commands|plan|cost|what\??"
    r"|huh\??)"
)
_UNKNOWN = re.compile(
    r"(?:i )?(?:(?:really )?(?:do not|don'?t|dont|cannot|can't) (?:know|say|have (?:any|one|that))(?: that| this| yet)?"
    r"|not sure(?: yet)?|no idea|no clue|unsure|idk|dunno|later|whatever|pass|n/?a|nothing|don'?t care|you decide)"
)
_ANSWERS = (
    (r"\b(?:cost|costs|price|pay|paid|expensive|cheap|money|dollars?)\b",
     "/plan shows what a run would ask for and cost. Nothing is paid before you start one."),
    (r"\b(?:start|begin|train|launch|run)\b",
     "/start shows what a run costs, and asks; /start once more starts it. The spec must be whole first."),
    (r"\bprompts?\b", "/prompt shows, to the byte, what a run would send."),
    (r"\b(?:verif\w*|check\w*|correct|judge\w*|grade\w*|test it|try it)\b",
     "/verify tries how answers are judged: /verify COMPLETION => GOLD."),
    (r"^:\w|\b(?:leave|quit|exit|close|stop|bye|q)\b", "/quit leaves; what you wrote is kept, saved or not."),
    (r"\b(?:save\w*|stored?|which file|where is)\b", "/save writes the spec to its file; /save NAME to another."),
    (r"\b(?:undo|back|mistake|wrong|delete|remove|change)\b",
     "/back asks the last question again, /undo takes any change back, /set PATH VALUE changes one thing."),
    (r"\b(?:examples?|template)\b", "/example lists whole specs that ship with sdrl."),
    (r"\b(?:skip|optional|leave out|need\w*|have to)\b", "A dash leaves a question out where it may be left out."),
    (r"\b(?:spec|yaml)\b", "A spec is the file that says what the task is and how answers are read."),
)  # fmt: skip


def is_question(text: str) -> bool:
    """Whether a text asks something rather than answers."""
    low = " ".join(text.lower().split())
    if "\n" in text.strip() or len(low.split()) > MOST_WORDS:
        return False
    return bool(low.endswith("?") or _BEGINS.match(low) or _BARE.fullmatch(low))


def is_unknown(text: str) -> bool:
    """Whether a text says that its writer does not know."""
    return _UNKNOWN.fullmatch(" ".join(text.lower().split()).strip(" .!,")) is not None


def answer(text: str) -> str:
    """The command that does what was asked for, in a sentence; '' where no cue is known."""
    low = text.lower().strip()
    return next((told for pattern, told in _ANSWERS if re.search(pattern, low)), "")
