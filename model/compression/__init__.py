"""Making models smaller or faster: calibration of TEAL."""
