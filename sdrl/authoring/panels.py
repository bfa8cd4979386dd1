"""What the panels show, made of a spec's text: exact prompts, verdicts, plan, passages; and of a run's events.

Each maker is a function of the text and of files it names, so that a result can be dropped when the text has moved on.
Calls no model. Raises SdrlError for what a person can mend.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sdrl.authoring.document import spec_name, written
from sdrl.authoring.effects import Show
from sdrl.authoring.monitor import Tail
from sdrl.authoring.plan_panel import plan_sheet
from sdrl.authoring.propose import place_of, sample_of, verifier_of
from sdrl.authoring.review_panel import review_sheet
from sdrl.authoring.runs import every_run, last_words, newest_run, run_called, run_named
from sdrl.authoring.sheet import Mark, Piece, Sheet, Style
from sdrl.spec.diagnostics import SdrlError

if TYPE_CHECKING:
    from sdrl.compiler.compile import Compiled
    from sdrl.compiler.preview import Preview
    from sdrl.verifier import Verifier

MOST_PASSAGES = 20_000  # of the corpus that a search here looks through
HITS = 5
MOST_STOP_WORD = 3  # letters of words such as of, the, and
MOST_RUNS = 12
UNWRITTEN = ("", "sdrl: 1")  # a spec that nothing was written in


class Content(NamedTuple):
    """A panel's title and lines; ``key`` names what is in view, ``marks`` stand out in the lines."""

    title: str
    lines: list[str]
    key: str = ""
    marks: Sequence[Mark] = ()


def sheet_content(title: str, sheet: Sheet, key: str = "") -> Content:
    """The content of a sheet."""
    return Content(title, sheet.lines, key, sheet.marks)


def content(asked: Show, tails: dict[Path, Tail]) -> Content:
    """Title and lines of a panel. ``tails`` keeps how far the events of a run were read.

    Raises:
        SdrlError: the spec is not that far, or a file is not there.
    """
    return _run(asked, tails) if asked.panel == "run" else _MAKERS[asked.panel](asked)


def _prompt(asked: Show) -> Content:
    """Size and tokens, what of the prompt the person has not saved yet, then the bytes themselves."""
    from sdrl.compiler.compile import compile_spec
    from sdrl.compiler.preview import NAMES, preview_prompt

    name = asked.argument or "generate"
    if name not in NAMES:
        raise SdrlError("", f"there is no prompt '{name}'", help=f"one of {', '.join(NAMES)}")
    compiled = compile_spec(asked.path, text=asked.text)
    plan = compiled.require()
    shown = preview_prompt(compiled, plan.parts[0], name)
    sheet = Sheet(asked.columns)
    sheet.add((f"# {shown.said[-1]}", "strong"))
    sheet.extend((f"# {line}" for line in shown.said[:-1]), "dim")
    others = f"others: /prompt {', '.join(each for each in NAMES if each in plan.templates and each != name)}"
    lines = textwrap.wrap(others, asked.columns - 2, break_on_hyphens=False)
    sheet.extend((f"# {line}" for line in lines), "dim")
    if asked.kept.strip() not in UNWRITTEN and asked.kept != asked.text:
        _beside(sheet, compile_spec(asked.path, text=asked.kept), name, shown)
    sheet.add()
    sheet.add(shown.text)
    return sheet_content(f"{name}: exactly what is sent", sheet)


def _beside(sheet: Sheet, kept: Compiled, name: str, shown: Preview) -> None:
    """How the prompt differs from that of the spec as it was saved last, line by line."""
    from difflib import unified_diff

    from sdrl.compiler.preview import preview_prompt

    if kept.plan is None:
        sheet.add(("# the spec as it was saved last cannot run: nothing to compare with", "dim"))
        return
    before = preview_prompt(kept, kept.plan.parts[0], name)
    if before.text == shown.text:
        sheet.add(("# the same bytes as before what is not saved yet", "dim"))
        return
    sheet.head(f"not saved yet: {shown.tokens - before.tokens:+,} tokens")
    for line in [*unified_diff(before.text.split("\n"), shown.text.split("\n"), lineterm="", n=1)][2:]:
        style: Style = {"+": "good", "-": "bad"}.get(line[:1], "dim")  # type: ignore[assignment]
        sheet.add((line, style))


def _verify(asked: Show) -> Content:
    values = written(asked.text)  # the answer alone counts here: the rest of the spec need not be right yet
    if values.get("answer") is None:
        raise SdrlError("", "how answers are read is not said yet", help="the interview asks for it; /propose makes it")
    try:
        verifier = verifier_of(values.get("answer"))
    except ValueError as error:
        first = _first_problem(error)
        raise SdrlError("E401", f"no verifier can be made of this answer: {first}", help="/propose makes one") from None
    answer = values["answer"]
    sheet = Sheet(asked.columns)
    sheet.add(f"type     {answer['type']}")
    sheet.add(f"extract  {place_of(answer['extract']) or _plain(answer['extract'])}")
    if answer.get("options"):
        sheet.add(f"options  {_plain(answer['options'])}")
    demos = values.get("demos")
    for number, demo in enumerate(demos if isinstance(demos, list) else [], 1):
        found = verifier.extract(str(demo.get("output", "")), demo.get("options"))
        is_read = found.prediction is not None
        read = f"reads {found.prediction!r}" if is_read else f"reads nothing: {found.reason}"
        sheet.add(f"demo {number}   ", (read, "good" if is_read else "bad"))
    completion, arrow, gold = asked.argument.partition("=>")
    if not asked.argument:
        sheet.add()
        sheet.flow("try one: /verify COMPLETION => GOLD (a line end is \\n)")
        sheet.extend(_example(verifier, answer, demos, asked.columns))
        return sheet_content("verifier", sheet)
    completion = completion.strip().replace("\\n", "\n")
    _judged(sheet, verifier, completion, gold.strip() if arrow else None)
    return sheet_content("verifier", sheet)


def _first_problem(error: ValueError) -> str:
    """The first thing that is wrong with a table, and where; for any other error its first line."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error).split("\n")[0]
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))} {first['msg'][:1].lower()}{first['msg'][1:]}".strip()


def _example(verifier: Verifier, answer: dict[str, Any], demos: object, columns: int) -> list[str]:
    """A line that can be typed as it stands: the first demo, else one made up, judged against what is read from it."""
    if isinstance(demos, list) and demos:
        output = str(demos[0].get("output", "")).strip()
    else:
        output = sample_of(answer, str(next(iter(answer.get("options") or ()), "18")))
    gold = verifier.extract(output).prediction
    line = f"such as: /verify {output} => {gold}".replace("\n", "\\n")
    return [line] if gold is not None and len(line) <= columns else []


def _judged(sheet: Sheet, verifier: Verifier, completion: str, gold: str | None) -> None:
    """A completion with the slot that is read marked; then prediction and verdict."""
    found = verifier.extract(completion)
    sheet.head("completion")
    sheet.add_slotted(completion, found.span)
    sheet.add()
    sheet.add(f"prediction  {found.prediction!r}  {found.reason}".rstrip())
    if gold is not None:
        judged = verifier.judge(completion, gold)
        sheet.add(f"gold        {gold!r}")
        style: Style = "good" if judged.verdict == "correct" else "bad"
        sheet.add("verdict     ", (judged.verdict, style), f" ({judged.reason})")


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _plan(asked: Show) -> Content:
    return sheet_content(*plan_sheet(asked.path, asked.text, asked.columns))


def _retrieve(asked: Show) -> Content:
    """Ranked passages for a query, else for the keywords that the spec gives or its newest run found."""
    from itertools import islice
    from tempfile import TemporaryDirectory

    from sdrl.corpus import build_index, open_index, read_passages
    from sdrl.spec.loader import load_spec

    loaded = load_spec(asked.path, text=asked.text)
    spec = loaded.require()
    sources = [source for source in spec.corpus if source.files]
    if not sources:
        raise SdrlError("", "the spec names no local corpus files", help="/add corpus {files: [passages/*.jsonl]}")
    keywords, found_by = _keywords(spec.retrieve.keywords, spec.name)
    query = asked.argument or " ".join(keywords)
    sheet = Sheet(asked.columns)
    sheet.wrapped(f"keywords ({found_by}): {', '.join(keywords) or 'none yet'}")
    if not query:
        sheet.add("search the corpus: /retrieve QUERY")
        return sheet_content("retrieve", sheet)
    with TemporaryDirectory() as folder:
        passages = islice(
            read_passages(sources, loaded.folder, passage_words=spec.retrieve.passage_words), MOST_PASSAGES
        )
        info = build_index(passages, folder)
        hits = open_index(info.path).search(query, HITS)
    sheet.add()
    best = f"{info.passages:,} passages, the best {len(hits)} for "
    sheet.flow((best + (f"'{asked.argument}'" if asked.argument else "the keywords"), "strong"))
    words = {word.lower() for word in re.findall(r"\w+", query) if len(word) > MOST_STOP_WORD}
    for hit in hits:
        title = hit.passage.title or hit.passage.id
        source = f"  ({hit.passage.source})" if hit.passage.source not in title else ""
        sheet.add()
        sheet.flow((f"{hit.rank}. ", "strong"), f"{title}{source}  score {hit.score:.2f}", indent=3)
        for line in textwrap.wrap(hit.passage.text, asked.columns)[:4]:
            sheet.add(*_with_words(line, words))
    return sheet_content("retrieve", sheet)


def _keywords(given: object, name: str) -> tuple[list[str], str]:
    """The keywords that a run searches with, and where they come from."""
    if isinstance(given, list):
        return [str(word) for word in given], "of the spec"
    from sdrl.run.artifacts import read_rows

    run = newest_run(name)
    rows = read_rows(run / "artifacts" / "keywords.jsonl") if run is not None else []
    found = dict.fromkeys(str(word) for row in rows for word in row.get("keywords", ()))
    return list(found), f"of {run}" if found else "auto: the instructor finds them in a run"


def _with_words(line: str, words: set[str]) -> list[Piece]:
    """A line in pieces, those that begin as a word of the query does marked."""
    return [
        (piece, "warn") if any(piece.lower().startswith(word) for word in words) else piece
        for piece in re.split(r"(\w+)", line)
        if piece
    ]


def _run(asked: Show, tails: dict[Path, Tail]) -> Content:
    from sdrl.authoring.run_panel import run_sheet
    from sdrl.run.folder import RunFolder
    from sdrl.run.lock import holder_pid

    folder = RunFolder(_run_of(asked))
    if not folder.events.exists():
        return _no_run(folder.root, asked.columns)
    is_alive = holder_pid(folder.lock) is not None  # asked before its last events are read
    tail = tails.setdefault(folder.events, Tail(folder.events))
    sheet = run_sheet(view := tail.read(), is_alive=is_alive, columns=asked.columns)
    if not is_alive and view.ended is None and (said := last_words(folder.root)):
        sheet.head("what it said last")
        sheet.extend(said)
    ended = str(view.ended["status"]) if view.ended is not None else "" if is_alive or not view.name else "gone"
    return sheet_content(f"run {folder.root}", sheet, ended)


def _run_of(asked: Show) -> Path:
    return run_called(asked.argument) if asked.argument else run_named(spec_name(asked.text, asked.path))


def _no_run(root: Path, columns: int) -> Content:
    """No run is there: what its process said where one was started, and the runs that there are."""
    sheet = Sheet(columns)
    if said := last_words(root):
        sheet.add(f"{root}: started; it has told nothing yet")
        sheet.head("what its process says")
        sheet.extend(said)
        return sheet_content(f"run {root}", sheet)
    sheet.add(f"There is no run in {root} yet.")
    sheet.flow("/start shows what one costs, and asks; /run RUN watches another.")
    if found := every_run():
        sheet.head("runs here, the newest first")
        sheet.extend(f"  /run {path}" for path in found[:MOST_RUNS])
    return sheet_content("run", sheet)


def _review(asked: Show) -> Content:
    return sheet_content(*review_sheet(_run_of(asked), asked.columns))


_MAKERS: Mapping[str, Callable[[Show], Content]] = {
    "prompt": _prompt,
    "verify": _verify,
    "plan": _plan,
    "retrieve": _retrieve,
    "review": _review,
}
