# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""What fusion leaves of a model: steps instead of operators, and the bytes that they move."""
import json
import subprocess

from catalog import MODELS, input_names, model_file


def measure(name, options):
    """{"operators", "steps", "kernels", "unfused_bytes", "fused_bytes"} at the shapes that are timed, or {"failed"}.

    `steps` counts library calls and generated kernels, `kernels` the sources that differ. Bytes count every operand
    once for each step that reads or writes it.
    """
    command = [str(options.build / "bin" / "jitney"), "inspect", str(model_file(name)), "--kernels", "--json",
               "--precision", options.precision]
    for tensor, (shape, _) in zip(input_names(name), MODELS[name][1]):
        command += ["--shape", f"{tensor}={'x'.join(map(str, shape))}"]
    process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode:
        return {"failed": process.stderr.strip()}
    report = json.loads(process.stdout)
    fusion = report["fusion"]

    def total(traffic):
        return traffic["read"]["value"] + traffic["written"]["value"]

    return {"operators": fusion["operators"], "steps": fusion["steps"], "kernels": report["distinct_kernels"],
            "unfused_bytes": total(fusion["unfused_bytes"]), "fused_bytes": total(fusion["fused_bytes"])}


def row(figures):
    """The cells of one model's row of the table."""
    if "failed" in figures:
        return ["-"] * 5
    mib = [figures[k] / 2**20 for k in ("unfused_bytes", "fused_bytes")]
    return [str(figures["operators"]), f"{figures['steps']} ({figures['operators'] / figures['steps']:.1f})",
            str(figures["kernels"]), f"{mib[0]:.3g}", f"{mib[1]:.3g} ({mib[1] / mib[0]:.2f})"]


HEADER = ["operators", "steps (operators a step)", "distinct kernels", "MiB moved, each operator by itself",
          "MiB moved, fused"]
