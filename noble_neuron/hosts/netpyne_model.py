"""NetPyNE models as folders: what is in one, and how it is loaded without changing it.

Two layouts are known. A folder with an index (`index.npjson`) names its files. One without has
netParams.py and cfg.py (or simConfig.py), in it or in its src folder, as NetPyNE's own
`sim.readCmdLineArgs` takes them. Either may have mechanisms in a mod folder.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import InputError
from ..files import read_json, sha256, write_json

INDEX = "index.npjson"
CONFIGS = ("cfg.py", "simConfig.py")
PARAMS = "netParams.py"
VARIABLES = {"simConfig": ("cfg", "simConfig"), "netParams": ("netParams",)}
SOURCES = {".py", ".hoc", ".tem", ".mod", ".json", ".npjson", ".swc", ".asc", ".csv", ".txt"}
LARGEST = 64e6  # bytes, of a file that is read to see whether it has changed


@dataclass(frozen=True)
class ModelFiles:
    """Where the parts of a model are.

    Attributes:
        root: The folder that its own paths are relative to.
        config: File of the simulation's configuration.
        params: File of the network's parameters.
        mod: Folder of mechanisms, or None.
        names: "simConfig" and "netParams" -> what the object may be called in its file.
    """

    root: Path
    config: Path
    params: Path
    mod: Path | None
    names: dict[str, tuple[str, ...]]

    @property
    def fingerprint(self) -> str:
        """Changes with any source, morphology or table in the folder."""
        parts = []
        for folder, inner, files in os.walk(self.root):
            inner[:] = sorted(d for d in inner if not d.startswith((".", "__")))
            for path in sorted(Path(folder) / name for name in files):
                if path.suffix.lower() in SOURCES and path.stat().st_size < LARGEST:
                    parts += [str(path.relative_to(self.root)).encode(), path.read_bytes()]
        return sha256(*parts)


def find_model(folder: str | os.PathLike) -> ModelFiles:
    """The files of a model.

    Args:
        folder: Its folder, or an index file in it.

    Raises:
        InputError: No such folder, no NetPyNE model in it, or one whose files are missing.
    """
    path = Path(folder)
    if not path.exists():
        raise InputError(f"No such folder: {path}. Give the folder of a NetPyNE model.")
    path = path.resolve()
    if path.is_file():
        return _indexed(path)
    if (path / INDEX).is_file():
        return _indexed(path / INDEX)
    others = sorted(path.glob("*.npjson"))
    if len(others) == 1:
        return _indexed(others[0])
    for place in (path, path / "src"):
        for name in CONFIGS:
            if (place / name).is_file() and (place / PARAMS).is_file():
                mod = next((p for p in (path / "mod", place / "mod") if _has_mod(p)), None)
                mod = mod or (path if _has_mod(path) else None)
                return ModelFiles(path, place / name, place / PARAMS, mod, VARIABLES)
    several = f" It has several indices ({', '.join(p.name for p in others)}): give one of them."
    raise InputError(
        f"No NetPyNE model in {path}: it has neither an {INDEX} nor {PARAMS} with "
        f"{' or '.join(CONFIGS)}, there or in src." + (several if others else "")
    )


def _indexed(index: Path) -> ModelFiles:
    """What an index file names."""
    said = read_json(index, "index of a NetPyNE model")
    if not isinstance(said, dict):
        raise InputError(f"{index} is no index of a NetPyNE model: it must hold an object.")
    files, names = {}, {}
    for key, usual in VARIABLES.items():
        name = said.get(key) or said.get(f"{key}_python")  # the older name
        if not name:
            raise InputError(f"The index {index} does not say where {key} is.")
        files[key] = index.parent / name
        if not files[key].is_file():
            raise InputError(f"The index {index} names {name} as its {key}: no such file.")
        own = said.get(f"{key}_variable")
        names[key] = (own,) if own else usual
    mod = said.get("mod_folder")
    if mod and not _has_mod(index.parent / mod):
        raise InputError(
            f"The index {index} names {mod} as its mod_folder: no .mod file is there."
        )
    folder = (index.parent / mod).resolve() if mod else None
    return ModelFiles(index.parent, files["simConfig"], files["netParams"], folder, names)


def _has_mod(folder: Path) -> bool:
    return any(folder.glob("*.mod"))


def load_model(files: ModelFiles, configure: Callable[[Any], None]) -> tuple[Any, Any]:
    """Configuration and parameters, as the model's own script would have them.

    The process is the model's from then on: its working directory is the model's root, and its
    files are importable by each other.

    Args:
        files: Of the model.
        configure: Told the configuration before the parameters are made, which may depend on it.

    Returns:
        NetPyNE's simConfig and netParams.
    """
    from ..nrn import mechanisms

    mechanisms.load()  # whether they are needed or not, so that every run has the same
    if files.mod is not None:
        mechanisms.load_folder(files.mod)
    os.chdir(files.root)
    for folder in dict.fromkeys((files.root, files.config.parent, files.params.parent)):
        sys.path.insert(0, str(folder))
    cfg = _config(files)
    configure(cfg)
    main = sys.modules["__main__"]
    main.cfg = main.simConfig = cfg  # where parameters' files look for it
    return cfg, _params(files)


def _config(files: ModelFiles) -> Any:
    if files.config.suffix == ".py":
        return _taken(_module(files.config, files.root), files.names["simConfig"])
    from netpyne import sim

    name = files.names["simConfig"][-1]
    return sim.loadSimCfg(str(files.config), variable=name, setLoaded=False)


def _params(files: ModelFiles) -> Any:
    if files.params.suffix == ".py":
        return _taken(_module(files.params, files.root), files.names["netParams"])
    from netpyne import sim

    return sim.loadNetParams(str(files.params), setLoaded=False)


def _module(path: Path, root: Path) -> ModuleType:
    """A file as a module, under all names by which the model's other files may import it.

    It is run once, so that whoever imports the configuration has the one that was configured.
    """
    dotted = ".".join(path.relative_to(root).with_suffix("").parts)
    known = sys.modules.get(dotted)
    if known is not None and getattr(known, "__file__", None) == str(path):
        return known
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = sys.modules[dotted] = module
    spec.loader.exec_module(module)
    return module


def _taken(module: ModuleType, names: tuple[str, ...]) -> Any:
    for name in names:
        if hasattr(module, name):
            return getattr(module, name)
    raise InputError(f"{module.__file__} defines no {' or '.join(names)}.")


def write_model(
    params: Any, cfg: Any, folder: str | os.PathLike, mechanisms: str | os.PathLike | None = None
) -> Path:
    """Keep a network that is in memory as a model's folder, by NetPyNE's own saving.

    Args:
        params: NetPyNE's netParams.
        cfg: Its simConfig.
        folder: Made anew, or written over.
        mechanisms: Folder of mod files that the network needs.

    Raises:
        InputError: One of the two is not NetPyNE's.
    """
    for name, value in (("netParams", params), ("cfg", cfg)):
        if not callable(getattr(value, "save", None)):
            raise InputError(
                f"{name} must be NetPyNE's, with a method save: got {type(value).__name__}."
            )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    index = {"simConfig": "cfg.json", "netParams": "netParams.json"}
    if mechanisms is not None:
        index["mod_folder"] = str(Path(mechanisms).resolve())
    cfg.save(str(folder / index["simConfig"]))
    params.save(str(folder / index["netParams"]))
    write_json(folder / INDEX, index)
    return folder
