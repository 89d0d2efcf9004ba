"""Text-only drills in looking things up: what follows a word, what stands before it, which letter an option has.

Every careful answer ends by looking something up in what it has just said, or in the options. In a picture question
that is one or two tokens of thirty, too thin a signal for a small model to grow the attention it needs; a drill is
nothing but look-ups.
"""

from __future__ import annotations

import random
from itertools import pairwise

from cogito_nano.tasks.draw import COLOURS
from cogito_nano.tasks.general import THINGS
from cogito_nano.tasks.item import LETTERS
from cogito_nano.tasks.logic import SHAPES
from cogito_nano.tasks.science import ANIMALS, PLANTS


def drill(rng: random.Random) -> tuple[str, str]:
    """A question without a picture and its answer."""
    return rng.choice((_copy, _copy, _values, _keys, _chain, _letters, _letters))(rng)


def _copy(rng: random.Random) -> tuple[str, str]:
    """The same words again: each word is found by the one before it, the simplest look-up there is."""
    words = [*COLOURS, *THINGS, *ANIMALS, *map(str, range(10))]
    said = " ".join(rng.sample(words, rng.randint(6, 12)))
    return said, said


def _values(rng: random.Random) -> tuple[str, str]:
    """The value of each key: ``cup red, car blue; car cup`` -> ``car blue, cup red``."""
    pairs = _pairs(rng)
    return _ask(rng, pairs, [(key, f"{key} {value}") for key, value in pairs])


def _keys(rng: random.Random) -> tuple[str, str]:
    """The key of each value: ``cup red, car blue; blue red`` -> ``blue car, red cup``."""
    pairs = _pairs(rng)
    return _ask(rng, pairs, [(value, f"{value} {key}") for key, value in pairs])


def _ask(rng: random.Random, pairs: list[tuple[str, str]], facts: list[tuple[str, str]]) -> tuple[str, str]:
    rng.shuffle(facts)
    said = ", ".join(f"{key} {value}" for key, value in pairs)
    return f"{said}; {' '.join(asked for asked, _ in facts)}", ", ".join(answer for _, answer in facts)


def _pairs(rng: random.Random) -> list[tuple[str, str]]:
    count = rng.randint(2, 5)
    colours = rng.sample(tuple(COLOURS), count)
    if rng.random() < 0.5:
        return list(zip(rng.sample(THINGS, count), colours, strict=True))
    return list(zip(colours, map(str, rng.sample(range(1, 10), count)), strict=True))


def _chain(rng: random.Random) -> tuple[str, str]:
    """The successor of each word: ``grass bug fox; bug grass`` -> ``bug fox, grass bug``."""
    chain = [rng.choice(PLANTS), *rng.sample(ANIMALS, rng.randint(2, 4))]
    links = list(pairwise(chain))
    rng.shuffle(links)
    asked = " ".join(first for first, _ in links)
    return f"{' '.join(chain)}; {asked}", ", ".join(f"{first} {second}" for first, second in links)


def _letters(rng: random.Random) -> tuple[str, str]:
    """The letter of each option: ``(A) 3 (B) 5; 5 3`` -> ``5 = B, 3 = A`` with options on lines of their own."""
    options = _options(rng)
    lines = "\n".join(f"({letter}) {option}" for letter, option in zip(LETTERS, options, strict=True))
    order = rng.sample(range(len(options)), len(options))
    asked = ", ".join(options[place] for place in order)
    return f"{asked}\n{lines}", ", ".join(f"{options[place]} = {LETTERS[place]}" for place in order)


def _options(rng: random.Random) -> list[str]:
    kind = rng.randrange(4)
    if kind == 0:
        return rng.sample(tuple(COLOURS), 4)
    if kind == 1:
        return rng.sample((*THINGS, *ANIMALS), 4)
    if kind == 2:
        return [f"{colour} {rng.choice(SHAPES)}" for colour in rng.sample(tuple(COLOURS), 4)]
    step = rng.choice((1, 1, 1, 2, 5, 10, 15))
    first = rng.randint(0, 9)
    return [str(step * number) for number in rng.sample(range(first, first + 5), 4)]
