"""The local patterns of a photograph, side by side: what the texture task of the face module learns to fill in.

python examples/texture_of_a_photo.py portrait.jpg textures.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image

from face_aux import textures


def main() -> None:
    """Compute the patterns and draw them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('photo', type=Path)
    parser.add_argument('out', type=Path, help='picture to write')
    args = parser.parse_args()
    with Image.open(args.photo) as photo:
        photo.thumbnail((512, 512))
        grey = torch.from_numpy(np.array(photo.convert('L')))[None]  # (N, H, W) uint8, as a batch of one

    patterns = {
        'LBP': textures.local_binary_pattern(grey, P=8, R=1),  # who is brighter than the pixel in the middle
        'LDP': textures.local_directional_pattern(grey),  # the three strongest edge directions
        'LDN': textures.local_directional_number(grey),  # the strongest edge, and the weakest
    }
    figure, axes = plt.subplots(1, 1 + len(patterns), figsize=(4 * (1 + len(patterns)), 4.4), layout='constrained')
    for axis, (name, codes) in zip(axes, {'photograph': grey, **patterns}.items(), strict=True):
        axis.imshow(codes[0].numpy(), cmap='gray')
        axis.set_title(name)
        axis.set_axis_off()
        print(f'{name}: {len(codes.unique())} different values')
    figure.savefig(args.out, dpi=80)
    print(f'written to {args.out}')


if __name__ == '__main__':
    main()
