"""Lengths of time."""

import unittest

from spans import seconds


class Spans(unittest.TestCase):
    def test_each_unit(self):
        self.assertEqual(seconds("2h"), 7200)
        self.assertEqual(seconds("5m"), 300)
        self.assertEqual(seconds("7s"), 7)

    def test_units_add_up(self):
        self.assertEqual(seconds("1h30m"), 5400)
