"""What a reader moves, paints and clicks."""
