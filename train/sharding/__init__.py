"""A video LM whose weights are split over processes: placing, checkpoints in parts, who is missing, and the memory it takes."""
