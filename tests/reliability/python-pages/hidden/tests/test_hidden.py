"""Hidden."""

import unittest

from pages import count, page


class Hidden(unittest.TestCase):
    def test_pages(self):
        items = list(range(25))
        self.assertEqual(page(items, 1), list(range(10)))
        self.assertEqual(page(items, 3), [20, 21, 22, 23, 24])
        self.assertEqual(page(items, 4), [])
        self.assertEqual(page(items, 2, per_page=4), [4, 5, 6, 7])

    def test_counts(self):
        self.assertEqual(count(list(range(20))), 2)
        self.assertEqual(count(list(range(21))), 3)
        self.assertEqual(count([]), 0)
        self.assertEqual(count([1], per_page=1), 1)
