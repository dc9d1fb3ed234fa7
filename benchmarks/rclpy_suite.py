"""rclpy's own tests, run against the bridge: how much of rclpy's behaviour `tolman.bridge` has.

The tests are not part of this repository. Get three of ROS 2's, as work trees or as bare repositories (their
HEAD is used): rclpy, rcl_interfaces, and test_interface_files, which has most of the messages of test_msgs::

    git clone https://github.com/ros2/rclpy
    git clone https://github.com/ros2/rcl_interfaces
    git clone https://github.com/ros2/test_interface_files
    python benchmarks/rclpy_suite.py rclpy rcl_interfaces test_interface_files
    python benchmarks/rclpy_suite.py rclpy rcl_interfaces test_interface_files --tier A,A2 --details
    python benchmarks/rclpy_suite.py rclpy rcl_interfaces test_interface_files --file test_qos --json out.json

Each file runs in a process of its own, at an endpoint of its own, with `rclpy` and the message packages
standing for the bridge (`tolman.bridge.alias`). A test that takes longer than --test-timeout is a failure; a
file that hangs altogether, or crashes, is started again without the tests it had come to.

Tiers: A, logic and clocks within a process; A2, start-up, logging, callback groups; B, nodes that
communicate; C, actions and lifecycle.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

TIERS = {
    "A": """time duration task qos qos_overriding_options parameter validate_full_topic_name
        validate_namespace validate_node_name validate_parameter_name validate_topic_name expand_topic_name
        topic_or_service_is_hidden utilities type_hash topic_endpoint_info clock context rate timer""",
    "A2": "logging init_shutdown create_node callback_group",
    "B": """node executor subscription service serialization client parameter_client parameter_service
        parameter_event_handler time_source logging_rosout rosout_subscription publisher wait_for_message
        messages guard_condition logging_service type_description_service waitable create_while_spinning
        destruction destruction_order qos_event service_introspection type_support""",
    "C": "action_client action_graph action_server lifecycle",
}
OUTCOMES = ("passed", "failed", "error", "skipped", "hung")
RESTARTS = 8  #: of one file, after a hang or a crash


class Recorder:
    """Plugin of pytest in the child: one line of JSON for each test begun and each outcome."""

    def __init__(self, out: Path, timeout: float, skip: set[str]) -> None:
        self._out, self._timeout, self._skip = out.open("a", encoding="utf-8"), timeout, skip

    def write(self, **entry: object) -> None:
        """Append one line at once: the process may not live to close the file."""
        self._out.write(json.dumps(entry) + "\n")
        self._out.flush()

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Leave out what an earlier process of this file has come to."""
        items[:] = [item for item in items if item.nodeid not in self._skip]

    def pytest_collectreport(self, report: Any) -> None:
        """A file that cannot be imported counts as one error."""
        if report.failed:
            self.write(test=report.nodeid, outcome="error", why=_last_line(str(report.longrepr)))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Begin the test's time."""
        self.write(test=nodeid, outcome="hung", why="the process ended, or had to be ended, in this test")
        signal.setitimer(signal.ITIMER_REAL, self._timeout)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Record the outcome; a set-up or tear-down counts only if it fails."""
        if report.when == "call" or report.outcome != "passed":
            outcome = report.outcome if report.when == "call" or report.skipped else "error"
            why = "" if report.passed else _last_line(str(report.longrepr))
            self.write(test=report.nodeid, outcome=outcome, why=why)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """End the test's time."""
        signal.setitimer(signal.ITIMER_REAL, 0.0)


def child(arguments: list[str]) -> int:
    """Run one test file under pytest in this process, which has imported nothing of the bridge yet."""
    file, out, timeout, interfaces, skip = arguments
    import pytest
    import test_msgs  # noqa: F401  # the package with the fixtures; its interfaces are added below
    from tolman.bridge import alias
    from tolman.bridge.interface_files import add_interfaces

    rcl_interfaces, test_interface_files = interfaces.split(os.pathsep)
    for folder in (f"{rcl_interfaces}/test_msgs", test_interface_files):
        add_interfaces(folder, package="test_msgs")
    alias.install(force=True)
    # The folder of tests imports these two to load rclpy's C library from where it was built.
    stub, library = ModuleType("rpyutils"), ModuleType("test_rclpy")
    stub.add_dll_directories_from_env = lambda _: contextlib.nullcontext()  # type: ignore[attr-defined]
    sys.modules.update({"rpyutils": stub, "test_rclpy": library})

    def expire(*_: object) -> None:
        raise TimeoutError(f"the test took longer than {timeout} s")

    signal.signal(signal.SIGALRM, expire)
    recorder = Recorder(Path(out), float(timeout), set(json.loads(skip)))
    code = pytest.main([file, "-q", "-p", "no:cacheprovider", "-p", "no:xdist"], plugins=[recorder])
    sys.stdout.flush()
    os._exit(int(code))  # threads of tests that failed may never end


def run_file(file: Path, repositories: list[Path], test_timeout: float, file_timeout: float) -> list[Any]:
    """Outcomes of one file: dictionaries with `test`, `outcome` and, unless it passed, `why`."""
    results: dict[str, dict[str, str]] = {}
    for _ in range(RESTARTS):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out.jsonl"
            interfaces = os.pathsep.join(map(str, repositories))
            command = [
                sys.executable,
                __file__,
                "--child",
                str(file),
                str(out),
                str(test_timeout),
                interfaces,
            ]
            fixtures = str(repositories[0] / "test_msgs" / "src")
            environment = os.environ | {
                "TOLMAN_ENDPOINT": f"tcp://127.0.0.1:{_free_port()}",
                "PYTHONPATH": os.pathsep.join(filter(None, [fixtures, os.environ.get("PYTHONPATH")])),
                "PYTHONDONTWRITEBYTECODE": "1",
                "ROS_LOG_DIR": folder,
            }
            before = len(results)
            with (Path(folder) / "log").open("w+", encoding="utf-8") as log:
                process = subprocess.Popen(
                    [*command, json.dumps(list(results))],
                    stdout=log, stderr=log, cwd=folder, env=environment, start_new_session=True,
                )  # fmt: skip
                try:
                    process.wait(file_timeout)
                except subprocess.TimeoutExpired:
                    pass
                finally:
                    with contextlib.suppress(ProcessLookupError):  # the tests may have started processes
                        os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                log.seek(0)
                said = log.read()
            for line in out.read_text().splitlines() if out.exists() else []:
                entry = json.loads(line)
                old = results.get(entry["test"])
                if old is None or old["outcome"] in ("hung", "passed"):
                    results[entry["test"]] = entry
            if not results:  # it ended before the first test
                why = _last_line(said) or f"exit status {process.returncode}"
                results[file.stem] = {"test": file.stem, "outcome": "error", "why": why}
            hung = any(result["outcome"] == "hung" for result in list(results.values())[before:])
            if len(results) == before or (process.returncode in (0, 1, 2, 5) and not hung):
                break
    return list(results.values())


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line[1:].strip() for line in lines if line.startswith("E ")]
    return (errors or lines or [""])[-1][:300]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def work_trees(paths: list[Path]) -> Iterator[list[Path]]:
    """The repositories as folders of files: those that are bare are unpacked for the time of the block."""
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for index, path in enumerate(paths):
            if (path / "HEAD").is_file() and (path / "objects").is_dir():
                target = Path(folder) / str(index)
                target.mkdir()
                archive = subprocess.run(
                    ["git", f"--git-dir={path}", "archive", "HEAD"], check=True, capture_output=True
                ).stdout
                subprocess.run(["tar", "x", "-C", str(target)], input=archive, check=True)
                path = target
            found.append(path.resolve())
        yield found


def chosen_files(tests: Path, tiers: list[str], wanted: list[str]) -> dict[Path, str]:
    """The test files to run, with their tiers; those in no tier count as B."""
    tier_of = {f"test_{name}": tier for tier, names in TIERS.items() for name in names.split()}
    files = {file: tier_of.get(file.stem, "B") for file in sorted(tests.glob("test_*.py"))}
    order = list(TIERS)
    chosen = {f: t for f, t in files.items() if t in tiers and (not wanted or f.stem in wanted)}
    return dict(sorted(chosen.items(), key=lambda item: (order.index(item[1]), item[0].stem)))


def _row(name: str, counts: Counter[str], seconds: float) -> str:
    cells = "".join(f"{counts[outcome] or '':>9}" for outcome in OUTCOMES)
    return f"{name:<34}{cells}{counts.total():>9}{seconds:>9.1f}"


def main() -> int:
    """Run what was asked for; print a table and, on request, what failed and why.

    Returns
    -------
    int
        0 however many tests failed; 2 and one line if a repository is not what it should be.
    """
    if sys.argv[1:2] == ["--child"]:
        return child(sys.argv[2:])
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("rclpy", type=Path)
    parser.add_argument("rcl_interfaces", type=Path)
    parser.add_argument("test_interface_files", type=Path)
    parser.add_argument("--tier", default="A,A2,B,C", help="which tiers, separated by commas")
    parser.add_argument(
        "--file", action="append", default=[], help="only this file, such as test_qos; repeatable"
    )
    parser.add_argument("--details", action="store_true", help="list the tests that did not pass, and why")
    parser.add_argument("--test-timeout", type=float, default=20.0, help="seconds for one test")
    parser.add_argument("--file-timeout", type=float, default=180.0, help="seconds for one file")
    parser.add_argument("--json", type=Path, help="write all outcomes to this file")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the children are ended too
    tiers = options.tier.split(",")
    if unknown := set(tiers) - TIERS.keys():
        parser.error(f"no tier {', '.join(sorted(unknown))}; there are {', '.join(TIERS)}")
    with work_trees([options.rclpy, options.rcl_interfaces, options.test_interface_files]) as trees:
        wanted = [Path(name).stem for name in options.file]
        for path in (trees[0] / "rclpy/test", trees[1] / "test_msgs", trees[2] / "msg"):
            if not path.is_dir():
                parser.error(
                    f"no folder {path}: give rclpy, rcl_interfaces and test_interface_files, in that order"
                )
        files = chosen_files(trees[0] / "rclpy/test", tiers, wanted)
        if not files:
            parser.error("no such test files")
        report: dict[str, Any] = {}
        totals: dict[str, Counter[str]] = {}
        print(f"{'':<34}{''.join(f'{outcome:>9}' for outcome in OUTCOMES)}{'total':>9}{'s':>9}")
        for file, tier in files.items():
            begin = time.monotonic()
            results = run_file(file, trees[1:], options.test_timeout, options.file_timeout)
            seconds = time.monotonic() - begin
            counts = Counter(result["outcome"] for result in results)
            totals.setdefault(tier, Counter()).update(counts)
            report[file.stem] = {"tier": tier, "seconds": round(seconds, 1), "tests": results}
            print(_row(f"{tier:<3}{file.stem}", counts, seconds), flush=True)
            for result in results if options.details else []:
                if result["outcome"] not in ("passed", "skipped"):
                    print(
                        f"      {result['outcome']:<7}{result['test'].rpartition('::')[2]}: {result['why']}"
                    )
    for tier, counts in totals.items():
        seconds = sum(entry["seconds"] for entry in report.values() if entry["tier"] == tier)
        print(_row(f"tier {tier}", counts, seconds))
    print(_row("all", sum(totals.values(), Counter()), sum(entry["seconds"] for entry in report.values())))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
