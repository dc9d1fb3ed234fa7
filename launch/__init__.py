"""Running things: command line, episode loop, training, evaluation, checkpoints, shipped experiment files."""
