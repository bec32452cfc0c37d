"""A plot for the documentation: bars with their figures, as SVG."""

from collections.abc import Sequence
from html import escape

_WIDTH, _BAR, _GAP, _LEFT, _TOP = 640, 28, 12, 150, 44


def bars(title: str, points: Sequence[tuple[str, float]]) -> str:
    """One bar for each point, as long as its figure, beside the number it is for."""
    most = max(value for _, value in points)
    height = _TOP + len(points) * (_BAR + _GAP)
    rows = []
    for at, (name, value) in enumerate(points):
        y = _TOP + at * (_BAR + _GAP)
        length = round((_WIDTH - _LEFT - 80) * value / most)
        middle = y + _BAR // 2 + 5
        rows += [
            f'<text x="{_LEFT - 10}" y="{middle}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{_LEFT}" y="{y}" width="{length}" height="{_BAR}" fill="#2f6f8f"/>',
            f'<text x="{_LEFT + length + 8}" y="{middle}">{value:,.0f}</text>',
        ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" role="img"'
        f' font-family="sans-serif" font-size="14" aria-label="{escape(title)}">'
    )
    frame = '<rect width="100%" height="100%" fill="#ffffff"/>'
    said = f'<text x="10" y="24" font-weight="bold">{escape(title)}</text>'
    return "\n".join((head, frame, said, *rows, "</svg>", ""))
