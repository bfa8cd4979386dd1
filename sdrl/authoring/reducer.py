"""``reduce``: a state and an event to the next state and what is to be done outside. Pure and total.

No file, clock, chance or model: equal events give equal states, which is what undo, journal, scripts and tests rest on.
Results that came too late (another revision, another turn) are dropped here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from sdrl.authoring import cards, guide
from sdrl.authoring.actions import ACTIONS
from sdrl.authoring.asked import answer, is_question
from sdrl.authoring.commands import LEAVING, MADE_OF_TEXT, NEW, WINDOW, Result, act, show
from sdrl.authoring.document import with_text
from sdrl.authoring.effects import Ask, Check, Effect, Examine
from sdrl.authoring.events import (
    Acted,
    Answered,
    CardChecked,
    Checked,
    Drafted,
    Estimated,
    Event,
    Examined,
    Failed,
    Judged,
    Opened,
    Refused,
    Resized,
    Said,
    Sampled,
    Shown,
    Stored,
    Streamed,
    Taken,
    Told,
    Typed,
)
from sdrl.authoring.interview import question
from sdrl.authoring.patterns import Rejected, offered
from sdrl.authoring.samples import came, with_panel
from sdrl.authoring.sheet import LEAST_COLUMNS, MOST_COLUMNS
from sdrl.authoring.state import Interview, Offer, Panel, State, digest
from sdrl.authoring.turns import changed, messages_for, noted, said

if TYPE_CHECKING:
    from sdrl.spec.diagnostics import Diagnostic

_CHANGES = ("set", "add", "remove", "move", "undo", "redo", "demo", "reload")  # may answer an open question
LOOKED_THROUGH = (Opened, Said, Acted, Taken, Stored)  # after which a text is compiled, to see what that finds
MOST_TOLD = 3  # errors that are told in the chat
WELCOME = "here you are again"
MOST_TEXT = 4_000_000  # characters of a spec


def reduce(state: State, event: Event) -> Result:
    """The next state, and the effects that the event asks for."""
    after, effects = _REDUCERS[type(event)](state, event)
    if after.rev != state.rev or (isinstance(event, Opened) and after.issues_rev != after.rev):
        after = cards.restaled(after)
        effects = (Check(after.rev, after.path, after.text), *effects)
        after = with_panel(after) if after.samples else after
        panel = after.panels.get(after.view)
        if after.view in MADE_OF_TEXT and panel is not None and panel.rev != after.rev:
            after, more = show(after, after.view, panel.argument)
            effects += more
    if isinstance(event, LOOKED_THROUGH) and after.examining != after.rev and not after.is_new:
        after = replace(after, examining=after.rev)
        effects += (Examine(after.rev, after.path, after.text),)
    return after, effects


def _opened(state: State, event: Opened) -> Result:
    if state.is_opened:
        return _opened_again(state, event)
    text, columns = event.text if event.exists else NEW, state.columns
    saved = digest(event.text if event.exists else "")
    state = replace(State(), path=event.path, text=text, rev=state.rev + 1, saved=saved, is_opened=True, kept=text)
    state = replace(state, columns=columns)
    if event.exists:
        return noted(
            state, f"{PurePath(event.path).name}: /interview asks for what is missing, /help lists all commands"
        ), ()
    hello = (
        "I ask for one thing after the other; I am a script, not a model. "
        "A dash leaves a question out, /back asks the last one again."
    )
    return guide.go_on(said(state, "guide", hello))


def _opened_again(state: State, event: Opened) -> Result:
    # what was asked for is asked for again
    state = replace(state, offer=None, is_sampling=False, asks_to_quit=False)
    found = digest(event.text) if event.exists else digest("")
    if found == state.saved or event.text == state.text:
        return _back(replace(state, saved=found, disk=None)), ()
    if not event.exists:
        note = "another program took the file away: your text is here, /save writes it again"
        return noted(replace(state, saved=found, disk=None), note), ()
    if not state.is_dirty:
        note = "the file was changed by another program; its text was taken over, /undo goes back"
        return noted(replace(with_text(state, event.text), saved=found, disk=None, kept=event.text), note), ()
    note = "the file was changed by another program: /diff compares, /reload takes its text, /keep stays with yours"
    return noted(replace(state, saved=found, disk=event.text), note), ()


def _back(state: State) -> State:
    """The state with a word for a person who comes back, where the last thing in the chat was leaving or is none."""
    turns = state.turns
    while turns and turns[-1].text in ("/quit", LEAVING.format(path=state.path)):
        turns = turns[:-1]
    state = replace(state, turns=turns)
    step = question(state.interview.step)
    if not turns or state.is_new or turns[-1].text.startswith(WELCOME):
        return state
    kept = f"{WELCOME}; what you wrote is not saved yet, /save writes it" if state.is_dirty else WELCOME
    state = noted(state, kept)
    return said(state, "guide", step.ask) if step is not None else state


def _said(state: State, event: Said) -> Result:
    state = said(replace(state, draft=""), "you", event.text)
    if state.asking:
        return noted(state, "the answer is still coming; /stop ends it"), ()
    if state.interview.step:
        return guide.heard(state, event.text)
    helper = state.assistant
    if not helper.model and is_question(event.text) and (told := answer(event.text)):
        return noted(state, told), ()
    if not helper.model:
        return noted(
            state,
            "no model is set: /interview asks for one thing after the other, /set PATH VALUE changes one, "
            "/model MODEL ENDPOINT KEY_ENV lets a model help",
        ), ()
    messages = messages_for(state)
    state = said(state, "assistant", "", status="streaming")
    turn = state.turns[-1].id
    return replace(state, asking=turn), (Ask(turn, (helper.model, helper.endpoint, helper.key_env), messages),)


def _acted(state: State, event: Acted) -> Result:
    action = ACTIONS.get(event.action)
    line = f"/{event.action} {event.argument}".rstrip()
    silent = action is not None and (action.group == "look" or action.id in WINDOW)
    before = state if silent else said(state, "you", line)
    after, effects = act(before, event.action, event.argument)
    if after.interview.step and after.rev != state.rev and event.action in _CHANGES:
        after, more = guide.go_on(after)  # what was asked may be answered by now
        effects += more
    return after, effects


def _typed(state: State, event: Typed) -> Result:
    start = min(max(event.start, 0), len(state.text))
    end = min(max(event.end, start), len(state.text))
    text = state.text[:start] + event.text + state.text[end:]
    if len(text) > MOST_TEXT:
        return noted(state, f"a spec has at most {MOST_TEXT:,} characters; nothing was changed"), ()
    return replace(with_text(state, text), deeper=()), ()  # while one types, compiling would only lag behind


def _drafted(state: State, event: Drafted) -> Result:
    start = min(max(event.start, 0), len(state.draft))
    end = min(max(event.end, start), len(state.draft))
    return replace(state, draft=(state.draft[:start] + event.text + state.draft[end:])[:MOST_TEXT]), ()


def _taken(state: State, event: Taken) -> Result:
    if len(event.text) > MOST_TEXT:
        return noted(state, f"a spec has at most {MOST_TEXT:,} characters; nothing was changed"), ()
    after = with_text(state, event.text)
    if after is state:
        return noted(state, f"{event.source}: nothing was changed"), ()
    then = "; /plan shows what it does and costs, /start starts it" if event.source.startswith("the example") else ""
    return noted(replace(after, interview=Interview()), f"took the text of {event.source}; /undo goes back{then}"), ()


def _streamed(state: State, event: Streamed) -> Result:
    if event.turn != state.asking or not event.turn:
        return state, ()
    turn = next(each for each in state.turns if each.id == event.turn)
    return changed(state, event.turn, turn.text + event.text, "streaming"), ()


def _answered(state: State, event: Answered) -> Result:
    if event.turn != state.asking or not event.turn:
        return state, ()
    state = replace(changed(state, event.turn, event.text), asking=0)
    if not event.edits:
        return state, ()
    state, card = cards.proposed(state, "proposed by the assistant", event.edits, (event.why,) if event.why else ())
    return changed(state, event.turn, event.text, card=card.id), (cards.check_of(state, card),)


def _failed(state: State, event: Failed) -> Result:
    if event.turn != state.asking or not event.turn:
        return state, ()
    turn = next(each for each in state.turns if each.id == event.turn)
    asked = next((each.text for each in reversed(state.turns) if each.role == "you" and each.id < event.turn), "")
    state = replace(changed(state, event.turn, turn.text, "failed"), asking=0, draft=state.draft or asked)
    return noted(state, event.message + (f"; {event.help}" if event.help else "")), ()


def _stored(state: State, event: Stored) -> Result:
    state = replace(state, path=event.path, saved=event.sha256, disk=None, asks_to_quit=False, kept=state.text)
    return noted(state, f"saved {event.path}"), ()


def _checked(state: State, event: Checked) -> Result:
    if event.rev != state.rev:
        return state, ()
    issues = event.issues
    if not any(issue.is_error for issue in issues):
        issues += state.deeper  # until it is looked again
    return replace(_with_issues(state, issues), issues_rev=event.rev), ()


def _examined(state: State, event: Examined) -> Result:
    """Take over what compiling found, and tell in the chat of errors that are new."""
    if event.rev != state.rev or event.failure:
        return state, ()
    known = {_named(issue) for issue in state.issues}
    before = {_named(issue) for issue in state.deeper}
    deeper = tuple(each for each in event.issues if _named(each) not in known or _named(each) in before)
    found = [each for each in event.issues if each.is_error and _named(each) not in known]
    state = replace(_with_issues(state, event.issues), deeper=deeper)
    for each in found[:MOST_TOLD]:
        state = noted(state, f"✗ {each.code} {each.path}: {each.message}" + (f"; {each.help}" if each.help else ""))
    return state, ()


def _named(issue: Diagnostic) -> tuple[str, str, str]:
    return issue.code, issue.path, issue.message


def _with_issues(state: State, issues: tuple[Diagnostic, ...]) -> State:
    return replace(state, issues=issues, issue=state.issue if state.issue < len(issues) else -1)


def _card_checked(state: State, event: CardChecked) -> Result:
    made = tuple(
        replace(card, added=event.added, removed=event.removed)
        if card.id == event.card and card.rev == event.rev
        else card
        for card in state.cards
    )
    return replace(state, cards=made), ()


def _shown(state: State, event: Shown) -> Result:
    waiting = state.panels.get(event.panel, Panel())
    if event.rev < waiting.rev:
        return state, ()
    panel = replace(waiting, title=event.title, lines=event.lines, key=event.key, marks=event.marks)
    panel = replace(panel, rev=event.rev, is_waiting=False)
    return replace(state, panels={**state.panels, event.panel: panel}), ()


def _estimated(state: State, event: Estimated) -> Result:
    if event.rev != state.rev:
        return noted(state, "the spec was changed meanwhile: /start works it out again"), ()
    unsaved = "\nThe spec itself is not saved yet: /save." if state.is_dirty else ""
    return noted(replace(state, offer=Offer(event.rev, event.run, event.plan)), event.text + unsaved), ()


def _sampled(state: State, event: Sampled) -> Result:
    return came(state, event.rev, event.samples, event.problem), ()


def _judged(state: State, event: Judged) -> Result:
    state = noted(state, event.place) if event.place else state
    state, effects = offered(state, [Rejected(*each) for each in event.rejected])
    if state.view != "review":
        return state, effects
    state, more = show(state, "review", event.run)
    return state, (*effects, *more)


def _resized(state: State, event: Resized) -> Result:
    """Other room for a panel's lines: the one in view is drawn anew, others are when they come into view."""
    columns = min(max(event.columns, LEAST_COLUMNS), MOST_COLUMNS)
    if columns == state.columns:
        return state, ()
    state = replace(state, columns=columns)
    panel = state.panels.get(state.view)
    if panel is None or state.view in ("spec", "issues"):
        return state, ()
    return (with_panel(state), ()) if state.view == "samples" else show(state, state.view, panel.argument)


def _told(state: State, event: Told) -> Result:
    return noted(state, event.text), ()


def _refused(state: State, event: Refused) -> Result:
    return noted(state, f"{event.what}: {event.message}" + (f"; {event.help}" if event.help else "")), ()


_REDUCERS: Mapping[type, Callable[[State, Any], tuple[State, tuple[Effect, ...]]]] = {
    Opened: _opened,
    Said: _said,
    Acted: _acted,
    Typed: _typed,
    Drafted: _drafted,
    Taken: _taken,
    Streamed: _streamed,
    Answered: _answered,
    Failed: _failed,
    Stored: _stored,
    Checked: _checked,
    Examined: _examined,
    CardChecked: _card_checked,
    Shown: _shown,
    Refused: _refused,
    Estimated: _estimated,
    Sampled: _sampled,
    Judged: _judged,
    Resized: _resized,
    Told: _told,
}
