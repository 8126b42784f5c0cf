"""How much an evaluation measures, and how it makes its clips."""

from dataclasses import dataclass

from ..sample.settings import Params


@dataclass(frozen=True)
class Settings:
    """How much is measured, and how clips are made.

    Attributes:
        clips: Clips of each kind, at least 1.
        long_clips: Streams whose drift is measured, at least 1.
        long_frames: Their length, `1 + 4k`.
        seed: Of all worlds and streams, at least 100: the recipes of this project train on smaller ones.
        params: How tokens are chosen; what is not said is as the bundle has it.
        device: Where clips are generated; all else is computed on the CPU.
        dtype: Precision of the video LM that generates them, "float32" or "bfloat16".
        real: A folder of real video; None leaves it out. What a bundle says it was trained on is not used, if there is other.
        include: Patterns of the files in it that are used, such as `clips/*`; what was not trained on, for an honest figure.
        features: A safetensors file of I3D's weights for the Frechet video distance; None takes self-trained ones.
        world: A recording with actions, such as `framecast record` writes; None leaves worlds out.
        actions: A file of its actions in the place of `actions.jsonl` in it; None takes that one.
        action_delay: Stored frames that pass until an action of it shows, as in training.
        play_frames: Frames of play in which drift of a world is measured.
        judge: A further recording of the same world, such as that of training, from which the judge of its keys learns too.
        captions: A file in the place of `captions.jsonl` in the folder of real video; None takes that one, if it is there.
    """

    clips: int = 128
    long_clips: int = 16
    long_frames: int = 513
    seed: int = 1000
    params: Params = None
    device: str = "cpu"
    dtype: str = "float32"
    real: str | None = None
    include: tuple[str, ...] = ("*",)
    features: str | None = None
    captions: str | None = None
    world: str | None = None
    actions: str | None = None
    action_delay: int = 0
    play_frames: int = 2000
    judge: str | None = None

    def __post_init__(self):
        if self.seed < 100:
            raise ValueError(f"got seed {self.seed}; wanted at least 100: the worlds of smaller seeds are for training")
        if self.captions is not None and self.real is None:
            raise ValueError(f"got --captions {self.captions} and no --real; wanted the folder of the videos that they are about")
        if self.actions is not None and self.world is None:
            raise ValueError(f"got --actions {self.actions} and no --world; wanted the recording whose actions they are")
        if self.judge is not None and self.world is None:
            raise ValueError(f"got --judge {self.judge} and no --world; wanted the recording that the judge shall judge on")
        if self.play_frames < 64:
            raise ValueError(f"got play_frames {self.play_frames}; wanted at least 64: drift shows in long play, such as 2,000")
        if min(self.clips, self.long_clips) < 1 or self.long_frames < 97 or self.long_frames % 4 != 1:
            raise ValueError(
                f"got {self.clips} clips, {self.long_clips} long ones of {self.long_frames} frames; wanted at least 1 of each "
                "and 1 + 4k frames, at least 97"
            )
