#!/usr/bin/env bash
# Make a Python environment with noble_neuron in it:  tools/environment.sh FOLDER [EXTRAS]
#   PYTHON       the interpreter to start from                       (python3)
#   TORCH        cpu or cuda                                         (cpu)
#   TORCH_INDEX  package index that holds that build of PyTorch, as PyTorch's own
#                install page names it                               (pip's configuration)
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
extras=${2:+[$2]}
python=${PYTHON:-python3}
build=${TORCH:-cpu}
version=2.13.0

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "noble_neuron needs Python 3.11 or later, and $python is older. Name another: PYTHON=python3.11" >&2
  exit 2
}
for tool in g++ make; do
  command -v "$tool" >/dev/null || {
    echo "$tool is missing; NEURON's mechanisms are compiled with it. Install it first." >&2
    exit 2
  }
done

[ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
pip=("$folder/bin/python" -m pip --disable-pip-version-check)
index=(${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"})

has_cuda() { "$folder/bin/python" -c 'import sys, torch; sys.exit(not torch.version.cuda)' 2>/dev/null; }

case $build in
  cpu)
    # The local version names the CPU build, so that no CUDA package comes along unasked.
    "${pip[@]}" install --quiet ${index[@]+"${index[@]}"} "torch==$version+cpu" 2>/dev/null || {
      echo "pip sees no CPU build of torch $version (set TORCH_INDEX to PyTorch's CPU index for it)."
      echo "Installing the default build, which on Linux brings some GB of CUDA packages."
      "${pip[@]}" install --quiet "torch==$version"
    } ;;
  cuda)
    has_cuda || "${pip[@]}" uninstall --quiet --yes torch 2>/dev/null
    "${pip[@]}" install --quiet ${index[@]+"${index[@]}"} "torch==$version"
    has_cuda || {
      echo "pip chose a build of torch without CUDA. Set TORCH_INDEX to PyTorch's CUDA index." >&2
      exit 2
    } ;;
  *)
    echo "TORCH is cpu or cuda, not '$build'." >&2
    exit 2 ;;
esac
"${pip[@]}" install --quiet --constraint constraints.txt --editable ".$extras"
