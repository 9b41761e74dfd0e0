"""Time to a network within eps of 1 - ||x||: built with a proof, or trained until an attack no longer finds eps.

The trained network has one hidden ReLU layer. Its width doubles until the attacked error is below eps, in the median
of a few seeds. The attack only finds lower bounds of the error: nothing is known above them, while the built networks
carry a proved upper bound.
"""

from __future__ import annotations

import statistics
from fractions import Fraction
from functools import partial
from typing import Any

import depthsep as ds
from benchmarks.measure import ratio, seconds, skip_line, table, timed

FORMULA = "1 - r"


def run(dim: int, eps: str, steps: int, max_width: int, seeds: int) -> dict[str, Any]:
    """Measure; see the module's text."""
    ds.build(FORMULA, dim=2, eps="0.3", depth=2)  # imports and first-use costs are not part of the comparison
    ds.build(FORMULA, dim=2, eps="0.3", depth=3)
    skipped = skip_line(["torch"], "pip install 'depthsep[torch]'")
    return {
        "function": FORMULA,
        "dim": dim,
        "eps": eps,
        "steps": steps,
        "seeds": seeds,
        "built": [_built(dim, eps, depth, repeats, skipped is None) for depth, repeats in ((2, 1), (3, 3))],
        "trained": {"skipped": skipped} if skipped else {"attempts": _train_until(dim, eps, steps, max_width, seeds)},
    }


def _built(dim: int, eps: str, depth: int, repeats: int, attack: bool) -> dict[str, Any]:
    build = timed(partial(ds.build, FORMULA, dim=dim, eps=eps, depth=depth), repeats)
    network = build.result
    check = timed(partial(ds.check, network.document_text), 5)
    row = {
        "depth": depth,
        "widths": list(network.widths),
        "sup_error_upper": str(network.sup_error_upper),
        "verdict": check.result.status.name,
        **build.cost(),
        "check_cpu_s": check.cost()["cpu_s"],
    }
    if attack:
        from benchmarks.attack import attacked_error
        from depthsep.exports.torch import to_torch

        row["attacked_error"] = attacked_error(to_torch(network.network), dim)
    return row


def _train_until(dim: int, eps: str, steps: int, max_width: int, seeds: int) -> list[dict[str, Any]]:
    """Double the width from 64 on until the attack stays below eps, or until `max_width`."""
    attempts: list[dict[str, Any]] = []
    _trained(dim, 64, 10, 0)  # imports and first-use costs
    width = 64
    while width <= max_width:
        attempt = _attempt(dim, width, steps, seeds)
        attempts.append(attempt)
        found = statistics.median(attempt["attacked_errors"])
        print(f"  width {width}: attacked error {found:.4f} after {seconds(attempt['cpu_s'])}", flush=True)
        if found < float(eps):
            break
        width *= 2
    return attempts


def _attempt(dim: int, width: int, steps: int, seeds: int) -> dict[str, Any]:
    """Train and attack one width with every seed; the times are those of one training, the median."""
    from benchmarks.attack import attacked_error

    trainings = [timed(partial(_trained, dim, width, steps, seed)) for seed in range(seeds)]
    attacks = [timed(partial(attacked_error, training.result, dim)) for training in trainings]
    return {
        "width": width,
        "attacked_errors": [attack.result for attack in attacks],
        "cpu_s": statistics.median(training.cpu_s for training in trainings),
        "wall_s": statistics.median(training.wall_s for training in trainings),
        "attack_cpu_s": statistics.median(attack.cpu_s for attack in attacks),
    }


def _trained(dim: int, width: int, steps: int, seed: int) -> Any:
    """Train with Adam from 3e-3 down a cosine on fresh batches of 512, mean squared error."""
    import torch

    from benchmarks.attack import random_ball_points

    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = torch.nn.Sequential(torch.nn.Linear(dim, width), torch.nn.ReLU(), torch.nn.Linear(width, 1))
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        points = random_ball_points(dim, 512, generator, torch.float32)
        loss = (model(points).squeeze(1) - (1 - points.norm(dim=1))).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return model


def tables(result: dict[str, Any]) -> str:
    """Print the networks, then the attempts of the training."""
    attempts = result["trained"].get("attempts", [])
    total = sum(attempt["cpu_s"] for attempt in attempts)
    rows = []
    for row in result["built"]:
        proved = f"{float(Fraction(row['sup_error_upper'])):.4f}"
        widths, cost = " + ".join(map(str, row["widths"])), row["cpu_s"]
        attacked = f"{row['attacked_error']:.4f}" if "attacked_error" in row else ""
        slower = [ratio(other, cost) for other in (attempts[-1]["cpu_s"], total)] if attempts else ["", ""]
        rows.append([f"depthsep, depth {row['depth']}", widths, proved, attacked, seconds(cost), *slower])
    for attempt in attempts:
        found = _spread(attempt["attacked_errors"])
        rows.append(["trained, depth 2", str(attempt["width"]), "none", found, seconds(attempt["cpu_s"]), "", ""])
    header = ["network", "width", "error, proved below", "error, attacked", "CPU time", "last training / ours",
              "all trainings / ours"]  # fmt: skip
    lines = [f"{result['function']}, d = {result['dim']}, eps = {result['eps']}", "", table(header, rows)]
    if "skipped" in result["trained"]:
        lines.append("\ntraining: " + result["trained"]["skipped"])
    return "\n".join(lines)


def _spread(errors: list[float]) -> str:
    return f"{statistics.median(errors):.4f} ({min(errors):.4f} to {max(errors):.4f})"
