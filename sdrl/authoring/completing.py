"""What the argument of a command can be, for a line under way: paths, values, codes, cards, names. Pure and total.

What only a disk or an app knows (files, runs, examples, themes) is asked of ``listed``. Takes nothing itself: a
completion is the line that taking it makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from sdrl.authoring.actions import ACTIONS
from sdrl.authoring.drawing import clean, value_text
from sdrl.authoring.state import PANELS, Card, State

if TYPE_CHECKING:
    from sdrl.authoring.places import Place

MOST = 50  # entries of a menu; who looks for more types a letter
Listed = Callable[[str, str], Sequence[tuple[str, str]]]
"""(kind, folder) to names and what each is; kinds are examples, themes, runs and files. A folder's name ends in /."""


@dataclass(frozen=True)
class Completion:
    """An entry: ``line`` is what the prompt holds when it is taken, ``goes_on`` whether more can be typed then."""

    line: str
    shown: str
    about: str = ""
    goes_on: bool = False


@dataclass(frozen=True)
class Choices:
    """What may come next, and a line above it: what is asked for, and about it."""

    asked: str = ""
    about: str = ""
    entries: tuple[Completion, ...] = ()


class Entry(NamedTuple):
    """A word that may stand where the cursor is; ``rest`` is what taking it adds behind it, ``depth`` orders paths.

    What it is about is said by ``about``, or by the ``place`` that it is the path of, asked only for those in the menu.
    """

    word: str
    about: str = ""
    rest: str = ""
    depth: int = 0
    place: Place | None = None


class Asked(NamedTuple):
    """One argument under way: what stands before it, what is typed of it, what it may be; told of in ``head``."""

    before: str
    typed: str
    entries: Iterable[Entry] = ()
    head: tuple[str, str] = ("", "")
    in_about: bool = False


def nothing_listed(kind: str, folder: str) -> Sequence[tuple[str, str]]:
    """Where there is no disk to look at."""
    return ()


def completions(state: State, line: str, listed: Listed = nothing_listed) -> Choices:
    """What may come next in a line: nothing before a command and its space are typed, or for a command without one."""
    name, space, rest = line[1:].partition(" ")
    action = ACTIONS.get(name.strip().lower())
    if not line.startswith("/") or not space or action is None or "\n" in line or "\r" in line:
        return Choices()
    if not action.usage:
        return Choices()
    asked = _ASKED[action.id](state, rest.lstrip(" "), listed) if action.id in _ASKED else Asked("", rest)
    shown, about = asked.head if asked.head[0] else (f"/{action.id} {action.usage}", action.title)
    found = ranked(asked.typed, asked.entries, in_about=asked.in_about)
    return Choices(clean(shown), clean(about), tuple(_completion(f"/{name} {asked.before}", each) for each in found))


def _completion(before: str, entry: Entry) -> Completion:
    shown = " ".join(clean(entry.word).split())
    goes_on = bool(entry.rest) or entry.word.endswith("/")
    about = entry.place.about if entry.place is not None else entry.about
    return Completion(f"{before}{entry.word}{entry.rest}", shown + entry.rest.strip(), clean(about), goes_on)


def ranked(typed: str, entries: Iterable[Entry], *, in_about: bool = False) -> list[Entry]:
    """The entries that match, best first: they begin with what is typed, hold it, or have its letters in order."""
    word = typed.lower()
    found = []
    for at, entry in enumerate(entries):
        tier = _tier(word, entry.word.lower())
        if tier is None and in_about and word in entry.about.lower():
            tier = 3
        if tier is not None:
            found.append((tier, entry.depth, at, entry))
    best = (entry for *_, entry in sorted(found, key=lambda each: each[:3]) if _can_be_typed(entry.word))
    return list(islice(best, MOST))


def _tier(word: str, text: str) -> int | None:
    if text.startswith(word):
        return 0
    if word in text:
        return 1 if f".{word}" in text else 2
    at = 0
    for letter in word:
        at = text.find(letter, at) + 1
        if not at:
            return None
    return 4


def _can_be_typed(word: str) -> bool:
    """Whether a line that ends in it comes back as it was: one line of text that UTF-8 has."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return word == word.strip() and len(word.splitlines()) == 1


def _paths(
    state: State, typed: str, keep: Callable[[Place], bool], rest: str = "", *, into: bool = False
) -> Iterator[Entry]:
    """Paths with what each is. ``into``: a place that only holds others is gone into, by its dot."""
    from sdrl.authoring.places import places

    for each in places(state.text, typed):
        if keep(each):
            is_way = into and each.holds_places
            if not is_way or f"{each.path}." != typed:
                yield Entry(each.path, "", "." if is_way else rest, each.path.count("."), each)


def _set(state: State, rest: str, listed: Listed) -> Asked:
    path, space, value = rest.partition(" ")
    if not space:
        return Asked("", path, _paths(state, path, lambda each: each.path != "sdrl", " ", into=True))
    return _value(state, f"{path} ", path, value)


def _value(state: State, before: str, path: str, value: str, more: Sequence[Entry] = ()) -> Asked:
    """A value of a path, with what the language says of it above."""
    from sdrl.authoring.places import place_at, values_at

    place = place_at(state.text, path)
    if place is None:
        return Asked(before, value.lstrip(" "), more)
    known = {each.word for each in more}
    found = [Entry(text, about) for text, about in values_at(state.text, place) if text not in known]
    head = f"{path}: {place.expected}" if place.expected and not place.is_words else path
    return Asked(before, value.lstrip(" "), [*more, *found], (head, place.about))


def _add(state: State, rest: str, listed: Listed) -> Asked:
    from sdrl.authoring.places import place_at

    path, space, value = rest.partition(" ")
    if not space:
        return Asked("", path, _paths(state, path, lambda each: each.is_list, " "))
    place = place_at(state.text, f"{path}.-")
    if place is None or place.shape.table is None:
        return _value(state, f"{path} ", f"{path}.-", value)
    return _keys_of(place, f"{path} ", value.lstrip(" "))


def _keys_of(place: Place, before: str, value: str) -> Asked:
    """The keys that a new item may have, as the beginning of ``{key: value}``."""
    from sdrl.spec.schema import descriptions
    from sdrl.spec.shapes import fields_of

    table = place.shape.table
    fields = fields_of(table) if table is not None else {}
    told = descriptions(table) if table is not None else {}
    entries = [
        Entry("{" + f"{key}: true" + "}" if field.shape.truth else "{" + f"{key}:", told.get(key, ""),
              "" if field.shape.truth else " ")
        for key, field in sorted(fields.items(), key=lambda each: not each[1].required)
    ]  # fmt: skip
    needs = ", ".join(key for key, field in fields.items() if field.required)
    head = (f"{place.path.removesuffix('.-')}: a table {{key: value}}", f"needs {needs}" if needs else "")
    typed = value if value.startswith("{") or not value else "{" + value
    return Asked(before, typed, entries, head)


def _remove(state: State, rest: str, listed: Listed) -> Asked:
    return Asked("", rest, _paths(state, rest, lambda each: each.node is not None))


def _move(state: State, rest: str, listed: Listed) -> Asked:
    from sdrl.authoring.places import places

    path, space, value = rest.partition(" ")
    if not space:
        return Asked("", path, _paths(state, path, lambda each: each.items > 1, " "))
    holder = path.rpartition(".")[0]
    items = [each for each in places(state.text, f"{holder}.") if each.items and each.path.rpartition(".")[0] == holder]
    entries = [
        Entry(str(at), f"where {each.about} is" if each.about else "")
        for at, each in enumerate(items)
        if each.path != path
    ]
    return Asked(f"{path} ", value.lstrip(" "), entries)


def _copy(state: State, rest: str, listed: Listed) -> Asked:
    names = {
        "spec": "the whole text", "issues": "all that is wrong", "panel": "what is in view",
        "message": "the newest of the chat", "code": "the newest block of code", "chat": "all of the chat",
    } | {panel: "the panel" for panel in PANELS if panel not in ("spec", "issues")}  # fmt: skip
    paths = _paths(state, rest, lambda each: each.node is not None and each.path not in names)
    return Asked("", rest, [*(Entry(name, about) for name, about in names.items()), *paths])


def _cards(state: State) -> list[Card]:
    return [card for card in reversed(state.cards) if card.status in ("open", "stale")]


def _named_card(state: State, words: Sequence[str]) -> Card | None:
    """The card that the first word numbers, else the newest open one."""
    if words and words[0].lstrip("#").isdecimal():
        return next((card for card in _cards(state) if str(card.id) == words[0].lstrip("#")), None)
    return state.open_card


def _fields_of(card: Card | None, done: Sequence[str], rest: str = "") -> list[Entry]:
    """A card's fields by path, by number where a path stands twice, without those that are named already."""
    changes = card.changes if card is not None else ()
    paths = [change.path for change in changes]
    named = [
        (path if paths.count(path) == 1 and " " not in path else str(number), change)
        for number, (path, change) in enumerate(zip(paths, changes, strict=True), 1)
    ]
    return [
        Entry(
            word,
            f"{change.path}: {value_text(change.after)}" if word != change.path else value_text(change.after),
            rest,
        )
        for word, change in named
        if word not in done
    ]


def _accept(state: State, rest: str, listed: Listed) -> Asked:
    done, typed = _words(rest)
    if not done:
        cards = [Entry(str(card.id), card.title) for card in _cards(state)]
        return Asked(
            "", typed, [*cards, *(each for each in _fields_of(state.open_card, ()) if not each.word.isdecimal())]
        )
    return Asked("".join(f"{word} " for word in done), typed, _fields_of(_named_card(state, done), done))


def _reject(state: State, rest: str, listed: Listed) -> Asked:
    done, typed = _words(rest)
    return Asked("", typed, () if done else [Entry(str(card.id), card.title) for card in _cards(state)])


def _amend(state: State, rest: str, listed: Listed) -> Asked:
    from sdrl.authoring.places import as_typed

    number, space, more = rest.partition(" ")
    if not space:
        return Asked("", number, [Entry(str(card.id), card.title, " ") for card in _cards(state)])
    card = _named_card(state, [number]) if number.lstrip("#").isdecimal() else None
    field, space, value = more.lstrip(" ").partition(" ")
    if not space:
        return Asked(f"{number} ", field, _fields_of(card, (), " "))
    changes = card.changes if card is not None else ()
    change = next((each for at, each in enumerate(changes, 1) if field in (str(at), each.path)), None)
    if change is None:
        return Asked(f"{number} {field} ", value)
    return _value(
        state,
        f"{number} {field} ",
        change.path,
        value,
        [Entry(as_typed(change.path, change.after), "as it is proposed")],
    )


def _words(rest: str) -> tuple[list[str], str]:
    """The words that are typed to their end, and the one under way."""
    *done, typed = rest.split(" ")
    return [word for word in done if word], typed


def _explain(state: State, rest: str, listed: Listed) -> Asked:
    from sdrl.spec.codes import CODES

    here = dict.fromkeys(issue.code for issue in state.issues if issue.code in CODES)
    codes = [*here, *(code for code in CODES if code not in here)]
    entries = (Entry(code, f"{CODES[code].title}{' (here)' if code in here else ''}") for code in codes)
    return Asked("", rest, entries, in_about=True)


def _prompt(state: State, rest: str, listed: Listed) -> Asked:
    from sdrl.authoring.places import text_at
    from sdrl.spec.method_table import METHOD_TABLE, PROMPT_NAMES, REPLIES, prompt_names

    chosen = text_at(state.text, "synthesize.method")
    mine = prompt_names(chosen if chosen in METHOD_TABLE else "grounded")
    of_others = {name: method for method in METHOD_TABLE for name in METHOD_TABLE[method].prompts}
    names = dict.fromkeys((*mine, *PROMPT_NAMES, *REPLIES))
    entries = (
        Entry(name, "" if name in mine else f"of the method {of_others[name]}" if name in of_others else "")
        for name in names
    )
    return Asked("", rest, entries)


def _model(state: State, rest: str, listed: Listed) -> Asked:
    from sdrl.authoring.places import is_word, text_at

    entries = []
    for role, where, otherwise in (("instructor", "endpoint", "https://api.openai.com/v1"), ("base", "serve", "")):
        model, endpoint, variable = (text_at(state.text, f"models.{role}.{key}") for key in ("model", where, "key_env"))
        words = [model, endpoint or otherwise, *([variable] if variable else [])]
        if all(map(is_word, words)) and words[1].startswith(("http://", "https://")):
            entries.append(Entry(" ".join(words), f"models.{role} of the spec"))
    return Asked("", rest, [*entries, Entry("off", "none, as in the beginning")])


def _help(state: State, rest: str, listed: Listed) -> Asked:
    before, typed = ("/", rest[1:]) if rest.startswith("/") else ("", rest)
    return Asked(before, typed, (Entry(each.id, each.title) for each in ACTIONS.values()), in_about=True)


def _files(about: str) -> Callable[[State, str, Listed], Asked]:
    def asked(state: State, rest: str, listed: Listed) -> Asked:
        folder, slash, typed = rest.rpartition("/")
        entries = [
            Entry(name, "this spec" if f"{folder}{slash}{name}" == state.path else told or about)
            for name, told in listed("files", f"{folder}{slash}")
            if typed.startswith(".") or not name.startswith(".")
        ]
        return Asked(f"{folder}{slash}", typed, entries)

    return asked


def _names(kind: str) -> Callable[[State, str, Listed], Asked]:
    return lambda state, rest, listed: Asked("", rest, (Entry(*each) for each in listed(kind, "")), in_about=True)


def _runs(state: State, rest: str, listed: Listed) -> Asked:
    return Asked("", rest, (Entry(name, about) for name, about in listed("runs", "")))


def _samples(state: State, rest: str, listed: Listed) -> Asked:
    words = {"3": "have three written and voted on", "+3": "three more", "go": "as the key g does"}
    return Asked("", rest, (Entry(*each) for each in words.items()))


def _judge(words: Mapping[str, str]) -> Callable[[State, str, Listed], Asked]:
    def asked(state: State, rest: str, listed: Listed) -> Asked:
        from sdrl.authoring.samples import WRONG

        done, typed = _words(rest)
        if not done:
            return Asked("", typed, (Entry(*each) for each in words.items()))
        is_no = done[0] in ("no", "n") and all(word in WRONG for word in done[1:])
        left = {word: told for word, told in WRONG.items() if word not in done} if is_no else {}
        return Asked("".join(f"{word} " for word in done), typed, (Entry(*each) for each in left.items()))

    return asked


_YES_NO = {"yes": "it is good", "no": "something is wrong with it: which, and a note, may follow"}
_ON_TRIAL = _YES_NO | {"demo": "make a demo of the spec of it", "next": "the one after", "back": "the one before"}
_ASKED: Mapping[str, Callable[[State, str, Listed], Asked]] = {
    "set": _set, "add": _add, "remove": _remove, "move": _move, "copy": _copy,
    "accept": _accept, "reject": _reject, "amend": _amend,
    "explain": _explain, "prompt": _prompt, "model": _model, "help": _help,
    "open": _files(""), "save": _files("is there already"),
    "example": _names("examples"), "theme": _names("themes"),
    "run": _runs, "review": _runs, "start": _runs, "stop": _runs,
    "samples": _samples, "judge": _judge(_YES_NO), "sample": _judge(_ON_TRIAL),
}  # fmt: skip
