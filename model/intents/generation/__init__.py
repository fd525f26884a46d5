"""Utterances with their labels, written by a language model from a few examples.

"Joint text and label generation" (Li et al. 2021, arXiv 2105.05052): a model that sees utterances
in the augmented language goes on in it, so that one string is both a sentence and its labels.
"""
