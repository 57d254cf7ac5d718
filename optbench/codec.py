"""Compiled access to records and raw memory: what lets one C signature carry every problem, optimizer and schedule.

Everything here is a Numba intrinsic: it turns addresses and packed words (`optbench.records.pack`) into NumPy arrays
and NamedTuples inside compiled code, and calls machine code by address. Imported only once something is compiled.
"""

from __future__ import annotations

import functools
import math
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from optbench.records import Field, fields

F64 = types.float64
I64 = types.int64
VECTOR = types.Array(types.float64, 1, "C")
INTEGERS = types.Array(types.int64, 1, "C")
MATRIX = types.Array(types.float64, 2, "C")
_NUMBA = {
    "float": F64,
    "int": I64,
    "bool": types.boolean,
    "choice": I64,
    "name": I64,
    "vector": VECTOR,
    "matrix": MATRIX,
    "scratch": VECTOR,
}
_RANK = {"vector": 1, "matrix": 2, "scratch": 1}


def record_type(record: type) -> Any:
    """Numba type of an encoded record."""
    return types.BaseTuple.from_types([_NUMBA[field.kind] for field in fields(record)], record)


@functools.cache
def decoder(record: type) -> Any:
    """Intrinsic ``decode(words) -> record`` that reads what `optbench.records.pack` wrote."""

    @intrinsic
    def decode(typingctx: Any, words: Any) -> Any:
        result = record_type(record)

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            at, values = 0, []
            base = builder.inttoptr(args[0], ir.IntType(64).as_pointer())
            for field in fields(record):
                value, used = _read(builder, context, base, at, field)
                values.append(value)
                at += used
            return context.make_tuple(builder, result, values)

        return result(I64), codegen

    return decode


def _read(builder: Any, context: Any, words: Any, at: int, field: Field) -> tuple[Any, int]:
    def word(k: int) -> Any:
        return builder.load(builder.gep(words, [ir.Constant(ir.IntType(64), k)]))

    if field.kind in _RANK:
        rank = _RANK[field.kind]
        shape = [word(at + 1 + k) for k in range(rank)]
        return _array(context, builder, _NUMBA[field.kind], word(at), shape), 1 + rank
    if field.kind == "float":
        return builder.bitcast(word(at), ir.DoubleType()), 1
    if field.kind == "bool":
        return builder.trunc(word(at), ir.IntType(1)), 1
    return word(at), 1


def _array(context: Any, builder: Any, kind: Any, address: Any, shape: list[Any]) -> Any:
    """A C-contiguous float64 array over memory that somebody else owns."""
    pointer = builder.inttoptr(address, context.get_data_type(kind.dtype).as_pointer())
    return _over(context, builder, kind, pointer, shape)


def _over(context: Any, builder: Any, kind: Any, pointer: Any, shape: list[Any]) -> Any:
    size = ir.Constant(ir.IntType(64), 8)
    strides = [size]
    for extent in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], extent))
    array = make_array(kind)(context, builder)
    populate_array(array, data=pointer, shape=shape, strides=strides, itemsize=size, meminfo=None, parent=None)
    return array._getvalue()


@intrinsic
def array_at(typingctx: Any, address: Any, n: Any) -> Any:
    """``array_at(address, n)``: the float64 array of shape (n,) at an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _array(context, builder, VECTOR, args[0], [args[1]])

    return VECTOR(I64, I64), codegen


@intrinsic
def matrix_at(typingctx: Any, address: Any, rows: Any, columns: Any) -> Any:
    """``matrix_at(address, rows, columns)``: the float64 array of that shape at an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _array(context, builder, MATRIX, args[0], list(args[1:]))

    return MATRIX(I64, I64, I64), codegen


@intrinsic
def integers_at(typingctx: Any, address: Any, n: Any) -> Any:
    """``integers_at(address, n)``: the int64 array of shape (n,) at an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _array(context, builder, INTEGERS, args[0], [args[1]])

    return INTEGERS(I64, I64), codegen


@functools.cache
def local_array(*shape: int) -> Any:
    """Intrinsic ``make()``: a float64 array of this shape, rank 1 or 2, on the stack of the function that is compiled.

    Once loops over it are unrolled it lives in registers. Every call of one place gives the same memory, uncleared.
    """
    kind = VECTOR if len(shape) == 1 else MATRIX

    @intrinsic
    def make(typingctx: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            slot = cgutils.alloca_once(builder, ir.ArrayType(ir.DoubleType(), math.prod(shape)))
            pointer = builder.bitcast(slot, ir.DoubleType().as_pointer())
            return _over(context, builder, kind, pointer, [ir.Constant(ir.IntType(64), extent) for extent in shape])

        return kind(), codegen

    return make


@functools.cache
def state_arrays(count: int) -> Any:
    """Intrinsic ``split(address, stride, n)``: `count` arrays of shape (n,), `stride` elements apart, as a tuple.

    As a tuple they become separate pointers of the callee, which LLVM may take for disjoint.
    """
    result = types.Tuple((VECTOR,) * count)

    @intrinsic
    def split(typingctx: Any, address: Any, stride: Any, n: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            address, stride, n = args
            step = builder.mul(stride, ir.Constant(ir.IntType(64), 8))
            arrays = []
            for _ in range(count):
                arrays.append(_array(context, builder, VECTOR, address, [n]))
                address = builder.add(address, step)
            return context.make_tuple(builder, result, arrays)

        return result(I64, I64, I64), codegen

    return split


@functools.cache
def state_loader(record: type) -> Any:
    """Intrinsic ``load(arrays, i) -> record``: one coordinate's state from the tuple of arrays."""
    result = record_type(record)

    @intrinsic
    def load(typingctx: Any, arrays: Any, i: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            values = [builder.load(_element(context, builder, args[0], k, args[1])) for k in range(len(result))]
            return context.make_tuple(builder, result, values)

        return result(arrays, I64), codegen

    return load


@functools.cache
def state_storer(record: type) -> Any:
    """Intrinsic ``store(arrays, i, state)``: the reverse of `state_loader`."""
    kind = record_type(record)

    @intrinsic
    def store(typingctx: Any, arrays: Any, i: Any, state: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            for k, value in enumerate(cgutils.unpack_tuple(builder, args[2], len(kind))):
                builder.store(value, _element(context, builder, args[0], k, args[1]))
            return context.get_dummy_value()

        return types.void(arrays, I64, kind), codegen

    return store


def _element(context: Any, builder: Any, arrays: Any, k: int, i: Any) -> Any:
    array = make_array(VECTOR)(context, builder, value=builder.extract_value(arrays, k))
    return builder.gep(array.data, [i])


@functools.cache
def record_storer(record: type) -> Any:
    """Intrinsic ``store(words, record)``: write a record of numbers back to its words."""
    kind = record_type(record)

    @intrinsic
    def store(typingctx: Any, words: Any, value: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            base = builder.inttoptr(args[0], ir.IntType(64).as_pointer())
            items = cgutils.unpack_tuple(builder, args[1], len(kind))
            for k, (field, item) in enumerate(zip(fields(record), items, strict=True)):
                if field.kind == "float":
                    item = builder.bitcast(item, ir.IntType(64))
                elif field.kind == "bool":
                    item = builder.zext(item, ir.IntType(64))
                builder.store(item, builder.gep(base, [ir.Constant(ir.IntType(64), k)]))
            return context.get_dummy_value()

        return types.void(I64, kind), codegen

    return store


def caller(result: Any, *arguments: Any) -> Any:
    """Intrinsic ``call(address, (a, b, ...))``: call a kernel (`optbench.jit`) whose value has the type `result`.

    A call that fails (which `optbench.jit` does not let a kernel do on purpose) has the value NaN. Kernels keep
    Numba's own calling convention, ``int32 f(result *, exception **, a, b, ...)``: a C wrapper around it
    would cost two nanoseconds a call, which is a tenth of a small step.
    """
    packed = types.Tuple(arguments)

    @intrinsic
    def call(typingctx: Any, address: Any, values: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            returns = context.get_value_type(result)
            kinds = [context.get_value_type(kind) for kind in arguments]
            slots = [returns.as_pointer(), ir.IntType(8).as_pointer().as_pointer()]
            pointer = builder.inttoptr(args[0], ir.FunctionType(ir.IntType(32), slots + kinds).as_pointer())
            value = cgutils.alloca_once(builder, returns)
            exception = cgutils.alloca_once(builder, ir.IntType(8).as_pointer())
            given = cgutils.unpack_tuple(builder, args[1], len(arguments))
            status = builder.call(pointer, [value, exception, *given])
            if result != F64:
                return builder.load(value)
            failed = builder.icmp_signed("!=", status, status.type(0))
            return builder.select(failed, ir.Constant(ir.DoubleType(), float("nan")), builder.load(value))

        return result(I64, packed), codegen

    return call


# ------------------------------------------------------------------------------------- several threads, one memory


def _cell(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, ir.IntType(64).as_pointer())


@intrinsic
def load_acquire(typingctx: Any, address: Any) -> Any:
    """``load_acquire(address)``: the word there; what its writer wrote before it is seen from here on."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(_cell(builder, args[0]), "acquire", 8)

    return I64(I64), codegen


@intrinsic
def store_release(typingctx: Any, address: Any, value: Any) -> Any:
    """``store_release(address, value)``: whoever sees the word sees what was written before it."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store_atomic(args[1], _cell(builder, args[0]), "release", 8)
        return context.get_dummy_value()

    return types.void(I64, I64), codegen


@intrinsic
def add_release(typingctx: Any, address: Any, value: Any) -> Any:
    """``add_release(address, value)``: add to a word that others add to as well; its value before."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.atomic_rmw("add", _cell(builder, args[0]), args[1], "acq_rel")

    return I64(I64, I64), codegen


@intrinsic
def exchange(typingctx: Any, address: Any, expected: Any, value: Any) -> Any:
    """``exchange(address, expected, value)``: put the value where the word is as expected; whether it was."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        result = builder.cmpxchg(_cell(builder, args[0]), args[1], args[2], "acq_rel", "acquire")
        return builder.extract_value(result, 1)

    return types.boolean(I64, I64, I64), codegen


@intrinsic
def call_plain(typingctx: Any, address: Any, argument: Any) -> Any:
    """``call_plain(address, argument)``: call a C function ``int f(unsigned int)``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(32)
        pointer = builder.inttoptr(args[0], ir.FunctionType(word, [word]).as_pointer())
        builder.call(pointer, [builder.trunc(args[1], word)])
        return context.get_dummy_value()

    return types.void(I64, I64), codegen
