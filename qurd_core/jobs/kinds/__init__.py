"""What the worker computes, one kind of job to a file. The only part of `jobs` that needs torch."""
