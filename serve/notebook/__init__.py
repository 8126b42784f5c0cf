"""A player in a notebook's cell, which needs no server."""
