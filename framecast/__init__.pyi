from . import train
from .data import SpriteWorld, VideoFolder, read_video, write_video
from .model import VideoLM
from .sample import (
    Clip,
    Frame,
    SamplingParams,
    VideoGenerator,
    WorldEnv,
    WorldVectorEnv,
    from_pretrained,
    load_bundle,
    load_generator,
    push_to_hub,
    save_bundle,
)
from .tokenizer import VideoTokenizer

__version__: str

__all__ = [
    "Clip",
    "Frame",
    "SamplingParams",
    "SpriteWorld",
    "VideoFolder",
    "VideoGenerator",
    "VideoLM",
    "VideoTokenizer",
    "WorldEnv",
    "WorldVectorEnv",
    "__version__",
    "from_pretrained",
    "load_bundle",
    "load_generator",
    "push_to_hub",
    "read_video",
    "save_bundle",
    "train",
    "write_video",
]
