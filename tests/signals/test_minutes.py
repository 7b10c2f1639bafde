import numpy as np
from numpy.testing import assert_allclose

from unaji.records.timeline import Person, Series, Timeline
from unaji.signals.latent import latent_state
from unaji.signals.minutes import minutes_of

START = np.datetime64("2026-05-01T08:00:00", "ms")
N = 240


def recorded(quantity: str, value: np.ndarray) -> Series:
    return Series(quantity, START + np.arange(N) * np.timedelta64(60_000, "ms"), value)


def standing_half_the_time(*extra: Series) -> Timeline:
    upright = (np.arange(N) // 20) % 2
    noise = np.random.default_rng(1).standard_normal(N)
    hr = recorded("hr_bpm", 65.0 + 12.0 * upright + noise)
    return Timeline(Person("p", "Asia/Tokyo"), series=(hr, *extra))


def test_the_angle_of_the_trunk_is_the_posture_of_the_minute():
    angle = np.where((np.arange(N) // 20) % 2, 85.0, 5.0)
    minutes = minutes_of(standing_half_the_time(recorded("trunk_angle_deg", angle)))
    assert minutes is not None
    assert_allclose(minutes.posture_deg, angle)
    assert minutes_of(standing_half_the_time()).posture_deg is None


def test_a_heart_that_follows_posture_is_not_called_excited():
    angle = np.where((np.arange(N) // 20) % 2, 85.0, 5.0)
    upright = angle > 45.0
    blind, seeing = (
        latent_state(standing_half_the_time(*extra)) for extra in ((), (recorded("trunk_angle_deg", angle),))
    )
    gap = [
        np.nanmean(s.additional_hr_bpm[upright]) - np.nanmean(s.additional_hr_bpm[~upright]) for s in (blind, seeing)
    ]
    assert gap[0] > 10.0
    assert abs(gap[1]) < 0.3 * gap[0]
