"""Speed measurements, one a file, and the engines they drive."""
