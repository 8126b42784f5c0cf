"""`greeting`: who serves, and what it allows."""

from ...sample import VideoGenerator
from ..protocol.messages import Hello
from .config import ServeConfig


def greeting(generator: VideoGenerator, config: ServeConfig) -> Hello:
    """The first message of a connection, which HTTP tells too."""
    return Hello(
        server="framecast",
        bundle=generator.name,
        height=generator.height,
        width=generator.width,
        fps=generator.fps,
        temporal_stride=generator.codec.stride.frames,
        limits={
            "prompt": config.max_prompt,
            "frames": config.max_frames,
            "credits": config.max_credits,
            "message": config.max_text,
            "snapshot": config.max_snapshot,
            "first_frames": config.max_first_frames,
            "sessions": config.capacity,
            "replicas": config.replicas,
            "idle_seconds": config.idle_seconds,
        },
    )
