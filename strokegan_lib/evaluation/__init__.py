"""From predictions to scores, each with its interval, its count and its convention."""
