"""What a comparison is told and what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from cogito_core.verify.policy import EXACT, Policy
from cogito_core.verify.tree import Node


class Result(NamedTuple):
    """`equal` is None where nothing was settled. `note` ends the verdict's sentence."""

    equal: bool | None
    rule: str
    note: str = ""


class Context(NamedTuple):
    """What a comparison needs to know besides the two trees."""

    policy: Policy = EXACT
    units: str = "convert"
    kind: str = ""
    gold_text: str = ""
    answer_text: str = ""
    declared: bool = False
    """Whether the sample itself says that a number or quantity is asked for: then a bare letter is a unit."""
    in_set: bool = False
    """Whether members of a set are compared: there {1} is not 1."""
    compare: Callable[[Node, Node, Any], Result] | None = None
    """`compare.same`, which the rules for lists and relations call for what they hold."""

    def same(self, gold: Node, answer: Node) -> Result:
        """Compare a part of what is compared."""
        assert self.compare is not None
        return self.compare(gold, answer, self)
