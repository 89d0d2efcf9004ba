"""Units of measurement: exact factors and dimensions, English, symbols and Chinese.

Factors are those of the SI brochure (BIPM, 9th edition) and, for customary units, of the international yard and
pound agreement of 1959 (1 in = 0.0254 m, 1 lb = 0.45359237 kg): all exact, so conversions are exact too.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from cogito_core.verify.unit_tables import (
    ALONE,
    CHINESE,
    LARGE_ONLY,
    LAST_IN_PRODUCT,
    LONG_PREFIX,
    NAMES,
    NOT_A_NOUN,
    PREFIX,
    PREFIXED,
    PRODUCTS,
    SYMBOLS,
    dims_of,
)
from cogito_core.verify.words import is_number_word

MAX_UNIT = 120
"""Characters; longer text names no unit."""


class Unit(NamedTuple):
    """`factor` times the SI base units `dims`; a counted noun has `noun` and no dimension.

    `dims` pairs a base unit with its exponent, sorted. `clear` is False where the unit was read from one bare letter,
    which may as well be a variable.
    """

    factor: Fraction
    dims: tuple[tuple[str, int], ...]
    name: str
    noun: str = ""
    clear: bool = True

    def __str__(self) -> str:
        return self.name

    def same_dimension(self, other: Unit) -> bool:
        return self.dims == other.dims


_BRACED = r"\{((?:[^{}]|\{[^{}]*\})*)\}"
_FRACTION = re.compile(rf"\\[dt]?frac\s*{_BRACED}\s*{_BRACED}")
_EXPONENT = re.compile(r"\^?\s*\{?\s*([+-]?\d{1,2})\s*\}?")
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_FACTOR = re.compile(r"([A-Za-zΩμµÅ°][A-Za-zΩ]*(?:-[a-z]+)?)\s*(\^\s*\{?\s*[+-]?\d{1,2}\s*\}?|[23](?!\d)|(?=\W|$))")


def _symbol(name: str) -> tuple[Fraction, tuple[tuple[str, int], ...]] | None:
    """Factor and dimension of one symbol, with its prefix."""
    known = SYMBOLS.get(name) or ALONE.get(name)
    if known:
        return known
    prefix, rest = name[:1], name[1:]
    if prefix in PREFIX and rest in PREFIXED and (rest not in LARGE_ONLY or prefix in "kMGT"):
        factor, dims = SYMBOLS[rest]
        return factor * Fraction(10) ** PREFIX[prefix], dims
    return None


def _simple(name: str) -> tuple[Fraction, tuple[tuple[str, int], ...]] | None:
    """Factor and dimension of one unit word, with prefix and plural."""
    if "-" in name and name not in NAMES and len(parts := name.split("-")) == 2:  # newton-meters
        found = [_simple(part) for part in parts]
        if found[0] and found[1]:
            product = _combine([(*found[0], 1), (*found[1], 1)], name)
            return product.factor, product.dims
    known = _symbol(name)
    if known:
        return known
    for head, tails in PRODUCTS.items():
        start = name.find(head)
        if (
            start in (0, 1)
            and name[start + len(head) :] in tails.split()
            and (one := _simple(name[: start + len(head)]))
        ):
            product = _combine([(*one, 1), (*(SYMBOLS | ALONE)[name[start + len(head) :]], 1)], name)
            return product.factor, product.dims
    lower = name.lower()
    if len(lower) < 3:
        return None
    for word in (lower, lower.removesuffix("s"), lower.removesuffix("es")):
        if word in NAMES:
            return NAMES[word]
        for prefix, power in LONG_PREFIX.items():
            if word.startswith(prefix) and word[len(prefix) :] in NAMES:
                factor, dims = NAMES[word[len(prefix) :]]
                return factor * Fraction(10) ** power, dims
    if lower in (
        "kg",
        "cm",
        "mm",
        "km",
        "ml",
        "hz",
        "khz",
        "mhz",
        "ghz",
        "kwh",
        "mg",
        "pa",
        "kpa",
        "kj",
        "kw",
        "kn",
        "mpa",
    ):
        return (
            _simple(
                {
                    "kwh": "kWh",
                    "khz": "kHz",
                    "mhz": "MHz",
                    "ghz": "GHz",
                    "hz": "Hz",
                    "kpa": "kPa",
                    "mpa": "MPa",
                    "kj": "kJ",
                    "kw": "kW",
                    "kn": "kN",
                    "pa": "Pa",
                }.get(lower, lower)
            )
            if name != lower
            else None
        )
    if lower in ALONE and name != lower and len(lower) > 1:
        return ALONE[lower]
    return None


def _last_inverted(name: str, power: int) -> list[tuple[Fraction, tuple[tuple[str, int], ...], int]]:
    """Two units written together, of which a negative power belongs to the second: Jkg^{-1}. Empty elsewhere.

    ms^{-1} is m s^{-1} by custom, though ms is also a millisecond; cm^{-1} stays one unit.
    """
    for tail in LAST_IN_PRODUCT:
        head = name.removesuffix(tail)
        if not head or head == name or (tail not in ("s", "h") and _symbol(name)):
            continue
        first, second = _symbol(head), _symbol(tail)
        if first and second and (tail not in ("s", "h") or "m" in dict(first[1]) or not _symbol(name)):
            return [(*first, 1), (*second, power)]
    return []


def _combine(parts: list[tuple[Fraction, tuple[tuple[str, int], ...], int]], name: str) -> Unit:
    factor, powers = Fraction(1), {}  # type: Fraction, dict[str, int]
    for one, dims, power in parts:
        factor *= one**power
        for base, exponent in dims:
            powers[base] = powers.get(base, 0) + exponent * power
    return Unit(factor, tuple(sorted((b, p) for b, p in powers.items() if p)), name)


def _plain(text: str) -> str:
    """Unit text without LaTeX dress."""
    text = re.sub(
        r"\\(?:text|mathrm|mbox|textbf|textit|textnormal|rm|mathit|operatorname|unit|hbox|textrm|mathbf|bf|mathsf)\s*",
        "",
        text,
    )
    text = _FRACTION.sub(lambda match: f"{match.group(1)}/({match.group(2)})", text)
    text = text.replace("\\mu", "μ").replace("\\Omega", "Ω").replace("\\degree", "°").replace("\\circ", "°")
    text = (
        re.sub(r"(?<![A-Za-z])([μkMGmn])\s+(?=[ΩFAgsmVHCTW](?:[^a-z]|$))", r"\1", text)
        if "μ" in text or "Ω" in text
        else text
    )
    text = re.sub(r"\^\s*\{?\s*°\s*\}?", "°", text)
    text = re.sub(r"\\(?:cdot|times|,|;|!|:| )|[·⋅∙×*]|~", " ", text).replace("\\%", "%").replace("\\$", "$")
    text = re.sub(r"(?<!\^)\{([^{}]*)\}", r"\1", text)
    if not text.isascii():
        text = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda m: "^" + m.group().translate(_SUPERSCRIPT), text)
        text = text.replace("℃", "°C").replace("℉", "°F").replace("㎡", "m^2").replace("㎝", "cm").replace("º", "°")
    return " ".join(text.split()).strip(" .")


@lru_cache(maxsize=4096)
def parse_unit(text: str) -> Unit | None:
    """The unit that `text` names, a counted noun, or None. "km/h", "m s^{-2}", "square feet", "\\text{ cm}^2",
    "平方米"."""
    if len(text) > MAX_UNIT:
        return None
    plain = _plain(text)
    if not plain:
        return None
    money = {
        "$": "USD",
        "€": "EUR",
        "£": "GBP",
        "¥": "CNY",
        "￥": "CNY",
        "¢": "cent",
        "US$": "USD",
        "dollars": "USD",
        "\\euro": "EUR",
    }.get(plain)
    if money == "cent":
        return Unit(Fraction(1, 100), dims_of(USD=1), "cents")
    if money:
        return Unit(Fraction(1), dims_of(**{money: 1}), plain if money == "CNY" else money)
    chinese = plain.replace("平方公分", "平方厘米").replace("每小时", "/小时").replace("每秒", "/秒").replace(" ", "")
    if not chinese.isascii() and re.search(r"[\u3400-\u9fff]", chinese):
        if chinese in CHINESE:
            return Unit(*CHINESE[chinese], chinese)
        top, slash, bottom = chinese.partition("/")
        if slash and top in CHINESE and bottom in CHINESE:
            return _combine([(*CHINESE[top], 1), (*CHINESE[bottom], -1)], chinese)
        if re.fullmatch(r"[\u3400-\u9fff]{1,4}", chinese) and not re.search(r"[或和与不是的以上下半倍]", chinese):
            return Unit(Fraction(1), (), chinese, noun=chinese)
        return None
    plain = re.sub(r"(?<=[A-Za-z]) an? (?=(?:second|minute|hour|day|week|month|year)$)", " per ", plain)
    return _english(plain) or _noun(plain) or _rate(plain)


def _english(plain: str) -> Unit | None:
    text = re.sub(r"\b(sq\.?|square)\s+([A-Za-z]+)", r"\2^2", plain, flags=re.I)
    text = re.sub(r"\b(cu\.?|cubic)\s+([A-Za-z]+)", r"\2^3", text, flags=re.I)
    text = re.sub(r"\b([A-Za-z]+)\s+squared\b", r"\1^2", text)
    text = re.sub(r"\b([A-Za-z]+)\s+cubed\b", r"\1^3", text)
    text = re.sub(r"\s*\b(?:per|an|a)\s+(?:an?\s+)?", "/", text) if " per " in f" {text} " else text
    text = re.sub(r"(°)\s*(C|F)\b", r"\1\2", text)
    text = re.sub(r"deg(?:rees?)?\.?\s+(?:celsius|centigrade|c\b)", "°C", text, flags=re.I)
    text = re.sub(r"deg(?:rees?)?\.?\s+(?:fahrenheit|f\b)", "°F", text, flags=re.I)
    parts: list[tuple[Fraction, tuple[tuple[str, int], ...], int]] = []
    sign, position, below = 1, 0, False
    while position < len(text):
        char = text[position]
        if char in " ().-" and char != ")":
            position += 1
            continue
        if char == ")":
            below, sign, position = False, 1, position + 1
            continue
        if char == "/":
            sign, below, position = -1, text[position + 1 : position + 2] == "(", position + 1
            continue
        match = _FACTOR.match(text, position)
        if match is None:
            return None
        found = _EXPONENT.match(match.group(2)) if match.group(2) else None
        power = int(found.group(1)) if found else 1
        together = _last_inverted(match.group(1), power) if power < 0 and sign > 0 else []
        known = _simple(match.group(1))
        if together:
            parts += together
        elif known is None:
            return None
        else:
            parts.append((*known, sign * power))
        position = match.end()
        if not below:
            sign = 1
    if not parts or len(parts) > 8 or any(abs(power) > 12 for *_, power in parts):
        return None
    unit = _combine(parts, plain)
    if not unit.dims and len(parts) > 1:  # hours per day: a rate, whose number is not rescaled
        return Unit(Fraction(1), (), plain, noun=f"{parts[0][0]}/{unit.factor}")
    return unit


def _rate(plain: str) -> Unit | None:
    """Things per unit: "beats per minute", "people/km^2"."""
    top, sign, bottom = re.sub(r"\s+per\s+(?:an?\s+)?", "/", plain).partition("/")
    head, below = _noun(top.strip()), _english(bottom.strip()) or _noun(bottom.strip())
    if not sign or head is None or below is None:
        return None
    return Unit(
        Fraction(1),
        (),
        plain,
        noun=f"{head.noun} per {below.noun or f'{below.factor}:{below.dims}'.replace(' ', '')}",
    )


def _noun(plain: str) -> Unit | None:
    squared = re.fullmatch(r"(unit)s?\s*\^?\s*\{?([23])\}?", plain, re.I)
    if squared:
        plain = f"{'square' if squared.group(2) == '2' else 'cubic'} units"
    words = [
        {"sq": "square", "cu": "cubic"}.get(word, word)
        for word in plain.lower().replace("-", " ").replace("'", "").split()
    ]
    if not 1 <= len(words) <= 6 or not all(word.isalpha() for word in words):
        return None
    if any(word in NOT_A_NOUN for word in words) or not any(len(word) >= 3 for word in words):
        return None
    if any(is_number_word(word) for word in words):
        return None
    if words[-1] in ("units", "unit") and (len(words) == 1 or words[:-1] in (["square"], ["cubic"])):
        return Unit(Fraction(1), (), plain, noun=" ".join((*words[:-1], "unit")))
    return Unit(Fraction(1), (), plain, noun=" ".join(words))


def same_noun(one: str, other: str) -> bool:
    """Whether two counted nouns name the same things: equal but for plural, articles and adjectives before the head.

    >>> same_noun("red apples", "apple"), same_noun("apples", "oranges")
    (True, False)
    """

    def stem(word: str) -> str:
        return word.removesuffix("s") if len(word) > 3 else word

    a, b = (
        [stem(w) for w in text.split() if w not in ("the", "a", "an", "of", "in", "total")] for text in (one, other)
    )
    if not a or not b or "unit" in (one, other):
        return not any(text.startswith(("square ", "cubic ")) for text in (one, other))
    return a == b or a[-1:] == b or b[-1:] == a or a[:1] == b or b[:1] == a
