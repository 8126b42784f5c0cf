"""Replay: the video of a token file made again from what the file says of it, token for token."""

from bisect import bisect_right
from dataclasses import dataclass

from ..data import Caption
from .guides import Guides
from .past import Changes, Recipe
from .progress import Progress, following
from .prompts import NO_PROMPT
from .stepper import Stepper
from .steps import GeneratorState
from .token_file import TokenFileError, TokenVideo
from .token_header import TokenHeader

_CALLED = {"lm": "video LM", "text": "text tokenizer"}


@dataclass(frozen=True)
class Replay:
    """What came of making a video again.

    Attributes:
        made: Latent frames that were made again, and are the same.
        given: Latent frames that were given, and so were read.
        differs: The first latent frame that is another one; `None` if all are the same.
        frame: The index of its first frame.
        tokens: How many of its tokens are others.
        why: What may have changed, in words; "" if nothing has.
        whole: False if the end of the file is cut off, or still being written.
    """

    made: int
    given: int
    differs: int | None = None
    frame: int | None = None
    tokens: int = 0
    why: str = ""
    whole: bool = True

    @property
    def same(self) -> bool:
        """Whether every token is the same."""
        return self.differs is None

    def __str__(self) -> str:
        given = f", after {self.given:,} that were given" if self.given else ""
        if self.same:
            cut = "" if self.whole else "; the end of the file is cut off, or still being written"
            return f"every token is the same in all {self.made:,} latent frames that were made again{given}{cut}"
        return (
            f"latent frame {self.differs:,} (from frame {self.frame:,} on) is another one in {self.tokens:,} of its tokens; the "
            f"{self.made:,} latent frames made before it{given} are the same; {self.why}"
        )


def replay(stepper: Stepper, video: TokenVideo, progress: Progress = None) -> Replay:
    """Makes the latent frames of a video again, up to the first one that is another.

    Args:
        stepper: Makes them.
        video: What a token file says.
        progress: Is told how many frames are done.

    Raises:
        TokenFileError: The video was encoded, or made by other networks.
    """
    _check_made(stepper, video.check(stepper.codec.header()).header)
    past, stride = video.past, stepper.codec.stride
    given = past.num_given
    state = _begun(stepper, video)
    with following(progress, video.num_frames, "replaying") as done:
        for _ in stepper.prefilling(state, past.first(given)) if given else ():
            done(stride.num_frames(state.latent_index))
        if past.actions is not None:
            state.plan(past.actions[-1, -1], past.actions[max(1, given) :])
        for index in range(given, len(past)):
            recipe = past.recipes[_place(past.recipes, index)][1]
            state.seed = recipe.seed
            stepper.set_params(state, recipe.params)
            others = int((stepper.step(state).tokens.cpu() != past.tokens[index]).sum())
            if others:
                return Replay(index - given, given, index, stride.num_frames(index), others, _why(video, index, given))
            done(stride.num_frames(index + 1))
    return Replay(len(past) - given, given, whole=video.whole)


def _check_made(stepper: Stepper, header: TokenHeader) -> None:
    if header.seed is None or header.params is None:
        raise TokenFileError(
            "got the tokens of a video that was encoded; wanted one that a model made, which can be made again; `framecast "
            "decode` shows it"
        )
    for name, made in (("lm", header.lm), ("text", header.text)):
        if made is not None and made != (own := stepper.hashes[name]):
            raise TokenFileError(
                f"got a video that another {_CALLED[name]} made (sha256 {made[:12]}...) than that of {stepper.codec.name!r} "
                f"({own[:12]}...); wanted the bundle that made it, in the precision in which it made it"
            )
    if header.action_space is not None and header.action_space != stepper.action_space:
        raise TokenFileError(
            f"got a video of the world {header.action_space} for {stepper.codec.name!r}, a model of {stepper.action_space}; "
            "wanted the bundle that made it"
        )


def _begun(stepper: Stepper, video: TokenVideo) -> GeneratorState:
    """The state before the first latent frame, with all prompts to come."""
    past = video.past
    said = dict(past.prompts)
    first = said.pop(0, NO_PROMPT)  # which a file does not name
    recipes = [recipe for _, recipe in past.recipes]
    guides = Guides(any(one.params.guided for one in recipes), any(one.params.action_guided for one in recipes))
    started = recipes[0]
    state = stepper.init_state([(0.0, first)], started.seed, started.params, video.header.reanchor_every, guides)
    state.upcoming = tuple(Caption(start, text) for start, text in said.items())
    return state


def _why(video: TokenVideo, index: int, given: int) -> str:
    """What may have changed, for a person: what else is another from this latent frame on than before."""
    names = []
    if index == given:
        names += ["the seed", "the settings", *(["the given frames"] if given else [])]
    if index in dict(video.recipes) and index != given:
        names.append("the seed or the settings, which change here")
    if index in dict(video.prompts):
        names.append(f'the prompt "{dict(video.prompts)[index]}"')
    if video.actions is not None and index and video.header.action_space is not None:
        names.append(f"the action ({video.header.action_space.describe(video.actions[index, -1].numpy())})")
    if video.header.lm is None:
        names.append("the video LM, which the file does not name")
    return f"{', '.join(names) or 'something'} may be another than when it was made, or this machine rounds otherwise"


def _place(recipes: Changes[Recipe], index: int) -> int:
    """Which change holds for a latent frame."""
    return bisect_right([start for start, _ in recipes], index) - 1
