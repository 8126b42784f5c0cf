"""What `framecast train fit` says of mistakes: got, wanted, do, in place of all that jsonargparse has tried."""

import pytest

from framecast.train.known_options import class_options, config_files, meant_options
from framecast.train.mistakes import explain

UNION = "Does not validate against any of the Union subtypes Subtypes: [<class 'X'>, <class 'NoneType'>] Errors: - "
NONE = " - Expected a <class 'NoneType'> Given value type: <class 'str'> Given value: "
OPTIONS = ["--trainer.max_steps", "--trainer.precision", "--ckpt_path", "--ema.decay", "--learning_rate", "--samples.params"]
TINY, FOLDER = ["fit", "--config", "tiny_tokenizer"], ["fit", "--config", "folder_lm"]


def explained(message: str, words: list[str]) -> str:
    text = explain(message, words, OPTIONS, "framecast train fit")
    assert "\n" not in text and "Union" not in text and "NoneType" not in text
    return text


@pytest.mark.parametrize(
    ("words", "message", "wanted"),
    [
        ([*TINY, "--max_steps", "9"], "unrecognized arguments: --max_steps 9", "got --max_steps; wanted --trainer.max_steps"),
        ([*TINY, "--epochs=9"], "unrecognized arguments: --epochs=9", "got --epochs; wanted --trainer.max_steps"),
        (
            [*TINY, "--trainer.maxsteps", "9"],
            "unrecognized arguments: --trainer.maxsteps 9",
            "got --trainer.maxsteps; wanted --trainer.max_steps",
        ),
        (
            [*TINY, "--lr", "3"],
            "ambiguous option: --lr could match --lr_scheduler.help, --lr_scheduler",
            "got --lr; wanted --model.init_args.optimizer.learning_rate",
        ),
        ([*TINY, "--batch_size", "4"], "unrecognized arguments: --batch_size 4", "wanted --data.init_args.batch_size"),
        (
            [*FOLDER, "--data.root", "videos"],
            f"Parser key \"data\": {UNION}Option 'root' is not accepted{NONE}NestedArg(key='root', val='videos')",
            "got --data.root; wanted --data.init_args.source.init_args.source.init_args.root",
        ),
        (
            [*FOLDER, "--size", "32"],
            "unrecognized arguments: --size 32",
            "wanted --data.init_args.source.init_args.size or --data.init_args.source.init_args.source.init_args.size",
        ),
        (
            [*FOLDER, "--fps", "8"],
            "unrecognized arguments: --fps 8",
            "got --fps; wanted --data.init_args.source.init_args.source.init_args.fps",
        ),
        ([*TINY, "extra"], "unrecognized arguments: extra", "got the word 'extra' too many"),
        ([*TINY, "--zzz", "1"], "unrecognized arguments: --zzz 1", "got --zzz, and there is no such setting"),
    ],
)
def test_an_option_that_there_is_not_names_the_one_that_was_meant(words, message, wanted):
    assert wanted in explained(message, words)


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        ("Subcommand 'fit' does not accept option 'max_steps'", "got the setting max_steps; wanted trainer.max_steps"),
        (
            "Subcommand 'fit' does not accept option 'trainr.max_steps'",
            "got the setting trainr.max_steps; wanted trainer.max_steps",
        ),
        (
            f"Parser key \"model\": {UNION}Option 'channels' is not accepted{NONE}{{'a': 1}}",
            "got the setting model.channels; wanted model.init_args.tokenizer.channels",
        ),
        (
            f"Parser key \"model\": {UNION}Group 'tokenizer' does not accept option 'chanels'{NONE}{{'a': 1}}",
            "got the setting model.tokenizer.chanels; wanted model.init_args.tokenizer.channels",
        ),
    ],
)
def test_a_key_in_the_wrong_place_names_the_right_one(message, wanted):
    assert explained(message, TINY) == wanted


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        (
            "Parser key \"trainer.max_steps\": Expected a <class 'int'>. Got value: many",
            "got many for trainer.max_steps; wanted a whole number",
        ),
        (
            f'Parser key "data": {UNION}Parser key "source": Parser key "size": Expected a <class \'int\'>. Got value: b{NONE}x',
            "got b for data.source.size; wanted a whole number",
        ),
        (
            "Parser key \"trainer.precision\": Does not validate against any of the Union subtypes Subtypes: [<class 'int'>] "
            "Errors: - Expected a typing.Literal['auto', '32'] - Expected a <class 'int'> Given value type: <class 'str'> Given "
            "value: float",
            "got float for trainer.precision; wanted one of auto, 32",
        ),
        ("argument --trainer.max_steps: expected one argument", "got --trainer.max_steps without a value"),
    ],
)
def test_a_value_of_the_wrong_kind(message, wanted):
    assert wanted in explained(message, TINY)


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        (
            f'Parser key "model": - Expected a path but x either not accessible or invalid - {UNION}'
            "Problem with given class_path 'framecast.train.LitVideoTokeniser': module 'framecast.train' has no attribute "
            f"'LitVideoTokeniser'{NONE}framecast.train.LitVideoTokeniser",
            "got the class framecast.train.LitVideoTokeniser for model, and there is no such class; wanted a class path such as "
            "framecast.train.LitVideoTokenizer",
        ),
        (
            f'Parser key "model": - Expected a path but Nope either not accessible - {UNION}Expected a dot import path '
            f"string: Nope{NONE}Nope",
            "got the class Nope for model, and there is no such class",
        ),
        (
            f'Parser key "model": {UNION}Import path does not correspond to a subclass of TrainingModule{NONE}torch.nn.Linear',
            "got torch.nn.Linear, which does not correspond to a subclass of TrainingModule; wanted one such as",
        ),
        ("argument subcommand: invalid choice: 'fti' (choose from 'fit', 'validate')", "did you mean `framecast train fit`?"),
        (
            'expected "subcommand" to be one of {fit,validate,test,predict}, but it was not provided.',
            "got no command; wanted one of",
        ),
        ("the following arguments are required: fit.data, fit.model", "got no --data, --model; wanted a configuration"),
        ("Parser key \"config\": File does not exist: '/a/foldr_lm.yaml'", "did you mean `--config folder_lm`?"),
    ],
)
def test_what_is_not_there(message, wanted):
    assert wanted in explained(message, TINY)


def test_a_mistake_in_yaml_names_file_line_and_column(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("trainer:\n  max_steps: 3\n   val_check_interval: 2\n")
    text = explained("Problems parsing config: mapping values are not allowed", ["fit", f"--config={file}"])
    assert f"got {file}, which is no YAML (mapping values are not allowed" in text and "line 3, column 22" in text


def test_what_nobody_foresaw_is_cut():
    text = explain("something " * 200, [], [], "framecast train fit")
    assert len(text) < 400 and text.endswith("see `framecast train fit --help`")


def test_options_of_classes_follow_the_configurations():
    found = class_options(FOLDER)
    assert "data.init_args.source.init_args.source.init_args.root" in found
    assert "model.init_args.optimizer.learning_rate" in found
    assert class_options(["fit", "--config", "nowhere.yaml"]) == []
    assert config_files(["-c", "a.yaml", "--config=b.yaml"]) == ["a.yaml", "b.yaml"]


def test_the_part_before_the_dot_decides_between_options():
    known = ["data.init_args.seed", "model.init_args.seed"]
    assert meant_options("model.seed", known) == ["model.init_args.seed"]
    assert meant_options("seed", known) == known
