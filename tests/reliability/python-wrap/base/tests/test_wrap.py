"""Breaking text into lines."""

import unittest

from wrap import wrap


class Wrap(unittest.TestCase):
    def test_a_short_text_is_one_line(self):
        self.assertEqual(wrap("one two", 20), ["one two"])

    def test_blanks_are_one(self):
        self.assertEqual(wrap("a   b", 20), ["a b"])
