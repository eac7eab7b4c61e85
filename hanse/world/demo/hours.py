"""Opening hours as written in the map (``Mo-Fr 07:00-21:00; Sa 09:00-18:00``), as minutes of the day.

The simple forms, which nearly all shops use: days, ranges of days, several spans, ``off``, ``24/7``. Seasons and
public holidays are left out. Anything else is not understood, and the caller assumes hours by kind of shop.
"""

import re

__all__ = ["Week", "by_kind", "parse"]

Week = tuple[tuple[tuple[int, int], ...], ...]

_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_DAY_MINUTES = 24 * 60
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_RULE = re.compile(r"^(?:(?P<days>(?:(?:Mo|Tu|We|Th|Fr|Sa|Su|PH)[-,\s]*)+)\s*:?\s+)?(?P<spans>.+)$")
_SEASON = re.compile(r"^(?:\d{4}\s+)?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b")
_DAY_RANGE = re.compile(r"(Mo|Tu|We|Th|Fr|Sa|Su)(?:\s*-\s*(Mo|Tu|We|Th|Fr|Sa|Su))?")


def parse(text: str) -> Week | None:
    """Seven lists of (opens, closes), Monday first; `None` if the text is not of a simple form.

    Examples
    --------
    >>> parse("Mo-Fr 09:00-18:00; Sa 10:00-16:00")[5]
    ((600, 960),)
    """
    if text.strip() == "24/7":
        return (((0, _DAY_MINUTES),),) * 7
    week: list[tuple[tuple[int, int], ...]] = [()] * 7
    understood = False
    # A comma stands between spans, between days, and (against the rules) between rules: only the last parts here.
    for rule in re.split(r";|,(?=\s*(?:Mo|Tu|We|Th|Fr|Sa|Su)[-\w,\s]*\s\d)", text):
        rule = rule.strip()
        if not rule or rule.startswith("PH") or _SEASON.match(rule):
            continue
        match = _RULE.match(rule)
        spans = _spans(match["spans"]) if match else None
        if match is None or spans is None:
            return None
        for day in _days(match["days"] or "Mo-Su"):
            week[day] = spans
        understood = True
    return tuple(week) if understood and any(week) else None


def by_kind(kind: str) -> Week:
    """Hours that a shop of this kind in the centre usually keeps; an assumption."""
    weekday, saturday, sunday = _USUAL.get(kind, _USUAL["other"])
    return (weekday,) * 5 + (saturday, sunday)


def _spans(text: str) -> tuple[tuple[int, int], ...] | None:
    if text.strip() in ("off", "closed"):
        return ()
    spans = []
    for part in text.split(","):
        match = _SPAN.fullmatch(part.strip())
        if not match:
            return None
        opens, closes = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
        if opens > _DAY_MINUTES or closes > 2 * _DAY_MINUTES:
            return None
        spans.append((opens, closes if closes > opens else closes + _DAY_MINUTES))
    return tuple(spans)


def _days(text: str) -> list[int]:
    days: list[int] = []
    for first, last in _DAY_RANGE.findall(text):
        start, end = _DAYS.index(first), _DAYS.index(last or first)
        days += [day % 7 for day in range(start, end + 1 if end >= start else end + 8)]
    return days


_Span = tuple[tuple[int, int], ...]
_USUAL: dict[str, tuple[_Span, _Span, _Span]] = {
    "supermarket": (((420, 1320),), ((480, 1320),), ((600, 1320),)),
    "discounter": (((420, 1320),), ((480, 1320),), ((600, 1320),)),
    "convenience": (((420, 1380),), ((420, 1380),), ((540, 1380),)),
    "kiosk": (((420, 1260),), ((540, 1260),), ((600, 1260),)),
    "pharmacy": (((480, 1260),), ((540, 1140),), ((660, 1080),)),
    "market_hall": (((480, 1080),), ((480, 1080),), ()),
    "butcher": (((480, 1080),), ((480, 960),), ()),
    "bakery": (((450, 1080),), ((540, 960),), ()),
    "other": (((600, 1140),), ((600, 1080),), ((720, 1020),)),
}
