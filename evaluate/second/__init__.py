"""A second reader of the sprite world, written apart from the first: pieces of one hue, tracks, mean pictures and line fits."""
