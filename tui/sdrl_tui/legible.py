"""Text that can be read on what it stands on, in every theme: at least 4.5 to 1, as WCAG 2 asks for text.

The last filter of every line that is drawn. Where a theme, a mark or a dimmed word has less, the colour goes towards
white or black until it has enough, and keeps its hue. A terminal's own colours (the ansi themes) are not known and
stay, as do lines, blocks and marks that are no text.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rich.color import Color as RichColor
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

LEAST = 4.5
STEPS = 32  # how finely a colour is moved
_TEXT = re.compile(r"[^\W_]")
_WHITE, _BLACK = ColorTriplet(255, 255, 255), ColorTriplet(0, 0, 0)


class Legible(LineFilter):
    """See above."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments with colours that can be read."""
        behind = background.rich_color.triplet
        return [
            segment
            if segment.style is None or not _TEXT.search(segment.text)
            else Segment(segment.text, _legible(segment.style, behind), segment.control)
            for segment in segments
        ]


@lru_cache(4096)
def _legible(style: Style, behind: ColorTriplet | None) -> Style:
    text, ground = (each.triplet if each is not None else None for each in (style.color, style.bgcolor))
    ground = ground or behind
    if text is None or ground is None:
        return style
    if style.reverse:
        return style + Style(bgcolor=RichColor.from_triplet(raised(ground, text)))
    return style + Style(color=RichColor.from_triplet(raised(text, ground)))


def raised(text: ColorTriplet, ground: ColorTriplet) -> ColorTriplet:
    """The colour nearest to ``text`` that can be read on ``ground``, on its way to white or black."""
    if contrast(text, ground) >= LEAST:
        return text
    end = max(_WHITE, _BLACK, key=lambda each: contrast(each, ground))
    steps = (_mixed(text, end, step / STEPS) for step in range(1, STEPS + 1))
    return next((each for each in steps if contrast(each, ground) >= LEAST), end)


def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    """The contrast of two colours as WCAG 2 counts it, 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: ColorTriplet) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (each / 255 for each in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mixed(text: ColorTriplet, end: ColorTriplet, share: float) -> ColorTriplet:
    return ColorTriplet(*(round(a + (b - a) * share) for a, b in zip(text, end, strict=True)))
