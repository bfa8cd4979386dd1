"""Finds the answer slot in a completion: marker, tag, boxed, regex, json field, last number or the whole.

Works on text whose thought is blanked already, so that positions are those of the completion. Every search is linear in
the length of the text, which ``verifier.py`` bounds. The one limit in seconds, a pattern's, is of processor time: a
busy machine, or one that stands still for a while, must not change a verdict.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any, Final, NamedTuple

from sdrl.verifier.literal import read_json_at, slot_text
from sdrl.verifier.program import Extract, ProgramError

MIN_HASHES: Final = 4
NUMBER_WINDOWS: Final = (100, 5_000)
REGEX_S: Final = 0.4  # of this thread's processor time
MATCHES_PER_LOOK: Final = 16  # that clock is no cheap one
MAX_JSON: Final = 262_144
MAX_JSON_TRIES: Final = 500


class Slot(NamedTuple):
    """One slot. ``text`` is what is read; None stands for ``completion[start:end]``, stripped: slots that nest are cut
    out only when taken, or a thousand nested boxes would cost a thousand copies of the completion."""

    start: int
    end: int
    text: str | None


Finder = Callable[[str], list[Slot]]


def compile_extract(extract: Extract, take: str) -> Finder:
    """The finder of a program: all slots in order of their start (``take: last`` may find the last one only)."""
    last = take == "last"
    if extract.kind == "marker":
        return _marker(extract.marker, last)
    if extract.kind == "tag":
        return _tag(extract.name)
    if extract.kind == "boxed":
        return _boxed
    if extract.kind == "regex":
        return _regex(extract.pattern, extract.group)
    if extract.kind == "json":
        return _json(extract.field)
    if extract.kind == "last_number":
        return _last_number if last else _every_number
    return _whole


def _slot(text: str, start: int, end: int) -> Slot:
    return Slot(start, end, text[start:end].strip())


def _whole(text: str) -> list[Slot]:
    inner = text.strip()
    start = text.find(inner) if inner else 0
    return [Slot(start, start + len(inner), inner)]


def _marker(marker: str, last: bool) -> Finder:
    hashes = set(marker.strip()) == {"#"}
    if hashes:
        # `##### 18` answers a marker of four hashes and `#### 18` one of five: a run of hashes is one marker.
        pattern = re.compile(f"#{{{min(MIN_HASHES, len(marker.strip()))},}}")
    else:
        pattern = re.compile(re.escape(marker.strip()))

    def every(text: str) -> list[Slot]:
        slots: list[Slot] = []
        line_end, behind = -1, -1
        for match in pattern.finditer(text):
            if behind >= 0:
                _add(slots, text, behind, min(line_end, match.start()))
            behind = match.end()
            if line_end < behind:
                line_end = text.find("\n", behind)
                line_end = len(text) if line_end < 0 else line_end
        if behind >= 0:
            _add(slots, text, behind, line_end)
        return slots

    def final(text: str) -> list[Slot]:
        at = text.rfind(marker)
        if at < 0:
            return every(text) if hashes else []
        behind = at + len(marker)
        end = text.find("\n", behind)
        inner = text[behind : end if end >= 0 else len(text)].strip()
        if not inner or "#" in inner:
            return every(text)
        return [Slot(behind, end if end >= 0 else len(text), inner)]

    marker = marker.strip() or marker
    return final if last else every


def _add(slots: list[Slot], text: str, start: int, end: int) -> None:
    slot = _slot(text, start, end)
    if slot.text:  # `#### 18 ####`: a marker with nothing behind it is decoration
        slots.append(slot)


def _tag(name: str) -> Finder:
    pattern = re.compile(rf"<(/?){re.escape(name)}\s*>", re.IGNORECASE)

    def find(text: str) -> list[Slot]:
        slots: list[Slot] = []
        start = -1
        for match in pattern.finditer(text):
            if not match.group(1):
                start = match.end()
            elif start >= 0:
                slots.append(_slot(text, start, match.start()))
                start = -1
        return slots

    return find


_BOX_TOKEN: Final = re.compile(r"\\+(?:boxed|fbox)\s*\{|\\.|[{}]", re.DOTALL)


def _boxed(text: str) -> list[Slot]:
    if "box" not in text:
        return []
    slots: list[Slot] = []
    open_braces: list[int] = []
    for match in _BOX_TOKEN.finditer(text):
        token = match.group()
        if token == "}":
            if open_braces and (start := open_braces.pop()) >= 0:
                slots.append(Slot(start, match.start(), None))
        elif token == "{":
            open_braces.append(-1)
        elif len(token) > 2:
            open_braces.append(match.end())
    return sorted(slots, key=itemgetter(0))


def _regex(pattern: str, group: int | str) -> Finder:
    import re2  # linear time; loaded only by programs that use it

    plain, across = re2.Options(), re2.Options()
    for options in (plain, across):
        options.log_errors = False
        options.max_mem = 16 << 20
    across.dot_nl = True
    try:
        compiled = re2.compile("(?m)" + pattern, plain)
        across_lines = re2.compile("(?m)" + pattern, across)
    except re2.error as error:
        said = error.args[0] if error.args else error
        reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise ProgramError(f"extract.pattern: {reason.replace('(?m)', '')}") from None
    index = compiled.groupindex.get(group, -1) if isinstance(group, str) else group
    if index == 1 and not compiled.groups:
        index = 0  # a pattern without groups: the whole match
    if not 0 <= index <= compiled.groups:
        raise ProgramError(f"extract.group: the pattern has no group {group!r}")

    def matches(engine: Any, text: str, ends: float) -> Iterator[Slot]:
        for count, match in enumerate(engine.finditer(text), 1):
            # One match is linear in the text; many matches that each look far ahead are not.
            if count % MATCHES_PER_LOOK == 0 and time.thread_time() > ends:
                raise TimeoutError("the pattern ran past its deadline")
            start, end = match.span(index)
            if start >= 0:
                yield _slot(text, start, end)

    def find(text: str) -> list[Slot]:
        ends = time.thread_time() + REGEX_S
        if not text.isascii():
            text = text.encode("utf-8", "replace").decode("utf-8")  # lone surrogates are no UTF-8; same length
        slots = list(matches(compiled, text, ends))
        # A `.` crosses lines only where that finds a later slot (an answer spread over lines inside a tag).
        wider = [slot for slot in matches(across_lines, text, ends) if not slots or slot.start > slots[-1].start]
        return slots + wider

    return find


def _json(field: str) -> Finder:
    path = field.split(".") if field else []

    def find(text: str) -> list[Slot]:
        slots: list[Slot] = []
        at, tries = text.find("{", max(0, len(text) - MAX_JSON)), 0
        while at >= 0 and tries < MAX_JSON_TRIES:
            try:
                value, end = read_json_at(text, at)
            except (ValueError, RecursionError):
                tries += 1
                at = text.find("{", at + 1)
                continue
            if not path:
                slots.append(Slot(at, end, text[at:end]))
            elif (inner := _field_text(value, path)) is not None:
                slots.append(Slot(at, end, inner))
            at = text.find("{", end)
        return slots

    return find


def _field_text(value: Any, path: list[str]) -> str | None:
    """The field as slot text; None when it is not there (a null field is an empty slot)."""
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    return slot_text(value)


_NUMBER_TOKEN: Final = re.compile(
    r"(?<![\w.,^])[+\-−]?(?:[$€£¥₹][+\-−]?)?(?:[0-9]++(?:,[0-9]++)*+(?:\.[0-9]++)*+|\.[0-9]++)"
    r"(?:[eE][+-]?[0-9]++|/[0-9]++)?+(?:\^\{?-?[0-9]++\}?)?%?",
    re.ASCII,
)


def _every_number(text: str) -> list[Slot]:
    return [_slot(text, match.start(), match.end()) for match in _NUMBER_TOKEN.finditer(text)]


def _last_number(text: str) -> list[Slot]:
    last = _last_in(text, len(text), NUMBER_WINDOWS[0])  # most completions end with their number
    if last is None:
        end = max(text.rfind(digit) for digit in "0123456789") + 1
        last = _last_in(text, min(end + 2, len(text)), NUMBER_WINDOWS[1]) if end else None
    return [last] if last else []


def _last_in(text: str, end: int, size: int) -> Slot | None:
    """The last number of the ``size`` characters before ``end``, if it surely begins within them."""
    start = max(0, end - size)
    last = None
    for match in _NUMBER_TOKEN.finditer(text[start:end]):
        last = match
    if last is None or (last.start() == 0 and start > 0):
        return None
    return Slot(start + last.start(), start + last.end(), last.group())
