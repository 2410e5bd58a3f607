"""What all figures share: colours and sizes, and where labels and dots find room."""
