"""Video files in and out; the only folder that knows PyAV.

Files out are `encoding` and `y4m`; `codecs` measures other codecs in memory; all else is for files in. None imports another.
"""

from .bars import NO_BARS, Bars, find_bars
from .codecs import CODECS, Codec, Compressed, compress
from .container import DECODED_BY, READER_VERSION
from .encoding import WRITERS, Mp4Stream, Mp4Writer, write_video
from .errors import VideoError
from .pictures import check_fit
from .reader import VideoData, VideoInfo, VideoReader, probe_video, read_video
from .y4m import Y4MStream

__all__ = [
    "CODECS",
    "Codec",
    "Compressed",
    "Bars",
    "DECODED_BY",
    "Mp4Stream",
    "Mp4Writer",
    "NO_BARS",
    "READER_VERSION",
    "VideoData",
    "VideoError",
    "VideoInfo",
    "VideoReader",
    "WRITERS",
    "Y4MStream",
    "compress",
    "check_fit",
    "find_bars",
    "probe_video",
    "read_video",
    "write_video",
]
