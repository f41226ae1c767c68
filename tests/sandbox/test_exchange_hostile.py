"""Files made to harm: each is refused in a sentence; none runs code or reads what lies outside."""

from __future__ import annotations

import io
import json
import resource
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agents.io import manifest
from agents.io.safe_files import UnsafeFile
from envs.task_catalog import task
from sandbox.bench.durability import fuzz_targets
from sandbox.bench.durability.fuzz import fuzz
from sandbox.exchange import cpl_format, imitation_format, labels, minari
from sandbox.exchange.isolated_parser import IsolatedParser
from sandbox.exchange.parser_process import MEMORY
from sandbox.exchange.state_validation import InvalidRecord, task_of_file
from tests.agents.hostile import Canary
from tests.sandbox.exchanged import ROOMS, ledger, refused

SECRET = b"a secret of somebody"


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    """A good one, as a start."""
    minari.write(tmp_path / "m", ledger(task(ROOMS)))
    return tmp_path / "m"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "outside"
    path.write_bytes(SECRET * 100)
    return path


def external_link(file: Any, outside: Path) -> None:
    with h5py.File(outside.with_suffix(".h5"), "w") as other:
        other["observations"] = np.zeros((4, 63), np.float32)
    del file["episode_0/observations"]
    file["episode_0/observations"] = h5py.ExternalLink(str(outside.with_suffix(".h5")), "/observations")


def soft_link(file: Any, outside: Path) -> None:
    file["episode_0/infos/loop"] = h5py.SoftLink("/episode_0")


def hard_loop(file: Any, outside: Path) -> None:
    file["episode_0/infos/loop"] = file["episode_0"]


def external_storage(file: Any, outside: Path) -> None:
    file.create_dataset("episode_0/stolen", (1000,), "u1", external=[(str(outside), 0, 1000)])


def virtual(file: Any, outside: Path) -> None:
    layout = h5py.VirtualLayout((4, 63), "f4")
    layout[:] = h5py.VirtualSource(str(outside), "x", (4, 63))
    file.create_virtual_dataset("episode_0/virtual", layout)


def bomb(file: Any, outside: Path) -> None:
    file.create_dataset("episode_0/bomb", (2**30,), "f8", chunks=(2**20,), compression="gzip")


def many_bombs(file: Any, outside: Path) -> None:
    for number in range(40):
        file.create_dataset(f"episode_0/bomb{number}", (2**21,), "f4", chunks=(2**20,), compression="gzip")


def objects(file: Any, outside: Path) -> None:
    del file["episode_0/actions"]
    file.create_dataset("episode_0/actions", (3,), h5py.special_dtype(vlen=str))


def deep(file: Any, outside: Path) -> None:
    file.create_group("episode_0/" + "/".join("abcdefghijkl"))


HDF5: dict[str, tuple[Callable[[Any, Path], None], str]] = {
    "external link": (external_link, "link"),
    "soft link": (soft_link, "link"),
    "a loop of hard links": (hard_loop, "deep"),
    "external storage": (external_storage, "outside itself"),
    "virtual data set": (virtual, "outside itself"),
    "declared bomb": (bomb, "declares"),
    "many bombs": (many_bombs, "declares"),
    "texts for actions": (objects, "actions"),
    "deep groups": (deep, "deep"),
}


@pytest.mark.parametrize("name", HDF5)
def test_hostile_hdf5(name: str, data_set: Path, outside: Path) -> None:
    change, word = HDF5[name]
    with h5py.File(data_set / "data" / "main_data.hdf5", "a") as file:
        change(file, outside)
    with pytest.raises(UnsafeFile, match=word) as caught:
        minari.read(data_set)
    assert "secret" not in str(caught.value)


def test_hdf5_under_a_wrong_name_is_cut_off_from_the_disk(tmp_path: Path) -> None:
    """The control of the bounds: what parses can open no file, even where it is asked to."""
    code = (
        "import io, h5py; from sandbox.exchange.parser_process import bound_memory_and_time as bound\n"
        "h5py.File(io.BytesIO(), 'w').close(); bound()\n"
        "tries = lambda: open('/etc/hostname'), lambda: h5py.File('/tmp/x.h5', 'w'), lambda: bytes(2**32)\n"
        "for attempt in tries:\n"
        "    try: attempt(); print('opened')\n"
        "    except (OSError, MemoryError) as error: print('refused')"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.stdout.split() == ["refused"] * 3, done.stderr


def changed(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"dataset_id": "../../etc/x-v0"}, "etc"),
        ({"dataset_id": "/etc/x-v0"}, "etc"),
        ({"total_episodes": 10**12}, "episodes"),
        ({"total_episodes": 5}, "episode_1"),
        ({"data_format": "pickle"}, "pickle"),
    ],
)
def test_hostile_metadata(values: dict[str, Any], word: str, data_set: Path) -> None:
    changed(data_set / "data" / "metadata.json", **values)
    with pytest.raises(UnsafeFile, match=word):
        minari.read(data_set)


def test_an_entry_point_is_not_entered(
    data_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a data set names to be made, installed or imported is not."""
    canary = tmp_path / "canary"
    (tmp_path / "evil.py").write_text(f"open({str(canary)!r}, 'w').close()\nclass Env: pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    spec = {"id": "evil:Evil-v0", "entry_point": "evil:Env", "kwargs": {}}
    path = data_set / "data" / "metadata.json"
    changed(path, env_spec=json.dumps(spec), requirements=["evil"], eval_env_spec=json.dumps(spec))
    with h5py.File(data_set / "data" / "main_data.hdf5", "a") as file:
        del file["episode_0"].attrs["teachbox"]
    assert "evil:Evil-v0" in refused("import", str(data_set), "--session", "s")
    assert not canary.exists()
    assert not (tmp_path / "s").exists()
    with pytest.raises(InvalidRecord, match="word"):
        task_of_file("evil:Evil-v0", {})


def test_links_in_an_arrow_data_set(tmp_path: Path, outside: Path) -> None:
    minari.write(tmp_path / "a", ledger(task(ROOMS)), arrow=True)
    part = tmp_path / "a" / "data" / "0" / "part-0.arrow"
    part.unlink()
    part.symlink_to(outside)
    with pytest.raises(UnsafeFile, match="link"):
        minari.read(tmp_path / "a")
    shutil.move(tmp_path / "a" / "data" / "0", tmp_path / "moved")
    (tmp_path / "a" / "data" / "0").symlink_to(tmp_path / "moved")
    with pytest.raises(UnsafeFile, match="link"):
        minari.read(tmp_path / "a")


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "a/../../outside.arrow", ""])
def test_imitation_names_only_files_in_its_folder(name: str, tmp_path: Path, outside: Path) -> None:
    (tmp_path / "i").mkdir()
    (tmp_path / "i" / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}]}))
    with pytest.raises(UnsafeFile, match="names the file"):
        imitation_format.read(tmp_path / "i")


def test_jsonpickled_infos_are_left_alone(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    evil = json.dumps({"py/reduce": [{"py/function": "os.system"}, {"py/tuple": [f"touch {canary}"]}]})
    rows = {"obs": [[[0.0] * 4] * 3], "acts": [[0, 1]], "infos": [[evil, evil]], "terminal": [False]}
    table = pa.table(rows)
    (tmp_path / "i").mkdir()
    with (
        pa.OSFile(str(tmp_path / "i" / "d.arrow"), "wb") as sink,
        pa.ipc.new_stream(sink, table.schema) as out,
    ):
        out.write_table(table)
    (tmp_path / "i" / "state.json").write_text(json.dumps({"_data_files": [{"filename": "d.arrow"}]}))
    assert len(imitation_format.read(tmp_path / "i")) == 1
    assert not canary.exists()


def npz(path: Path, packed: int = zipfile.ZIP_DEFLATED, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", packed) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def npy(array: Any, shape: tuple[int, ...] | None = None) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, array)
    content = out.getvalue()
    return content if shape is None else content.replace(str(array.shape).encode(), str(shape).encode(), 1)


GOOD = {name: npy(np.zeros((1, 2, 3), np.float32)) for name in ("obs_1", "obs_2", "action_1", "action_2")}
GOOD |= {"label": npy(np.zeros(1, np.float32))}


def test_a_good_npz_is_read(tmp_path: Path) -> None:
    assert cpl_format.read(npz(tmp_path / "x.npz", **GOOD))["label"].tolist() == [0.0]


@pytest.mark.filterwarnings("error")
def test_an_npz_as_python_2_wrote_it_is_read_without_a_word(tmp_path: Path) -> None:
    """A warning would open the source file that it quotes."""
    old = npy(np.zeros(1, np.float32)).replace(b"(1,), } ", b"(1L,), }", 1)
    assert b"1L" in old
    assert cpl_format.read(npz(tmp_path / "x.npz", **{**GOOD, "label": old}))["label"].tolist() == [0.0]


def objects_npy(canary: Path) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, np.array([Canary(canary)], object), allow_pickle=True)
    return out.getvalue()


def test_an_npz_of_objects(tmp_path: Path) -> None:
    """Object arrays are pickles: `np.load(allow_pickle=True)` runs them."""
    evil = objects_npy(tmp_path / "canary")
    for name in GOOD:
        with pytest.raises(UnsafeFile, match="object"):
            cpl_format.read(npz(tmp_path / "x.npz", **{**GOOD, name: evil}))
    assert not (tmp_path / "canary").exists()
    np.load(npz(tmp_path / "x.npz", a=evil), allow_pickle=True)["a"]
    assert (tmp_path / "canary").exists(), "the file is not as hostile as it should be"


def test_npz_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A little that grows to very much, and a shape that is not there: refused, in little memory."""
    monkeypatch.setattr("sandbox.exchange.npz.MOST_DATA", 2**26)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    one = npy(np.zeros((1, 2), np.float32))
    zeros = one + bytes(30 * 2**20)
    path = npz(tmp_path / "x.npz", **{**GOOD, "obs_1": zeros, "obs_2": zeros, "action_1": zeros})
    assert path.stat().st_size < 2**18
    with pytest.raises(UnsafeFile, match="declares"):
        cpl_format.read(path)
    for shape in ((1, 2**40, 3), (2**62, 4, 3), (1, -2, 3)):
        lying = npy(np.zeros((1, 2, 3), np.float32), shape)
        with pytest.raises(UnsafeFile):
            cpl_format.read(npz(tmp_path / "y.npz", **{**GOOD, "obs_1": lying}))
    with pytest.raises(UnsafeFile, match="belong"):
        cpl_format.read(npz(tmp_path / "z.npz", **GOOD, **{"../evil": one}))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 150 * 1024, "the bomb went off (making it takes 60 MiB)"


def test_a_parquet_bomb(tmp_path: Path) -> None:
    """A few kilobytes of one long text, two thousand times."""
    one = pa.DictionaryArray.from_arrays(pa.array(np.zeros(2000, np.int32)), pa.array(["x" * 10**6]))
    pq.write_table(
        pa.table({"kind": one, "clips": one}), tmp_path / "x.parquet", compression="zstd", store_schema=False
    )
    assert (tmp_path / "x.parquet").stat().st_size < 2**20
    with pytest.raises(UnsafeFile):
        labels.read_parquet(tmp_path / "x.parquet")


@pytest.mark.parametrize("gone", [True, False])
def test_a_parser_that_dies_is_a_sentence(tmp_path: Path, gone: bool) -> None:
    """Killed, out of time or without an answer: the reader goes on, also where it can't even ask."""
    with IsolatedParser("parquet") as apart:
        with pytest.raises(UnsafeFile, match="can't be read"):
            apart.read("parquet", tmp_path / "none")
        pq.write_table(pa.table({"kind": ["undo"], "clips": ["[]"]}), tmp_path / "x.parquet")
        assert apart.read("parquet", tmp_path / "x.parquet")[0]["columns"]["kind"] == ["undo"]
        apart._process.kill()
        if gone:
            apart._process.wait()
        with pytest.raises(UnsafeFile, match="ended"):
            apart.read("parquet", tmp_path / "x.parquet")
    assert MEMORY <= 2**31


def test_damaged_files() -> None:
    """A fast share of `teachbox bench fuzz`."""
    report = fuzz(2500, seed=20, slow_share=0.04)
    assert not report.failures
    assert sum(report.tried.values()) >= 2400
    assert report.tried["minari hdf5"] >= 40


@pytest.mark.slow
def test_many_damaged_files() -> None:
    """The full count, twenty minutes of one core: a million, over 20,000 of them HDF5."""
    report = fuzz(1_000_000, seed=1, slow_share=0.0421)
    assert not report.failures
    assert report.tried["minari hdf5"] >= 20_000


def test_the_fuzzer_sees_what_it_looks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: an importer without its checks is found out."""
    monkeypatch.setattr(manifest, "check_digest", lambda *_: None)
    assert any("accepted, and should not be" in one for one in fuzz(1500, 3, "bundle").failures)

    def careless(path: Path) -> Any:
        return dict(np.load(path))

    monkeypatch.setattr(fuzz_targets.cpl_format, "read", careless)
    assert any("came out" in one for one in fuzz(100, 3, "cpl").failures)

    def prying(path: Path) -> Any:
        Path("/etc/hostname").read_bytes()
        raise UnsafeFile("x")

    monkeypatch.setattr(fuzz_targets.labels, "read_csv", prying)
    with pytest.raises(UnsafeFile):
        fuzz(10, 3, "labels csv")
