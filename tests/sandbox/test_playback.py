"""Time on screen: several recordings in step, and the clock of a live world."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.play.playback import SPEEDS, LiveClock, Moment, Playback, moment_at, term_events


def test_recordings_run_in_step_and_the_shorter_waits_on_its_last_moment() -> None:
    playback = Playback([4, 10], rate=10)
    playback.advance(0.25)
    assert playback.moment(0) == playback.moment(1) == Moment(2, 3, 0.5)
    playback.advance(0.5)
    assert playback.moment(0) == Moment(3, 4, 1.0)
    assert playback.moment(1) == Moment(7, 8, 0.5)
    assert playback.seconds == pytest.approx(0.75)


def test_the_end_is_shown_for_a_while_and_then_it_starts_over() -> None:
    playback = Playback([5], rate=10, end_pause=0.5)
    playback.advance(2.0)
    assert playback.at_end
    assert playback.fraction == 1.0
    playback.advance(0.4)
    assert playback.at_end
    playback.advance(0.2)
    assert playback.position == 0.0
    assert playback.laps == 1


def test_without_a_loop_it_stays_at_the_end_until_it_is_played_again() -> None:
    playback = Playback([5], rate=10, loop=False)
    for _ in range(100):
        playback.advance(0.1)
    assert playback.at_end
    playback.toggle()
    playback.toggle()
    assert playback.playing
    assert playback.position == 0.0


def test_speeds_step_through_the_list_and_stop_at_its_ends() -> None:
    playback = Playback([100], rate=10)
    seen = [playback.speed] + [playback.faster() for _ in range(4)]
    assert seen == [1.0, 2.0, 4.0, 4.0, 4.0]
    assert [playback.slower() for _ in SPEEDS][-1] == SPEEDS[0]
    playback.advance(1.0)
    assert playback.position == pytest.approx(10 * SPEEDS[0])


def test_scrubbing_pauses_and_lands_on_recorded_moments() -> None:
    playback = Playback([10], rate=10)
    playback.advance(0.34)
    playback.scrub(+1)
    assert playback.position == 4.0
    assert not playback.playing
    playback.scrub(-1)
    assert playback.position == 3.0
    playback.toggle()
    playback.advance(0.05)
    playback.scrub(-1)
    assert playback.position == 3.0
    playback.scrub(-50)
    assert playback.position == 0.0
    playback.scrub(+50)
    assert playback.position == 10.0


def test_paused_time_stands_still() -> None:
    playback = Playback([10], rate=10)
    playback.toggle()
    playback.advance(5.0)
    assert playback.position == 0.0


@given(st.floats(-5, 50), st.integers(0, 30))
def test_every_moment_is_within_its_recording(position: float, length: int) -> None:
    moment = moment_at(position, length)
    assert 0 <= moment.before <= moment.after <= length
    assert 0.0 <= moment.blend <= 1.0
    if length:
        assert moment.before + moment.blend == pytest.approx(min(max(position, 0.0), length))


def test_nothing_to_play_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Playback([], rate=10)
    with pytest.raises(ValueError, match="0 steps/s"):
        Playback([3], rate=0)


@given(st.lists(st.floats(0.001, 0.1), min_size=1, max_size=200))
def test_a_live_clock_loses_no_time_over_frames(frames: list[float]) -> None:
    clock = LiveClock(10)
    steps = sum(clock.advance(dt) for dt in frames)
    assert steps + clock.blend == pytest.approx(sum(frames) * 10, abs=1e-6)


def test_a_stall_is_not_made_up_for_in_one_frame() -> None:
    clock = LiveClock(10, most=4)
    assert clock.advance(30.0) <= 5
    clock.toggle()
    assert clock.advance(30.0) == 0


def test_events_are_the_first_steps_of_rare_terms() -> None:
    terms = np.zeros((10, 3), np.float32)
    terms[[3, 4, 8], 0] = 1
    terms[:, 1] = 1  # always on: no event
    terms[5, 2] = -1
    assert term_events(terms, ("vase", "alive", "mud")) == [(3, "vase"), (5, "mud"), (8, "vase")]
