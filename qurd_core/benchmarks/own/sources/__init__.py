"""Models that somebody brings and that are no weights of a known architecture, one kind to a file."""
