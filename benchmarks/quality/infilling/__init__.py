"""HumanEval-Infilling (arXiv 2207.14255): completions at a cursor, executed."""
