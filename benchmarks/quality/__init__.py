"""Quality measurements: one folder each, with its entry in `measure.py`."""
