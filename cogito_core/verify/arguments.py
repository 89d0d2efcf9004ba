"""LaTeX arguments: a braced group, one digit, one operand, or raw text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cogito_core.verify.lexer import Token
from cogito_core.verify.tree import Node, ReadError, number, show

if TYPE_CHECKING:
    from cogito_core.verify.reader import Parser


def name_of(node: Node) -> str:
    """The text by which a node serves as part of a name."""
    return str(node.value) if node.op in ("sym", "const") else show(node)


def argument(p: Parser) -> Node:
    """A LaTeX argument: a braced group, one digit, or one operand."""
    token = p.token
    if token.kind == "cmd" and token.value == "{":
        p.at += 1
        node = p.sequence(("}",))
        p.expect("}")
        return node
    if token.kind == "num" and len(token.value) > 1 and token.value.isdigit():
        rest = token.value[1:]
        p.tokens[p.at] = Token("num", rest, token.start + 1, token.end, int(rest), False)
        return number(int(token.value[0]), token.start, token.start + 1)
    if token.kind == "word" and len(token.value) > 1:
        p.tokens[p.at] = Token("word", token.value[1:], token.start + 1, token.end, None, False)
        return Node("sym", token.value[0], (), token.start, token.start + 1)
    return p.postfix_free()


def raw_argument(p: Parser) -> str:
    """An index or exponent as bare text: `{good}` or one token."""
    token = p.token
    if token.kind == "cmd" and token.value == "{":
        depth, index = 1, p.at + 1
        while depth:
            one = p.tokens[index]
            if one.kind == "end":
                raise ReadError("an open index")
            depth += {"{": 1, "}": -1}.get(one.value, 0) if one.kind == "cmd" else 0
            index += 1
        parts = [one.value for one in p.tokens[p.at + 1 : index - 1] if not (one.kind == "cmd" and one.value in "{}")]
        p.at = index
        return "".join(parts)
    p.at += 1
    if token.kind == "end":
        raise ReadError("an open index")
    if (
        token.kind == "word"
        and len(token.value) > 1
        and token.value.isascii()
        and p.text[token.start - 1 : token.start] == "_"
    ):
        return token.value
    return token.value
