"""What was measured and is kept beside the program or in a store, read without torch."""
