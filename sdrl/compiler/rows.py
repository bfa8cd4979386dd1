"""Rows of local files (JSONL, JSON, CSV, Parquet) and the field templates that make texts of them.

Reads files; writes nothing. Field templates know one thing, ``{field}``: data that contains braces comes through
unchanged and is never read as a template again.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
ROW_SUFFIXES = (".jsonl", ".json", ".csv", ".parquet")
_FIELD = re.compile(r"\{\{|\}\}|\{([^{}\n]+)\}")


class RowProblem(ValueError):
    """A file or row that cannot be used; ``line`` is the row's line or number, from 1."""

    def __init__(self, message: str, line: int | None = None, help: str | None = None) -> None:  # noqa: A002
        super().__init__(message)
        self.message = message
        self.line = line
        self.help = help
        self.key = ""  # of the table in the spec that it concerns, where the reader knows


def expand(patterns: list[str], base_dir: Path) -> list[Path]:
    """Files that the paths and globs name, sorted within each pattern, without repetition.

    Raises:
        RowProblem: a pattern matches nothing.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        if meant := stars_meant(pattern):
            raise RowProblem(f"'{pattern}' is no pattern: '**' stands between slashes", help=f"write '{meant}'")
        matches = [path for path in _matches(pattern, base_dir) if path.is_file()]
        if not matches:
            is_glob = any(sign in pattern for sign in "*?[")
            said = "matches no file" if is_glob else "does not exist"
            raise RowProblem(f"'{pattern}' {said}", help=_absent(pattern, base_dir))
        found.update(dict.fromkeys(matches))
    return list(found)


def stars_meant(pattern: str) -> str | None:
    """The pattern that was meant by one with ``**`` beside other characters, which no glob takes; None for others."""
    parts = Path(pattern).parts
    meant = ["**/" + part.replace("**", "*") if "**" in part and part != "**" else part for part in parts]
    return None if meant == list(parts) else str(Path(*meant))


def _absent(pattern: str, base_dir: Path) -> str:
    """Where the file may be: under a name like it, or on the hub."""
    path, found = Path(pattern), Path()
    for part in path.parts if not path.is_absolute() else ():
        if any(sign in part for sign in "*?[") or (base_dir / found / part).exists():
            found /= part
            continue
        folder = base_dir / found
        names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        rest = path.parts[len(found.parts) + 1 :]
        meant = [str(found.joinpath(near, *rest)) for near in difflib.get_close_matches(part, names)]
        there = next((name for name in meant if any(each.is_file() for each in _matches(name, base_dir))), None)
        if there:
            return f"did you mean '{there}'?"
        break
    if len(path.parts) == 2 and not path.suffix and not path.is_absolute():
        return f"a data set of the hub is named with dataset: {pattern}; files start at {base_dir.resolve()}"
    return f"paths start at the spec's folder, {base_dir.resolve()}"


def _matches(pattern: str, base_dir: Path) -> list[Path]:
    path = Path(pattern)
    if not any(sign in pattern for sign in "*?["):
        return [base_dir / path]
    if path.is_absolute():
        return sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    return sorted(base_dir.glob(pattern))


def relative_name(path: Path, base_dir: Path) -> str:
    """``path`` as a plan names it: relative to the spec's folder with forward slashes where it lies below or near."""
    try:
        return path.relative_to(base_dir).as_posix()
    except ValueError:
        return path.as_posix()


def digest_file(path: Path) -> tuple[str, int | None]:
    """Sha256 of a file and, for JSON Lines, its number of non-empty lines; in constant memory."""
    counts = path.suffix == ".jsonl"
    rows, open_line = 0, False
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            if counts:
                lines = chunk.split(b"\n")
                rows += sum(1 for line in lines[1:-1] if line.strip())
                open_line = open_line or bool(lines[0].strip())
                if len(lines) > 1:
                    rows += open_line
                    open_line = bool(lines[-1].strip())
    return digest.hexdigest(), rows + open_line if counts else None


def read_rows(path: Path, limit: int | None = None) -> Iterator[tuple[int, Row]]:
    """Rows of one file with their line (JSONL) or number (other formats), from 1; at most ``limit``.

    Raises:
        RowProblem: the format is unknown, a row is no object, or a library is missing.
    """
    readers = {".jsonl": _read_jsonl, ".json": _read_json, ".csv": _read_csv, ".parquet": _read_parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(ROW_SUFFIXES)
        raise RowProblem(f"'{path.name}' is no file of rows", help=f"rows are read from {known}")
    for count, item in enumerate(reader(path)):
        if limit is not None and count >= limit:
            return
        yield item


def _read_jsonl(path: Path) -> Iterator[tuple[int, Row]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                if number == 1 and line.lstrip().startswith(b"["):
                    raise RowProblem("a JSON list, not one object a line", 1, f"name it {path.stem}.json")
                yield number, _object(_parse(line, number), number)


def _read_json(path: Path) -> Iterator[tuple[int, Row]]:
    loaded = _parse(path.read_bytes(), None)
    if not isinstance(loaded, list):
        raise RowProblem(
            "the file holds no JSON list", help="write one list of objects, or JSON Lines in a .jsonl file"
        )
    for number, row in enumerate(loaded, start=1):
        yield number, _object(row, number)


def _parse(content: bytes, line: int | None) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"))
    except RecursionError:
        raise RowProblem("the row is nested too deeply", line) from None
    except ValueError as error:  # bad JSON or bad UTF-8
        raise RowProblem(f"the row is no valid JSON: {error}", line) from None


def _object(value: Any, line: int) -> Row:
    if not isinstance(value, dict):
        raise RowProblem(f"the row is {type(value).__name__}, not an object", line)
    return value


def _read_csv(path: Path) -> Iterator[tuple[int, Row]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RowProblem(f"the file is no UTF-8: {error}") from None
    for number, row in enumerate(csv.DictReader(io.StringIO(text, newline="")), start=1):
        yield number, {key: value for key, value in row.items() if key is not None}


def _read_parquet(path: Path) -> Iterator[tuple[int, Row]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise RowProblem("reading Parquet needs pyarrow", help="pip install 'sdrl[run]', or convert to JSONL") from None
    try:
        number = 0
        for batch in parquet.ParquetFile(path).iter_batches():
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (ArrowException, OSError) as error:
        raise RowProblem(f"'{path.name}' cannot be read as Parquet: {error}") from None


def fields_of(template: str) -> list[str]:
    """The fields that a field template names, in order."""
    return [match[1] for match in _FIELD.finditer(template) if match[1] is not None]


def fill(template: str, row: Row) -> str:
    """``template`` with each ``{field}`` replaced by the row's text; ``{{`` and ``}}`` stand for single braces.

    Raises:
        RowProblem: the row has no such field.
    """
    return _FIELD.sub(
        lambda match: match[0][0] if match[1] is None else text_of(look_up(row, match[1])),
        template,
    )


def look_up(row: Row, field: str) -> Any:
    """The value of a field; ``a.b`` and ``a.0`` reach into objects and lists where no field has that whole name.

    Raises:
        RowProblem: there is none.
    """
    if field in row:
        return row[field]
    value: Any = row
    for key in field.split("."):
        if isinstance(value, Mapping) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            raise RowProblem(f"the row has no field '{field}'", help=_fields_there(field, row))
    return value


def _fields_there(field: str, row: Row) -> str:
    names = [str(name) for name in row]
    near = difflib.get_close_matches(field, names, n=1)
    return f"did you mean '{near[0]}'?" if near else f"it has {', '.join(names) or 'none'}"


def text_of(value: Any) -> str:
    """A field's value as text: texts as they are, null as the empty text, everything else as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, default=str)
