"""The whole chain on footage that is made here: videos, keypoint tracks, training and test, over three seeds.

    python tools/demo.py
    python tools/demo.py --out demo --jobs 2 --seeds 0 1 2

Prints each command before it runs it; any of them can be repeated by hand.
"""
