"""The pose graph: against dense least squares, on drives of known truth, with robots that are carried."""

import numpy as np
import pytest
from tolman.memory.least_squares import relax
from tolman.memory.pose_graph import PoseGraph, PoseGraphConfig
from tolman.memory.poses import compose, wrap

SPREADS = np.array([0.01, 0.004, 0.25, 0.25])


def drawn_graph(seed, n=14, memories=5):
    """Waypoints on a wobbly circle, some ties, one break in the chain, one memory of long ago."""
    rng = np.random.default_rng(seed)
    step = rng.normal(0.0, 1.0, (n, 3)) * [0.1, 0.05, 0.2] + [0.4, 0.0, 0.4]
    pose = np.zeros((n, 3))
    for i in range(1, n):
        pose[i] = compose(pose[i - 1], step[i]) + rng.normal(0.0, 0.02, 3)
    linked = np.ones(n, np.bool_)
    linked[0] = linked[n // 2] = False
    tie_memory = np.full((n, 3), -1)
    tie_memory[n // 2 :, 0] = rng.integers(memories, size=n - n // 2)
    tie_memory[n // 3 :, 1] = rng.integers(memories, size=n - n // 3)
    birth = np.append(rng.integers(0, n // 3, memories - 1), -1)
    return {
        "pose": pose,
        "step": step,
        "linked": linked,
        "tie_memory": tie_memory,
        "tie_count": rng.integers(1, 6, (n, 3)).astype(float),
        "tie_from": rng.normal(0.0, 0.1, (n, 3, 3)),
        "tie_turn": rng.normal(0.0, 1.0, (n, 3)),
        "birth": birth,
        "birth_from": rng.normal(0.0, 0.1, (memories, 3)),
        "memory_pose": rng.normal(0.0, 0.5, (memories, 3)),
    }


def residuals(graph, pose, weights=None):
    """All residuals of `pose` (n, 3), and the Cauchy weights of ties (computed where none are given)."""
    out, used = [1e4 * (pose[0] - graph["pose"][0])], []
    for i in range(1, len(pose)):
        if graph["linked"][i]:
            off = pose[i] - compose(pose[i - 1], graph["step"][i])
            off[2] = wrap(off[2])
            out.append(off / SPREADS[[0, 0, 1]])
    for i in range(len(pose)):
        for slot, memory in enumerate(graph["tie_memory"][i]):
            if memory < 0:
                continue
            here = compose(pose[i], graph["tie_from"][i, slot])
            there = graph["memory_pose"][memory]
            if graph["birth"][memory] >= 0:
                there = compose(pose[graph["birth"][memory]], graph["birth_from"][memory])
            root = np.sqrt(min(graph["tie_count"][i, slot], 4.0))
            place = root * (here - there)[:2] / SPREADS[2]
            turn = root * wrap(pose[i, 2] - there[2] - graph["tie_turn"][i, slot]) / SPREADS[3]
            if weights is None:
                used.append((1.0 / np.sqrt(1.0 + 0.5 * (place @ place)), 1.0 / np.sqrt(1.0 + turn * turn)))
            w = used[-1] if weights is None else weights[len(used)]
            if weights is not None:
                used.append(w)
            out.append(np.array([*(w[0] * place), w[1] * turn]))
    return np.concatenate(out), used


@pytest.mark.parametrize("seed", range(4))
def test_a_relaxation_is_a_gauss_newton_step_of_dense_least_squares(seed):
    graph = drawn_graph(seed)
    start = graph["pose"].copy()
    now, weights = residuals(graph, start)
    jacobian = np.empty((now.size, start.size))
    for k in range(start.size):
        nudged = start.copy()
        nudged.flat[k] += 1e-6
        jacobian[:, k] = (residuals(graph, nudged, weights)[0] - now) / 1e-6
    normal = jacobian.T @ jacobian + 1e-6 * np.eye(start.size)
    wanted = start - np.linalg.solve(normal, jacobian.T @ now).reshape(-1, 3)
    relax(**graph, spreads=SPREADS, witnesses=4, iterations=200)
    np.testing.assert_allclose(graph["pose"], wanted, atol=2e-4)
    at = graph["birth"][0]
    np.testing.assert_allclose(
        graph["memory_pose"][0], compose(wanted[at], graph["birth_from"][0]), atol=5e-4
    )


def drive(seed, seconds, config=None, carried_at=None):
    """Roam a round arena, the gyro's bias wandering; return errors of graph and odometry, of memories."""
    rng = np.random.default_rng(seed)
    graph = PoseGraph(config or PoseGraphConfig(gap=1.0), 400)
    true, reckoned, bias = np.zeros(3), np.zeros(3), 0.0
    graph.begin(true.copy())
    born: list[np.ndarray] = []
    made, errors = [], []
    for k in range(round(seconds / 0.04)):
        if carried_at is not None and k == round(carried_at / 0.04):
            true = np.array([0.5, -0.3, 2.0])
            graph.begin(true + np.array([0.1, -0.1, 0.2]))
        turn = 0.8 * np.sin(k / 40.0) + 0.4 * np.sin(k / 170.0)
        if np.hypot(*true[:2]) > 1.0:
            turn += 1.5 * np.sign(wrap(np.arctan2(-true[1], -true[0]) - true[2]))
        bias = 0.9987 * bias + 0.003 * np.sqrt(1.0 - 0.9987**2) * rng.normal()
        true = _moved(true, 0.3, turn)
        reckoned = _moved(reckoned, 0.3, turn + bias)
        if graph.travel(0.3, turn + bias, 0.04):
            graph.relax()
        if k % 3 == 0:
            apart = [np.hypot(*(true - pose)[:2]) for pose in born]
            near = [m for m, d in enumerate(apart) if d < 0.1 and k - made[m] > 300]
            if not apart or min(apart) > 0.15:
                graph.remember(len(born))
                born.append(true.copy())
                made.append(k)
            elif near:
                at = min(near, key=lambda m: apart[m])
                graph.recall(at, wrap(true[2] - born[at][2] + rng.normal(0.0, 0.1)))
        errors.append((np.hypot(*(graph.pose - true)[:2]), np.hypot(*(reckoned - true)[:2])))
    off = np.hypot(*(graph.memory_pose[: len(born)] - np.array(born))[:, :2].T)
    return np.array(errors), off, graph


def _moved(pose, speed, turn):
    course = pose[2] + 0.5 * turn * 0.04
    return pose + 0.04 * np.array([speed * np.cos(course), speed * np.sin(course), turn])


def test_relaxing_bounds_the_error_and_mends_the_map():
    last, places = [], []
    for seed in range(4):
        errors, off, _ = drive(seed, 300.0)
        last.append(errors[-2500:].mean(axis=0))
        places.append(off.mean())
    graph, odometry = np.mean(last, axis=0)
    assert graph < 0.4 * odometry
    assert graph < 0.09
    assert np.mean(places) < 0.06


def test_the_oldest_waypoints_are_let_go_and_their_memories_stay():
    errors, _, graph = drive(5, 300.0, PoseGraphConfig(gap=1.0, waypoints=60))
    assert graph.size == 60
    assert np.any(graph.birth < 0)
    assert errors[-2500:, 0].mean() < 0.5 * errors[-2500:, 1].mean()


def test_a_robot_that_was_carried_is_tied_by_recalls_alone():
    errors, _, _ = drive(2, 260.0, carried_at=200.0)
    assert errors[round(200.1 / 0.04), 0] > 0.1
    assert errors[-500:, 0].mean() < 0.1


@pytest.mark.parametrize("settings", [{"waypoints": 0}, {"gap": 0.0}, {"heading_spread": -1.0}])
def test_impossible_settings_are_refused_by_name(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        PoseGraphConfig(**settings)
