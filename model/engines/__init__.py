"""Engines: the interface, and the implementations, chosen by kind."""
