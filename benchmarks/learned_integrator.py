"""Networks that learn to integrate a path by back-propagation through time, in the hope of grid cells.

Two recipes, both taught what place cells of a known code do along simulated walks:

gaussian  Banino et al. 2018 (Nature 557:429): an LSTM is given forward speed and the sine and cosine of the
          turn; place and head-direction cells are read from a linear bottleneck with dropout, and its
          initial state is read from what they do at the start.
dog       Sorscher et al. 2019 (NeurIPS 32): a recurrent layer of rectified units is given the velocity in the
          room's frame; place cells have an inhibitory surround.

Numbers that differ from the papers' are those of `RECIPES` that say so; the reason is time on one core.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).parent))
from rat_paths import PERIOD
from rat_walks import Rat, walk

Doubles = NDArray[np.float64]

SIDE = 2.2  #: m, the box of both papers
PERIODS = 3  #: of `PERIOD` to a step of the network
STEP = PERIODS * PERIOD  #: s
HEADINGS, KAPPA = 12, 20.0  #: head-direction cells, concentration of their tuning
SURROUND = 2.0  #: times the variance of a place field's centre
WALKERS, WALK = 1500, 48.0  #: a pool of walks, s each, from which windows are cut


@dataclass(frozen=True)
class Recipe:
    """What is taught, to what, and how."""

    targets: str  #: "gaussian" or "dog"
    units: int  #: recurrent
    bottleneck: int  #: 0: none
    places: int  #: place cells
    width: float  #: m, standard deviation of a place field
    length: int  #: steps of a training walk
    batch: int
    updates: int
    rate: float  #: of learning at first; it falls to 0 in a straight line
    clip: float  #: of each number of the gradient; 0: none
    decay: float  #: weight decay
    pool: int = 250  #: updates after which new walks are made

    def __post_init__(self) -> None:
        if self.targets not in ("gaussian", "dog"):
            raise ValueError(f"targets must be gaussian or dog, got {self.targets!r}")


RECIPES = {
    # The code of Banino et al. (google-deepmind/grid-cells, d1a2304): batches of 10, 1,000,000 updates at
    # 1e-5; fields of 0.01 m, less than cells are apart.
    "gaussian": Recipe("gaussian", 128, 256, 256, 0.1, 100, 32, 6500, 1e-3, 1e-5, 1e-5),
    # Sorscher et al.: 4096 units, 512 place cells of 0.12 m, 100,000 updates at 1e-4, decay 1e-4, small
    # weights at first. With 256 units, that decay and 1e-3 nothing was learned here in 1,000 updates: the
    # codes are all but even, and decay outweighs what little there is to gain.
    "dog": Recipe("dog", 256, 0, 256, 0.16, 20, 200, 4000, 3e-3, 0.0, 1e-5),
}


class Codes:
    """Place cells with random centres in the box and, for `gaussian`, head-direction cells."""

    def __init__(self, recipe: Recipe, seed: int) -> None:
        rng = np.random.default_rng([seed, 19])
        self.recipe = recipe
        self.centres = torch.tensor(
            rng.uniform(-0.5 * SIDE, 0.5 * SIDE, (recipe.places, 2)), dtype=torch.float32
        )
        self.preferred = torch.tensor(rng.uniform(-np.pi, np.pi, HEADINGS), dtype=torch.float32)

    def places(self, at: Tensor) -> Tensor:
        """Return what place cells do (..., places) at `at` (..., 2), m from the middle; it sums to 1."""
        scaled = -torch.cdist(at.reshape(-1, 2), self.centres).square() / (2.0 * self.recipe.width**2)
        code = torch.softmax(scaled, -1)
        if self.recipe.targets == "dog":
            code = code - torch.softmax(scaled / SURROUND, -1)
            code = code - code.min(-1, keepdim=True).values
            code = code / code.sum(-1, keepdim=True)
        return code.reshape(*at.shape[:-1], -1)

    def headings(self, heading: Tensor) -> Tensor:
        """Return what head-direction cells do (..., 12) at `heading` (...), rad; it sums to 1."""
        return torch.softmax(KAPPA * torch.cos(heading[..., None] - self.preferred), -1)


class Integrator(nn.Module):
    """A recurrent network from motion to place cells; one step is `STEP` long."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        turns = recipe.targets == "gaussian"
        self.recipe, read = recipe, recipe.bottleneck or recipe.units
        start = recipe.places + (HEADINGS if turns else 0)
        self.start = nn.Linear(start, recipe.units * (2 if turns else 1), bias=False)
        self.recurrent: nn.Module = (
            nn.LSTM(3, recipe.units, batch_first=True)
            if turns
            else nn.RNN(2, recipe.units, nonlinearity="relu", bias=False, batch_first=True)
        )
        self.bottleneck = nn.Linear(recipe.units, read, bias=False) if recipe.bottleneck else nn.Identity()
        self.dropout = nn.Dropout(0.5 if recipe.bottleneck else 0.0)
        self.to_places = nn.Linear(read, recipe.places, bias=turns)
        self.to_headings = nn.Linear(read, HEADINGS) if turns else None
        if not turns:  # begin with units that hold what they are given (Le, Jaitly & Hinton 2015)
            with torch.no_grad():
                noise = torch.randn(recipe.units, recipe.units) * 0.1 / recipe.units**0.5
                self.recurrent.weight_hh_l0.copy_(0.9 * torch.eye(recipe.units) + noise)
                self.recurrent.weight_ih_l0.mul_(10.0)
                self.start.weight.mul_(50.0)

    def forward(self, start: Tensor, motion: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return activity, and what would be put into the softmax of place and of head-direction cells.

        `start` (batch, codes) is what the cells do at the start, `motion` (batch, steps, 2 or 3) `stretch`'s.
        The activity (batch, steps, units) is that of the bottleneck, or of the recurrent units without one.
        """
        first = self.start(start)[None]
        state = tuple(part.contiguous() for part in first.chunk(2, -1)) if self.to_headings else first
        hidden, _ = self.recurrent(motion, state)
        activity = self.bottleneck(hidden)
        read = self.dropout(activity)
        return activity, self.to_places(read), self.to_headings(read) if self.to_headings else None


@dataclass(frozen=True)
class Stretch:
    """Paths as a network is given them and asked for them; all are float32."""

    start: Tensor  #: (batch, codes)
    motion: Tensor  #: (batch, steps, 2 or 3)
    place: Tensor  #: (batch, steps, 2) m
    course: Tensor  #: (batch, steps) rad


def stretch(codes: Codes, place: Doubles, heading: Doubles) -> Stretch:
    """Return what a network is given along `place` (batch, k + 1, 2), one a step, from `heading` (batch,) on.

    The motion of a step is its displacement: speed, m/s, and the turn from the step before; they sum to the
    path exactly, so that no error is left to what happens within a step.
    """
    moved = np.diff(place, axis=1) / STEP
    course = np.arctan2(moved[..., 1], moved[..., 0])
    turn = np.diff(course, axis=1, prepend=heading[:, None])
    speed = np.hypot(moved[..., 0], moved[..., 1])
    turns = codes.recipe.targets == "gaussian"
    motion = np.stack([speed, np.sin(turn), np.cos(turn)], -1) if turns else moved
    at, ahead, given = (torch.tensor(part, dtype=torch.float32) for part in (place, heading, motion))
    start = codes.places(at[:, 0])
    if turns:
        start = torch.cat([start, codes.headings(ahead)], -1)
    return Stretch(start, given, at[:, 1:], torch.tensor(course, dtype=torch.float32))


def loss_of(network: Integrator, codes: Codes, path: Stretch) -> Tensor:
    """Return the mean cross-entropy to the codes along `path`."""
    _, places, headings = network(path.start, path.motion)
    loss = functional.cross_entropy(places.flatten(0, 1), codes.places(path.place).flatten(0, 1))
    if headings is not None:
        wanted = codes.headings(path.course).flatten(0, 1)
        loss = loss + functional.cross_entropy(headings.flatten(0, 1), wanted)
    return loss


def least_loss(codes: Codes, path: Stretch) -> float:
    """Return the loss of a network that does exactly what it is asked for: the entropy of the codes."""
    wanted = [codes.places(path.place)]
    if codes.recipe.targets == "gaussian":
        wanted.append(codes.headings(path.course))
    return sum(float(torch.special.entr(code).sum(-1).mean()) for code in wanted)


def windows(codes: Codes, rat: Rat, seed: int) -> Iterator[Stretch]:
    """Yield batches of stretches of walks, without end."""
    recipe, rng = codes.recipe, np.random.default_rng([seed, 20])
    within = np.arange(recipe.length + 1) * PERIODS
    while True:
        places, headings = walk(WALKERS, WALK, SIDE, rat, int(rng.integers(2**31)))
        for _ in range(recipe.pool):
            which = rng.integers(WALKERS, size=recipe.batch)
            first = rng.integers(places.shape[1] - within[-1], size=recipe.batch)
            yield stretch(codes, places[which[:, None], first[:, None] + within], headings[which, first])


def train(
    recipe: Recipe, seed: int, say: Callable[[str], None] = print, rat: Rat | None = None
) -> tuple[Integrator, Codes, list[float]]:
    """Return a trained network, its codes and the mean loss of each hundredth of the updates."""
    torch.manual_seed(seed)
    codes, network = Codes(recipe, seed), Integrator(recipe)
    source = windows(codes, rat or Rat(), seed)
    if recipe.targets == "gaussian":
        optimiser: torch.optim.Optimizer = torch.optim.RMSprop(
            network.parameters(), recipe.rate, momentum=0.9, eps=1e-10
        )
        decayed = [network.to_places.weight, network.to_headings.weight] if network.to_headings else []
    else:
        optimiser = torch.optim.Adam(network.parameters(), recipe.rate)
        decayed = [network.recurrent.weight_hh_l0]
    falling = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, recipe.updates)
    begun, losses, every = time.process_time(), [], max(1, recipe.updates // 100)
    recent: list[float] = []
    for update in range(1, recipe.updates + 1):
        loss = loss_of(network, codes, next(source))
        recent.append(float(loss.detach()))
        optimiser.zero_grad()
        (loss + recipe.decay * sum(weight.square().sum() for weight in decayed)).backward()
        if recipe.clip > 0.0:
            nn.utils.clip_grad_value_(network.parameters(), recipe.clip)
        optimiser.step()
        falling.step()
        if update % every == 0:
            losses.append(float(np.mean(recent)))
            recent = []
            if update % (10 * every) == 0:
                spent = time.process_time() - begun
                say(f"  {update} of {recipe.updates} updates, loss {losses[-1]:.3f}, {spent:.0f} s")
    network.eval()
    return network, codes, losses


def save(file: Path, network: Integrator, losses: list[float], seconds: float) -> None:
    """Write the weights, the course of the loss and the processor's seconds."""
    weights = {name: weight.numpy() for name, weight in network.state_dict().items()}
    np.savez(file, losses=np.array(losses), seconds=np.array(seconds), **weights)


def load(file: Path, recipe: Recipe, seed: int) -> tuple[Integrator, Codes, list[float], float]:
    """Return the network of a file, the codes that it was taught, its losses and what it took, s."""
    with np.load(file) as kept:
        arrays = dict(kept)
    losses, seconds = arrays.pop("losses").tolist(), float(arrays.pop("seconds"))
    network = Integrator(recipe)
    network.load_state_dict({name: torch.tensor(weight) for name, weight in arrays.items()})
    network.eval()
    return network, Codes(recipe, seed), losses, seconds


class Decoder:
    """Read the place that explains a network's place cells best, of a lattice over the box."""

    def __init__(self, codes: Codes, step: float = 0.02) -> None:
        axis = np.arange(-0.5 * SIDE, 0.5 * SIDE + 0.5 * step, step)
        x, y = np.meshgrid(axis, axis, indexing="ij")
        self.lattice = np.stack([x.ravel(), y.ravel()], axis=1)
        code = codes.places(torch.tensor(self.lattice, dtype=torch.float32))
        self._log = torch.log(code.clamp_min(1e-9)).T.contiguous()

    def __call__(self, output: Tensor) -> Doubles:
        """Return places (n, 2), m, from what is put into the softmax (n, places)."""
        found = torch.softmax(output, -1) @ self._log
        return np.asarray(self.lattice[found.argmax(-1).numpy()])
