"""Texts made to be slow, and the calls that get them: for the test, and for `bench/hostile.py`, which times them."""

from __future__ import annotations

import string
from collections.abc import Callable

from cogito_core.verify import extract, judge, verify

LENGTH = 100_000
READ = 7_990
"""Just under the limit on what is read: the whole text goes through the reader."""
CHOICES = ["42", "x", "red", "\\frac{1}{2}"]

HOSTILE = [
    "9**9**9",
    "9^{9^{9^9}}",
    "10^{10^{10^{10}}}",
    "100000!",
    "(10^6)!",
    "1" * 100_000,
    "x" * 100_000,
    "\\frac{1}{" * 3_000,
    "{" * 3_000,
    "(" * 3_000 + ")" * 3_000,
    "-" * 5_000 + "1",
    "\x00",
    "\ud800",
    "\u202e42\u202c",
    "1/0",
    "0/0",
    "0^0",
    "\\sqrt{-1}",
    "\\log 0",
    "nan",
    "inf",
    "1e999999",
    "1e-999999",
    "3^{3^{3^3}}",
    "\\binom{100000}{50000}",
    "\\sum_{k=1}^{10^9} k",
    "(x+1)^{1000}",
    "(1+\\sqrt2+\\sqrt3+\\sqrt5)^{40}",
    "\\sqrt{" * 60 + "2" + "}" * 60,
    "1," * 3_000 + "1",
    "\\begin{pmatrix}" + "1&" * 2_000 + "1\\end{pmatrix}",
    "|" * 2_000,
    "$" * 2_000,
    "\\boxed{" * 2_000,
    "<think>" * 2_000,
    "<answer>" * 2_000,
    "a b " * 20_000,
    "{" * 50 + "1\\pm2" + "}" * 50,
    "\\pm" * 200 + "1",
    "e^{e^{e^{e^{e}}}}",
    "\\tan(\\pi/2)",
    "x_{" * 500,
    "\\text{" * 2_000,
    "½½½",
    "²³",
    "°" * 1_000,
    "!" * 3_000,
    "3!!!!",
    "one " * 3_000,
    "and " * 3_000,
    "A or B or C or D",
    "1+" * 990 + "1",
    "x*" * 590 + "x",
    "17^{17^{17}} mod 1000",
    "\\max(1,2" * 100,
    "\\\\" * 3_000,
    "\n" * 50_000,
    " " * 100_000 + "5",
    "the answer is " * 5_000,
    "**" * 5_000,
    "Therefore " * 5_000,
    "A. " * 5_000,
    "1:" * 2_000,
]

# Repeated to 100,000 characters, each by itself.
REPEATED = [
    *string.punctuation,
    *"\x00\ud800\u202e\u200b\u2028\ufeff\n\t é一½°²₀±∪≤√π×（。",
    "\\frac", "\\frac{1}{2}", "\\frac1", "1\\frac{", "\\sqrt2", "\\binom9", "\\left(", "\\text{a} ", "\\text{ or }", "\\begin{pmatrix}",
    "\\boxed{1}", "\\boxed{A} ", "\\boxed 1 ", "\\boxed{", "\\( 1 \\)", "\\(", "$1$ ", "$x$ ", "$5 and ", "$$x", "{}", "()", "\\{1\\}\\cup",
    "the answer is ", "The answer is A. ", "The answer is not (A). ", "Answer: B\n", "Question: ", "answer ", "is ", "so\n", "therefore (A) ",
    "If so, the answer is (A). ", "I'm sorry ", "none of ", "cannot ", "答案是A。", "（A）", "(B) ", "**A** ", "Option B ", "A or B ", "A. x\n",
    "(A) red (B) blue\n", "<think></think>", "</think>", "<answer>1</answer>", "</s>", "<|im_end|> ", "#### 1\n", '"answer": 1, ',
    "9^", "9**", "2^2^", "3!", "e^{i\\pi}", "10!", "1e9 ", "0.", "1,000,", "1\\,000", "12:30 ", "2010-", "May 2010 ", "1:2:", "1 2 ", "one ",
    "two hundred ", "分之", "5 km ", "m/", "kg m/s ", "5 ft 6 in ", "per hour ", "5%5", "5°30'", "5€", "x_{1}", "x<", "a<b<", "1±", "f(x)", "a(b,", "|x|", "(|",
    "sin", "max(", "\\log_2", "\\int", "2x", "x^{2}", "(0,1)∪", "1;", "1&2\\\\", "\\pm", "5 mod ", "between 1 and ", "4 to 6 ", "has 5 ", "**5** ", "\x0crac", "\t ext",
]  # fmt: skip

CALLS: dict[str, Callable[[str], object]] = {
    "verify": lambda text: verify("42", text[:READ]),
    "verify, as gold": lambda text: verify(text[:READ], "5 cm"),
    "verify, options": lambda text: verify("B", text[:3_990], choices=CHOICES),
    "verify, text": lambda text: verify(text[:READ], text[: READ - 1], kind="text"),
    "judge": lambda text: judge(text, "42"),
    "judge, a tuple": lambda text: judge(text, "(1,2)"),
    "judge, options": lambda text: judge(text, "B", choices=CHOICES),
    "judge, an option": lambda text: judge("The answer is x", "B", choices=[text, "x"]),
    "extract": extract,
}


def texts() -> list[str]:
    """Every hostile text, and every token repeated to the full length."""
    return [*HOSTILE, *((one * (LENGTH // len(one) + 1))[:LENGTH] for one in REPEATED)]


# Many comparisons rather than a long text: lists, unions, matrices, sums, nested functions.
HEAVY = [
    (", ".join(f"\\sin(x+{i})" for i in range(60)), ", ".join(f"\\sin(x+{59 - i})" for i in range(60))),
    (", ".join(f"\\sqrt{{{i}}}+1" for i in range(60)), ", ".join(f"\\sqrt{{{59 - i}}}+1" for i in range(60))),
    ("\\cup".join(f"(\\sqrt{{{i}}},\\sqrt{{{i + 1}}})" for i in range(1, 62, 2)), "(1,\\sqrt{61})"),
    ("\\cap".join(f"(\\ln {i},\\ln {i + 90})" for i in range(1, 40)), "(\\ln 39,\\ln 91)"),
    ("1\\frac{" * 18 + "1" + "}{2}" * 18, "2"),
    ("(|" * 200 + "x", "1"),
    ("\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}" * 40, "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}"),
    ("+".join(f"{i}!" for i in range(950, 1000)), "+".join(f"{i}!" for i in range(951, 1000))),
    ("*".join(f"{i}^{{1/7}}" for i in range(2, 80)), "3"),
    ("(((x^{a+b+c})^{a+b+c})^{a+b+c})^{a+b+c}", "(((x^{a+b+c})^{a+b+c})^{a+b+d})^{a+b+c}"),
    ("+".join(f"\\sin {i}" for i in range(100)), "+".join(f"\\sin {i}" for i in range(99, -1, -1))),
    ("\\sqrt{" + "7" * 1_200 + "}", "3"),
    (", ".join(f"x_{i}={i}" for i in range(60)), ", ".join(f"x_{i}={i}" for i in range(59, -1, -1))),
]


def heavy_calls(gold: str, answer: str) -> list[Callable[[], object]]:
    """The ways in which a heavy pair is compared."""
    return [
        lambda: verify(gold, answer),
        lambda: verify(answer, gold),
        lambda: verify(gold, answer, policy="relative(5%)"),
        lambda: verify("A", answer, choices=[gold] * 26),
        lambda: judge(f"The answer is ${gold}$.", answer),
    ]
