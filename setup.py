"""Metadata and data mapping; tools are configured in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "noble_neuron/__init__.py").read_text())[1]

setup(
    name="noble-neuron",
    version=VERSION,
    description="Neural-operator surrogates of biophysical NEURON cells",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The noble_neuron developers",
    license="BSD-3-Clause",
    python_requires=">=3.11",
    # mod/ and hoc/ lie beside the package in a checkout, inside it in a wheel (see assets.py).
    packages=[
        *find_packages(include=["noble_neuron", "noble_neuron.*"]),
        "noble_neuron.mod",
        "noble_neuron.hoc",
    ],
    package_dir={"noble_neuron.mod": "mod", "noble_neuron.hoc": "hoc"},
    package_data={
        "noble_neuron": ["library/*/*", "library/*/*/*", "reproduce/*.js", "operators/*.cpp"],
        "noble_neuron.mod": ["*.mod"],
        "noble_neuron.hoc": ["*.hoc"],
    },
    install_requires=[
        "neuron>=8.2.7",
        "numpy>=1.26",
        "scipy>=1.12",
        "torch>=2.4",
        "neuraloperator>=2.0",
        "efel>=5.7",
        "h5py>=3.10",
        "safetensors>=0.4.4",
        "tqdm>=4.60",
        "matplotlib>=3.8",
    ],
    extras_require={
        "evolve": ["bluepyopt>=1.14.18"],
        "test": ["pytest>=8", "ruff>=0.6", "bluepyopt>=1.14.18", "netpyne>=1.1"],
    },
    entry_points={"console_scripts": ["noble-neuron = noble_neuron.cli:main"]},
    classifiers=[
        "License :: OSI Approved :: BSD License",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.11",
        "Topic :: Scientific/Engineering",
    ],
)
