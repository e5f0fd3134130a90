"""Writes topics.train and topics.test: texts as bags of words, in LIBSVM's format.

A text has a topic, and draws its words from those of its topic and, more often, from those of all
topics; frequent words are frequent as in texts (Zipf's law). A word's value is its frequency in the text, scaled
so that the squares of a text's values add up to 1.

    python3 Examples/topics.py
"""
import collections
import pathlib
import random

TOPICS, COMMON, OWN, WORDS = 5, 2000, 600, 28
draw = random.Random(1)


def zipf(count):
    """A number below count, number n with a probability that is proportional to 1 / (n + 3)."""
    return min(int(3 * ((count + 3) / 3) ** draw.random()) - 3, count - 1)


def text(topic):
    # Numbers of words are dealt out at random, not by frequency or topic.
    words = collections.Counter(
        ORDER[COMMON + topic * OWN + zipf(OWN) if draw.random() < 0.3 else zipf(COMMON)]
        for _ in range(draw.randint(WORDS // 2, 3 * WORDS // 2)))
    length = sum(n * n for n in words.values()) ** 0.5
    return f"{topic} " + " ".join(f"{w + 1}:{n / length:.3g}" for w, n in sorted(words.items()))


ORDER = list(range(COMMON + TOPICS * OWN))
draw.shuffle(ORDER)
folder = pathlib.Path(__file__).parent
for part, count in ("train", 500), ("test", 150):
    lines = [text(draw.randrange(TOPICS)) for _ in range(count)]
    (folder / f"topics.{part}").write_text("\n".join(lines) + "\n")
