"""Inter-GPS as The Cauldron has it: Geometry3K's multiple choice questions, about 1,280 of them."""

from cogito_data.sources.shapes.cauldron import cauldron_adapter

ADAPTER = cauldron_adapter(units=True)
