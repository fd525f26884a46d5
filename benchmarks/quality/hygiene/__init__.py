"""Whether texts that models and thresholds are fitted to are in the benchmarks."""
