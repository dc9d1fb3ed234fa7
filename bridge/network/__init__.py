"""How processes find, hear and trust each other: the hub, data sockets, frames, keys."""
