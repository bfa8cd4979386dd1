"""Samples on trial: a few that the spec's instructor really wrote, with their votes, for a person to say yes or no to.

They are what a run would write first, so that the run finds them in the request cache. A yes and a no are remembered
here; a demo is an edit of the spec. Pure: ``sampling`` has them written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sdrl.authoring.document import value_at, with_text, written
from sdrl.authoring.effects import Effect, MakeSamples
from sdrl.authoring.patterns import Rejected, offered
from sdrl.authoring.propose import verifier_of
from sdrl.authoring.sheet import Sheet, Style
from sdrl.authoring.state import Panel, Sample, State
from sdrl.authoring.turns import noted
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.edits import Edit, apply

Result = tuple[State, tuple[Effect, ...]]
AT_ONCE = 3
MOST = 30
WRONG: Mapping[str, str] = {
    "task": "it is no problem of this task",
    "input": "the input is unclear or cannot be answered",
    "output": "the label is wrong",
}
KEYS = "y accepts · n rejects · d makes a demo · ← → the others · g three more"
_STATUS: Mapping[str, tuple[str, Style]] = {
    "": ("not judged", "dim"), "accepted": ("✓ accepted", "good"), "rejected": ("✗ rejected", "bad"),
    "demo": ("✓ a demo of the spec", "good"),
}  # fmt: skip


def show_samples(state: State, argument: str) -> Result:
    """The panel; with a number so many samples are written for real (``+N``: more than there are)."""
    state = replace(state, view="samples")
    if not argument:
        return with_panel(state), ()
    if argument == "go":
        argument = "+3" if state.samples and state.samples_rev == state.rev else str(len(state.samples) or AT_ONCE)
    wanted = int(argument.lstrip("+")) if argument.lstrip("+").isdecimal() else 0
    total = wanted + (len(state.samples) if argument.startswith("+") else 0)
    if not 0 < total <= MOST:
        return noted(with_panel(state), f"/samples takes how many to write, 1 to {MOST} in all; nothing was asked"), ()
    if state.is_sampling:
        return noted(with_panel(state), "samples are being written already"), ()
    state = with_panel(replace(state, is_sampling=True))
    return state, (MakeSamples(state.rev, state.path, state.text, total),)


def came(state: State, rev: int, samples: tuple[Sample, ...], problem: str) -> State:
    """The state when samples were written, or could not be. What was said of one that is there again stays."""
    known = {sample.id: sample for sample in state.samples}
    made = tuple(known.get(sample.id, sample) for sample in samples) if samples else state.samples
    first = next((at for at, sample in enumerate(made) if not sample.status), max(0, len(made) - 1))
    state = replace(state, samples=made, sample=first, sample_problem=problem, is_sampling=False)
    if samples:
        state = replace(state, samples_rev=rev)
    return with_panel(state)


def judge_sample(state: State, argument: str) -> Result:
    """``yes``, ``no [task|input|output…] [NOTE]``, ``demo``, ``next`` or ``back``, of the sample in view."""
    word, *rest = argument.split() or [""]
    if not state.samples:
        return noted(state, "there are no samples yet: /samples 3 has some written"), ()
    if word in ("next", "back"):
        at = (state.sample + (1 if word == "next" else -1)) % len(state.samples)
        return with_panel(replace(state, sample=at)), ()
    sample = state.samples[state.sample]
    if word in ("yes", "y"):
        return _marked(state, replace(sample, status="accepted", wrong=(), note="")), ()
    if word in ("demo", "d"):
        return _demo(state, sample), ()
    if word not in ("no", "n"):
        raise SdrlError("", "a sample is judged with yes, no or demo", help="/sample no output NOTE says what is wrong")
    wrong = []
    while rest and rest[0] in WRONG:
        wrong.append(rest.pop(0))
    state = _marked(state, replace(sample, status="rejected", wrong=tuple(wrong), note=" ".join(rest)))
    rejected = [Rejected(each.wrong, each.note, each.agreement) for each in state.samples if each.status == "rejected"]
    return offered(state, rejected)


def with_panel(state: State) -> State:
    """The state with the panel drawn anew."""
    sheet = _sheet(state)
    panel = Panel("samples", tuple(sheet.lines), state.rev, is_waiting=state.is_sampling, marks=tuple(sheet.marks))
    return replace(state, panels={**state.panels, "samples": panel})


def _marked(state: State, sample: Sample) -> State:
    samples = tuple(sample if each.id == sample.id else each for each in state.samples)
    later = [at for at, each in enumerate(samples) if not each.status]
    at = next((each for each in later if each > state.sample), later[0] if later else state.sample)
    return with_panel(replace(state, samples=samples, sample=at))


def _demo(state: State, sample: Sample) -> State:
    """The sample as the spec's last demo: its input, and the solution that the vote chose."""
    value: dict[str, Any] = {"input": sample.input, "output": sample.solution}
    if sample.options:
        value["options"] = dict(sample.options)
    after = with_text(state, apply(state.text, [Edit("insert", "demos.-", value)]))
    return noted(
        _marked(after, replace(sample, status="demo")), f"{_number(state)} is the spec's last demo; /undo goes back"
    )


def _number(state: State) -> str:
    return f"sample {state.sample + 1}"


def _sheet(state: State) -> Sheet:
    sheet = Sheet(state.columns)
    if state.is_sampling:
        sheet.flow(("the instructor is writing and voting; this takes some seconds to a minute", "warn"))
    if state.sample_problem:
        sheet.flow((f"✗ {state.sample_problem}", "bad"), indent=2)
    if not state.samples:
        _invitation(sheet, state)
        return sheet
    if state.samples_rev != state.rev and not state.is_sampling:
        sheet.flow(("! the spec was changed since these were written; g writes them anew", "warn"))
    for at, each in enumerate(state.samples):
        sign, style = _STATUS[each.status]
        here = "▶" if at == state.sample else " "
        head = f"{here} {at + 1}  {sign:<20} "
        sheet.add((head, "strong" if at == state.sample else style), _short(each.input, sheet.columns - len(head)))
    sheet.flow((KEYS, "dim"))
    _one(sheet, state)
    return sheet


def _one(sheet: Sheet, state: State) -> None:
    """The sample in view: input, options, passage, solution with its answer marked, and how the votes fell."""
    sample = state.samples[state.sample]
    sheet.head("input")
    sheet.wrapped(sample.input)
    for key, text in sample.options:
        sheet.wrapped(f"{key}. {text}")
    sheet.head(f"label {sample.gold}   votes")
    unread = sample.draws - sum(count for _, count in sample.votes)
    for label, count in [*sample.votes[:6], *([("no answer read", unread)] if unread > 0 else [])]:
        room = min(20, max(4, sheet.columns - 40))
        bar = "█" * max(1, round(room * count / max(1, sample.draws)))
        sheet.add(f"  {_short(label, 24):<24} ", (f"{bar:<{room}}", "dim"), f" {count} of {sample.draws}")
    sheet.head("solution")
    _solution(sheet, state, sample.solution)
    if sample.passage:
        sheet.head("passage")
        sheet.wrapped(sample.passage, "dim", most=6)
    if sample.status == "rejected":
        sheet.head("what is wrong")
        told = [*(WRONG[key] for key in sample.wrong), *([sample.note] if sample.note else [])]
        said = ", ".join(told) or "not said: /sample no task, input or output, and a note"
        sheet.flow((f"  {said}", "bad"), indent=2)


def _solution(sheet: Sheet, state: State, text: str) -> None:
    """The solution with the slot that the verifier reads marked; plain where no verifier can be made."""
    try:
        span = verifier_of(value_at(written(state.text), "answer")).extract(text).span
    except ValueError:
        span = None
    sheet.add_slotted(text, span)


def _invitation(sheet: Sheet, state: State) -> None:
    """What to do where there is none yet: connect a model, or have some written."""
    values = written(state.text)
    instructor = value_at(values, "models.instructor")
    if not isinstance(instructor, dict) or not instructor.get("model"):
        sheet.flow(("No instructor is connected, so no sample can be written.", "strong"))
        sheet.flow("Connect one, and a base model, in the spec:")
        sheet.flow("  /set models.instructor {model: gpt-4o, key_env: OPENAI_API_KEY}", indent=4)
        sheet.flow("  /set models.base {model: Qwen/Qwen2.5-7B, serve: vllm}", indent=4)
        sheet.flow("or the ones that ship with sdrl, which need no key and cost nothing:")
        sheet.flow("  /set models.instructor {model: scripted-instructor, endpoint: embedded}", indent=4)
        sheet.flow("  /set models.base {model: toy-base, serve: embedded}", indent=4)
        return
    draws = value_at(values, "vote.draws") or 16
    sheet.flow((f"{AT_ONCE} samples can be written for real by {instructor['model']}.", "strong"))
    sheet.flow(
        f"g, or /samples {AT_ONCE}, asks it about {AT_ONCE * (1 + draws) + 2} times at most: one request a sample, "
        f"up to {draws} votes on each. A run finds the replies in the cache and pays nothing twice."
    )


def _short(text: str, room: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= room else flat[: max(0, room - 1)] + "…"
