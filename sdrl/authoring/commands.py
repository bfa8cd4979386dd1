"""What each action does to the state. One function an action, by the action's id; pure.

Mistakes of a person come back as a note with the next step; nothing here raises for what was typed.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import PurePath

from sdrl.authoring import cards, guide
from sdrl.authoring.actions import ACTIONS, nearest
from sdrl.authoring.document import redone, spec_name, undone, with_text
from sdrl.authoring.effects import (
    Begin,
    Cancel,
    Effect,
    Estimate,
    Judge,
    Quit,
    Save,
    Show,
    StartRun,
    StopRun,
    Window,
)
from sdrl.authoring.examples import examples
from sdrl.authoring.samples import judge_sample, show_samples
from sdrl.authoring.state import Assistant, Panel, State
from sdrl.authoring.turns import changed, line_end_hint, noted
from sdrl.spec.codes import find
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.edit_values import typed_value
from sdrl.spec.edits import Edit, Operation, apply
from sdrl.spec.source import SUFFIXES

Result = tuple[State, tuple[Effect, ...]]
Handler = Callable[[State, str], Result]
MADE_OF_TEXT = ("prompt", "plan", "verify", "retrieve")  # panels that are made anew when the text changes
WRONG = ("task", "input", "output")  # what may be wrong with a sample, as sdrl.run.review asks it
OFF = ("off", "none", "-")
NEW = "sdrl: 1\n"  # a spec that nothing was written in
NOT_CHANGED = "the file was not changed by another program"
LEAVING = "{path} is not saved: /save writes it; leaving once more keeps your text for the next time, unsaved"
MOST_DIFF = 60  # lines of a comparison in the chat
# done by the app around the spec
WINDOW = ("theme", "copy", "editor", "open", "help", "tour", "palette", "settings", "earlier", "wider", "narrower")


def act(state: State, action: str, argument: str) -> Result:
    """The state after an action; an unknown one is said so, with the nearest."""
    handler = _HANDLERS.get(action)
    if handler is None:
        near = nearest(action)
        return noted(state, f"there is no /{action}; " + (f"did you mean /{near}?" if near else "/help lists all")), ()
    try:
        return handler(state, argument)
    except SdrlError as error:
        code = f"{error.code} " if error.code else ""
        return noted(
            state, f"nothing was changed: {code}{error.message}" + (f"; {error.help}" if error.help else "")
        ), ()


def show(state: State, panel: str, argument: str = "") -> Result:
    """The panel in view, and its content asked for where something outside makes it."""
    if panel in ("spec", "issues"):
        return replace(state, view=panel), ()
    if panel not in MADE_OF_TEXT:
        known = state.panels[panel].argument if panel in state.panels else ""
        argument = argument or known
    waiting = replace(state.panels.get(panel, Panel()), rev=state.rev, argument=argument, is_waiting=True)
    state = replace(state, view=panel, panels={**state.panels, panel: waiting})
    return state, (Show(panel, state.rev, state.path, state.text, argument, state.kept, state.columns),)


def _edited(operation: Operation) -> Handler:
    def handle(state: State, argument: str) -> Result:
        path, _, rest = argument.partition(" ")
        if not path or (operation != "remove" and not rest.strip()):
            raise SdrlError("", "something is missing", help=f"/{_name(operation)} {ACTIONS[_name(operation)].usage}")
        if operation == "insert":
            edit = Edit("insert", f"{path}.-", typed_value(f"{path}.0", rest))
        elif operation == "move":
            edit = Edit("move", path, to=int(rest) if rest.strip().isdecimal() else -1)
        elif operation == "remove":
            edit = Edit("remove", path)
        else:
            edit = Edit("set", path, typed_value(path, rest))
        after = with_text(state, apply(state.text, [edit]))
        said = f"{path} {'changed' if after.rev != state.rev else 'was so already'}"
        return noted(after, said + line_end_hint(rest)), ()

    return handle


def _name(operation: str) -> str:
    return "add" if operation == "insert" else operation


def _demo(state: State, argument: str) -> Result:
    given, arrow, output = argument.partition("=>")
    if not arrow or not given.strip() or not output.strip():
        raise SdrlError("", "a demo is an input and an output", help="/demo INPUT => OUTPUT")
    edit = Edit("insert", "demos.-", {"input": given.strip(), "output": output.strip()})
    after = with_text(state, apply(state.text, [edit]))
    read = guide.demo_read(after) or "no verifier yet"
    return noted(after, f"demo added; {read}{line_end_hint(output)}"), ()


def _accept(state: State, argument: str) -> Result:
    card, fields = cards.find(state, argument.split())
    if card is None:
        return noted(state, "there is no card to accept"), ()
    after, said = cards.accepted(state, card, fields)
    after = noted(after, said)
    again = next(each for each in after.cards if each.id == card.id)
    effects: tuple[Effect, ...] = (cards.check_of(after, again),) if again.status in ("open", "stale") else ()
    if after.interview.step == "answer" and after.rev != state.rev:
        after, more = guide.go_on(after)
        effects += more
    return after, effects


def _reject(state: State, argument: str) -> Result:
    card, _ = cards.find(state, argument.split())
    if card is None or card.status not in ("open", "stale"):
        return noted(state, "there is no card to reject"), ()
    return noted(cards.rejected(state, card), f"card {card.id} rejected; nothing was changed"), ()


def _amend(state: State, argument: str) -> Result:
    number, _, rest = argument.partition(" ")
    field, _, value = rest.strip().partition(" ")
    card, left = cards.find(state, [number])
    if card is None or left or not field or not value.strip():
        raise SdrlError("", "a card, one of its fields and a value are needed", help="/amend 1 budget.usd 80")
    after = cards.amended(state, card, field, value)
    again = next(each for each in after.cards if each.id == card.id)
    note = f"card {card.id} proposes another {field} now; nothing is changed before you accept it"
    return noted(after, note), (cards.check_of(after, again),)


def _undo(state: State, argument: str) -> Result:
    before = undone(state)
    return (noted(state, "nothing to undo"), ()) if before is None else (noted(before, "undone"), ())


def _redo(state: State, argument: str) -> Result:
    after = redone(state)
    return (noted(state, "nothing to redo"), ()) if after is None else (noted(after, "done again"), ())


def _interview(state: State, argument: str) -> Result:
    return guide.go_on(replace(state, interview=replace(state.interview, skipped=(), skipped_at=())))


def _issues(state: State, argument: str) -> Result:
    number = int(argument) - 1 if argument.isdecimal() else -1
    if 0 <= number < len(state.issues):
        return replace(state, view="spec", issue=number), ()
    return show(state, "issues")


def _next(state: State, argument: str) -> Result:
    if not state.issues:
        return noted(state, "no problems"), ()
    return replace(state, view="spec", issue=(state.issue + 1) % len(state.issues)), ()


def _explain(state: State, argument: str) -> Result:
    code = find(argument or (state.issues[0].code if state.issues else ""))
    if code is None:
        return noted(state, f"there is no code '{argument}'; codes look like E205" if argument else "no problems"), ()
    return noted(state, f"{code.code}: {code.title}\n{code.what} {code.why}\nbad:  {code.bad}\ngood: {code.good}"), ()


def _judge(state: State, argument: str) -> Result:
    panel = state.panels.get("review", Panel())
    word, *rest = argument.split() or [""]
    if not panel.key:
        return noted(state, "no sample is in view: /review RUN shows the next one"), ()
    if word not in ("yes", "no", "y", "n"):
        raise SdrlError("", "a sample is judged with yes or no", help=f"/judge {ACTIONS['judge'].usage}")
    wrong = []
    while rest and rest[0] in WRONG:
        wrong.append(rest.pop(0))
    name = spec_name(state.text, state.path)
    judged = Judge(state.rev, panel.argument, panel.key, word[0] == "y", tuple(wrong), " ".join(rest), name)
    state = replace(state, panels={**state.panels, "review": replace(panel, key="")})  # until the next one is in view
    return noted(state, f"judged {'valid' if judged.is_valid else 'not valid'}"), (judged,)


def _model(state: State, argument: str) -> Result:
    words = argument.split()
    if not words or words[0] in OFF:
        return noted(replace(state, assistant=Assistant()), "no model helps; /interview does without one"), ()
    endpoint = words[1] if len(words) > 1 else "https://api.openai.com/v1"
    key_env = words[2] if len(words) > 2 else ("OPENAI_API_KEY" if len(words) == 1 else "")
    chosen = replace(
        state, assistant=Assistant(words[0], endpoint, key_env), interview=replace(state.interview, step="")
    )
    return noted(chosen, f"{words[0]} at {endpoint} answers from now on; it is not asked before you write"), ()


def _start(state: State, argument: str) -> Result:
    offer = state.offer
    if offer is not None and offer.rev == state.rev and argument in ("", offer.run):
        begun = StartRun(state.path, state.text, offer.run, offer.plan)
        state, effects = show(replace(state, offer=None), "run", offer.run)
        return state, (begun, *effects)
    return replace(state, offer=None), (Estimate(state.rev, state.path, state.text, argument),)


def _stop(state: State, argument: str) -> Result:
    if not state.asking:
        run = argument or state.panels.get("run", Panel()).argument
        return state, (StopRun(run, spec_name(state.text, state.path)),)
    turn = next(each for each in state.turns if each.id == state.asking)
    return replace(changed(state, turn.id, turn.text, "stopped"), asking=0), (Cancel(turn.id),)


def _save(state: State, argument: str) -> Result:
    path = argument or state.path
    if not PurePath(path).suffix and not path.endswith("/"):
        path += SUFFIXES[0]
    if not path.endswith(SUFFIXES):
        raise SdrlError("", f"'{path}' is no name for a spec", help="end it in .yaml")
    return state, (Save(path, state.text, state.saved if path == state.path else ""),)


def _reload(state: State, argument: str) -> Result:
    if state.disk is None:
        return noted(state, NOT_CHANGED), ()
    return noted(replace(with_text(state, state.disk), disk=None), "took the file's text; /undo goes back"), ()


def _keep(state: State, argument: str) -> Result:
    if state.disk is None:
        return noted(state, NOT_CHANGED), ()
    return noted(replace(state, disk=None), "kept your own text; /save writes it over the file"), ()


def _diff(state: State, argument: str) -> Result:
    if state.disk is None:
        return noted(state, NOT_CHANGED), ()
    made = difflib.unified_diff(state.disk.split("\n"), state.text.split("\n"), "the file", "yours", n=1, lineterm="")
    lines = list(made)
    more = [f"… {len(lines) - MOST_DIFF} more lines"] if len(lines) > MOST_DIFF else []
    told = "/reload takes the file's text, /keep stays with yours"
    return noted(state, "\n".join([*lines[:MOST_DIFF], *more, told])), ()


def _example(state: State, argument: str) -> Result:
    if not argument:
        lines = [f"{name}: {about}" for name, about in examples().items() if not name.startswith("_")]
        return noted(state, "\n".join([*lines, "/example NAME begins with one of them"])), ()
    if not state.is_new:
        help_ = "/open NAME.yaml begins another spec, where /example works"
        raise SdrlError("", "this spec is begun already", help=help_)
    return state, (Begin(argument.split()[0], state.path),)


def _quit(state: State, argument: str) -> Result:
    if state.is_dirty and not state.is_new and not state.asks_to_quit:
        return noted(replace(state, asks_to_quit=True), LEAVING.format(path=state.path)), ()
    return state, (Quit(),)


def _window(name: str) -> Handler:
    return lambda state, argument: (state, (Window(name, argument),))


def _view(panel: str) -> Handler:
    return lambda state, argument: show(state, panel, argument)


_HANDLERS: Mapping[str, Handler] = (
    {
        "interview": _interview,
        "skip": lambda state, argument: guide.skipped(state),
        "back": lambda state, argument: guide.back(state),
        "propose": guide.proposal,
        "demo": _demo,
        "set": _edited("set"),
        "add": _edited("insert"),
        "remove": _edited("remove"),
        "move": _edited("move"),
        "accept": _accept,
        "reject": _reject,
        "amend": _amend,
        "example": _example,
        "keep": _keep,
        "diff": _diff,
        "undo": _undo,
        "redo": _redo,
        "issues": _issues,
        "next": _next,
        "explain": _explain,
        "judge": _judge,
        "model": _model,
        "start": _start,
        "samples": show_samples,
        "sample": judge_sample,
        "stop": _stop,
        "save": _save,
        "reload": _reload,
        "quit": _quit,
    }
    | {panel: _view(panel) for panel in ("spec", "prompt", "verify", "plan", "retrieve", "run", "review")}
    | {name: _window(name) for name in WINDOW}
)
