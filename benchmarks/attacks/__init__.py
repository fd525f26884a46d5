"""Attacks on the server, run from the tests and recorded as figures."""
