"""The agent and its world as nodes: processes that meet on topics. See docs/processes.md."""
