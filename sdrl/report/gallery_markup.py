"""The gallery of samples as markup: filters, an order, and one card a sample. Pure; every text passes ``escape``.

Without the page's script all cards are shown and no control; with it they come by the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from sdrl.report.samples import Gallery, Sample

_ORDERS = (("", "as listed"), ("rate", "hardest first"), ("agreement", "least agreement first"))
_LINKED = frozenset({"parent", "passage"})  # facts that other cards carry too: a click searches for them


def gallery_markup(found: Gallery) -> str:
    """The whole gallery."""
    samples = found.samples
    filters = "".join(
        _choice(name, words, values)
        for name, words, values in (
            ("stage", "every stage", [each.stage for each in samples]),
            ("outcome", "every outcome", [each.outcome for each in samples]),
            ("mark", "every mark", [mark for each in samples for mark in each.marks]),
        )
    )
    orders = "".join(f'<option value="{value}">{words}</option>' for value, words in _ORDERS)
    said = (
        f"{len(samples):,} of {found.total:,} are here, an even spread of each outcome."
        if len(samples) < found.total
        else f"All {found.total:,} are here."
    )
    return (
        f'<div class="card"><p>Samples by where they ended, and answers to test problems. {said} Open one to see its '
        f'texts and where it comes from.</p><div class="filters" hidden>{filters}'
        f'<select id="f-order" aria-label="order">'
        f'{orders}</select><input id="f-search" type="search" aria-label="search" placeholder="search in texts, ids, '
        f'keys"><output id="f-count"></output></div><div id="samples">{"".join(map(_sample, samples))}</div>'
        '<button id="f-more" type="button" hidden></button></div>'
    )


def _choice(name: str, words: str, values: Sequence[str]) -> str:
    options = "".join(f'<option value="{escape(value)}">{escape(value)}</option>' for value in dict.fromkeys(values))
    return f'<select id="f-{name}" aria-label="{name}"><option value="">{words}</option>{options}</select>'


def _sample(each: Sample) -> str:
    marks = "".join(f'<span class="tag{" warn" * (" " in mark)}">{escape(mark)}</span>' for mark in each.marks)
    texts = "".join(f"<b>{escape(name)}</b><pre>{escape(text)}</pre>" for name, text in each.texts)
    facts = "".join(_fact(name, value) for name, value in (("id", each.key), *each.facts) if value)
    orders = "".join(f' data-{name}="{value:g}"' for name, value in each.orders)
    return (
        f'<details class="sample" data-stage="{escape(each.stage)}" data-outcome="{escape(each.outcome)}" '
        f'data-marks="{escape("|".join(each.marks))}"{orders}><summary><span class="tag">{escape(each.stage)}</span>'
        f'<span class="tag">{escape(each.outcome)}</span>{marks}{escape(each.text)}</summary>{texts}<dl>{facts}</dl>'
        "</details>"
    )


def _fact(name: str, value: str) -> str:
    shown = escape(value)
    if name in _LINKED:
        shown = f'<button type="button" class="seek">{shown}</button>'
    return f"<dt>{escape(name)}</dt><dd>{shown}</dd>"
