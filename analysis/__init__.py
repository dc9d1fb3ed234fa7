"""What to make of recorded runs: rate maps, scores of cells, statistics and figures, from plain arrays."""
