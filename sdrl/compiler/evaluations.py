"""Evaluation sets: rows of files or data sets become frozen ``{id, input, gold, options?}`` lines.

Reads the files that ``evaluate`` names (the hub only when pinning); writes nothing. Field templates make the input,
``gold`` says where the right answer stands, ``options`` how a lettered row gets its options; letters are dealt by the
plan's seed, the set's name and the row, so that every machine deals the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sdrl.compiler import hub
from sdrl.compiler.canonical import digest, digest_bytes, text_line
from sdrl.compiler.pins import rows_made_of
from sdrl.compiler.plan import EvaluationPlan, option_labels
from sdrl.compiler.rows import Row, RowProblem, expand, fill, look_up, read_rows, text_of
from sdrl.compiler.sample import carried_options
from sdrl.compiler.verifier_program import extract_program
from sdrl.spec.model import Evaluation, OptionColumns
from sdrl.verifier import Verifier

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MAX_REPORTED = 3  # unreadable rows shown for one set
MOST_SHOWN = 60  # characters of a gold in a message


@dataclass
class Frozen:
    """One evaluation set: its plan, its bytes, and what is wrong with its rows.

    ``worked`` are the whole texts of gold fields from which an answer is extracted: solutions, to know their length.
    ``places`` says of each row where it stands (``file:line``).
    """

    plan: EvaluationPlan
    content: bytes
    worked: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    problems: list[tuple[str, str, str, str | None]] = field(default_factory=list)  # code, key, message, help


def freeze(
    evaluation: Evaluation,
    index: int,
    base_dir: Path,
    resources: hub.Resources,
    *,
    program: Mapping[str, Any],
    seed: int,
    verifier: Verifier,
) -> Frozen:
    """Read and freeze the spec's set number ``index``; problems are returned, at most three of a kind."""
    plan = EvaluationPlan(
        name=evaluation.name,
        file=f"data/evaluate-{evaluation.name}.jsonl",
        sha256="",
        rows=0,
        shift=evaluation.shift,
        runs=evaluation.runs,
        sampling=evaluation.sampling.resolved(),
    )
    frozen = Frozen(plan, b"")
    if evaluation.dataset and not resources.pin and not (base_dir / evaluation.dataset).is_dir():
        made_of = rows_made_of(evaluation.model_dump(mode="json", by_alias=True), dict(program), seed)
        kept = resources.kept.rows_of(evaluation.name, made_of)
        if kept and resources.keep(evaluation.dataset, evaluation.revision, "dataset", f"evaluate.{index}.revision"):
            rows = kept.count(b"\n")
            frozen.content = kept
            frozen.places = [_place(evaluation, number) for number in range(1, rows + 1)]
            frozen.plan = EvaluationPlan(**{**vars(plan), "sha256": digest_bytes(kept), "rows": rows})
            return frozen
        resources.pending.append(f"evaluate.{evaluation.name}: data set {_hub_name(evaluation)}")
        return frozen
    row_of = _row_maker(evaluation, program, seed, verifier)
    lines: list[bytes] = []
    told: set[str] = set()
    try:
        for where, row in _rows(evaluation, index, base_dir, resources):
            try:
                made = row_of(len(lines), row)
            except RowProblem as problem:
                if problem.message in told:
                    continue  # the same mistake in the next row
                told.add(problem.message)
                _note(frozen, "E544", f"{where}: {problem.message}", problem.help, problem.key)
                if len(frozen.problems) >= MAX_REPORTED:
                    break
                continue
            lines.append(text_line(made))
            frozen.places.append(where)
            if evaluation.gold.extract is not None and not isinstance(evaluation.options, OptionColumns):
                frozen.worked.append(_gold_text(evaluation, row))
    except RowProblem as problem:
        _note(frozen, "E542", problem.message, problem.help, "file")
    except hub.HubProblem as problem:
        _note(frozen, "E546", problem.message, problem.help)
    if not lines and not frozen.problems:
        _note(frozen, "E543", f"evaluation set '{evaluation.name}' has no rows", "name a file that has some")
    frozen.content = b"".join(lines)
    frozen.plan = EvaluationPlan(
        **{**vars(plan), "sha256": digest_bytes(frozen.content) if lines else "", "rows": len(lines)}
    )
    return frozen


def _note(frozen: Frozen, code: str, message: str, help_: str | None, key: str = "") -> None:
    frozen.problems.append((code, key, message, help_))


def _hub_name(evaluation: Evaluation) -> str:
    config = f"/{evaluation.config}" if evaluation.config else ""
    return f"{evaluation.dataset}{config}:{evaluation.split}@{evaluation.revision or 'main'}"


def _rows(evaluation: Evaluation, index: int, base_dir: Path, resources: hub.Resources) -> Iterable[tuple[str, Row]]:
    """Rows with the place to name when one is bad."""
    if evaluation.dataset:
        name, revision = evaluation.dataset, evaluation.revision
        if not (base_dir / name).is_dir():
            revision = resources.resolve(name, revision, "dataset", f"evaluate.{index}.revision")
        rows = hub.stream_rows(name, evaluation.config, evaluation.split, revision, evaluation.limit, base_dir)
        for number, row in enumerate(rows, start=1):
            yield _place(evaluation, number), row
        return
    [path] = expand([str(evaluation.file)], base_dir)[:1]
    for line, row in _with_place(path, evaluation.limit):
        yield f"{evaluation.file}:{line}", row


def _place(evaluation: Evaluation, number: int) -> str:
    return f"{evaluation.dataset}/{evaluation.split} row {number}"


def _with_place(path: Path, limit: int | None) -> Iterable[tuple[int, Row]]:
    try:
        yield from read_rows(path, limit)
    except RowProblem as problem:
        where = f"{path.name}:{problem.line}: " if problem.line else f"{path.name}: "
        raise RowProblem(where + problem.message, problem.line, problem.help) from None


def _row_maker(
    evaluation: Evaluation, program: Mapping[str, Any], seed: int, verifier: Verifier
) -> Callable[[int, Row], dict[str, Any]]:
    """The function that makes a frozen row of a file's row and its index."""
    extract = evaluation.gold.extract
    finder = None if extract is None else Verifier.from_program({**program, "extract": extract_program(extract)})
    labels = option_labels(program)

    def make(index: int, row: Row) -> dict[str, Any]:
        options, letter = _options(evaluation, row, labels, [seed, "options", evaluation.name, index])
        with _about("input"):
            text = fill(evaluation.input, row)
        options = carried_options(program["type"], text, options)
        with _about("gold"):
            gold = letter if letter is not None else _gold(evaluation, row, finder, options)
            if verifier.read_gold(gold, options) is None:
                shown = gold if len(gold) <= MOST_SHOWN else "…" + gold[-MOST_SHOWN:]
                help_ = _gold_help(evaluation, program, verifier, gold, options)
                raise RowProblem(f"the gold {shown!r} is no {program['type']} answer", help=help_)
        made: dict[str, Any] = {"gold": gold, "id": f"{evaluation.name}-{index}", "input": text}
        if options:
            made["options"] = options
        return made

    return make


@contextmanager
def _about(key: str) -> Iterator[None]:
    """Say of a row's problem which key of the evaluation set it concerns."""
    try:
        yield
    except RowProblem as problem:
        problem.key = problem.key or key
        if key == "gold" and problem.help and problem.help.startswith("it has "):
            problem.help = f"name the field of the right answer: gold: {{field: …}}; {problem.help}"
        raise


def _gold_help(
    evaluation: Evaluation,
    program: Mapping[str, Any],
    verifier: Verifier,
    gold: str,
    options: Mapping[str, str] | None,
) -> str:
    """How the gold would be read: by the answer's own extractor where that finds something."""
    place = program["extract"]
    if evaluation.gold.extract is None and verifier.extract(gold, options).prediction is not None:
        told = {"marker": f'marker: "{place.get("marker")}"', "tag": f"tag: {place.get('name')}"}
        written = told.get(place["kind"], f"{place['kind']}: …")
        return f"the answer stands inside it: gold: {{field: {evaluation.gold.field}, extract: {{{written}}}}}"
    if program.get("options") or program["type"] == "boolean":
        return f"map it to an answer: gold: {{field: {evaluation.gold.field}, map: {{{gold[:20]}: …}}}}"
    return "name another field, or say where it stands: gold: {field: …, extract: {…}}"


def _gold(evaluation: Evaluation, row: Row, finder: Verifier | None, options: Mapping[str, str] | None) -> str:
    """The right answer as text: the field, what ``extract`` finds in it, and what ``map`` makes of that."""
    spec = evaluation.gold
    text = _gold_text(evaluation, row)
    if finder is not None:
        found = finder.extract(text, options)
        if found.prediction is None:
            raise RowProblem(f"gold.extract finds no answer in '{spec.field}': {found.reason}")
        # the slot's own text, not the canonical form: what the file says is what is frozen
        text = text[found.span[0] : found.span[1]].strip() if found.span else found.prediction
    if spec.map is not None:
        if text not in spec.map:
            raise RowProblem(f"gold.map has no entry for {text!r}", help=f"it has {', '.join(map(repr, spec.map))}")
        text = spec.map[text]
    return text.strip()


def _gold_text(evaluation: Evaluation, row: Row) -> str:
    name = evaluation.gold.field
    return fill(name, row) if "{" in name else text_of(look_up(row, name))


def _options(
    evaluation: Evaluation, row: Row, labels: tuple[str, ...], seed_words: list[str | int]
) -> tuple[dict[str, str] | None, str | None]:
    """Option texts by letter, and the right letter where the row's columns say which text is right."""
    spec = evaluation.options
    if spec is None:
        return None, None
    if isinstance(spec, OptionColumns):
        return _dealt(spec, row, labels, seed_words)
    if isinstance(spec, Mapping):
        return {label: _field(row, name) for label, name in spec.items()}, None
    value = look_up(row, spec)
    if isinstance(value, Mapping) and isinstance(value.get("text"), list) and isinstance(value.get("label"), list):
        value = dict(zip(value["label"], value["text"], strict=False))  # the form of many multiple-choice data sets
    if isinstance(value, Mapping):
        return {str(label): text_of(text) for label, text in value.items()}, None
    if isinstance(value, list) and len(value) <= len(LETTERS):
        return dict(zip(labels or LETTERS, map(text_of, value), strict=False)), None
    raise RowProblem(f"field '{spec}' holds neither a list nor a map of options")


def _dealt(
    spec: OptionColumns, row: Row, labels: tuple[str, ...], seed_words: list[str | int]
) -> tuple[dict[str, str], str]:
    """Letters for one right and several wrong texts; shuffled by digest, which no library version can change."""
    texts = [_field(row, name) for name in (spec.correct, *spec.wrong)]
    if labels and len(labels) != len(texts):
        raise RowProblem(
            f"the row has {len(texts)} options, answer.options has {len(labels)}",
            help="list as many fields under options as answer.options has letters",
        )
    order = list(range(len(texts)))
    if spec.shuffle:
        order.sort(key=lambda index: digest([*seed_words, index]))
    names = labels or tuple(LETTERS[: len(texts)])
    return {names[place]: texts[index] for place, index in enumerate(order)}, names[order.index(0)]


def _field(row: Row, name: str) -> str:
    """A field's text, by its name or by a field template."""
    return fill(name, row) if "{" in name else text_of(look_up(row, name))
