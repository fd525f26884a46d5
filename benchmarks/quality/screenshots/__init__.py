"""Screenshots of code and errors: rendered ones, captured ones, and what is read in them."""
