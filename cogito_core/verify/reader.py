"""A Pratt parser from tokens to a tree. Reads maths as people and models write it; executes nothing.

    sequence   items parted by , ; and or            relation  = != < <= in ~ (chains)
    sets       union intersection minus              sum       + - +-  (then a unit, if one ends the item)
    product    * / mod, and terms side by side       power     ^ and postfix ! % degree prime index

`read` gives one tree or raises ReadError; limits on characters, tokens, depth and digits raise Budget.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from cogito_core.verify import atoms, functions, marks
from cogito_core.verify.clean import blank_dollars
from cogito_core.verify.lexer import Token, tokenize
from cogito_core.verify.tree import LOOK_AHEAD, MAX_DEPTH, Budget, Node, ReadError, number, symbols
from cogito_core.verify.unit_tail import RELATIONS, unit_here, with_unit

_SET_OPS = {"cup": "union", "cap": "inter", "setminus": "minus", "wedge": "inter", "vee": "union"}
_OPENERS = frozenset(
    """( [ { {set frac sqrt surd infty emptyset lfloor lceil angle triangle overline bar vec hat widehat tilde
widetilde dot ddot begin boxed fbox sum prod int lim partial ell hbar nabla binom limsup underbrace
overbrace square Box R Z N Q C odot aleph Re Im ast""".split()
)
"""Signs and commands with which an operand can begin."""
_NO_NUMBER_BEHIND = frozenset(["num", "const", "sym", "percent", "deg", "quantity", "div"])
"""Nobody writes a number behind these to multiply by it: "6 st 2 lb" is no product."""


_VECTOR_MARK = re.compile(r"\s*\\(?:vec|overrightarrow|hat|widehat|mathbf|boldsymbol|bm|textbf)(?![A-Za-z])")


class Parser:
    """One pass over the tokens of one text. `units` says whether "5 m" is a length or 5 times m."""

    def __init__(self, text: str, units: bool) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.at = 0
        self.depth = 0
        self.units = units
        self.bars = 0
        self.in_set = False
        self.in_braces = False

    # tokens

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def is_sign(self, *values: str) -> bool:
        token = self.tokens[self.at]
        return token.kind == "cmd" and token.value in values

    def take(self, *values: str) -> bool:
        if self.is_sign(*values):
            self.at += 1
            return True
        return False

    def expect(self, *values: str) -> None:
        if not self.take(*values):
            raise ReadError(f"expected {' or '.join(values)} at {self.token.start}")

    def enter(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Budget(f"nested more than {MAX_DEPTH} deep")

    def node(self, op: str, value: object, args: tuple[Node, ...], start: int) -> Node:
        return Node(op, value, args, start, self.tokens[self.at - 1].end if self.at else start)

    # sequence: , ; and or

    def _word_between(self) -> str:
        token = self.tokens[self.at]
        if token.kind in ("word", "text"):
            value = token.value.lower().strip(" ,;.")
            if value in ("and", "or", "和", "或", "与"):
                return "or" if value in ("or", "或") else "and"
        elif token.kind == "cmd" and token.value == "and":
            return "and"
        return ""

    def sequence(self, ends: Collection[str]) -> Node:
        """Items up to a token in `ends` (not taken); one item stands for itself."""
        self.enter()
        start = self.token.start
        rows: list[list[Node]] = [[]]
        separators: set[str] = set()
        while True:
            rows[-1].append(self.relation())
            parted = ""
            while True:
                word = self._word_between()
                if self.is_sign(",", ";", "\\\\") or word:
                    parted = word or (";" if self.is_sign(";") else ",") if not (parted and word) else word
                    self.at += 1
                    continue
                break
            if not parted:
                break
            token = self.token
            if token.kind == "end" or (token.kind == "cmd" and token.value in ends):
                break  # a trailing comma
            separators.add(parted)
            if parted == ";":
                rows.append([])
        self.depth -= 1
        if len(rows) > 1 and any(len(row) > 1 for row in rows):
            members = [row[0] if len(row) == 1 else self.node("list", ",", tuple(row), start) for row in rows]
            return self.node("list", ";", tuple(members), start)
        items = [item for row in rows for item in row]
        if len(items) == 1:
            return items[0]
        separator = "or" if "or" in separators else "," if separators != {"and"} else "and"
        return self.node("list", separator, tuple(items), start)

    def relation(self) -> Node:
        start = self.token.start
        args, ops = [self.sets()], []
        while self.token.kind == "cmd" and self.token.value in RELATIONS:
            op = RELATIONS[self.token.value]
            self.at += 1
            args.append(self.sets())
            # Figures are congruent or similar; beside a number the signs say that it is rounded.
            ops.append("~" if op in ("cong", "sim") and not symbols(args[-1]) else op)
        return args[0] if not ops else self.node("rel", tuple(ops), tuple(args), start)

    def sets(self) -> Node:
        start = self.token.start
        left = self.sum()
        while (self.token.kind == "cmd" and self.token.value in _SET_OPS) or (
            self.token.kind == "word" and self.token.value == "U"
        ):
            op = _SET_OPS.get(self.token.value, "union")
            self.at += 1
            right = self.sum()
            args = (*left.args, right) if left.op == op == "union" else (left, right)
            left = self.node(op, None, args, start)
        return left

    # sums and units

    def sum(self) -> Node:
        self.enter()
        start = self.token.start
        if self.is_sign("pm", "mp"):
            sign = "+-" if self.token.value == "pm" else "-+"
            self.at += 1
            left = self.node("pm", sign, (self.product(),), start)
        else:
            left = self.signed()
        terms = [left]
        while True:
            token = self.token
            if token.kind != "cmd":
                break
            if token.value == "+":
                self.at += 1
                terms.append(self.signed())
            elif token.value == "-":
                self.at += 1
                terms.append(self.node("neg", None, (self.signed(),), token.start))
            elif token.value in ("pm", "mp"):
                self.at += 1
                right = self.product()
                base = terms[0] if len(terms) == 1 else self.node("add", None, tuple(terms), start)
                terms = [self.node("pm", "+-" if token.value == "pm" else "-+", (base, right), start)]
            else:
                break
        result = terms[0] if len(terms) == 1 else self.node("add", None, tuple(terms), start)
        self.depth -= 1
        return with_unit(self, result, start) if self.units else result

    def signed(self) -> Node:
        start = self.token.start
        if self.take("-"):
            self.enter()
            inner = self.signed()
            self.depth -= 1
            if inner.op == "num":
                return number(-inner.value, start, inner.end)
            return self.node("neg", None, (inner,), start)
        if self.take("+"):
            self.enter()
            inner = self.signed()
            self.depth -= 1
            return inner
        return self.product()

    # products and powers

    def product(self) -> Node:
        start = self.token.start
        left = self.power()
        while True:
            token = self.token
            if token.kind == "cmd":
                value = token.value
                if value in ("*", "times", "cdot"):
                    self.at += 1
                    right = self.factor()
                    if value == "times" and self.is_vector(left) and self.is_vector(right):
                        left = self.node("func", "cross", (left, right), start)
                    else:
                        left = self.times(left, right, start)
                    continue
                if value in ("/", "div"):
                    self.at += 1
                    left = self.node("div", None, (left, self.factor()), start)
                    continue
                if value in ("mod", "bmod"):
                    self.at += 1
                    left = self.node("mod", None, (left, self.factor()), start)
                    continue
                if value == ":" and not self.in_set:
                    args = [left]
                    while self.take(":"):
                        args.append(self.factor())
                    left = self.node("ratio", None, tuple(args), start)
                    continue
            elif token.kind == "word" and token.value in ("x", "X") and left.op == "num":
                following = self.tokens[self.at + 1]
                if following.kind == "num" and (
                    (token.spaced and following.spaced) or self.tokens[self.at + 2].value == "^"
                ):
                    self.at += 1
                    left = self.times(left, self.factor(), start)
                    continue
            if not self.starts_factor(left):
                return left
            left = self.times(left, self.power(), start)

    def is_vector(self, node: Node) -> bool:
        """Whether a name is marked as a vector, by an arrow, a hat or bold type."""
        return node.op in ("sym", "const", "func") and (
            node.value == "cross" or bool(_VECTOR_MARK.match(self.text, node.start))
        )

    def times(self, left: Node, right: Node, start: int) -> Node:
        """A flat product: long ones must not nest."""
        return self.node("mul", None, (*left.args, right) if left.op == "mul" else (left, right), start)

    def factor(self) -> Node:
        """A factor after an operator: signs are allowed."""
        if self.is_sign("-", "+", "pm", "mp"):
            start, sign = self.token.start, self.token.value
            self.at += 1
            self.enter()
            inner = self.factor()
            self.depth -= 1
            if sign == "-":
                return (
                    number(-inner.value, start, inner.end)
                    if inner.op == "num"
                    else self.node("neg", None, (inner,), start)
                )
            if sign == "+":
                return inner
            return self.node("pm", "+-" if sign == "pm" else "-+", (inner,), start)
        return self.power()

    def starts_factor(self, left: Node) -> bool:
        """Whether the next token continues a product without a sign between."""
        token = self.token
        kind, value = token.kind, token.value
        if kind == "end":
            return False
        if kind in ("num", "vulgar"):
            last = left
            while last.op == "mul":
                last = last.args[-1]
            if left.op in _NO_NUMBER_BEHIND or last.op == "sym" or kind == "vulgar":
                raise ReadError(f"two values side by side at {token.start}")
            return True
        if kind in ("word", "text"):
            if self._word_between():
                return False
            if self.units and unit_here(self, left) is not None:
                return False
            return value != "U" or not token.spaced
        if kind == "cmd":
            if value == "|":
                return not self.bars and self._bar_opens()
            if (
                self.units
                and value
                in (
                    "{",
                    "frac",
                    "$",
                    "euro",
                    "pound",
                    "yen",
                    "cents",
                    "celsius",
                    "fahrenheit",
                    "mu",
                    "Omega",
                    "degree",
                )
                and unit_here(self, left) is not None
            ):
                return False
            return (
                value in _OPENERS
                or value in functions.FUNCTIONS
                or value in atoms.GREEK
                or value in atoms.LETTER_COMMANDS
            )
        return kind == "sub"

    def _bar_opens(self) -> bool:
        """Whether a bar after an operand opens an absolute value: a later bar must close it."""
        depth = 0
        for token in self.tokens[self.at + 1 : self.at + 1 + LOOK_AHEAD]:
            if token.kind == "cmd":
                if token.value == "|" and not depth:
                    return True
                if token.value in ("(", "[", "{", "{set"):
                    depth += 1
                elif token.value in (")", "]", "}", "}set"):
                    depth -= 1
                    if depth < 0:
                        return False
        return False

    def power(self) -> Node:
        self.enter()
        start = self.token.start
        base = self.postfix(atoms.atom(self))
        token = self.token
        if token.kind == "cmd" and token.value == "^":
            self.at += 1
            base = self.raised(base, start)
        elif token.kind == "sup":
            base = self.superscripted(base, start)
        self.depth -= 1
        return base

    def superscripted(self, base: Node, start: int) -> Node:
        """`base` under the Unicode superscript that comes next."""
        token = self.token
        self.at += 1
        return self.postfix(self.node("pow", None, (base, marks.superscript(token)), start))

    def raised(self, base: Node, start: int) -> Node:
        """What `base ^` becomes."""
        return marks.raised(self, base, start)

    def postfix(self, base: Node) -> Node:
        """`base` with the marks that follow it."""
        return marks.postfix(self, base)

    def postfix_free(self) -> Node:
        """One operand without what may follow it, as LaTeX reads an argument without braces."""
        self.enter()
        node = atoms.atom(self)
        self.depth -= 1
        return node

    def signed_sum(self) -> Node:
        """A sum in which letters at the end are no unit: what stands under an integral."""
        units, self.units = self.units, False
        node = self.sum()
        self.units = units
        return node


CACHED_CHARS = 300
"""Only shorter texts are kept in caches, so that memory stays bounded whatever is sent."""


def read(text: str, units: bool = True) -> Node:
    """The tree of `text`. `units`: letters at the end of an item may name a unit. Raises ReadError, never
    anything else."""
    return _cached(text, units) if len(text) <= CACHED_CHARS else _read(text, units)


@lru_cache(maxsize=8192)
def _cached(text: str, units: bool) -> Node:
    return _read(text, units)


def _read(text: str, units: bool) -> Node:
    try:
        parser = Parser(blank_dollars(text), units)
        if parser.token.kind == "end":
            raise ReadError("nothing to read")
        node = parser.sequence(())
    except RecursionError:
        raise Budget("nested too deep") from None
    except (IndexError, ValueError, OverflowError, ZeroDivisionError) as error:
        if isinstance(error, ReadError):
            raise
        raise ReadError(str(error)) from None
    if parser.token.kind != "end":
        raise ReadError(f"unread text at {parser.token.start}")
    return node
