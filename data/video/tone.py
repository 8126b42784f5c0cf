"""High dynamic range and wide gamut to the standard picture (BT.709), as players show them.

PQ: SMPTE ST 2084. HLG: ITU-R BT.2100 at a nominal peak of 1000 nits. Tone mapping: ITU-R BT.2390-10 section 5.4.1, on the largest
of the three channels, from the peak of the source to a reference white of 203 nits (ITU-R BT.2408). Gamut: ITU-R BT.2087.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

WHITE = 203.0  # nits that become the brightest standard white
HLG_PEAK, PQ_PEAK = 1000.0, 10000.0  # nits
_LEVELS = 1 << 16
_M1, _M2, _C1, _C2, _C3 = 2610 / 16384, 2523 / 4096 * 128, 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_A = 0.17883277
_B, _C = 1 - 4 * _A, 0.5 - _A * np.log(4 * _A)
_LIGHT_2020 = np.array([0.2627, 0.6780, 0.0593], np.float32)
_TO_709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32)
_GAMMA = 2.4


def pq_to_nits(signal: np.ndarray) -> np.ndarray:
    """Signal in [0, 1] to nits."""
    root = np.power(signal, 1 / _M2)
    return PQ_PEAK * np.power(np.maximum(root - _C1, 0) / (_C2 - _C3 * root), 1 / _M1)


def nits_to_pq(nits: np.ndarray) -> np.ndarray:
    """The inverse of `pq_to_nits`."""
    power = np.power(np.asarray(nits) / PQ_PEAK, _M1)
    return np.power((_C1 + _C2 * power) / (1 + _C3 * power), _M2)


def hlg_to_scene(signal: np.ndarray) -> np.ndarray:
    """Signal in [0, 1] to the light of the scene in [0, 1]."""
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((np.maximum(signal, 0.5) - _C) / _A) + _B) / 12)


def tone_curve(nits: np.ndarray, peak: float) -> np.ndarray:
    """Nits of a source of that peak to nits up to `WHITE`: dark and middle stay, the highlights are bent."""
    top = float(nits_to_pq(np.array(peak)))
    level = nits_to_pq(np.minimum(nits, peak)) / top
    most = float(nits_to_pq(np.array(WHITE))) / top
    knee = 1.5 * most - 0.5
    t = np.clip((level - knee) / (1 - knee), 0, 1)
    bent = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * most
    return pq_to_nits(np.where(level < knee, level, bent) * top)


def pq_to_standard(picture: np.ndarray) -> np.ndarray:
    """PQ in BT.2020, uint16 `[H, W, 3]`, to BT.709, uint8 `[H, W, 3]`."""
    return _standard(_table(pq_to_nits)[picture], PQ_PEAK)


def hlg_to_standard(picture: np.ndarray) -> np.ndarray:
    """HLG in BT.2020, uint16 `[H, W, 3]`, to BT.709, uint8 `[H, W, 3]`."""
    scene = _table(hlg_to_scene)[picture]
    light = np.maximum(scene @ _LIGHT_2020, 1e-6)
    return _standard(scene * (HLG_PEAK * light**0.2)[..., None], HLG_PEAK)


def wide_to_standard(picture: np.ndarray) -> np.ndarray:
    """Standard range in BT.2020, uint16 `[H, W, 3]`, to BT.709, uint8 `[H, W, 3]`."""
    return _encode(_table(_power)[picture] @ _TO_709.T)


def _standard(nits: np.ndarray, peak: float) -> np.ndarray:
    """Light in nits, float32 `[H, W, 3]` in BT.2020, to a standard picture."""
    brightest = np.maximum(nits.max(axis=-1, keepdims=True), 1e-4)
    steps = (nits_to_pq(brightest) * (_LEVELS - 1)).astype(np.int64)
    return _encode(nits * (_curve_table(peak)[steps] / brightest / WHITE) @ _TO_709.T)


def _encode(light: np.ndarray) -> np.ndarray:
    return np.rint(np.power(np.clip(light, 0, 1), 1 / _GAMMA) * 255).astype(np.uint8)


def _power(signal: np.ndarray) -> np.ndarray:
    return signal**_GAMMA


@lru_cache
def _table(function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    return function(np.linspace(0, 1, _LEVELS)).astype(np.float32)


@lru_cache
def _curve_table(peak: float) -> np.ndarray:
    """Nits after the tone curve, by the PQ level of the nits before."""
    return tone_curve(pq_to_nits(np.linspace(0, 1, _LEVELS)), peak).astype(np.float32)
