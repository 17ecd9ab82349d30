"""Cutting a list into pages, counted from 1."""


def page(items, number, per_page=10):
    """The items of one page."""
    start = number * per_page
    return items[start : start + per_page]


def count(items, per_page=10):
    """How many pages there are."""
    return len(items) // per_page + 1
