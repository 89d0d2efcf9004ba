"""The rule ladder that opens a multiple-choice question, or keeps it with a reason."""

from cogito_data.rules.ladder import Item, Ruling, rule_on

__all__ = ["Item", "Ruling", "rule_on"]
