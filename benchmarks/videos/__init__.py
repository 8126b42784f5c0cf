"""Recipes for real video beside each other: tokenizers, each judged by what the pair of it and a video LM makes."""
