"""The webhook as a server: bytes in, bytes out, count, log."""
