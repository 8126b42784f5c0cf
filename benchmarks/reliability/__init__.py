"""Reliability: hostile files and settings, how many of them there were, and what became of them."""
