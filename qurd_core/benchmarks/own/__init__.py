"""Benchmarks that somebody brings: a folder of models, or a table of their answers."""
