"""The server of one machine: an engine, the streams that it makes, and how they are reached."""
