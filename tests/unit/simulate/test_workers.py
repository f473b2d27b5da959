"""Workers outlive their jobs. Real processes throughout."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from noble_neuron.errors import CellError, InputError
from noble_neuron.simulate.workers import Job, Workers


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    """A module of jobs that workers can import."""
    (tmp_path / "some_jobs.py").write_text(
        "import os, sys, time\n"
        "from noble_neuron.errors import CellError\n"
        "def add(a, b, beat):\n    return a + b, os.getpid()\n"
        "def die(beat):\n    beat('last words'); os._exit(3)\n"
        "def hang(beat):\n    beat('here'); time.sleep(1000)\n"
        "def fail(beat):\n    raise CellError('no soma')\n"
        "def loaded(beat):\n    return 'torch' in sys.modules\n"
        "def say(beat):\n    print('noise'); return 1\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import some_jobs

    return some_jobs


def run(pool, *made):
    for job in made:
        pool.submit(job)
    return {outcome.job.key: outcome for outcome in pool.outcomes()}


def test_answers_come_with_their_keys(jobs):
    with Workers(2) as pool:
        outcomes = run(pool, *(Job(k, jobs.add, (k, 10)) for k in range(6)))
    assert {k: o.value[0] for k, o in outcomes.items()} == {k: k + 10 for k in range(6)}


def test_fresh_workers_do_one_job_each_and_are_heard(jobs):
    heard = []
    with Workers(1, fresh=True, heard=lambda job, label: heard.append((job.key, label))) as pool:
        outcomes = run(
            pool,
            *(Job(k, jobs.add, (k, 10)) for k in range(3)),
            Job("die", jobs.die, ()),
        )
    assert len({outcomes[k].value[1] for k in range(3)}) == 3
    assert heard == [("die", "last words")]


def test_a_job_that_dies_hangs_or_fails_is_an_outcome(jobs):
    with Workers(2, timeout=20) as pool:
        outcomes = run(
            pool,
            Job("die", jobs.die, ()),
            Job("hang", jobs.hang, ()),
            Job("fail", jobs.fail, ()),
            Job("add", jobs.add, (1, 2)),
        )
    assert (outcomes["die"].kind, outcomes["die"].label) == ("died", "last words")
    assert "exit code 3" in outcomes["die"].text
    assert (outcomes["hang"].kind, outcomes["hang"].label) == ("hung", "here")
    assert outcomes["fail"].kind == "raised"
    assert isinstance(outcomes["fail"].value, CellError)
    assert outcomes["add"].value[0] == 3


def test_jobs_of_one_group_share_a_worker(jobs):
    made = [Job((group, k), jobs.add, (0, k), group) for k in range(3) for group in "ab"]
    with Workers(2) as pool:
        outcomes = run(pool, *made)
    processes = {g: {o.value[1] for (group, _), o in outcomes.items() if group == g} for g in "ab"}
    assert len(processes["a"]) == 1 or len(processes["b"]) == 1  # the last one may be helped


def test_torch_stays_out_even_if_the_caller_has_it(jobs, tmp_path):
    script = tmp_path / "caller.py"  # no __main__ guard: workers do not run it again
    script.write_text(
        "import sys, types\nsys.modules['torch'] = types.ModuleType('torch')\n"
        "import some_jobs\nfrom noble_neuron.simulate.workers import Job, Workers\n"
        "with Workers(1) as pool:\n"
        "    pool.submit(Job(0, some_jobs.loaded, ())); pool.submit(Job(1, some_jobs.say, ()))\n"
        "    print([o.value for o in pool.outcomes()])\n"
    )
    root = Path(__file__).resolve().parents[3]
    path = os.pathsep.join([str(root), str(tmp_path)])
    answer = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=True,
    )
    assert answer.stdout == "[False, 1]\n"


def test_workers_end_with_their_owner(jobs):
    with Workers(1) as pool:
        (outcome,) = run(pool, Job(0, jobs.add, (1, 1))).values()
    process = outcome.value[1]
    for _ in range(100):
        if not Path(f"/proc/{process}").exists():
            return
        time.sleep(0.05)
    pytest.fail(f"worker {process} is still there")


def test_no_workers_is_an_error():
    with pytest.raises(InputError, match="at least one worker: got 0"):
        Workers(0)
