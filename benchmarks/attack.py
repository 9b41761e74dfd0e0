"""Look for the largest |N(x) - (1 - ||x||)| on the unit ball: what is found is a lower bound of the sup-norm error.

The points: axes, sign diagonals, sparse sign vectors and the network's own first-layer directions, each along the whole
radius; random points; then projected gradient ascent, upwards and downwards, from the worst of them.
"""

from __future__ import annotations

from typing import TypeAlias

import torch

Tensor: TypeAlias = torch.Tensor

_RADII = 81
_NEURONS = 512
_ASCENT_STEPS = 150
_BLOCK = 4096


def attacked_error(model: torch.nn.Sequential, dim: int, seed: int = 0) -> float:
    """Attack a network with one output, in float64."""
    model = model.double()
    generator = torch.Generator().manual_seed(seed)
    points = torch.cat([_along_rays(_directions(model, dim, generator)), _random_points(dim, 30_000, generator)])
    with torch.no_grad():
        errors = torch.cat([_error(model, block) for block in points.split(_BLOCK)])
    largest = float(errors.abs().max())
    for sign in (1.0, -1.0):
        worst = points[(sign * errors).topk(192).indices]
        largest = max(largest, _ascend(model, torch.cat([worst, _random_points(dim, 64, generator)]), sign))
    return largest


def random_ball_points(dim: int, count: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Draw points with a uniform direction and a radius uniform on [0, 1], so that the centre is not missed."""
    directions = torch.nn.functional.normalize(torch.randn(count, dim, generator=generator, dtype=dtype), dim=1)
    return directions * torch.rand(count, 1, generator=generator, dtype=dtype)


def _random_points(dim: int, count: int, generator: torch.Generator) -> Tensor:
    return random_ball_points(dim, count, generator, torch.float64)


def _error(model: torch.nn.Sequential, points: Tensor) -> Tensor:
    return model(points).squeeze(1) - (1 - points.norm(dim=1))


def _directions(model: torch.nn.Sequential, dim: int, generator: torch.Generator) -> Tensor:
    axes = torch.eye(dim, dtype=torch.float64)[:16]
    signs = torch.randint(0, 2, (32, dim), generator=generator, dtype=torch.float64) * 2 - 1
    sparse = [signs * _mask(dim, places, generator) for places in sorted({2, 3, dim // 2} & set(range(1, dim + 1)))]
    first, last = model[0].weight.detach(), model[-1].weight.detach()
    ranking = last.abs().sum(0).argsort(descending=True) if last.shape[1] == len(first) else torch.arange(len(first))
    rays = torch.cat([axes, signs[:8], *sparse, first[ranking[:_NEURONS]]])
    return torch.nn.functional.normalize(torch.cat([rays, -rays]), dim=1)


def _mask(dim: int, places: int, generator: torch.Generator) -> Tensor:
    """Choose `places` random coordinates, anew in each of 32 rows."""
    order = torch.rand(32, dim, generator=generator).argsort(dim=1)
    return (order < places).double()


def _along_rays(directions: Tensor) -> Tensor:
    radii = torch.linspace(0, 1, _RADII, dtype=torch.float64)
    return (directions[:, None, :] * radii[None, :, None]).reshape(-1, directions.shape[1])


def _ascend(model: torch.nn.Sequential, points: Tensor, sign: float) -> float:
    largest = 0.0
    for step in range(_ASCENT_STEPS):
        points = points.detach().requires_grad_()
        error = sign * _error(model, points)
        largest = max(largest, float(error.detach().max()))
        (gradient,) = torch.autograd.grad(error.sum(), points)
        size = 0.05 * 0.97**step
        moved = points + size * torch.nn.functional.normalize(gradient, dim=1)
        points = moved / moved.norm(dim=1, keepdim=True).clamp(min=1.0)
    return largest
