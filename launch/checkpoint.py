"""Checkpoints: one npz file with the agent's arrays and a JSON description inside; no pickle.

Written to a temporary file in the same folder, synced and renamed, so that a run killed at any moment
leaves the last complete one. Reading verifies the zip's checksums of every array before anything is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..agent.storage import write_arrays
from .config import ExperimentConfig, from_builtins, to_builtins
from .errors import UserError
from .files import atomic
from .scoring import TrialRecord

FILE_NAME = "checkpoint.npz"
_FORMAT = "tolman-checkpoint-1"
_META = "metadata"
_AGENT = "agent/"


@dataclass(frozen=True)
class Checkpoint:
    """A run at a trial boundary."""

    version: str  #: of tolman
    config: ExperimentConfig
    agent_state: Mapping[str, NDArray[Any]]
    environment_state: dict[str, Any] = field(default_factory=dict)  #: random state, plain values
    map_origins: tuple[tuple[float, float, float], ...] = ()  #: m, m, rad: world poses of its maps' origins
    records: tuple[TrialRecord, ...] = ()
    spike_hash: str = ""


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint` to `path` atomically."""
    meta = {
        "format": _FORMAT,
        "version": checkpoint.version,
        "config": to_builtins(checkpoint.config),
        "environment_state": checkpoint.environment_state,
        "map_origins": checkpoint.map_origins,
        "records": checkpoint.records,
        "spike_hash": checkpoint.spike_hash,
    }
    arrays: dict[str, NDArray[Any]] = {_META: np.frombuffer(msgspec.json.encode(meta), np.uint8)}
    for name, array in checkpoint.agent_state.items():
        if array.dtype.hasobject:
            raise TypeError(f"agent state {name} holds Python objects, only plain arrays can be saved")
        arrays[_AGENT + name] = array
    with atomic(path) as temporary, temporary.open("wb") as stream:
        write_arrays(stream, arrays)


def load(path: Path) -> Checkpoint:
    """Read the checkpoint at `path`, a file or the folder of a training run.

    Raises
    ------
    UserError
        If it is missing, damaged, not a checkpoint, or from a version with another schema.
    """
    file = path / FILE_NAME if path.is_dir() else path
    if not file.is_file():
        raise UserError(f"no checkpoint at {file}")
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # NumPy and zip have many words for damage
        raise UserError(f"{file} is damaged or not a checkpoint ({type(error).__name__})") from error
    if _META not in arrays:
        raise UserError(f"{file} is not a checkpoint of tolman")
    try:
        meta = msgspec.json.decode(arrays.pop(_META).tobytes())
        if meta["format"] != _FORMAT:
            raise UserError(f"{file} has format {meta['format']}, this version reads {_FORMAT}")
        return Checkpoint(
            version=meta["version"],
            config=from_builtins(meta["config"], str(file)),
            agent_state={name.removeprefix(_AGENT): array for name, array in arrays.items()},
            environment_state=meta["environment_state"],
            map_origins=msgspec.convert(meta["map_origins"], tuple[tuple[float, float, float], ...]),
            records=msgspec.convert(meta["records"], tuple[TrialRecord, ...]),
            spike_hash=meta["spike_hash"],
        )
    except (msgspec.MsgspecError, KeyError, TypeError) as error:
        raise UserError(f"{file} is damaged: its description cannot be read ({error})") from error
