"""What a safetensors file declares: the names and shapes in its header, read without its weights and without torch."""

from pathlib import Path

from ..data.reading import parse_json, regular_size

_LENGTH_BYTES, _LARGEST_HEADER = 8, 2**24
_CODE = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
Shapes = dict[str, tuple[int, ...]]


class WeightsError(ValueError):
    """A file of weights that cannot be used; the message begins with its path."""


def declared_shapes(path: Path, num_bytes: int | None = None) -> Shapes:
    """The name and shape of every tensor in a file, of `num_bytes` if given, from its header alone.

    Raises:
        WeightsError: It is no regular file, no safetensors file, or larger or smaller than its header says.
    """
    try:
        size = regular_size(path)
    except ValueError as error:
        raise WeightsError(str(error)) from error
    if num_bytes not in (None, size):
        raise WeightsError(f"{path} is damaged: it has {size} bytes, wanted {num_bytes}; copy or export it anew")
    try:
        with path.open("rb") as file:
            head = file.read(_LENGTH_BYTES)
            if head.startswith(_CODE):
                raise ValueError("it is a TorchScript or a pickle, which can run code, and is not opened")
            length = int.from_bytes(head, "little")
            if not 2 <= length <= min(size - _LENGTH_BYTES, _LARGEST_HEADER):
                raise ValueError(f"a header of {length} bytes in a file of {size}")
            header = parse_json(file.read(length))
        header.pop("__metadata__", None)
        end = max((int(entry["data_offsets"][1]) for entry in header.values()), default=0)
        if _LENGTH_BYTES + length + end != size:
            raise ValueError(f"its header speaks of {end} bytes, and {size - _LENGTH_BYTES - length} follow")
        return {str(name): tuple(int(n) for n in entry["shape"]) for name, entry in header.items()}
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise WeightsError(f"{path} is no safetensors file ({error}); copy, export or convert it anew") from error
