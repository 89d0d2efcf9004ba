"""Units of measurement: exact factors and dimensions, English, symbols and Chinese.

Factors are those of the SI brochure (BIPM, 9th edition) and, for customary units, of the international yard and
pound agreement of 1959 (1 in = 0.0254 m, 1 lb = 0.45359237 kg): all exact, so conversions are exact too.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

_NOT_A_NOUN = frozenset(
    """or and not no but if then maybe perhaps either neither nor versus vs is are was were be than
approximately about around roughly nearly almost over under plus minus times divided equals equal because since so
therefore thus hence where when which who that there the answer option choice otherwise instead except
without""".split()
)


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


def _dims(**powers: int) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((base, power) for base, power in powers.items() if power))


_LENGTH, _MASS, _TIME, _NONE = _dims(m=1), _dims(kg=1), _dims(s=1), _dims()
_FORCE, _ENERGY, _POWER = _dims(kg=1, m=1, s=-2), _dims(kg=1, m=2, s=-2), _dims(kg=1, m=2, s=-3)
_PRESSURE, _VOLUME, _AREA = _dims(kg=1, m=-1, s=-2), _dims(m=3), _dims(m=2)

# symbol: (factor, dimension). Prefixes apply to the symbols in _PREFIXED.
_SYMBOLS: dict[str, tuple[Fraction, tuple[tuple[str, int], ...]]] = {
    "m": (Fraction(1), _LENGTH),
    "g": (Fraction(1, 1000), _MASS),
    "s": (Fraction(1), _TIME),
    "A": (Fraction(1), _dims(A=1)),
    "K": (Fraction(1), _dims(K=1)),
    "mol": (Fraction(1), _dims(mol=1)),
    "cd": (Fraction(1), _dims(cd=1)),
    "N": (Fraction(1), _FORCE),
    "J": (Fraction(1), _ENERGY),
    "W": (Fraction(1), _POWER),
    "Pa": (Fraction(1), _PRESSURE),
    "Hz": (Fraction(1), _dims(s=-1)),
    "C": (Fraction(1), _dims(A=1, s=1)),
    "V": (Fraction(1), _dims(kg=1, m=2, s=-3, A=-1)),
    "Ω": (Fraction(1), _dims(kg=1, m=2, s=-3, A=-2)),
    "F": (Fraction(1), _dims(kg=-1, m=-2, s=4, A=2)),
    "H": (Fraction(1), _dims(kg=1, m=2, s=-2, A=-2)),
    "T": (Fraction(1), _dims(kg=1, s=-2, A=-1)),
    "Wb": (Fraction(1), _dims(kg=1, m=2, s=-2, A=-1)),
    "L": (Fraction(1, 1000), _VOLUME),
    "l": (Fraction(1, 1000), _VOLUME),
    "eV": (Fraction("1.602176634e-19"), _ENERGY),
    "bar": (Fraction(100000), _PRESSURE),
    "M": (Fraction(1000), _dims(mol=1, m=-3)),
    "cal": (Fraction("4.184"), _ENERGY),
    "B": (Fraction(8), _dims(bit=1)),
    "b": (Fraction(1), _dims(bit=1)),
    "bit": (Fraction(1), _dims(bit=1)),
    "t": (Fraction(1000), _MASS),
    "Wh": (Fraction(3600), _ENERGY),
}
_PREFIXED = frozenset("m g s A K mol N J W Pa Hz C V Ω F H T Wb L l eV bar M cal B bit Wh".split())
_PREFIX = {
    "n": -9,
    "μ": -6,
    "µ": -6,
    "u": -6,
    "m": -3,
    "c": -2,
    "d": -1,
    "k": 3,
    "M": 6,
    "G": 9,
    "T": 12,
    "p": -12,
    "f": -15,
    "h": 2,
}
_ALONE: dict[str, tuple[Fraction, tuple[tuple[str, int], ...]]] = {
    "h": (Fraction(3600), _TIME),
    "hr": (Fraction(3600), _TIME),
    "hrs": (Fraction(3600), _TIME),
    "min": (Fraction(60), _TIME),
    "mins": (Fraction(60), _TIME),
    "sec": (Fraction(1), _TIME),
    "secs": (Fraction(1), _TIME),
    "ft": (Fraction("0.3048"), _LENGTH),
    "in": (Fraction("0.0254"), _LENGTH),
    "yd": (Fraction("0.9144"), _LENGTH),
    "yds": (Fraction("0.9144"), _LENGTH),
    "mi": (Fraction("1609.344"), _LENGTH),
    "lb": (Fraction("0.45359237"), _MASS),
    "lbs": (Fraction("0.45359237"), _MASS),
    "oz": (Fraction("0.45359237") / 16, _MASS),
    "mph": (Fraction("0.44704"), _dims(m=1, s=-1)),
    "kph": (Fraction(1000, 3600), _dims(m=1, s=-1)),
    "kmh": (Fraction(1000, 3600), _dims(m=1, s=-1)),
    "rpm": (Fraction(1, 60), _dims(s=-1)),
    "atm": (Fraction(101325), _PRESSURE),
    "ha": (Fraction(10000), _AREA),
    "gal": (Fraction("0.003785411784"), _VOLUME),
    "qt": (Fraction("0.000946352946"), _VOLUME),
    "cc": (Fraction(1, 10**6), _VOLUME),
    "ml": (Fraction(1, 10**6), _VOLUME),
    "mmHg": (Fraction("133.322387415"), _PRESSURE),
    "usd": (Fraction(1), _dims(USD=1)),
    "USD": (Fraction(1), _dims(USD=1)),
    "EUR": (Fraction(1), _dims(EUR=1)),
    "GBP": (Fraction(1), _dims(GBP=1)),
    "CNY": (Fraction(1), _dims(CNY=1)),
    "RMB": (Fraction(1), _dims(CNY=1)),
    "rad": (Fraction(1), _NONE),
    "kgs": (Fraction(1), _MASS),
    "cms": (Fraction(1, 100), _LENGTH),
    "°C": (Fraction(1), _dims(celsius=1)),
    "°F": (Fraction(1), _dims(fahrenheit=1)),
    "Å": (Fraction(1, 10**10), _LENGTH),
    "wk": (Fraction(604800), _TIME),
    "yr": (Fraction(1), _dims(year=1)),
    "yrs": (Fraction(1), _dims(year=1)),
    "c.c.": (Fraction(1, 10**6), _VOLUME),
}
# Months and years have no fixed length: a year is twelve months, and nothing more.
_NAMES: dict[str, tuple[Fraction, tuple[tuple[str, int], ...]]] = {
    "meter": _SYMBOLS["m"],
    "metre": _SYMBOLS["m"],
    "gram": _SYMBOLS["g"],
    "gramme": _SYMBOLS["g"],
    "second": _SYMBOLS["s"],
    "ampere": _SYMBOLS["A"],
    "amp": _SYMBOLS["A"],
    "kelvin": _SYMBOLS["K"],
    "mole": _SYMBOLS["mol"],
    "newton": _SYMBOLS["N"],
    "joule": _SYMBOLS["J"],
    "watt": _SYMBOLS["W"],
    "pascal": _SYMBOLS["Pa"],
    "hertz": _SYMBOLS["Hz"],
    "coulomb": _SYMBOLS["C"],
    "volt": _SYMBOLS["V"],
    "ohm": _SYMBOLS["Ω"],
    "farad": _SYMBOLS["F"],
    "henry": _SYMBOLS["H"],
    "tesla": _SYMBOLS["T"],
    "weber": _SYMBOLS["Wb"],
    "liter": _SYMBOLS["L"],
    "litre": _SYMBOLS["L"],
    "calorie": _SYMBOLS["cal"],
    "byte": _SYMBOLS["B"],
    "electronvolt": _SYMBOLS["eV"],
    "molar": _SYMBOLS["M"],
    "minute": _ALONE["min"],
    "hour": _ALONE["h"],
    "day": (Fraction(86400), _TIME),
    "week": (Fraction(604800), _TIME),
    "fortnight": (Fraction(1209600), _TIME),
    "month": (Fraction(1, 12), _dims(year=1)),
    "year": (Fraction(1), _dims(year=1)),
    "decade": (Fraction(10), _dims(year=1)),
    "century": (Fraction(100), _dims(year=1)),
    "centurie": (Fraction(100), _dims(year=1)),
    "foot": _ALONE["ft"],
    "feet": _ALONE["ft"],
    "inch": _ALONE["in"],
    "inche": _ALONE["in"],
    "yard": _ALONE["yd"],
    "mile": _ALONE["mi"],
    "pound": _ALONE["lb"],
    "ounce": _ALONE["oz"],
    "ton": (Fraction(1000), _dims(ton=1)),
    "tonne": _SYMBOLS["t"],
    "acre": (Fraction("4046.8564224"), _AREA),
    "hectare": _ALONE["ha"],
    "gallon": _ALONE["gal"],
    "quart": _ALONE["qt"],
    "pint": (Fraction("0.000473176473"), _VOLUME),
    "cup": (Fraction("0.0002365882365"), _VOLUME),
    "atmosphere": _ALONE["atm"],
    "dollar": (Fraction(1), _dims(USD=1)),
    "buck": (Fraction(1), _dims(USD=1)),
    "cent": (Fraction(1, 100), _dims(USD=1)),
    "dime": (Fraction(1, 10), _dims(USD=1)),
    "nickel": (Fraction(1, 20), _dims(USD=1)),
    "penny": (Fraction(1, 100), _dims(USD=1)),
    "euro": (Fraction(1), _dims(EUR=1)),
    "yuan": (Fraction(1), _dims(CNY=1)),
    "yen": (Fraction(1), _dims(JPY=1)),
    "rupee": (Fraction(1), _dims(INR=1)),
    "radian": (Fraction(1), _NONE),
    "knot": (Fraction(1852, 3600), _dims(m=1, s=-1)),
    "dozen": (Fraction(12), _NONE),
    "light-year": (Fraction(9460730472580800), _LENGTH),
}
_CHINESE: dict[str, tuple[Fraction, tuple[tuple[str, int], ...]]] = {
    "米": _SYMBOLS["m"],
    "千米": (Fraction(1000), _LENGTH),
    "公里": (Fraction(1000), _LENGTH),
    "厘米": (Fraction(1, 100), _LENGTH),
    "毫米": (Fraction(1, 1000), _LENGTH),
    "分米": (Fraction(1, 10), _LENGTH),
    "克": _SYMBOLS["g"],
    "千克": (Fraction(1), _MASS),
    "公斤": (Fraction(1), _MASS),
    "斤": (Fraction(1, 2), _MASS),
    "吨": _SYMBOLS["t"],
    "秒": _SYMBOLS["s"],
    "分钟": (Fraction(60), _TIME),
    "分": (Fraction(60), _TIME),
    "小时": (Fraction(3600), _TIME),
    "时": (Fraction(3600), _TIME),
    "天": (Fraction(86400), _TIME),
    "元": (Fraction(1), _dims(CNY=1)),
    "角": (Fraction(1, 10), _dims(CNY=1)),
    "美元": (Fraction(1), _dims(USD=1)),
    "升": _SYMBOLS["L"],
    "毫升": (Fraction(1, 10**6), _VOLUME),
    "平方米": (Fraction(1), _AREA),
    "平方厘米": (Fraction(1, 10**4), _AREA),
    "平方千米": (Fraction(10**6), _AREA),
    "立方米": (Fraction(1), _VOLUME),
    "立方厘米": (Fraction(1, 10**6), _VOLUME),
    "年": (Fraction(1), _dims(year=1)),
    "个月": (Fraction(1, 12), _dims(year=1)),
    "月": (Fraction(1, 12), _dims(year=1)),
    "千米/时": (Fraction(1000, 3600), _dims(m=1, s=-1)),
    "牛": _SYMBOLS["N"],
    "焦": _SYMBOLS["J"],
}
_LONG_PREFIX = {
    "kilo": 3,
    "centi": -2,
    "milli": -3,
    "micro": -6,
    "nano": -9,
    "mega": 6,
    "giga": 9,
    "deci": -1,
    "hecto": 2,
    "pico": -12,
}
_EXPONENT = re.compile(r"\^?\s*\{?\s*([+-]?\d{1,2})\s*\}?")
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_FACTOR = re.compile(r"([A-Za-zΩμµÅ°][A-Za-z]*(?:-[a-z]+)?)\s*(\^\s*\{?\s*[+-]?\d{1,2}\s*\}?|[23](?!\d)|(?=\W|$))")


def _simple(name: str) -> tuple[Fraction, tuple[tuple[str, int], ...]] | None:
    """Factor and dimension of one unit word, with prefix and plural."""
    known = _SYMBOLS.get(name) or _ALONE.get(name)
    if known:
        return known
    for cut in (1, 2):
        prefix, rest = name[:cut], name[cut:]
        if prefix in _PREFIX and rest in _PREFIXED:
            factor, dims = _SYMBOLS[rest]
            return factor * Fraction(10) ** _PREFIX[prefix], dims
    lower = name.lower()
    if len(lower) < 3:
        return None
    for word in (lower, lower.removesuffix("s"), lower.removesuffix("es")):
        if word in _NAMES:
            return _NAMES[word]
        for prefix, power in _LONG_PREFIX.items():
            if word.startswith(prefix) and word[len(prefix) :] in _NAMES:
                factor, dims = _NAMES[word[len(prefix) :]]
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
    if lower in _ALONE and name != lower and len(lower) > 1:
        return _ALONE[lower]
    return None


def _combine(parts: list[tuple[Fraction, tuple[tuple[str, int], ...], int]], name: str) -> Unit:
    factor, powers = Fraction(1), {}  # type: Fraction, dict[str, int]
    for one, dims, power in parts:
        factor *= one**power
        for base, exponent in dims:
            powers[base] = powers.get(base, 0) + exponent * power
    return Unit(factor, tuple(sorted((b, p) for b, p in powers.items() if p)), name)


def _plain(text: str) -> str:
    """Unit text without LaTeX dress."""
    text = re.sub(r"\\d?frac\s*\{\s*([A-Za-z]+)\s*\}\s*\{\s*([A-Za-z]+)\s*\}", r"\1/\2", text)
    text = re.sub(
        r"\\(?:text|mathrm|mbox|textbf|textit|textnormal|rm|mathit|operatorname|unit|hbox|textrm|mathbf|bf|mathsf)\s*",
        "",
        text,
    )
    text = text.replace("\\mu", "μ").replace("\\Omega", "Ω").replace("\\degree", "°").replace("\\circ", "°")
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
    if len(text) > 120:
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
        return Unit(Fraction(1, 100), _dims(USD=1), "cents")
    if money:
        return Unit(Fraction(1), _dims(**{money: 1}), money)
    chinese = plain.replace("平方公分", "平方厘米").replace("每小时", "/小时").replace("每秒", "/秒").replace(" ", "")
    if not chinese.isascii() and re.search(r"[\u3400-\u9fff]", chinese):
        if chinese in _CHINESE:
            return Unit(*_CHINESE[chinese], chinese)
        top, slash, bottom = chinese.partition("/")
        if slash and top in _CHINESE and bottom in _CHINESE:
            return _combine([(*_CHINESE[top], 1), (*_CHINESE[bottom], -1)], chinese)
        if re.fullmatch(r"[\u3400-\u9fff]{1,4}", chinese) and not re.search(r"[或和与不是]", chinese):
            return Unit(Fraction(1), (), chinese, noun=chinese)
        return None
    return _english(plain) or _noun(plain)


def _english(plain: str) -> Unit | None:
    text = re.sub(r"\b(sq\.?|square)\s+([A-Za-z]+)", r"\2^2", plain, flags=re.I)
    text = re.sub(r"\b(cu\.?|cubic)\s+([A-Za-z]+)", r"\2^3", text, flags=re.I)
    text = re.sub(r"\b([A-Za-z]+)\s+squared\b", r"\1^2", text)
    text = re.sub(r"\b([A-Za-z]+)\s+cubed\b", r"\1^3", text)
    text = re.sub(r"\s*\b(?:per|an|a)\s+(?:an?\s+)?", "/", text) if " per " in f" {text} " else text
    text = re.sub(r"(°)\s*(C|F)\b", r"\1\2", text)
    text = re.sub(r"degrees?\s+(?:celsius|centigrade)", "°C", text, flags=re.I)
    text = re.sub(r"degrees?\s+fahrenheit", "°F", text, flags=re.I)
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
        known = _simple(match.group(1))
        if known is None:
            return None
        power = _EXPONENT.match(match.group(2)) if match.group(2) else None
        parts.append((*known, sign * (int(power.group(1)) if power else 1)))
        position = match.end()
        if not below:
            sign = 1
    if not parts or len(parts) > 8 or any(abs(power) > 12 for *_, power in parts):
        return None
    return _combine(parts, plain)


def _noun(plain: str) -> Unit | None:
    words = plain.lower().replace("-", " ").replace("'", "").split()
    if not 1 <= len(words) <= 6 or not all(word.isalpha() for word in words):
        return None
    if any(word in _NOT_A_NOUN for word in words) or not any(len(word) >= 3 for word in words):
        return None
    from cogito_core.verify.words import is_number_word

    if any(is_number_word(word) for word in words):
        return None
    if words == ["units"] or words == ["unit"]:
        return Unit(Fraction(1), (), "units", noun="unit")
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
        return True
    return a == b or a[-1:] == b or b[-1:] == a or a[:1] == b or b[:1] == a
