"""Inter-GPS as The Cauldron has it: Geometry3K's multiple choice questions, about 1,280 of them.

The repository of the Inter-GPS paper holds Geometry3K itself, so that layout is read too.
"""

from cogito_data.sources.adapters.geometry3k import ORIGINAL
from cogito_data.sources.base import Adapter
from cogito_data.sources.shapes.cauldron import cauldron_hub
from cogito_data.sources.shapes.hub import parquet_layout

_hub_row = cauldron_hub(units=True)

ADAPTER = Adapter((parquet_layout(_hub_row), ORIGINAL), _hub_row)
