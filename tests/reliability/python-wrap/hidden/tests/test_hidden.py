"""Hidden."""

import unittest

from wrap import wrap


class Hidden(unittest.TestCase):
    def test_widths(self):
        text = "the quick brown fox jumps over the lazy dog"
        for width in range(5, 50):
            lines = wrap(text, width)
            self.assertEqual(" ".join(lines), text)
            self.assertTrue(all(len(it) <= width for it in lines), (width, lines))
            for line, after in zip(lines, lines[1:]):
                self.assertGreater(len(line) + 1 + len(after.split()[0]), width)

    def test_long_words(self):
        self.assertEqual(wrap("enormous a b", 3), ["enormous", "a b"])
        self.assertEqual(wrap("a enormous b", 3), ["a", "enormous", "b"])

    def test_nothing(self):
        self.assertEqual(wrap("", 5), [])
