"""The ladder: the first rule that matches opens the question or keeps its options, and says why.

When in doubt the options stay. The order follows what was measured on real option lists: pictures' own labels
first, answers about the options second, then wording that leans on the list, then numeric forms, two-way
questions and short words; phrases are never opened by rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cogito_data.rules import wording
from cogito_data.rules.numeric import is_range, is_ratio, open_numeric, read_value
from cogito_data.rules.wording import normal


@dataclass(frozen=True)
class Item:
    """A multiple-choice question.

    Attributes:
        question: its words without the options.
        options: option texts without letters.
        gold: position of the right option.
        visible: whether whatever the options name can be seen in the picture (charts, tables): then "which" and
            "largest" do not lean on the list.
    """

    question: str
    options: tuple[str, ...]
    gold: int
    visible: bool = False

    @property
    def answer(self) -> str:
        return self.options[self.gold]

    @property
    def distractors(self) -> tuple[str, ...]:
        return tuple(option for i, option in enumerate(self.options) if i != self.gold)


@dataclass(frozen=True)
class Ruling:
    """What the ladder says: `rule` decided; an opened question carries its new words and its gold.

    Attributes:
        chance: share of right answers of somebody who guesses; None for an open form.
    """

    rule: str
    opened: bool
    reason: str = ""
    question: str = ""
    answer: str = ""
    kind: str = ""
    spec: dict[str, Any] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    chance: float | None = None


def rule_on(item: Item) -> Ruling:
    """The ruling of the first rule that matches; the last one always does.

    >>> rule_on(Item("What is the length of AB?", ("3 cm", "4 cm"), 1)).question
    'What is the length of AB? Give the answer in cm.'
    >>> rule_on(Item("Which of these is a bird?", ("owl", "cat"), 0)).rule
    'leaning'
    """
    for rule in LADDER:
        ruling = rule(item)
        if ruling is not None:
            return ruling
    raise AssertionError("the last rule of the ladder matches everything")


def _keep(rule: str, reason: str) -> Ruling:
    return Ruling(rule, opened=False, reason=reason)


def labels(item: Item) -> Ruling | None:
    """The options only point into the picture, or the question talks about its options."""
    if wording.are_labels(item.options):
        return _keep("labels", "the options only name places in the picture")
    if wording.names_options(item.question):
        return _keep("labels", "the question speaks of its options")
    return None


def meta_answer(item: Item) -> Ruling | None:
    """The gold speaks about the other options. As a distractor it does no harm."""
    if wording.is_meta_answer(item.answer):
        return _keep("meta_answer", "the gold speaks about the other options or about not knowing")
    return None


_PAIRS = ({"yes", "no"}, {"true", "false"}, {"right", "wrong"}, {"correct", "incorrect"})


def yes_no(item: Item) -> Ruling | None:
    """Yes or no, true or false: such options tell nothing that the question does not."""
    words = {normal(option) for option in item.options if not wording.is_meta_answer(option)}
    if len(words) == 2 and words in _PAIRS[:2]:
        pair = "yes or no" if "yes" in words else "true or false"
        said = re.search(rf"\b{pair}\b|\b{pair.replace(' or ', '/')}\b", item.question, re.IGNORECASE)
        question = item.question if said else _join(item.question, f"Answer {pair}.")
        return Ruling("yes_no", True, question=question, answer=normal(item.answer), kind="yes_no", chance=0.5)
    if words in _PAIRS[2:]:
        return _keep("yes_no", "right or wrong is said of something outside the question")
    return None


def leaning(item: Item) -> Ruling | None:
    """The question leans on its list: without it, other answers would be as good."""
    pattern = wording.leaning(item.question)
    if pattern:
        return _keep("leaning", f"the question leans on its list ({pattern})")
    if wording.has_selecting_blank(item.question) and any(read_value(option) is None for option in item.options):
        return _keep("leaning", "the question leans on its list (blank)")
    return None


def twins(item: Item) -> Ruling | None:
    """Another option is equal to the gold for the verifier: two letters would be right."""
    from cogito_core.verify import verify

    for option in item.distractors:
        if normal(option) == normal(item.answer) or verify(item.answer, option).is_right:
            return _keep("twins", "another option equals the gold, so two letters would be right")
    return None


_WHICH_NUMBER = re.compile(
    r"\b(?:in|at|on|during|by|for|to|from|of|with|under)\s+which\b|\bwhich\s+(?:year|grade|page|floor|day|date|month)\b|"
    r"\bwhich\s+(?:number|value)\s+(?:comes|completes|is missing|should|replaces|goes|fits|would)\b",
    re.IGNORECASE,
)


_SEVERAL_NUMBERS = re.compile(
    r"\b(?:what|which|find|give|determine|calculate|compute)\b\s+(?:are\s+)?(?:(?:the|all|both)\s+)+(?:\w+\s+)?"
    r"(?:lengths|values|measures|sizes|widths|heights|areas|coordinates|dimensions|roots|solutions|zeros|zeroes|angles)\b",
    re.IGNORECASE,
)


def numeric(item: Item) -> Ruling | None:
    """All options share one numeric form; unit, form and rounding go into the question."""
    if any(read_value(option) is None for option in item.options if not wording.is_meta_answer(option)):
        return None
    kept = tuple(option for option in item.options if not wording.is_meta_answer(option))
    if wording.asks_which(item.question) and not item.visible and not _WHICH_NUMBER.search(item.question):
        return _keep("numeric", "which of the numbers is meant shows only in the list")
    if _SEVERAL_NUMBERS.search(item.question):
        return _keep("numeric", "the question asks for several numbers and the list for one of them")
    found = open_numeric(item.question, kept, kept.index(item.answer))
    if isinstance(found, str):
        return _keep("numeric", found)
    return Ruling(
        "numeric",
        True,
        question=_join(item.question, found.hint),
        answer=found.answer,
        kind=found.kind,
        spec=found.spec,
        aliases=found.aliases,
    )


def two_way(item: Item) -> Ruling | None:
    """Two short options: both are named in the question, so that only the letters go."""
    if len(item.options) != 2 or any(_words(option) > 3 or wording.is_meta_answer(option) for option in item.options):
        return None
    if any(is_ratio(option) for option in item.options):
        return None
    if not _apart(item):
        return _keep("two_way", "one option contains the other")
    hint = "" if _offered(item) else f"Answer {item.options[0].strip()} or {item.options[1].strip()}."
    return Ruling(
        "two_way", True, question=_join(item.question, hint), answer=item.answer.strip(), kind="text",
        aliases=_without_dots(item.answer.strip()), chance=0.5,
    )


def _offered(item: Item) -> bool:
    """Whether the question says "X or Y" with both options word for word, so that either can be repeated."""
    one, other = (re.escape(normal(option)) for option in item.options)
    said = normal(item.question)
    return any(re.search(rf"(?<!\w){a},? or (?:an? |the )?{b}(?!\w)", said) for a, b in ((one, other), (other, one)))


_HALF_DAY = re.compile(r"(?<=\d)\s*[ap]\.\s?m\.", re.IGNORECASE)
_ASKS_TIME = re.compile(r"\bwhen\b|\b(?:what|which)\s+(?:is\s+the\s+)?(?:time|hour)\b", re.IGNORECASE)
_NEEDS_LIST = re.compile(
    r"^(?:a|an|the|this|that|these|those|it|its|they|them|their|he|she|his|her|one|another|other|others|same|"
    r"first|second|third|fourth|fifth|last|next|former|latter|\d+(?:st|nd|rd|th))\b",
    re.IGNORECASE,
)
_ASKS_OPENLY = re.compile(r"\b(?:what|who|whom|where|when|how)\b|\bname\s+the\b", re.IGNORECASE)


def short_words(item: Item) -> Ruling | None:
    """Names and short words, where the question alone fixes the answer."""
    if any(_words(option) > 3 for option in item.options):
        return None
    if any(read_value(option) is not None or is_ratio(option) for option in item.options):
        return _keep("short_words", "numbers and words are mixed")
    if wording.is_role(item.answer):
        return _keep("short_words", "a living thing plays several parts in a food web")
    if any(is_range(option) for option in item.options):
        return _keep("short_words", "an option is a range, which has many spellings")
    if any(_NEEDS_LIST.match(option.strip()) for option in item.options):
        return _keep("short_words", "an option is an ordinal, a pronoun or begins with an article")
    if not _apart(item):
        return _keep("short_words", "one option contains the gold or is contained in it")
    if wording.asks_which(item.question) and not item.visible:
        return _keep("short_words", "which of the candidates is meant shows only in the list")
    if wording.is_comparison(item.question) and not item.visible:
        return _keep("short_words", "the candidates of the comparison show only in the list")
    if not (_ASKS_OPENLY.search(item.question) or item.visible):
        return _keep("short_words", "the question does not ask for one name")
    hours = all(_HALF_DAY.search(option) for option in item.options)
    hint = "Give a time of day." if hours and not _ASKS_TIME.search(item.question) else ""
    return Ruling(
        "short_words", True, question=_join(item.question, hint), answer=item.answer.strip(), kind="text",
        aliases=_without_dots(item.answer.strip()) + _without_shared_word(item),
    )




def _without_dots(answer: str) -> tuple[str, ...]:
    """A time of day as many write it: `2:55 PM` for `2:55 P.M.`; nothing for other answers."""
    plain = _HALF_DAY.sub(lambda found: found.group().replace(".", ""), answer)
    return (plain,) if plain != answer else ()


def _without_shared_word(item: Item) -> tuple[str, ...]:
    """The gold without the last word of all options, where the question has it: "Which class is first?" "Ballet"."""
    last = {normal(option).rpartition(" ")[2] for option in item.options}
    shared, first_part = min(last), item.answer.strip().rpartition(" ")[0]
    if len(last) > 1 or not first_part or re.fullmatch(r"[^\W\d_]{3,}", shared) is None:
        return ()
    return (first_part,) if re.search(rf"\b{shared}\b", normal(item.question)) else ()


def phrases(item: Item) -> Ruling:
    """Everything else: only a model could rewrite it."""
    return _keep("phrases", "the options are phrases that no rule can ask for")


LADDER: tuple[Callable[[Item], Ruling | None], ...] = (
    labels,
    meta_answer,
    yes_no,
    leaning,
    twins,
    numeric,
    two_way,
    short_words,
    phrases,
)
"""The rules in order; the name of the function is the id of the rule."""


def _words(option: str) -> int:
    # Chinese has no spaces: count its characters, two to a word.
    chinese = sum("\u4e00" <= c <= "\u9fff" for c in option)
    return max(len(option.split()), -(-chinese // 2))


def _apart(item: Item) -> bool:
    answer = f" {normal(item.answer)} "
    others = [f" {normal(option)} " for option in item.distractors]
    return all(answer not in other and other not in answer for other in others)


def _join(question: str, hint: str) -> str:
    question = question.rstrip()
    if not hint:
        return question
    if question and question[-1].isalnum():
        question += "."
    return f"{question} {hint}"


def rule_names() -> Sequence[str]:
    """Ids of all rules, in order."""
    return [rule.__name__ for rule in LADDER]
