"""Rigid-body physics: owns the PyBullet world, its clock, the robot's motors and its contacts."""

from __future__ import annotations

from math import atan2, cos, hypot, pi, sin

import numpy as np
import pybullet
from numpy.typing import NDArray

from .arena import Arena
from .robot import RobotSpec, urdf_path

BUMP_SECTORS = 8
WALL_THICKNESS = 0.05  #: m
GRAVITY = 9.81  #: m/s²


class Physics:
    """One robot in one arena, stepped at a fixed rate; heading and place of the robot are planar.

    Parameters
    ----------
    arena, robot
        What is in the world.
    dt : float
        s, length of a step.
    """

    def __init__(self, arena: Arena, robot: RobotSpec, dt: float) -> None:
        self.arena, self.robot, self.dt = arena, robot, dt
        self._client = pybullet.connect(pybullet.DIRECT)
        if self._client < 0:
            raise RuntimeError("PyBullet could not start a physics server")
        self._urdf = str(urdf_path())
        self._body = -1
        self._floor = -1
        self._axles: tuple[int, int] = (-1, -1)
        self._wheels = np.zeros(2)
        self.steps = 0

    def reset(self, pose: NDArray[np.float64]) -> None:
        """Build the world anew with the robot at rest at `pose` (x, y, theta).

        PyBullet keeps contact caches and solver history; only a new world makes an episode depend on nothing
        that came before.
        """
        c = self._client
        pybullet.resetSimulation(physicsClientId=c)
        pybullet.setGravity(0.0, 0.0, -GRAVITY, physicsClientId=c)
        pybullet.setPhysicsEngineParameter(
            fixedTimeStep=self.dt,
            numSolverIterations=20,
            deterministicOverlappingPairs=1,
            enableFileCaching=0,
            physicsClientId=c,
        )
        plane = pybullet.createCollisionShape(
            pybullet.GEOM_BOX, halfExtents=[20.0, 20.0, 0.5], physicsClientId=c
        )
        self._floor = pybullet.createMultiBody(0.0, plane, basePosition=[0.0, 0.0, -0.5], physicsClientId=c)
        pybullet.changeDynamics(self._floor, -1, lateralFriction=1.0, physicsClientId=c)
        self._build_walls()
        self._body = pybullet.loadURDF(
            self._urdf,
            basePosition=[pose[0], pose[1], self.robot.wheel_radius],
            baseOrientation=[0.0, 0.0, sin(0.5 * pose[2]), cos(0.5 * pose[2])],
            physicsClientId=c,
        )
        joints = {
            pybullet.getJointInfo(self._body, j, physicsClientId=c)[1].decode(): j
            for j in range(pybullet.getNumJoints(self._body, physicsClientId=c))
        }
        self._axles = (joints["left_axle"], joints["right_axle"])
        # Slippery shell and caster, rubber tyres: the robot slides along walls and rolls without skidding.
        pybullet.changeDynamics(self._body, -1, lateralFriction=0.05, restitution=0.0,
                                linearDamping=0.0, angularDamping=0.0, physicsClientId=c)  # fmt: skip
        pybullet.changeDynamics(self._body, joints["caster_mount"], lateralFriction=0.0, physicsClientId=c)
        for axle in self._axles:
            pybullet.changeDynamics(
                self._body, axle, lateralFriction=1.2, jointDamping=0.0, physicsClientId=c
            )
        self.drive(0.0, 0.0)
        self._wheels = self._wheel_angles()
        self.steps = 0

    def _build_walls(self) -> None:
        """Make one static body of a box behind each wall and of each pillar."""
        c = self._client
        shapes, sizes, places, turns, radii, lengths = [], [], [], [], [], []
        for wall in self.arena.walls:
            ux, uy = (wall.x1 - wall.x0) / wall.length, (wall.y1 - wall.y0) / wall.length
            mx, my = 0.5 * (wall.x0 + wall.x1), 0.5 * (wall.y0 + wall.y1)
            # The outline runs counter-clockwise, so the outside is to the right of each wall.
            out = 0.5 * WALL_THICKNESS
            shapes.append(pybullet.GEOM_BOX)
            sizes.append([0.5 * wall.length, out, 0.5 * wall.height])
            places.append([mx + out * uy, my - out * ux, 0.5 * wall.height])
            angle = atan2(uy, ux)
            turns.append([0.0, 0.0, sin(0.5 * angle), cos(0.5 * angle)])
            radii.append(0.1)
            lengths.append(0.1)
        for pillar in self.arena.pillars:
            shapes.append(pybullet.GEOM_CYLINDER)
            sizes.append([0.1, 0.1, 0.1])
            places.append([pillar.x, pillar.y, 0.5 * pillar.height])
            turns.append([0.0, 0.0, 0.0, 1.0])
            radii.append(pillar.radius)
            lengths.append(pillar.height)
        for k in range(len(shapes)):
            shape = pybullet.createCollisionShape(
                shapes[k], halfExtents=sizes[k], radius=radii[k], height=lengths[k], physicsClientId=c
            )
            body = pybullet.createMultiBody(
                0.0, shape, basePosition=places[k], baseOrientation=turns[k], physicsClientId=c
            )
            pybullet.changeDynamics(body, -1, lateralFriction=0.3, restitution=0.0, physicsClientId=c)

    def drive(self, left: float, right: float) -> None:
        """Set the wheels' target rates, rad/s; they hold until the next call."""
        for axle, rate in zip(self._axles, (left, right), strict=True):
            pybullet.setJointMotorControl2(
                self._body,
                axle,
                pybullet.VELOCITY_CONTROL,
                targetVelocity=rate,
                force=self.robot.wheel_torque,
                physicsClientId=self._client,
            )

    def step(self) -> None:
        """Advance by `dt`."""
        pybullet.stepSimulation(physicsClientId=self._client)
        self.steps += 1

    def pose(self) -> tuple[float, float, float]:
        """Return the true x, y (m) and heading (rad, in (-π, π]) of the middle of the axle."""
        (x, y, _), (qx, qy, qz, qw) = pybullet.getBasePositionAndOrientation(
            self._body, physicsClientId=self._client
        )
        theta = atan2(2.0 * (qw * qz + qx * qy), 1.0 - 2.0 * (qy * qy + qz * qz))
        return x + 0.012 * cos(theta), y + 0.012 * sin(theta), theta

    def yaw_rate(self) -> float:
        """Return the body's true turning rate, rad/s."""
        _, rates = pybullet.getBaseVelocity(self._body, physicsClientId=self._client)
        return float(rates[2])

    def wheel_travel(self) -> NDArray[np.float64]:
        """Return how far the wheels (left, right) have turned since the last call, rad."""
        now = self._wheel_angles()
        travel = now - self._wheels
        self._wheels = now
        return travel

    def contacts(self) -> NDArray[np.uint8]:
        """Return which of the body's 8 sectors touch something: sector k is centred k x 45° from straight ahead."""
        touched = np.zeros(BUMP_SECTORS, np.uint8)
        points = pybullet.getContactPoints(bodyA=self._body, linkIndexA=-1, physicsClientId=self._client)
        if points:
            x, y, theta = self.pose()
            for point in points:
                if point[2] != self._floor and point[8] <= 1e-3:
                    px, py = point[6][0], point[6][1]
                    bearing = atan2(py - y, px - x) - theta
                    touched[round(bearing / (2.0 * pi / BUMP_SECTORS)) % BUMP_SECTORS] = 1
        return touched

    def teleport(self, pose: NDArray[np.float64]) -> None:
        """Put the robot at rest at `pose` (x, y, theta); time goes on and the wheels notice nothing."""
        pybullet.resetBasePositionAndOrientation(
            self._body,
            [pose[0] - 0.012 * cos(pose[2]), pose[1] - 0.012 * sin(pose[2]), self.robot.wheel_radius],
            [0.0, 0.0, sin(0.5 * pose[2]), cos(0.5 * pose[2])],
            physicsClientId=self._client,
        )
        pybullet.resetBaseVelocity(self._body, [0, 0, 0], [0, 0, 0], physicsClientId=self._client)

    def close(self) -> None:
        """Stop the physics server; further calls do nothing."""
        if self._client >= 0 and pybullet.isConnected(self._client):
            pybullet.disconnect(self._client)
        self._client = -1

    def _wheel_angles(self) -> NDArray[np.float64]:
        states = pybullet.getJointStates(self._body, self._axles, physicsClientId=self._client)
        return np.array([states[0][0], states[1][0]])


def free_distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the straight distance between two places or poses, m."""
    return hypot(float(a[0] - b[0]), float(a[1] - b[1]))
