"""Is this model mine? Suspects of unknown origin against a victim: what is asked, what follows, and in which words."""
