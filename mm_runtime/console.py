"""What of mmengine's log reaches the console: what a user reads, once."""

from __future__ import annotations

import logging
from functools import cache

from mmengine.logging import print_log
from mmengine.runner import Runner
from mmengine.utils.dl_utils import collect_env

# lines of mmengine's that say nothing to a user, or what is said anyway; the log file has them
_LOG_FILE_ONLY = (
    'will be deprecated',
    'Exp name: ',
    'Checkpoints will be saved to',
    'paramwise_options -- ',
    'is skipped since its requires_grad=False',
)


@cache
def say_once(text: str) -> None:
    """Log what every part of a data set would say, the first time only; a new training or test says it again.

    Args:
        text: The line.

    Example:
        >>> say_once('clips.csv: split by subject')
    """
    print_log(text, logger='current')


def log_to_file(runner: Runner, level: str) -> None:
    """Log environment and config to the file only, and from then on what matters to the console too.

    Args:
        runner: A runner that was built with the log level WARNING.
        level: The log level from now on.
    """
    console = [handler for handler in runner.logger.handlers if not isinstance(handler, logging.FileHandler)]
    runner.logger.setLevel(level)
    for handler in runner.logger.handlers:
        if handler.level == logging.WARNING:  # those of other ranks are set to errors only
            handler.setLevel(level)
    for handler in console:
        runner.logger.removeHandler(handler)
    runner.logger.info('environment:\n' + '\n'.join(f'  {key}: {value}' for key, value in collect_env().items()))
    runner.logger.info(f'config:\n{runner.cfg.pretty_text}')
    for handler in console:
        handler.addFilter(_worth_showing)
        runner.logger.addHandler(handler)


def _worth_showing(record: logging.LogRecord) -> bool:
    """Keep from the console what mmengine says of its own parts, and the scores of a test, of which a table follows."""
    text = record.getMessage()
    scores_of_a_test = 'Epoch(test)' in text and 'eta: ' not in text
    return not scores_of_a_test and not any(skipped in text for skipped in _LOG_FILE_ONLY)
