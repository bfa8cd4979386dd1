"""How the interview moves: asks, reads an answer, changes the spec or makes a card, asks the next question. Pure.

Everything it says carries the role ``guide``: a script, never a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sdrl.authoring import cards
from sdrl.authoring.asked import answer, is_question, is_unknown
from sdrl.authoring.document import undone, value_at, with_text, written
from sdrl.authoring.effects import Effect
from sdrl.authoring.interview import NEXT_PART, NO, Outcome, Question, next_question, question, too_long
from sdrl.authoring.propose import missing_place, place_of, propose, verifier_of
from sdrl.authoring.state import Interview, State
from sdrl.authoring.turns import noted, said
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.edits import Edit, apply

Result = tuple[State, tuple[Effect, ...]]
NOT_SO = (*NO, "nope", "wrong", "not really", "no it is not")
YES = ("yes", "y", "ok", "okay", "take it", "accept")
PARTS = ("demo_input", "demo_output", "evaluate_input", "evaluate_gold")  # whose answers may well be questions
LEFT_OUT = "Left out; /interview asks for it again."
WHOLE = """That is all I ask for. What there is to do now:
  /save     writes the spec to its file
  /issues   what is wrong, or could be better
  /prompt   what would be sent, to the byte
  /verify   tries how answers are judged
  /plan     what a run would do, and cost
  /start    shows the cost once more, asks, and starts a run
  /demo     adds worked examples; /set changes any key
  /quit     leaves"""


def go_on(state: State) -> Result:
    """Ask the first open question, or say that the spec is whole."""
    values = written(state.text)
    found = next_question(values, state.interview.skipped)
    state = _at(state, found.key if found else "")
    if found is None:
        return said(state, "guide", WHOLE), ()
    effects: tuple[Effect, ...] = ()
    if found.key == "answer" and state.open_card is None:
        state, effects = proposal(state, "")
    return said(state, "guide", found.ask), effects


def heard(state: State, text: str) -> Result:
    """An answer to the open question."""
    step = question(state.interview.step)
    if step is None:
        return go_on(state)
    word = text.strip().lower()
    if not word:
        return said(state, "guide", "An answer is needed; a dash leaves the question out."), ()
    if step.key not in PARTS and is_question(text):
        told = answer(text) or step.more
        return said(state, "guide", f"{told}\nThe question was: {step.ask}".lstrip()), ()
    if step.key == "answer" and word in YES:
        return _take_proposal(state)
    if step.key == "answer" and word in NOT_SO:
        card = state.open_card
        state = cards.rejected(state, card) if card is not None else state
        return said(state, "guide", step.more), ()
    if step.key not in PARTS and is_unknown(text):
        if not step.may_skip:
            return said(state, "guide", f"This one is needed. {step.more}\n{step.ask}"), ()
        return skipped(said(state, "guide", LEFT_OUT))
    if problem := too_long(step.key, text):
        return said(state, "guide", f"Nothing was written: {problem}. {step.ask}"), ()
    if word in NO and step.key in ("demo_output", "evaluate_input", "evaluate_gold"):
        return skipped(replace(state, interview=replace(state.interview, step=_head(step.key))))
    if word in NO and step.may_skip:
        return skipped(state)
    return _taken(state, step, text)


def _taken(state: State, step: Question, text: str) -> Result:
    """What is an answer, into the spec where it is one to this question."""
    values = written(state.text)
    if step.key == "demo_input" and (pair := _pair_in(values, text)):
        state = replace(state, interview=replace(state.interview, step="demo_output", draft={"input": pair[0]}))
        return heard(state, pair[1])
    if step.key == "demo_output" and (problem := _unreadable(values, text)):
        return said(state, "guide", f"{problem} Write the output again, or a dash leaves the example out."), ()
    outcome = step.read(text.strip(), values, state.interview.draft)
    return _moved(state, step.key, outcome)


def skipped(state: State) -> Result:
    """The open question left out."""
    step = question(state.interview.step)
    if step is None:
        return noted(state, "no question is open"), ()
    if not step.may_skip:
        return said(state, "guide", f"This one is needed. {step.ask}"), ()
    done = state.interview
    interview = Interview("", {}, (*done.skipped, step.key), (*done.skipped_at, len(state.undo)))
    return go_on(replace(state, interview=interview))


def back(state: State) -> Result:
    """The last change undone, or the question that was left out after it taken up again; then its question is asked."""
    done = state.interview
    if done.draft:
        return go_on(_at(state, ""))
    if done.skipped and done.skipped_at[-1] >= len(state.undo):
        return go_on(replace(state, interview=Interview("", {}, done.skipped[:-1], done.skipped_at[:-1])))
    before = undone(state)
    if before is None:
        return noted(state, "this is the first question"), ()
    return go_on(_at(noted(before, "your last change is undone, /redo brings it back"), ""))


def _at(state: State, key: str) -> State:
    return replace(state, interview=replace(state.interview, step=key, draft={}))


def proposal(state: State, words: str) -> Result:
    """A card with an answer table, read from the output format and from what the person says of it."""
    values = written(state.text)
    output_format = str(value_at(values, "task.output_format") or "")
    if not output_format and not words:
        return noted(state, "there is no task.output_format to propose from; say what the answer is"), ()
    about = " ".join(str(value_at(values, f"task.{key}") or "") for key in ("input_format", "description"))
    found = propose(output_format, words, about)
    edits = [Edit("set", "answer", found.answer)]
    if output_format and (missing := missing_place(found.answer["extract"], output_format)):
        # whoever solves the task is told the format alone: what a person says of the answer must stand there too
        told = output_format.rstrip()
        edits.append(Edit("set", "task.output_format", f"{told}{'.' if told[-1:].isalnum() else ''} {missing}"))
    title = "how answers are read" + ("" if found.works else " (does not work yet)")
    if (card := state.open_card) is not None and card.title.startswith("how answers are read"):
        state = cards.rejected(state, card)
    state, made = cards.proposed(state, title, edits, found.why)
    return said(state, "guide", "I propose:", card=made.id), (cards.check_of(state, made),)


def demo_read(state: State) -> str:
    """What the verifier makes of the last demo, in a sentence; '' where there is none or no verifier."""
    values = written(state.text)
    demos, answer = value_at(values, "demos"), value_at(values, "answer")
    if not isinstance(demos, list) or not demos or not isinstance(answer, dict):
        return ""
    try:
        verifier = verifier_of(answer)
    except ValueError:  # the answer table's problems are shown as such
        return ""
    found = verifier.extract(str(demos[-1].get("output", "")), demos[-1].get("options"))
    if found.prediction is None:
        return f"the verifier reads no answer in this output: {found.reason}"
    return f"the verifier reads: {found.prediction}"


def _unreadable(values: Mapping[str, Any], output: str) -> str:
    """What keeps an output from being a demo: the verifier finds no answer in it. '' where it does."""
    table = value_at(values, "answer")
    if not isinstance(table, dict) or (table.get("type") == "choice" and not table.get("options")):
        return ""  # each problem has options of its own
    try:
        found = verifier_of(table).extract(output)
    except ValueError:  # the answer table's problems are shown as such
        return ""
    if found.prediction is not None or found.failed:
        return ""
    place = place_of(table.get("extract") or {})
    return f"The verifier reads no answer in that: {found.reason}." + (f" It looks {place}." if place else "")


def _pair_in(values: Mapping[str, Any], text: str) -> tuple[str, str] | None:
    """Input and output where a text holds both as ``/demo`` takes them; None where what follows the arrow is no output
    that the verifier reads by a mark: an arrow may stand in an input.
    """
    given, arrow, output = (each.strip() for each in text.partition("=>"))
    table = value_at(values, "answer")
    if not (given and arrow and output and isinstance(table, dict)) or "whole" in (table.get("extract") or {}):
        return None
    return None if _unreadable(values, output) else (given, output)


def _head(key: str) -> str:
    return "demo_input" if key == "demo_output" else "evaluate"


def _take_proposal(state: State) -> Result:
    card = state.open_card
    if card is None:
        return said(state, "guide", "There is no card to take over; say what the answer is."), ()
    state, message = cards.accepted(state, card, ())
    return go_on(noted(state, message))


def _moved(state: State, key: str, outcome: Outcome) -> Result:
    if outcome.problem:
        return said(state, "guide", f"I cannot take that: {outcome.problem}."), ()
    if outcome.edits:
        try:
            state = with_text(state, apply(state.text, outcome.edits))
        except SdrlError as error:
            return said(state, "guide", f"That cannot be written: {error.message}. {error.help or ''}".strip()), ()
    if outcome.proposes:
        return proposal(state, outcome.proposes)
    if outcome.say:
        state = said(state, "guide", outcome.say)
    if key == "demo_output" and (read := demo_read(state)):
        state = said(state, "guide", read[0].upper() + read[1:] + ".")
    if outcome.draft and key in NEXT_PART:
        return replace(state, interview=replace(state.interview, step=NEXT_PART[key], draft=outcome.draft)), ()
    return go_on(state)
