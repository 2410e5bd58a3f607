"""Unrelated models and thefts of a victim that somebody brings, made from their own pictures."""
