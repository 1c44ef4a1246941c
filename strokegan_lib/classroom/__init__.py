"""What notebooks need beside the lesson: figures, widgets, checks of exercises, the runner."""
