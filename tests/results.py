# SPDX-License-Identifier: GPL-2.0-or-later
"""Run tests of unittest, and write what came of each into a file: results.py FILE MODULE..."""
import os
import sys
import unittest


class Results(unittest.TextTestResult):
    def note(self, test, what):
        out.write("%s %s\n" % (test.id() if hasattr(test, "id") else test, what))
        out.flush()

    def addSuccess(self, test):
        super().addSuccess(test)
        self.note(test, "ok")

    def addError(self, test, err):
        super().addError(test, err)
        self.note(test, "error")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note(test, "failure")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, "skipped")

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.note(test, "expected failure")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.note(test, "unexpected success")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.note(subtest, "failed")


if __name__ == "__main__":
    out = open(sys.argv[1], "w")
    suite = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[2:])
    result = unittest.TextTestRunner(resultclass=Results, verbosity=2).run(suite)
    # Processes that a test has forgotten are not waited for.
    sys.stdout.flush()
    sys.stderr.flush()
    out.close()
    os._exit(not result.wasSuccessful())
