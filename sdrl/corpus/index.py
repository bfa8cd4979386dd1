"""Passages into a Tantivy index whose folder name says exactly what is in it.

The address is the sha256 of the canonical schema, the tokenizer, Tantivy's version, the writer's heap and the passages'
bytes; equal passages find the index already there and reuse it. Tantivy writes segment ids at random, so the folder's
own bytes are never hashed. One writer thread: two threads break ties between equal scores differently from run to run.
An index is written beside its place and renamed into it: a folder that exists is whole. Its description holds a
checksum of each file, since one flipped bit can change what is found without a word: a damaged one is built again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sdrl.corpus.passage import Passage
from sdrl.spec.diagnostics import SdrlError

HEAP_BYTES = 128_000_000
TOKENIZER = "en_stem"
# (field, tokenizer, what is indexed), all stored; canonical: the order is part of the address. Phrases need positions.
SCHEMA: tuple[tuple[str, str, str], ...] = (
    ("id", "raw", "basic"),
    ("title", TOKENIZER, "position"),
    ("text", TOKENIZER, "position"),
    ("source", "raw", "basic"),
    ("license", "raw", "basic"),
)
INFO_FILE = "sdrl-index.json"
INFO_SCHEMA = 1
_SPOOL_BYTES = 32_000_000  # held in memory before the spool goes to disk


@dataclass(frozen=True)
class IndexInfo:
    """What an index holds. ``reused``: it was already there. Counts are passages by source and by licence."""

    path: Path
    address: str
    passages: int
    sources: dict[str, int]
    licenses: dict[str, int]
    reused: bool


def build_index(passages: Iterable[Passage], store_dir: Path | str) -> IndexInfo:
    """Index ``passages`` under ``STORE/indexes/<address>``, or find them indexed there already.

    Raises SdrlError: E822 no passage, E825 Tantivy not installed; and what reading the passages raises.
    """
    indexes = Path(store_dir) / "indexes"
    with _Spool(passages) as spool:
        return _publish(spool, indexes / spool.address)


def write_index(passages: Iterable[Passage], folder: Path | str) -> IndexInfo:
    """Index ``passages`` into ``folder`` itself, replacing an index of ours; anything else there is an error (E824)."""
    target = Path(folder)
    if target.exists() and not (target / INFO_FILE).is_file() and (not target.is_dir() or any(target.iterdir())):
        raise SdrlError("E824", f"{target} exists and is no passage index", help="choose another folder with -o")
    with _Spool(passages) as spool:
        return _publish(spool, target)


def read_info(folder: Path) -> IndexInfo:
    """Read an index's description. Raises SdrlError E824 when ``folder`` holds no index of this version."""
    try:
        info: dict[str, Any] = json.loads((folder / INFO_FILE).read_bytes())
        if info["schema"] != INFO_SCHEMA:
            raise ValueError(f"schema {info['schema']}")
        return IndexInfo(folder, info["address"], info["passages"], info["sources"], info["licenses"], reused=True)
    except (OSError, ValueError, KeyError, TypeError):
        raise SdrlError(
            "E824", f"{folder} is no passage index", help="build one with: sdrl index FILES… -o DIR"
        ) from None


def is_whole(folder: Path) -> bool:
    """Whether every file of the index is as it was written, by its length and checksum (1 GB takes about a second)."""
    try:
        files: dict[str, list[int]] = json.loads((folder / INFO_FILE).read_bytes()).get("files", {})
        return all(_sum(folder / Path(name).name) == kept for name, kept in files.items())
    except (OSError, ValueError, AttributeError):
        return False


def load_tantivy() -> Any:
    """The Tantivy module. Raises SdrlError E825 when it is not installed."""
    try:
        import tantivy
    except ImportError:
        raise SdrlError("E825", "passage search needs the library tantivy", help="pip install 'sdrl[run]'") from None
    return tantivy


class _Spool:
    """The passages on their way: hashed and counted while they are read, kept for the writer (on disk when large)."""

    def __init__(self, passages: Iterable[Passage]) -> None:
        tantivy = load_tantivy()
        self.file: IO[bytes] = tempfile.SpooledTemporaryFile(_SPOOL_BYTES)
        self.passages = 0
        self.sources: Counter[str] = Counter()
        self.licenses: Counter[str] = Counter()
        recipe = [list(field) for field in SCHEMA], TOKENIZER, tantivy.__version__, HEAP_BYTES
        digest = hashlib.sha256(json.dumps(recipe, separators=(",", ":")).encode())
        try:
            for passage in passages:
                line = passage.to_line()
                digest.update(line)
                self.file.write(line)
                self.passages += 1
                self.sources[passage.source] += 1
                self.licenses[passage.license] += 1
        except BaseException:
            self.file.close()
            raise
        self.address = digest.hexdigest()

    def __enter__(self) -> _Spool:
        if not self.passages:
            self.file.close()
            raise SdrlError("E822", "there is no passage to index", help="name files that hold text")
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


def _publish(spool: _Spool, target: Path) -> IndexInfo:
    if (target / INFO_FILE).is_file():
        there = _info_or_none(target)
        if there is not None and there.address == spool.address and is_whole(target):
            return there
    target.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{target.name[:16]}.", dir=target.parent))
    try:
        with _disk_errors(building):
            _write(spool, building)
        made = IndexInfo(target, spool.address, spool.passages, dict(spool.sources), dict(spool.licenses), reused=False)
        _write_info(made, building)
        building.chmod(0o755)  # mkdtemp makes it private
        _move(building, target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return made


def _write_info(info: IndexInfo, folder: Path) -> None:
    text = {"schema": INFO_SCHEMA, "address": info.address, "passages": info.passages}
    counts: dict[str, Any] = {
        "sources": dict(sorted(info.sources.items())),
        "licenses": dict(sorted(info.licenses.items())),
    }
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    counts["files"] = {name: _sum(folder / name) for name in names}
    (folder / INFO_FILE).write_text(json.dumps(text | counts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _sum(path: Path) -> list[int]:
    """Bytes and CRC-32."""
    total = size = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            total, size = zlib.crc32(block, total), size + len(block)
    return [size, total]


def _info_or_none(target: Path) -> IndexInfo | None:
    try:
        return read_info(target)
    except SdrlError:
        return None


def _move(building: Path, target: Path) -> None:
    """Rename into place; an older index steps aside first, and whoever else built the same one meanwhile has won."""
    try:
        os.replace(building, target)
    except OSError:
        aside = building.with_name(building.name + ".old")
        os.replace(target, aside)
        os.replace(building, target)
        shutil.rmtree(aside, ignore_errors=True)


@contextlib.contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    """Tantivy's writer says a full or failing disk as ValueError: raise it as the OSError it is."""
    try:
        yield
    except ValueError as error:
        if not re.search(r"(?i)io error|io::error|os error", str(error)):
            raise
        number = re.search(r"os error (\d+)", str(error))
        code = int(number[1]) if number else errno.EIO
        raise OSError(code, os.strerror(code), str(folder)) from error


def _write(spool: _Spool, folder: Path) -> None:
    tantivy = load_tantivy()
    builder = tantivy.SchemaBuilder()
    for name, tokenizer, indexed in SCHEMA:
        builder.add_text_field(name, stored=True, tokenizer_name=tokenizer, index_option=indexed)
    index = tantivy.Index(builder.build(), path=str(folder))
    writer = index.writer(heap_size=HEAP_BYTES, num_threads=1)
    spool.file.seek(0)
    for line in spool.file:
        passage = Passage.from_line(line)
        writer.add_document(
            tantivy.Document(
                id=passage.id,
                title=passage.title,
                text=passage.text,
                source=passage.source,
                license=passage.license,
            )
        )
    writer.commit()
    writer.wait_merging_threads()
