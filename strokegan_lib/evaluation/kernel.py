"""Kernel distance (KID): do two sets of features resemble each other as much as themselves?

Taught in notebook 07.
"""

from torch import Tensor

CHUNK = 2048  # rows compared at a time: 2048 x 10,000 similarities are 160 MB


def kernel_distance(a: Tensor, b: Tensor) -> float:
    """Squared maximum mean discrepancy with a cubic kernel, unbiased (Binkowski et al. 2018)::

        mean of k(a_i, a_j), i != j  +  mean of k(b_i, b_j), i != j  -  2 mean of k(a_i, b_j)

        k(x, y) = (x . y / F + 1)^3

    of (n, F) and (m, F), two rows or more each. The cube compares means, covariances and skewness. For samples of
    one distribution it is 0 on average, whatever their size, as long as rows are independent; slices of one patient
    are not, which makes it slightly too large.
    """
    a, b = a.double(), b.double()
    (n, features), m = a.shape, len(b)
    own = [
        (_total(x, x) - _kernel_sum((x * x).sum(1), features)) / (k * (k - 1)) for x, k in ((a, n), (b, m))
    ]
    return float(sum(own) - 2 * _total(a, b) / (n * m))


def _total(x: Tensor, y: Tensor) -> Tensor:
    """Sum of the kernel over all pairs of rows."""
    return sum(_kernel_sum(part @ y.T, x.shape[1]) for part in x.split(CHUNK))


def _kernel_sum(products: Tensor, features: int) -> Tensor:
    return (products / features + 1).pow(3).sum()
