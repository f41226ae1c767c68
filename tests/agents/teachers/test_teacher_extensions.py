"""Teachers of other people: found by entry point and by module and name, loaded late, told if broken."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.teachers.synthetic import SyntheticTeacher, TeacherPool, make_teacher, teacher_names
from agents.teachers.teacher_protocol import Teacher, UnknownTeacher
from sandbox.commands.info import collect
from sandbox.studies.training_study import TrainConfig, train
from tests.agents.teachers.test_synthetic import _questions
from tests.agents.toy import toy

SOURCE = '''
from agents.feedback.records import Comparison
from agents.teachers.synthetic import SyntheticTeacher, TeacherNoise

made = []


class FirstTeacher(SyntheticTeacher):
    """Always prefers the first clip."""

    def __init__(self, task, seed):
        super().__init__(task, TeacherNoise(), seed)
        made.append((task.id, seed))

    def compare(self, question):
        return Comparison(question.clips, tuple(range(len(question.clips))), question=question.id)


class OnlyCompares:
    rater = "0"

    def __init__(self, task, seed):
        self.members = (self,)

    def compare(self, question):
        return None


def fails(task, seed):
    raise RuntimeError("no room\\nfor a teacher")


nobody = 3
'''
POINTS = """[teachbox.teachers]
first = others_teachers:FirstTeacher
gone = others_teachers_gone:Teacher
bare = others_teachers:OnlyCompares
fails = others_teachers:fails
nobody = others_teachers:nobody
rational = others_teachers:FirstTeacher
"""


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installed package with teachers, on sys.path; forgotten afterwards."""
    (tmp_path / "others_teachers.py").write_text(SOURCE, "utf-8")
    facts = tmp_path / "others_teachers-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: others-teachers\nVersion: 1.0\n", "utf-8")
    (facts / "entry_points.txt").write_text(POINTS, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("others_teachers", None)


def test_they_are_listed_without_being_loaded() -> None:
    assert teacher_names()[-6:] == ["bare", "fails", "first", "gone", "nobody", "rational"]
    assert "first" in collect()["teachers"]
    assert "others_teachers" not in sys.modules


@pytest.mark.parametrize("name", ["first", "others_teachers:FirstTeacher"])
def test_it_answers_in_its_own_way(name: str) -> None:
    teacher = make_teacher(name, toy(), 7)
    assert isinstance(teacher, Teacher)
    assert sys.modules["others_teachers"].made == [(toy().id, 7)]
    assert all(teacher.compare(question).ranks == (0, 1) for question in _questions(10))
    assert len(teacher.members) == 1


def test_it_can_be_one_of_several() -> None:
    pool = make_teacher("pool:rational,first,others_teachers:FirstTeacher", toy(), 3)
    assert isinstance(pool, TeacherPool)
    assert [type(member).__name__ for member in pool.members] == [
        "SyntheticTeacher", "FirstTeacher", "FirstTeacher",
    ]  # fmt: skip
    assert sys.modules["others_teachers"].made == [(toy().id, 4), (toy().id, 5)]


def test_a_name_of_teachbox_stays_its_own() -> None:
    assert type(make_teacher("rational", toy())) is SyntheticTeacher
    assert type(make_teacher("noisy:0.3", toy())) is SyntheticTeacher


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gone", "'gone' of the package others-teachers .* can't be loaded: ModuleNotFoundError"),
        (
            "bare",
            "made a OnlyCompares, which is no teacher: it has no demonstrate, evaluate, where",
        ),
        ("fails", "can't be made for .*: RuntimeError: no room for a teacher"),
        ("nobody", "is a int: name a class or a function"),
        ("frist", "did you mean 'first'"),
        ("others_teachers:Missing", "the module .others_teachers. has no .Missing."),
        ("no_such_module:Teacher", "there is no module .no_such_module., neither installed nor in"),
    ],
)
def test_a_broken_one_is_told_in_a_sentence(name: str, said: str) -> None:
    with pytest.raises(UnknownTeacher, match=said) as error:
        make_teacher(name, toy())
    assert "\n" not in str(error.value)


def test_it_teaches_a_whole_run() -> None:
    config = TrainConfig(
        world="teachbox/RoomsTidy-v0",
        mix={"comparison": 3},
        rounds=1,
        steps_per_round=2_000,
        config={"proxy_steps": 2_000, "steps_per_fit": 2_000},
        teacher="first",
    )
    result = train(config)
    assert result.teacher == "first"
    assert result.mix == {"comparison": 3}
