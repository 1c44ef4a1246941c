"""Self-attention over the positions of a picture, with spectral normalisation. Taught in notebook 02.

Zhang et al., Self-Attention Generative Adversarial Networks, ICML 2019 (SAGAN);
Miyato et al., Spectral Normalization for Generative Adversarial Networks, ICLR 2018.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

SMALL = 256  # positions, 16x16, up to which making the map is faster than the fused kernel


class SelfAttention(nn.Module):
    """x + gamma * attention(x), of the shape of x.

    With N = H * W positions and the 1x1 convolutions f, g, h, v (SAGAN, equations 1-3)::

        s[i, j] = f(x_i) . g(x_j)        how much position j wants of position i
        b[j, i] = softmax over i of s    no scaling by 1 / sqrt(d), unlike in transformers
        o_j     = v(sum over i of b[j, i] * h(x_i))
        y_j     = x_j + gamma * o_j      gamma starts at 0: first the near, then the far

    ``forward`` never holds a large N x N map: memory grows with N, not with its square.

    C is a multiple of 8. Queries and keys have C/8 channels, values C/2.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()

        def project(inputs: int, outputs: int) -> nn.Module:
            return spectral_norm(nn.Conv2d(inputs, outputs, kernel_size=1, bias=False))

        self.query = project(channels, channels // 8)  # g
        self.key = project(channels, channels // 8)  # f
        self.value = project(channels, channels // 2)  # h
        self.back = project(channels // 2, channels)  # v
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, H, W)."""
        b, _, h, w = x.shape
        q, k, v = (_positions(f(x)) for f in (self.query, self.key, self.value))  # (B, 1, N, C/8), .., C/2
        if h * w <= SMALL:
            o = (q @ k.transpose(2, 3)).softmax(dim=-1) @ v  # (B, 1, N, N), (B, 1, N, C/2)
        else:
            # the CPU's fused kernel needs one width for all three, else it silently makes the N x N map;
            # zeros added to q and k change no scalar product
            q, k = (F.pad(t, (0, v.shape[-1] - t.shape[-1])) for t in (q, k))  # (B, 1, N, C/2)
            o = F.scaled_dot_product_attention(q, k, v, scale=1.0)  # (B, 1, N, C/2)
        o = o.squeeze(1).transpose(1, 2).reshape(b, -1, h, w)  # (B, C/2, H, W)
        return x + self.gamma * self.back(o)

    def map(self, x: Tensor) -> Tensor:
        """b of (B, C, H, W), as (B, N, N): row j sums to 1; positions run along the rows of the picture."""
        q, k = (_positions(f(x)).squeeze(1) for f in (self.query, self.key))  # (B, N, C/8)
        return (q @ k.transpose(1, 2)).softmax(dim=-1)  # (B, N, N)


def _positions(x: Tensor) -> Tensor:
    """(B, C, H, W) to (B, 1, N, C): one head; the last stride is 1, as the fused kernel needs."""
    return x.flatten(2).transpose(1, 2).unsqueeze(1).contiguous()
