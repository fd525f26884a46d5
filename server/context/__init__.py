"""Which other files a completion reads."""
