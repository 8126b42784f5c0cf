from .actions import ActionError, ActionSpace, Axis, Button
from .clips import Caption, CaptionedClip, ClipSource, to_frames, to_video
from .crops import RandomCrops
from .fitting import fit_frames
from .folder import VideoFolder
from .images import encode_apng, encode_gif, encode_webp
from .lerobot import LeRobotFolder, write_lerobot
from .mixed import MixedClips
from .shards import ShardWriter, TokenClip, TokenShards, write_shards
from .sheets import contact_sheet
from .some import SomeClips
from .sprites import SpriteWorld
from .timeline import Timeline
from .video import VideoData, VideoError, VideoInfo, VideoReader, probe_video, read_video, write_video

__all__ = [
    "ActionError",
    "ActionSpace",
    "Axis",
    "Button",
    "Caption",
    "CaptionedClip",
    "ClipSource",
    "LeRobotFolder",
    "MixedClips",
    "RandomCrops",
    "ShardWriter",
    "SomeClips",
    "SpriteWorld",
    "Timeline",
    "TokenClip",
    "TokenShards",
    "VideoData",
    "VideoError",
    "VideoFolder",
    "VideoInfo",
    "VideoReader",
    "contact_sheet",
    "encode_apng",
    "encode_gif",
    "encode_webp",
    "fit_frames",
    "probe_video",
    "read_video",
    "to_frames",
    "to_video",
    "write_lerobot",
    "write_shards",
    "write_video",
]
