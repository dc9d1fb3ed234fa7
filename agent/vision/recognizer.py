"""From images to places: sparse views, one-shot enrolment, recall with confidence, evidence from sequences.

What `tolman localize` runs on recordings, where there is no odometry: the navigator's own memory
(`memory.spatial`) does the same with path integration in place of the order of enrolment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...memory.recognition import PlaceRecognition, Recognition, RecognitionConfig
from ...memory.sequence import SequenceConfig, SequenceEvidence
from .sparse_views import SparseViewConfig, SparseViews

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class RecognizerConfig:
    """The front end, the memory behind it, and the size of images."""

    side: int = 48  #: pixels of the longer side of an image at most; larger sensors are binned
    views: SparseViewConfig = field(default_factory=SparseViewConfig)
    memory: RecognitionConfig = field(default_factory=RecognitionConfig)
    sequence: SequenceConfig = field(default_factory=SequenceConfig)

    def __post_init__(self) -> None:
        if self.side < self.views.patch:
            raise ValueError(f"recognizer side must be >= {self.views.patch} pixels, got {self.side}")


class Sighting(NamedTuple):
    """What one view says, alone and with those before it."""

    single: Recognition
    place: int  #: by the sequence so far; -1 where no place is enrolled
    evidence: NDArray[np.float64]  #: (places,)


class Recognizer:
    """Places known by sight. `study` some images, `enrol` places, then `recall` views in their order.

    Parameters
    ----------
    config : RecognizerConfig
    shape : (height, width) of event-count images
    seed : of the dictionary
    """

    def __init__(self, config: RecognizerConfig, shape: tuple[int, int], seed: int = 0) -> None:
        self.config, self.count_shape = config, shape
        self.step = max(1, -(-max(shape) // config.side))
        small = shape[0] // self.step, shape[1] // self.step
        self.views = SparseViews(config.views, small, seed)
        self.memory = PlaceRecognition(config.memory, self.views.shape)
        self._sequence: SequenceEvidence | None = None

    def image(self, counts: NDArray[np.generic]) -> Floats:
        """Return what the front end codes of event counts (height, width): ``log(1 + counts)``, binned.

        The logarithm makes twice the events, of twice the speed or contrast, a small step everywhere.

        Raises
        ------
        ValueError
            If the counts have another shape, or are negative.
        """
        if counts.shape != self.count_shape:
            raise ValueError(f"event counts must have shape {self.count_shape}, got {counts.shape}")
        numbers = counts.astype(np.float32)
        if numbers.size and float(numbers.min()) < 0.0:
            raise ValueError("event counts must be >= 0")
        s, (height, width) = self.step, self.views.image_shape
        binned = numbers[: height * s, : width * s].reshape(height, s, width, s).sum(axis=(1, 3))
        image: Floats = np.log1p(binned)
        return image

    def study(self, images: Floats) -> float:
        """Learn the dictionary from `images` (n, height, width); return the share of active features."""
        return self.views.learn(images)

    def enrol(self, image: Floats) -> int:
        """Remember the place where `image` is seen; return its number."""
        self._sequence = None
        return self.memory.enrol(self.views.encode(image))

    def recall(self, image: Floats) -> Sighting:
        """Recognise the place where `image` is seen, as the next of a sequence."""
        single = self.memory.recall(self.views.encode(image))
        if self.memory.places == 0:
            return Sighting(single, -1, np.zeros(0))
        if self._sequence is None or self._sequence.places != self.memory.places:
            self._sequence = SequenceEvidence(self.config.sequence, self.memory.places)
        evidence = self._sequence.add(single.similarity)
        return Sighting(single, int(np.argmax(evidence)), evidence)

    def begin_sequence(self) -> None:
        """Forget the views so far, as after being carried."""
        if self._sequence is not None:
            self._sequence.clear()
