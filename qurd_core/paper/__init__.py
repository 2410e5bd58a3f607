"""The paper's own published scores: read, summarised, and turned into its tables and figures again."""
