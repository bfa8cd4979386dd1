"""Names, places and nouns: built-in lists, made-up words, and what can be picked out of any passage.

Everything is deterministic. Heuristics only: a plural noun is a lower-case word that looks like one. Reads and writes
nothing.
"""

from __future__ import annotations

import random
import re

NAMES: tuple[str, ...] = tuple(
    "Ana Ben Cora Dan Ella Finn Gina Hugo Ida Jack Kira Leo Mara Nico Olga Paul Rosa Sam Tara Uma Vera Will Yara Zoe "
    "Adam Bella Carl Dora Erik Fay Greg Hana Ivan Jane Karl Lena Max Nora Otto Petra".split()
)
PLACES: tuple[str, ...] = (
    "the library", "the kitchen", "the garden", "the museum", "the market", "the school", "the office", "the park",
    "the cellar", "the harbour", "the station", "the workshop", "the village", "the hall", "the shop", "the barn",
)  # fmt: skip
NOUNS: tuple[str, ...] = tuple(
    "apples books coins stamps marbles pencils cards shells stones tickets eggs flowers buttons keys cups "
    "bottles candles plates boxes letters photos seeds leaves plants trees birds fish horses bees ants cells "
    "genes proteins muscles bones nerves organs tissues samples tests plots graphs tables charts maps notes "
    "pages chapters stories poems songs records loans bonds stocks prices costs workers firms goods orders "
    "bills taxes laws rights votes courts states cities towns farms roads bridges ships trains wheels tools "
    "machines engines motors wires lamps lenses mirrors magnets batteries atoms ions molecules acids crystals "
    "metals rocks minerals fossils planets stars moons comets waves forces vectors angles circles triangles "
    "squares lines points curves functions equations fractions polynomials matrices patients nurses doctors "
    "students teachers groups families children players teams artists actors writers readers soldiers robots "
    "computers networks programs files messages errors signals symbols words sentences questions answers".split()
)

_NOT_NOUNS = frozenset(
    "this is was has as its his hers ours theirs yours us yes does goes thus plus less unless across perhaps "
    "always sometimes besides towards afterwards needs allows shows means seems becomes uses gives takes makes "
    "gets lets says includes contains requires provides occurs follows depends describes refers helps causes "
    "leads involves consists represents increases decreases changes begins ends appears exists results works "
    "moves looks comes finds keeps holds various previous serious famous continuous obvious nervous religious "
    "numerous precious dangerous focus virus status process access class mass glass loss cross stress pass "
    "business analysis basis crisis economics physics politics mathematics series species lens gas bus others "
    "themselves ourselves yourselves minus versus towards regardless nevertheless doubtless overseas upwards "
    "downwards news whose these those because times hours minutes days years dollars degrees ones people does "
    "hundreds thousands millions".split()
)

_WORD = re.compile(r"(?<![\w'-])[a-z]{4,14}(?![\w'-])")
_CAPITAL = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,9}(?![\w'-])")
_NOT_NAMES = frozenset(
    "The This That These Those There Then They When Where While What Which Who Figure Table Chapter Section Example "
    "January February March April June July August September October November December Monday Tuesday Wednesday "
    "Thursday Friday Saturday Sunday English French German American Another After Each For And But".split()
)
_STARTS = "b br c cl d dr f fl g gr h j k kl l m n p pl qu r s st t tr v w z th sh ch".split()
_MIDDLES = "a e i o u ai ea oo ou ar er or an en in on al el il".split()
_ENDS = "b ck d ft g k l m n nt p r rd st t v x ve sion ment lar gram".split()


def nouns_in(passage: str) -> list[str]:
    """Likely plural nouns of the passage, most frequent first, ties in order of appearance; may be empty."""
    counts: dict[str, int] = {}
    for match in _WORD.finditer(passage):
        word = match.group()
        if word.endswith("s") and not word.endswith(("ss", "us", "is", "ous")) and word not in _NOT_NOUNS:
            counts[word] = counts.get(word, 0) + 1
    return sorted(counts, key=lambda word: -counts[word])


def names_in(passage: str) -> list[str]:
    """Capitalised words inside sentences (people, mostly), in order of appearance; may be empty."""
    seen = dict.fromkeys(match.group() for match in _CAPITAL.finditer(passage))
    return [word for word in seen if word not in _NOT_NAMES]


def made_up_noun(rng: random.Random) -> str:
    """A plural that is no English word ("brontals"), so that a model trained on these cannot rely on known nouns."""
    word = rng.choice(_STARTS) + rng.choice(_MIDDLES)
    if rng.random() < 0.6:
        word += rng.choice(_STARTS) + rng.choice(_MIDDLES)
    return word + rng.choice(_ENDS) + "s"


def made_up_name(rng: random.Random) -> str:
    """A capitalised word that is no common name ("Trael")."""
    return (rng.choice(_STARTS) + rng.choice(_MIDDLES) + rng.choice(_ENDS)).capitalize()
