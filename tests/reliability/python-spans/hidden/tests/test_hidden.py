"""Hidden."""

import unittest

from spans import seconds


class Hidden(unittest.TestCase):
    def test_refused(self):
        for wrong in ["", "h", "5", "5x", "1h garbage", "1m1h", " 5m", "5m ", "-5m", "5m\n"]:
            with self.assertRaises(ValueError, msg=wrong):
                seconds(wrong)

    def test_right(self):
        self.assertEqual(seconds("1h2m3s"), 3723)
        self.assertEqual(seconds("0s"), 0)
        self.assertEqual(seconds("90m"), 5400)
