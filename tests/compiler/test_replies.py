"""Replies: schemas, tolerant reading of form, strict reading of content."""

from __future__ import annotations

import json

import pytest

from sdrl.compiler.replies import ReplyError, parse_reply, reply_schema
from sdrl.spec.model import Answer, Extract

NUMBER = Answer(type="number", extract=Extract(marker="####"))
CHOICE = Answer(type="choice", extract=Extract(tag="answer"), options=["A", "B"])
GOOD = {"input": "q", "output": "#### 2"}


def test_schemas_name_every_field_and_nothing_else() -> None:
    found = reply_schema("generate", CHOICE)
    assert found is not None
    name, schema = found
    assert name == "generate"
    assert schema["required"] == ["input", "output", "options"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["options"]["required"] == ["A", "B"]
    assert reply_schema("solve", NUMBER) is None
    assert reply_schema("answer", NUMBER) is None
    keywords = reply_schema("keywords", NUMBER)
    assert keywords is not None and keywords[1]["properties"]["keywords"]["type"] == "array"


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(GOOD),
        "```json\n" + json.dumps(GOOD, indent=2) + "\n```",
        "Here it is:\n" + json.dumps(GOOD) + "\nI hope {this} helps.",
        "Think of {x}.\n" + json.dumps(GOOD),
        'First I note\n{"step": 1}\nand then\n' + json.dumps(GOOD),
        '{"input": "q",\n "output": "####\t2"}'.replace("\t", " "),
    ],
)
def test_a_reply_is_read_whatever_stands_around_it(text: str) -> None:
    assert parse_reply("generate", NUMBER, text) == GOOD


def test_latex_written_with_single_backslashes_survives() -> None:
    text = r'{"input": "Find \sqrt{2} \times \frac{1}{2} \cdot \beta \neq \text{x}", "output": "\boxed{\frac{1}{2}}"}'
    reply = parse_reply("generate", NUMBER, text)
    assert reply["input"] == r"Find \sqrt{2} \times \frac{1}{2} \cdot \beta \neq \text{x}"
    assert reply["output"] == r"\boxed{\frac{1}{2}}"


def test_a_list_of_pairs_may_be_empty_and_not_unreadable() -> None:
    assert parse_reply("extract", NUMBER, '{"pairs": []}') == {"pairs": []}
    mixed = json.dumps({"pairs": [{"question": "q"}, "x", {"question": " q ", "answer": 3}]})
    assert parse_reply("extract", NUMBER, mixed) == {"pairs": [{"question": "q", "answer": "3"}]}
    with pytest.raises(ReplyError) as caught:
        parse_reply("extract", NUMBER, '{"pairs": [{"question": "q"}]}')
    assert caught.value.code == "empty_field"


def test_half_a_surrogate_pair_becomes_a_character_that_a_file_can_hold() -> None:
    reply = parse_reply("generate", NUMBER, r'{"input": "a \ud800 b \ud83d\ude00", "output": "#### 1"}')
    assert reply["input"] == "a \ufffd b \U0001f600"
    assert parse_reply("keywords", NUMBER, r'{"keywords": ["x\udfff"]}') == {"keywords": ["x\ufffd"]}


def test_properly_escaped_text_is_left_as_it_is() -> None:
    value = {"input": "a\tb\nnew \\frac{1}{2} C:\\new", "output": "#### 1"}
    assert parse_reply("generate", NUMBER, json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty_reply"),
        ("I cannot do that.", "no_json"),
        ("{'input': 'q'}", "no_json"),
        ('{"input": "q"}', "missing_field"),
        ('{"input": "q", "output": ["x"]}', "wrong_type"),
        ('{"input": "q", "output": "  "}', "empty_field"),
        ("{" * 10_000, "no_json"),
    ],
)
def test_a_reply_that_cannot_be_used_has_a_code(text: str, code: str) -> None:
    with pytest.raises(ReplyError) as caught:
        parse_reply("generate", NUMBER, text)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (None, "missing_field"),
        ({"A": "x"}, "wrong_options"),
        ({"A": "x", "B": "x"}, "wrong_options"),
        ({"A": "x", "B": ""}, "empty_field"),
        ({"A": "x", "B": "y", "C": "z"}, "wrong_options"),
    ],
)
def test_options_must_be_the_declared_letters_with_different_texts(options: object, code: str) -> None:
    value = GOOD if options is None else {**GOOD, "options": options}
    with pytest.raises(ReplyError) as caught:
        parse_reply("harder", CHOICE, json.dumps(value))
    assert caught.value.code == code


def test_good_options_come_in_the_declared_order() -> None:
    reply = parse_reply("easier", CHOICE, json.dumps({**GOOD, "options": {"B": "y", "A": "x"}}))
    assert list(reply["options"].items()) == [("A", "x"), ("B", "y")]


def test_keywords_pattern_and_free_text() -> None:
    assert parse_reply("keywords", NUMBER, '{"keywords": ["a  b", "a b", 3, ""]}') == {"keywords": ["a b"]}
    assert parse_reply("keywords", NUMBER, '{"keywords": "x, y; z"}') == {"keywords": ["x", "y", "z"]}
    assert parse_reply("pattern", NUMBER, '{"pattern": " p "}') == {"pattern": "p"}
    assert parse_reply("solve", NUMBER, " \\frac{1}{2}\n") == {"text": " \\frac{1}{2}\n"}
    with pytest.raises(ReplyError, match="keywords"):
        parse_reply("keywords", NUMBER, '{"keywords": []}')
