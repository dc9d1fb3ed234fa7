"""tolman: a navigation agent that sees events, remembers with spikes and learns from dopamine."""

__version__ = "0.1.0"
