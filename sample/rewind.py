"""An earlier moment of a stream, made again from the tokens that the stream has by now."""

from collections.abc import Iterator

from .past import Past
from .stepper import Stepper
from .steps import GeneratorState
from .stream import Stream


def rewound(stream: Stream, num_latent_frames: int) -> Iterator[Stream | None]:
    """Gives `None` after each latent frame that was read again, so that other work can be done between, and the moment at last.

    The moment has the seed and settings of the stream, and its action of then. So it goes on with the same tokens, unless prompt
    or action was changed later.

    Args:
        stream: Whose past it is; the stream stays as it is, and may go on meanwhile.
        num_latent_frames: Latent frames before the moment, at least one.

    Raises:
        ValueError: The stream has fewer latent frames, or renews its sink by pictures, which its tokens alone do not tell.
    """
    if not 1 <= num_latent_frames <= stream.num_latent_frames:
        raise ValueError(f"got {num_latent_frames} latent frames to go back to; wanted 1 to {stream.num_latent_frames}")
    if stream.seat.own.anchor is not None:
        raise ValueError("got a stream with `reanchor_every` to go back in; wanted one without; branch from the present instead")
    stepper, stride = stream.seat.stepper, stream.codec.stride
    past = stream.past.first(num_latent_frames)
    timeline = [(stride.num_frames(start) / stream.codec.fps if start else 0.0, text) for start, text in past.prompts]
    return _read_again(stepper, stepper.init_state(timeline, stream.seed, stream.params), past)


def _read_again(stepper: Stepper, state: GeneratorState, past: Past) -> Iterator[Stream | None]:
    for _ in stepper.prefilling(state, past):
        yield None
    yield Stream(stepper, state, past)
