"""How the words of a question lean on its list of options. Regular expressions only; each has an example."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_FLAGS = re.IGNORECASE

_OPTION_WORDS = re.compile(
    # "option B", "which choice", "the options above": the list is a thing the question talks about.
    r"\b(?:options?|choices?|alternatives)\b|\banswer\s+(?:choice|letter)\b",
    _FLAGS,
)

# "the following schedule", "the following year" are one thing that is shown or comes next, not a list.
_FOLLOWING = (
    r"(?:\bof\s+the\s+following\b|\bfollowing\b(?!\s+(?:[^\W\d_]+\s+){0,2}?(?:schedule|table|chart|graph|diagram|figure|"
    r"picture|image|photo|photograph|map|plot|drawing|illustration|calendar|receipt|menu|passage|excerpt|text|"
    r"question|problem|day|night|morning|week|weekend|month|quarter|season|year|decade|century)\b))"
)

_LEANS: tuple[tuple[str, re.Pattern[str]], ...] = (
    # "Which of the following is true?", "the following statements"
    (
        "following",
        re.compile(
            rf"{_FOLLOWING}|\bas follows\b|\blisted\b|\b(?:given|shown)\s+below\b|\b(?:above|below) list\b", _FLAGS
        ),
    ),
    # "Which of these states", "one of these"
    (
        "these",
        re.compile(
            r"\b(?:which|one|any|none|each|all)\s+(?:one\s+)?of\s+(?:these|those)\b|\bwhich of\b|"
            r"\bwhich\s+(?:one|ones)\b",
            _FLAGS,
        ),
    ),
    # "Select the best answer", "Choose the word"; but "a marble is picked", "circle O"
    ("select", re.compile(r"(?:^|[.:;?!,)]\s*|\bplease\s+)(?:select|choose|pick|identify|mark|tick)\b|"
                          r"\b(?:choose|select|pick)\s+(?:from|one|the\s+(?:best|correct|right))\b", _FLAGS)),
    # "closest to", "best describes", "most likely", "least likely"; but "nearest tenth" is rounding
    (
        "closest",
        re.compile(
            r"\b(?:closest|approximates?)\b|\bnearest\b(?!\s+(?:whole|integer|ten|hundred|thousand|tenth|hundredth|"
            r"thousandth|degree|cent|dollar|percent|unit|metre|meter|centimetre|centimeter|millimet|inch|foot|mile|"
            r"kilomet|minute|hour|second|1\b|0?\.))|"
            r"\bbest\s+(?:describ|estimat|represent|answer|match|fit|explain|summar|title|complet|express|illustrat|"
            r"support|approximat|characteri|define|reflect)|\bbetter\s+(?:estimat|describ)|"
            r"\b(?:most|more|least|less)\s+(?:likely|probabl\w*|appropriate|accurate|reasonable|suitable|closely|nearly|similar|"
            r"plausible|consistent|correct)\b|\b(?:mainly|primarily|probably|likely)\b",
            _FLAGS,
        ),
    ),
    # "What is a primary consumer?": any of several would do; "What is algae?": a class, of which the list says which
    ("instance", re.compile(
        r"\b(?:what|who)\s+(?:is|are|was|were|would\s+be|could\s+be)\s+(?:an?|one|some|another)\b|"
        r"\b(?:name|give|find|list)\s+(?:an?|one|some)\b|\bexpect(?:ed)?\b|"
        r"^what\s+(?:is|are)\s+(?!the\b|this\b|that\b|these\b|those\b|its\b|his\b|her\b|their\b|shown\b|on\b|in\b|at\b|"
        r"inside\b|under\b|above\b|below\b|behind\b|between\b|next\b|near\b|left\b|right\b|located\b|labell?ed\b|"
        r"also\b|called\b|being\b)[^\W\d_]{2,}(?:\s+[^\W\d_]+)?\s*\?*$", _FLAGS)),
    # "What eats mice?", "What organism is a producer?": in a food web several do and are; counts are safe
    (
        "several",
        re.compile(
            r"(?:^|[.?!\n])(?![^.?!\n]*\b(?:how\s+many|number\s+of)\b)"
            r"(?=[^.?!\n]*\b(?:what|who|which|whom|where|how|name)\b)[^.?!\n]*"
            r"\b(?:predators?|prey(?:s|ed)?|producers?|consumers?|decomposers?|herbivores?|carnivores?|omnivores?|"
            r"scavengers?|competitors?|competes?|compete|food\s+(?:webs?|chains?)|eats?|eaten|feeds?|consumes?|"
            r"hunts?|depends?\s+on|affects?|affected|impacted|(?:energy|food)\s+sources?|sources?\s+of\s+(?:energy|food)|"
            r"(?:gets?|provid(?:es?|ing)|suppl(?:y|ies|ying)|gives?|produc(?:es?|ing))\s+(?:\w+\s+)?(?:energy|food))\b",
            _FLAGS,
        ),
    ),
    # "What would happen if the krill died out?": said in as many ways as there are people
    (
        "effect",
        re.compile(
            r"\bwhat\s+(?:changes?|causes)\b|\bwhat\s+(?:\w+\s+){0,2}happen(?:s|ed)?\b|\bwhat\s+(?:would|will|could|might|can|may)\s+"
            r"(?:cause|make|increase|decrease|result)\b|\bwhat\s+(?:is|are|was|were)\s+the\s+(?:effects?|results?|"
            r"consequences?|purpose|role|function)\b|\bwhat\s+(?:role|purpose|function)\b|"
            r"\b(?:what|which)\b[^?]*\b(?:effects?|impacts?|consequences?|outcomes?|influences?)\b|"
            r"\bhow\s+(?:would|will|could|might|may|does|do|did|is|are)\b[^?]*\b(?:affect|impact|influence|change)(?:ed|d|s)?\b|"
            r"\bif\b.*\b(?:removed|disappear\w*|died?|dies|extinct|vanish\w*)\b",
            _FLAGS,
        ),
    ),
    # "How is the spider related to the fly?", "In what ways are they similar?"
    (
        "relation",
        re.compile(
            r"\bhow\s+(?:is|are|was|were|do|does|did)\b[^?]*\b(?:relat\w+|similar|alike|differ\w*|compared?|interact\w*|"
            r"connected)\b|\bin\s+(?:what|which)\s+ways?\b|\bin\s+what\s+\w+\s+ways?\b|\bin\s+what\s+respects?\b|"
            r"\bsimilar\s+in\s+what\b|\b(?:have|has)\s+in\s+common\b|\bwhat\b[^?]*\brelation(?:ship)?\b",
            _FLAGS,
        ),
    ),
    # "What is shown in the diagram?", "What does this picture show?": one picture, many true names
    (
        "picture",
        re.compile(
            r"\bwhat\s+(?:(?:diagram|picture|image|figure|illustration|photo\w*|drawing)\s+)?(?:is|are)\s+(?:being\s+)?"
            r"(?:shown?|depicted|illustrated|represented|portrayed|displayed|described|seen|going\s+on)"
            r"(?:\s+(?:here|above|below|(?:in|by|on)\s+(?:the|this|these)\s+(?:\w+\s+)?(?:diagram|picture|image|figure|"
            r"illustration|photo\w*|graph|chart|drawing|map)s?))?\s*[?.]?\s*$|"
            r"\b(?:diagram|picture|image|figure|illustration|photo\w*)\s+(?:\w+\s+)?is\s+of\s+what\b|"
            r"\bwhat\s+is\s+(?:in|on)\s+(?:the|this)\s+(?:\w+\s+)?(?:diagram|picture|image|figure|illustration|photo\w*)\b|"
            r"\bwhat\s+(?:does|do|did)\s+(?:the|this|these)\s+(?:\w+\s+)?(?:diagram|picture|image|figure|illustration|"
            r"photo\w*|graph|chart|drawing|map)s?\s+(?:\w+\s+)?(?:show|depict|illustrate|represent|portray|display|"
            r"describe|explain)|"
            r"\bwhat\s+(?:is|are)\s+(?:the|this|these)\s+(?:\w+\s+)?(?:diagram|picture|image|figure|illustration|photo\w*)s?\s+"
            r"(?:of\b|about|(?:show|depict|illustrat|represent|portray|display|describ|demonstrat)ing)\b",
            _FLAGS,
        ),
    ),
    # "How tall is it, about?" with numbers to pick from: the list tells how exact the answer must be
    (
        "estimate",
        re.compile(
            r"\b(?:about|roughly|approximately|around)\s+(?:how|what)\b|\bestimated?\b|\bestimation\b", _FLAGS
        ),
    ),
    # "All of these EXCEPT", "Which is not": true of many things outside the list
    (
        "negation",
        re.compile(
            r"\bexcept\b|\b(?:is|are|was|were|does|do|did|can|could|will|would|has|have|should)\s*n(?:o|')t\b|"
            r"\bcannot\b|\bnot\b|\black(?:s|ing)?\b|\bnever\b|\bincorrect\b|\bfalse\b|\bwrong\b|\bunlikely\b|\bleast\b",
            _FLAGS,
        ),
    ),
    # "Which statement is true?", "the correct sentence"
    (
        "statement",
        re.compile(
            r"\b(?:which|what)\s+(?:\w+\s+){0,2}(?:statements?|sentences?|phrases?|expressions?|equations?|descriptions?|"
            r"conclusions?|words?|pairs?|groups?|sets?|examples?|inequalit\w+|formulas?|explanations?|hypothes\w+|claims?|"
            r"titles?|lists?|types?|kinds?|sequences?|orders?)\b|\bis\s+(?:true|correct|right)\b|\bare\s+(?:true|correct|right)\b|"
            r"\bmust be true\b|\bcould be\b|\bcan be\b|\bmay be\b|\bmight be\b|\bpossible\b|\ban? example of\b",
            _FLAGS,
        ),
    ),
)

_BLANK = re.compile(r"_{2,}|\(\s*\)|（\s*）|\[\s*\]|\.{4,}|…{1,}\s*\.?\s*$")

_CHINESE_LEANS = re.compile(
    "下列|以下|下面|哪(?:个|一|些|项|种)|选项|正确的是|错误的是|不正确|选择|最接近|可能是|不可能|大约|约为|哪几"
)

_SUPERLATIVE = re.compile(
    r"\b\w{2,}est\b|\b(?:most|least|more|less|fewer|fewest|largest|greater|higher|lower|maximum|minimum|top|bottom|first|last)\b",
    _FLAGS,
)

_LETTER_LIST = re.compile(r"\(\s*[A-H]\s*\)|(?:^|\n)\s*[A-H]\s*[.)]\s+\S", re.MULTILINE)


def names_options(question: str) -> bool:
    """Whether the question speaks of its options as such, or letters are left in it.

    >>> names_options("Which option is right?"), names_options("(A) a dog\\n(B) a cat")
    (True, True)
    >>> names_options("How long is AB?")
    False
    """
    return bool(_OPTION_WORDS.search(question) or _LETTER_LIST.search(question))


def leaning(question: str) -> str:
    """Name of the first pattern by which the question leans on its list; empty if none.

    >>> leaning("Which of the following is a mammal?"), leaning("What is the length of AB?")
    ('following', '')
    >>> leaning("Round to the nearest tenth. What is AB?"), leaning("Which is nearest to the sea?")
    ('', 'closest')
    """
    for name, pattern in _LEANS:
        if pattern.search(question):
            return name
    return "following" if _CHINESE_LEANS.search(question) else ""


def has_selecting_blank(question: str) -> bool:
    """Whether the question has a blank that an option would fill: `( )`, `____`.

    >>> has_selecting_blank("Opposite sides are ( )."), has_selecting_blank("f(x) = 2")
    (True, False)
    """
    return _BLANK.search(question) is not None


def is_comparison(question: str) -> bool:
    """Whether the question asks for an extreme or a comparison, safe only when all candidates can be seen."""
    return _SUPERLATIVE.search(question) is not None


def asks_which(question: str) -> bool:
    """Whether "which" asks to tell candidates apart.

    >>> asks_which("Which animal is a bird?"), asks_which("In which year was it built?")
    (True, True)
    """
    return re.search(r"\bwhich\b|\bwhose\b", question, _FLAGS) is not None


def normal(text: str) -> str:
    """Key of a short text: NFKC, case and space folded, outer punctuation removed.

    >>> normal("  None of the ABOVE. ")
    'none of the above'
    """
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return folded.strip(" .;,!?。；，") or folded


_META_ANSWER = re.compile(
    r"^(?:all|none|both|neither|either|any|some)(?:\s+(?:of|the|these|those|above|below|following|options?|choices?|them|"
    r"answers?|are|is|correct|true|apply|listed|and|or|nor|[a-h]|\(?[a-h]\)?|two|three|lines?|first|second))*$|"
    r"^(?:can\s?not|can't|could not|unable to|impossible to|not enough|insufficient|there is not enough|more|"
    r"too little)\b.*"
    r"(?:determin|tell|told|know|say|answer|decid|inform|data|calculat)|"
    r"^(?:it\s+)?(?:can\s?not|can't)\s+be\s+\w+|^(?:undetermined|indeterminate|no correct answer|no answer|unknown|"
    r"not given|not sure|don't know|i don't know|no such)\b|"
    r"^\(?[a-h]\)?(?:\s*(?:,|and|or|&)\s*(?:and\s+|or\s+)?\(?[a-h]\)?)+(?:\s+only)?$|"
    r"^(?:i|ii|iii|iv|v)(?:\s*(?:,|and|or|&)\s*(?:and\s+)?(?:i|ii|iii|iv|v))*(?:\s+only)?$|"
    r"^(?:以上|都不|无法|不能|不确定|均不|均可)",
)


def is_meta_answer(option: str) -> bool:
    """Whether an option speaks about the other options, or about not knowing.

    >>> [is_meta_answer(t) for t in ("None of the above", "Both A and B", "cannot be determined", "all-terrain")]
    [True, True, True, False]
    """
    return _META_ANSWER.match(normal(option)) is not None


_ROLE = re.compile(
    r"^(?:an? )?(?:(?:primary|secondary|tertiary|quaternary|apex|top|first|second|third)[- ]"
    r"(?:(?:level|order)[- ])?)?"
    r"(?:predator|prey|producer|consumer|decomposer|herbivore|carnivore|omnivore|scavenger|detritivore|autotroph|"
    r"heterotroph|parasite|prey[- ]predator|predator[- ]prey)s?$"
)


def is_role(option: str) -> bool:
    """Whether an option is a part that a living thing plays in a food web: it plays several.

    >>> is_role("Primary consumer"), is_role("prey"), is_role("owl")
    (True, True, False)
    """
    return _ROLE.match(normal(option)) is not None


_LABEL_ONLY = re.compile(
    r"^(?:(?:figure|fig|diagram|picture|image|img|graph|panel|option|choice|answer|shape|plot|chart|pattern|box|"
    r"drawing|illustration|photo|icon|letter|label|stage|step|phase|point|part|position|region|arrow|图)"
    r"\s*\.?\s*)?\(?\s*(?:[a-z]|[ⅰ-ⅹ①-⑩]|[ivx]{1,4})\s*\)?$|"
    r"^(?:figure|fig|diagram|picture|image|img|graph|panel|option|choice|answer|shape|plot|chart|pattern|box|"
    r"drawing|illustration|photo|icon|图)\s*\.?\s*\(?\d+\)?$|^<image(?:[_\s]*\d+)?>$"
)


def are_labels(options: Sequence[str]) -> bool:
    """Whether the options only point into the picture: bare letters, "Figure B", picture marks.

    >>> are_labels(["A", "B", "C"]), are_labels(["Figure 1", "Figure 2"]), are_labels(["12", "7"])
    (True, True, False)
    """
    return bool(options) and sum(bool(_LABEL_ONLY.match(normal(option))) for option in options) * 2 > len(options)
