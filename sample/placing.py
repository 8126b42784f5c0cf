"""Where and how exactly to compute, as people write it: "cuda", `torch.device("cuda:1")`, "bfloat16", `torch.bfloat16`."""

from typing import Any

import torch

Device = torch.device | str | int
Dtype = torch.dtype | str

_SHORT = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}


def as_dtype(dtype: Dtype) -> torch.dtype:
    """A precision by its name, or as it is.

    Raises:
        ValueError: It is none of floating-point numbers.
    """
    found = _dtype_named(dtype) if isinstance(dtype, str) else dtype
    if not isinstance(found, torch.dtype) or not found.is_floating_point or found.itemsize == 1:
        raise ValueError(f"got dtype {dtype!r:.60}; wanted float32, bfloat16 or float16, as a name or as torch has it")
    return found


def as_device(device: Device) -> torch.device:
    """A device by its name, or as it is.

    Raises:
        ValueError: There is no such device here.
    """
    try:
        return torch.empty(0, device=torch.device(device)).device  # which has its number
    except (RuntimeError, AssertionError, TypeError, ValueError) as error:
        raise ValueError(f"got device {device!r:.60}; wanted one that is here: {', '.join(_devices())}") from error


def as_place(
    places: tuple[Any, ...], device: Device | None, dtype: Dtype | None
) -> tuple[torch.device | None, torch.dtype | None]:
    """The device and the precision of `to(...)`, which takes either or both, in any order or by name.

    Raises:
        ValueError: Nothing is given, one of the two is given twice, or it is neither.
    """
    given: dict[str, Any] = {} if device is None else {"device": as_device(device)}
    if dtype is not None:
        given["dtype"] = as_dtype(dtype)
    for place in places:
        name, value = _kind_of(place)
        if name in given:
            raise ValueError(f"got two values for {name}, {given[name]} and {value}; wanted one")
        given[name] = value
    if not given:
        raise ValueError('got nothing to go to; wanted a device, a dtype or both, such as "cuda" or "bfloat16"')
    return given.get("device"), given.get("dtype")


def _kind_of(place: object) -> tuple[str, torch.device | torch.dtype]:
    if isinstance(place, torch.dtype) or (isinstance(place, str) and _dtype_named(place) is not None):
        return "dtype", as_dtype(place)
    if isinstance(place, (torch.device, str, int)) and not isinstance(place, bool):
        return "device", as_device(place)
    raise ValueError(f'got {place!r:.60} to go to; wanted a device or a dtype, such as "cuda" or "bfloat16"')


def _dtype_named(name: str) -> torch.dtype | None:
    plain = name.removeprefix("torch.")
    found = getattr(torch, _SHORT.get(plain, plain), None)
    return found if isinstance(found, torch.dtype) else None


def _devices() -> list[str]:
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return ["cpu", *(["cuda"] if torch.cuda.is_available() else []), *mps]
