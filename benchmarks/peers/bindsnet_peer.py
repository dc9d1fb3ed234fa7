"""The plastic network in BindsNET, on the CPU with one thread.

Its neurons add the current to v as it is, so weights are scaled to bring the same charge as in `networks`.
Its nodes have one synaptic time constant and no conductances, so `cuba` and `coba` are out; a step of
`sparse` multiplies by a matrix of 10,000 x 10,000, dense or not, and takes over 50 ms.
"""

import importlib
import importlib.abc
import importlib.machinery
import math
import sys
import time
import types
import warnings
from importlib.metadata import version
from typing import Any

import command
from networks import PLASTIC

SUPPORTED = ("plastic",)
UNUSED = {
    "PIL",
    "ale_py",
    "cv2",
    "gymnasium",
    "matplotlib",
    "mpl_toolkits",
    "pandas",
    "scipy",
    "skimage",
    "sklearn",
    "tensorboardX",
    "torchvision",
    "tqdm",
}


class Stub(types.ModuleType):
    """A module in which a capitalised name is an empty class and any other a stub, and that can be called."""

    __path__ = []  # noqa: RUF012 (makes it a package)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {}) if name[0].isupper() else Stub(f"{self.__name__}.{name}")

    def __call__(self, *args: object, **options: object) -> None:
        """What a function of an unused package does."""


class StubUnused(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands in for packages that BindsNET imports, is not used for here, and are not installed."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> Any:
        """A stub for the packages of `UNUSED`, asked for after all other finders."""
        known = fullname.partition(".")[0] in UNUSED
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True) if known else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """An empty stub of that name."""
        return Stub(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing to run."""


CHARGE = PLASTIC.tau_s / PLASTIC.tau_m * (1.0 - math.exp(-PLASTIC.dt / PLASTIC.tau_s))
"""Weight in BindsNET of a weight of 1: there a spike adds the sum of its current's steps to v."""


class DopamineStdp:
    """Izhikevich (2007) as `MSTDPET`, Florian (2007) with an eligibility trace, on a dense matrix.

    Its eligibility steps by 1 / tau_c, which the learning rate makes up for; its reward is the dopamine.
    """

    def __init__(self, torch: Any, network: Any, neurons: int) -> None:
        nodes: Any = importlib.import_module("bindsnet.network.nodes")
        topology: Any = importlib.import_module("bindsnet.network.topology")
        learning: Any = importlib.import_module("bindsnet.learning")
        self.torch, self.network = torch, network
        sources = nodes.Input(PLASTIC.sources)
        self.layer = nodes.CurrentLIFNodes(
            neurons,
            thresh=PLASTIC.threshold,
            rest=PLASTIC.reset,
            reset=PLASTIC.reset,
            refrac=PLASTIC.refractory + PLASTIC.dt,  # it holds one step less than this says
            tc_decay=PLASTIC.tau_m,
            tc_i_decay=PLASTIC.tau_s,
        )
        network.add_layer(sources, "sources")
        network.add_layer(self.layer, "neurons")
        self.connection = topology.Connection(
            sources,
            self.layer,
            w=torch.rand(PLASTIC.sources, neurons) * (PLASTIC.weight_start * CHARGE),
            wmin=0.0,
            wmax=PLASTIC.weight_max * CHARGE,
            nu=PLASTIC.eta * PLASTIC.tau_c * CHARGE,
            update_rule=learning.MSTDPET,
            tc_plus=PLASTIC.tau_pair,
            tc_minus=PLASTIC.tau_pair,
            tc_e_trace=PLASTIC.tau_c,
        )
        network.add_connection(self.connection, "sources", "neurons")
        self.synapses = self.connection.w.numel()
        self.steps, self.dopamine = 0, 0.0
        self.pulse_steps = round(PLASTIC.pulse_every / PLASTIC.dt)
        self.dopamine_kept = math.exp(-PLASTIC.dt / PLASTIC.tau_d)

    def step(self) -> None:
        """One step with its input and dopamine."""
        pulse = self.steps > 0 and self.steps % self.pulse_steps == 0
        self.dopamine = self.dopamine * self.dopamine_kept + pulse
        chance = PLASTIC.source_hz * PLASTIC.dt / 1000.0
        self.network.run(
            {"sources": self.torch.rand(1, PLASTIC.sources) < chance},
            time=PLASTIC.dt,
            reward=self.dopamine,
            a_plus=PLASTIC.a_plus,
            a_minus=-PLASTIC.a_minus,
        )
        self.steps += 1

    def mean_weight(self) -> float:
        """Mean weight in the unit of `networks`."""
        return float(self.connection.w.mean()) / CHARGE


def main() -> None:
    """Build, run and report one network."""
    options = command.parse(command.arguments("BindsNET", SUPPORTED), "BindsNET", SUPPORTED)
    torch: Any = importlib.import_module("torch")
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    torch.manual_seed(options.seed)
    warnings.simplefilter("ignore")
    sys.meta_path.append(StubUnused())
    network = importlib.import_module("bindsnet.network").Network(dt=PLASTIC.dt)
    run = DopamineStdp(torch, network, options.neurons)
    steps = round(1000.0 * options.seconds / PLASTIC.dt)
    spikes = torch.zeros((), dtype=torch.int64)
    begin = time.time()
    for _ in range(steps):
        run.step()
        spikes += run.layer.s.sum()
    end = time.time()
    command.publish(
        "BindsNET",
        version("bindsnet"),
        options,
        synapses=run.synapses,
        start_s=begin - command.STARTED,
        run_s=end - begin,
        spikes=int(spikes),
        peak=command.peak_mb(),
        mean_weight=run.mean_weight(),
    )


if __name__ == "__main__":
    main()
