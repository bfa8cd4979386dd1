"""The data program: what is read, and what is refused with the key that is wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sdrl.verifier import ProgramError, Verifier, read_program

MARKER = {"kind": "marker", "marker": "####"}


def test_a_full_program_is_read_into_frozen_values() -> None:
    program = read_program(
        {
            "version": 1,
            "type": "number",
            "extract": {"kind": "marker", "marker": "####", "name": None},
            "take": "first",
            "tolerance": {"abs": "1e-3", "rel": "0.5"},
            "options": None,
            "ignore_case": False,
            "separator": None,
            "schema": None,
            "fields": None,
            "entry_point": None,
        }
    )
    assert (program.type, program.extract.kind, program.extract.marker, program.take) == (
        "number",
        "marker",
        "####",
        "first",
    )
    assert (program.tolerance.abs, program.tolerance.rel) == (Decimal("0.001"), Decimal("0.5"))
    with pytest.raises(AttributeError):
        program.type = "text"  # type: ignore[misc]


def test_defaults_are_those_of_the_design() -> None:
    program = read_program({"type": "number", "extract": MARKER})
    assert (program.take, program.ignore_case, program.separator) == ("last", True, ",")
    assert (program.tolerance.abs, program.tolerance.rel) == (Decimal("1e-6"), Decimal(0))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"version": 2}, "version"),
        ({"type": "nunber"}, "type"),
        ({"type": None}, "type"),
        ({"extract": None}, "extract"),
        ({"extract": "####"}, "extract"),
        ({"extract": {"kind": "markers"}}, "extract.kind"),
        ({"extract": {"kind": "marker"}}, "extract.marker"),
        ({"extract": {"kind": "marker", "marker": ""}}, "extract.marker"),
        ({"extract": {"kind": "marker", "marker": 4}}, "extract.marker"),
        ({"extract": {"kind": "marker", "marker": "  "}}, "extract.marker"),
        ({"extract": {"kind": "tag"}}, "extract.name"),
        ({"extract": {"kind": "tag", "name": "a", "marker": "b"}}, "extract.marker"),
        ({"extract": {"kind": "regex"}}, "extract.pattern"),
        ({"extract": {"kind": "regex", "pattern": "("}}, "extract.pattern"),
        ({"extract": {"kind": "regex", "pattern": r"(?=a)"}}, "extract.pattern"),
        ({"extract": {"kind": "regex", "pattern": r"(a)\1"}}, "extract.pattern"),
        ({"extract": {"kind": "regex", "pattern": "(a)", "group": 2}}, "extract.group"),
        ({"extract": {"kind": "regex", "pattern": "(a)", "group": "b"}}, "extract.group"),
        ({"extract": {"kind": "regex", "pattern": "(a)", "group": True}}, "extract.group"),
        ({"take": "best"}, "take"),
        ({"tolerance": "wide"}, "tolerance"),
        ({"tolerance": {"abs": "-1"}}, "tolerance.abs"),
        ({"tolerance": {"abs": "nan"}}, "tolerance.abs"),
        ({"tolerance": {"rel": "inf"}}, "tolerance.rel"),
        ({"tolerance": {"abs": "1e999999999"}}, "tolerance.abs"),
        ({"tolerance": {"absolute": "1"}}, "tolerance.absolute"),
        ({"tolerance": True}, "tolerance"),
        ({"options": "A"}, "options"),
        ({"options": ["A", "A"]}, "options"),
        ({"options": [1]}, "options"),
        ({"type": "label"}, "options"),
        ({"type": "label", "options": {"a": ["x"], "b": ["X"]}}, "options"),
        ({"type": "boolean", "options": {"yes": ["yes"], "no": ["no"]}}, "options"),
        ({"ignore_case": "yes"}, "ignore_case"),
        ({"type": "set", "separator": ""}, "separator"),
        ({"fields": {"a": {"type": "number"}}}, "fields"),
        ({"type": "json", "fields": {"a": {"type": "json"}}}, "fields.a.type"),
        ({"type": "json", "fields": {"a": {"type": "nunber"}}}, "fields.a.type"),
        ({"type": "json", "fields": {"a": {"type": "number", "extract": MARKER}}}, "fields.a.extract"),
        ({"type": "json", "fields": {"a": 1}}, "fields.a"),
        ({"type": "json", "schema": {"pattern": "x"}}, "schema.pattern"),
        ({"type": "json", "schema": {"type": "text"}}, "schema.type"),
        ({"type": "program"}, "entry_point"),
        ({"type": "program", "entry_point": "no-such-verifier"}, "entry_point"),
        ({"tolerence": "1"}, "tolerence"),
    ],
)
def test_a_wrong_program_is_refused_naming_its_key(change: dict[str, Any], key: str) -> None:
    with pytest.raises(ProgramError) as refused:
        Verifier.from_program({"version": 1, "type": "number", "extract": MARKER, **change})
    assert str(refused.value).startswith(f"{key}:")


def test_a_program_that_is_no_object_is_refused() -> None:
    with pytest.raises(ProgramError, match="no object"):
        read_program([])  # type: ignore[arg-type]
