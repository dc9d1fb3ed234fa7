"""The compiled step of the actor-critic: escape-rate neurons, TD error, and the TD-LTP rule.

Neurons are SRM0 with escape noise (Fremaux, Sprekeler & Gerstner 2013, PLoS Comput. Biol. 9:e1003024):

    u_i = sum_j w_ji (X_j * eps)(t) + lateral + chi exp(-(t - t_i) / tau_m)
    eps(s) = eps_0 / (tau_m - tau_s) (exp(-s / tau_m) - exp(-s / tau_s))
    rho_i = rho_0 log(1 + exp((u_i - theta) / Delta_u))

The last line departs from the paper's exponential: it is the same below threshold and linear above it. With
the exponential, value grows so steeply with weight that the critic ran away before the first reward.

The value is read from the critic's spikes, and its temporal-difference error is dopamine:

    V = nu <Y * kappa> + V_0,   delta = dV/dt - V / tau_r + r
    dw_ji / dt = eta delta [Y_i (X_j * eps)] * tag          (eq. 17 there, 'TD-LTP')

where `tag`, the eligibility, decays more slowly here than kappa, so that a reward reaches the whole approach.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..spiking import hedonistic, layout
from ..spiking.engine import advance_modulator
from ..spiking.escape import escape
from ..spiking.learning import learn_from
from ..spiking.random import step_key

Floats = NDArray[np.float32]
DT = np.float32(1e-3)
TINY = np.float32(1e-30)


class Traces(NamedTuple):
    """What is forgotten between trials, of N places, C critics and A actors."""

    fast: Floats  #: (N, C + A) eligibility, short filter
    slow: Floats  #: (N, C + A) eligibility, long filter
    pre_m: Floats  #: (N,) presynaptic trace, membrane decay
    pre_s: Floats  #: (N,) presynaptic trace, synapse decay
    input_m: Floats  #: (C + A,)
    input_s: Floats  #: (C + A,)
    after: Floats  #: (C + A,) refractory kernel, mV
    lateral_m: Floats  #: (A,)
    lateral_s: Floats  #: (A,)
    readout_fast: Floats  #: (A,) Hz
    readout_slow: Floats  #: (A,) Hz
    #: (N + 1,): how many places have fired since the last reset, and which: the rows of all others are zero
    rows: NDArray[np.int32]
    #: (12,): critic slow, fast, reward slow, fast, value, delta, delta sum, input trace m, s; in
    #: replay the critic's present spikes, the last value, and the reward
    scalars: NDArray[np.float64]

    @classmethod
    def zeros(cls, places: int, critics: int, actors: int) -> Traces:
        m = critics + actors
        shapes = ((places, m), (places, m), places, places, m, m, m, actors, actors, actors, actors)
        parts: list[Any] = [np.zeros(shape, np.float32) for shape in shapes]
        parts += [np.zeros(places + 1, np.int32), np.zeros(12, np.float64)]
        return cls(*parts)


class Substrate(NamedTuple):
    """Synapses of the actor that learn by a rule of the substrate instead (`reward_rules`)."""

    row: NDArray[np.int64]  #: what they are (`spiking.layout`); (0,) where the actor learns by TD-LTP
    weights: Floats  #: (N, A)
    dopamine: NDArray[np.float64]  #: (5, 1) of `Level`
    follows: int  #: 0: the third factor is that dopamine, 1: it is the controller's
    signals: NDArray[np.float64]  #: (2,): acetylcholine; 0 if nothing is to be learned

    @classmethod
    def none(cls) -> Substrate:
        """Return what stands for TD-LTP."""
        return cls(np.zeros(0, np.int64), np.zeros((0, 0), np.float32), np.zeros((5, 1)), 0, np.zeros(2))


class Controller(NamedTuple):
    """What does not change, or only by learning."""

    weights: Floats  #: (N, C + A) plastic, critic first
    clock: NDArray[np.int64]  #: (1,) steps since the start
    critics: int
    third_factor: int  #: 0: TD error, 1: raw reward
    key: np.uint32
    neurons: Floats  #: constants of `EscapeRate`
    lateral: Floats  #: (A, A) mV per spike
    #: (2,): mV of the input at weight 1, and the least input trace by which it is divided
    drive: NDArray[np.float64]
    filters: Floats  #: see ActorCritic._filters
    bounds: Floats  #: critic low, critic high, actor low, actor high
    substrate: Substrate


@njit(cache=True)
def advance(
    place_spikes: NDArray[np.int32],  # (k, 2) of (ms, place cell), ascending in time
    steps: int,
    reward_pulse: float,  # reward that arrives at the first step
    controller: Controller,
    traces: Traces,
    inhibition: Floats,  # (A,) mV from reflexes
    rates: Floats,  # learning rates of critic and actor
    # (6,): discount of the value replayed just before (0 while awake); what each step keeps of the present
    # value, the last value and the eligibility's two filters; and the scale of the latter
    replaying: Floats,
    spikes: NDArray[np.int32],
) -> int:
    weights, clock, filters = controller.weights, controller.clock, controller.filters
    drive, bounds, scalars, rows = controller.drive, controller.bounds, traces.scalars, traces.rows
    fast, slow, pre_m, pre_s = traces.fast, traces.slow, traces.pre_m, traces.pre_s
    input_m, input_s, after = traces.input_m, traces.input_s, traces.after
    lateral_m, lateral_s = traces.lateral_m, traces.lateral_s
    readout_fast, readout_slow = traces.readout_fast, traces.readout_slow
    n, m = weights.shape
    actors = m - controller.critics
    neurons, lateral, critics = controller.neurons, controller.lateral, controller.critics
    psp, keep_m, keep_s = filters[0], neurons[0, 0], filters[1]
    keep_slow, keep_fast, kappa_scale = filters[2], filters[3], filters[4]
    tau_slow, tau_fast = filters[5], filters[6]
    nu, v0, tau_r = filters[7], filters[8], filters[9]
    keep_read_slow, keep_read_fast, read_scale = filters[10], filters[11], filters[12]
    keep_tag_slow, keep_tag_fast, tag_scale = filters[13], filters[14], filters[15]
    discount, keep_now, keep_last = replaying[0], replaying[1], replaying[2]
    if discount > 0.0:
        keep_tag_slow, keep_tag_fast, tag_scale = replaying[3], replaying[4], replaying[5]
    substrate, like = controller.substrate, np.zeros(0, np.float32)
    row, ruled = substrate.row, substrate.row.size > 0
    own = critics if ruled else m  # neurons whose input is weighed here
    flat = substrate.weights.reshape(-1)
    heard, chosen = np.empty(place_spikes.shape[0] if ruled else 0, np.int32), np.empty(actors, np.int32)
    arrived, third, gate = np.zeros(actors, np.float32), np.zeros(1), np.zeros(1)
    every = 10
    count, cursor = 0, 0
    touched = np.zeros(n, np.bool_)
    for r in range(1, rows[0] + 1):
        touched[rows[r]] = True
    fired, potential = np.empty(m, np.int32), np.empty(m, np.float32)
    scalars[2] += reward_pulse
    scalars[3] += reward_pulse
    scalars[11] += reward_pulse
    for step in range(steps):
        at = step_key(controller.key, np.uint32(clock[0] & 0xFFFFFFFF))
        clock[0] += 1
        scalars[7] *= keep_m
        scalars[8] *= keep_s
        for r in range(1, rows[0] + 1):
            j = rows[r]
            pre_m[j] *= keep_m
            pre_s[j] *= keep_s
            if pre_m[j] < TINY:  # denormal numbers are slow
                pre_m[j], pre_s[j] = np.float32(0.0), np.float32(0.0)
        for i in range(m):
            input_m[i] *= keep_m
            input_s[i] *= keep_s
            after[i] *= keep_m
        n_heard = 0
        while cursor < place_spikes.shape[0] and place_spikes[cursor, 0] <= step:
            j = place_spikes[cursor, 1]
            if not touched[j]:
                touched[j] = True
                rows[0] += 1
                rows[rows[0]] = j
            pre_m[j] += np.float32(1.0)
            pre_s[j] += np.float32(1.0)
            scalars[7] += 1.0
            scalars[8] += 1.0
            for i in range(own):
                w = weights[j, i]
                input_m[i] += w
                input_s[i] += w
            if ruled:
                heard[n_heard] = j
                n_heard += 1
            cursor += 1
        if ruled:
            if substrate.follows == 0:
                advance_modulator(substrate.dopamine)
                third[0] = substrate.dopamine[4, 0] * substrate.signals[1]
            arrived[:] = np.float32(0.0)
            if row[layout.J_CHANCE] != 0:
                hedonistic.deliver(row, heard[:n_heard], flat, arrived, third, clock[0], like)
            else:
                for h in range(n_heard):
                    for k in range(actors):
                        arrived[k] += substrate.weights[heard[h], k]
            for k in range(actors):
                input_m[critics + k] += arrived[k]
                input_s[critics + k] += arrived[k]
        # Feedforward inhibition divides by the summed input (divisive normalisation, Carandini & Heeger
        # 2012), so the drive is the mean weight of the active places and not how many of them there are.
        share = np.float32(drive[0] / max(scalars[7] - scalars[8], drive[1]))
        for i in range(m):
            u = share * (input_m[i] - input_s[i]) + after[i]
            if i >= critics:
                k = i - critics
                u += psp * (lateral_m[k] - lateral_s[k]) + inhibition[k]
            potential[i] = u
        n_fired = escape(potential, neurons, at, fired)
        for k in range(actors):
            lateral_m[k] *= keep_m
            lateral_s[k] *= keep_s
            readout_slow[k] *= keep_read_slow
            readout_fast[k] *= keep_read_fast
        critic_spikes = 0
        for f in range(n_fired):
            i = fired[f]
            after[i] = neurons[7, 0]
            for r in range(1, rows[0] + 1):
                j = rows[r]
                trace = psp * (pre_m[j] - pre_s[j])
                slow[j, i] += trace
                fast[j, i] += trace
            if i < critics:
                critic_spikes += 1
            else:
                k = i - critics
                readout_slow[k] += read_scale
                readout_fast[k] += read_scale
                for q in range(actors):
                    lateral_m[q] += lateral[k, q]
                    lateral_s[q] += lateral[k, q]
            if count >= spikes.shape[0]:
                return -1
            spikes[count, 0] = step
            spikes[count, 1] = i
            count += 1
        scalars[0] = scalars[0] * keep_slow + critic_spikes
        scalars[1] = scalars[1] * keep_fast + critic_spikes
        scalars[2] *= keep_slow
        scalars[3] *= keep_fast
        scale = kappa_scale / critics
        value = nu * scale * (scalars[0] - scalars[1]) + v0
        slope = nu * scale * (scalars[1] / tau_fast - scalars[0] / tau_slow)
        reward = kappa_scale * (scalars[2] - scalars[3])
        delta = slope - value / tau_r + reward
        if discount > 0.0:
            scalars[9] = scalars[9] * keep_now + critic_spikes
            value = nu * (scalars[9] * (1.0 - keep_now) * 1e3 / critics) + v0
            scalars[10] = scalars[10] * keep_last + (1.0 - keep_last) * value
            scalars[11] *= keep_last
            reward = scalars[11]
            delta = discount * (scalars[10] + reward) - value
        scalars[4] = value
        scalars[5] = delta
        signal = reward if controller.third_factor == 1 else delta
        scalars[6] += signal
        if ruled and row[layout.J_RULE] != 0:
            n_chosen = 0
            for f in range(n_fired):
                if fired[f] >= critics:
                    chosen[n_chosen] = fired[f] - critics
                    n_chosen += 1
            if substrate.follows == 1:
                third[0] = signal * substrate.signals[1]
            gate[0] = substrate.signals[0] * substrate.signals[1]
            learn_from(row, heard[:n_heard], chosen[:n_chosen], heard[:0], third, gate, like)
        if clock[0] % every == 0:
            factor = scalars[6] / every
            scalars[6] = 0.0
            change = factor * tag_scale * DT * every
            decay_slow, decay_fast = keep_tag_slow**every, keep_tag_fast**every
            learn = rates[0] > 0.0 or rates[1] > 0.0
            for r in range(1, rows[0] + 1):
                j = rows[r]
                if learn:
                    for i in range(critics):
                        w = weights[j, i] + rates[0] * change * (slow[j, i] - fast[j, i])
                        weights[j, i] = min(max(w, bounds[0]), bounds[1])
                    for i in range(critics, m):
                        w = weights[j, i] + rates[1] * change * (slow[j, i] - fast[j, i])
                        weights[j, i] = min(max(w, bounds[2]), bounds[3])
                for i in range(m):
                    slow[j, i] *= decay_slow
                    fast[j, i] *= decay_fast
                    if fast[j, i] < TINY:
                        fast[j, i] = np.float32(0.0)
    return count


@njit(cache=True)
def replay(
    cells: NDArray[np.int16],  # (n, slots) place cells that fired, the latest period first
    times: NDArray[np.uint8],  # (n, slots) ms within the period, ascending
    counts: NDArray[np.uint8],  # (n,)
    course: Floats,  # (n,) rad
    steps: int,  # ms of a period
    speed: int,  # times faster than lived
    blank: int,  # periods at the start in which nothing is learned
    reward: float,  # at the start
    rates: Floats,  # learning rates of critic and actor
    drive: np.float32,  # mV, for actors along the course
    direction: NDArray[np.float64],  # (A,) rad
    replaying: Floats,
    controller: Controller,
    traces: Traces,
    place: NDArray[np.int32],  # (sum of counts, 2) out: replayed place spikes of (ms, cell)
    spikes: NDArray[np.int32],  # out: spikes of critic and actor
) -> int:
    """Run the controller on a way backwards; return how many spikes it fired, -1 if they do not fit."""
    nothing = np.zeros(2, np.float32)
    toward = np.zeros(direction.size, np.float32)
    pulse, begin, placed, count = reward, 0, 0, 0
    for p in range(counts.size):
        end = steps * (p + 1) // speed
        first = placed
        for back in range(counts[p]):
            slot = counts[p] - 1 - back
            place[placed, 0] = min((steps - 1 - times[p, slot]) // speed, end - begin - 1)
            place[placed, 1] = cells[p, slot]
            placed += 1
        for k in range(direction.size):
            toward[k] = drive * np.exp(8.0 * (np.cos(direction[k] - course[p]) - 1.0))
        fired = advance(
            place[first:placed], end - begin, pulse, controller, traces, toward,
            nothing if p < blank else rates, replaying, spikes[count:],
        )  # fmt: skip
        if fired < 0:
            return -1
        place[first:placed, 0] += begin
        spikes[count : count + fired, 0] += begin
        count += fired
        pulse, begin = 0.0, end
    return count
