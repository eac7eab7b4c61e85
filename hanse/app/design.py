"""The living page: every token and component of the look, with samples, at ``/design``.

What stands here is what the pages are built from. A new component gets its place on this page in the same
commit; the tests compare the lists below with the style sheet and the drawings.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from typing import Any

from hanse.app.i18n import N_
from hanse.app.templating import BUILT, PICTURES, asset

COLOURS = {
    N_("Grounds"): ("ground", "surface", "sunken", "raised", "chosen", "band", "band-raised"),
    N_("Ink and lines"): ("ink", "ink-soft", "on-band", "on-band-soft", "line", "line-strong", "focus"),
    N_("Navy acts"): ("primary", "primary-hover", "on-primary", "primary-soft", "on-primary-soft"),
    N_("Brick red is the accent"): (
        "accent", "accent-hover", "on-accent", "accent-ink", "accent-soft", "on-accent-soft",
    ),
    N_("States"): (
        "good", "good-soft", "on-good-soft", "warn", "warn-soft", "on-warn-soft", "neutral-soft", "on-neutral-soft",
    ),
    N_("Drawings and map"): (
        "draw-line", "draw-ground", "draw-sky", "draw-brick", "draw-sand", "draw-paper",
        "map-ground", "map-water", "map-green", "map-building", "map-road", "map-street", "map-path", "map-rail",
    ),
}  # fmt: skip

# What is written on what, and the contrast it needs: 4.5 for text, 3 for signs and edges (WCAG 2.2, AA).
PAIRS: tuple[tuple[str, str, float], ...] = (
    *((ink, ground, 4.5) for ink in ("ink", "ink-soft", "primary", "accent-ink")
      for ground in ("ground", "surface", "sunken", "raised")),
    *((ink, ground, 4.5) for ink in ("on-band", "on-band-soft") for ground in ("band", "band-raised")),
    *((f"on-{tone}", tone, 4.5) for tone in (
        "primary", "accent", "primary-soft", "accent-soft", "good-soft", "warn-soft", "neutral-soft")),
    ("ink", "chosen", 4.5),
    ("on-primary", "primary-hover", 4.5),
    ("on-accent", "accent-hover", 4.5),
    ("good", "surface", 4.5),
    ("ink-soft", "neutral-soft", 4.5),
    ("primary", "primary-soft", 4.5),
    *((edge, ground, 3.0) for edge in ("line-strong", "focus", "accent") for ground in ("ground", "surface", "sunken")),
    ("draw-line", "draw-ground", 3.0),
)  # fmt: skip


def context(now: datetime) -> dict[str, Any]:
    """What the template ``design.html`` needs."""
    return {
        "now": now,
        "colours": COLOURS,
        "pictures": PICTURES,
        "icons": _icons(),
        "trend": [round(12 + 5 * math.sin(i / 3) + i / 4, 1) for i in range(28)],
        "rate": [
            [int((now - timedelta(seconds=4 * (90 - i))).timestamp()) for i in range(90)],
            [round(1 + 0.6 * math.sin(i / 9) + 0.25 * math.sin(i * 2.3), 2) for i in range(90)],
        ],
    }


def _icons() -> list[str]:
    sprite = (BUILT / asset("icons.svg").rsplit("/", 1)[-1]).read_text()
    return re.findall(r'<symbol id="([^"]+)"', sprite)
