"""Event-based vision: what is made of events before they become spikes of the memory."""
