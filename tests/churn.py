# SPDX-License-Identifier: GPL-2.0-or-later
"""100,000 functions, each with a name of its own, made, called once and thrown away: what is where
one of them was is soon another one."""
WIDTHS = ("", "é", "函数")

for i in range(100000):
    space = {}
    name = f"churned_{i}_{WIDTHS[i % 3]}{'x' * (i % 50)}"
    exec(compile(f"def {name}(): pass", "churned", "exec"), space)
    space.pop(name)()
