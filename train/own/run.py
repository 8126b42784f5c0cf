"""A model of one's own, from a folder of videos to a bundle: one part after the other, each only once."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from ...sample import VideoGenerator, load_generator
from ..card import Terms
from ..checkpoint_bundle import export_checkpoint
from ..cli import main as train_command
from .asked import folder_of
from .configs import command, config_file, write_configs
from .judging import write_report
from .plan import Plan, check_out, kept_plan, make_plan
from .settings import OwnSettings
from .showing import prompts_of, write_samples
from .telling import say
from .videos import look
from .words import say_done, say_found, say_plan

_SIGNALS = 128  # an exit status beyond it is that of a signal


@dataclass(frozen=True)
class Trained:
    """A model of one's own.

    Attributes:
        out: Folder of the run.
        bundle: Folder of the trained model, such as for `framecast.load_generator`.
        samples: Folder of clips to look at: held-out videos continued, and prompts.
        report: Page of the report; None if the extra `evaluate` is not installed.
    """

    out: Path
    bundle: Path
    samples: Path
    report: Path | None

    def generator(self) -> VideoGenerator:
        """The trained model, ready to sample from."""
        return load_generator(self.bundle)


def train(settings: OwnSettings, dry_run: bool = False) -> Trained | None:
    """Looks, says what it will do, trains a tokenizer and a video LM, and shows what the model can do.

    What was done before in the same folder is not done again; a part that was stopped goes on.

    Args:
        settings: What is asked for.
        dry_run: Whether to stop once the plan has been said; nothing is written then.

    Returns:
        The model; None after a dry run.

    Raises:
        ValueError: The videos or the settings do not do, or another run lies in the folder.
        SystemExit: The training was stopped by a signal, or failed for a reason that was said.
    """
    plan = _plan(settings)
    say_plan(plan)
    if dry_run:
        return None
    plan.save()
    write_configs(plan)
    for part, bundle in (("tokenizer", plan.out / "tokenizer" / "bundle"), ("lm", plan.out / "bundle")):
        _train_part(plan, part, bundle)
    sheet = write_samples(plan, load_generator(plan.out / "bundle"))
    report = write_report(plan)
    say_done(plan, prompts_of(plan)[0], report is not None)
    return Trained(plan.out, plan.out / "bundle", sheet.parent, report)


def train_in_python(settings: OwnSettings) -> Trained:
    """As `train`, for a program or a notebook, which a training that stops must not end.

    Raises:
        KeyboardInterrupt: A signal stopped it.
        RuntimeError: It failed for a reason that was said.
    """
    try:
        trained = train(settings)
    except SystemExit as stop:
        if isinstance(stop.code, int) and stop.code > _SIGNALS:
            raise KeyboardInterrupt("stopped; the same call again goes on from here") from None
        raise RuntimeError("the training has failed; its last line says why") from stop.__context__
    assert trained is not None
    return trained


def is_trained(bundle: Path, steps: int) -> bool:
    """Whether a bundle is that of a training that came to its last step; one that was stopped may have left a bundle as well."""
    try:
        training = json.loads((bundle / "config.json").read_bytes())["training"]
        return int(training["steps"]) >= steps
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _plan(settings: OwnSettings) -> Plan:
    folder_of(settings)  # a slip of the pen is known before all else
    check_out(settings)
    plan = kept_plan(settings)
    if plan is not None:
        say(f"Going on with the run in {plan.out}.")
        say_found(settings, plan.found)
        return plan
    found = look(settings)
    say_found(settings, found)
    return make_plan(settings, found)


def _keep_terms(plan: Plan, part: str, bundle: Path) -> None:
    """Gives a finished model the title and the licence that were named since."""
    terms = Terms(plan.settings.named, plan.settings.licence)
    training = json.loads((bundle / "config.json").read_bytes())["training"]
    checkpoint = plan.out / part / "checkpoints" / "last.ckpt"
    is_other = (training.get("title"), training.get("licence")) != (terms.title, terms.licence)
    if is_other and checkpoint.is_file():
        export_checkpoint(checkpoint, bundle, terms)
        say(f"{part}: {bundle} has the title {terms.title!r} and the licence {terms.licence or '(none)'} now.")


def _train_part(plan: Plan, part: str, bundle: Path) -> None:
    steps = (plan.tokenizer if part == "tokenizer" else plan.lm).steps
    if is_trained(bundle, steps):
        say(f"{part}: trained already.")
        _keep_terms(plan, part, bundle)
        return
    resumes = any((plan.out / part / "checkpoints").glob("last*.ckpt"))
    more = ["--ckpt_path", "last"] if resumes else []
    say()
    print(" ".join(["$", command(plan, part), *more]), flush=True)
    try:
        train_command(["fit", "--config", str(config_file(plan, part)), *more])
    except SystemExit as stop:
        if stop.code not in (None, 0):
            print("framecast train: the same line typed again goes on from here", file=sys.stderr, flush=True)
        raise
