"""What a comparison is told and what it says."""

from __future__ import annotations

from typing import NamedTuple

from cogito_core.verify.policy import EXACT, Policy


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
