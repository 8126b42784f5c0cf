from .adherence import ClipVerdict, Judge
from .frechet import FeatureStatistics, frechet_distance
from .metrics import bits_per_pixel, flicker, ms_ssim, psnr, sharpness, ssim, temporal_error
from .reading import Reading, SceneReader
from .second.reader import SecondReader, SecondVerdict
from .settings import Settings
from .suite import QUICK, evaluate_bundles

__all__ = [
    "QUICK",
    "ClipVerdict",
    "FeatureStatistics",
    "Judge",
    "Reading",
    "SceneReader",
    "SecondReader",
    "SecondVerdict",
    "Settings",
    "bits_per_pixel",
    "evaluate_bundles",
    "flicker",
    "frechet_distance",
    "ms_ssim",
    "psnr",
    "sharpness",
    "ssim",
    "temporal_error",
]
