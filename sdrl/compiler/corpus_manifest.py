"""The corpus manifest: which files the passages come from, each by sha256. Reads the files, keeps nothing of them."""

from __future__ import annotations

from pathlib import Path

from sdrl.compiler import hub
from sdrl.compiler.canonical import digest
from sdrl.compiler.findings import Findings
from sdrl.compiler.plan import CorpusFile
from sdrl.compiler.rows import RowProblem, digest_file, expand, relative_name
from sdrl.spec.model import Source

SUFFIXES = (".jsonl", ".parquet", ".txt", ".md")


def build_manifest(
    sources: list[Source], base_dir: Path, findings: Findings, resources: hub.Resources
) -> tuple[CorpusFile, ...]:
    """All files and data sets of the corpus in order; problems become findings, hub data sets may be pending."""
    files: list[CorpusFile] = []
    for index, source in enumerate(sources):
        path = f"corpus.{index}"
        if source.dataset:
            files.append(_dataset(source, index, base_dir, findings, resources))
            continue
        try:
            found = expand(list(source.files or ()), base_dir)
        except RowProblem as problem:
            named = next((f".{at}" for at, name in enumerate(source.files or ()) if f"'{name}'" in problem.message), "")
            findings.add("E542", f"{path}.files{named}", f"corpus: {problem.message}", problem.help)
            continue
        files += [file for item in found if (file := _file(item, source, index, base_dir, findings)) is not None]
    return tuple(files)


def _file(path: Path, source: Source, index: int, base_dir: Path, findings: Findings) -> CorpusFile | None:
    name = relative_name(path, base_dir)
    where = f"corpus.{index}.files"
    if path.suffix.lower() not in SUFFIXES:
        findings.add(
            "E542", where, f"corpus: '{name}' is no file of passages", f"passages are read from {', '.join(SUFFIXES)}"
        )
        return None
    if path.stat().st_size == 0:
        findings.add("E543", where, f"corpus: '{name}' is empty", "remove it, or put passages into it")
        return None
    sha256, rows = digest_file(path)
    if rows == 0:
        findings.add("E543", where, f"corpus: '{name}' has no rows", "remove it, or put passages into it")
        return None
    return CorpusFile(name, sha256, rows, source.license, index)


def _dataset(source: Source, index: int, base_dir: Path, findings: Findings, resources: hub.Resources) -> CorpusFile:
    """A data set by its pinned revision; one in a folder beside the spec by the digests of its files."""
    name = str(source.dataset)
    label = f"{name}/{source.config}" if source.config else name
    folder = base_dir / name
    if folder.is_dir():
        contents = {
            relative_name(path, folder): digest_file(path)[0] for path in sorted(folder.rglob("*")) if path.is_file()
        }
        return CorpusFile(
            f"folder:{label}:{source.split}", digest([label, source.split, contents]), None, source.license, index
        )
    revision = source.revision
    if not hub.is_commit(revision):
        kept = resources.keep(name, revision, "dataset", f"corpus.{index}.revision")
        if kept is not None:
            revision = kept
        elif not resources.pin:
            resources.pending.append(f"corpus.{index}: data set {label}:{source.split}@{revision or 'main'}")
            return CorpusFile(f"hub:{label}:{source.split}@{revision or 'main'}", "", None, source.license, index)
        else:
            try:
                revision = resources.resolve(name, revision, "dataset", f"corpus.{index}.revision")
            except hub.HubProblem as problem:
                findings.add("E546", f"corpus.{index}.dataset", problem.message, problem.help)
                revision = "main"
    place = f"hub:{label}:{source.split}@{revision}"
    return CorpusFile(place, digest(["hub", label, source.split, revision]), None, source.license, index)
