"""`python -m benchmarks.profiles`: where the time goes in decoding, detokenizing and both trainings, by kinds of operators."""

import argparse
import copy
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from rich.table import Table
from torch import Tensor
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile, record_function

from framecast.model.vocabulary import Pick
from framecast.progress import tracked
from framecast.sample import SamplingParams, VideoGenerator, load_generator
from framecast.sample.decodings import NextFrame, in_order
from framecast.sample.sampling import Chooser, stream_uniforms
from framecast.train.memory import keep_freed_memory

from .recipes import TRAININGS, LoopByHand
from .report import machine, wide_console, write_json

PROMPT = "a large red circle moves right"
SCOPE = "sampling"
DISPATCH = "dispatch"
OPERATORS = {
    "products": "mm addmm mv addmv dot _linear_pointwise mkldnn_linear _mkl_linear",
    "attention": "bmm baddbmm _softmax _softmax_backward_data _scaled_dot_product_flash_attention_for_cpu"
    " _scaled_dot_product_flash_attention_for_cpu_backward _scaled_dot_product_attention_math_for_mps",
    "convolutions": "mkldnn_convolution convolution_backward _convolution_pointwise _slow_conv2d_forward thnn_conv2d",
    "copies and reorders": "copy_ cat clone fill_ zero_ index index_select embedding gather flip repeat index_put_"
    " _index_put_impl_ _unsafe_index _reshape_copy embedding_dense_backward index_add_ index_copy_ arange stack constant_pad_nd",
    "sampling and loss": "logsumexp mse_loss mse_loss_backward searchsorted cumsum argmax sort topk scatter_add_ scatter_"
    " gather_backward log exp sgn",
    "norms and elementwise": "",  # and whatever has no name above
}
"""The operators of a kind."""
NOTHING = (
    "view _unsafe_view reshape permute transpose t expand slice select as_strided empty empty_strided empty_like detach alias"
    " split split_with_sizes chunk unsqueeze squeeze unbind narrow unflatten flatten resize_ to _to_copy item"
    " _local_scalar_dense linear matmul layer_norm rms_norm conv2d convolution _convolution lift_fresh result_type contiguous"
    " is_nonzero"
)
"""Operators that only look at tensors or hand on to others: their own time is dispatch."""
_KIND = {name: kind for kind, names in OPERATORS.items() for name in names.split()} | dict.fromkeys(NOTHING.split(), DISPATCH)


@dataclass(frozen=True)
class Job:
    """Something whose time is taken apart.

    Attributes:
        name: What it is.
        unit: What one call makes.
        work: Does it once.
        before: Does it as it was done before, if the code still can.
        gradients: Whether it trains.
    """

    name: str
    unit: str
    work: Callable[[], object]
    before: Callable[[], object] | None = None
    gradients: bool = False


@dataclass(frozen=True)
class Profile:
    """Where the time of a call goes.

    Attributes:
        name: The job.
        unit: What one call makes.
        seconds: Time of a call without the profiler, the least of the rounds: what others do on the machine only adds.
        kinds: Seconds of the operators of each kind, in the profiler, the least too; dispatch is what is left of `seconds`.
        largest: The operators that take the most time themselves, with their seconds.
    """

    name: str
    unit: str
    seconds: float
    kinds: dict[str, float] = field(default_factory=dict)
    largest: dict[str, float] = field(default_factory=dict)


def main() -> None:
    """A table, JSON and a plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(JOBS), default=list(JOBS), help="jobs to profile (default: all)")
    parser.add_argument("--rounds", type=int, default=9, help="calls with the profiler, and as many without (default: 9)")
    parser.add_argument("--out", default="runs/profiles", help="where the JSON and the plot go, without a suffix")
    arguments = parser.parse_args()
    if arguments.rounds < 3:
        parser.error(f"got --rounds {arguments.rounds}; wanted at least 3, since others may work on the machine")
    warnings.filterwarnings("ignore", ".*self.log().*")  # the trainings are stepped without a trainer
    jobs = tracked(arguments.only, "profiling", unit="jobs")
    profiles = [found for name in jobs for found in profiles_of(JOBS[name](), arguments.rounds)]
    path = Path(arguments.out)
    write_json(path.with_suffix(".json"), {"rounds": arguments.rounds, "jobs": [asdict(found) for found in profiles]})
    wide_console().print(table(profiles))
    plot(profiles, path.with_suffix(".png"))


def decoding() -> Job:
    """A latent frame of the default by rows."""
    return decoding_job("row")


def token_decoding() -> Job:
    """A latent frame of the default token by token."""
    return decoding_job("token")


def decoding_job(kind: str) -> Job:
    """A latent frame with guidance in a full window; before, without prepared layers."""
    generator, params = load_generator(), SamplingParams(decoding=kind)
    plain = copy.deepcopy(generator.lm)  # copies are not prepared
    return Job(f"decoding by {kind}", "latent frame", predict(generator, generator.lm, params), predict(generator, plain, params))


def predict(generator: VideoGenerator, lm: torch.nn.Module, params: SamplingParams) -> Callable[[], Tensor]:
    """Chooses the tokens of one latent frame again and again, its sampling marked for the profiler."""
    stream = generator.stream(PROMPT)
    for _ in range(generator.lm.config.cache_shape.past_frames + 1):
        stream.advance()
    state = stream.state
    uniforms = stream_uniforms(0, 0, generator.lm.frame_length)[None]

    def chooser(places: slice) -> Pick:
        choose = Chooser(params, uniforms[:, places])

        def marked(logits: Tensor) -> Tensor:
            with record_function(SCOPE):
                return choose(logits)

        return marked

    block_length = params.block_length(generator.lm.config.frame_shape)
    return lambda: in_order(NextFrame(lm, state.lm, state.prompts, state.previous, block_length), chooser).tokens  # type: ignore[arg-type]


def detokenizing() -> Job:
    """The frames of a latent frame of the default; before, without prepared layers."""
    generator = load_generator()
    plain = copy.deepcopy(generator.tokenizer)
    tokens = torch.randint(generator.tokenizer.codebook_size, (1, 1, *generator.lm.config.frame_shape))
    states = [generator.tokenizer.init_decoder_state(1, *tokens.shape[2:]) for _ in range(2)]
    ours, before = (
        lambda: generator.tokenizer.decode(tokens, states[0]),
        lambda: plain.decode(tokens, states[1]),
    )
    return Job("detokenizing", "latent frame", ours, before)


def training(name: str) -> Job:
    """A step of a shipped configuration, with memory kept as `framecast train` keeps it."""
    keep_freed_memory()
    return Job(f"training the {name}", "step", LoopByHand(*TRAININGS[name]()), gradients=True)


JOBS: dict[str, Callable[[], Job]] = {
    "row": decoding,
    "token": token_decoding,
    "detokenizing": detokenizing,
    "lm": lambda: training("video LM"),
    "tokenizer": lambda: training("tokenizer"),
}
"""What can be profiled, by name."""


def profiles_of(job: Job, rounds: int) -> list[Profile]:
    """The profile of a job, and of what it was before if that can still be measured; in turns."""
    works = {job.name: job.work} | ({f"{job.name}, before": job.before} if job.before else {})
    mode: AbstractContextManager = nullcontext() if job.gradients else torch.inference_mode()
    with mode:
        for work in [*works.values()] * 3:
            work()
        turns = [{name: one_round(work) for name, work in works.items()} for _ in range(rounds)]
    return [summary(name, job.unit, [turn[name] for turn in turns]) for name in works]


def one_round(work: Callable[[], object]) -> tuple[float, dict[str, float], dict[str, float]]:
    """Seconds of a call, and in the same once more with the profiler those of each kind and of each operator."""
    torch.manual_seed(0)  # trainings draw how they predict
    started = time.perf_counter()
    work()
    seconds = time.perf_counter() - started
    torch.manual_seed(0)
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        work()
    kinds: dict[str, float] = dict.fromkeys(OPERATORS, 0.0)
    operators: dict[str, float] = {}
    for event in profiler.events():
        if (kind := kind_of(event)) != DISPATCH:
            kinds[kind] += event.self_cpu_time_total / 1e6
            operators[event.name] = operators.get(event.name, 0.0) + event.self_cpu_time_total / 1e6
    return seconds, kinds, operators


def kind_of(event: FunctionEvent) -> str:
    """The kind of an operator's own time; what is not an operator is dispatch."""
    namespace, _, name = event.name.partition("::")
    if namespace not in ("aten", "mkldnn", "mkl"):
        return DISPATCH
    kind = _KIND.get(name, "norms and elementwise")
    return "sampling and loss" if kind != DISPATCH and is_sampling(event) else kind


def is_sampling(event: FunctionEvent | None) -> bool:
    """Whether an event is part of the choice of tokens."""
    while event is not None and event.name != SCOPE:
        event = event.cpu_parent
    return event is not None


def summary(name: str, unit: str, rounds: Sequence[tuple[float, dict[str, float], dict[str, float]]]) -> Profile:
    """The least of the rounds."""
    seconds = min(wall for wall, _, _ in rounds)
    kinds = {kind: min(found[kind] for _, found, _ in rounds) for kind in OPERATORS}
    kinds[DISPATCH] = max(0.0, seconds - sum(kinds.values()))
    operators = {key: min(found.get(key, 0.0) for _, _, found in rounds) for key in rounds[0][2]}
    largest = dict(sorted(operators.items(), key=lambda item: -item[1])[:8])
    return Profile(name, unit, seconds, kinds, largest)


def table(profiles: Sequence[Profile]) -> Table:
    """The figures for the terminal."""
    shown = Table(title=f"where the time goes, ms; {machine()['threads']} threads")
    kinds = [*OPERATORS, DISPATCH]
    for column in ("job", "ms", *kinds):
        shown.add_column(column, justify="left" if column == "job" else "right")
    for found in profiles:
        cells = [f"{1e3 * found.kinds[kind]:.1f} ({found.kinds[kind] / found.seconds:.0%})" for kind in kinds]
        shown.add_row(f"{found.name}, a {found.unit}", f"{1e3 * found.seconds:.1f}", *cells)
    return shown


def plot(profiles: Sequence[Profile], path: Path) -> None:
    """A bar for each job, cut by kinds; jobs that took longer before are as long as that."""
    from matplotlib.figure import Figure

    longest = {found.name.removesuffix(", before"): 0.0 for found in profiles}
    for found in profiles:
        base = found.name.removesuffix(", before")
        longest[base] = max(longest[base], found.seconds)
    figure = Figure(figsize=(10, 0.8 + 0.45 * len(profiles)))
    axes = figure.subplots()
    labels = [f"{found.name}\n{1e3 * found.seconds:.3g} ms a {found.unit}" for found in profiles]
    scales = [100 / longest[found.name.removesuffix(", before")] for found in profiles]
    left = [0.0] * len(profiles)
    for kind, colour in zip([*OPERATORS, DISPATCH], _COLOURS, strict=True):
        widths = [scale * found.kinds[kind] for scale, found in zip(scales, profiles, strict=True)]
        axes.barh(labels, widths, left=left, label=kind, color=colour)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel("% of the longer time of each job")
    axes.tick_params(axis="y", labelsize=7)
    axes.legend(ncols=4, fontsize=7, loc="upper center", bbox_to_anchor=(0.4, -0.6 / len(profiles) - 0.08))
    figure.savefig(path, dpi=120, bbox_inches="tight")


_COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#9467bd", "#d62728", "#e0b400", "#b0b0b0")

if __name__ == "__main__":
    main()
