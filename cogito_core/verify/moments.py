"""Clock times and dates, read to plain numbers."""

from __future__ import annotations

import re
from typing import NamedTuple

from cogito_core.verify.words import number_words

_TIME = re.compile(
    r"(?:at\s+)?(\d{1,2})\s*:\s*(\d{2})(?:\s*:\s*(\d{2}))?\s*(a\.?\s?m\.?|p\.?\s?m\.?)?(?:\s*o'?clock)?", re.I
)
_HOURS = "twelve one two three four five six seven eight nine ten eleven".split()
_SPOKEN = re.compile(
    r"(?P<to>(?:a\s+)?quarter|half|twenty[- ]five|twenty|ten|five|\d{1,2})(?:\s+minutes?)?\s+"
    r"(?P<way>past|after|to|before)\s+"
    rf"(?P<hour>{'|'.join(_HOURS)}|\d{{1,2}})(?:\s*o'?clock)?|(?P<full>{'|'.join(_HOURS)})\s+o'?clock",
    re.I,
)
_MINUTES = {"quarter": 15, "half": 30, "twenty-five": 25, "twenty": 20, "ten": 10, "five": 5}
_HOUR = re.compile(r"(\d{1,2})\s*(a\.?\s?m\.?|p\.?\s?m\.?|o'?clock)", re.I)
_CHINESE = re.compile(
    r"(凌晨|早上|上午|中午|下午|晚上|傍晚)?\s*(\d{1,2}|十[一二]?|[一二两三四五六七八九])\s*(?:点钟?|时|:)"
    r"\s*(?:(\d{1,2})\s*分?|(半)|整|(一刻))?"
)
_PAST = re.compile(
    r"(?:a\s+)?(half|quarter|[a-z-]+\s+minutes?|\d{1,2}(?:\s+minutes?)?)\s+(past|after|to)\s+([a-z]+|\d{1,2})", re.I
)
_NAMED = {"noon": (12, "p"), "midday": (12, "p"), "midnight": (0, "a")}
_MONTHS = {
    name: number
    for number, name in enumerate(
        "january february march april may june july august september october november december".split(), start=1
    )
}
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DATES = (
    re.compile(rf"(?:\w+day,?\s+)?{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})", re.I),
    re.compile(
        rf"(?:\w+day,?\s+)?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH},?\s+(?P<year>\d{{4}})", re.I
    ),
    re.compile(rf"{_MONTH},?\s+(?P<year>\d{{4}})", re.I),
    re.compile(rf"{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?", re.I),
    re.compile(rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}", re.I),
    re.compile(r"(?P<year>\d{4})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})"),
    re.compile(r"(?P<month>0?[1-9]|1[0-2])/(?P<day>\d{1,2})/(?P<year>\d{4})"),  # the custom of the USA comes first
    re.compile(r"(?P<day>\d{1,2})/(?P<month>0?[1-9]|1[0-2])/(?P<year>\d{4})"),
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})"),
    re.compile(r"(?P<year>\d{4})\s*年\s*(?P<month>\d{1,2})\s*月(?:\s*(?P<day>\d{1,2})\s*[日号])?"),
)


class Clock(NamedTuple):
    """Seconds after midnight; `half` is am, pm or "" where the text does not say."""

    seconds: int
    half: str


def read_time(text: str) -> Clock | None:
    """A clock time and nothing else: 12:30, 5:07:30, 5:30 p.m., 5 pm, half past ten."""
    spoken = _SPOKEN.fullmatch(text.strip().rstrip("."))
    if spoken:
        return _spoken(spoken)
    text = text.strip().rstrip(".") if not text.lower().rstrip().endswith("m.") else text.strip()
    match = _TIME.fullmatch(text)
    if match:
        hours, minutes, seconds = int(match.group(1)), int(match.group(2)), int(match.group(3) or 0)
        half = (match.group(4) or "")[:1].lower()
    else:
        match = _HOUR.fullmatch(text)
        if not match:
            return _time_in_words(text)
        hours, minutes, seconds = int(match.group(1)), 0, 0
        half = match.group(2)[:1].lower().replace("o", "")
    if hours > 24 or minutes > 59 or seconds > 59 or (half and not 1 <= hours <= 12):
        return None
    if half:
        hours = hours % 12 + (12 if half == "p" else 0)
    return Clock(hours * 3600 + minutes * 60 + seconds, half)


def _spoken(match: re.Match[str]) -> Clock | None:
    """A time in words; the hour runs from 1 to 12, as one says it."""
    name = (match.group("full") or match.group("hour")).lower()
    hour = _HOURS.index(name) if name in _HOURS else int(name)
    if match.group("full"):
        return Clock((hour or 12) * 3600, "")
    said = re.sub(r"^a\s+", "", match.group("to").lower()).replace(" ", "-")
    minutes = _MINUTES[said] if said in _MINUTES else int(said)
    before = match.group("way").lower() in ("to", "before")
    unclear = match.group("way").lower() == "to" and said not in ("quarter", "twenty-five")  # ten to five: a ratio?
    if unclear and not re.search(r"minute|clock", match.group(), re.I):
        return None
    if not 0 <= hour <= 12 or minutes > 30 or (said == "half" and before):
        return None
    hour = (hour - before) % 12 or 12
    return Clock(hour * 3600 + (60 - minutes if before else minutes) * 60, "")


def _time_in_words(text: str) -> Clock | None:
    """Noon, half past three, quarter to four, 下午2:20, 三点半."""
    if text.lower() in _NAMED:
        hour, half = _NAMED[text.lower()]
        return Clock(hour * 3600, half)
    chinese, past = _CHINESE.fullmatch(text), _PAST.fullmatch(text)
    if chinese and not text.isascii():
        said, hour_text, minute_text, half_text, quarter = chinese.groups()
        hours = _count(hour_text)
        minutes = int(minute_text or (30 if half_text else 15 if quarter else 0))
        if hours is None or hours > 24 or minutes > 59:
            return None
        late = said in ("下午", "晚上", "傍晚", "中午")
        return Clock((hours % 12 + 12 if late and hours <= 12 else hours) * 3600 + minutes * 60, "p" if late else "")
    if past:
        share, side = past.group(1).lower(), past.group(2).lower()
        shift = {"half": 30, "quarter": 15}.get(share) or _count(re.sub(r"\s+minutes?$", "", share))
        hours = _count(past.group(3).lower())
        if not shift or hours is None or not (1 <= hours <= 12 and shift < 60):
            return None
        seconds = (hours * 3600 + (shift if side != "to" else -shift) * 60) % 43200
        return Clock(seconds if seconds >= 3600 else seconds + 43200, "")
    return None


def _count(text: str) -> int | None:
    value = int(text) if text.isdigit() else number_words(text)
    return value if isinstance(value, int) else None


def same_time(gold: Clock, answer: Clock) -> bool:
    """17:30 is 5:30 pm. A time that does not say am or pm is read as written."""
    if gold.half and not answer.half:
        return gold.seconds == answer.seconds and answer.seconds >= 13 * 3600
    return gold.seconds == answer.seconds or (
        not gold.half
        and bool(answer.half)
        and (gold.seconds - answer.seconds) % 43200 == 0
        and gold.seconds < 13 * 3600
    )


def dates_in(text: str) -> list[tuple[int, int]]:
    """Spans of the dates in a text, from left to right; the longest where several begin or overlap."""
    spans = sorted(
        (match.span() for pattern in _DATES for match in pattern.finditer(text)), key=lambda span: (span[0], -span[1])
    )
    kept: list[tuple[int, int]] = []
    for start, end in spans:
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept


def read_date(text: str) -> tuple[int, int, int] | None:
    """(year, month, day), 0 for a part that is not given; None where the text is no date."""
    text = re.sub(r"^(?:on\s+)?the\s+", "", text.strip().rstrip("."), flags=re.I)
    for pattern in _DATES:
        match = pattern.fullmatch(text)
        if match:
            parts = match.groupdict()
            month = parts.get("month")
            if month is None:
                name = next(group for group in match.groups() if group and group[0].isalpha()).lower()
                number = next(value for key, value in _MONTHS.items() if key.startswith(name[:3]))
            else:
                number = int(month)
            day = int(parts.get("day") or 0)
            if not 1 <= number <= 12 or day > 31:
                return None
            return int(parts.get("year") or 0), number, day
    return None
