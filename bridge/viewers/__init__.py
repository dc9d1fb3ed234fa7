"""What shows a running agent or a recording: windows, browsers, other programs."""
