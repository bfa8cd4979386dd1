"""Reads and checks the data program (``verifier.json``) into frozen dataclasses.

Reads: a mapping of plain JSON values. Raises ProgramError naming the key that is wrong. Does not compile patterns and
opens no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

VERSION: Final = 1
TYPES: Final = ("number", "math", "choice", "boolean", "label", "text", "set", "json", "program")
TAKES: Final = ("last", "first", "only")
# kind -> {argument: required}
EXTRACTORS: Final[dict[str, dict[str, bool]]] = {
    "marker": {"marker": True},
    "tag": {"name": True},
    "boxed": {},
    "regex": {"pattern": True, "group": False},
    "json": {"field": False},
    "last_number": {},
    "whole": {},
}
KEYS: Final = frozenset(
    (
        "version", "type", "extract", "take", "tolerance", "options", "ignore_case", "separator", "schema", "fields",
        "entry_point",
    )
)  # fmt: skip
MAX_TOLERANCE_DIGITS: Final = 40


class ProgramError(ValueError):
    """A verifier program that cannot be used; the message names the key."""


@dataclass(frozen=True, slots=True)
class Extract:
    """Where the answer slot is. Only the arguments of ``kind`` are set."""

    kind: str
    marker: str = ""
    name: str = ""
    pattern: str = ""
    group: int | str = 1
    field: str = ""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Two numbers are the same when they differ by at most ``max(abs, rel * max(|a|, |b|))``."""

    abs: Decimal = Decimal("1e-6")
    rel: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Program:
    """A checked program. ``options``: (name, accepted forms) in declared order; empty when samples bring their own."""

    type: str
    extract: Extract
    take: str = "last"
    tolerance: Tolerance = field(default_factory=Tolerance)
    options: tuple[tuple[str, tuple[str, ...]], ...] = ()
    ignore_case: bool = True
    separator: str = ","
    schema: Mapping[str, Any] | None = None
    fields: tuple[tuple[str, Program], ...] = ()
    entry_point: str = ""


def read_program(data: Mapping[str, Any]) -> Program:
    """Check ``data`` and return it as a Program. Raises ProgramError."""
    if not isinstance(data, Mapping):
        raise ProgramError(f"the program is no object but {type(data).__name__}")
    if data.get("version", VERSION) != VERSION:
        raise ProgramError(f"version: {data['version']!r} is not known, this is version {VERSION}")
    return _read(data, "", needs_extract=True)


def _read(data: Mapping[str, Any], where: str, *, needs_extract: bool) -> Program:
    unknown = sorted(str(key) for key in data if key not in KEYS)
    if unknown:
        raise ProgramError(f"{where}{unknown[0]}: unknown key, known are {', '.join(sorted(KEYS))}")
    kind = _one_of(data.get("type"), TYPES, f"{where}type")
    program = Program(
        type=kind,
        extract=_extract(data.get("extract"), where) if needs_extract else Extract("whole"),
        take=_one_of(data.get("take") or "last", TAKES, f"{where}take"),
        tolerance=_tolerance(data.get("tolerance"), where),
        options=_options(data.get("options"), kind, where),
        ignore_case=_boolean(data.get("ignore_case"), f"{where}ignore_case", default=True),
        separator=_text(data.get("separator"), f"{where}separator", default=","),
        schema=_mapping(data.get("schema"), f"{where}schema"),
        fields=_fields(data.get("fields"), where),
        entry_point=_text(data.get("entry_point"), f"{where}entry_point", default=""),
    )
    _check_together(program, where)
    return program


def _check_together(program: Program, where: str) -> None:
    if program.type == "label" and not program.options:
        raise ProgramError(f"{where}options: a label needs the list of its words")
    if program.type == "program" and not program.entry_point:
        raise ProgramError(
            f"{where}entry_point: type program needs the name of an installed sdrl.verifiers entry point"
        )
    if program.type != "json" and program.fields:
        raise ProgramError(f"{where}fields: only type json has fields")


def _extract(data: Any, where: str) -> Extract:
    at = f"{where}extract"
    if not isinstance(data, Mapping):
        raise ProgramError(f"{at}: missing or no object")
    kind = _one_of(data.get("kind"), tuple(EXTRACTORS), f"{at}.kind")
    arguments = EXTRACTORS[kind]
    # A null argument means "not given": plans may write every argument in full.
    given = {key: value for key, value in data.items() if key != "kind" and value is not None}
    for key in given:
        if key not in arguments:
            raise ProgramError(f"{at}.{key}: {kind} takes no such argument")
    for key, required in arguments.items():
        if required and not str(given.get(key) or "").strip():
            raise ProgramError(f"{at}.{key}: {kind} needs it")
    group = given.pop("group", 1)
    if isinstance(group, bool) or not isinstance(group, int | str):
        raise ProgramError(f"{at}.group: {group!r} is neither a number nor a name")
    texts = {key: _text(value, f"{at}.{key}", default="") for key, value in given.items()}
    return Extract(kind=kind, group=group, **texts)


def _tolerance(data: Any, where: str) -> Tolerance:
    if data is None:
        return Tolerance()
    if not isinstance(data, Mapping):
        return Tolerance(abs=_decimal(data, f"{where}tolerance"))
    unknown = sorted(set(data) - {"abs", "rel"})
    if unknown:
        raise ProgramError(f"{where}tolerance.{unknown[0]}: unknown key, known are abs and rel")
    default = Tolerance()
    return Tolerance(
        abs=default.abs if data.get("abs") is None else _decimal(data["abs"], f"{where}tolerance.abs"),
        rel=default.rel if data.get("rel") is None else _decimal(data["rel"], f"{where}tolerance.rel"),
    )


def _decimal(value: Any, at: str) -> Decimal:
    # Numbers that matter are decimal strings; a JSON number is read by its shortest text, so 1e-6 stays 1e-6.
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ProgramError(f"{at}: {value!r} is no decimal number")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ProgramError(f"{at}: {value!r} is no decimal number") from None
    if not number.is_finite() or number < 0:
        raise ProgramError(f"{at}: {value!r} must be finite and not negative")
    if len(number.as_tuple().digits) > MAX_TOLERANCE_DIGITS or abs(number.adjusted()) > MAX_TOLERANCE_DIGITS:
        raise ProgramError(f"{at}: {value!r} has more than {MAX_TOLERANCE_DIGITS} digits")
    return number


def _options(data: Any, kind: str, where: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    at = f"{where}options"
    if not data:
        return ()
    if isinstance(data, Mapping):
        pairs = [(str(name), forms) for name, forms in data.items()]
    elif isinstance(data, list | tuple):
        pairs = [(name, ()) for name in data]
    else:
        raise ProgramError(f"{at}: neither a list nor an object")
    read: list[tuple[str, tuple[str, ...]]] = []
    for name, forms in pairs:
        words = (forms,) if isinstance(forms, str) else tuple(forms or ())
        if not isinstance(name, str) or not name.strip() or not all(isinstance(word, str) for word in words):
            raise ProgramError(f"{at}: {name!r} is no text")
        read.append((name, words))
    if len({name for name, _ in read}) != len(read):
        raise ProgramError(f"{at}: an option stands twice")
    if kind == "boolean" and {name for name, _ in read} != {"true", "false"}:
        raise ProgramError(f"{at}: a boolean has exactly the two keys true and false, each with its words")
    return tuple(read)


def _fields(data: Any, where: str) -> tuple[tuple[str, Program], ...]:
    if not data:
        return ()
    if not isinstance(data, Mapping):
        raise ProgramError(f"{where}fields: no object")
    read = []
    for name, inner in data.items():
        at = f"{where}fields.{name}"
        if not isinstance(inner, Mapping):
            raise ProgramError(f"{at}: no object")
        if inner.get("type") in ("json", "program"):
            raise ProgramError(f"{at}.type: a field cannot be {inner['type']}")
        if inner.get("extract") is not None:
            raise ProgramError(f"{at}.extract: a field is its own slot")
        read.append((str(name), _read(inner, f"{at}.", needs_extract=False)))
    return tuple(read)


def _one_of(value: Any, known: tuple[str, ...], at: str) -> str:
    if value not in known:
        raise ProgramError(f"{at}: {value!r} is not one of {', '.join(known)}")
    return str(value)


def _text(value: Any, at: str, *, default: str) -> str:
    if value is None:
        return default
    if not isinstance(value, str) or not value:
        raise ProgramError(f"{at}: {value!r} is no text")
    return value


def _boolean(value: Any, at: str, *, default: bool) -> bool:
    if value is None:
        return default
    if not isinstance(value, bool):
        raise ProgramError(f"{at}: {value!r} is neither true nor false")
    return value


def _mapping(value: Any, at: str) -> Mapping[str, Any] | None:
    if value is not None and not isinstance(value, Mapping):
        raise ProgramError(f"{at}: no object")
    return value
