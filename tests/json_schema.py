# SPDX-License-Identifier: GPL-2.0-or-later
"""Does each record of a trace in JSON fit the schema, and only what does?

    json_schema.py SCHEMA TRACE...
    json_schema.py --library SCHEMA TRACE...    the same by the module jsonschema

Status 77 if that module, of a version that knows draft 2020-12, is missing."""
import json
import re
import sys

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool,
         "integer": int, "null": type(None)}

# What says nothing about the value.
WORDS = {"$schema", "$defs", "title", "description", "examples"}

OF_OBJECTS = {"properties", "required", "dependentRequired"}


class Schema:
    """The part of JSON Schema that ours uses; anything else in it is an error. Beyond
    JSON Schema, fields that it does not name are mistakes: new ones must be added."""

    def __init__(self, root):
        self.root = root

    def errors(self, value, schema=None, where="$"):
        schema = self.root if schema is None else schema
        for word, argument in schema.items():
            if word in WORDS:
                continue
            if word in OF_OBJECTS and not isinstance(value, dict):
                continue
            rule = getattr(self, "rule_" + word.replace("$", ""))
            for error in rule(argument, value, schema, where):
                yield error

    def rule_ref(self, path, value, _, where):
        assert path.startswith("#/$defs/")
        return self.errors(value, self.root["$defs"][path[8:]], where)

    def rule_type(self, names, value, _, where):
        names = names if isinstance(names, list) else [names]
        if not any(type(value) is TYPES[name] for name in names):
            yield "%s: %r is no %s" % (where, value, names)

    def rule_const(self, wanted, value, _, where):
        if value != wanted or type(value) is not type(wanted):
            yield "%s: %r is not %r" % (where, value, wanted)

    def rule_enum(self, wanted, value, _, where):
        if value not in wanted:
            yield "%s: %r is none of %r" % (where, value, wanted)

    def rule_oneOf(self, schemas, value, _, where):
        found = [list(self.errors(value, schema, where)) for schema in schemas]
        if found.count([]) != 1:
            yield "%s: fits %d of %d: %s" % (where, found.count([]), len(schemas), found)

    def rule_minimum(self, least, value, _, where):
        if isinstance(value, int) and value < least:
            yield "%s: %d is less than %d" % (where, value, least)

    def rule_maximum(self, most, value, _, where):
        if isinstance(value, int) and value > most:
            yield "%s: %d is more than %d" % (where, value, most)

    def rule_pattern(self, pattern, value, _, where):
        if isinstance(value, str) and not re.search(pattern, value):
            yield "%s: %r is not like %s" % (where, value, pattern)

    def rule_items(self, schema, value, _, where):
        for i, item in enumerate(value if isinstance(value, list) else []):
            for error in self.errors(item, schema, "%s[%d]" % (where, i)):
                yield error

    def rule_required(self, names, value, _, where):
        for name in names:
            if name not in value:
                yield "%s: there is no %s" % (where, name)

    def rule_dependentRequired(self, names, value, _, where):
        for name, others in names.items():
            for other in others if name in value else []:
                if other not in value:
                    yield "%s: %s without %s" % (where, name, other)

    def rule_not(self, schema, value, _, where):
        if not list(self.errors(value, schema, where)):
            yield "%s: is %s" % (where, schema)

    def rule_properties(self, properties, value, schema, where):
        for name in value:
            if name not in properties:
                if "type" in schema:  # else it is but a condition
                    yield "%s: %s is not in the schema" % (where, name)
                continue
            for error in self.errors(value[name], properties[name], where + "." + name):
                yield error


def library(root):
    """The same question, asked of others."""
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        print("no module jsonschema that knows draft 2020-12")
        sys.exit(77)
    Draft202012Validator.check_schema(root)
    return Draft202012Validator(root)


def spoiled(record):
    """Records that are wrong in one thing each."""
    for name in record:
        if name not in ("qualname", "cut", "continues", "inherited", "part", "argv",
                        "task", "status", "signal", "task_name") \
                and not name.endswith("_hex"):
            yield {key: record[key] for key in record if key != name}
        if name != "type":
            yield dict(record, **{name: 1.5})
            yield dict(record, **{name: {}})
        if type(record[name]) is int and name != "line":
            yield dict(record, **{name: -1})
            yield dict(record, **{name: str(record[name])})
        if name.endswith("_hex"):
            yield {key: record[key] for key in record if key != name[:-4]}
            yield dict(record, **{name: "abc"})
    yield dict(record, type="call")
    yield [record]
    if record["type"] == "leave":
        yield dict(record, exit="left")
    if "file" in record:
        yield dict(record, func=None if record["func"] is not None else "f")
    if "status" in record:
        yield dict(record, signal=9)


def main():
    words = sys.argv[1:]
    by_library = words[0] == "--library"
    with open(words[by_library]) as file:
        root = json.load(file)
    schema = library(root) if by_library else Schema(root)
    errors = schema.iter_errors if by_library else schema.errors
    good = wrong = 0
    seen = set()
    for path in words[by_library + 1:]:
        with open(path) as file:
            for number, line in enumerate(file, 1):
                record = json.loads(line)
                assert type(record) is dict, line
                found = list(errors(record))
                assert not found, "%s:%d: %s" % (path, number, found)
                good += 1
                seen.add(record["type"])
                # Enough of them from the first lines of each file.
                for bad in spoiled(record) if number < 200 else []:
                    assert list(errors(bad)), "%s:%d: fits: %s" % (path, number, bad)
                    wrong += 1
    kinds = {kind["properties"]["type"]["const"] for kind in map(
        lambda ref: root["$defs"][ref["$ref"][8:]], root["oneOf"])}
    assert seen == kinds, seen ^ kinds
    print(good, "records fit,", wrong, "that are wrong do not")


main()
