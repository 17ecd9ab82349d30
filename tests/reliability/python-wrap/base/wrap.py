"""Breaking text into lines."""


def wrap(text, width):
    """Lines of at most `width` characters; a longer word stands alone on its line."""
    lines = []
    line = ""
    for word in text.split():
        if len(line) + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    lines.append(line)
    return lines
