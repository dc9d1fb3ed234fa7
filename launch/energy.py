"""Energy of a decision on neuromorphic chips: synaptic operations of a control period times pJ an operation.

An estimate from published figures, for orientation; it counts synaptic operations only. "incremental" figures
leave out what the chip draws at rest, "all-in" figures include it: the two kinds must not be compared.
"""

from __future__ import annotations

from dataclasses import dataclass

_SENECA = "as tabulated by Tang et al. 2023, Front. Neurosci. 17:1187252, table 3"


@dataclass(frozen=True)
class ChipEnergy:
    """One published figure."""

    chip: str
    picojoule: tuple[float, float] | None  #: low and high per synaptic operation; `None`: not published
    kind: str
    source: str


#: Published energies per synaptic operation.
CHIPS = (
    ChipEnergy("Loihi", (23.6, 23.6), "incremental, pre-silicon", "Davies et al. 2018, IEEE Micro 38(1)"),
    ChipEnergy("Loihi 2", None, "unknown", "no published figure"),
    ChipEnergy("TrueNorth", (2.5, 2.5), "incremental", f"Akopyan et al. 2015, {_SENECA}"),
    ChipEnergy("TrueNorth (all-in)", (26.0, 26.0), "all-in", "Merolla et al. 2014, Science 345:668"),
    ChipEnergy("SpiNNaker", (45.0, 45.0), "incremental", f"Stromatias et al. 2013, {_SENECA}"),
    ChipEnergy("SpiNNaker 2", (10.0, 10.0), "incremental", f"Höppner et al. 2021, {_SENECA}"),
    ChipEnergy("Tianjic", (1.54, 1.54), "incremental", f"Deng et al. 2020, {_SENECA}"),
    ChipEnergy("Darwin3", (5.47, 5.47), "second-hand", "Ma et al. 2024, as quoted in reviews"),
    ChipEnergy(
        "DYNAP-SE", (17.0, 30.0), "incremental, second-hand", "Moradi et al. 2018, as quoted in reviews"
    ),
)


def energy_per_decision(operations_per_decision: float) -> dict[str, dict[str, object]]:
    """Return, per chip, joules for one control period of `operations_per_decision` synaptic operations."""
    table: dict[str, dict[str, object]] = {}
    for chip in CHIPS:
        joules = None
        if chip.picojoule is not None:
            joules = [operations_per_decision * picojoule * 1e-12 for picojoule in chip.picojoule]
        table[chip.chip] = {
            "joule": None if joules is None else joules[0] if joules[0] == joules[1] else joules,
            "picojoule_per_operation": chip.picojoule,
            "kind": chip.kind,
            "source": chip.source,
        }
    return table
