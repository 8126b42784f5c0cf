"""What both ends of a connection say: messages, packets, errors. No web framework."""
