"""Who is simulated: body size, age, sex and personal traits, one array each over all persons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from unaji.claims.parameters import Parameters, default_parameters
from unaji.records.timeline import BoolArray, FloatArray

RANGES: Mapping[str, tuple[float, float, str]] = MappingProxyType(
    {
        "height_m": (1.2, 2.3, "m"),
        "weight_kg": (25.0, 250.0, "kg"),
        "fat_percent": (3.0, 65.0, "%"),
        "age_y": (15.0, 105.0, "years"),
        "cardiac_index_l_min_m2": (1.0, 6.0, "L/min/m²"),
    }
)
"""What the model can be asked for: its body is an adult's, since it scales that of one adult."""


@dataclass(frozen=True, eq=False, slots=True)
class Persons:
    """A batch of persons, struct of arrays.

    Attributes
    ----------
    height_m, weight_kg, fat_percent, age_y : ndarray, shape (n_persons,)
    female : ndarray of bool, shape (n_persons,)
    cardiac_index_l_min_m2 : ndarray, shape (n_persons,)
        Cardiac output at rest per body surface.
    traits : mapping of str to ndarray, shape (n_persons,)
        Parameters in which these persons differ from the model's defaults, by name and in the unit that
        `unaji.claims.parameters` gives them. NaN means the default.

    Raises
    ------
    ValueError
        A column has another length, or a value is outside what the model is made for.
    InputError
        No parameter has the name of a trait; the nearest is named.
    """

    height_m: FloatArray
    weight_kg: FloatArray
    fat_percent: FloatArray
    age_y: FloatArray
    female: BoolArray
    cardiac_index_l_min_m2: FloatArray
    traits: Mapping[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in RANGES:
            object.__setattr__(self, name, _frozen(getattr(self, name), float))
        object.__setattr__(self, "female", _frozen(self.female, bool))
        traits = {name: _frozen(value, float) for name, value in self.traits.items()}
        object.__setattr__(self, "traits", MappingProxyType(traits))
        _check_lengths({name: getattr(self, name) for name in (*RANGES, "female")} | traits)
        for name, (low, high, unit) in RANGES.items():
            _check_range(name, getattr(self, name), low, high, unit)
        for name, value in traits.items():
            known = default_parameters()[name]
            own = np.where(np.isnan(value), known.value, value)
            _check_range(name, own, known.low, known.high, known.unit)

    @classmethod
    def of(
        cls,
        n: int,
        *,
        height_m: float | FloatArray = 1.72,
        weight_kg: float | FloatArray = 74.43,
        fat_percent: float | FloatArray = 15.0,
        age_y: float | FloatArray = 20.0,
        female: bool | BoolArray = False,
        cardiac_index_l_min_m2: float | FloatArray = 2.59,
        **traits: float | FloatArray,
    ) -> Persons:
        """Return n persons; one number goes to everybody, and what is not said is as in the standard body."""
        return cls(
            np.broadcast_to(height_m, (n,)),
            np.broadcast_to(weight_kg, (n,)),
            np.broadcast_to(fat_percent, (n,)),
            np.broadcast_to(age_y, (n,)),
            np.broadcast_to(female, (n,)),
            np.broadcast_to(cardiac_index_l_min_m2, (n,)),
            {name: np.broadcast_to(value, (n,)) for name, value in traits.items()},
        )

    @classmethod
    def one(cls, **values: Any) -> Persons:
        """Return a batch of one, said as in `of`."""
        return cls.of(1, **values)

    @classmethod
    def standard(cls) -> Persons:
        """Return the standard body of JOS-3 (Takahashi et al. 2021, Energy & Buildings)."""
        return cls.of(1)

    @classmethod
    def join(cls, batches: Iterable[Persons]) -> Persons:
        """Put batches one after the other; a trait that one of them lacks is at its default there."""
        batches = tuple(batches)
        if not batches:
            raise ValueError("there is no batch of persons to join")
        names = dict.fromkeys(name for batch in batches for name in batch.traits)
        traits = {name: np.concatenate([b.trait(name, np.nan) for b in batches]) for name in names}
        return cls(**{c: np.concatenate([getattr(b, c) for b in batches]) for c in _COLUMNS}, traits=traits)

    def __len__(self) -> int:
        return self.height_m.size

    def __getitem__(self, rows: int | slice | Sequence[int] | NDArray[np.int64] | BoolArray) -> Persons:
        """Return some of the persons, always as a batch."""
        chosen = [rows] if isinstance(rows, int | np.integer) else rows
        traits = {name: value[chosen] for name, value in self.traits.items()}
        return Persons(**{column: getattr(self, column)[chosen] for column in _COLUMNS}, traits=traits)

    def trait(self, name: str, default: float) -> FloatArray:
        """Return one parameter for each person, `default` where a person has none of their own."""
        own = self.traits.get(name)
        return np.full(len(self), default) if own is None else np.where(np.isnan(own), default, own)

    def with_traits(self, **traits: ArrayLike) -> Persons:
        """Return the same bodies with some traits set; a single number goes to everybody."""
        spread = {name: np.broadcast_to(np.asarray(v, dtype=float), (len(self),)) for name, v in traits.items()}
        return replace(self, traits={**self.traits, **spread})


_COLUMNS = ("height_m", "weight_kg", "fat_percent", "age_y", "female", "cardiac_index_l_min_m2")


def _frozen(value: ArrayLike, kind: type[float] | type[bool]) -> NDArray[Any]:
    array: NDArray[Any] = np.array(value, dtype=kind)
    array.setflags(write=False)
    return array


def _check_lengths(columns: Mapping[str, NDArray[np.generic]]) -> None:
    n = columns["height_m"].shape
    if len(n) != 1 or not n[0]:
        raise ValueError(f"persons are given as arrays with one value each, got height_m of shape {n}")
    for name, value in columns.items():
        if value.shape != n:
            raise ValueError(f"{name} {value.shape} and height_m {n} differ in shape")


def _check_range(name: str, value: FloatArray, low: float, high: float, unit: str) -> None:
    wrong = ~((value >= low) & (value <= high))
    if wrong.any():
        row = int(wrong.argmax())
        allowed = f"{low:g} to {high:g}" + ("" if unit == "1" else f" {unit}")
        raise ValueError(f"{name} must be within {allowed}, got {value[row]:g} (person {row})")


# -- a population ------------------------------------------------------------------------------------------------------

Quartiles = tuple[tuple[float, float, float], ...]

AGE_BANDS_Y = (20.0, 30.0, 50.0, 65.0, 75.0, 90.0)
HEIGHT_QUARTILES_CM: Mapping[bool, Quartiles] = MappingProxyType(
    {
        False: (
            (167.7, 172, 175),
            (168, 171.8, 175.5),
            (165.9, 169.7, 173.5),
            (161.8, 165.3, 169.8),
            (157.6, 162, 166),
        ),
        True: ((154, 158, 162), (154.8, 158.5, 162), (153, 156.4, 160), (148.3, 152.2, 156), (143.8, 148.3, 152.2)),
    }
)
WEIGHT_QUARTILES_KG: Mapping[bool, Quartiles] = MappingProxyType(
    {
        False: ((58.0, 63.0, 71.0), (63.0, 70.0, 78.0), (62.4, 69.1, 76.4), (59.0, 64.4, 70.3), (55.0, 61.0, 67.6)),
        True: ((46.4, 51.0, 55.7), (48.3, 53.3, 59.7), (48.6, 54.0, 60.5), (47.7, 52.6, 58.6), (44.0, 49.3, 55.1)),
    }
)
"""25th, 50th and 75th percentile for men (False) and women (True) of 18-29, 30-49, 50-64, 65-74 and 75 or more years:
National Health and Nutrition Survey, Japan, 2018 and 2019, as tabled in "Dietary Reference Intakes for Japanese
(2025)", Ministry of Health, Labour and Welfare, reference tables 1 and 2."""

SIZE_CORRELATION = 0.45
"""Between height and log weight within a sex and age band. Assumption: the tables give each by itself."""

FAT_SD_PERCENT = 4.1
"""Scatter of body fat around the formula of Deurenberg et al. 1991 (its standard error of estimate)."""

CARDIAC_INDEX_CV = 0.12
"""Assumption: coefficient of variation between persons around the model's 2.59 L/min/m²."""

QUARTILE_Z = 0.6744897501960817
"""Standard normal deviate of the 75th percentile."""


def sample_persons(
    n: int, rng: Generator, *, parameters: Parameters | None = None, female_share: float = 0.5
) -> Persons:
    """Draw adults from a population.

    Parameters
    ----------
    n : int
        How many.
    rng : Generator
        Same generator state, same persons.
    parameters : Parameters, optional
        How the traits differ between persons (see `Parameters.sample`); the model's own where not given.
    female_share : float
        Probability of being a woman.

    Returns
    -------
    Persons
        Ages uniform over 20 to 90 years; height and weight as in Japan by sex and age, height normal on each side of
        its median, weight log-normal on each side; body fat from body mass index, age and sex.

    References
    ----------
    Deurenberg, Weststrate & Seidell, "Body mass index as a measure of body fatness: age- and sex-specific prediction
    formulas", British Journal of Nutrition 65:105-114, 1991. doi:10.1079/BJN19910073
    """
    if n < 1:
        raise ValueError(f"at least one person must be drawn, got n = {n}")
    age_y = rng.uniform(AGE_BANDS_Y[0], AGE_BANDS_Y[-1], n)
    female = rng.random(n) < female_share
    band = np.searchsorted(AGE_BANDS_Y, age_y, side="right") - 1
    z_height, z_own, z_fat, z_heart = rng.standard_normal((4, n))
    z_weight = SIZE_CORRELATION * z_height + np.sqrt(1 - SIZE_CORRELATION**2) * z_own
    height_m = _by_quartiles(z_height, _of_band(HEIGHT_QUARTILES_CM, female, band)) / 100
    weight_kg = np.exp(_by_quartiles(z_weight, np.log(_of_band(WEIGHT_QUARTILES_KG, female, band))))
    fat_percent = 1.20 * weight_kg / height_m**2 + 0.23 * age_y - 10.8 * ~female - 5.4 + FAT_SD_PERCENT * z_fat
    cardiac_index = 2.59 * np.exp(CARDIAC_INDEX_CV * z_heart)
    return Persons(
        np.clip(height_m, *RANGES["height_m"][:2]),
        np.clip(weight_kg, *RANGES["weight_kg"][:2]),
        np.clip(fat_percent, *RANGES["fat_percent"][:2]),
        age_y,
        female,
        np.clip(cardiac_index, *RANGES["cardiac_index_l_min_m2"][:2]),
        (parameters or default_parameters()).sample(rng, n),
    )


def _of_band(table: Mapping[bool, Quartiles], female: BoolArray, band: NDArray[np.int64]) -> FloatArray:
    """Return the three quartiles for each person, shape (3, n)."""
    both = np.array([table[False], table[True]])
    return np.asarray(both[female.astype(int), band].T)


def _by_quartiles(z: FloatArray, quartiles: FloatArray) -> FloatArray:
    """Turn standard normal deviates into values with these quartiles: two half-normals that meet at the median."""
    low, median, high = quartiles
    return np.asarray(median + z / QUARTILE_Z * np.where(z < 0, median - low, high - median))
