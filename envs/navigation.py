"""The Gymnasium environment: physics, camera and sensors composed with a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import pi
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from .arena import Arena
from .camera import CameraSpec
from .eye import Eye
from .physics import BUMP_SECTORS, Physics
from .renderers import make_renderers
from .robot import RobotSpec
from .sensors import Proprioception, Reading, SensorNoise
from .spaces import EventSpace
from .tasks import Task
from .topview import TopView

Observation = dict[str, Any]
Info = dict[str, Any]

CONTROLS = ("twist", "wheels")
SEPARATION = 0.2  #: s without contact after which the next contact is a new collision
MAX_READ_SPEED, MAX_READ_RATE = 2.0, 20.0  #: m/s and rad/s, the declared range of odometry and gyro


class NavigationEnv(gymnasium.Env[Observation, NDArray[np.float32]]):
    """A robot with an event camera in an arena, with a task.

    Observation (a dict):

    ======== =================== ==========================================================================
    events   t, x, y, p (n,)     events of the control period just elapsed, t µs since the episode's start
    odometry float32 (2,)        forward speed m/s and yaw rate rad/s from the wheel encoders
    gyro     float32 (1,)        yaw rate rad/s
    bump     uint8 (8,)          contact in the sector centred k x 45° counter-clockwise from straight ahead
    ======== =================== ==========================================================================

    Each further camera adds an entry ``events_<name>`` like ``events``, and a task with cues an entry
    ``cue``, float32 with one number for each cue.

    Action: float32 (2,), a twist [v m/s, w rad/s], or with ``control="wheels"`` the rates of the left and
    right wheel, rad/s; values beyond the bounds are clipped.

    `info`, for scoring only: ``pose`` (x, y, theta), ``goal`` (x, y; absent without one), ``success``,
    ``collision`` (a contact began in this step), ``collisions`` (so far), ``path_m`` (driven),
    ``optimal_path_m`` (from the start, see the task), ``time_s``, and what the task adds.

    Everything an episode draws comes from `np_random` at `reset`, and the physical world is built anew, so an
    episode depends on the random state (`get_random_state`), with which goes what the task keeps from episode
    to episode, and the constructor's arguments alone. A reset with a seed makes the task forget.

    Parameters
    ----------
    task : Task
        Start, reward, end. Its arena is the world.
    camera : CameraSpec, optional
        The main camera. Default: a 128 x 32 panorama.
    cameras : mapping of str to CameraSpec, optional
        Further cameras by name (an identifier). They see the same instants; `yaw` turns one aside. Two with
        the same `mismatch_seed` and size have the same thresholds.
    renderer : {"raycast", "pybullet"}
        What draws the camera's image.
    control : {"twist", "wheels"}
        What an action means.
    noise : SensorNoise, optional
        Errors of wheel encoders and gyro.
    robot : RobotSpec, optional
    physics_step, control_period : float
        s; the camera sees a frame each physics step.
    render_mode : {"rgb_array"}, optional
        The arena from above.
    render_size : int
        Pixels per side of `render`.

    Raises
    ------
    ValueError
        For an impossible argument, naming it.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 25}  # noqa: RUF012  (gymnasium's own convention)

    def __init__(
        self,
        task: Task,
        camera: CameraSpec | None = None,
        renderer: str = "raycast",
        control: str = "twist",
        noise: SensorNoise | None = None,
        robot: RobotSpec | None = None,
        physics_step: float = 0.004,
        control_period: float = 0.040,
        render_mode: str | None = None,
        render_size: int = 480,
        cameras: Mapping[str, CameraSpec] | None = None,
    ) -> None:
        if control not in CONTROLS:
            raise ValueError(f"control must be one of {CONTROLS}, got {control!r}")
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(
                f"render_mode must be None or one of {self.metadata['render_modes']}, got {render_mode!r}"
            )
        self.task = task
        self.camera = camera if camera is not None else CameraSpec()
        self.cameras = dict(cameras) if cameras is not None else {}
        for name in self.cameras:
            if not (isinstance(name, str) and name.isidentifier()):
                raise ValueError(f"the name of a camera must be an identifier, got {name!r}")
        self.robot = robot if robot is not None else RobotSpec()
        self.control = control
        self.physics_step, self.control_period = physics_step, control_period
        self.substeps = _whole_ratio("control_period", control_period, "physics_step", physics_step)
        _whole_ratio("time_limit", task.time_limit, "control_period", control_period)
        _whole_ratio("physics_step", physics_step, "1 µs", 1e-6)
        self.render_mode = render_mode

        specs = {"events": self.camera} | {f"events_{name}": spec for name, spec in self.cameras.items()}
        self._renderer, self._render_size = renderer, render_size
        drawers = make_renderers(renderer, task.arena, list(specs.values()))
        self._eyes = {
            entry: Eye(spec, drawer, stride=self.robot.radius)
            for (entry, spec), drawer in zip(specs.items(), drawers, strict=True)
        }
        self._eye = self._eyes["events"]
        self._physics = Physics(task.arena, self.robot, physics_step)
        self._senses = Proprioception(noise if noise is not None else SensorNoise(), self.robot)
        self._view = self._make_view()
        self._built = task.arena
        self._running = False

        reading = np.array([MAX_READ_SPEED, MAX_READ_RATE], np.float32)
        self.observation_space = spaces.Dict(
            {
                "events": EventSpace(self.camera.width, self.camera.height),
                "odometry": spaces.Box(-reading, reading, dtype=np.float32),
                "gyro": spaces.Box(-reading[1:], reading[1:], dtype=np.float32),
                "bump": spaces.Box(0, 1, (BUMP_SECTORS,), np.uint8),
                **({"cue": spaces.Box(0.0, 1.0, (len(task.cues),), np.float32)} if task.cues else {}),
                **{f"events_{name}": EventSpace(c.width, c.height) for name, c in self.cameras.items()},
            }
        )
        limit = (
            [self.robot.max_speed, self.robot.max_yaw_rate]
            if control == "twist"
            else [self.robot.max_wheel_rate] * 2
        )
        bound = np.array(limit, np.float32)
        self.action_space = spaces.Box(-bound, bound, dtype=np.float32)

    @property
    def arena(self) -> Arena:
        """The arena, with the light level of now."""
        return replace(self.task.arena, light=self._eye.renderer.light)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Begin an episode. With `seed` the random state is set first; without, its stream goes on.

        ``options={"pose": (x, y, theta)}`` starts from that pose instead of a drawn one.
        """
        super().reset(seed=seed)
        if seed is not None:
            self.task.renew()
        start_seed, sensor_seed, camera_seed = self.np_random.integers(0, 2**63, 3)
        # The pose is checked in the arena of this episode, which `start` may have changed.
        pose = self.task.start(np.random.default_rng(start_seed))
        if options is not None and "pose" in options:
            pose = self._free_pose(options["pose"])
        if self.task.arena is not self._built:
            self._rebuild()
        self._light(self.task.arena.light)
        self._physics.reset(pose)
        self._senses.reset(np.random.default_rng(sensor_seed))
        here = self._physics.pose()
        for name, eye in zip(("", *self.cameras), self._eyes.values(), strict=True):
            # A stream by name: a further camera leaves the others' noise as it was.
            eye.open(here, np.random.default_rng([camera_seed, *name.encode()] if name else camera_seed))
        self._pose = np.array(here)
        self._steps = self._collisions = 0
        self._collided = self._success = False
        self._free_for = SEPARATION
        self._path = 0.0
        self._optimal = self.task.optimal_path(self._pose)
        self._running = True
        if self._view is not None:
            self._view.clear()
        still = Reading(0.0, 0.0, 0.0, np.zeros(BUMP_SECTORS, np.uint8))
        return self._observe(still), self._info()

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, float, bool, bool, Info]:
        """Drive for one control period. See the class for what goes in and comes out."""
        if not self._running:
            raise gymnasium.error.ResetNeeded("call reset() before the first step() of an episode")
        rates = self._wheel_rates(action)
        led = self.task.led(self.time, self._pose)
        self._physics.drive(*(rates if led is None else self.robot.wheel_rates(*led)))
        bump = np.zeros(BUMP_SECTORS, np.uint8)
        before, turn = self._pose, 0.0
        x, y, theta = before
        for k in range(self.substeps):
            self._physics.step()
            new_x, new_y, new_theta = self._physics.pose()
            turn += (new_theta - theta + pi) % (2.0 * pi) - pi
            self._path += float(np.hypot(new_x - x, new_y - y))
            x, y, theta = new_x, new_y, new_theta
            now = (self._steps * self.substeps + k + 1) * self.physics_step
            for eye in self._eyes.values():
                eye.look((x, y, theta), round(now * 1e6), blank=self.task.blanks(x, y))
            bump |= self._physics.contacts()
        self._steps += 1
        self._pose = np.array([x, y, theta])
        # Contact flickers while the robot slides along a wall: that is one collision, not many.
        self._collided = bool(bump.any()) and self._free_for >= SEPARATION
        self._collisions += self._collided
        self._free_for = 0.0 if bump.any() else self._free_for + self.control_period
        reading = self._senses.read(self._physics.wheel_travel(), turn, bump, self.control_period)
        outcome = self.task.evaluate(self._pose)
        self._success = outcome.success
        # A success on the last step ends the episode by itself: terminated, not truncated.
        truncated = not outcome.terminated and self.time >= self.task.time_limit - 1e-9
        if self._view is not None:
            self._view.follow(self._pose)
        return self._observe(reading), outcome.reward, outcome.terminated, truncated, self._info()

    @property
    def time(self) -> float:
        """s since the episode's start."""
        return self._steps * self.control_period

    def render(self) -> NDArray[np.uint8] | None:
        """Return the arena from above, uint8 (size, size, 3), or None without a render mode."""
        if self._view is None:
            return None
        task = self.task
        return self._view.draw(
            self._pose, task.goal, task.goal_radius, self._eye.renderer.light, task.zones, task.wanted
        )

    def close(self) -> None:
        """Stop the physics and the renderers."""
        self._running = False
        self._physics.close()
        for eye in self._eyes.values():
            eye.close()

    def get_random_state(self) -> dict[str, Any]:
        """Return what decides all later episodes as plain numbers and strings (JSON can hold it).

        The state of the random stream and, under ``task``, what the task keeps from episode to episode. To
        be taken between episodes.
        """
        lasting = self.task.lasting()
        return dict(self.np_random.bit_generator.state) | ({"task": lasting} if lasting else {})

    def set_random_state(self, state: dict[str, Any]) -> None:
        """Go back to a state from `get_random_state`; the next `reset()` begins that episode.

        Raises
        ------
        ValueError
            If it is not of such an environment; nothing has changed then.
        """
        stream = self.np_random.bit_generator
        before = stream.state
        try:
            stream.state = {key: value for key, value in state.items() if key != "task"}
            self.task.restore(state.get("task", {}))
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            stream.state = before
            raise ValueError(f"not a random state of this environment: {error}") from None

    def kidnap(self, pose: tuple[float, float, float]) -> None:
        """Carry the robot to `pose` (x m, y m, heading rad); it sees the jump, its wheels do not turn."""
        target = self._free_pose(pose)
        self._physics.teleport(target)
        self._pose = target

    def set_light(self, level: float) -> None:
        """Set the illumination (1 is nominal) from now to the end of the episode; near 0 is darkness."""
        if not (level >= 0.0 and np.isfinite(level)):
            raise ValueError(f"light level must be >= 0, got {level}")
        self._light(float(level))

    def move_goal(self, xy: tuple[float, float]) -> None:
        """Move the hidden goal to `xy` m until the end of the episode; the optimal path starts from here."""
        self.task.move_goal(xy)
        if self._running:
            self._optimal = self.task.optimal_path(self._pose)

    def _rebuild(self) -> None:
        """Build what depends on the arena anew; the physical world is built at every reset anyway."""
        self._built = self._physics.arena = self.task.arena
        drawers = make_renderers(self._renderer, self._built, [eye.spec for eye in self._eyes.values()])
        for eye, drawer in zip(self._eyes.values(), drawers, strict=True):
            eye.renderer.close()
            eye.renderer = drawer
        self._view = self._make_view()

    def _make_view(self) -> TopView | None:
        return None if self.render_mode is None else TopView(self.task.arena, self._render_size)

    def _light(self, level: float) -> None:
        for eye in self._eyes.values():
            eye.renderer.light = level

    def _wheel_rates(self, action: NDArray[np.float32]) -> tuple[float, float]:
        command = np.asarray(action, np.float64)
        if command.shape != (2,) or not np.all(np.isfinite(command)):
            raise ValueError(f"action must be 2 finite numbers, got {action!r}")
        bound = self.action_space.high  # type: ignore[attr-defined]
        first, second = np.clip(command, -bound, bound)
        return self.robot.wheel_rates(first, second) if self.control == "twist" else (first, second)

    def _free_pose(self, pose: tuple[float, float, float]) -> NDArray[np.float64]:
        target = np.asarray(pose, np.float64)
        if target.shape != (3,) or not np.all(np.isfinite(target)):
            raise ValueError(f"pose must be 3 finite numbers x, y, theta, got {pose!r}")
        if not self.task.arena.contains(target[0], target[1], margin=self.robot.radius):
            raise ValueError(
                f"pose ({target[0]:g}, {target[1]:g}) m leaves no room for the robot"
                f" (radius {self.robot.radius:g} m) in the arena {self.task.arena.name!r}"
            )
        return target

    def _observe(self, reading: Reading) -> Observation:
        odometry = np.clip(
            [reading.speed, reading.yaw_rate],
            [-MAX_READ_SPEED, -MAX_READ_RATE],
            [MAX_READ_SPEED, MAX_READ_RATE],
        )
        gyro = np.clip([reading.gyro], -MAX_READ_RATE, MAX_READ_RATE)
        return {
            **{entry: eye.collect().to_observation() for entry, eye in self._eyes.items()},
            "odometry": odometry.astype(np.float32),
            "gyro": gyro.astype(np.float32),
            "bump": reading.bump,
            **({"cue": self.task.cue()} if self.task.cues else {}),
        }

    def _info(self) -> Info:
        info: Info = {
            "pose": self._pose.copy(),
            "success": self._success,
            "collision": self._collided,
            "collisions": int(self._collisions),
            "path_m": self._path,
            "optimal_path_m": self._optimal,
            "time_s": self.time,
        }
        if self.task.goal is not None:
            info["goal"] = self.task.goal.copy()
        return info | self.task.info(self.time)


def _whole_ratio(name: str, value: float, unit_name: str, unit: float) -> int:
    """Return value / unit, which must be a whole number of at least 1."""
    ratio = round(value / unit) if unit > 0.0 and np.isfinite(value) else 0
    if ratio < 1 or abs(ratio * unit - value) > 1e-9 * max(1.0, value):
        raise ValueError(f"{name} must be a whole multiple of {unit_name} ({unit:g} s), got {value:g} s")
    return ratio
