"""Shards: read as written, or not taken for one."""

import numpy as np
import pytest

from noble_neuron.store.shards import read_shard, write_shard

V = [np.linspace(-80, 20, n, dtype="f4") for n in (5, 7)]


@pytest.fixture
def path(tmp_path):
    write_shard(tmp_path / "s.shard", [4, 2, 9], [V[0], "it diverged", V[1]])
    return tmp_path / "s.shard"


def test_reads_what_was_written(path):
    shard = read_shard(path)
    assert [o["row"] for o in shard.outcomes] == [4, 2, 9]
    assert [o["reason"] for o in shard.outcomes] == ["", "it diverged", ""]
    assert np.array_equal(shard.voltage(0), V[0])
    assert np.array_equal(shard.voltage(2), V[1])


@pytest.mark.parametrize("size", [0, 3, 8, 20, -1])
def test_a_truncated_shard_is_none(path, size):
    content = path.read_bytes()
    path.write_bytes(content[:size])
    assert read_shard(path) is None
    path.unlink()
    assert read_shard(path) is None
