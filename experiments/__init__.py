"""What makes the tables in docs/results.md and the shipped weights."""
