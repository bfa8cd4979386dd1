"""A picture as PNG: the same SVG drawn at twice its size by resvg (the extra ``png``), with a font of this machine.

A renderer of its own and no browser: it is one small wheel without dependencies, and what it draws is the SVG itself.
It brings no font, so the first family of ``FAMILIES`` that draws a letter is taken.
"""

from __future__ import annotations

from functools import cache

ZOOM = 2
FAMILIES = (
    "DejaVu Sans", "Liberation Sans", "Noto Sans", "Arial", "Helvetica", "Segoe UI", "Verdana", "Roboto", "Cantarell",
    "Ubuntu", "FreeSans", "Nimbus Sans", "Droid Sans", "Lucida Grande", "Tahoma",
)  # fmt: skip
_PROBE = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><text x="2" y="15">M</text></svg>'
_EMPTY = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"></svg>'


def why_not() -> str | None:
    """Why no PNG can be drawn here, and what mends it; None when one can."""
    try:
        import resvg_py  # noqa: F401
    except ModuleNotFoundError:
        return "drawing PNG needs the package resvg-py: pip install 'sdrl[png]'"
    if not _family():
        return f"this machine has no font that resvg finds; install one of {', '.join(FAMILIES[:4])}"
    return None


def to_png(svg: str) -> bytes:
    """A standalone SVG drawn; only where ``why_not`` has nothing to say."""
    return _drawn(svg, _family(), ZOOM)


@cache
def _family() -> str:
    """The first family that this machine has; empty without any."""
    empty = _drawn(_EMPTY, "", 1)
    return next((name for name in FAMILIES if _drawn(_PROBE, name, 1) != empty), "")


def _drawn(svg: str, family: str, zoom: int) -> bytes:
    from resvg_py import svg_to_bytes

    return bytes(svg_to_bytes(svg_string=svg, zoom=zoom, font_family=family, sans_serif_family=family))
