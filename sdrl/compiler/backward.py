"""Questions asked backward: one number of a question becomes an unknown, and the new question asks for it.

Source: FOBAR and self-verification as in MetaMath (arXiv 2309.12284, section 3.3). Our departures: (1) where the
question has an x of its own, the next letter that it lacks is the unknown; (2) the sentence that asks stands in the
task's language, of those in ``SENTENCES``. Pure text: asks no model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from sdrl.compiler.numerals import amount, numerals

UNKNOWNS = "xyzwvutk"


class Sentence(NamedTuple):
    """What asks for the unknown: with an answer that is known (before it, between both, behind), and without one."""

    known: tuple[str, str, str]
    plain: tuple[str, str]


SENTENCES: Mapping[str, Sentence] = MappingProxyType(
    {
        "de": Sentence(
            (" Wenn wir wissen, dass die Antwort auf diese Frage ", " lautet, welchen Wert hat die Unbekannte ", "?"),
            (" Welchen Wert hat die Unbekannte ", "?"),
        ),
        "en": Sentence(
            (" If we know the answer to the above question is ", ", what is the value of unknown variable ", "?"),
            (" What is the value of unknown variable ", "?"),
        ),
        "es": Sentence(
            (" Si sabemos que la respuesta a la pregunta anterior es ", ", ¿cuál es el valor de la incógnita ", "?"),
            (" ¿Cuál es el valor de la incógnita ", "?"),
        ),
        "fr": Sentence(
            (" Si l'on sait que la réponse à cette question est ", ", quelle est la valeur de l'inconnue ", " ?"),
            (" Quelle est la valeur de l'inconnue ", " ?"),
        ),
        "it": Sentence(
            (" Se sappiamo che la risposta alla domanda precedente è ", ", qual è il valore dell'incognita ", "?"),
            (" Qual è il valore dell'incognita ", "?"),
        ),
        "pt": Sentence(
            (" Se sabemos que a resposta à pergunta acima é ", ", qual é o valor da incógnita ", "?"),
            (" Qual é o valor da incógnita ", "?"),
        ),
        "zh": Sentence(("如果已知上述问题的答案是 ", " ，那么未知数 ", " 的值是多少？"), ("未知数 ", " 的值是多少？")),
    }
)  # fmt: skip


class Masked(NamedTuple):
    """A question with a letter for one of its numbers, that letter, and the number."""

    question: str
    unknown: str
    value: str


def maskings(question: str, language: str) -> tuple[Masked, ...]:
    """The question once for each of its numbers; none where it has no number, or every letter already."""
    unknown = next((letter for letter in UNKNOWNS if not has_letter(question, letter)), None)
    if unknown is None:
        return ()
    return tuple(
        Masked(question[: each.start] + unknown + question[each.end :], unknown, each.value)
        for each in numerals(question, language)
    )


def asked_back(masked: Masked, answer: str, language: str) -> str:
    """The masked question, the answer that is known, and the question for the unknown."""
    first, second, last = SENTENCES[language_of(language)].known
    return f"{_joined(masked.question, first)}{answer}{second}{masked.unknown}{last}"


def asked_of(statement: str, unknown: str, language: str) -> str:
    """A statement that holds the unknown, and the question for it."""
    first, last = SENTENCES[language_of(language)].plain
    return f"{_joined(statement, first)}{unknown}{last}"


def language_of(code: str) -> str:
    """The language of ``en-GB``."""
    return code.split("-")[0].lower()


def has_letter(text: str, letter: str) -> bool:
    """Whether ``letter`` stands in ``text`` as a name of its own, ``2x`` included."""
    return re.search(rf"(?<![A-Za-z]){letter}(?![A-Za-z])", text) is not None


def holds(text: str, answer: str, language: str) -> bool:
    """Whether ``text`` says ``answer``: as a number of the same value, or letter by letter but for spaces."""
    if "".join(answer.split()) in "".join(text.split()):
        return True
    try:
        wanted = amount(answer)
    except ValueError:
        return False
    return any(amount(each.value) == abs(wanted) for each in numerals(text, language))


def _joined(text: str, sentence: str) -> str:
    """A text of several lines is asked about in a line of its own."""
    text = text.strip()
    return text + ("\n" + sentence.lstrip() if "\n" in text else sentence)
