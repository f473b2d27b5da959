import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch

from noble_neuron import surrogates
from noble_neuron.errors import BundleError, DeviceError, InputError, StoreError
from noble_neuron.features.latent import LatentSpace
from noble_neuron.operators import NobleConfig, NobleFNO
from noble_neuron.surrogates import Card, load, save, weights

CONFIG = NobleConfig(window_ms=45.0, layers=2, hidden=5, modes=7, v_mean=-71.5)
POINTS = np.array([[0.05, 100.0], [0.11, 300.0], [0.07, 420.0]])


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def card(**changes):
    settings = {
        "ensemble": "toy",
        "latent_space": LatentSpace.fit(("I_thr", "s_thr"), ("nA", "Hz/nA"), POINTS),
        "dt": 0.5,
        "current_range": (-0.11, 0.28),
        "celsius": 34.0,
        "v_init": -80.0,
        "threshold": -20.0,
        "junction_potential": -14.0,
        "licence": "MIT",
        "data_hash": {"v": "ab12"},
        "step": (5.0, 30.0),
        "errors": {"relative_l2": 0.0218},
        "notes": ("A toy.",),
    }
    return Card(**settings | changes)


@pytest.fixture
def model():
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return NobleFNO(CONFIG)


@pytest.fixture
def folder(tmp_path, model):
    return save(tmp_path / "toy", model, card())


def edit_card(folder, **changes):
    path = folder / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_bundle_comes_back_bit_for_bit(folder, model):
    back = load(folder)
    saved = weights.tensors(model)
    assert {k: v.shape for k, v in weights.tensors(back.model).items()} == {
        k: v.shape for k, v in saved.items()
    }
    assert all(torch.equal(v, saved[k]) for k, v in weights.tensors(back.model).items())
    assert back.model.config == CONFIG
    assert back.card.to_dict() == card().to_dict()
    assert back.threshold == -20.0
    current = np.zeros((3, 80))
    current[:, 10:70] = 0.2
    expected = model(
        torch.tensor(current, dtype=torch.float32),
        torch.tensor(card().latent_space.encode(POINTS), dtype=torch.float32),
        torch.arange(80) * 0.5,
    )
    assert np.array_equal(back.predict(current, POINTS, dt=0.5), expected.detach().numpy())


def test_a_bundle_is_two_files_that_hold_no_pickle(folder):
    assert sorted(p.name for p in folder.iterdir()) == ["card.json", "weights.safetensors"]
    assert "_metadata" not in weights.read(folder / "weights.safetensors")[0]
    assert not list(folder.parent.glob(".*"))


def test_loading_draws_no_random_number(folder):
    torch.manual_seed(2)
    expected = torch.rand(2)
    torch.manual_seed(2)
    load(folder)
    assert torch.equal(torch.rand(2), expected)


def test_saving_replaces_an_older_bundle(folder, model):
    save(folder, model, card(ensemble="newer"))
    assert load(folder).card.ensemble == "newer"
    assert [p.name for p in folder.parent.iterdir()] == ["toy"]


def test_saving_leaves_a_folder_of_other_files_alone(tmp_path, model):
    (tmp_path / "thesis.tex").write_text("irreplaceable")
    with pytest.raises(StoreError, match="holds files that are no bundle"):
        save(tmp_path, model, card())
    assert (tmp_path / "thesis.tex").read_text() == "irreplaceable"


def test_a_save_that_fails_changes_nothing(folder, model):
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    with pytest.raises(TypeError):
        save(folder, model, card(errors={"figure": object()}))  # no JSON value
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    assert [p.name for p in folder.parent.iterdir()] == ["toy"]


def no_card(folder):
    (folder / "card.json").unlink()


def card_is_no_json(folder):
    (folder / "card.json").write_text('{"format": ')


def foreign(folder):
    (folder / "card.json").write_text('{"model_type": "other"}')


def newer(folder):
    edit_card(folder, version=2)


def unknown_operator(folder):
    edit_card(folder, operator="transformer")


def key_missing(folder):
    head = json.loads((folder / "card.json").read_text())
    del head["config"]
    (folder / "card.json").write_text(json.dumps(head))


def unknown_setting(folder):
    edit_card(folder, config={**dataclasses.asdict(CONFIG), "depth": 3})


def impossible_setting(folder):
    edit_card(folder, config={**dataclasses.asdict(CONFIG), "layers": -3})


def card_entry_missing(folder):
    short = card().to_dict()
    del short["threshold"]
    edit_card(folder, card=short)


def no_weights(folder):
    (folder / "weights.safetensors").unlink()


def a_bit_flipped(folder):
    path = folder / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)


def resigned(folder, content):
    """Weights replaced and the card made to vouch for them."""
    from noble_neuron.surrogates.bundle import _sha256

    path = folder / "weights.safetensors"
    path.write_bytes(content) if isinstance(content, bytes) else weights.write(path, content)
    edit_card(folder, weights_sha256=_sha256(path))


def truncated(folder):
    resigned(folder, (folder / "weights.safetensors").read_bytes()[:-100])


def a_pickle(folder):
    import pickle

    resigned(folder, pickle.dumps({"weights": [1, 2]}))


def of_another_shape(folder):
    resigned(folder, weights.tensors(NobleFNO(dataclasses.replace(CONFIG, hidden=6))))


def of_another_depth(folder):
    resigned(folder, weights.tensors(NobleFNO(dataclasses.replace(CONFIG, layers=1))))


def not_finite(folder):
    given, _ = weights.read(folder / "weights.safetensors")
    given["fno.projection.fcs.0.bias"][1] = float("nan")
    resigned(folder, given)


@pytest.mark.parametrize(
    "damage, match",
    [
        (no_card, "no readable bundle.*No such bundle's card.*card.json"),
        (card_is_no_json, "card.json is not valid JSON"),
        (foreign, 'no card of noble_neuron: its "format" is not'),
        (newer, "format version 2; this noble_neuron reads up to 1. Update"),
        (unknown_operator, "names the operator 'transformer'"),
        (key_missing, "it lacks config"),
        (unknown_setting, "card.json is damaged.*depth"),
        (impossible_setting, "card.json is damaged.*layers must be positive, got -3"),
        (card_entry_missing, r"card.json is damaged.*missing keys \['threshold'\]"),
        (no_weights, "weights.safetensors is missing"),
        (a_bit_flipped, "not the file its card was written for"),
        (truncated, "is not a whole safetensors file"),
        (a_pickle, "is not a whole safetensors file"),
        (of_another_shape, r"should be \(5, 5, 4\).*got \(6, 6, 4\)|should be .* got"),
        (of_another_depth, "The weights do not fit the model: missing"),
        (not_finite, "fno.projection.fcs.0.bias holds values that are not finite"),
    ],
)
def test_a_bundle_that_cannot_be_used_is_one_clear_error(folder, damage, match):
    damage(folder)
    with pytest.raises(BundleError, match=match):
        load(folder)


def test_a_name_that_nobody_knows_is_one_clear_error():
    with pytest.raises(BundleError, match="No bundle 'purkinje'"):
        load("purkinje")


def test_a_built_in_bundle_is_found_by_name(folder, tmp_path, monkeypatch):
    shelf = tmp_path / "library"
    shutil.copytree(folder, shelf / "toy" / "bundle")
    monkeypatch.setattr(surrogates.library, "library_dir", lambda: shelf)
    assert load("toy").card.ensemble == "toy"


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_an_absent_gpu_is_one_clear_error(folder):
    with pytest.raises(DeviceError, match='"cuda" was asked for'):
        load(folder, device="cuda")


@pytest.mark.parametrize(
    "wrong, match",
    [
        ({"dt": 0}, "dt > 0"),
        ({"current_range": (0.1, 0.2)}, "a current range that holds 0"),
        ({"threshold": "low"}, "Card.threshold must be a finite number, got 'low'"),
        ({"step": (5.0,)}, "Card.step must be two numbers"),
        ({"licence": ""}, "Card.licence must be a text"),
    ],
)
def test_a_card_cannot_lie(wrong, match):
    with pytest.raises(InputError, match=match):
        card(**wrong)


def test_a_card_that_does_not_fit_its_operator_is_refused(tmp_path, model):
    one = LatentSpace.fit(("I_thr",), ("nA",), POINTS[:, :1])
    with pytest.raises(InputError, match="takes 2 latent coordinates, the card names 1"):
        save(tmp_path / "toy", model, card(latent_space=one))
