"""The records of benchmarks that somebody brings."""
