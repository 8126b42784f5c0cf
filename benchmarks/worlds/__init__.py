"""Recipes of worlds beside each other: what tokenizers and ways to condition on actions make of the same recordings."""
