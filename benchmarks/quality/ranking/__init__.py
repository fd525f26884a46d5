"""Which of several samples to show first, judged by execution."""
