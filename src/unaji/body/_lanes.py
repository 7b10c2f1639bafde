"""A number for each of eight persons at once: the value type that the compiled loops of the body compute with.

Compiled, a `load`ed row of an array of shape (n, WIDTH) is one vector of the machine, and + − × ÷ act on all persons of
a block. Uncompiled it is a NumPy array, so that the same functions can be read, run and tested as plain Python. Written
out because a compiler that must fear that two arrays overlap does not vectorise loops over persons by itself.

Every operation treats every lane alike, so that a person's numbers do not depend on who shares the block.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.core.datamodel import models
from numba.extending import intrinsic, overload, register_model

from unaji.body.elimination import IntArray
from unaji.records.timeline import FloatArray

WIDTH = 8
"""Persons in a block: one 512-bit vector, or two or four of smaller ones."""

_njit: Any = njit
_intrinsic: Any = intrinsic
_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Compile a function that makes no arrays, without counting who refers to its arguments.

    The atomic operations of that counting took a third of the time of a step.
    """
    return cast(_Function, _njit(cache=True, _nrt=False)(function))


def inlined(function: _Function) -> _Function:
    """Compile a function like `compiled`, put it into its callers, and leave it callable from compiled code only."""
    options = {"forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast(_Function, _njit(cache=True, _nrt=False, **options)(function))


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


def _is_number(kind: Any) -> bool:
    return isinstance(kind, types.Float | types.Integer)


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


@_intrinsic
def _load(_context: Any, array: Any, row: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _row_pointer(context, builder, signature.args[0], args[0], args[1])
        return builder.load(pointer, align=8)

    return LANES(array, types.intp), code


@_intrinsic
def _store(_context: Any, array: Any, row: Any, value: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _row_pointer(context, builder, signature.args[0], args[0], args[1])
        builder.store(_widened(context, builder, args[2], signature.args[2]), pointer, align=8)
        return context.get_dummy_value()

    return types.none(array, types.intp, value), code


def _binary(emit: Callable[[Any, Any, Any], Any]) -> Any:
    """Return the compiled face of an operation on two values, of which one may be a plain number."""

    @_intrinsic
    def operation(_context: Any, a: Any, b: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            wide = [_widened(context, builder, x, kind) for x, kind in zip(args, signature.args, strict=True)]
            return emit(builder, *wide)

        return LANES(a, b), code

    return operation


def _chosen(sign: str) -> Callable[[Any, Any, Any], Any]:
    """Return the operation that takes the first of two where it is, say, larger, else (also with NaN) the second."""
    return lambda builder, a, b: builder.select(builder.fcmp_ordered(sign, a, b), a, b)


def _compiles_as(python: Any, face: Any) -> None:
    """Tell numba how to compile a function; `face` is called with types and returns the compiled form."""
    face.__annotations__.clear()  # numba wants the two signatures equal to the letter
    overload(python)(face)


def _overload_binary(python: Any, emit: Callable[[Any, Any, Any], Any]) -> None:
    operation = _binary(emit)

    def face(a: Any, b: Any) -> Any:
        if isinstance(a, LanesType) or (isinstance(b, LanesType) and _is_number(a)):
            return lambda a, b: operation(a, b)  # noqa: PLW0108  numba wants a Python function
        return None

    _compiles_as(python, face)


def at(numbers: IntArray, k: int) -> int:
    """Return numbers[k] for k ≥ 0; compiled, without asking whether k counts from the end."""
    return int(numbers[k])


@_intrinsic
def _at(_context: Any, numbers: Any, k: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        struct = context.make_array(signature.args[0])(context, builder, args[0])
        return builder.load(builder.gep(struct.data, [args[1]]))

    return types.int64(numbers, types.intp), code


def _at_face(numbers: Any, k: Any) -> Any:
    return lambda numbers, k: _at(numbers, k)  # noqa: PLW0108  numba wants a Python function


def load(rows: FloatArray, row: int) -> FloatArray:
    """Return a row of an array of shape (n, WIDTH)."""
    return np.array(rows[row])


def store(rows: FloatArray, row: int, value: FloatArray | float) -> None:
    """Write a row of an array of shape (n, WIDTH); a plain number goes to each lane."""
    rows[row] = value


def _load_face(rows: Any, row: Any) -> Any:
    return lambda rows, row: _load(rows, row)  # noqa: PLW0108  numba wants a Python function


def _store_face(rows: Any, row: Any, value: Any) -> Any:
    return lambda rows, row, value: _store(rows, row, value)  # noqa: PLW0108  numba wants a Python function


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


@_intrinsic
def _if_positive(_context: Any, condition: Any, a: Any, b: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        c, x, y = (_widened(context, builder, v, kind) for v, kind in zip(args, signature.args, strict=True))
        return builder.select(builder.fcmp_ordered(">", c, ir.Constant(_DOUBLES, [0.0] * WIDTH)), x, y)

    return LANES(condition, a, b), code


def _if_positive_face(condition: Any, a: Any, b: Any) -> Any:
    return lambda condition, a, b: _if_positive(condition, a, b)  # noqa: PLW0108  numba wants a Python function


_compiles_as(if_positive, _if_positive_face)
_overload_binary(or_else, lambda builder, a, b: builder.select(builder.fcmp_ordered("==", a, a), a, b))
_compiles_as(at, _at_face)
_compiles_as(load, _load_face)
_compiles_as(store, _store_face)
_overload_binary(operator.add, lambda builder, a, b: builder.fadd(a, b, flags=_CONTRACT))
_overload_binary(operator.sub, lambda builder, a, b: builder.fsub(a, b, flags=_CONTRACT))
_overload_binary(operator.mul, lambda builder, a, b: builder.fmul(a, b, flags=_CONTRACT))
_overload_binary(operator.truediv, lambda builder, a, b: builder.fdiv(a, b))
_overload_binary(larger, _chosen(">"))
_overload_binary(smaller, _chosen("<"))


def two_to_the_whole(n: FloatArray) -> FloatArray:
    """Return 2ⁿ of whole numbers between −1022 and 1023, exactly."""
    return np.asarray(np.ldexp(1.0, n.astype(int)))


def whole_log2(x: FloatArray) -> FloatArray:
    """Return the largest n with 2ⁿ ≤ x, for positive normal x."""
    return np.asarray(np.frexp(x)[1] - 1.0)


@_intrinsic
def _two_to_the_whole(_context: Any, n: Any) -> Any:
    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        biased = builder.add(builder.fptosi(args[0], _INTEGERS), ir.Constant(_INTEGERS, [1023] * WIDTH))
        return builder.bitcast(builder.shl(biased, ir.Constant(_INTEGERS, [52] * WIDTH)), _DOUBLES)

    return LANES(n), code


@_intrinsic
def _whole_log2(_context: Any, x: Any) -> Any:
    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        biased = builder.lshr(builder.bitcast(args[0], _INTEGERS), ir.Constant(_INTEGERS, [52] * WIDTH))
        return builder.sitofp(builder.sub(biased, ir.Constant(_INTEGERS, [1023] * WIDTH)), _DOUBLES)

    return LANES(x), code


def _two_to_the_whole_face(n: Any) -> Any:
    return lambda n: _two_to_the_whole(n)  # noqa: PLW0108  numba wants a Python function


def _whole_log2_face(x: Any) -> Any:
    return lambda x: _whole_log2(x)  # noqa: PLW0108  numba wants a Python function


_compiles_as(two_to_the_whole, _two_to_the_whole_face)
_compiles_as(whole_log2, _whole_log2_face)

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


@njit(cache=True)
def aligned(size: int) -> FloatArray:
    """Return zeros whose memory begins at a multiple of 64 bytes, so that no row straddles two lines of the cache."""
    room = np.zeros(size + 8)
    skipped = (-room.ctypes.data % 64) // 8
    return room[skipped : skipped + size]


@njit(cache=True)
def lanes(n: int) -> FloatArray:
    """Return zeros of shape (n, WIDTH), aligned."""
    return aligned(n * WIDTH).reshape(n, WIDTH)
