"""The parts of a task: texts with their parameters filled in, shares, and demos from the spec or from files.

Reads demo files (the hub only when pinning). A task without parts is one part named ``all``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sdrl.compiler import hub
from sdrl.compiler.demo_places import DemoRow
from sdrl.compiler.findings import Findings
from sdrl.compiler.plan import PartPlan
from sdrl.compiler.rows import Row, RowProblem, expand, fill, look_up, read_rows, text_of
from sdrl.compiler.sample import Sample, carried_options
from sdrl.spec.model import Demo, DemoSource, Spec

WHOLE = "all"
_PARAM = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Parts(NamedTuple):
    """All parts, in the spec's order, and by path of a list of demos the rows that it comes from, if any."""

    parts: tuple[PartPlan, ...]
    rows: dict[str, list[DemoRow]]


def build_parts(spec: Spec, base_dir: Path, findings: Findings, resources: hub.Resources) -> Parts:
    """Make them; what cannot be read becomes findings, what is not at hand ``pending``."""
    whole = _Reader(base_dir, findings, resources, spec.answer.type)
    demos = whole.read(spec.demos, "demos")
    if not spec.parts:
        return Parts((_part(spec, WHOLE, 1.0, spec.params, demos),), whole.rows)
    shares = _shares([part.share for part in spec.parts])
    parts: list[PartPlan] = []
    for index, (part, share) in enumerate(zip(spec.parts, shares, strict=True)):
        own = demos if part.demos is None else whole.read(part.demos, f"parts.{index}.demos")
        parts.append(_part(spec, part.name, share, {**spec.params, **part.params}, own))
    return Parts(tuple(parts), whole.rows)


def _part(spec: Spec, name: str, share: float, params: Mapping[str, str], demos: Iterable[Sample]) -> PartPlan:
    task = spec.task
    return PartPlan(
        name=name,
        share=share,
        description=fill_params(task.description, params),
        input_format=None if task.input_format is None else fill_params(task.input_format, params),
        output_format=fill_params(task.output_format, params),
        demos=tuple(demos),
    )


def fill_params(text: str, params: Mapping[str, str]) -> str:
    r"""``{subject}`` replaced by its parameter, ``{{`` and ``}}`` by single braces; other braces stay as they are.

    Without parameters a text is no template at all and comes through unchanged.
    """
    if not params:
        return text
    return _PARAM.sub(lambda match: match[0][0] if match[1] is None else params.get(match[1], match[0]), text)


def _shares(given: list[float | None]) -> list[float]:
    """Shares that sum to 1: what is not given gets an equal part of what is left."""
    said = sum(share for share in given if share is not None)
    silent = sum(share is None for share in given)
    left = max(0.0, 1.0 - said) / silent if silent else 0.0
    shares = [left if share is None else share for share in given]
    total = sum(shares)
    return [round(share / total, 12) for share in shares] if total else [round(1 / len(given), 12)] * len(given)


class _Reader:
    """Demos of the spec and of its parts; the same source is read once."""

    def __init__(self, base_dir: Path, findings: Findings, resources: hub.Resources, answer_type: str) -> None:
        self._base_dir = base_dir
        self._answer_type = answer_type
        self._findings = findings
        self._resources = resources
        self.rows: dict[str, list[DemoRow]] = {}

    def read(self, demos: list[Demo] | DemoSource, path: str) -> tuple[Sample, ...]:
        if not isinstance(demos, DemoSource):
            return tuple(self._carrying(demo.input, demo.output, demo.options) for demo in demos)
        if demos.dataset and not self._resources.pin and not (self._base_dir / demos.dataset).is_dir():
            self._resources.pending.append(f"{path}: data set {demos.dataset}:{demos.split}@{demos.revision or 'main'}")
            return ()
        samples: list[Sample] = []
        try:
            for where, row in self._rows(demos, path):
                samples.append(self._sample(demos, row, where))
        except RowProblem as problem:
            self._findings.add("E545", path, problem.message, problem.help)
        except hub.HubProblem as problem:
            self._findings.add("E546", path, problem.message, problem.help)
        else:
            if not samples:
                self._findings.add("E543", path, "the demos' source has no rows", "name a file that has some")
        return tuple(samples)

    def _rows(self, source: DemoSource, path: str) -> Iterable[tuple[str, Row]]:
        if source.dataset:
            revision = source.revision
            if not (self._base_dir / source.dataset).is_dir():
                revision = self._resources.resolve(source.dataset, revision, "dataset", f"{path}.revision")
            rows = hub.stream_rows(source.dataset, source.config, source.split, revision, source.limit, self._base_dir)
            for number, row in enumerate(rows, start=1):
                yield f"{source.dataset} row {number}", row
            return
        left = source.limit
        for file in expand(list(source.files or ()), self._base_dir):
            for line, row in read_rows(file, left):
                if left is not None:
                    left -= 1
                self.rows.setdefault(path, []).append(DemoRow(file, line))
                yield str(self.rows[path][-1]), row

    def _carrying(self, text: str, output: str, options: Mapping[str, str] | None) -> Sample:
        return Sample(text, output, carried_options(self._answer_type, text, options))

    def _sample(self, source: DemoSource, row: Row, where: str) -> Sample:
        try:
            return self._carrying(fill(source.input, row), fill(source.output, row), _options(source.options, row))
        except RowProblem as problem:
            raise RowProblem(f"{where}: {problem.message}", problem.line, problem.help) from None


def _options(spec: str | dict[str, str] | None, row: Row) -> dict[str, str] | None:
    if spec is None:
        return None
    if isinstance(spec, Mapping):
        return {label: fill(template, row) for label, template in spec.items()}
    value: Any = look_up(row, spec)
    if not isinstance(value, Mapping):
        raise RowProblem(f"field '{spec}' holds no map of options (letter: text)")
    return {str(label): text_of(text) for label, text in value.items()}
