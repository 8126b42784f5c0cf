"""A page on which a person mends the captions of a folder of videos."""
