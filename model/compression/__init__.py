"""Preparation of models for compressed decoding, done once per model: TEAL calibration."""
