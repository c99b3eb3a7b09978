# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
"""Tables of results, for people."""
from collections import Counter, defaultdict

VERDICTS = ("pass", "refused", "wrong", "crashed", "hung")


def counts(results):
    by_kind = defaultdict(Counter)
    for result in results:
        by_kind[result.case.kind][result.verdict] += 1
        if result.verdict == "pass" and result.interpreted == 0:
            by_kind[result.case.kind]["compiled"] += 1
    return by_kind


def summary(results):
    lines = [f"{'kind':20}{'cases':>7}{'pass':>7}{'compiled':>10}{'refused':>9}{'wrong':>7}{'crashed':>9}{'hung':>6}"]
    for kind, found in counts(results).items():
        total = sum(found[v] for v in VERDICTS)
        lines.append(f"{kind:20}{total:7}{found['pass']:7}{found['compiled']:10}{found['refused']:9}{found['wrong']:7}"
                     f"{found['crashed']:9}{found['hung']:6}")
    lines.append("compiled: of those that pass, the ones with no operator run by the reference interpreter")
    return "\n".join(lines)


def details(results):
    """What does not pass, by operator and reason, and what passes through the interpreter, by operator."""
    lines = []
    for verdict in ("crashed", "hung", "wrong", "refused"):
        groups = defaultdict(list)
        for result in results:
            if result.verdict == verdict:
                groups[result.case.operator, " ".join(result.reason.split())].append(result.case.name)
        lines.append(f"\n== {verdict}: {sum(map(len, groups.values()))}")
        for (operator, reason), names in sorted(groups.items(), key=lambda g: (-len(g[1]), g[0])):
            shown = " ".join(names[:4]) + (f" ... and {len(names) - 4} more" if len(names) > 4 else "")
            lines.append(f"{len(names):4} {operator:28} {reason[:220]}\n{'':34}{shown}")
    interpreted = Counter(r.case.operator for r in results if r.verdict == "pass" and r.interpreted)
    lines.append(f"\n== pass, but the reference interpreter ran something: {sum(interpreted.values())}")
    lines += [f"{n:4} {operator}" for operator, n in interpreted.most_common()]
    return "\n".join(lines)
