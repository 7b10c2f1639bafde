"""Find in the source of `unaji.records` every sentence that a reader of files can say.

A sentence is followed from where it is told (`log.reject`, `InputError`) back to where it is written: through names,
parameters, returned and yielded tuples, tables of constants. What stands in an f-string's braces becomes ``{}``.
"""

import ast
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ASKED_BY = ("ask",)
TOLD_BY = ("reject", "remark", "rows", "_nothing")
RULE = 3
"""Place of the rule among the arguments of those."""

PHRASED = ("rule", "bounds", "hint")
"""Attributes that fill a sentence with more than a name."""

BY_NAME = {"Imported": "refused", "replace": "rule"}

ERRORS = ("InputError", "_LeftOutError", "_UnreadableError")
SAME = ("str", "sorted", "list", "tuple", "reversed", "set", "iter")
TRIMMED = ("removeprefix", "removesuffix", "strip", "rstrip", "format", "capitalize")

LONGEST_PATH = 4
Path_ = tuple[str | int, ...]
GROWN = ("grown",)
"""Before a value that is appended: it is an element of what it is bound to."""

Function = ast.FunctionDef | None


@dataclass(frozen=True, eq=False)
class Module:
    name: str
    constants: dict[str, list[ast.expr]]
    imported: dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Place:
    """Where an expression stands."""

    module: Module
    function: Function


class Sentences:
    """All that can be told by modules, with the first place where it is told from.

    Attributes
    ----------
    found : dict
        Sentences, and what fills them.
    alone : set of str
        Those of them that are told by themselves.
    lost : dict
        What could not be followed, with the place where it is told.
    """

    def __init__(self, root: Path, files: list[Path], ending: tuple[str, ...]) -> None:
        self.found: dict[str, str] = {}
        self.alone: set[str] = set()
        self.lost: dict[str, str] = {}
        self._functions: dict[str, list[tuple[Module, ast.FunctionDef]]] = defaultdict(list)
        self._calls: dict[str, list[tuple[ast.Call, Place]]] = defaultdict(list)
        self._around: dict[ast.AST, Function] = {}
        self._class_of: dict[ast.AST, str] = {}
        self._fields: dict[str, list[tuple[Module, str, int, ast.AnnAssign]]] = defaultdict(list)
        self._bound: dict[ast.AST, list[tuple[ast.expr, Path_, ast.expr]]] = defaultdict(list)
        self._results: dict[ast.AST, list[tuple[Path_, ast.expr]]] = defaultdict(list)
        self._keys: dict[str, list[tuple[ast.expr, Module]]] = defaultdict(list)
        self._modules: dict[str, Module] = {}
        self._seen: set[tuple[int, Path_, bool]] = set()
        self._open: deque[tuple[ast.expr, Path_, Place, bool, str]] = deque()
        for file in files:
            name = ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
            self._read(name, ast.parse(file.read_text(encoding="utf-8")))
        for call, place in [one for name in (*TOLD_BY, *BY_NAME, *ASKED_BY, *ERRORS) for one in self._calls[name]]:
            rule = _rule_of(call, not place.module.name.startswith(ending))
            if rule is not None:
                self._told = f"{place.module.name}:{call.lineno}"
                self._follow(rule, (), place)
        while self._open:
            node, path, place, filling, self._told = self._open.popleft()
            self._step(node, path, place, filling)

    # -- reading the source --------------------------------------------------------------------------------------------

    def _read(self, name: str, tree: ast.Module) -> None:
        module = Module(name, defaultdict(list), {})
        self._modules[name] = module
        for node in ast.walk(tree):
            for target in getattr(node, "targets", [getattr(node, "target", None)]):
                if isinstance(target, ast.Subscript):
                    self._keys[ast.unparse(target.value).rpartition(".")[2]].append((target.slice, module))
        for node in tree.body:
            for target, _, value in _bindings(node):
                if isinstance(target, ast.Name):
                    module.constants[target.id].append(value)
            if isinstance(node, ast.ImportFrom) and node.module:
                module.imported.update({one.asname or one.name: (node.module, one.name) for one in node.names})
        self._walk(tree, Place(module, None))

    def _walk(self, node: ast.AST, place: Place) -> None:
        self._around[node] = place.function
        match node:
            case ast.FunctionDef():
                self._functions[node.name].append((place.module, node))
                place = Place(place.module, node)
            case ast.ClassDef():
                names = [one for one in node.body if isinstance(one, ast.AnnAssign)]
                for k, one in enumerate(names):
                    self._fields[ast.unparse(one.target)].append((place.module, node.name, k, one))
                self._class_of |= dict.fromkeys(node.body, node.name)
            case ast.Call():
                self._calls[_name_of(node)].append((node, place))
            case ast.Return(value=value) | ast.Yield(value=value) | ast.YieldFrom(value=value) if value is not None:
                path: Path_ = ("each",) if isinstance(node, ast.Yield) else ()
                self._results[place.function].append((path, value))
        self._bound[place.function] += list(_bindings(node))
        for child in ast.iter_child_nodes(node):
            self._walk(child, place)

    # -- following a sentence ------------------------------------------------------------------------------------------

    def _follow(self, node: ast.expr, path: Path_, place: Place, *, filling: bool = False) -> None:
        """Follow an expression, of which `path` says which part is meant: an element, the k-th, a value of a table."""
        if (id(node), path, filling) not in self._seen and len(path) <= LONGEST_PATH:
            self._seen.add((id(node), path, filling))
            self._open.append((node, path, place, filling, self._told))

    def _step(self, node: ast.expr, path: Path_, place: Place, filling: bool) -> None:
        step, rest = (path[0], path[1:]) if path else ("", ())
        match node:
            case ast.Constant(value=str(text)):
                if not path and text and (" " in text or not filling):
                    self._find(text, filling)
            case ast.Constant():
                pass
            case ast.JoinedStr(values=parts):
                self._joined(parts, path, place, filling)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                if path:  # lists, one after the other
                    self._all([left, right], path, place, filling)
                else:
                    self._joined([left, right], path, place, filling)
            case ast.IfExp(body=one, orelse=other):
                self._all([one, other], path, place, filling)
            case ast.BoolOp(values=values):
                self._all(values, path, place, filling)
            case ast.NamedExpr(value=value) | ast.Starred(value=value):
                self._follow(value, path, place, filling=filling)
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                if isinstance(step, int):
                    self._all(parts[step : step + 1], rest, place, filling)
                elif step in ("each", "value"):
                    for one in parts:
                        self._follow(one, path if isinstance(one, ast.Starred) else rest, place, filling=filling)
            case ast.Dict(keys=keys, values=values):
                self._all([one for one in (keys if step in ("key", "each") else values) if one], rest, place, filling)
            case ast.GeneratorExp(elt=value) | ast.ListComp(elt=value) | ast.SetComp(elt=value):
                self._follow(value, rest, place, filling=filling)
            case ast.DictComp(value=value):
                self._follow(value, rest, place, filling=filling)
            case ast.Name(id=name):
                self._name(name, path, place, filling)
            case ast.Subscript(value=value, slice=index):
                which = index.value if isinstance(index, ast.Constant) and isinstance(index.value, int) else "value"
                self._follow(value, (which, *path), place, filling=filling)
            case ast.Attribute(value=value, attr=name):
                self._attribute(value, name, path, place, filling)
            case ast.Call():
                self._call(node, path, place, filling)
            case _:
                self._lose(node, filling)

    def _all(self, nodes: list[ast.expr], path: Path_, place: Place, filling: bool) -> None:
        for node in nodes:
            self._follow(node, path, place, filling=filling)

    def _find(self, text: str, filling: bool) -> None:
        self.found.setdefault(text, self._told)
        if not filling:
            self.alone.add(text)

    def _lose(self, node: ast.expr, filling: bool) -> None:
        if not filling:
            self.lost.setdefault(ast.unparse(node), self._told)

    def _joined(self, parts: list[ast.expr], path: Path_, place: Place, filling: bool) -> None:
        text = "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in parts)
        if path:
            return
        self._find(text, filling)
        for one in parts:
            if not isinstance(one, ast.FormattedValue | ast.Constant):
                self._follow(one, (), place, filling=True)
            elif isinstance(one, ast.FormattedValue) and one.format_spec is None and one.conversion == -1:
                self._follow(one.value, (), place, filling=True)

    def _name(self, name: str, path: Path_, place: Place, filling: bool) -> None:
        function, known = place.function, False
        while function is not None and not known:
            here = Place(place.module, function)
            for target, before, value in self._bound[function]:
                for within in _where(name, target):
                    known = True
                    if before != GROWN:
                        self._follow(value, (*before, *within, *path), here, filling=filling)
                    elif path:
                        self._follow(value, path[1:], here, filling=filling)
            known = self._parameter(name, path, here, filling) or known
            function = self._around[function]
        if not known and not self._constant(name, path, place.module, filling):
            self._lose(ast.Name(name), filling)

    def _constant(self, name: str, path: Path_, module: Module, filling: bool) -> bool:
        for value in module.constants.get(name, []):
            self._follow(value, path, Place(module, None), filling=filling)
        if name in module.constants:
            return True
        where, what = module.imported.get(name, ("", ""))
        return where in self._modules and self._constant(what, path, self._modules[where], filling)

    def _parameter(self, name: str, path: Path_, place: Place, filling: bool) -> bool:
        assert place.function is not None
        function, arguments = place.function, place.function.args
        names = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
        if name not in [*names, *(one.arg for one in arguments.kwonlyargs)]:
            return name in [one.arg for one in (arguments.vararg, arguments.kwarg) if one]
        made = function.name == "__init__"
        for call, calling in self._calls[self._class_of.get(function, "") if made else function.name]:
            if made or self._may_mean(call, calling.module, place.module, function):
                at = names.index(name) - (names[0] in ("self", "cls")) if name in names else None
                for value in _given(call, name, at):
                    self._follow(value, path, calling, filling=filling)
        only = [one.arg for one in arguments.kwonlyargs]
        with_defaults = [
            *zip(names[::-1], arguments.defaults[::-1], strict=False),
            *zip(only, arguments.kw_defaults, strict=True),
        ]
        self._all([value for one, value in with_defaults if one == name and value], path, place, filling)
        return True

    def _attribute(self, value: ast.expr, name: str, path: Path_, place: Place, filling: bool) -> None:
        if filling and name not in PHRASED:
            return
        if isinstance(value, ast.Name) and value.id in place.module.imported:
            module = self._modules.get(".".join(place.module.imported[value.id]))
            if module is not None and self._constant(name, path, module, filling):
                return
        for key, module in self._keys[name] if path[:1] == ("key",) else []:
            self._follow(key, path[1:], Place(module, None))
        known = path[:1] == ("key",) and name in self._keys
        for module, owner, k, field in self._fields[name]:
            known = True
            for call, calling in self._calls[owner]:
                for given in _given(call, name, k):
                    self._follow(given, path, calling, filling=filling)
                named = any(one.arg == name for one in call.keywords)
                if not named and any(
                    isinstance(one, ast.Starred) for one in call.args[:k]
                ):  # who knows what k-th means then
                    self._lose(call, filling)
            if field.value is not None:
                self._follow(field.value, path, Place(module, None), filling=filling)
        for module, function in self._functions[name]:
            if any(ast.unparse(one) in ("property", "cached_property") for one in function.decorator_list):
                known = True
                self._returned(module, function, path, filling)
        if not known:
            self._lose(ast.Attribute(value, name), filling)

    def _call(self, node: ast.Call, path: Path_, place: Place, filling: bool) -> None:
        name, arguments = _name_of(node), node.args
        of = node.func.value if isinstance(node.func, ast.Attribute) else None
        if of is not None and name in TRIMMED:
            return self._follow(of, path, place, filling=filling)
        if of is not None and name == "get":
            self._follow(of, ("value", *path), place, filling=filling)
            return self._all(arguments[1:], path, place, filling)
        if of is not None and name == "values":
            return self._follow(of, ("value", *path[1:]), place, filling=filling)
        if of is not None and name == "items":
            return self._follow(of, ("value" if path[1:2] == (1,) else "key", *path[2:]), place, filling=filling)
        if name == "next":
            self._follow(arguments[0], ("each", *path), place, filling=filling)
            return self._all(arguments[1:], path, place, filling)
        if name in SAME and arguments:
            return self._follow(arguments[0], path, place, filling=filling)
        if name == "enumerate" and path[1:2] == (1,):
            return self._follow(arguments[0], ("each", *path[2:]), place, filling=filling)
        if name == "zip" and len(path) > 1 and isinstance(path[1], int) and path[1] < len(arguments):
            return self._follow(arguments[path[1]], ("each", *path[2:]), place, filling=filling)
        known = False
        for module, function in self._functions[name]:
            if self._may_mean(node, place.module, module, function):
                known = True
                self._returned(module, function, path, filling)
        return None if known else self._lose(node, filling)

    def _may_mean(self, call: ast.Call, calling: Module, module: Module, function: ast.FunctionDef) -> bool:
        """Say whether a call can be of a function of a module, which has its name."""
        if isinstance(call.func, ast.Attribute):
            return calling is module or ast.unparse(call.func.value) not in ("self", "cls")
        if function in self._class_of:
            return False
        return calling is module or calling.imported.get(_name_of(call), ("",))[0] == module.name

    def _returned(self, module: Module, function: ast.FunctionDef, path: Path_, filling: bool) -> None:
        for before, value in self._results[function]:
            if path[: len(before)] == before:
                self._follow(value, path[len(before) :], Place(module, function), filling=filling)


def _name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func).partition("[")[0]


def _rule_of(call: ast.Call, errors: bool) -> ast.expr | None:
    if _name_of(call) in ERRORS:
        return call.args[0] if call.args and (errors or _name_of(call) != "InputError") else None
    if _name_of(call) in ASKED_BY:
        return call.args[0] if len(call.args) == 1 else None  # more is asked with a default, by what has both languages
    if _name_of(call) in BY_NAME:
        return next(_given(call, BY_NAME[_name_of(call)], None), None)
    if not isinstance(call.func, ast.Attribute) and _name_of(call) != "_nothing":
        return None
    return next(_given(call, "rule", RULE), None)


def _given(call: ast.Call, name: str, place: int | None) -> Iterator[ast.expr]:
    """Give what a call passes for a parameter."""
    yield from (one.value for one in call.keywords if one.arg == name)
    if place is not None and place < len(call.args) and not any(isinstance(a, ast.Starred) for a in call.args[:place]):
        yield call.args[place]


def _bindings(node: ast.AST) -> Iterator[tuple[ast.expr, Path_, ast.expr]]:
    """Give what a statement binds: the target, which part of the value it is, the value."""
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((target, (), value) for target in targets)
        case ast.AnnAssign(target=target, value=value) if value is not None:
            yield target, (), value
        case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
            yield target, (), value
        case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
            yield target, ("each",), value
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=target, attr="append"), args=[value])):
            yield target, GROWN, value


def _where(name: str, target: ast.expr) -> Iterator[Path_]:
    """Give where in a target a name stands."""
    if isinstance(target, ast.Name) and target.id == name:
        yield ()
    elif isinstance(target, ast.Tuple | ast.List):
        for k, one in enumerate(target.elts):
            yield from ((k, *within) for within in _where(name, one))
