"""Completions at random places of real files: exceptions, empty answers, broken syntax."""
