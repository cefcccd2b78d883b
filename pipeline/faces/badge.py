"""A badge as SVG: the version, and how many units the wrapper lacks of it.

Text is as wide as it says itself (``textLength``), so the picture does not depend on which fonts there are.
"""

from __future__ import annotations

import unicodedata
from xml.sax.saxutils import escape, quoteattr

from pipeline.faces.model import Overview
from pipeline.faces.words import shortened

_HEIGHT, _PAD = 20, 6
# Dark enough for white text: 4.5 to 1 and more.
_GREY, _GREEN, _RED = "#555555", "#2e7d32", "#b3261e"
# Widths in tenths of a pixel of a common sans-serif at 11 pixels; of what is not here, 65.
_WIDTHS = {char: width for width, chars in {31: " .,:;'|!ijl", 42: "()[]-/frt", 97: "mwMW%@"}.items() for char in chars}


def render(overview: Overview) -> str:
    label = shortened(f"{overview.program} {overview.version}")
    says = f"{overview.missing} missing" if overview.missing else "covered"
    left, right = _width(label), _width(says)
    color = _RED if overview.missing else _GREEN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{_HEIGHT}" role="img"'
        f" aria-label={quoteattr(f'{label}: {says}')}>\n"
        f"<title>{escape(overview.verdict)}</title>\n"
        f'<rect width="{left}" height="{_HEIGHT}" fill="{_GREY}"/>\n'
        f'<rect x="{left}" width="{right}" height="{_HEIGHT}" fill="{color}"/>\n'
        f'<g fill="#ffffff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">\n'
        f"{_text(label, 0, left)}{_text(says, left, right)}</g>\n"
        "</svg>\n"
    )


def _text(text: str, start: int, width: int) -> str:
    return f'<text x="{start + _PAD}" y="14" textLength="{width - 2 * _PAD}">{escape(text)}</text>\n'


def _width(text: str) -> int:
    """Of the part of the badge that holds the text, in pixels."""
    wide = sum(110 if unicodedata.east_asian_width(char) in "WF" else _WIDTHS.get(char, 65) for char in text)
    return 2 * _PAD + -(-wide // 10)
