"""``language: true``: drop a sample that is clearly written in another language than ``task.language``.

A heuristic, no language model: the script of the letters, and among languages of one script the share of words that are
common function words of each. It names a language only where that share is large and well above the wanted language's;
formulas, code, short and mixed texts count as unknown and stay. A wanted language that is not in the table below is
judged by its script alone where that is known, and lets everything pass otherwise.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Any

from sdrl.filters.text import Sample, sample_text, words

LEAST_WORDS = 6  # fewer say nothing
LEAST_SHARE = 0.12  # of the words are function words of a language that is named
LEAST_KINDS = 3  # different ones of it
LEAST_LEAD = 2.0  # times the share of the wanted language
LEAST_LETTERS = 12

# Words that are frequent in one of these languages, and in few of the others.
COMMON = {
    "en": "the of and to in is that for it with as was on are by this be at from or an which have has not what how "
    "many much she he they their there if when each does did will would his her",
    "de": "der die das und ist nicht ein eine zu den mit von für auf sich im dem des als auch wie werden wird sind hat "
    "wenn oder bei nach aus viele wir er sie einen einem einer",
    "fr": "le la les des et est une du dans pour que qui sur au par avec ce il elle sont plus pas ne se aux combien "
    "ses cette ou mais chaque ont leur",
    "es": "el la los las de y en que es un una por con para se del al lo como más su cuántos cuántas tiene cada pero "
    "hay son sus este esta",
    "it": "il lo gli di e che è un una per con non del della dei sono nel si alla da quanti quante come ogni più ha "
    "suo anche questo questa le",
    "pt": "o os as de e que é um uma para com não do da dos em no na se por quantos quantas mais como tem cada são "
    "seu sua ele ela foi",
    "nl": "de het een en van is dat niet te op met voor zijn er aan als bij ook hij ze hoeveel heeft wordt elke naar "
    "maar dan deze zij",
    "sv": "och att det en ett är som på av för inte med den till har de om hur många varje han hon från var när ska",
    "da": "og at det en et er som på af for ikke med den til har de om hvor mange hver han hun fra var når skal",
    "no": "og at det en et er som på av for ikke med den til har de om hvor mange hver han hun fra var når skal",
    "pl": "i w na z się nie do jest że to o jak ile po za od ma są dla każdy oraz przez co czy jego jej",
    "cs": "a v na se je že to s z do o k jak kolik po za od má jsou pro každý nebo ale co jeho její",
    "tr": "bir ve bu da de için ile kaç ne var olan çok her sonra daha kadar olarak gibi mi ise",
    "fi": "ja on ei se että oli hän ovat kuinka monta joka mutta kun niin tai myös hänen jos mitä",
    "ru": "и в не на что с по как это из у за от к для сколько она он они был было каждый или если",
    "uk": "і в не на що з по як це із у за від до для скільки вона він вони був було кожен або якщо та",
}
# Scripts by the first word of a letter's Unicode name, and the languages that are written in them.
SCRIPTS = {
    "LATIN": (
        "en",
        "de",
        "fr",
        "es",
        "it",
        "pt",
        "nl",
        "sv",
        "da",
        "no",
        "nb",
        "nn",
        "pl",
        "cs",
        "tr",
        "fi",
        "hu",
        "ro",
    ),
    "CYRILLIC": ("ru", "uk", "bg", "be"),
    "GREEK": ("el",),
    "ARABIC": ("ar", "fa", "ur"),
    "HEBREW": ("he",),
    "DEVANAGARI": ("hi", "mr", "ne"),
    "THAI": ("th",),
    "HANGUL": ("ko",),
    "CJK": ("zh", "ja"),
    "HIRAGANA": ("ja",),
    "KATAKANA": ("ja",),
}


class Language:
    """Knows the wanted language alone; kept samples do not change it."""

    code = "language"

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted.replace("_", "-").split("-")[0].casefold()

    def check(self, sample: Sample) -> dict[str, Any] | None:
        """``{"found": language or script, "wanted": language}`` where the text is clearly another's, or None."""
        text = sample_text(sample)
        found = script_of(text)
        own = [script for script, languages in SCRIPTS.items() if self._wanted in languages]
        is_foreign = found is not None and bool(own) and found not in own
        if is_foreign and found != "LATIN":  # whose letters are also those of formulas and code
            return {"found": str(found).lower(), "wanted": self._wanted}
        if self._wanted not in COMMON and not is_foreign:
            return None
        spoken = language_of(text, self._wanted)
        return None if spoken in (None, self._wanted) else {"found": spoken, "wanted": self._wanted}

    def remember(self, sample: Sample) -> None:
        """Nothing to remember."""


def script_of(text: str) -> str | None:
    """The script of most of the letters; None where they are few or mixed."""
    counts = Counter(_script(letter) for letter in text if letter.isalpha())
    total = sum(counts.values())
    if total < LEAST_LETTERS:
        return None
    script, most = counts.most_common(1)[0]
    return script if most > 0.7 * total and script in SCRIPTS else None


def language_of(text: str, wanted: str) -> str | None:
    """The language whose function words the text uses most, in doubt the wanted one; None where it uses too few."""
    found = [word for word in words(text) if len(word) > 1 and not word.isdigit()]  # single letters are variables
    if len(found) < LEAST_WORDS:
        return None
    shares = {name: sum(word in common for word in found) / len(found) for name, common in _common().items()}
    best = max(shares, key=lambda name: (shares[name], name))
    if shares[best] < LEAST_SHARE or len(_common()[best] & set(found)) < LEAST_KINDS:
        return None
    return best if shares[best] >= LEAST_LEAD * shares.get(wanted, 0.0) else wanted


@lru_cache(maxsize=1)
def _common() -> dict[str, frozenset[str]]:
    return {name: frozenset(word for word in text.split() if len(word) > 1) for name, text in COMMON.items()}


@lru_cache(maxsize=65_536)
def _script(letter: str) -> str:
    name = unicodedata.name(letter, "")
    return name.partition(" ")[0]
