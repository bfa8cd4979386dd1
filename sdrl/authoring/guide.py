"""How the interview moves: asks, reads an answer, changes the spec or makes a card, asks the next question. Pure.

Everything it says carries the role ``guide``: a script, never a model.
"""

from __future__ import annotations

from dataclasses import replace

from sdrl.authoring import cards
from sdrl.authoring.document import undone, value_at, with_text, written
from sdrl.authoring.effects import Effect
from sdrl.authoring.interview import NEXT_PART, NO, Outcome, next_question, question
from sdrl.authoring.propose import propose, verifier_of
from sdrl.authoring.state import Interview, State
from sdrl.authoring.turns import noted, said
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.edits import Edit, apply

Result = tuple[State, tuple[Effect, ...]]
YES = ("yes", "y", "ok", "okay", "take it", "accept")
WHOLE = (
    "That is all I ask for. /issues shows what is left to mend, /plan what a run would do, /save writes the file; "
    "/demo adds worked examples and /set changes any key."
)


def go_on(state: State) -> Result:
    """Ask the first open question, or say that the spec is whole."""
    values = written(state.text)
    skipped = state.interview.skipped
    found = next_question(values, skipped)
    if found is None:
        return said(replace(state, interview=Interview("", {}, skipped)), "guide", WHOLE), ()
    state = replace(state, interview=Interview(found.key, {}, skipped))
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
    if step.key == "answer" and word in YES:
        return _take_proposal(state)
    if word in NO and step.key in ("demo_output", "evaluate_input", "evaluate_gold"):
        return skipped(replace(state, interview=replace(state.interview, step=_head(step.key))))
    if word in NO and step.may_skip:
        return skipped(state)
    outcome = step.read(text.strip(), written(state.text), state.interview.draft)
    return _moved(state, step.key, outcome)


def skipped(state: State) -> Result:
    """The open question left out."""
    step = question(state.interview.step)
    if step is None:
        return noted(state, "no question is open"), ()
    if not step.may_skip:
        return said(state, "guide", f"This one is needed. {step.ask}"), ()
    interview = Interview("", {}, (*state.interview.skipped, step.key))
    return go_on(replace(state, interview=interview))


def back(state: State) -> Result:
    """The last change undone, or the last question that was left out taken up again; then its question is asked."""
    skips = state.interview.skipped
    if state.interview.draft:
        return go_on(replace(state, interview=Interview("", {}, skips)))
    before = undone(state)
    if before is None and not skips:
        return noted(state, "this is the first question"), ()
    if before is not None:
        return go_on(replace(before, interview=Interview("", {}, skips)))
    return go_on(replace(state, interview=Interview("", {}, skips[:-1])))


def proposal(state: State, words: str) -> Result:
    """A card with an answer table, read from the output format and from what the person says of it."""
    values = written(state.text)
    output_format = str(value_at(values, "task.output_format") or "")
    if not output_format and not words:
        return noted(state, "there is no task.output_format to propose from; say what the answer is"), ()
    about = " ".join(str(value_at(values, f"task.{key}") or "") for key in ("input_format", "description"))
    found = propose(output_format, words, about)
    title = "how answers are read" + ("" if found.works else " (does not work yet)")
    if (card := state.open_card) is not None and card.title.startswith("how answers are read"):
        state = cards.rejected(state, card)
    state, made = cards.proposed(state, title, [Edit("set", "answer", found.answer)], found.why)
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
        return said(state, "guide", f"I did not understand that: {outcome.problem}."), ()
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
