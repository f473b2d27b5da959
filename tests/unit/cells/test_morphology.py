"""SWC in, sections out: the rules of segments and axon, and every bad file."""

import math

import pytest
from neuron import h

from noble_neuron.cells import morphology
from noble_neuron.cells.morphology import grow
from noble_neuron.cells.swc import check_swc
from noble_neuron.errors import InputError


class Owner:
    def __str__(self):
        return "owner"


@pytest.fixture
def grown(swc):
    """Grow with given rules; removed afterwards."""

    def make(**rules):
        owner = Owner()
        grow({"morphology": str(swc), **rules}, owner)
        return owner

    yield make
    for section in list(h.allsec()):
        h.delete_section(sec=section)


def test_soma_is_a_cylinder_of_the_sphere_s_area(grown):
    soma = grown().soma[0]
    assert soma.L == pytest.approx(16) and soma.diam == pytest.approx(16)  # um, radius 8


def test_segments(grown):
    owner = grown(axon="none", nseg_um=20)
    assert {s.nseg for s in owner.dend} != {1}
    for section in h.allsec():
        assert section.nseg == 1 + 2 * int(section.L / 20)


def test_stub_axon(grown):
    owner = grown(axon="stub", nseg_um=40)
    assert [(s.L, s.diam, s.nseg) for s in owner.axon] == [(30, 1, 1)] * 2
    assert owner.axon[0].parentseg() == owner.soma[0](1)
    assert owner.axon[1].parentseg() == owner.axon[0](1)
    assert len(list(h.allsec())) == 1 + 3 + 2


def test_measured_axon(grown):
    whole = grown(axon="none")
    soma, axon = whole.soma[0], whole.axon
    near = axon[0].diam
    far = [s.diam for s in axon if h.distance(soma(0.5), s(0.5)) > 60][0]
    owner = grown(axon="hl23")
    assert [s.diam for s in owner.axon] == pytest.approx([near, far])
    assert near != pytest.approx(far)


def test_measured_axon_without_an_axon(grown, swc):
    swc.write_text("".join(x for x in swc.read_text().splitlines(True) if x.split()[1] != "2"))
    assert [s.diam for s in grown(axon="hl23").axon] == [1, 1]


def test_says_nothing(grown, swc, capfd):
    """Import3d reports each two-point section of no length; nobody asked."""
    swc.write_text(swc.read_text() + "10 3 -40 90 0 0.5 4\n")
    grown()
    assert capfd.readouterr().out == ""


def geometry(sections):
    return [(s.name(), str(s.parentseg()), s.L, [(x.area(), x.ri()) for x in s]) for s in sections]


@pytest.mark.parametrize("rule", ["none", "hl23", "stub"])
def test_what_is_remembered_is_what_was_imported(grown, swc, rule):
    """To the last bit; the second cell is not read from the file."""
    direct = morphology._Owner("owner")
    morphology.import_file(swc, direct)
    for section in direct.all:
        section.nseg = 1 + 2 * int(section.L / 40)
    if rule != "none":
        morphology.replace_axon(direct, measured=rule == "hl23")
    imported = geometry(h.allsec())
    for section in list(h.allsec()):
        h.delete_section(sec=section)
    for _ in range(2):
        owner = grown(axon=rule)
        assert geometry(h.allsec()) == imported and owner.soma
        for section in list(h.allsec()):
            h.delete_section(sec=section)


def test_a_changed_file_is_read_again(grown, swc):
    before = grown().soma[0].L
    swc.write_text(swc.read_text().replace("1 1 0 0 0 8 -1", "1 1 0 0 0 9 -1 "))
    assert grown().soma[0].L == pytest.approx(before + 2)


@pytest.mark.parametrize(
    "line, match",
    [
        ("10 3 0 0 0 1 77", "line 11: point 10 has parent 77, which the file does not define"),
        ("3 3 0 0 0 1 2", "line 11: point 3 was already given on line 4"),
        ("10 3 0 x 0 1 2", "line 11: y is not a number: 'x'"),
        ("10 3 0 0 nan 1 2", "line 11: z is not usable: 'nan'"),
        ("10 3.5 0 0 0 1 2", "line 11: type is not usable"),
        ("10 3 0 0 0 -1 2", "line 11: the radius is negative"),
        ("10 3 0 0 0 1", "line 11: expected seven numbers .* got 6"),
        ("10 3 0 0 0 1 12\n12 3 0 0 0 1 2", "line 11: point 10 comes before its parent 12"),
        ("10 3 0 0 0 1 12\n12 3 0 0 0 1 10", "line 11: point 10 is its own ancestor"),
        ("10 3 0 0 0 1 10", "line 11: point 10 is its own ancestor"),
    ],
)
def test_bad_lines(swc, line, match):
    swc.write_text(swc.read_text() + line + "\n")
    with pytest.raises(InputError, match=f"small.swc, {match}"):
        check_swc(swc)


def test_no_soma(swc):
    swc.write_text(swc.read_text().replace("1 1 0 0 0", "1 3 0 0 0"))
    with pytest.raises(InputError, match="small.swc has no soma: no point is of type 1"):
        check_swc(swc)


def test_missing_empty_and_foreign_files(tmp_path):
    with pytest.raises(InputError, match="No such morphology file: .*gone.swc"):
        check_swc(tmp_path / "gone.swc")
    (tmp_path / "empty.swc").write_text("# nothing\n")
    with pytest.raises(InputError, match="empty.swc holds no points"):
        check_swc(tmp_path / "empty.swc")
    (tmp_path / "cell.txt").write_text("")
    with pytest.raises(InputError, match="No such morphology file: .*gone.asc"):
        grow({"morphology": tmp_path / "gone.asc"}, Owner())
    with pytest.raises(InputError, match="must be an .swc or .asc file; got .*cell.txt"):
        grow({"morphology": tmp_path / "cell.txt"}, Owner())
    with pytest.raises(InputError, match="axon must be one of stub, hl23, none; got 'stubb'"):
        grow({"morphology": tmp_path / "cell.swc", "axon": "stubb"}, Owner())


def test_long_files_are_quick_to_check(tmp_path):
    """A chain of 20000 points: neither recursion nor quadratic time."""
    rows = ["1 1 0 0 0 8 -1"] + [f"{k} 3 {math.sqrt(k)} 0 0 1 {k - 1}" for k in range(2, 20001)]
    (tmp_path / "long.swc").write_text("\n".join(rows))
    check_swc(tmp_path / "long.swc")
