"""The other end of a connection: streams of a server, with the names that streams have here."""
