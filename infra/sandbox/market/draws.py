"""Random numbers without state: each draw is a pure function of (names, index)."""

import hashlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_LOW_HALF = np.uint64(0xFFFFFFFF)


class Draws:
    """One endless sequence of draws, named by its seed and purpose; read at any index."""

    def __init__(self, *names: object) -> None:
        text = "\x1f".join(str(name) for name in names)
        digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
        self._key = np.frombuffer(digest, dtype="<u8").astype(np.uint64)

    def bits(self, index: Ints) -> NDArray[np.uint64]:
        """64 random bits per index (the splitmix64 mixer)."""
        x = index.astype(np.uint64)
        x *= _GOLDEN
        x += self._key
        x ^= x >> np.uint64(30)
        x *= _MIX_1
        x ^= x >> np.uint64(27)
        x *= _MIX_2
        x ^= x >> np.uint64(31)
        return x

    def uniform(self, index: Ints) -> Floats:
        """Uniform in (0, 1), never 0 or 1."""
        bits = (self.bits(index) >> np.uint64(12)).astype(np.float64)
        bits += 0.5
        bits *= 2.0**-52
        return bits

    def normal(self, index: Ints) -> Floats:
        """Standard normal (Box-Muller over the two halves of one hash), |z| < 6.8."""
        bits = self.bits(index)
        radius = ((bits >> np.uint64(32)).astype(np.float64) + 0.5) * 2.0**-32
        angle = (bits & _LOW_HALF).astype(np.float64) * (2.0**-31 * np.pi)
        np.log(radius, out=radius)
        radius *= -2.0
        np.sqrt(radius, out=radius)
        radius *= np.cos(angle, out=angle)
        return radius

    def noise(self, position: Floats) -> Floats:
        """Smooth noise, about unit variance, that changes over one unit of `position`."""
        if position.size == 0:
            return position
        cell = np.floor(position).astype(np.int64)
        first = int(cell.min())
        knots = self.normal(np.arange(first, int(cell.max()) + 2))
        share = position - cell
        share *= share * (3.0 - 2.0 * share)
        cell -= first
        here = knots[cell]
        here += (knots[cell + 1] - here) * share
        here *= 1.16
        return here
