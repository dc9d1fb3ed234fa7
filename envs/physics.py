"""Rigid-body physics: owns the PyBullet world, its clock, the robot's motors and its contacts."""

from __future__ import annotations

from math import atan2, cos, pi, sin

import numpy as np
import pybullet
from numpy.typing import NDArray

from .arena import WALL_THICKNESS, Arena, Wall
from .robot import RobotSpec, urdf_path

BUMP_SECTORS = 8
COMPOUND = 16  #: walls that make one body
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
        solids = self._build_walls()
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
        # Only the shell meets walls: the wheels' spheres, which give them one point of contact, are wider
        # than real tyres and would stick out of it.
        for solid in solids:
            for link in joints.values():
                pybullet.setCollisionFilterPair(self._body, solid, link, -1, 0, physicsClientId=c)
        self.drive(0.0, 0.0)
        self._wheels = self._wheel_angles()
        self.steps = 0

    def _build_walls(self) -> list[int]:
        """Put a box behind each wall and a cylinder in each pillar, all immovable; return their bodies."""
        c = self._client
        bodies: list[int] = []
        for first in range(0, len(self.arena.walls), COMPOUND):
            # Boxes in one body cost the broad phase a third of what as many bodies do.
            boxes = [self._wall_box(wall) for wall in self.arena.walls[first : first + COMPOUND]]
            shape = pybullet.createCollisionShapeArray(
                shapeTypes=[pybullet.GEOM_BOX] * len(boxes),
                halfExtents=[size for size, _, _ in boxes],
                collisionFramePositions=[place for _, place, _ in boxes],
                collisionFrameOrientations=[turn for _, _, turn in boxes],
                physicsClientId=c,
            )
            bodies.append(pybullet.createMultiBody(0.0, shape, physicsClientId=c))
        for pillar in self.arena.pillars:
            shape = pybullet.createCollisionShape(
                pybullet.GEOM_CYLINDER, radius=pillar.radius, height=pillar.height, physicsClientId=c
            )
            place = [pillar.x, pillar.y, 0.5 * pillar.height]
            bodies.append(pybullet.createMultiBody(0.0, shape, basePosition=place, physicsClientId=c))
        for body in bodies:
            pybullet.changeDynamics(body, -1, lateralFriction=0.3, restitution=0.0, physicsClientId=c)
        return bodies

    def _wall_box(self, wall: Wall) -> tuple[list[float], list[float], list[float]]:
        """Return half extents, place and orientation of the box whose inner face is `wall`."""
        ux, uy = (wall.x1 - wall.x0) / wall.length, (wall.y1 - wall.y0) / wall.length
        # Outlines run counter-clockwise, so the outside is to the right of each wall.
        out, angle = 0.5 * WALL_THICKNESS, atan2(uy, ux)
        return (
            [0.5 * wall.length, out, 0.5 * wall.height],
            [0.5 * (wall.x0 + wall.x1) + out * uy, 0.5 * (wall.y0 + wall.y1) - out * ux, 0.5 * wall.height],
            [0.0, 0.0, sin(0.5 * angle), cos(0.5 * angle)],
        )

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
        # PyBullet reports the centre of mass.
        back = self.robot.mass_behind
        return x + back * cos(theta), y + back * sin(theta), theta

    def wheel_travel(self) -> NDArray[np.float64]:
        """Return how far the wheels (left, right) have turned since the last call, rad."""
        now = self._wheel_angles()
        travel = now - self._wheels
        self._wheels = now
        return travel

    def contacts(self) -> NDArray[np.uint8]:
        """Return which of the body's sectors touch something; sector k is centred k x 45° from ahead."""
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
        x, y, theta = (float(v) for v in pose)
        back, height = self.robot.mass_behind, self.robot.wheel_radius - self.robot.mass_below
        pybullet.resetBasePositionAndOrientation(
            self._body,
            [x - back * cos(theta), y - back * sin(theta), height],
            [0.0, 0.0, sin(0.5 * theta), cos(0.5 * theta)],
            physicsClientId=self._client,
        )
        pybullet.resetBaseVelocity(self._body, [0, 0, 0], [0, 0, 0], physicsClientId=self._client)

    def close(self) -> None:
        """Stop the physics server; further calls do nothing."""
        if self._client >= 0 and pybullet.isConnected(self._client):
            pybullet.disconnect(self._client)
        self._client = -1

    def __del__(self) -> None:
        # A process has room for a limited number of physics servers.
        if getattr(self, "_client", -1) >= 0:
            self.close()

    def _wheel_angles(self) -> NDArray[np.float64]:
        states = pybullet.getJointStates(self._body, self._axles, physicsClientId=self._client)
        return np.array([states[0][0], states[1][0]])
