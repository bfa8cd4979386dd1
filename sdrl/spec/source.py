"""From a path to the text of a spec, refusing what no spec is: one diagnostic instead of an exception.

Reads at most one byte more than the limit, and only regular files (a FIFO or a device would block or never end).
"""

from __future__ import annotations

import errno
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from sdrl.spec.diagnostics import Diagnostic

MOST_BYTES = 1_000_000
LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line for the YAML parser, whose positions are those of every diagnostic."""
SUFFIXES = (".yaml", ".yml")
_SPEC = re.compile(r"""^[ {]{0,8}["']?sdrl["']?[ ]{0,8}:""", re.M)
_TASK, _ANSWER = (re.compile(rf"""^["']?{key}["']?[ ]{{0,8}}:""", re.M) for key in ("task", "answer"))
_BOM = b"\xef\xbb\xbf"
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_REASONS = {
    errno.ENOENT: ("there is no such file", "check the path; 'sdrl init' lists examples to start from"),
    errno.EACCES: ("this file must not be read", "check its permissions"),
    errno.ELOOP: ("symbolic links that lead in a circle", "point the link at the file itself"),
    errno.ENAMETOOLONG: ("the path is too long", "check the path"),
    errno.ENOTDIR: ("there is no such file", "a part of the path is a file, not a folder"),
}


@dataclass(frozen=True)
class SourceText:
    """Text of a spec without its byte order mark, or the diagnostic that says why there is none."""

    text: str | None
    problem: Diagnostic | None = None


def lines_of(text: str) -> list[str]:
    """The lines of a text without their ends, as the parser counts them."""
    return LINE_BREAK.split(text)


def place_of(text: str, index: int) -> tuple[int, int]:
    """Line and column, from 1, of a character."""
    line, start = 1, 0
    for found in LINE_BREAK.finditer(text, 0, index):
        line, start = line + 1, found.end()
    return line, index - start + 1


def is_other_yaml(path: str) -> bool:
    """Whether a readable YAML file is something else than a spec: no key ``sdrl``, nor both ``task`` and ``answer``."""
    text = read_source(Path(path)).text
    if text is None:
        return False
    return not (_SPEC.search(text) or (_TASK.search(text) and _ANSWER.search(text)))


def read_source(path: Path) -> SourceText:
    """Read a spec's text; never raises for anything a file can be."""
    name = str(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        number = error.errno if isinstance(error, OSError) else None
        message, help_ = _REASONS.get(number or 0, (f"cannot be read: {error}", "check the path"))
        if number == errno.ENOENT and (near := _near(path)):
            help_ = f"did you mean {near}?"
        return SourceText(None, Diagnostic("E101", message, file=name, help=help_))
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            folder = stat.S_ISDIR(mode)
            message = "a folder, not a spec" if folder else "not a regular file"
            help_ = f"name a file in {name}" if folder else "save the spec as a file"
            if folder and (path / "plan.json").is_file():
                message, help_ = "a plan, not a spec", f"run it: sdrl run {name}; or name the spec it was made from"
            return SourceText(None, Diagnostic("E101", message, file=name, help=help_))
        data = _read(descriptor)
    except OSError as error:
        return SourceText(None, Diagnostic("E101", f"cannot be read: {error.strerror}", file=name))
    finally:
        os.close(descriptor)
    return decode(data, name)


def _near(path: Path) -> str:
    """A spec that was probably meant: with its suffix, of this name in the working folder, or of a name like it."""
    from difflib import get_close_matches

    with_suffix = next((f"{path}{suffix}" for suffix in SUFFIXES if Path(f"{path}{suffix}").is_file()), "")
    if with_suffix or (path.parent != Path() and Path(path.name).is_file()):
        return with_suffix or path.name
    try:
        there = [entry.name for entry in path.parent.iterdir() if entry.suffix in SUFFIXES]
    except OSError:
        return ""
    found = get_close_matches(path.name, there, n=1, cutoff=0.75)
    return str(path.parent / found[0]) if found else ""


def _read(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        return file.read(MOST_BYTES + 1)


def decode(data: bytes, name: str) -> SourceText:
    """Bytes to text: size, UTF-8, control characters; a byte order mark is dropped."""
    if len(data) > MOST_BYTES:
        help_ = "keep data in files of its own and name them in the spec"
        return SourceText(None, Diagnostic("E102", f"larger than {MOST_BYTES:,} bytes", file=name, help=help_))
    data = data.removeprefix(_BOM)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        return SourceText(None, _not_utf8(data, error, name))
    return check_text(text, name)


def check_text(text: str, name: str) -> SourceText:
    """Refuse characters that YAML does not allow, naming the first one's place."""
    text = text.removeprefix("\ufeff")
    hit = _FORBIDDEN.search(text)
    if hit is None:
        return SourceText(text)
    character, index = hit.group(), hit.start()
    found = f"U+{ord(character):04X}"
    line, column = place_of(text, index)
    problem = Diagnostic(
        "E104",
        "a NUL character" if character == "\0" else f"the control character {found}",
        file=name,
        line=line,
        column=column,
        found=found,
        help="delete the character",
    )
    return SourceText(None, problem)


def _not_utf8(data: bytes, error: UnicodeDecodeError, name: str) -> Diagnostic:
    before = data[: error.start].decode()  # up to here it is UTF-8
    line, column = place_of(before, len(before))
    return Diagnostic(
        "E103",
        f"the byte 0x{data[error.start]:02x} is not UTF-8",
        file=name,
        line=line,
        column=column,
        found=f"0x{data[error.start]:02x}",
        help="save the file as UTF-8",
    )
