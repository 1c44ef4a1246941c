"""SAGAN's self-attention as it is usually written: with the N x N map, N = H * W positions."""

from types import MethodType

from torch import Tensor, nn

from strokegan_lib.models.attention import SelfAttention


def plain_forward(self: SelfAttention, x: Tensor) -> Tensor:
    """What ``SelfAttention.forward`` does: (B, C, H, W) to (B, C, H, W)."""
    b, _, h, w = x.shape
    q, k, v = (f(x).flatten(2) for f in (self.query, self.key, self.value))  # (B, C/8 or C/2, N)
    weights = (q.transpose(1, 2) @ k).softmax(dim=-1)  # (B, N, N)
    o = (v @ weights.transpose(1, 2)).view(b, -1, h, w)  # (B, C/2, H, W)
    return x + self.gamma * self.back(o)


def use_plain_attention(network: nn.Module) -> None:
    """Make every self-attention of a network hold its map; the parameters stay as they are."""
    for module in network.modules():
        if isinstance(module, SelfAttention):
            module.forward = MethodType(plain_forward, module)
