"""Clock times and dates, read to plain numbers."""

from __future__ import annotations

import re
from typing import NamedTuple

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
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"),
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
            return None
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


def read_date(text: str) -> tuple[int, int, int] | None:
    """(year, month, day), 0 for a part that is not given; None where the text is no date."""
    text = text.strip().rstrip(".")
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
