# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""refused.txt: the cases that Jitney refuses, under the reason that it gives. An entry that no longer holds fails."""
from pathlib import Path

FILE = Path(__file__).with_name("refused.txt")
HEADER = """\
# Cases of the ONNX backend suite that Jitney refuses, under the reason that it gives. Written by
# `./dev onnx --update`; the test fails when a case passes that is named here, or is refused for another reason.
"""


def read():
    """{case: reason}"""
    found, reason = {}, None
    for line in FILE.read_text().splitlines() if FILE.exists() else ():
        if line.startswith("[") and line.endswith("]"):
            reason = line[1:-1]
        elif line and not line.startswith("#"):
            found.update((name, reason) for name in line.split())
    return found


def one_line(reason):
    return " ".join(reason.split())


def write(results):
    by_reason = {}
    for result in results:
        if result.verdict == "refused":
            by_reason.setdefault(one_line(result.reason), []).append(result.case.name)
    parts = [f"[{reason}]\n" + "\n".join(sorted(names)) for reason, names in sorted(by_reason.items())]
    FILE.write_text(HEADER + "".join(f"\n{part}\n" for part in parts))


def complaints(results):
    """What is not as refused.txt says."""
    listed, found = read(), []
    for result in results:
        name, reason = result.case.name, listed.pop(result.case.name, None)
        if result.verdict == "refused":
            now = one_line(result.reason)
            if reason is None:
                found.append(f"{name}: refused, and not in refused.txt: {now}")
            elif now != reason:
                found.append(f"{name}: refused for another reason than refused.txt says: {now}")
        elif result.verdict == "pass":
            if reason is not None:
                found.append(f"{name}: passes now; refused.txt still has it")
        else:
            found.append(f"{name}: {result.verdict}: {result.reason}")
    return found + [f"{name}: refused.txt has it, the suite has not" for name in sorted(listed)]
