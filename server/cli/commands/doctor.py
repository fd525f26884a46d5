"""Check this machine: CPU features, kernels, memory bandwidth and the model.

Measures the memory bandwidth, which bounds decoding, and the share of the arithmetic peak that a
prefill's products reach, compares the kernels chosen for this CPU with float64, suggests a model
that is fast enough for typing on it, and verifies the model file. The exit status is 1 if something
is broken; a model that has not been pulled yet is not an error.

examples:
  midline doctor
  midline doctor --model qwen2.5-coder-1.5b
  midline doctor --json
  MIDLINE_KERNELS=scalar midline doctor
"""

import argparse
import json
import os
import platform
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from midline.model.catalog.catalog import CATALOGUE, DEFAULT_MODEL, resolve
from midline.model.catalog.suggestion import prompt_speed, suggest
from midline.model.errors import MidlineError
from midline.model.paths import cache_folder
from midline.model.threads import physical_cores, thread_count
from midline.server import machine
from midline.server.logs import log_path
from midline.server.lsp.engine_policy import BEYOND_THE_FILE


@dataclass
class Report:
    """Findings; `problems` holds one sentence each, and the exit status is 1 if there are any."""

    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        metavar="NAME",
        help="the model to check: a name of the catalogue or a path (default: %(default)s)",
    )
    parser.add_argument(
        "--sparsity",
        type=float,
        metavar="S",
        help="the share of weights to skip whose profile to check (default: the model's own)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the findings; 1 if there are problems."""
    report = Report()
    _examine_machine(report)
    _examine_kernels(report)
    _examine_model(report, args.model)
    _examine_packed_weights(report)
    _examine_sparsity(report, args.sparsity)
    _examine_pause_model(report)
    if args.json:
        print(json.dumps({**report.facts, "problems": report.problems}, indent=2))
    else:
        _print(report)
    return 1 if report.problems else 0


def _examine_machine(report: Report) -> None:
    report.facts.update(
        midline=version("midline"),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        cpu={"name": machine.processor_name(), "features": machine.processor_features()},
        threads=_threads(report),
        memory={"bytes": machine.memory_bytes(), "huge_pages": machine.huge_pages()},
        folders={"cache": str(cache_folder()), "log": str(log_path())},
    )


def _threads(report: Report) -> int:
    """The thread count of an engine; the default if MIDLINE_THREADS is invalid."""
    try:
        return thread_count()
    except MidlineError as error:
        report.problems.append(str(error))
        return physical_cores()


def _examine_kernels(report: Report) -> None:
    forced = os.environ.get("MIDLINE_KERNELS") or None
    report.facts.update(kernels={"path": None, "forced": forced})
    try:
        from midline import kernels
        from midline.kernels.product_rate import product_share
        from midline.kernels.self_test import failures, self_test

        report.facts["kernels"]["path"] = kernels.kernel_name()
        errors = self_test()
        bandwidth = kernels.read_bandwidth(report.facts["threads"])
        share, peak = product_share()
    except (ImportError, ValueError) as error:
        report.problems.append(f"the kernels cannot be used: {error}")
        return
    wrong = failures(errors)
    report.facts["self_test"] = {"passed": not wrong, "relative_errors": errors}
    report.facts["read_gb_per_second"] = round(bandwidth / 1e9, 1)
    report.facts["kernels"].update(
        peak_multiply_adds_per_second=round(peak), prefill_share_of_peak=round(share, 3)
    )
    _suggest(report, share * peak * report.facts["threads"])
    if wrong:
        report.problems.append(
            f"the {kernels.kernel_name()} kernels compute wrong results ({', '.join(wrong)}); "
            "MIDLINE_KERNELS=scalar avoids them"
        )


def _suggest(report: Report, multiply_adds_per_second: float) -> None:
    entry = suggest(multiply_adds_per_second, report.facts["memory"]["bytes"])
    report.facts["suggestion"] = {
        "model": entry.name,
        "prompt_tokens_per_second": round(prompt_speed(entry, multiply_adds_per_second)),
        "here": entry.is_here(),
    }


def _examine_model(report: Report, name: str) -> None:
    entry = CATALOGUE.get(name)
    facts: dict[str, Any] = {"name": name, "path": None}
    report.facts["model"] = facts
    if entry is not None and not entry.is_here():
        facts["pull"] = f"midline model pull {name}"
        return
    try:
        path = resolve(name)
        facts["path"] = str(path)
        facts.update(_describe_model(path))
    except MidlineError as error:
        report.problems.append(str(error))
        return
    if entry is not None:
        facts["verified"] = entry.matches(path)
        if not facts["verified"]:
            report.problems.append(
                f"{path} is damaged; `midline model pull {name}` fetches it again"
            )


def _examine_packed_weights(report: Report) -> None:
    """Reads the packed weights as a start does; that they are damaged is mended by the next one."""
    facts = report.facts["model"]
    if "architecture" not in facts:
        return
    from midline.model.weights.packed import verify_packed_weights

    try:
        facts["packed"] = verify_packed_weights(Path(facts["path"]), report.facts["threads"])
    except MidlineError as error:
        report.problems.append(str(error))


def _examine_sparsity(report: Report, level: float | None) -> None:
    facts = report.facts["model"]
    if "architecture" not in facts:
        return
    from midline.model.engines.native.policy import policy_of
    from midline.model.teal.profile import describe, find_profile, levels

    path = Path(facts["path"])
    try:
        level = policy_of(path).sparsity if level is None else level
        facts["sparsity"] = {"level": level, "levels": levels(path), "profile": None}
        profile = find_profile(path, level)
    except MidlineError as error:
        report.problems.append(str(error))
        return
    if profile is not None:
        facts["sparsity"]["profile"] = describe(profile)


def _examine_pause_model(report: Report) -> None:
    """What the next larger model of the catalogue would cost beside the model."""
    own = report.facts["model"].get("bytes")
    larger = [entry for entry in CATALOGUE.values() if own and entry.bytes > own]
    if larger:
        entry = min(larger, key=lambda entry: entry.bytes)
        together = own + entry.bytes + 2 * BEYOND_THE_FILE
        facts = {"name": entry.name, "here": entry.is_here(), "bytes_of_both": together}
        report.facts["pause_model"] = facts


def _describe_model(path: Path) -> dict[str, Any]:
    from midline.model.weights.gguf import read_gguf

    metadata = read_gguf(path).metadata
    architecture = metadata.get("general.architecture")
    return {
        "bytes": path.stat().st_size,
        "architecture": architecture,
        "layers": metadata.get(f"{architecture}.block_count"),
        "context": metadata.get(f"{architecture}.context_length"),
    }


def _print(report: Report) -> None:
    facts = report.facts
    memory = facts["memory"]
    total = f"{memory['bytes'] / 2**30:.0f} GiB" if memory["bytes"] else "unknown"
    pages = f", huge pages: {memory['huge_pages']}" if memory["huge_pages"] else ""
    rows = {
        "midline": f"{facts['midline']} on Python {facts['python']}, {facts['system']}",
        "processor": facts["cpu"]["name"],
        "features": " ".join(facts["cpu"]["features"]) or "none that the kernels know",
        "threads": str(facts["threads"]),
        "memory": total + pages,
        "kernels": _kernels_line(facts),
        "suggested": _suggestion_line(facts.get("suggestion")),
        "model": _model_line(facts["model"]),
        "packed": _packed_line(facts["model"].get("packed")),
        "sparsity": _sparsity_line(facts["model"].get("sparsity")),
        "pauses": _pause_line(facts.get("pause_model")),
        "cache": facts["folders"]["cache"],
        "log": facts["folders"]["log"],
    }
    for name, value in rows.items():
        print(f"{name:<10} {value}")
    for problem in report.problems:
        print(f"problem    {problem}")
    if not report.problems:
        print("all well")


def _kernels_line(facts: dict[str, Any]) -> str:
    kernels = facts["kernels"]
    if "self_test" not in facts:
        return f"{kernels['path'] or 'none'}, not tested"
    forced = " (forced)" if kernels["forced"] else ""
    passed = "passed" if facts["self_test"]["passed"] else "FAILED"
    speed = facts["read_gb_per_second"]
    peak = kernels["peak_multiply_adds_per_second"] / 1e9
    return (
        f"{kernels['path']}{forced}, self-test {passed}, reads {speed} GB/s; products of a prefill "
        f"reach {kernels['prefill_share_of_peak']:.0%} of a core's {peak:.0f} G multiply-adds/s"
    )


def _suggestion_line(suggestion: dict[str, Any] | None) -> str:
    if suggestion is None:
        return "needs the kernels"
    name = suggestion["model"]
    pull = "" if suggestion["here"] else f"; `midline model pull {name}` fetches it"
    speed = suggestion["prompt_tokens_per_second"]
    return f"{name}, which reads about {speed} prompt tokens/s here{pull}"


def _pause_line(pause: dict[str, Any] | None) -> str:
    if pause is None:
        return "no larger model for midline.pauseModel"
    pull = "" if pause["here"] else f"; `midline model pull {pause['name']}` fetches it"
    return (
        f"with midline.pauseModel {pause['name']}, both models take up to "
        f"{pause['bytes_of_both'] / 2**20:.0f} MB of memory{pull}"
    )


def _sparsity_line(sparsity: dict[str, Any] | None) -> str:
    if sparsity is None:
        return "needs the model"
    levels = ", ".join(f"{level:g}" for level in sparsity["levels"]) or "none"
    return f"{sparsity['profile'] or 'dense'}; levels with a profile: {levels}"


def _packed_line(packed: dict[str, Any] | None) -> str:
    if packed is None:
        return "needs the model"
    if packed["seconds"] is None:
        return f"the weights {packed['state']}; the next start packs them"
    return (
        f"{packed['bytes'] / 1e6:.0f} MB {packed['state']}, read in {packed['seconds']:.2f} s, "
        f"{packed['verify_seconds']:.3f} s of it checksums"
    )


def _model_line(model: dict[str, Any]) -> str:
    if "pull" in model:
        return f"{model['name']} is not here yet: {model['pull']}"
    if "architecture" not in model:
        return f"{model['name']} cannot be used"
    verdict = {True: ", verified", False: ", DAMAGED"}
    verified = verdict[model["verified"]] if "verified" in model else ""
    return (
        f"{model['name']}: {model['architecture']}, {model['layers']} layers, "
        f"{model['bytes'] / 1e6:.0f} MB{verified}, {model['path']}"
    )
