"""Servers on more than one machine, with the extra `ray`."""
