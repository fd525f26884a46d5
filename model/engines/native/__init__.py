"""The engine on Midline's own kernels."""
