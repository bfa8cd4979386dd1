"""Sources into passages: JSONL, Parquet, plain text, Markdown, and data sets of the Hugging Face hub by streaming.

Reads the files a spec's ``corpus`` names, in the spec's order, globs sorted, each file once; writes nothing. A row's
own ``id``, ``title``, ``source`` and ``license`` are kept where it has them. Passage ids depend on paths as the spec
wrote them, never on the folder it lies in. What cannot be read is one ``SdrlError`` with file and line; no row is
skipped in silence.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sdrl.compiler.rows import stars_meant
from sdrl.corpus.passage import Passage
from sdrl.corpus.split import split_markdown, split_plain, split_text
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.model import Source

PASSAGE_WORDS = 350
Rows = Iterator[tuple[str, Mapping[str, Any]]]  # (where it stands, the row)


def read_passages(
    sources: Sequence[Source], base_dir: Path | str, *, passage_words: int = PASSAGE_WORDS
) -> Iterator[Passage]:
    """All passages of ``sources`` in a fixed order, none longer than ``passage_words`` words.

    Raises SdrlError: E820 no such file, E821 a line or row that is no passage, E822 nothing but blank texts,
    E823 a hub data set that cannot be read, E825 a library that is not installed.
    """
    base = Path(base_dir)
    taken: set[str] = set()
    is_empty = True
    for passage in _all_sources(sources, base, passage_words):
        is_empty = False
        yield _with_own_id(passage, taken)
    if is_empty:
        raise SdrlError(
            "E822",
            "the corpus holds no passage",
            help="name files with at least one non-blank text under 'corpus', or leave 'corpus' out",
        )


def _all_sources(sources: Sequence[Source], base: Path, passage_words: int) -> Iterator[Passage]:
    seen: set[Path] = set()
    for source in sources:
        if source.dataset is not None:
            yield from _from_rows(_hub_rows(source, base), source, source.dataset, passage_words)
            continue
        for name, path in _matches(source.files or (), base):
            if path.resolve() in seen:
                continue
            seen.add(path.resolve())
            yield from _from_file(path, name, source, passage_words)


def _with_own_id(passage: Passage, taken: set[str]) -> Passage:
    """Give a repeated id a suffix, so that an id names one passage of the corpus."""
    unique, n = passage.id, 1
    while unique in taken:
        n += 1
        unique = f"{passage.id}~{n}"
    taken.add(unique)
    if unique == passage.id:
        return passage
    return Passage(unique, passage.text, passage.title, passage.source, passage.license)


def _matches(patterns: Sequence[str], base: Path) -> Iterator[tuple[str, Path]]:
    """``(name as the spec would write it, path)`` of each file; a pattern that matches nothing is an error."""
    for pattern in patterns:
        if meant := stars_meant(pattern):
            raise SdrlError("E820", f"'{pattern}' is no pattern: '**' stands between slashes", help=f"write '{meant}'")
        root, relative = (Path("/"), pattern.lstrip("/")) if Path(pattern).is_absolute() else (base, pattern)
        exact = root / relative
        matches = [exact] if exact.is_file() or not relative else root.glob(relative)
        found = sorted(path for path in matches if path.is_file())
        if not found:
            raise SdrlError(
                "E820",
                f"no file matches '{pattern}' (looked in {base})",
                help="check the name; paths in a spec are relative to the spec's own folder",
            )
        for path in found:
            yield (path.as_posix() if root != base else _relative(path, base)), path


def _relative(path: Path, base: Path) -> str:
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else path.as_posix()


def _from_file(path: Path, name: str, source: Source, passage_words: int) -> Iterator[Passage]:
    suffix = path.suffix.lower()
    if suffix in (".txt", ".text"):
        for n, piece in enumerate(split_plain(_read_text(path, name), passage_words), start=1):
            yield Passage(f"{name}:{n}", piece, path.stem, name, source.license or "")
    elif suffix in (".md", ".markdown"):
        for n, (title, piece) in enumerate(split_markdown(_read_text(path, name), passage_words), start=1):
            yield Passage(f"{name}:{n}", piece, title or path.stem, name, source.license or "")
    elif suffix in _ROW_READERS:
        yield from _from_rows(_ROW_READERS[suffix](path, name, source), source, name, passage_words)
    else:
        raise SdrlError(
            "E821",
            f"{name}: cannot read passages from a '{path.suffix}' file",
            help="use .jsonl, .parquet, .txt or .md",
        )


def _from_rows(rows: Rows, source: Source, name: str, passage_words: int) -> Iterator[Passage]:
    for where, row in rows:
        text = _text_of(row, source.text, where)
        pieces = split_text(text, passage_words)
        id_ = str(row["id"]) if row.get("id") not in (None, "") else where
        for n, piece in enumerate(pieces, start=1):
            yield Passage(
                id=id_ if len(pieces) == 1 else f"{id_}#{n}",
                text=piece,
                title=_words(row.get(source.title)) if source.title else "",
                source=_words(row.get("source")) or name,
                license=_words(row.get("license")) or source.license or "",
            )


def _words(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _text_of(row: Mapping[str, Any], field: str, where: str) -> str:
    if field not in row:
        named = ", ".join(sorted(map(str, row))) or "none"
        raise SdrlError(
            "E821",
            f"{where}: no field '{field}' (fields: {named})",
            help="name the field that holds the text: 'text: …' in a spec, --text for sdrl index",
        )
    value = row[field]
    if value is None:
        return ""
    if not isinstance(value, str):
        raise SdrlError("E821", f"{where}: field '{field}' is {type(value).__name__}, not a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise SdrlError("E821", f"{where}: field '{field}' holds half a surrogate pair, which is no text") from None
    return value


def _read_text(path: Path, name: str) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SdrlError("E821", f"{name}:{line}: not UTF-8 ({error.reason})", help="save the file as UTF-8") from None


def _jsonl_rows(path: Path, name: str, source: Source) -> Rows:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            where = f"{name}:{number}"
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except UnicodeDecodeError as error:
                raise SdrlError("E821", f"{where}: not UTF-8 ({error.reason})", help="save the file as UTF-8") from None
            except (json.JSONDecodeError, RecursionError) as error:
                reason = (
                    f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else "too deep"
                )
                raise SdrlError("E821", f"{where}: not JSON: {reason}", help="write one JSON object a line") from None
            if not isinstance(row, dict):
                raise SdrlError("E821", f"{where}: a {type(row).__name__}, not a JSON object")
            yield where, row


def _parquet_rows(path: Path, name: str, source: Source) -> Rows:
    try:
        import pyarrow  # 60 ms
        import pyarrow.parquet
    except ImportError:
        raise _missing("pyarrow", "Parquet files", "run") from None
    try:
        file = pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise SdrlError("E821", f"{name}: not a Parquet file ({str(error).splitlines()[0]})") from None
    with file:
        present = file.schema_arrow.names
        if source.text not in present:
            raise SdrlError(
                "E821",
                f"{name}: no column '{source.text}' (columns: {', '.join(present)})",
                help="name the column that holds the text: 'text: …' in a spec, --text for sdrl index",
            )
        wanted = dict.fromkeys(("id", source.title, "source", "license", source.text))
        columns = [field for field in wanted if field in present]
        number = 0
        for batch in file.iter_batches(batch_size=1024, columns=columns):
            for row in batch.to_pylist():
                number += 1
                yield f"{name}:{number}", row


_ROW_READERS: dict[str, Callable[[Path, str, Source], Rows]] = {
    ".jsonl": _jsonl_rows,
    ".ndjson": _jsonl_rows,
    ".parquet": _parquet_rows,
}


def _hub_rows(source: Source, base: Path) -> Rows:
    from sdrl.corpus.hub import stream_rows

    return stream_rows(source, base)


def _missing(library: str, what: str, extra: str) -> SdrlError:
    return SdrlError("E825", f"{what} need the library {library}", help=f"pip install 'sdrl[{extra}]'")
