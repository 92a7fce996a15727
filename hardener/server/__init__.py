"""The webhook as an aiohttp server: bytes in, bytes out, count, log."""
