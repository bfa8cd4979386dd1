"""``python -m tests.spec.fuzz [--cases N] [--seed N] [--jobs N]``: damaged specs and generated ones.

Half of the cases are damages of shipped specs, each a function of the seed and its number; the other half are made from
the key tree (``fuzz_trees``). Whatever a file has become, neither the loader nor the look beside the spec may raise;
every diagnostic has a known code and a place inside the file, and renders in all formats; a spec without errors goes
through the compiler as well.
Prints the failures with the command that repeats each, and the slowest case.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from sdrl.compiler.beside import beside
from sdrl.compiler.compile import compile_spec
from sdrl.spec.codes import CODES
from sdrl.spec.diagnostics import Diagnostic, has_errors
from sdrl.spec.junit import render_junit
from sdrl.spec.loader import load_spec
from sdrl.spec.locate import specs_dir
from sdrl.spec.render import render_github, render_json, render_text
from sdrl.spec.sarif import render_sarif
from sdrl.spec.source import decode

CORPUS = [path.read_text(encoding="utf-8") for path in sorted(specs_dir().glob("*.yaml"))]
CORPUS += [
    path.read_text(encoding="utf-8", errors="replace") for path in sorted(Path(__file__).parent.glob("bad/*.yaml"))
]
NAME = str(specs_dir() / "fuzzed.yaml")  # beside the shipped specs, so that the files they name are there
VALUES = """null ~ true no [] {} [[]] {a: 1} 0 -1 1e999 .nan 1e-400 9999999999999999999999 0x1F 20M
    "" '' "#### " | > >- … é 🙂
    !!int &a *a - ? : # % @ ` "\\u0000" "\\ud800" [a,b] {a: {b: c}} 2024-01-01 12:30
    1_000 +1 .5 {subject} {{input}}""".split()
TOKENS = [
    "\t",
    "\r",
    "\r\n",
    "\n",
    "\n\n---\n",
    "\n...\n",
    "\x00",
    "\x85",
    "\u2028",
    "\ufeff",
    "\x1b[2J",
    ": ",
    " #",
    "- ",
]
TOKENS += [
    "{",
    "}",
    "[",
    "]",
    "'",
    '"',
    "|",
    ">",
    "&a ",
    "*a ",
    "!x ",
    "<<: ",
    "? ",
    "\\",
    "漢字",
    "e\u0301",
    "a" * 3000,
]

Mutation = Callable[[random.Random, str], str]


def _lines(change: Callable[[random.Random, list[str]], None]) -> Mutation:
    def mutate(rng: random.Random, text: str) -> str:
        lines = text.split("\n")
        change(rng, lines)
        return "\n".join(lines)

    return mutate


def _drop(rng: random.Random, lines: list[str]) -> None:
    del lines[rng.randrange(len(lines))]
    lines or lines.append("")


def _double(rng: random.Random, lines: list[str]) -> None:
    lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))


def _swap(rng: random.Random, lines: list[str]) -> None:
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]


def _indent(rng: random.Random, lines: list[str]) -> None:
    at = rng.randrange(len(lines))
    lines[at] = rng.choice([" ", "  ", "\t", "      "]) + lines[at] if rng.random() < 0.5 else lines[at].lstrip()


def _value(rng: random.Random, lines: list[str]) -> None:
    at = rng.randrange(len(lines))
    key, colon, _ = lines[at].partition(": ")
    if colon:
        lines[at] = f"{key}: {rng.choice(VALUES)}"


def _values_swapped(rng: random.Random, lines: list[str]) -> None:
    places = [at for at, line in enumerate(lines) if ": " in line]
    if len(places) > 1:
        one, other = rng.sample(places, 2)
        (key, _, value), (name, _, said) = lines[one].partition(": "), lines[other].partition(": ")
        lines[one], lines[other] = f"{key}: {said}", f"{name}: {value}"


def _typo(rng: random.Random, lines: list[str]) -> None:
    places = [at for at, line in enumerate(lines) if ":" in line]
    if places:
        at = rng.choice(places)
        key, _, rest = lines[at].partition(":")
        cut = rng.randrange(len(key) + 1)
        lines[at] = key[:cut] + rng.choice(["", "x", key[cut : cut + 1] * 2, "_", " "]) + key[cut + 1 :] + ":" + rest


def _truncate(rng: random.Random, text: str) -> str:
    return text[: rng.randrange(len(text) + 1)]


def _splice(rng: random.Random, text: str) -> str:
    other = rng.choice(CORPUS)
    return text[: rng.randrange(len(text) + 1)] + other[rng.randrange(len(other) + 1) :]


def _insert(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(TOKENS) + text[at:]


def _scramble(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return (
        text[:at] + "".join(rng.choice("{}[]:-#&*!|>'\"%@,\n\t ~a1é") for _ in range(8)) + text[at + rng.randrange(9) :]
    )


MUTATIONS: tuple[Mutation, ...] = (
    *map(_lines, (_drop, _double, _swap, _indent, _value, _value, _values_swapped, _typo)),
    *(_truncate, _splice, _insert, _scramble),
)


def case(seed: int, number: int) -> bytes:
    """The bytes of one case."""
    rng = random.Random(f"{seed}/{number}")
    text = rng.choice(CORPUS)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        text = rng.choice(MUTATIONS)(rng, text)
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    if data and rng.random() < 0.15:  # flipped bits: often no UTF-8 any more
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


@dataclass(frozen=True)
class Outcome:
    """What became of a case: ``failure`` is what went wrong, if anything did."""

    number: int
    seconds: float
    codes: tuple[str, ...]
    compiled: bool
    failure: str | None


def play(seed: int, number: int, *, compiles: bool = True) -> Outcome:
    """Run one case of the damaged specs. An exception anywhere is its failure."""
    data = case(seed, number)
    try:
        tried = tried_whole(data, compiles=compiles)
    except Exception as error:  # the point of a fuzzer: whatever it is, it is a failure with a number
        return Outcome(number, 0.0, (), False, f"{type(error).__name__}: {error}")
    return Outcome(number, *tried, None)


def tried_whole(data: bytes, *, compiles: bool = True) -> tuple[float, tuple[str, ...], bool]:
    """Load, check and compile the bytes of a spec: seconds of the load, codes, whether it was compiled.

    Raises:
        Exception: anything that must not happen.
    """
    started = time.perf_counter()
    source = decode(data, NAME)
    loaded = None if source.text is None else load_spec(NAME, text=source.text)
    found = loaded.diagnostics if loaded else tuple(filter(None, [source.problem]))
    seconds = time.perf_counter() - started
    check(found, data)
    assert (loaded is None or loaded.spec is None) == has_errors(found), "a spec with errors, or none without"
    if loaded is not None:
        check([item for item in beside(loaded) if item.file == NAME], data)
    if not compiles or loaded is None or loaded.spec is None:
        return seconds, tuple(item.code for item in found), False
    made = compile_spec(NAME, text=source.text)
    check([item for item in made.diagnostics if item.file == NAME], data)
    return seconds, tuple(item.code for item in found), True


def check(found: tuple[Diagnostic, ...] | list[Diagnostic], data: bytes) -> None:
    """Known codes, places inside the file, and five formats that their readers take."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", text)  # as YAML 1.1 counts them
    for item in found:
        assert item.code in CODES, item.code
        assert item.message and "\n" not in item.message, repr(item.message)
        assert item.line is not None and item.column is not None, f"{item.code} has no place"
        assert 1 <= item.line <= len(lines), f"{item.code} at line {item.line} of {len(lines)}"
        assert 1 <= item.column <= len(lines[item.line - 1]) + 1, f"{item.code} at column {item.column}"
        if item.end_line is not None and item.end_column is not None:
            assert (item.end_line, item.end_column) >= (item.line, item.column), f"{item.code} ends before it begins"
    rendered = render_text(found, color=True)
    assert not set(rendered) & {"\x00", "\r", "\x85", "\u2028"}, "a control character reaches the terminal"
    assert len(render_github(found).splitlines()) == len(found)
    assert len(json.loads(render_json(found, [NAME]))["diagnostics"]) == len(found)
    assert len(json.loads(render_sarif(found, [NAME]))["runs"][0]["results"]) == len(found)
    ElementTree.fromstring(render_junit(found, [NAME]).encode())


def _numbered(asked: tuple[int, int]) -> Outcome:
    return play(*asked)


def main() -> int:
    """Play damaged specs and generated ones, half of the cases each, and report both."""
    from tests.spec.fuzz_trees import CHUNK, play_chunk

    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    damaged = args.cases - args.cases // 2
    asked = [(args.seed, number) for number in range(args.first, args.first + damaged)]
    chunks = [(args.seed, args.first // CHUNK + number) for number in range(args.cases // 2 // CHUNK)]
    failures = 0
    with multiprocessing.get_context("fork").Pool(args.jobs) as pool:
        began = time.perf_counter()
        outcomes = list(pool.imap_unordered(_numbered, asked, chunksize=50))
        failures += _report("damaged specs", outcomes, time.perf_counter() - began, (args.seed, 2))
        began = time.perf_counter()
        outcomes = [each for chunk in pool.imap_unordered(play_chunk, chunks) for each in chunk]
        failures += _report("generated specs", outcomes, time.perf_counter() - began, (args.seed, 2 * CHUNK))
    return 1 if failures else 0


def _report(what: str, outcomes: list[Outcome], seconds: float, again: tuple[int, int]) -> int:
    """Print what became of the cases; returns how many failed. ``again``: seed and cases that play a failure anew."""
    failed = sorted((each for each in outcomes if each.failure), key=lambda each: each.number)
    slowest = max((each.seconds for each in outcomes), default=0.0)
    codes = Counter(code for each in outcomes for code in set(each.codes))
    compiled = sum(each.compiled for each in outcomes)
    print(f"{what}: {len(outcomes):,} cases in {seconds:.0f} s, {compiled:,} compiled as well, {len(failed)} failures")
    print(f"  {len(codes)} codes seen; slowest load: {1000 * slowest:.0f} ms")
    for each in failed[:50]:
        print(f"FAILED {each.failure}"[:2000])
        print(f"  again: python -m tests.spec.fuzz --seed {again[0]} --first {each.number} --cases {again[1]}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
