# SPDX-License-Identifier: GPL-2.0-or-later
"""Are the names in a trace in JSON exactly those of names.hex?

    json_names.py names.json names.hex

Both are of test-print-json. Nothing of pyflow's is used to tell what is right."""
import codecs
import json
import re
import sys

# What may not be in the text of a record as it is: controls, separators, and characters
# that show nothing of their own but change what is around them.
UNSAFE = re.compile("[\0-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e"
                    "\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")

codecs.register_error("each", lambda e: ("\ufffd" * (e.end - e.start), e.end))


def has_only_once(pairs):
    """An object whose keys are all different."""
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)


def is_utf8(name):
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def check_name(record, key, wanted):
    """The text, and the bytes where these cannot be told from it, and only there."""
    if wanted is None:
        assert key not in record and key + "_hex" not in record
        return
    assert record[key] == wanted.decode("utf-8", "each"), (record, wanted)
    record[key].encode()  # no lone surrogates
    if is_utf8(wanted):
        assert key + "_hex" not in record, record
    else:
        assert bytes.fromhex(record[key + "_hex"]) == wanted, (record, wanted)


def check_args(record, wanted):
    assert record["args"] == [arg.decode("utf-8", "each") for arg in wanted], record
    if all(is_utf8(arg) for arg in wanted):
        assert "args_hex" not in record, record
    else:
        assert [bytes.fromhex(arg) for arg in record["args_hex"]] == wanted, record


def check(record, wanted):
    if record["type"] == "exec":
        check_name(record, "comm", wanted[0])
        check_args(record, wanted[1:])
        return
    assert record["type"] == "enter"
    for key, name in zip(("file", "func", "qualname", "task_name"), wanted):
        check_name(record, key, name)


def main():
    calls = odd = 0
    with open(sys.argv[1], "rb") as trace, open(sys.argv[2]) as names:
        next(trace)  # the header
        for line in trace:
            text = line.decode()  # strictly
            assert not UNSAFE.search(text[:-1]) and text[-1] == "\n", text
            record = json.loads(text, object_pairs_hook=has_only_once)
            wanted = [None if name == "-" else bytes.fromhex(name)
                      for name in next(names)[:-1].split(",")]
            check(record, wanted)
            calls += record["type"] == "enter"
            odd += "func_hex" in record
        assert not names.read(1)
    assert calls >= 100000 and 10000 < odd < 90000, (calls, odd)
    print(calls, "calls,", odd, "of functions that are not UTF-8")


main()
