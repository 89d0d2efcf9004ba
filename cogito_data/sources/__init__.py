"""The training datasets: one manifest and one adapter each, shapes shared between adapters."""
