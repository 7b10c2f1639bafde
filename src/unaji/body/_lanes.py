"""A number for each of eight persons at once: the value type that the compiled loops of the body compute with.

Compiled, a `load`ed row of an array of shape (n, WIDTH) is one vector of the machine, and + − × ÷ act on all persons of
a block. Uncompiled it is a NumPy array, so that the same functions can be read, run and tested as plain Python. Written
out because a compiler that must fear that two arrays overlap does not vectorise loops over persons by itself.

Every operation treats every lane alike, so that a person's numbers do not depend on who shares the block.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from hashlib import blake2b
from itertools import product
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.core.datamodel import models
from numba.core.typing import templates
from numba.core.typing.templates import AbstractTemplate
from numba.extending import lower_builtin, register_model

from unaji.records.timeline import FloatArray

WIDTH = 8
"""Persons in a block: one 512-bit vector, or two or four of smaller ones."""

_njit: Any = njit
_templates: Any = templates
_lower_builtin: Any = lower_builtin
_Function = TypeVar("_Function", bound=Callable[..., Any])


_CALLED_FROM_COMPILED_CODE = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def entry(function: _Function) -> _Function:
    """Compile a function that makes no arrays, without counting who refers to its arguments; threads may run meanwhile.

    The atomic operations of that counting took a third of the time of a step.
    """
    return cast(_Function, _njit(cache=True, _nrt=False, nogil=True)(function))


def compiled(function: _Function) -> _Function:
    """Compile a function like `entry`, callable from compiled code only."""
    return cast(_Function, _njit(cache=True, _nrt=False, **_CALLED_FROM_COMPILED_CODE)(function))


def inlined(function: _Function) -> _Function:
    """Compile a function like `compiled` and put it into its callers."""
    return cast(_Function, _njit(cache=True, _nrt=False, forceinline=True, **_CALLED_FROM_COMPILED_CODE)(function))


_DOUBLES = ir.VectorType(ir.DoubleType(), WIDTH)
_INTEGERS = ir.VectorType(ir.IntType(64), WIDTH)
_CONTRACT = ("contract",)


class LanesType(types.Type):
    """WIDTH numbers, to numba."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes{WIDTH}")


LANES = LanesType()


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, _DOUBLES)  # type: ignore[no-untyped-call]


def _widened(context: Any, builder: Any, value: Any, kind: Any) -> Any:
    """Return the value as a vector, the same in each lane if it was one number."""
    if isinstance(kind, LanesType):
        return value
    one = context.cast(builder, value, kind, types.float64)
    first = builder.insert_element(ir.Constant(_DOUBLES, ir.Undefined), one, ir.Constant(ir.IntType(32), 0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(first, ir.Constant(_DOUBLES, ir.Undefined), mask)


def _row_pointer(context: Any, builder: Any, array_type: Any, array: Any, row: Any) -> Any:
    struct = context.make_array(array_type)(context, builder, array)
    index = builder.mul(row, ir.Constant(row.type, WIDTH))
    return builder.bitcast(builder.gep(struct.data, [index]), _DOUBLES.as_pointer())


_WHOLE = (types.Integer, types.IntEnumMember)


def _compiles_as(python: Any, returns: Any, kinds: tuple[Any, ...], code: Any) -> None:
    """Tell numba what to write for a call of `python` with arguments of these kinds, and the type of its result.

    `code` gets context, builder, the signature of the call and its values. The simpler way (`overload`) would have
    numba compile a little function for each kind of call: two seconds in all.
    """

    class Call(AbstractTemplate):
        key = python

        def generic(self, given: tuple[Any, ...], _named: Any) -> Any:
            if len(given) == len(kinds) and all(map(isinstance, given, kinds)):
                return _templates.signature(returns, *(types.intp if isinstance(x, _WHOLE) else x for x in given))
            return None

    _templates.infer_global(python, types.Function(Call))
    _lower_builtin(python, *(types.Integer if kind == _WHOLE else kind for kind in kinds))(code)


_ONE_OR_MANY = (LanesType, types.Float, types.Integer)


def _widens(python: Any, emit: Callable[..., Any], count: int = 2) -> None:
    """Tell numba what to write for a function of lanes, any of which but one may be a plain number."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return emit(
            builder, *(_widened(context, builder, x, kind) for x, kind in zip(args, signature.args, strict=True))
        )

    for kinds in product(_ONE_OR_MANY, repeat=count):
        if LanesType in kinds:
            _compiles_as(python, LANES, kinds, code)


def _chosen(sign: str) -> Callable[[Any, Any, Any], Any]:
    """Return the operation that takes the first of two where it is, say, larger, else (also with NaN) the second."""
    return lambda builder, a, b: builder.select(builder.fcmp_ordered(sign, a, b), a, b)


def load(rows: FloatArray, row: int) -> FloatArray:
    """Return a row of an array of shape (n, WIDTH)."""
    return np.array(rows[row])


def store(rows: FloatArray, row: int, value: FloatArray | float) -> None:
    """Write a row of an array of shape (n, WIDTH); a plain number goes to each lane."""
    rows[row] = value


def _load_code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return builder.load(_row_pointer(context, builder, signature.args[0], args[0], args[1]), align=8)


def _store_code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    pointer = _row_pointer(context, builder, signature.args[0], args[0], args[1])
    builder.store(_widened(context, builder, args[2], signature.args[2]), pointer, align=8)
    return context.get_dummy_value()


_compiles_as(load, LANES, (types.Array, _WHOLE), _load_code)
for _kind in _ONE_OR_MANY:
    _compiles_as(store, types.none, (types.Array, _WHOLE, _kind), _store_code)


def larger(a: FloatArray, b: FloatArray | float) -> FloatArray:
    """Return the larger of two, person by person."""
    return np.maximum(a, b)


def smaller(a: FloatArray, b: FloatArray | float) -> FloatArray:
    """Return the smaller of two, person by person."""
    return np.minimum(a, b)


def or_else(a: FloatArray, b: FloatArray | float) -> FloatArray:
    """Return the first, person by person, or the second where the first is NaN."""
    return np.where(np.isnan(a), b, a)


def if_positive(condition: FloatArray, a: FloatArray | float, b: FloatArray | float) -> FloatArray:
    """Return the first of two where the condition is above zero, else the second."""
    return np.where(condition > 0, a, b)


def differ(a: FloatArray, b: FloatArray) -> bool:
    """Tell whether any person's two numbers differ; NaN is the same as NaN."""
    return not np.array_equal(a, b, equal_nan=True)


def _differ_code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
    a, b = args
    either_is_number = builder.or_(builder.fcmp_ordered("==", a, a), builder.fcmp_ordered("==", b, b))
    unlike = builder.and_(builder.fcmp_unordered("!=", a, b), either_is_number)
    bits = ir.IntType(WIDTH)
    return builder.icmp_unsigned("!=", builder.bitcast(unlike, bits), ir.Constant(bits, 0))


def _if_positive_code(builder: Any, condition: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", condition, ir.Constant(_DOUBLES, [0.0] * WIDTH)), a, b)


_compiles_as(differ, types.boolean, (LanesType, LanesType), _differ_code)
_widens(if_positive, _if_positive_code, 3)
_widens(or_else, lambda builder, a, b: builder.select(builder.fcmp_ordered("==", a, a), a, b))
_widens(larger, _chosen(">"))
_widens(smaller, _chosen("<"))


def _add(builder: Any, a: Any, b: Any) -> Any:
    return builder.fadd(a, b, flags=_CONTRACT)


def _subtract(builder: Any, a: Any, b: Any) -> Any:
    return builder.fsub(a, b, flags=_CONTRACT)


def _multiply(builder: Any, a: Any, b: Any) -> Any:
    return builder.fmul(a, b, flags=_CONTRACT)


def _divide(builder: Any, a: Any, b: Any) -> Any:
    return builder.fdiv(a, b)


_widens(operator.add, _add)
_widens(operator.sub, _subtract)
_widens(operator.mul, _multiply)
_widens(operator.truediv, _divide)


class _Symbol:
    """A number for each person that is not known yet; what is done with it becomes code."""

    def __init__(self, context: Any, builder: Any, value: Any) -> None:
        self.context, self.builder, self.value = context, builder, value

    def _then(self, emit: Callable[[Any, Any, Any], Any], a: Any, b: Any) -> _Symbol:
        wide = (x.value if isinstance(x, _Symbol) else ir.Constant(_DOUBLES, [float(x)] * WIDTH) for x in (a, b))
        return _Symbol(self.context, self.builder, emit(self.builder, *wide))

    def __add__(self, other: Any) -> _Symbol:
        return self._then(_add, self, other)

    def __sub__(self, other: Any) -> _Symbol:
        return self._then(_subtract, self, other)

    def __mul__(self, other: Any) -> _Symbol:
        return self._then(_multiply, self, other)

    def __rtruediv__(self, other: Any) -> _Symbol:
        return self._then(_divide, other, self)

    def __neg__(self) -> _Symbol:
        return self._then(_subtract, 0.0, self)


class _SymbolRows:
    """An array of shape (n, WIDTH) whose numbers are not known yet."""

    def __init__(self, context: Any, builder: Any, array_type: Any, array: Any) -> None:
        self.context, self.builder, self.of = context, builder, (array_type, array)

    def _pointer(self, row: int) -> Any:
        return _row_pointer(self.context, self.builder, *self.of, ir.Constant(ir.IntType(64), row))

    def __getitem__(self, row: int) -> _Symbol:
        return _Symbol(self.context, self.builder, self.builder.load(self._pointer(row), align=8))

    def __setitem__(self, row: int, value: _Symbol) -> None:
        self.builder.store(value.value, self._pointer(row), align=8)


def unrolled(function: Callable[..., None]) -> Callable[[tuple[Any, ...]], None]:
    """Return a function of one tuple of arrays (n, WIDTH) and numbers that compiles as one straight line.

    While the caller is compiled, `function` is run once, as plain Python, with symbols for the numbers; every operation
    that it does with them is written down, and this is the code. Loops, dicts and look-ups have then been done, and
    what passes from one operation to the next stays in the processor's registers. Uncompiled, it is the function.
    """

    def plain(arguments: tuple[Any, ...]) -> None:
        function(*arguments)

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        symbols: list[_Symbol | _SymbolRows] = []
        for k, kind in enumerate(signature.args[0].types):
            value = builder.extract_value(args[0], k)
            if isinstance(kind, types.Array):
                symbols.append(_SymbolRows(context, builder, kind, value))
            else:
                symbols.append(_Symbol(context, builder, _widened(context, builder, value, kind)))
        function(*symbols)
        return context.get_dummy_value()

    _compiles_as(plain, types.none, (types.BaseTuple,), code)
    return plain


def two_to_the_whole(n: FloatArray) -> FloatArray:
    """Return 2ⁿ of whole numbers between −1022 and 1023, exactly."""
    return np.asarray(np.ldexp(1.0, n.astype(int)))


def whole_log2(x: FloatArray) -> FloatArray:
    """Return the largest n with 2ⁿ ≤ x, for positive normal x."""
    return np.asarray(np.frexp(x)[1] - 1.0)


def _two_to_the_whole_code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
    biased = builder.add(builder.fptosi(args[0], _INTEGERS), ir.Constant(_INTEGERS, [1023] * WIDTH))
    return builder.bitcast(builder.shl(biased, ir.Constant(_INTEGERS, [52] * WIDTH)), _DOUBLES)


def _whole_log2_code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
    biased = builder.lshr(builder.bitcast(args[0], _INTEGERS), ir.Constant(_INTEGERS, [52] * WIDTH))
    return builder.sitofp(builder.sub(biased, ir.Constant(_INTEGERS, [1023] * WIDTH)), _DOUBLES)


_compiles_as(two_to_the_whole, LANES, (LanesType,), _two_to_the_whole_code)
_compiles_as(whole_log2, LANES, (LanesType,), _whole_log2_code)

_ROUND = 1.5 * 2.0**52
"""Adding and subtracting it rounds to the nearest whole number."""

LN_2 = float(np.log(2.0))
ROOT_2 = float(np.sqrt(2.0))


@inlined
def exp2(x: FloatArray) -> FloatArray:
    """Return 2ˣ for |x| ≤ 1000, to a relative error of 1e-13: 2 to the whole part times eᶠ by its series."""
    whole = (x + _ROUND) - _ROUND
    f = (x - whole) * LN_2
    series = f * (1 / 39916800.0) + 1 / 3628800.0
    series = series * f + 1 / 362880.0
    series = series * f + 1 / 40320.0
    series = series * f + 1 / 5040.0
    series = series * f + 1 / 720.0
    series = series * f + 1 / 120.0
    series = series * f + 1 / 24.0
    series = series * f + 1 / 6.0
    series = series * f + 0.5
    series = series * f + 1.0
    return (series * f + 1.0) * two_to_the_whole(whole)


@inlined
def log2(x: FloatArray) -> FloatArray:
    """Return log₂ of positive normal numbers, to 1e-13: the whole part and 2 artanh((m − 1)/(m + 1)) of the rest m."""
    whole = whole_log2(x * ROOT_2)
    m = x / two_to_the_whole(whole)
    s = (m - 1.0) / (m + 1.0)
    s2 = s * s
    series = s2 * (1 / 17.0) + 1 / 15.0
    series = series * s2 + 1 / 13.0
    series = series * s2 + 1 / 11.0
    series = series * s2 + 1 / 9.0
    series = series * s2 + 1 / 7.0
    series = series * s2 + 0.2
    series = series * s2 + 1 / 3.0
    series = series * s2 + 1.0
    return whole + series * s * (2.0 / LN_2)


@inlined
def power(base: FloatArray, exponent: float) -> FloatArray:
    """Return base to the exponent; a base of zero or below counts as 1e-300."""
    return exp2(log2(larger(base, 1e-300)) * exponent)


def aligned(size: int) -> FloatArray:
    """Return zeros whose memory begins at a multiple of 64 bytes, so that no row straddles two lines of the cache."""
    room = np.zeros(size + 8)
    skipped = (-room.ctypes.data % 64) // 8
    return room[skipped : skipped + size]


def lanes(n: int) -> FloatArray:
    """Return zeros of shape (n, WIDTH), aligned."""
    return aligned(n * WIDTH).reshape(n, WIDTH)


def _forget_stale_code(numba_function: Any) -> None:
    """Delete the body's compiled code where it was made of other sources than these.

    numba looks only at the file in which a function stands. A change in a function of another file that was put into
    it would go unnoticed, and a class that has been renamed would keep numba from reading its own index.
    """
    folder = Path(numba_function.stats.cache_path)
    sources = sorted(Path(__file__).parent.glob("*.py"))
    now = blake2b(b"".join(source.read_bytes() for source in sources)).hexdigest()
    mark = folder / "compiled_from"
    if mark.exists() and mark.read_text() == now:
        return
    for old in folder.glob("*.nb[ci]"):
        old.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text(now)


if hasattr(exp2, "stats"):  # not so where numba is told to leave Python alone
    _forget_stale_code(exp2)
