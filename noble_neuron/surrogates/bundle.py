"""A surrogate on disk: a folder of weights.safetensors and card.json; nothing is pickled."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..errors import BundleError, InputError, StoreError
from ..files import read_json, write_json
from ..operators import OPERATORS, STREAMS, OdeStream
from ..operators.device import pick
from . import library, weights
from .card import Card, StreamCard
from .membrane import MembraneSurrogate
from .stream import StreamSurrogate
from .surrogate import Surrogate

FORMAT, VERSION = "noble_neuron bundle", 1
CARD, WEIGHTS = "card.json", "weights.safetensors"
KINDS = {**OPERATORS, **STREAMS}
_KEYS = {"format", "version", "operator", "config", "weights_sha256", "made_with", "card"}


def save(folder: str | os.PathLike, model: nn.Module, card: Card | StreamCard) -> Path:
    """Write a bundle, whole or not at all; replaces an older bundle in `folder`.

    Raises:
        InputError: The model is of no operator in the table, or does not fit the card.
        StoreError: The folder holds something else, or cannot be written.
    """
    folder = Path(folder)
    if folder.exists() and not (folder / CARD).is_file() and any(folder.iterdir()):
        raise StoreError(f"{folder} holds files that are no bundle: choose another folder.")
    head = {
        "format": FORMAT,
        "version": VERSION,
        "operator": _operator_of(model),
        "config": asdict(model.config),
        "made_with": _versions(),
    }
    _check_fit(model, card)
    with _folder_written_whole(folder) as temporary:
        weights.write(temporary / WEIGHTS, weights.tensors(model))
        digest = _sha256(temporary / WEIGHTS)
        write_json(temporary / CARD, {**head, "weights_sha256": digest, "card": card.to_dict()})
    return folder


def load(name_or_folder: str | os.PathLike, device: str | torch.device = "cpu") -> Surrogate:
    """The whole-trace surrogate of a built-in ensemble, or of a bundle's folder.

    Raises:
        BundleError: Missing, damaged, foreign or newer; the text says which and what to do.
        DeviceError: The device is not there.
    """
    folder = library.find(Path(name_or_folder), library.WHOLE_TRACE)
    return Surrogate(*_read(folder, Card, OPERATORS), device)


def load_stream(
    name_or_folder: str | os.PathLike, device: str | torch.device = "cpu"
) -> StreamSurrogate:
    """The streaming surrogate of a built-in ensemble, or of a bundle's folder.

    Raises:
        BundleError, DeviceError: As `load` does.
    """
    folder = library.find(Path(name_or_folder), library.STREAMING)
    model, card = _read(folder, StreamCard, STREAMS)
    if isinstance(model, OdeStream) and pick(device).type == "cpu":
        return MembraneSurrogate(model, card)
    return StreamSurrogate(model, card, device)


def weights_of(name_or_folder: str | os.PathLike) -> str:
    """SHA-256 of the weights of a streaming surrogate, as its card has it.

    Raises:
        BundleError: No such bundle, or a damaged one.
    """
    folder = library.find(Path(name_or_folder), library.STREAMING)
    return str(_read_head(folder)["weights_sha256"])


def _read(folder: Path, card_class: type, wanted: Mapping[str, tuple]) -> tuple[nn.Module, Any]:
    """Model and card of a bundle whose operator is one of those wanted."""
    head = _read_head(folder)
    if head["operator"] not in wanted:
        other = "load_stream, or NobleCell," if head["operator"] in STREAMS else "load_surrogate"
        raise BundleError(
            f"{folder} holds the operator {head['operator']!r}, which is none of "
            f"{', '.join(wanted)}: {other} takes it."
        )
    try:
        card = card_class.from_dict(head["card"])
        config_class, operator = wanted[head["operator"]]
        with torch.random.fork_rng(devices=[]):
            model = operator(config_class(**head["config"]))
        _check_fit(model, card)
    except (InputError, TypeError, AttributeError) as error:
        raise BundleError(f"{folder / CARD} is damaged: {error}") from error
    _fill(model, folder, head["weights_sha256"])
    return model, card


def _operator_of(model: nn.Module) -> str:
    for name, (_, operator) in KINDS.items():
        if type(model) is operator:
            return name
    raise InputError(
        f"A bundle holds one of {', '.join(KINDS)}, not a {type(model).__name__}: add it to "
        f"noble_neuron.operators.OPERATORS or STREAMS."
    )


def _check_fit(model: nn.Module, card: Card | StreamCard) -> None:
    if isinstance(card, StreamCard) != (type(model) in {kind for _, kind in STREAMS.values()}):
        raise InputError(f"A {type(card).__name__} does not describe a {type(model).__name__}.")
    if model.config.latent_size != len(card.latent_space.names):
        raise InputError(
            f"The operator takes {model.config.latent_size} latent coordinates, the card names "
            f"{len(card.latent_space.names)}."
        )


def _sha256(path: Path) -> str:
    """As `sha256sum` prints it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _versions() -> dict[str, str]:
    found = {}
    for package in ("noble-neuron", "torch", "neuraloperator", "safetensors", "numpy"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def _read_head(folder: Path) -> dict[str, Any]:
    """The card file's content, if this version can read it."""
    path = folder / CARD
    try:
        head = read_json(path, "bundle's card")
    except InputError as error:
        raise BundleError(f"{folder} is no readable bundle. {error}") from error
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise BundleError(f'{path} is no card of noble_neuron: its "format" is not {FORMAT!r}.')
    version = head.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise BundleError(
            f"{path} has format version {version!r}; this noble_neuron reads up to {VERSION}. "
            f"Update noble_neuron."
        )
    missing = sorted(_KEYS - head.keys())
    if missing:
        raise BundleError(f"{path} is damaged: it lacks {', '.join(missing)}.")
    if head["operator"] not in KINDS:
        raise BundleError(
            f"{path} names the operator {head['operator']!r}; this noble_neuron has "
            f"{', '.join(KINDS)}. Update noble_neuron."
        )
    return head


def _fill(model: nn.Module, folder: Path, digest: str) -> None:
    """Put the bundle's weights into the model."""
    path = folder / WEIGHTS
    try:
        found = _sha256(path)
        if found != digest:
            raise StoreError(
                f"{path} is not the file its card was written for (SHA-256 {found[:12]}... "
                f"instead of {str(digest)[:12]}...). Copy the bundle anew."
            )
        given, _ = weights.read(path)
        weights.fill(model, given)
    except FileNotFoundError:
        raise BundleError(f"{path} is missing. Copy the bundle anew.") from None
    except (StoreError, InputError, OSError) as error:
        raise BundleError(f"{path} is damaged or foreign: {error}") from error
    for name, value in given.items():
        if not value.isfinite().all():
            raise BundleError(f"{path} is damaged: {name} holds values that are not finite.")


@contextlib.contextmanager
def _folder_written_whole(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder`, which takes its place if the block succeeds."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".part")
    except OSError as error:
        raise StoreError(f"Cannot write {folder}: {error.strerror}.") from error
    temporary, old = Path(made), Path(f"{made}.old")
    try:
        temporary.chmod(0o755)
        yield temporary
        if folder.exists():
            folder.rename(old)
        temporary.rename(folder)
    except StoreError:
        raise
    except OSError as error:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise StoreError(f"Cannot write {folder}: {error}. Nothing was changed.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
