"""Large inputs of `midline corpus` in bounded memory, killed and resumed."""
