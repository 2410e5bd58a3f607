"""The words that all findings share: tasks, models, verdicts, and what computes a view again."""
