"""Factors and dimensions of the units that are known: SI symbols with prefixes, customary units, names, Chinese."""

from __future__ import annotations

from fractions import Fraction


def dims_of(**powers: int) -> tuple[tuple[str, int], ...]:
    """Base units with their exponents, sorted."""
    return tuple(sorted((base, power) for base, power in powers.items() if power))


_LENGTH, _MASS, _TIME, _NONE = dims_of(m=1), dims_of(kg=1), dims_of(s=1), dims_of()
_FORCE, _ENERGY, _POWER = dims_of(kg=1, m=1, s=-2), dims_of(kg=1, m=2, s=-2), dims_of(kg=1, m=2, s=-3)
_PRESSURE, _VOLUME, _AREA = dims_of(kg=1, m=-1, s=-2), dims_of(m=3), dims_of(m=2)

NOT_A_NOUN = frozenset(
    """squared cubed out times factorial too per each every else many much few base mod
or and not no but if then maybe perhaps either neither nor versus vs is are was were be than
approximately about around roughly nearly almost over under plus minus times divided equals equal because since so
therefore thus hence where when which who that there the answer option choice otherwise instead except
without""".split()
)


# symbol: (factor, dimension). Prefixes apply to the symbols in PREFIXED.
SYMBOLS: dict[str, tuple[Fraction, tuple[tuple[str, int], ...]]] = {
    "m": (Fraction(1), _LENGTH),
    "g": (Fraction(1, 1000), _MASS),
    "s": (Fraction(1), _TIME),
    "A": (Fraction(1), dims_of(A=1)),
    "K": (Fraction(1), dims_of(K=1)),
    "mol": (Fraction(1), dims_of(mol=1)),
    "cd": (Fraction(1), dims_of(cd=1)),
    "N": (Fraction(1), _FORCE),
    "J": (Fraction(1), _ENERGY),
    "W": (Fraction(1), _POWER),
    "Pa": (Fraction(1), _PRESSURE),
    "Hz": (Fraction(1), dims_of(s=-1)),
    "C": (Fraction(1), dims_of(A=1, s=1)),
    "V": (Fraction(1), dims_of(kg=1, m=2, s=-3, A=-1)),
    "Ω": (Fraction(1), dims_of(kg=1, m=2, s=-3, A=-2)),
    "F": (Fraction(1), dims_of(kg=-1, m=-2, s=4, A=2)),
    "H": (Fraction(1), dims_of(kg=1, m=2, s=-2, A=-2)),
    "T": (Fraction(1), dims_of(kg=1, s=-2, A=-1)),
    "Wb": (Fraction(1), dims_of(kg=1, m=2, s=-2, A=-1)),
    "L": (Fraction(1, 1000), _VOLUME),
    "l": (Fraction(1, 1000), _VOLUME),
    "eV": (Fraction("1.602176634e-19"), _ENERGY),
    "bar": (Fraction(100000), _PRESSURE),
    "M": (Fraction(1000), dims_of(mol=1, m=-3)),
    "cal": (Fraction("4.184"), _ENERGY),
    "B": (Fraction(8), dims_of(bit=1)),
    "b": (Fraction(1), dims_of(bit=1)),
    "bit": (Fraction(1), dims_of(bit=1)),
    "t": (Fraction(1000), _MASS),
    "Wh": (Fraction(3600), _ENERGY),
    "lm": (Fraction(1), dims_of(cd=1)),
    "lx": (Fraction(1), dims_of(cd=1, m=-2)),
    "Bq": (Fraction(1), dims_of(s=-1)),
}


PREFIXED = frozenset("m g s A K mol N J W Pa Hz C V Ω F H T Wb L l eV bar M cal B bit Wh Bq t".split())
LARGE_ONLY = frozenset(["t", "B", "bit"])
"""Units that only take k, M, G and T: dB is no tenth of a byte, pt no tonne."""
PRODUCTS = {"N": "m s", "J": "s", "A": "h", "V": "A s", "W": "s", "Pa": "s", "C": "m"}
"""Products that are written without a sign between: Nm, kVA, mAh, Pas."""
LAST_IN_PRODUCT = ("kg", "mol", "min", "cm", "dm", "mm", "km", "m", "s", "h", "g", "L", "K", "C")
"""Units that follow another one with a negative exponent: Jkg^{-1}, kgm^{-3}, ms^{-1}, kmh^{-1}."""


PREFIX = {
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


ALONE: dict[str, tuple[Fraction, tuple[tuple[str, int], ...]]] = {
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
    "mph": (Fraction("0.44704"), dims_of(m=1, s=-1)),
    "kph": (Fraction(1000, 3600), dims_of(m=1, s=-1)),
    "kmh": (Fraction(1000, 3600), dims_of(m=1, s=-1)),
    "kmph": (Fraction(1000, 3600), dims_of(m=1, s=-1)),
    "rpm": (Fraction(1, 60), dims_of(s=-1)),
    "atm": (Fraction(101325), _PRESSURE),
    "ha": (Fraction(10000), _AREA),
    "gal": (Fraction("0.003785411784"), _VOLUME),
    "qt": (Fraction("0.000946352946"), _VOLUME),
    "cc": (Fraction(1, 10**6), _VOLUME),
    "ml": (Fraction(1, 10**6), _VOLUME),
    "mmHg": (Fraction("133.322387415"), _PRESSURE),
    "usd": (Fraction(1), dims_of(USD=1)),
    "USD": (Fraction(1), dims_of(USD=1)),
    "EUR": (Fraction(1), dims_of(EUR=1)),
    "GBP": (Fraction(1), dims_of(GBP=1)),
    "CNY": (Fraction(1), dims_of(CNY=1)),
    "RMB": (Fraction(1), dims_of(CNY=1)),
    "rad": (Fraction(1), _NONE),
    "kgs": (Fraction(1), _MASS),
    "cms": (Fraction(1, 100), _LENGTH),
    "°C": (Fraction(1), dims_of(celsius=1)),
    "°F": (Fraction(1), dims_of(fahrenheit=1)),
    "Å": (Fraction(1, 10**10), _LENGTH),
    "wk": (Fraction(604800), _TIME),
    "st": (Fraction("6.35029318"), _MASS),
    "yr": (Fraction(1), dims_of(year=1)),
    "yrs": (Fraction(1), dims_of(year=1)),
    "c.c.": (Fraction(1, 10**6), _VOLUME),
    "dB": (Fraction(1), dims_of(dB=1)),
}


# Months and years have no fixed length: a year is twelve months, and nothing more.
NAMES: dict[str, tuple[Fraction, tuple[tuple[str, int], ...]]] = {
    "meter": SYMBOLS["m"],
    "metre": SYMBOLS["m"],
    "gram": SYMBOLS["g"],
    "gramme": SYMBOLS["g"],
    "second": SYMBOLS["s"],
    "ampere": SYMBOLS["A"],
    "amp": SYMBOLS["A"],
    "kelvin": SYMBOLS["K"],
    "mole": SYMBOLS["mol"],
    "newton": SYMBOLS["N"],
    "joule": SYMBOLS["J"],
    "watt": SYMBOLS["W"],
    "pascal": SYMBOLS["Pa"],
    "hertz": SYMBOLS["Hz"],
    "coulomb": SYMBOLS["C"],
    "volt": SYMBOLS["V"],
    "ohm": SYMBOLS["Ω"],
    "kilohm": (Fraction(1000), SYMBOLS["Ω"][1]),
    "megohm": (Fraction(10**6), SYMBOLS["Ω"][1]),
    "farad": SYMBOLS["F"],
    "henry": SYMBOLS["H"],
    "tesla": SYMBOLS["T"],
    "weber": SYMBOLS["Wb"],
    "liter": SYMBOLS["L"],
    "litre": SYMBOLS["L"],
    "calorie": SYMBOLS["cal"],
    "byte": SYMBOLS["B"],
    "electronvolt": SYMBOLS["eV"],
    "molar": SYMBOLS["M"],
    "lumen": SYMBOLS["lm"],
    "lux": SYMBOLS["lx"],
    "becquerel": SYMBOLS["Bq"],
    "decibel": ALONE["dB"],
    "minute": ALONE["min"],
    "hour": ALONE["h"],
    "day": (Fraction(86400), _TIME),
    "week": (Fraction(604800), _TIME),
    "fortnight": (Fraction(1209600), _TIME),
    "month": (Fraction(1, 12), dims_of(year=1)),
    "year": (Fraction(1), dims_of(year=1)),
    "decade": (Fraction(10), dims_of(year=1)),
    "century": (Fraction(100), dims_of(year=1)),
    "centurie": (Fraction(100), dims_of(year=1)),
    "foot": ALONE["ft"],
    "feet": ALONE["ft"],
    "inch": ALONE["in"],
    "inche": ALONE["in"],
    "yard": ALONE["yd"],
    "mile": ALONE["mi"],
    "pound": ALONE["lb"],
    "ounce": ALONE["oz"],
    "stone": (Fraction("6.35029318"), _MASS),
    "ton": (Fraction(1000), dims_of(ton=1)),
    "tonne": SYMBOLS["t"],
    "acre": (Fraction("4046.8564224"), _AREA),
    "hectare": ALONE["ha"],
    "gallon": ALONE["gal"],
    "quart": ALONE["qt"],
    "pint": (Fraction("0.000473176473"), _VOLUME),
    "cup": (Fraction("0.0002365882365"), _VOLUME),
    "atmosphere": ALONE["atm"],
    "dollar": (Fraction(1), dims_of(USD=1)),
    "buck": (Fraction(1), dims_of(USD=1)),
    "cent": (Fraction(1, 100), dims_of(USD=1)),
    "dime": (Fraction(1, 10), dims_of(USD=1)),
    "nickel": (Fraction(1, 20), dims_of(USD=1)),
    "penny": (Fraction(1, 100), dims_of(USD=1)),
    "euro": (Fraction(1), dims_of(EUR=1)),
    "yuan": (Fraction(1), dims_of(CNY=1)),
    "yen": (Fraction(1), dims_of(JPY=1)),
    "rupee": (Fraction(1), dims_of(INR=1)),
    "radian": (Fraction(1), _NONE),
    "knot": (Fraction(1852, 3600), dims_of(m=1, s=-1)),
    "dozen": (Fraction(12), _NONE),
    "light-year": (Fraction(9460730472580800), _LENGTH),
}


CHINESE: dict[str, tuple[Fraction, tuple[tuple[str, int], ...]]] = {
    "米": SYMBOLS["m"],
    "千米": (Fraction(1000), _LENGTH),
    "公里": (Fraction(1000), _LENGTH),
    "厘米": (Fraction(1, 100), _LENGTH),
    "毫米": (Fraction(1, 1000), _LENGTH),
    "分米": (Fraction(1, 10), _LENGTH),
    "克": SYMBOLS["g"],
    "千克": (Fraction(1), _MASS),
    "公斤": (Fraction(1), _MASS),
    "斤": (Fraction(1, 2), _MASS),
    "吨": SYMBOLS["t"],
    "秒": SYMBOLS["s"],
    "分钟": (Fraction(60), _TIME),
    "分": (Fraction(60), _TIME),
    "小时": (Fraction(3600), _TIME),
    "时": (Fraction(3600), _TIME),
    "天": (Fraction(86400), _TIME),
    "元": (Fraction(1), dims_of(CNY=1)),
    "角": (Fraction(1, 10), dims_of(CNY=1)),
    "美元": (Fraction(1), dims_of(USD=1)),
    "升": SYMBOLS["L"],
    "毫升": (Fraction(1, 10**6), _VOLUME),
    "平方米": (Fraction(1), _AREA),
    "平方厘米": (Fraction(1, 10**4), _AREA),
    "平方千米": (Fraction(10**6), _AREA),
    "立方米": (Fraction(1), _VOLUME),
    "立方厘米": (Fraction(1, 10**6), _VOLUME),
    "年": (Fraction(1), dims_of(year=1)),
    "个月": (Fraction(1, 12), dims_of(year=1)),
    "月": (Fraction(1, 12), dims_of(year=1)),
    "千米/时": (Fraction(1000, 3600), dims_of(m=1, s=-1)),
    "牛": SYMBOLS["N"],
    "牛顿": SYMBOLS["N"],
    "焦": SYMBOLS["J"],
    "焦耳": SYMBOLS["J"],
    "瓦": SYMBOLS["W"],
    "瓦特": SYMBOLS["W"],
    "千瓦": (Fraction(1000), _POWER),
    "赫兹": SYMBOLS["Hz"],
    "伏": SYMBOLS["V"],
    "伏特": SYMBOLS["V"],
    "安": SYMBOLS["A"],
    "安培": SYMBOLS["A"],
    "欧": SYMBOLS["Ω"],
    "欧姆": SYMBOLS["Ω"],
    "帕": SYMBOLS["Pa"],
    "帕斯卡": SYMBOLS["Pa"],
    "摩尔": SYMBOLS["mol"],
}


LONG_PREFIX = {
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
