"""The live dashboard on Rerun: what each pane shows, as entities, and how the panes are laid out.

| pane | entities |
|---|---|
| arena | `arena/walls`, `goal`, `places`, `true/path`, `true/robot`, `estimate/path`, `estimate/robot` |
| rate maps | `rate_maps/image`, `rate_maps/labels` |
| spikes | `spikes/NAME` for each population, `spikes/labels` |
| events | `events/image` |
| dopamine and value | `signals/dopamine`, `signals/value`, `signals/reward` |
| robot | `world/floor`, `walls`, `goal`, `path`, `robot`, `estimate` |

A browser draws all this without a graphics card too, so what is logged is bounded: see the constants. Flat
panes have y downwards in Rerun; the y of the arena is negated there.
"""

import math

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

from ..exceptions import MissingExtraError
from ..messages import Message
from .history import RASTER_SECONDS, Arena, Path, StateHistory
from .raster import POPULATION_COLOURS, Row, population_rows
from .rate_maps import BINS, RateMaps

try:
    import rerun as rr
    import rerun.blueprint as rrb
except ImportError as missing:  # an extra
    raise MissingExtraError(
        "the dashboard in the browser needs rerun-sdk, which is not installed (pip install 'tolman[rerun]'); "
        "tolman view needs no more than is installed"
    ) from missing

Floats = NDArray[np.float64]
Strips = list[Floats]
TIMELINE = "agent_time"  #: s
PATH_POSES = 1500  #: newest poses of a path that are drawn: a minute at 25 Hz
PATH_POINTS = 300  #: that these are thinned out to
RASTER_POINTS = 3000
RATE_MAPS = 9
PLACES = 400  #: place fields in the arena
RASTER_SIZE = (200.0, 190.0)  #: in the units of the pane
WALL_HEIGHT, WALL_THICKNESS = 0.2, 0.01  #: m; the message has no height
BODY = ((0.16, 0.12, 0.05), (0.05, 0.02, 0.05), (0.05, 0.02, 0.05), (0.02, 0.05, 0.03))  #: m
BODY_AT = ((0.0, 0.0, 0.045), (0.0, 0.07, 0.025), (0.0, -0.07, 0.025), (0.07, 0.0, 0.085))
BODY_COLOURS = np.array([0xE8EDF4FF, 0x273241FF, 0x273241FF, 0x4CC9F0FF], np.uint32)
BACKGROUND, FLOOR, WALL, GOAL = 0x0D1117FF, 0x141B24FF, 0xA7B3C4FF, 0xF9C74FFF
ESTIMATE, TRUE, DOPAMINE, VALUE = 0x4CC9F0FF, 0xF5F7FAFF, 0xF72585FF, 0x80ED99FF
BANDS = np.array([int(f"{colour[1:]}ff", 16) for colour in POPULATION_COLOURS], np.uint32)
EVENT_COLOURS = np.array([[76, 201, 240], [15, 21, 29], [249, 132, 74]], np.float64)  #: OFF, none, ON
SIGNALS = {"/dopamine": "signals/dopamine", "/value": "signals/value", "/reward": "signals/reward"}


def blueprint() -> rrb.Blueprint:
    """Six panes."""
    width, height = RASTER_SIZE
    return rrb.Blueprint(
        rrb.Grid(
            rrb.Spatial2DView(origin="arena", name="Arena: estimate and true path", background=BACKGROUND),
            rrb.Spatial3DView(origin="world", name="Robot", background=BACKGROUND, line_grid=False),
            rrb.Spatial2DView(origin="events", name="Events", background=BACKGROUND),
            rrb.Spatial2DView(origin="rate_maps", name="Rate maps: place cells", background=BACKGROUND),
            rrb.Spatial2DView(
                origin="spikes",
                name=f"Spikes of the last {RASTER_SECONDS:g} s",
                background=BACKGROUND,
                visual_bounds=rrb.VisualBounds2D(x_range=[-0.4 * width, 1.02 * width], y_range=[0, height]),
            ),
            rrb.TimeSeriesView(origin="signals", name="Dopamine and value"),
            grid_columns=3,
        ),
        rrb.TimePanel(state="collapsed", timeline=TIMELINE),
        collapse_panels=True,
    )


def new_recording() -> rr.RecordingStream:
    """A recording that goes nowhere yet."""
    return rr.RecordingStream("tolman")


class RerunDashboard:
    """Logs an agent's state into a recording.

    Parameters
    ----------
    recording : rerun.RecordingStream
        Already connected to where it goes: a server, a file, memory.
    """

    def __init__(self, recording: rr.RecordingStream) -> None:
        self.history = StateHistory()
        self._recording = recording
        self._arena: Arena | None = None
        self._rates = _maps_of(Arena())
        self._position: Floats | None = None
        self._rows: list[Row] = []
        self._signals: dict[str, list[tuple[float, float]]] = {entity: [] for entity in SIGNALS.values()}
        recording.send_blueprint(blueprint())
        for entity, colour in zip(SIGNALS.values(), (DOPAMINE, VALUE, GOAL), strict=True):
            name = entity.rsplit("/", 1)[1]
            recording.log(entity, rr.SeriesLines(colors=colour, names=name), static=True)
        recording.log("world", rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
        body = rr.Boxes3D(sizes=BODY, centers=BODY_AT, colors=BODY_COLOURS, fill_mode="solid")
        recording.log("world/robot/body", body, static=True)
        ghost = rr.Boxes3D(sizes=BODY[:1], centers=BODY_AT[:1], colors=ESTIMATE)
        recording.log("world/estimate/body", ghost, static=True)

    def add(self, topic: str, message: Message, time: float) -> None:
        """Take a message; for `StateObserver`'s `on_message`."""
        self.history.add(topic, message, time)
        if topic == "/pose_estimate":
            place = message.pose.position
            self._position = self.history.arena.to_world(np.array([[place.x, place.y]]))[0]
        elif topic == "/place_cells" and self._position is not None:
            self._rates.add(message.data.astype(np.float64), self._position)
        elif topic in SIGNALS and math.isfinite(message.data):
            self._signals[SIGNALS[topic]].append((time, message.data))

    def draw(self, *, slow: bool = True) -> None:
        """Log what changes from period to period, and if `slow`, paths, raster and rate maps too."""
        self._recording.set_time(TIMELINE, duration=self.history.time)
        if self.history.arena is not self._arena:
            self._draw_arena(self.history.arena)
        self._draw_robots()
        self._draw_events()
        self._draw_signals()
        if slow:
            self._draw_paths()
            self._draw_places()
            self._draw_rate_maps()
            self._draw_raster()

    def _draw_arena(self, arena: Arena) -> None:
        self._arena, self._rates = arena, _maps_of(arena)
        log = self._recording.log
        log("arena/walls", rr.LineStrips2D(list(_flipped(arena.walls)), colors=WALL))
        if len(arena.walls):
            centres, along = arena.walls.mean(axis=1), arena.walls[:, 1] - arena.walls[:, 0]
            lengths, angles = np.hypot(*along.T), np.arctan2(along[:, 1], along[:, 0])
            thick = np.full(len(lengths), WALL_THICKNESS)
            log(
                "world/walls",
                rr.Boxes3D(
                    sizes=np.column_stack([lengths + thick, thick, np.full_like(thick, WALL_HEIGHT)]),
                    centers=np.column_stack([centres, np.full_like(thick, 0.5 * WALL_HEIGHT)]),
                    rotations=[rr.RotationAxisAngle([0, 0, 1], radians=float(a)) for a in angles],
                    colors=WALL,
                    fill_mode="solid",
                ),
            )
            (x0, y0), (x1, y1) = arena.walls.min(axis=(0, 1)), arena.walls.max(axis=(0, 1))
            size, middle = [x1 - x0, y1 - y0, 0.01], [0.5 * (x0 + x1), 0.5 * (y0 + y1), -0.005]
            floor = rr.Boxes3D(sizes=[size], centers=[middle], colors=FLOOR, fill_mode="solid")
            log("world/floor", floor)
        if arena.goal is None:
            for entity in ("arena/goal", "world/goal"):
                log(entity, rr.Clear(recursive=False))
            return
        radius = max(arena.goal_radius, 0.01)
        around = np.linspace(0.0, 2.0 * math.pi, 33)
        circle = np.array(arena.goal) + radius * np.column_stack([np.cos(around), np.sin(around)])
        log("arena/goal", rr.LineStrips2D([_flipped(circle)], colors=GOAL))
        disc = rr.Cylinders3D(
            lengths=[0.01], radii=[radius], centers=[[*arena.goal, 0.005]], colors=GOAL, fill_mode="solid"
        )
        log("world/goal", disc)

    def _draw_robots(self) -> None:
        history = self.history
        estimate = _pose(history.estimate, history.arena)
        true = _pose(history.true, None)
        for name, pose, colour in (("estimate", estimate, ESTIMATE), ("true", true, TRUE)):
            if pose is not None:
                marker = rr.LineStrips2D([_flipped(_triangle(pose))], colors=colour)
                self._recording.log(f"arena/{name}/robot", marker)
        for name, pose in (("robot", estimate if true is None else true), ("estimate", estimate)):
            if pose is not None:
                turned = rr.RotationAxisAngle([0, 0, 1], radians=pose[2])
                place = rr.Transform3D(translation=[pose[0], pose[1], 0.0], rotation=turned)
                self._recording.log(f"world/{name}", place)

    def _draw_events(self) -> None:
        image = self.history.event_image
        if not image.size:
            return
        shade = np.clip(image / 3.0, -1.0, 1.0)[..., None]
        side = np.where(shade < 0.0, EVENT_COLOURS[0], EVENT_COLOURS[2])
        rgb = EVENT_COLOURS[1] + np.abs(shade) * (side - EVENT_COLOURS[1])
        self._recording.log("events/image", rr.Image(rgb.astype(np.uint8)))

    def _draw_signals(self) -> None:
        for entity, samples in self._signals.items():
            if samples:
                times, numbers = np.array(samples).T
                index = rr.TimeColumn(TIMELINE, duration=times)
                self._recording.send_columns(entity, [index], rr.Scalars.columns(scalars=numbers))
                samples.clear()

    def _draw_paths(self) -> None:
        history = self.history
        for name, path, colour in (("true", history.true, TRUE), ("estimate", history.estimate, ESTIMATE)):
            points = path.points[-PATH_POSES:]
            if not len(points):
                continue
            strips = _strips(history.arena.to_world(points) if name == "estimate" else points)
            flat = rr.LineStrips2D([_flipped(strip) for strip in strips], colors=colour)
            self._recording.log(f"arena/{name}/path", flat)
            if name == "estimate":
                raised = [np.column_stack([s, np.full(len(s), 0.005)]) for s in strips]
                self._recording.log("world/path", rr.LineStrips3D(raised, colors=colour))

    def _draw_places(self) -> None:
        centres, activity, peak = self.history.places.fields
        if not len(centres):
            return
        keep = np.argsort(-activity, kind="stable")[:PLACES]
        shade = colormaps["viridis"](activity[keep] / np.maximum(peak[keep], 1e-9), bytes=True)
        points = _flipped(self.history.arena.to_world(centres[keep]))
        self._recording.log("arena/places", rr.Points2D(points, colors=shade, radii=rr.Radius.ui_points(2.0)))

    def _draw_rate_maps(self) -> None:
        cells, maps = self._rates.best(RATE_MAPS)
        if not len(cells):
            return
        columns = math.ceil(math.sqrt(RATE_MAPS))
        step = BINS + 2  # a gap between two maps
        sheet = np.full((columns * step, columns * step, 3), (13, 17, 23), np.uint8)
        labels, at = [], []
        for number, (cell, rates) in enumerate(zip(cells, maps, strict=True)):
            row, column = divmod(number, columns)
            peak = float(np.nanmax(rates))
            coloured = colormaps["viridis"](np.nan_to_num(rates) / max(peak, 1e-9), bytes=True)[..., :3]
            coloured[np.isnan(rates)] = (30, 37, 48)
            sheet[row * step : row * step + BINS, column * step : column * step + BINS] = coloured[::-1]
            labels.append(f"{cell}: {peak:.0f} Hz")
            at.append((column * step + BINS / 2, row * step + BINS - 1.5))
        self._recording.log("rate_maps/image", rr.Image(sheet))
        marks = rr.Points2D(at, labels=labels, radii=0.01, colors=TRUE, show_labels=True)
        self._recording.log("rate_maps/labels", marks)

    def _draw_raster(self) -> None:
        times, neurons = self.history.spikes
        rows = population_rows(self.history.populations, int(neurons.max()) + 1 if neurons.size else 1)
        if times.size > RASTER_POINTS:
            keep = np.linspace(0, times.size - 1, RASTER_POINTS).astype(np.int64)
            times, neurons = times[keep], neurons[keep]
        width, height = RASTER_SIZE
        scale = height / rows[-1].top
        x = (times - self.history.time) / RASTER_SECONDS * width + width
        for row, colour in zip(rows, BANDS.tolist(), strict=False):
            inside = (neurons >= row.first) & (neurons < row.stop)
            share = (neurons[inside] - row.first) / (row.stop - row.first)
            y = (row.bottom + share * (row.top - row.bottom)) * scale
            dots = rr.Points2D(np.column_stack([x[inside], y]), colors=colour, radii=rr.Radius.ui_points(1.0))
            self._recording.log(f"spikes/{_entity(row.name)}", dots)
        if rows != self._rows:
            for gone in {r.name for r in self._rows} - {r.name for r in rows}:
                self._recording.log(f"spikes/{_entity(gone)}", rr.Clear(recursive=False))
            self._rows = rows
            # In two columns, lest the names of small neighbours cover each other.
            columns = [(-0.08 if k % 2 else -0.27) * width for k in range(len(rows))]
            at = [(x, 0.5 * (r.bottom + r.top) * scale) for x, r in zip(columns, rows, strict=True)]
            names = [row.name.replace("_", " ") for row in rows]
            colours = BANDS[: len(rows)]
            labels = rr.Points2D(at, labels=names, colors=colours, radii=0.01, show_labels=True)
            self._recording.log("spikes/labels", labels)


def _maps_of(arena: Arena) -> RateMaps:
    """Rate maps over the square around the walls; 4 m a side where there are none."""
    if not len(arena.walls):
        return RateMaps(np.array([-2.0, -2.0]), np.array([2.0, 2.0]))
    low, high = arena.walls.min(axis=(0, 1)), arena.walls.max(axis=(0, 1))
    centre, half = 0.5 * (low + high), max(0.5 * float((high - low).max()), 0.01)
    return RateMaps(centre - half, centre + half)


def _flipped(points: Floats) -> Floats:
    """Points (..., 2) with y downwards."""
    flipped: Floats = points * np.array([1.0, -1.0])
    return flipped


def _pose(path: Path, arena: Arena | None) -> tuple[float, float, float] | None:
    """The newest pose of a path; of one in the agent's map, in the world."""
    if path.heading is None:
        return None
    heading = path.heading
    points = path.points[-1:]
    if arena is not None and arena.map_origin is not None:
        points, heading = arena.to_world(points), heading + arena.map_origin[2]
    return float(points[0, 0]), float(points[0, 1]), heading


def _triangle(pose: tuple[float, float, float]) -> Floats:
    x, y, heading = pose
    angles = heading + np.array([0.0, 2.5, -2.5, 0.0])
    corners: Floats = 0.09 * np.column_stack([np.cos(angles), np.sin(angles)]) + (x, y)
    return corners


def _strips(points: Floats) -> Strips:
    """Points (n, 2) cut at the gaps and thinned out to about `PATH_POINTS`."""
    step = max(1, math.ceil(len(points) / PATH_POINTS))
    gaps = np.flatnonzero(np.isnan(points[:, 0]))
    strips = []
    for strip in np.split(points, gaps):
        strip = strip[np.isfinite(strip).all(axis=1)]
        if len(strip):
            strips.append(np.vstack([strip[:-1:step], strip[-1:]]))
    return strips


def _entity(name: str) -> str:
    """A population's name as one part of an entity path."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name)
