"""The two configurations that a run stands for, as YAML for `framecast train fit --config`."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from ...data.counted import counted
from ...data.files import replacing
from .plan import VAL_CLIPS, Part, Plan, validations_of
from .sizes import NUM_FRAMES
from .videos import folder_options, held_out_files, training_files

_SECONDS_BETWEEN_CHECKPOINTS = 180
_VALIDATIONS_OF_A_LOOK, _FEW = 3, 3


def config_file(plan: Plan, part: str) -> Path:
    """Where the configuration of a part lies."""
    return plan.out / f"{part}.yaml"


def command(plan: Plan, part: str) -> str:
    """What a person would type for one part alone."""
    return f"framecast train fit --config {shlex.quote(str(config_file(plan, part)))}"


def write_configs(plan: Plan) -> None:
    """Writes both configurations."""
    for part, config in (("tokenizer", tokenizer_config(plan)), ("lm", lm_config(plan))):
        path = config_file(plan, part)
        with replacing(path) as temporary:
            text = yaml.safe_dump(config, sort_keys=False, default_flow_style=None, width=120, allow_unicode=True)
            temporary.write_text(f"# Made by `framecast train`; run it by: {command(plan, part)}\n{text}", encoding="utf-8")


def tokenizer_config(plan: Plan) -> dict[str, Any]:
    """The training of the tokenizer."""
    recipe = plan.found.recipe
    shape = asdict(recipe.tokenizer_shape(plan.tokenizer.size, plan.settings.size))
    return {
        **_common(plan, plan.tokenizer, "tokenizer"),
        "model": {
            "class_path": "framecast.train.LitVideoTokenizer",
            "init_args": {
                "tokenizer": {name: list(v) if isinstance(v, tuple) else v for name, v in shape.items()},
                "quantizer": {"class_path": "framecast.tokenizer.FSQ", "init_args": {"levels": list(plan.levels)}},
                "loss": asdict(recipe.loss),
                "optimizer": {"learning_rate": 2e-3, "warmup_steps": min(50, plan.tokenizer.steps // 10)},
            },
        },
        "data": {
            "class_path": "framecast.train.ClipDataModule",
            "init_args": {
                "source": _source(plan),
                "val_source": _val_source(plan),
                "val_clips": VAL_CLIPS,
                "batch_size": plan.tokenizer.batch_size,
                "num_workers": plan.num_workers,
                "seed": plan.settings.seed,
            },
        },
    }


def lm_config(plan: Plan) -> dict[str, Any]:
    """The training of the video LM, on the tokens of the tokenizer."""
    recipe = plan.found.recipe
    shape = asdict(recipe.lm_shape(plan.lm.size, plan.found.longest_caption))
    source = _source(plan)
    if plan.token_clips < plan.found.num_train_clips:
        source = _instance("SomeClips", source=source, num_clips=plan.token_clips, seed=plan.settings.seed)
    common = _common(plan, plan.lm, "lm")
    return {
        **common,
        "model": {
            "class_path": "framecast.train.LitVideoLM",
            "init_args": {
                "lm": shape,
                **recipe.lm_options,
                "optimizer": {"learning_rate": recipe.lm_rate, "warmup_steps": min(100, plan.lm.steps // 10)},
            },
        },
        "data": {
            "class_path": "framecast.train.TokenDataModule",
            "init_args": {
                "source": source,
                "tokenizer": str(plan.out / "tokenizer" / "bundle"),
                "shards": str(plan.out / "tokens"),
                "val_source": _val_source(plan),
                "val_clips": VAL_CLIPS,
                "batch_size": plan.lm.batch_size,
                "seed": plan.settings.seed,
            },
        },
        "export": {**common["export"], "folder": str(plan.out / "bundle")},
    }


def _common(plan: Plan, part: Part, name: str) -> dict[str, Any]:
    between = round(_SECONDS_BETWEEN_CHECKPOINTS / part.seconds_per_step)
    return {
        "seed_everything": plan.settings.seed,
        "trainer": {
            "default_root_dir": str(plan.out / name),
            "max_steps": part.steps,
            "val_check_interval": max(1, part.steps // validations_of(plan.settings)),
            "log_every_n_steps": max(1, min(50, part.steps // 20)),
        },
        "checkpointing": {"every_n_train_steps": max(10, min(250, between))},
        "ema": {"decay": round(min(0.999, max(0.9, 1 - 6 / part.steps)), 4)},
        "samples": {"every_n_validations": _VALIDATIONS_OF_A_LOOK if validations_of(plan.settings) > _FEW else 1},
        "export": _export(plan),
    }


def _export(plan: Plan) -> dict[str, Any]:
    """What the bundle's card says, beside what it says of itself."""
    own = {"card": _card(plan), "title": plan.settings.named, "licence": plan.settings.licence, "next_steps": False}
    return {name: value for name, value in own.items() if value is not None}


def _card(plan: Plan) -> str:
    settings = plan.settings
    minutes = plan.found.seconds(plan.found.trained, settings.fps) / 60
    files, captions = counted(len(plan.found.trained), "file"), "with captions" if plan.found.captioned else "without captions"
    actions = "" if plan.found.played is None else " and actions" if plan.found.captioned else ", with actions"
    return f"Trained by `framecast train` on {minutes:.1f} minutes of video in {files}, {captions}{actions}."


def _source(plan: Plan) -> dict[str, Any]:
    cut = plan.found.cut
    folder = _folder(plan, size=cut.size, step=cut.step, **training_files(plan.settings, plan.found))
    return folder if cut.copies == 1 else _instance("RandomCrops", source=folder, size=plan.settings.size, copies=cut.copies)


def _val_source(plan: Plan) -> dict[str, Any]:
    return _folder(plan, size=plan.settings.size, **held_out_files(plan.found))


def _folder(plan: Plan, **options: Any) -> dict[str, Any]:
    options |= folder_options(plan.settings, plan.found.cut, plan.found.played)
    return _instance("VideoFolder", root=plan.settings.videos, num_frames=NUM_FRAMES, fps=plan.settings.fps, **options)


def _instance(name: str, **arguments: Any) -> dict[str, Any]:
    return {"class_path": f"framecast.data.{name}", "init_args": arguments}
