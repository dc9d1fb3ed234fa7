"""Columns of the tables by which a network tells the compiled loop what there is to do.

A column that names an array holds its address (`addresses`), 0 for none.
"""

from __future__ import annotations

# Kinds of a population that are no neurons.
POISSON, PLAYED = 100, 101

# Columns of the table of populations.
KIND, SIZE, STATE, VARIABLES, SILENT, CHANNELS, DRIVE, TOTAL, LOAD, LOADED = range(10)
CONSTANTS, N_CONSTANTS, CONSTANT_WIDTH, KEY, NOISE, NOISE_WIDTH = range(10, 16)
FIRED, COUNTS, DEPTH, RECEPTORS, N_RECEPTORS = range(16, 21)
TIMES, NEURONS, N_TIMES, CURSOR, PENDING = range(21, 26)
SERIES, SERIES_STEPS, SERIES_EVERY, SERIES_WIDTH = range(26, 30)
RECORD, RECORD_ROOM, RECORD_COUNT, ECHOES = range(30, 34)
POPULATION_COLUMNS = 34

# Columns of the table of receptors.
SHAPE, CHANNEL, CURRENT, FEED, REACH, REACH_ROWS, REACH_WIDTH, DECAY, CONDUCTANCE = range(9)
RECEPTOR_COLUMNS = 9

# Columns of the table of state probes.
P_SOURCE, P_INDEX, P_COUNT, P_EVERY, P_BUFFER, P_ROOM, P_CURSOR = range(7)
PROBE_COLUMNS = 7

# Columns of the table of projections. `engine` hands each row to `delivery`.
(
    J_KIND, J_PRE, J_POST, J_TARGET, J_PRE_SIZE, J_POST_SIZE, J_ROWS, J_INDEX, J_WIDE, J_SYNAPSES,
) = range(10)  # fmt: skip
(
    J_WEIGHTS, J_COPY, J_DELAY, J_DELAYS, J_RING, J_LONGEST, J_RELEASE, J_SHORT, J_HEIGHT, J_WIDTH,
    J_RULE, J_RECORD, J_FACTOR, J_GATE, J_CHANCE,
) = range(10, 25)  # fmt: skip
PROJECTION_COLUMNS = 25
SPARSE, DENSE, TORUS = 0, 1, 2

# Addresses in the record of short-term plasticity.
S_RESOURCES, S_USE, S_LAST, S_CONSTANTS = range(4)
SHORT_COLUMNS = 4

# Addresses in the record of a plastic projection; `learning`.
(
    L_CONSTANTS, L_ELIGIBILITY, L_SEEN, L_PRE_TRACE, L_POST_TRACE, L_CLOCK, L_INTEGRAL, L_FROZEN, L_MASKED,
    L_COPIES, L_COLUMN, L_PRE, L_PRE_WIDE, L_RATE, L_ELIGIBILITY_2, L_SEEN_2, L_PRE_TRACE_2, L_INTEGRAL_2,
    L_ROOM, L_SCRATCH,
) = range(20)  # fmt: skip
# From here on the arrays of `deferred.Pending` in their order, if L_ROOM is not 0.
L_PENDING = 20
L_COLUMNS = 30

# Addresses in the record of synapses that release by chance; `hedonistic`.
H_CONSTANTS, H_DRIVE, H_ELIGIBILITY, H_SEEN, H_CLOCK, H_INTEGRAL, H_KEY = range(7)
H_COLUMNS = 7
