"""What the text of a calibration does to the model that is calibrated with it."""
