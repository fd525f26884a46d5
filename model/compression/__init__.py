"""Offline compression of models: calibration of TEAL activation sparsity."""
