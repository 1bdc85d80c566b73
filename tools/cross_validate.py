r"""Cross-validate the mixture, whole or without one of its parts, on a pickle of clips.

python tools/cross_validate.py utkinect.pkl --protocol half_subjects --folds 0 1 2 --seeds 0 1 2 --out runs/utkinect
python tools/cross_validate.py nwucla.pkl --split train --protocol view --folds 0 1 --out runs/nwucla
python tools/cross_validate.py utkinect.pkl --protocol half_subjects --folds 0 1 2 --seeds 0 1 2 --paired \\
    --variants full no_macro no_micro mean_router top2 no_global stage2 no_region_dropout --out runs/ablation
python tools/cross_validate.py --config configs/bmoe_skel_ma52.py --protocol own --seeds 0 1 2 \\
    --variants full mean_router --keys f1_mean f1_macro_action --out runs/rehearsal
python tools/cross_validate.py nwucla.pkl --protocol own --config benchmarks/configs/peers.py \\
    --cfg-options preset=ctrgcn --seeds 0 1 2 --out runs/nwucla_ctrgcn    # a peer in the place of the mixture
python tools/cross_validate.py --collect runs/utkinect runs/nwucla
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bmoe_ground.errors import run_tool


def main() -> int:
    """Parse the command line and run."""
    from benchmarks.cross_validation import add_arguments, run  # loads torch, which run_tool must come before

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    return run(parser.parse_args())


if __name__ == '__main__':
    run_tool(main)
