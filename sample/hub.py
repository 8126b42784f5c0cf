"""Bundles on the Hugging Face Hub: fetched by their id, and shared."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from .bundle import load_bundle, load_generator
from .bundle_files import SHIPPED, BundleError
from .bundle_folder import CONFIG, NAMES
from .generator import VideoGenerator
from .placing import Device, Dtype

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_MOST = 96  # characters of an id


def from_pretrained(
    source: str | Path,
    revision: str | None = None,
    token: str | None = None,
    local_files_only: bool = False,
    device: Device = "cpu",
    dtype: Dtype = torch.float32,
    compile: bool = False,
    endpoint: str | None = None,
) -> VideoGenerator:
    """The generator of a bundle that lies in a folder or on the Hugging Face Hub.

    Only the files of a bundle are fetched, and none of them can run code. What was fetched before is not fetched again. Nothing
    is fetched of a folder that is there, of the names of the package ("default", "world"), or with `HF_HUB_OFFLINE=1`.

    Args:
        source: A folder, or an id of the Hub, such as "ada/kitchen".
        revision: Branch, tag or commit on the Hub; None is its newest.
        token: Of the Hub, for private repositories; None takes the one of `hf auth login`, if there is one.
        local_files_only: Whether to take only what was fetched before.
        device: As of `load_generator`.
        dtype: As of `load_generator`.
        compile: As of `load_generator`.
        endpoint: Address of another Hub; None is that of `HF_ENDPOINT`, or huggingface.co.

    Raises:
        BundleError: There is no such folder or repository, it is no bundle, or it is damaged.
        ImportError: The source is no folder, and the extra `hub` is not installed.
        ValueError: As `load_generator`.
    """
    folder = Path(source)
    if not folder.exists() and str(source) not in SHIPPED:
        folder = _fetched(str(source), revision, token, local_files_only, endpoint)
    return load_generator(folder, device, dtype, compile)


def push_to_hub(
    bundle: str | Path,
    repo_id: str,
    private: bool | None = None,
    revision: str | None = None,
    token: str | None = None,
    message: str | None = None,
    endpoint: str | None = None,
) -> str:
    """Shares a bundle on the Hugging Face Hub, in one commit; its model card is what the page shows.

    Files of an older bundle that this one does not have are removed there; all else in the repository stays.

    Args:
        bundle: Its folder.
        repo_id: Such as "ada/kitchen"; made if it is not there.
        private: Whether a repository that is made can be seen by its owner alone; None is as the owner has set it.
        revision: Branch to commit to; None is the main one.
        token: Of the Hub, one that may write; None takes the one of `hf auth login`.
        message: Of the commit.
        endpoint: Address of another Hub; None is that of `HF_ENDPOINT`, or huggingface.co.

    Returns:
        The address of the commit.

    Raises:
        BundleError: The folder is no bundle, or damaged; nothing is sent then. Or the Hub does not take it.
        ImportError: The extra `hub` is not installed.
    """
    path, hub = load_bundle(bundle).path, _hub()
    _check_id(repo_id)
    api = hub.HfApi(endpoint=endpoint, token=token)
    there = {file.name for file in path.iterdir()} & NAMES
    with _named(repo_id, "cannot share"):
        api.create_repo(repo_id, private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repo_id,
            folder_path=path,
            revision=revision,
            allow_patterns=sorted(there),
            delete_patterns=sorted(NAMES - there),
            commit_message=message or "Framecast bundle",
        )
    return str(commit.commit_url)


def _fetched(repo_id: str, revision: str | None, token: str | None, local_files_only: bool, endpoint: str | None) -> Path:
    """The folder of what was fetched."""
    _check_id(repo_id)
    hub = _hub()
    with _named(repo_id, "cannot fetch"):
        path = hub.snapshot_download(
            repo_id,
            revision=revision,
            token=token,
            local_files_only=local_files_only,
            allow_patterns=sorted(NAMES),
            endpoint=endpoint,
        )
    if not (Path(path) / CONFIG).is_file():
        raise BundleError(f"{repo_id} on the Hub is no bundle: it has no {CONFIG}; wanted one that `push_to_hub` shared")
    return Path(path)


def _check_id(repo_id: str) -> None:
    if not re.fullmatch(f"{_PART}/{_PART}", repo_id) or len(repo_id) > _MOST:
        raise BundleError(f'got {repo_id!r}, which is no folder here; wanted one, or an id of the Hub such as "ada/kitchen"')


def _hub() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError("the Hub needs huggingface_hub; install it with `pip install '.[hub]'`") from error
    return huggingface_hub


@contextmanager
def _named(repo_id: str, what: str) -> Iterator[None]:
    """Turns what the Hub and its client say into one error that names the repository and what to do."""
    import httpx
    from huggingface_hub import errors

    try:
        yield
    except errors.RevisionNotFoundError as error:
        raise BundleError(f"{what} {repo_id}: it has no such revision; leave `revision` out for the newest") from error
    except errors.RepositoryNotFoundError as error:
        raise BundleError(
            f"{what} {repo_id}: it is no folder here, and the Hub shows no such repository; check the name, or give the "
            "`token` of somebody who may see it"
        ) from error
    except (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError, httpx.TransportError) as error:
        raise BundleError(
            f"{what} {repo_id}: the Hub cannot be reached, or must not be (HF_HUB_OFFLINE, local_files_only), and it was not "
            "fetched before; connect, or give a folder"
        ) from error
    except errors.LocalTokenNotFoundError as error:
        raise BundleError(f"{what} {repo_id}: nobody is logged in; give a `token`, or run `hf auth login`") from error
    except errors.HfHubHTTPError as error:
        said = error.server_message or f"status {error.response.status_code}"
        raise BundleError(f"{what} {repo_id}: the Hub says: {said}") from error
