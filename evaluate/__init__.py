"""Figures that say how good a video is."""

from .metrics import bits_per_pixel, psnr

__all__ = ["bits_per_pixel", "psnr"]
