"""The common ground of Cogito: samples, shards, manifests, runs, prompts, engines and verifiers."""

__version__ = "0.1.0"
