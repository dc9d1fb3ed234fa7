"""Scores as tables of at most 100 columns of text: a column for each arm, further arms in further tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from .windows import named

WIDTH = 100
Rows = list[tuple[str, list[str]]]  #: label, and a cell for each column


def tables(title: str, columns: Sequence[str], rows: Rows, width: int = WIDTH) -> Iterator[Table]:
    """Yield tables of `rows` with as many of the `columns` each as fit into `width`."""
    labels = max(len(label) for label, _ in rows)
    wide = [max(len(name), *(len(cells[k]) for _, cells in rows)) for k, name in enumerate(columns)]
    first = 0
    while first < len(columns):
        last, used = first, labels + 4  # a border each side and a space each side of it
        while last < len(columns) and (last == first or used + wide[last] + 3 <= width):
            used += wide[last] + 3
            last += 1
        table = Table(title=title if first == 0 else f"{title}, continued", title_justify="left")
        table.add_column("", no_wrap=True)
        for name in columns[first:last]:
            table.add_column(name, justify="right", no_wrap=True)
        for label, cells in rows:
            table.add_row(label, *cells[first:last])
        yield table
        first = last


def cell(measure: Mapping[str, Any], scale: float = 1.0, digits: int = 1) -> str:
    """Return a value with its interval, where there are."""
    if measure["value"] is None:
        return "-"
    low, high = measure["ci95"]
    text = f"{scale * measure['value']:.{digits}f}"
    if low is None or low != low:
        return text
    return f"{text} [{scale * low:.{digits}f}, {'more' if high is None else f'{scale * high:.{digits}f}'}]"


def score_rows(arms: Sequence[Mapping[str, Any]]) -> Rows:
    """Return the scores over all trials of each arm: summaries as `results.summarise` makes them."""
    scores = {
        "success, %": ("success_rate", 100.0, 0),
        "SPL": ("spl", 1.0, 2),
        "latency, s": ("latency_s", 1.0, 1),
        "collisions": ("collisions", 1.0, 1),
        "place error, cm": ("localisation_error_m", 100.0, 1),
        "dead reckoning, cm": ("dead_reckoning_error_m", 100.0, 1),
        "  with the gyro, cm": ("dead_reckoning_gyro_error_m", 100.0, 1),
        "heading error, rad": ("heading_error_rad", 1.0, 2),
    }
    rows = [
        (label, [cell(arm[key], scale, digits) for arm in arms])
        for label, (key, scale, digits) in scores.items()
    ]
    paces = [arm["real_time_factor"] for arm in arms]
    rows.append(("x real time", ["-" if pace is None else f"{pace:.1f}" for pace in paces]))
    return rows


def learning_rows(arms: Sequence[Mapping[str, Any]]) -> Rows:
    """Return what changed from the first to the last trials of each arm; nothing for short sessions."""
    learned = [arm["learning"] for arm in arms]
    if not all(learned):
        return []
    first, last = (named(tuple(learned[0][key])) for key in ("first_trials", "last_trials"))
    return [
        (f"latency {first}, s", [cell(x["first_latency_s"]) for x in learned]),
        (f"latency {last}, s", [cell(x["last_latency_s"]) for x in learned]),
        ("last / first, %", [f"{100 * x['ratio']:.0f}" for x in learned]),
        ("p of the change", [_p(x["p_value"]) for x in learned]),
    ]


def comparison_rows(arms: Mapping[str, Mapping[str, Any]], tests: Mapping[str, Mapping[str, Any]]) -> Rows:
    """Return windows and criterion of each arm, its tests against the first, as `comparison` makes them."""
    every = list(arms.values())
    rows: Rows = []
    for k, window in enumerate(every[0]["windows"]):
        scores = [arm["windows"][k] for arm in every]
        rows += [
            (f"trials {named(tuple(window['trials']))}", [""] * len(every)),
            ("  success, %", [cell(x["success_rate"], 100.0, 0) for x in scores]),
        ]
        for name, key, digits in (("latency, s", "latency_s", 1), ("SPL", "spl", 2), ("ratio", "ratio", 2)):
            for label, middle in (("IQM", "iqm"), ("median", "median")):
                rows.append((f"  {name}: {label}", [cell(x[key][middle], 1.0, digits) for x in scores]))
    rows += _criterion_rows([arm["criterion"] for arm in every])
    if tests:
        reference = next(iter(arms))
        found = [tests.get(f"{name} against {reference}") for name in arms]
        at = next(test for test in found if test is not None)["trials"]
        rows += [
            (f"against {reference}, {named(tuple(at))}", [""] * len(every)),
            ("  latency, %", ["" if x is None else f"{100 * x['ratio']:.0f}" for x in found]),
            (
                "  P(faster)",
                ["" if x is None else cell(x["probability_of_improvement"], 1.0, 2) for x in found],
            ),
            ("  p, paired", ["" if x is None else _p(x["p_value"]) for x in found]),
        ]
    return rows


def _criterion_rows(criteria: Sequence[Mapping[str, Any] | None]) -> Rows:
    """Return when each arm met the criterion; nothing for a task in which nothing is to be reached."""
    scored = next((criterion for criterion in criteria if criterion is not None), None)
    if scored is None:
        return []
    rows: Rows = []
    for k, bound in enumerate(scored["trial"]):
        met = [None if criterion is None else criterion["trial"][k]["value"] for criterion in criteria]
        label = f"ratio <= {bound['ratio']:g} from trial"
        rows.append((label, ["not met" if x is None else str(x) for x in met]))
    steps = [None if criterion is None else criterion["steps"] for criterion in criteria]
    return [
        *rows,
        ("steps to criterion", ["-" if x is None else _steps(x) for x in steps]),
        (
            "  seeds that met it",
            ["-" if x is None else f"{x['reached']} of {len(x['by_seed'])}" for x in steps],
        ),
    ]


def day_rows(days: Sequence[Mapping[str, Any]]) -> Rows:
    """Return the rows of the days of one arm; its columns are `day_columns`."""
    return [
        ("trial 1, s", [cell(day["first_latency_s"]) for day in days]),
        ("  success, %", [cell(day["first_success_rate"], 100.0, 0) for day in days]),
        ("trial 2, s", [cell(day["second_latency_s"]) for day in days]),
        ("  success, %", [cell(day["second_success_rate"], 100.0, 0) for day in days]),
        ("  ratio", [cell(day["second_ratio"], 1.0, 2) for day in days]),
        ("savings", [cell(day["savings"], 1.0, 2) for day in days]),
    ]


def day_columns(days: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the heading of each day, or of several together."""
    spans = [named(tuple(day["days"])) for day in days]
    return [f"days {span}" if "-" in span else f"day {span}" for span in spans]


def _steps(steps: Mapping[str, Any]) -> str:
    if steps["value"] is not None:
        return cell(steps, 1.0, 0)
    late = [steps["run_by_seed"][seed] for seed, found in steps["by_seed"].items() if found is None]
    return f"> {min(late)}" if late else "-"


def _p(value: float | None) -> str:
    return "-" if value is None else f"{value:.2g}"
