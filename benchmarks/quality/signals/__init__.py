"""Quality signals against RedPajama's own code."""
