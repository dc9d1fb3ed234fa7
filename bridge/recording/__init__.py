"""Recordings in MCAP: written, read, replayed and shown."""
