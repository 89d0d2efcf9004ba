"""Shapes that several upstreams share: folders, pairs of files, Cauldron rows, conversations, options."""
