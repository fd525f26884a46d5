"""The screened output matrix against the whole one."""
