"""How much of each version a wrapper covers, as a picture: one column for each version that was read."""

from __future__ import annotations

import decimal
from collections.abc import Sequence

from leather import Axis, Chart
from markupsafe import Markup

_WIDTH, _HEIGHT = 920, 280
# What is shown of it: leather leaves a twentieth of the width around, and puts a legend on top that cannot be named.
_SHOWN = "30 54 880 184"
_TICKS = 6
_DIGITS = 6


def columns(versions: Sequence[str], counted: Sequence[int], covered: Sequence[int], *, label: str) -> Markup:
    """An SVG picture: light columns for all units that count, and dark ones before them for those that are covered.

    Colours are left to the page's style sheet. ``label`` is plain text, which a screen reader reads. Nothing is drawn
    where there is nothing to count.
    """
    if not any(counted):
        return Markup()
    # leather computes with decimals; without this each coordinate has 28 digits.
    with decimal.localcontext(prec=_DIGITS):
        chart = Chart()
        chart.set_x_axis(Axis(ticks=_spread(versions)))
        chart.add_columns(list(zip(versions, counted, strict=True)))
        chart.add_columns(list(zip(versions, covered, strict=True)))
        drawn = str(chart.to_svg(None, _WIDTH, _HEIGHT))
    size = f'<svg width="{_WIDTH}" height="{_HEIGHT}"'
    opening = Markup('<svg class="chart" viewBox="{}" role="img" aria-label="{}"').format(_SHOWN, label)
    return opening + Markup(drawn.removeprefix(size))  # noqa: S704 - leather escapes what it is given


def _spread(versions: Sequence[str]) -> list[str]:
    """A few versions at equal distances, with the first and the last."""
    last = len(versions) - 1
    places = sorted({round(last * at / (_TICKS - 1)) for at in range(_TICKS)})
    return [versions[at] for at in places]
