"""What the pages show, as tables, from records and without torch."""
