"""The agent: perception, spatial memory, actor-critic and reflexes, composed into one closed loop.

Nothing here, or in what it composes, reads a true pose: the agent lives on events, wheel odometry, gyro,
bumps and reward.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..memory.config import PERIOD, STEPS
from ..memory.recollection import Direction
from ..memory.spatial import SpatialMemory
from ..spiking.hashing import SpikeHash
from .actor_critic import ActorCritic
from .config import NavigatorConfig
from .frontier import Frontier
from .goals import Goals, cue_of
from .guidance import Guidance
from .looming import LoomingReflex
from .mismatch import mismatched
from .motor import scan, steer
from .perception import CameraGeometry, Perception
from .reflex import Reflexes
from .replay import Replay
from .reward_rules import ActorRule
from .snapshot import AgentSnapshot
from .storage import load_arrays, save_arrays
from .vision.identity import difference, identity

SILENT = np.zeros((0, 2), np.int32)
SLOW, TURNING = 0.05, 0.2  #: m/s and rad/s above which a blind robot's image is of elsewhere


class _Volley(NamedTuple):
    """What one population fired in a control period."""

    spikes: NDArray[np.int32]  #: (k, 2) of (ms, neuron over all populations)
    operations: int
    ripple: bool  #: in a sharp wave, or replayed: not of where the robot is


class Navigator:
    """A robot's brain. Per control period: `act(observation)`, step the world, `reward(r, terminated)`.

    Parameters
    ----------
    config : what to build
    camera : geometry and nominal threshold of the event camera
    seed : top of all random streams
    rule : by which the actor learns (`reward_rules`)
    """

    def __init__(
        self, config: NavigatorConfig, camera: CameraGeometry, seed: int, rule: ActorRule = "td-ltp"
    ) -> None:
        config = mismatched(config, config.mismatch, config.device)
        self.config = config
        self._camera = identity(camera)
        self.perception = Perception(config.perception, camera, seed)
        self.memory = SpatialMemory(
            config.memory, 2 * config.perception.elevation_bins, self.perception.directions, seed
        )
        self.actor_critic = ActorCritic(
            config.actor_critic, config.memory.place.cells, seed, config.third_factor, rule
        )
        self.replay = Replay(config.replay, self.actor_critic, self.memory.experience)
        self.goals = Goals(config.goals, config.memory.place.cells)
        self.frontier = Frontier(config.frontier, config.memory.place.cells)
        self.guidance = Guidance(config.guidance, self.actor_critic.direction, self.frontier)
        self.reflexes = Reflexes(config.reflex, self.actor_critic.direction, seed)
        self.looming = LoomingReflex(config.looming, camera) if config.looming.enabled else None
        self.populations = self._number_neurons()
        self._hash = SpikeHash()
        self._seed = seed
        self._counters = np.zeros(4, np.int64)  # periods, spikes, synaptic operations, episodes
        self._scan_left = 0.0
        self._reward = 0.0
        self._vote = 0j
        self._motion = 0.0, 0.0  # m/s, rad/s
        self._twist = np.zeros(2, np.float32)
        self._period: list[_Volley] = []
        self._fan_out = self._fan_outs()

    def reset(self, seed: int | None = None) -> None:
        """Begin an episode: the pose is unknown (the first time, it is the map's origin); learning stays.

        With `seed`, all random streams start anew from it. Before it is carried to its new place, an agent
        that learns replays some of what it lived.
        """
        if self.config.learning and self._counters[3] > 0:
            self._period = []
            self._note_replay(self.replay.in_rest(self._seed, int(self._counters[3])))
            self._sharp_waves("forward")
            self._close_period(periods=0)
        if seed is not None:
            self._reseed(seed)
        self.perception.reset()
        self.actor_critic.reset()
        self.reflexes.reset()
        self.goals.reset()
        self.guidance.reset()
        if self.looming is not None:
            self.looming.reset()
        self._reward, self._vote, self._twist[:] = 0.0, 0j, 0.0
        if self._counters[3] == 0:
            self.memory.start()
            self._scan_left = 0.0
        else:
            self.memory.carry()
            self._scan_left = self.config.motor.scan_seconds
        self._counters[3] += 1
        self._period = []

    def act(self, observation: Mapping[str, Any]) -> NDArray[np.float32]:
        """Live one control period on `observation`; return the twist (2,): m/s and rad/s."""
        fired = self.sense(observation)
        heading = self.memory.heading.heading
        moved = self._motion[0] * PERIOD * np.array([np.cos(heading), np.sin(heading)])
        unknown = not self.memory.localised or self.memory.place.used == 0
        bump = np.asarray(observation["bump"])
        currents = self.reflexes.currents(bump, heading, moved, unknown, self.obeys)
        here = self._around(self.config.goals.width)
        searching = self._counters[3] > 1  # in its first episode it gets to know the place
        self.goals.advance(here, cue_of(observation), self.config.learning, searching)
        self.guidance.bump(self.memory, self.goals, bump)
        ahead = self.guidance.advance(self.memory, self.goals, searching)
        self._note("place", ahead, ripple=True)
        currents += self.guidance.currents(self.memory.pose)
        self._run_actor_critic(fired["place"], self._reward, currents)
        self._reward = 0.0
        blend = 1.0 - np.exp(-PERIOD / max(self.config.motor.tau_vote, 1e-3))
        self._vote += blend * (self.actor_critic.vote - self._vote)
        return self.drive(float(np.angle(self._vote)), observation)

    def sense(self, observation: Mapping[str, Any]) -> dict[str, NDArray[np.int32]]:
        """Begin a control period: perceive and locate; return the memory's spikes by population.

        `drive` ends it. `act` does both, and between them asks the controller; another controller may do so.
        """
        if self._counters[3] == 0:
            raise RuntimeError("call reset() before act()")
        self._period = []
        view = self.perception.advance(observation["events"], STEPS)
        self._note("view", view)
        counts = np.bincount(view[:, 1], minlength=self.perception.size).astype(np.float32)
        self._motion = self._self_motion(observation)
        moves = self._motion[0] > SLOW or abs(self._motion[1]) > TURNING
        if self.perception.blind and moves and not np.asarray(observation["bump"]).any():  # wheels may skid
            self.perception.let_go()
        fired = self.memory.advance(
            counts, self.perception.awake > 0.5 and not self.perception.blind, *self._motion
        )
        for name, spikes in fired.items():
            self._note(name, spikes)
        self._scan_left -= PERIOD
        return fired

    @property
    def obeys(self) -> bool:
        """Whether `drive` follows its controller: not while it looks around or sets its map anew."""
        scanning = not self.memory.localised and self._scan_left > 0.0
        return not (self.memory.anchoring or scanning)

    def drive(self, wanted: float, observation: Mapping[str, Any]) -> NDArray[np.float32]:
        """End the control period: return the twist (2,) towards `wanted` rad in the map's frame."""
        if self.memory.anchoring:
            self._twist = np.zeros(2, np.float32)
        elif not self.obeys:
            self._twist = scan(self.config.motor)
        else:
            self._twist = steer(self.config.motor, wanted, self.memory.heading.heading)
        if self.looming is not None:
            self.looming.look(observation["events"], *self._motion)
            if self.obeys:
                self._twist = self.looming.override(self._twist)
        self._close_period()
        return self._twist.copy()

    def reward(self, r: float, terminated: bool) -> None:
        """Take the reward of the step just made.

        At the end of an episode place cells fall silent and the controller lives on for `consummation` s, so
        that the reward reaches the synapses that earned it.
        """
        self._reward += float(r)
        if self.config.goals.enabled and (r != 0.0 or terminated) and self.memory.localised:
            width = self.config.goals.width if r != 0.0 else self.config.goals.failed
            self.goals.reward(
                float(r), terminated, self._around(width), self.config.learning, self.memory.place.on_map
            )
        if not terminated:
            return
        self._period = []
        for _ in range(round(self.config.consummation / PERIOD)):
            self._run_actor_critic(SILENT, self._reward, None)
            self._reward = 0.0
        if self.config.learning:
            self._note_replay(self.replay.after_reward(float(r)))
            if r != 0.0:
                self._sharp_waves("reverse")
        self._close_period(periods=0)

    @property
    def spike_hash(self) -> str:
        """Digest of every spike so far, in order."""
        return self._hash.hexdigest

    @property
    def pose_estimate(self) -> NDArray[np.float64]:
        """x, y (m) and heading (rad) in the frame of the pose at which the map in use was begun, (3,)."""
        return self.memory.pose

    @property
    def map_number(self) -> int:
        """Which of its maps the agent uses; 0 begins where its first episode does."""
        return self.memory.charts.used

    @property
    def localised(self) -> bool:
        """Whether the agent believes its estimate: False after being carried, until it recognises a view."""
        return self.memory.localised

    @property
    def neurons(self) -> int:
        """Number of spiking neurons."""
        return int(max(part.stop for part in self.populations.values()))

    @property
    def synapses(self) -> int:
        """Number of connections."""
        memory = self.memory
        recurrent = memory.heading.synapses + sum(module.synapses for module in memory.grids)
        return recurrent + memory.ca3.synapses + memory.place.synapses + self.actor_critic.synapses

    @property
    def spike_count(self) -> int:
        """Spikes so far."""
        return int(self._counters[1])

    @property
    def synaptic_operations(self) -> int:
        """Synaptic events so far: each spike times the number of its targets."""
        return int(self._counters[2])

    def snapshot(self) -> AgentSnapshot:
        """Return what happened in the last control period."""
        neuron, time, ripple = self._period_spikes()
        order = np.argsort(time, kind="stable")
        return AgentSnapshot(
            time=float(self._counters[0]) * PERIOD,
            pose_estimate=self.pose_estimate,
            localised=self.localised,
            map_number=self.map_number,
            spike_neuron=neuron[order].astype(np.uint32),
            spike_time=time[order].astype(np.uint16),
            place_activity=self.memory.place.activity.copy(),
            dopamine=self.actor_critic.dopamine,
            value=self.actor_critic.value,
            twist=self._twist.copy(),
            spike_ripple=ripple[order],
        )

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return copies of all that lasts from one episode to the next."""
        return {name: array.copy() for name, array in self._arrays().items()} | {
            "reflex.random": self.reflexes.random_state,
            "hash": self._hash.state,
            **{name: array.copy() for name, array in self._camera.items()},
        }

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take up a state; raise ValueError, and change nothing, when it does not fit agent and camera."""
        arrays = self._arrays()
        lasting = arrays | {"reflex.random": self.reflexes.random_state, "hash": self._hash.state}
        if set(state) != {*lasting, *self._camera}:
            odd = sorted(set(state) ^ {*lasting, *self._camera})
            raise ValueError(f"agent state does not fit this configuration: {odd[0]!r} is missing or unknown")
        for name, array in lasting.items():
            there = state[name]
            if (there.shape, there.dtype) != (array.shape, array.dtype):
                raise ValueError(
                    f"agent state does not fit this configuration: {name!r} is {there.dtype} of shape "
                    f"{there.shape}, expected {array.dtype} of {array.shape}"
                )
        other = difference(state, self._camera)
        if other is not None and self.config.same_camera:
            raise ValueError(f"it learned with another camera: {other} (agent.same_camera=false allows it)")
        for name, array in arrays.items():
            array[...] = state[name]
        self.memory.measure()
        self.reflexes.random_state = state["reflex.random"]
        self._hash.state = state["hash"]

    def save(self, path: str | Path) -> None:
        """Write the state to one file, atomically."""
        save_arrays(Path(path), self.state_dict())

    def load(self, path: str | Path) -> None:
        """Take up the state that `save` wrote; raise ValueError when the file is not one."""
        self.load_state_dict(load_arrays(Path(path)))

    def _around(self, width: float) -> NDArray[np.float32]:
        """Return how near each cell's field (places,) lies; 0 for a robot that does not know where it is."""
        if not self.memory.localised:
            return np.zeros(self.memory.place.size, np.float32)
        return self.memory.place.around(self.memory.position, width)

    def _self_motion(self, observation: Mapping[str, Any]) -> tuple[float, float]:
        speed, wheels = (float(v) for v in observation["odometry"])
        gyro = float(observation["gyro"][0])
        touching = bool(np.asarray(observation["bump"]).any())
        share = 1.0 if touching else self.config.gyro_share  # wheels skid while they push
        return speed, share * gyro + (1.0 - share) * wheels

    def _run_actor_critic(
        self, place: NDArray[np.int32], reward: float, currents: NDArray[np.float32] | None
    ) -> None:
        spikes = self.actor_critic.advance(place, STEPS, reward, currents, self.config.learning)
        self._note_controller(spikes)

    def _note_controller(self, spikes: NDArray[np.int32]) -> None:
        critics = self.config.actor_critic.critics
        is_critic = spikes[:, 1] < critics
        self._note("critic", spikes[is_critic])
        actor = spikes[~is_critic].copy()
        actor[:, 1] -= critics
        self._note("actor", actor)

    def _note_replay(self, replayed: list[tuple[NDArray[np.int32], NDArray[np.int32]]]) -> None:
        for place, controller in replayed:
            self._note("place", place, ripple=True)
            self._note_controller(controller)

    def _sharp_waves(self, direction: Direction) -> None:
        if self.memory.localised and self.memory.place.used:
            for _ in range(self.config.memory.sharp_wave.events):
                self._note("place", self.memory.replay(direction=direction), ripple=True)

    def _number_neurons(self) -> dict[str, slice]:
        memory, config = self.memory, self.config.actor_critic
        sizes = {"view": self.perception.size, "head_direction": memory.heading.size}
        sizes |= {f"grid_{k}": module.size for k, module in enumerate(memory.grids)}
        sizes |= {"ca3": memory.ca3.config.neurons, "place": memory.place.size}
        sizes |= {"critic": config.critics, "actor": config.actors}
        populations, start = {}, 0
        for name, size in sizes.items():
            populations[name] = slice(start, start + size)
            start += size
        return populations

    def _fan_outs(self) -> dict[str, int]:
        memory, config = self.memory, self.config.actor_critic
        fan = {"view": memory.ca3.config.neurons, "head_direction": memory.heading.config.phases}
        fan |= {f"grid_{k}": module.cells + memory.place.size for k, module in enumerate(memory.grids)}
        ca3 = memory.ca3.config.neurons + memory.ca3.seen_grids + memory.place.size
        fan |= {"ca3": ca3, "place": config.critics + config.actors}
        return fan | {"critic": 1, "actor": config.actors}

    def _note(self, name: str, spikes: NDArray[np.int32], ripple: bool = False) -> None:
        if len(spikes):
            part = np.array(spikes, np.int32)
            part[:, 1] += self.populations[name].start
            self._period.append(_Volley(part, len(spikes) * self._fan_out[name], ripple))

    def _period_spikes(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
        if not self._period:
            return np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.bool_)
        spikes = np.concatenate([volley.spikes for volley in self._period])
        ripple = np.repeat([volley.ripple for volley in self._period], [len(v.spikes) for v in self._period])
        return spikes[:, 1], spikes[:, 0], ripple

    def _close_period(self, periods: int = 1) -> None:
        for volley in self._period:
            self._hash.add(volley.spikes)
            self._counters[1] += len(volley.spikes)
            self._counters[2] += volley.operations
        self._hash.mark()
        self._counters[0] += periods

    def _reseed(self, seed: int) -> None:
        self._seed = seed
        self.perception.reseed(seed)
        self.memory.reseed(seed)
        self.actor_critic.reseed(seed)
        self.reflexes.reseed(seed)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        parts = {
            "perception": self.perception.arrays(),
            "memory": self.memory.arrays(),
            "actor_critic": self.actor_critic.arrays(),
            "agent": {"counters": self._counters},
            "goals": self.goals.arrays(),
            "frontier": self.frontier.arrays(),
            "looming": {} if self.looming is None else self.looming.flow.arrays(),
        }
        return {f"{part}.{name}": array for part, arrays in parts.items() for name, array in arrays.items()}
