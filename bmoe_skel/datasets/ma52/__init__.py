"""MA-52 (Guo et al. 2024, arXiv 2403.05234): its classes, its lists, and its clips as a data set."""

from bmoe_skel.datasets.ma52.dataset import MA52Dataset

__all__ = ['MA52Dataset']
