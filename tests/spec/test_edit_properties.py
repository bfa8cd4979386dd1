"""What holds for every edit, over shipped specs and over specs that another writer dumped in a style of its own."""

from __future__ import annotations

import copy
from typing import Any

import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sdrl.spec.edits import Edit, apply, splices
from sdrl.spec.locate import specs_dir
from sdrl.spec.model import Spec
from sdrl.spec.nodes import Mapping, parse
from sdrl.spec.shapes import Shape, fields_of
from tests.spec.spec_data import comments, data

SHIPPED = [path.read_text(encoding="utf-8") for path in sorted(specs_dir().glob("*.yaml"))]
REFERENCE = (specs_dir() / "_reference.yaml").read_text(encoding="utf-8")
EXAMPLES = settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

WORDS = st.one_of(
    st.sampled_from(
        ["yes", "no", "null", "~", "", " ", "#", "a # b", "a: b", "- a", "'", '"', "\\boxed{}", "2024", "1e3", "true"]
    ),
    st.sampled_from(
        [" lead", "trail ", "two\nlines", "end\n", "\n", "tab\there", "[a]", "{a}", "é😀", "%x", "@", "*a", "|"]
    ),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=30),
    st.text("ab :#-,[]{}'\"\\\n", max_size=12),
)
NAMES = st.one_of(
    st.sampled_from(["a", "b c", "1", "true", "x.y", "é", "#", "k: v"]), st.text("abc:#- ", min_size=1, max_size=5)
)


def values(shape: Shape, depth: int = 2) -> st.SearchStrategy[Any]:
    """Data that the schema takes at a place (ranges aside)."""
    kinds: list[st.SearchStrategy[Any]] = []
    kinds += [st.sampled_from(shape.literals)] if shape.literals else []
    kinds += [WORDS] if shape.text else []
    kinds += [st.integers(0, 10**6)] if shape.integer else []
    kinds += [st.floats(0, 1e6, allow_nan=False)] if shape.real else []
    kinds += [st.booleans()] if shape.truth else []
    if shape.anything:
        kinds.append(st.one_of(WORDS, st.booleans(), st.none(), st.integers(), st.lists(WORDS, max_size=2)))
    if depth and shape.item is not None and _reaches(shape.item, depth - 1):
        kinds.append(st.lists(values(shape.item, depth - 1), max_size=3))
    if depth and shape.values is not None and _reaches(shape.values, depth - 1):
        names = st.sampled_from(shape.keys.literals) if shape.keys is not None and shape.keys.literals else NAMES
        kinds.append(st.dictionaries(names, values(shape.values, depth - 1), max_size=3))
    if depth and shape.table is not None:
        known = fields_of(shape.table)
        below = {
            name: values(field.shape, depth - 1) for name, field in known.items() if _reaches(field.shape, depth - 1)
        }
        needed = {name: below[name] for name in below if known[name].required}
        if len(needed) == sum(field.required for field in known.values()):
            optional = {name: below[name] for name in list(below)[:6] if name not in needed}
            kinds.append(st.fixed_dictionaries(needed, optional=optional))
    return st.one_of(kinds) if kinds else st.none()


def _reaches(shape: Shape, depth: int) -> bool:
    """Whether data of the shape can be made this deep."""
    if shape.literals or shape.text or shape.number or shape.truth or shape.anything:
        return True
    below = [shape.item, shape.values]
    if shape.table is not None:
        return depth > 0 and all(
            _reaches(field.shape, depth - 1) for field in fields_of(shape.table).values() if field.required
        )
    return depth > 0 and any(inner is not None and _reaches(inner, depth - 1) for inner in below)


@st.composite
def edits(draw: st.DrawFn, text: str) -> Edit:
    """An edit that can be made: a place of the language, an index that exists, data of its kind."""
    shape, tree, path = Shape(table=Spec), data(text), list[str | int]()
    while True:
        steps: list[tuple[str | int, Shape]] = []
        if shape.table is not None and (tree is None or isinstance(tree, dict)):
            steps += [(name, field.shape) for name, field in fields_of(shape.table).items()]
        if shape.item is not None and isinstance(tree, list) and tree:
            steps += [(index, shape.item) for index in range(len(tree))]
        if not steps or (path and draw(st.integers(0, 2)) == 0):
            break
        step, shape = draw(st.sampled_from(steps))
        path.append(step)
        has = isinstance(tree, dict) and step in tree
        tree = tree[step] if isinstance(tree, list) or has else None
    if isinstance(tree, list) and shape.item is not None and draw(st.booleans()):
        index = draw(st.integers(0, len(tree)))
        return Edit("insert", (*path, index), draw(values(shape.item)))
    if path and isinstance(path[-1], int) and draw(st.booleans()):
        return Edit("move", tuple(path), to=draw(st.integers(0, len(_at(data(text), path[:-1])) - 1)))
    if _at(data(text), path) is not None and draw(st.integers(0, 3)) == 0:
        return Edit("remove", tuple(path))
    return Edit("set", tuple(path), draw(values(shape)))


def _at(tree: Any, path: list[str | int]) -> Any:
    for step in path:
        if isinstance(tree, list) or (isinstance(tree, dict) and step in tree):
            tree = tree[step]
        else:
            return None
    return tree


def changed(tree: dict[str, Any], edit: Edit) -> dict[str, Any]:
    """The edit made in plain data: what the edited text must say."""
    tree = copy.deepcopy(tree)
    holder: Any = tree
    *steps, last = edit.path
    for step in steps:
        if isinstance(holder, dict) and holder.get(step) is None:
            holder[step] = {}
        holder = holder[step]
    if edit.operation == "set":
        holder[last] = edit.value
    elif edit.operation == "insert":
        holder.insert(last, edit.value)
    elif edit.operation == "remove":
        del holder[last]
    else:
        holder.insert(edit.to, holder.pop(last))
    return tree


def normal(value: Any) -> Any:
    """Data as the reader gives it: shorthands in full, numbers by value."""
    if isinstance(value, dict):
        return {key: normal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [normal(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@st.composite
def specs(draw: st.DrawFn) -> str:
    """A shipped spec, or generated data dumped by another writer in some style of its own."""
    if draw(st.booleans()):
        return draw(st.sampled_from(SHIPPED))
    keys = draw(st.lists(st.sampled_from(sorted(fields_of(Spec))), unique=True, max_size=5))
    tree = {key: draw(values(fields_of(Spec)[key].shape)) for key in keys}
    style = draw(st.sampled_from([None, True, False]))
    text = yaml.safe_dump(
        tree,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=style,
        indent=draw(st.sampled_from([2, 4])),
        width=draw(st.sampled_from([30, 1000])),
    )
    root = parse(text)
    assume(not root.problems and isinstance(root.root, Mapping) and root.root.items)
    return text


@EXAMPLES
@given(st.data())
def test_the_edited_text_says_what_the_edited_data_say(draws: st.DataObject) -> None:
    text = draws.draw(specs())
    edit = draws.draw(edits(text))
    after = apply(text, [edit])
    assert normal(data(after)) == normal(changed(data(text), edit))


@EXAMPLES
@given(st.data())
def test_bytes_outside_the_splices_stay_as_they_are(draws: st.DataObject) -> None:
    text = draws.draw(specs())
    edit = draws.draw(edits(text))
    after = text
    for splice in splices(text, edit):
        before, after = after, splice.of(after)
        assert after.startswith(before[: splice.start])
        assert after.endswith(before[splice.end :])
    assert after == apply(text, [edit])


@EXAMPLES
@given(st.data())
def test_a_value_set_twice_is_set_once(draws: st.DataObject) -> None:
    text = draws.draw(specs())
    edit = draws.draw(edits(text).filter(lambda edit: edit.operation == "set"))
    once = apply(text, [edit])
    assert splices(once, edit) == ()


@EXAMPLES
@given(st.data())
def test_line_endings_of_windows_survive(draws: st.DataObject) -> None:
    text = draws.draw(st.sampled_from(SHIPPED))
    edit = draws.draw(edits(text))
    windows = apply("\ufeff" + text.replace("\n", "\r\n"), [edit])
    assert windows == "\ufeff" + apply(text, [edit]).replace("\n", "\r\n")


@EXAMPLES
@given(st.data())
def test_no_comment_is_lost_where_nothing_is_taken_out(draws: st.DataObject) -> None:
    edit = draws.draw(edits(REFERENCE).filter(lambda edit: edit.operation != "remove"))
    if edit.operation == "set":
        old = _at(data(REFERENCE), list(edit.path))
        assume(not isinstance(old, dict | list))
        assume(not isinstance(edit.value, str) or "#" not in edit.value)
    before, after = comments(REFERENCE), comments(apply(REFERENCE, [edit]))
    assert sorted(after) == sorted(before)


@EXAMPLES
@given(st.data())
def test_a_number_set_and_set_back_leaves_the_same_bytes(draws: st.DataObject) -> None:
    path = draws.draw(
        st.sampled_from(["vote.draws", "score.draws", "seed", "train.sampling.temperature", "retrieve.passages"])
    )
    first, second = draws.draw(st.integers(1, 99)), draws.draw(st.integers(1, 99))
    text = apply(draws.draw(st.sampled_from(SHIPPED)), [Edit("set", path, first)])
    assert apply(text, [Edit("set", path, second), Edit("set", path, first)]) == text


@EXAMPLES
@given(WORDS, st.sampled_from(["plain", "'a'", '"a"', "|-\n    a", ">-\n    a"]), st.booleans())
def test_any_text_is_read_back_whatever_stood_there(word: str, old: str, flow: bool) -> None:
    head = f"task: {{description: {old}}}\nseed: 1\n" if flow and "\n" not in old else None
    text = head or f"task:\n  description: {old}\n  license: x # c\nseed: 1\n"
    after = apply(text, [Edit("set", "task.description", word)])
    assert data(after)["task"]["description"] == word
    assert after.endswith(text[text.index("}") if head else text.index("\n  license") :])
