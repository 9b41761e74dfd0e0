"""The network with two sigmoidal layers as a torch module; the hidden layer is frozen.

    N(x) = sigma(sum_i v_i sigma(<w_i, c x> + b_i) + v_0)

Importing this module needs torch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from depthsep.errors import BadInput
from depthsep.extras import require
from depthsep.learning.features import HiddenLayer

__all__ = ["TwoSigmoidNet"]

torch = require("torch", "the torch module of a network with two sigmoidal layers", "learn")


class TwoSigmoidNet(torch.nn.Module):  # type: ignore[misc, name-defined]
    """A random frozen hidden layer of sigmoids, and one sigmoidal output neuron that can be trained.

    Hidden weights and biases are buffers, `output` is a Linear layer from `width` features to one number; it starts at
    zero. Points are given as they are drawn, rescaling is part of the module. Call `center_on` with the training points
    before training: without it the common mean of the features holds gradient descent up, see `features`.

    Args:
        dim: The dimension d of the points.
        width: The number of hidden neurons.
        hidden: "iid", "orthogonal" or "antithetic", see `features`.
        scale: The norm of the hidden weights.
        bias_range: The hidden biases are uniform on [-bias_range, bias_range].
        seed: Determines the hidden layer.
        input_scale: The factor on the points; `RadialLaw.scale` brings the median norm to sqrt(d).

    Shapes:
        forward: points (..., d) to outputs (...), between 0 and 1, in float32.

    Raises:
        BadInput: As for `HiddenLayer`.

    Example:
        >>> net = TwoSigmoidNet(3, 50, hidden="orthogonal")
        >>> net(torch.zeros(2, 3)).tolist(), [name for name, _ in net.named_parameters()]
        ([0.5, 0.5], ['output.weight', 'output.bias'])
    """

    def __init__(
        self,
        dim: int,
        width: int,
        hidden: str = "iid",
        scale: float = 0.5,
        bias_range: float = 2.0,
        seed: int = 0,
        input_scale: float = 1.0,
    ) -> None:
        """Draw the hidden layer; see the class."""
        super().__init__()
        layer = HiddenLayer(dim, width, hidden, scale, bias_range, seed, input_scale)
        self.register_buffer("hidden_weight", torch.from_numpy(layer.weights.copy()))
        self.register_buffer("hidden_bias", torch.from_numpy(layer.biases.copy()))
        self.register_buffer("input_scale", torch.tensor(layer.input_scale, dtype=torch.float32))
        self.register_buffer("mean", torch.zeros(width))
        self.output = torch.nn.utils.skip_init(torch.nn.Linear, width, 1)
        torch.nn.init.zeros_(self.output.weight)
        torch.nn.init.zeros_(self.output.bias)

    @classmethod
    def from_trained(
        cls, hidden: HiddenLayer, weights: ArrayLike, bias: float, mean: ArrayLike | None = None
    ) -> TwoSigmoidNet:
        """Take over an output neuron trained on features; `Trained` has one for each run.

        Args:
            hidden: The hidden layer; its input scale comes along.
            weights: v, of shape (width,).
            bias: v0, for features that are centred with `mean`; <v, mean> is taken away from it.
            mean: mu, of shape (width,); without it the features are plain.

        Raises:
            BadInput: The weights or the mean have another shape.

        Example:
            >>> hidden = HiddenLayer(3, 2)
            >>> net = TwoSigmoidNet.from_trained(hidden, weights=[1.0, 2.0], bias=0.5, mean=[0.25, 0.5])
            >>> net.output.bias.item()
            -0.75
        """
        v, mu = (
            np.asarray(array, dtype=np.float64) for array in (weights, np.zeros(hidden.width) if mean is None else mean)
        )
        for name, array in (("weights", v), ("a mean", mu)):
            if array.shape != (hidden.width,):
                raise BadInput(
                    f"{name} of shape {array.shape}", needed=f"one number for each of {hidden.width} neurons"
                )
        net = cls(
            hidden.dim, hidden.width, hidden.kind, hidden.scale, hidden.bias_range, hidden.seed, hidden.input_scale
        )
        with torch.no_grad():
            net.output.weight.copy_(torch.from_numpy(v[np.newaxis]))
            net.output.bias.fill_(float(bias) - float(mu @ v))
        return net

    def center_on(self, points: Any) -> None:
        """Subtract the mean feature of these points, of shape (n, d), from all features from now on."""
        with torch.no_grad():
            self.mean.copy_(self._features(points).mean(dim=0))

    def _features(self, points: Any) -> Any:
        scaled = self.input_scale * points
        return torch.sigmoid(torch.nn.functional.linear(scaled, self.hidden_weight, self.hidden_bias))

    def logits(self, points: Any) -> Any:
        """Compute z, of which the output is the logistic function; for torch's losses with logits.

        Shapes:
            points (..., d); returns (...).
        """
        return self.output(self._features(points) - self.mean).squeeze(-1)

    def forward(self, points: Any) -> Any:
        """Compute N; see the class."""
        return torch.sigmoid(self.logits(points))
