"""The server of one machine: which streams run, who watches and steers them, and how they are reached."""
