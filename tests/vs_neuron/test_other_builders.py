"""Our BluePyOpt and NetPyNE loaders against BluePyOpt and NetPyNE themselves.

The other builder runs in a process of its own, says what every segment holds, and simulates a
step; then we build the same files and compare all of it.
"""

import json
import subprocess
import sys

import numpy as np
import pytest
from neuron import h

from noble_neuron.cells import load_bluepyopt, load_netpyne
from noble_neuron.protocols.protocol import Protocol
from noble_neuron.protocols.stimuli import Step
from noble_neuron.simulate.run import simulate

SWC = """1 1 0 0 0 8 -1
2 3 0 8 0 1.0 1
3 3 0 160 0 0.8 2
4 3 -40 290 0 0.5 3
5 3 140 90 0 0.5 3
6 2 0 -8 0 0.6 1
7 2 0 -50 0 0.5 6
8 2 0 -120 0 0.3 7
9 2 30 -90 0 0.2 7
"""
EXP = "(-0.8696 + 2.087*math.exp(({distance})*0.0031))*{value}"
STEP = {"amplitude": 0.3, "onset": 5.0, "duration": 30.0}  # nA, ms, ms
DURATION = 40.0  # ms
DT = 0.025  # ms

SAY = """
import json
from neuron import h
def segments(sections):
    rows = []
    for s in sections:
        name = s.name().split('.')[-1]
        parent = str(s.parentseg()).split('.', 1)[-1] if s.parentseg() else ''
        for x in s:
            row = {'name': name, 'x': x.x, 'parent': parent, 'area': x.area(), 'ri': x.ri(),
                   'cm': x.cm, 'Ra': s.Ra}
            for m in x:
                for v in m:
                    row[v.name()] = v[0]
            rows.append(row)
    return sorted(rows, key=lambda r: (r['name'], r['x']))
def voltage(soma, celsius, v_init):
    h.load_file('stdrun.hoc')
    h.celsius, h.dt, h.secondorder = celsius, DT, 0
    h.CVode().active(False)
    clamp = h.IClamp(soma(0.5))
    clamp.delay, clamp.dur, clamp.amp = STEP['onset'], STEP['duration'], STEP['amplitude']
    v = h.Vector().record(soma(0.5)._ref_v)
    h.finitialize(v_init)
    h.continuerun(DURATION)
    return list(v)
def say(sections, soma, celsius, v_init):
    rows = segments(sections)
    with open('said.json', 'w') as file:
        json.dump({'segments': rows, 'v': voltage(soma, celsius, v_init)}, file)
"""


def said(script, folder):
    """What the script's builder made."""
    text = f"STEP, DURATION, DT = {STEP}, {DURATION}, {DT}\n" + SAY + script
    (folder / "builder.py").write_text(text)
    answer = subprocess.run(
        [sys.executable, "builder.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr[-3000:]
    return json.loads((folder / "said.json").read_text())


def same(cell, theirs):
    """Every segment holds the same, and the step gives the same voltage."""
    scope = {}
    exec(f"STEP, DURATION, DT = {STEP}, {DURATION}, {DT}\n" + SAY, scope)
    with cell.build() as live:
        ours = json.loads(json.dumps(scope["segments"](live.sections)))
        assert len(ours) == len(theirs["segments"]) > 5
        for mine, other in zip(ours, theirs["segments"], strict=True):
            assert set(mine) == set(other)
            for key, value in mine.items():
                if isinstance(value, str):
                    assert value == other[key], key
                elif not _of_state(key):
                    assert value == pytest.approx(other[key], rel=1e-9, abs=1e-12), (mine, key)
        trace = simulate(live, Protocol("step", DURATION, (Step(**STEP),)), dt=DT)
    v = np.array(theirs["v"])
    assert v.max() > 0  # the step makes it fire
    assert np.abs(trace.v[: len(v)] - v[: len(trace.v)]).max() < 1e-6  # mV


def _of_state(key):
    """Values that a simulation, not the builder, has left behind."""
    return key.startswith(
        (
            "m_",
            "h_",
            "n_",
            "i_",
            "ina",
            "ik",
            "ica",
            "dina",
            "dik",
            "il_",
            "gna_",
            "gk_",
            "minf",
            "hinf",
            "ninf",
            "mtau",
            "htau",
            "ntau",
        )
    )


def test_bluepyopt(tmp_path):
    pytest.importorskip("bluepyopt")
    (tmp_path / "cell.swc").write_text(SWC)
    rows = [
        {"param_name": "celsius", "value": 6.3, "type": "global"},
        {"param_name": "v_init", "value": -65, "type": "global"},
        *(
            {
                "param_name": n,
                "value": v,
                "sectionlist": "all",
                "type": "section",
                "dist_type": "uniform",
            }
            for n, v in (("g_pas", 1e-4), ("e_pas", -65.0), ("Ra", 120.0), ("cm", 1.2))
        ),
        *(
            {
                "param_name": n,
                "bounds": [0, 1],
                "sectionlist": s,
                "type": "range",
                "dist_type": "uniform",
            }
            for n, s in (
                ("gnabar_hh", "somatic"),
                ("gkbar_hh", "somatic"),
                ("gnabar_hh", "axonal"),
            )
        ),
        {
            "param_name": "gkbar_hh",
            "sectionlist": "basal",
            "type": "range",
            "dist_type": "exp",
            "dist": EXP,
            "bounds": [0, 1],
        },
    ]
    hall = [[0.12, 0.036, 0.2, 1e-3]]
    mechanisms = {"all": ["pas", "hh"]}
    for name, value in (("parameters", rows), ("mechanisms", mechanisms), ("hall", hall)):
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    theirs = said(BLUEPYOPT, tmp_path)
    (cell,) = load_bluepyopt(
        tmp_path / "parameters.json",
        tmp_path / "mechanisms.json",
        tmp_path / "cell.swc",
        tmp_path / "hall.json",
    )
    same(cell, theirs)


BLUEPYOPT = """
import bluepyopt.ephys as ephys
rows = json.load(open('parameters.json'))
hall = json.load(open('hall.json'))
def place(name):
    return ephys.locations.NrnSeclistLocation(name, seclist_name=name)
mechanisms = [ephys.mechanisms.NrnMODMechanism(name=f'{m}.{s}', suffix=m, locations=[place(s)])
              for s, ms in json.load(open('mechanisms.json')).items() for m in ms]
parameters, free = [], []
for row in rows:
    value = dict(value=row['value'], frozen=True) if 'value' in row else dict(bounds=row['bounds'])
    if row['type'] == 'global':
        parameters.append(ephys.parameters.NrnGlobalParameter(
            name=row['param_name'], param_name=row['param_name'], **value))
        continue
    scaler = (ephys.parameterscalers.NrnSegmentSomaDistanceScaler(distribution=row['dist'])
              if 'dist' in row else ephys.parameterscalers.NrnSegmentLinearScaler())
    kind = {'section': ephys.parameters.NrnSectionParameter,
            'range': ephys.parameters.NrnRangeParameter}[row['type']]
    name = f"{row['param_name']}.{row['sectionlist']}"
    free += [] if 'value' in row else [name]
    parameters.append(kind(name=name, param_name=row['param_name'], value_scaler=scaler,
                           locations=[place(row['sectionlist'])], **value))
morphology = ephys.morphologies.NrnFileMorphology('cell.swc', do_replace_axon=True)
cell = ephys.models.CellModel('cell', morph=morphology, mechs=mechanisms, params=parameters)
cell.freeze(dict(zip(free, hall[0])))
simulator = ephys.simulators.NrnSimulator(dt=DT, cvode_active=False)
cell.instantiate(sim=simulator)
say(list(cell.icell.all), cell.icell.soma[0], 6.3, -65.0)
"""


def netpyne_rule():
    hh = {"gnabar": 0.12, "gkbar": 0.036, "gl": 0.0003, "el": -54.3}
    return {
        "secs": {
            "soma": {
                "geom": {"diam": 18.8, "L": 18.8, "Ra": 123.0, "cm": 1.1},
                "topol": {},
                "mechs": {"hh": hh},
                "ions": {"na": {"e": 55.0}, "k": {"e": -80.0}},
            },
            "dend": {
                "geom": {
                    "nseg": 5,
                    "Ra": 150.0,
                    "cm": 1.0,
                    "pt3d": [[0, 0, 0, 2.0], [0, 50, 0, 1.0], [0, 200, 0, 0.5]],
                },
                "topol": {"parentSec": "soma", "parentX": 1.0, "childX": 0},
                "mechs": {"pas": {"g": [1e-5, 2e-5, 3e-5, 4e-5, 5e-5], "e": -70.0}},
            },
            "tuft": {
                "geom": {"L": 80.0, "diam": 1.5, "nseg": 3, "Ra": 150.0, "cm": 2.0},
                "topol": {"parentSec": "dend", "parentX": 0.5, "childX": 0},
                "mechs": {"pas": {"g": 3e-5, "e": -70.0}, "hh": hh},
            },
        }
    }


def test_netpyne(tmp_path):
    pytest.importorskip("netpyne")
    (tmp_path / "rule.json").write_text(json.dumps(netpyne_rule()))
    theirs = said(NETPYNE, tmp_path)
    same(load_netpyne(tmp_path / "rule.json", celsius=6.3, v_init=-65.0, threshold=0.0), theirs)
    assert not list(h.allsec())


NETPYNE = """
from netpyne import sim, specs
network = specs.NetParams()
network.cellParams['PYR'] = json.load(open('rule.json'))
network.popParams['one'] = {'cellType': 'PYR', 'numCells': 1}
settings = specs.SimConfig()
settings.verbose = False
sim.initialize(network, settings)
sim.net.createPops()
sim.net.createCells()
secs = sim.net.cells[0].secs
# NetPyNE moves the points to the cell's place in the network, which changes no length.
say([s['hObj'] for s in secs.values()], secs['soma']['hObj'], 6.3, -65.0)
"""
