"""Pages of a list."""

import unittest

from pages import count, page


class Pages(unittest.TestCase):
    def test_a_page_beyond_the_end_is_empty(self):
        self.assertEqual(page(list(range(25)), 9), [])

    def test_a_started_page_counts(self):
        self.assertEqual(count(list(range(25))), 3)
